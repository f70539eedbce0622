/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the real QEMU says it can, and when it is asked: by a script that stands in for it, in a directory that is the
 * user's.
 */
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "launcher/base/child.h"
#include "launcher/host/qemu/qemu.h"
#include "launcher/host/qemu/qemu_ask.h"

static char *dir; /* of this test, the user's */
static struct root *host;
static struct user user; /* whose cache it is; never root */

static void put(const char *path, const char *text, mode_t mode)
{
	cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
}

static struct qemu_facts read_facts(struct root *root, const char *binary, const struct user *as)
{
	struct config c = { .qemu.binary = (char *)binary };
	struct qemu_facts f;
	assert_null(qemu_facts_read(root, &c, as, &f));
	return f;
}

/* The one cache file of the user. */
static char *cache_file(void)
{
	cleanup_free char *path = str_fmt("%s/cache/qlaunch", dir);
	cleanup_strv struct strv names = {};
	assert_null(root_list(host, path, &names));
	assert_int_equal(names.n, 1);
	return str_fmt("%s/%s", path, names.v[0]);
}

static void test_real(void **state)
{
	(void)state;
	cleanup_qemu_facts struct qemu_facts f = read_facts(host, NULL, &user);
	assert_null(f.problem);
	assert_false(f.assumed);
	assert_true(qemu_is(&f, 7, 2));
	assert_false(qemu_is(&f, f.major, f.minor + 1));
	assert_false(qemu_is(&f, f.major + 1, 0));
	static const char *const all[] = { "device:virtio-blk-pci", "device:vfio-pci", "cpu:hv-time", "cpu:topoext",
					   "object:memory-backend-memfd.prealloc-threads", "option:overcommit.cpu-pm",
					   "sandbox", "machine:smm", "blockdev:host_device", "accel:tcg", "netdev:user",
					   "audiodev:none", "display:none" };
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (!qemu_has(&f, all[i]))
			fail_msg("%s", all[i]);
	static const char *const none[] = { "device:virtio-blk", "cpu:", "", "netdev:Available", "accel:none", "aio:threads2" };
	for (size_t i = 0; i < ARRAY_SIZE(none); i++)
		if (qemu_has(&f, none[i]))
			fail_msg("%s", none[i]);
	/* one name that is newer than the QEMU and would show a lie: by version, both ways */
	assert_int_equal(qemu_has(&f, "device:virtio-blk-pci.iothread-vq-mapping"), qemu_is(&f, 9, 0));
	cleanup_free char *cache = cache_file(), *text = NULL;
	assert_null(root_read(host, cache, &text));
	assert_true(strlen(text) < 8192); /* it is read at every start */
	unlink(cache);
}

/* What the sources ask of qemu_has is in the table: there, a name that is mistyped would be false for ever. */
static void test_names(void **state)
{
	(void)state;
	cleanup_free char *text = NULL;
	cleanup_strv struct strv uses = {};
	static const char *const grep[] = { "grep", "-rhoE", "--include=*.c", "qemu_has\\([^,]+, \"[^\"]+\"", "launcher", NULL };
	assert_null(child_output(grep, 10000, &text));
	strv_split(&uses, text, "\n");
	for (size_t i = 0; i < uses.n; i++) {
		cleanup_free char *use = str_ndup(uses.v[i], strlen(uses.v[i]) - 1);
		const char *name = strchr(use, '"') + 1;
		cleanup_free char *option = str_fmt("option:%s", name);
		const struct qemu_name *n = qemu_names;
		while (n->name && !streq(n->name, name) && !streq(n->name, option))
			n++;
		if (!n->name)
			fail_msg("%s is not in qemu_names.c", name);
	}
}

/* A wrapper of the real one: its time of change is ours to change. */
static char *wrapper(void)
{
	cleanup_free char *qemu = child_find("qemu-system-x86_64"), *text = str_fmt("#!/bin/sh\nexec %s \"$@\"\n", qemu);
	char *path = str_fmt("%s/my qemu", dir);
	put(path, text, 0755);
	return path;
}

/* Replaces the version in the cache by 4 or forty and something: who reads it there has not asked. */
static void mark_cache(const char *cache)
{
	cleanup_free char *text = NULL;
	assert_null(root_read(host, cache, &text));
	char *version = strstr(text, "\"version\":\"");
	assert_non_null(version);
	version[strlen("\"version\":\"")] = '4';
	put(cache, text, 0600);
}

static void assert_asked(const char *binary, bool asked, const char *when)
{
	cleanup_qemu_facts struct qemu_facts f = read_facts(host, binary, &user);
	if (f.problem || (f.version[0] != '4') != asked)
		fail_msg("%s: version %s, %s", when, f.version, f.problem ? f.problem : "no problem");
}

static void test_cache(void **state)
{
	(void)state;
	cleanup_free char *binary = wrapper(), *text = NULL;
	assert_asked(binary, true, "no cache");
	cleanup_free char *cache = cache_file();
	mark_cache(cache);
	assert_asked(binary, false, "cache");

	struct timespec times[2] = { { .tv_sec = 1000000000 }, { .tv_sec = 1000000000 } };
	utimensat(AT_FDCWD, binary, times, 0);
	assert_asked(binary, true, "another binary");
	mark_cache(cache);
	assert_asked(binary, false, "cache again");

	assert_null(root_read(host, cache, &text));
	static const char *const bad[] = { "", "{", "[]", "null", "{\"version\":\"4.2.0\",\"has\":\"\"}", "\xff\xfe" };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		put(cache, bad[i], 0600);
		assert_asked(binary, true, bad[i]);
	}
	for (size_t n = 1; n < strlen(text); n += strlen(text) / 7) { /* torn; the whole file would be taken */
		cleanup_free char *torn = str_ndup(text, n);
		put(cache, torn, 0600);
		assert_asked(binary, true, torn);
	}
	cleanup_free char *names = str_dup(text);
	char *id = strstr(names, "\"names\":");
	id[strlen("\"names\":")] ^= 1; /* another digit */
	put(cache, names, 0600);
	assert_asked(binary, true, "another table of names");
	put(cache, text, 0600);
	assert_asked(binary, false, "the cache as it was");
	unlink(cache);
	mkdir(cache, 0700);
	assert_asked(binary, true, "a directory in its place");
	rmdir(cache);
	setenv("XDG_CACHE_HOME", "/proc/nowhere", 1);
	assert_asked(binary, true, "no place to write");
	cleanup_free char *back = str_fmt("%s/cache", dir);
	setenv("XDG_CACHE_HOME", back, 1);
}

static void test_problems(void **state)
{
	(void)state;
	static const struct {
		const char *script, *problem;
	} cases[] = {
		{ "#!/bin/sh\necho 'not today' >&2; echo more >&2; exit 1\n", "not today" },
		{ "#!/bin/sh\necho 'q: -a: warning: old' >&2; echo 'q: -b: no' >&2; exit 1\n", "fake: q: -b: no" },
		{ "#!/bin/sh\necho 'q: -a: warning: old' >&2; exit 1\n", "warning: old" },
		{ "#!/bin/sh\nexit 0\n", "QMP: closed by QEMU" },
		{ "#!/no/such/program\n", "No such file or directory" },
		{ "#!/bin/sh\necho hello >&3; sleep 100\n", "not a message: \"hello\"" },
	};
	cleanup_free char *binary = str_fmt("%s/fake", dir), *none = str_fmt("%s/none", dir);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		put(binary, cases[i].script, 0755);
		cleanup_qemu_facts struct qemu_facts f = read_facts(host, binary, &user);
		if (!f.problem || !strstr(f.problem, cases[i].problem))
			fail_msg("%s: %s", cases[i].script, f.problem ? f.problem : "no problem");
		assert_true(f.assumed && qemu_is(&f, 7, 2) && !qemu_is(&f, 7, 3));
		assert_true(qemu_has(&f, "device:vfio-pci"));
		assert_false(qemu_has(&f, "audiodev:pipewire"));
		cleanup_findings struct findings found = {};
		qemu_findings(&found, &f);
		assert_int_equal(findings_worst(&found), FINDING_BAD);
	}
	cleanup_qemu_facts struct qemu_facts f = read_facts(host, none, &user);
	assert_non_null(strstr(f.problem, "is not installed"));
}

/* Under --root only the tree speaks, and nothing is run: the binary here would say "not today". */
static void test_captured(void **state)
{
	(void)state;
	cleanup_root struct root *tree = NULL;
	assert_null(root_open(dir, &tree));
	assert_null(root_mkdirs(tree, "/usr/bin", 0755));
	assert_null(root_put(tree, "/usr/bin/qemu-system-x86_64", "#!/bin/sh\nexit 1\n", 0755));
	cleanup_qemu_facts struct qemu_facts none = read_facts(tree, NULL, &user);
	assert_true(none.assumed && !none.problem && none.no_seccomp);
	cleanup_findings struct findings found = {};
	qemu_findings(&found, &none);
	assert_int_equal(found.n, 2);
	assert_true(found.v[1].verdict == FINDING_WARN && streq(found.v[1].topic, "sandbox"));
	assert_null(root_mkdirs(tree, "/proc/sys/kernel/seccomp", 0755));
	assert_string_equal(none.version, "7.2.0");
	assert_null(root_mkdirs(tree, "/var/cache/qlaunch", 0755));
	static const char cache[] = "{\"version\":\"9.1.2\",\"has\":\"netdev:user audiodev:pipewire\"}";
	assert_null(root_put(tree, "/var/cache/qlaunch/qemu.json", cache, 0644));
	cleanup_qemu_facts struct qemu_facts f = read_facts(tree, NULL, &user);
	assert_false(f.assumed || f.no_seccomp);
	assert_true(qemu_is(&f, 9, 1) && qemu_has(&f, "audiodev:pipewire") && !qemu_has(&f, "sandbox"));
}

/* As root: run as the user, without his groups' privileges; and his own cache is neither read nor written. */
static struct err *ask_as_root(void *data)
{
	(void)data;
	cleanup_free char *binary = str_fmt("%s/as-root", dir);
	put(binary, "#!/bin/sh\necho $(id -u) $(sed -n 's/NoNewPrivs:.//p' /proc/self/status) >&2; exit 1\n", 0755);
	cleanup_qemu_facts struct qemu_facts f = read_facts(host, binary, &user);
	cleanup_free char *want = str_fmt("%s: %u 1", binary, user.uid);
	return streq(f.problem, want) ? NULL : err_new("%s", f.problem ? f.problem : "no problem");
}

static bool as_root_fails(void)
{
	struct err *e = geteuid() == 0 ? child_call(ask_as_root, NULL, 60000) : NULL;
	if (e)
		fprintf(stderr, "as root: %s\n", err_text(e));
	bool failed = e;
	err_free(e);
	return failed;
}

int main(void)
{
	char template[] = "/tmp/qemu-facts.XXXXXX";
	alarm(280);
	unsetenv("SUDO_UID"); /* as root, the user is ours to choose */
	unsetenv("PKEXEC_UID");
	dir = mkdtemp(template);
	if (!dir || user_find(geteuid() == 0 ? "nobody" : NULL, &user) || chmod(dir, 0755) < 0 || chown(dir, user.uid, user.gid) < 0 ||
	    root_open("/", &host))
		return 1;
	cleanup_free char *cache = str_fmt("%s/cache", dir);
	setenv("XDG_CACHE_HOME", cache, 1);
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_real), cmocka_unit_test(test_names),
					    cmocka_unit_test(test_cache), cmocka_unit_test(test_problems),
					    cmocka_unit_test(test_captured) };
	bool failed = as_root_fails();
	struct err *e = user_become(&user); /* the rest as a user, in his directory */
	failed = e || cmocka_run_group_tests(tests, NULL, NULL) || failed;
	err_free(e);
	cleanup_free char *out = NULL;
	err_free(child_output((const char *const[]){ "rm", "-rf", "--", dir, NULL }, 10000, &out));
	user_free(&user);
	root_close(host);
	return failed;
}
