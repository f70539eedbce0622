/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared folders: which virtiofsd is found, and what keeps a folder from being shared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "launcher/host/share/share.h"
#include "tests/unit/fakekernel.h"

#define FS(binary) "{\"description\": \"x\", \"type\": \"fs\", \"binary\": \"" binary "\"}"

static struct share_facts read_facts(struct fake *f, const char *path, uid_t uid, bool device)
{
	static struct conf_share conf;
	static struct config c;
	static struct user user;
	struct share_facts facts = {};
	conf = (struct conf_share){ .name = (char *)"one", .path = (char *)path };
	c = (struct config){ .path = (char *)"vm.conf", .shares = &conf, .n_shares = 1 };
	user = (struct user){ .uid = uid, .home = (char *)"/home/u" };
	struct err *e = share_facts_read(f->root, &c, &user, device, &facts);
	assert_null(e);
	return facts;
}

static void problem_is(struct fake *f, const char *path, uid_t uid, bool device, const char *words)
{
	struct share_facts facts = read_facts(f, path, uid, device);
	if (words && (!facts.v[0].problem || !strstr(facts.v[0].problem, words) || !facts.v[0].remedy))
		fail_msg("\"%s\" does not say \"%s\"", facts.v[0].problem ? facts.v[0].problem : "", words);
	if (!words && facts.v[0].problem)
		fail_msg("%s", facts.v[0].problem);
	share_facts_free(&facts);
}

/* The user's descriptors before the host's, the host's before the distribution's; one of another kind, or without its program, is none. */
static void test_program(void **state)
{
	struct fake *f = fake_new();
	(void)state;
	static const char *const files[][2] = {
		{ "/usr/share/qemu/vhost-user/10-gpu.json", "{\"type\": \"gpu\", \"binary\": \"/bin/gpu\"}" },
		{ "/usr/share/qemu/vhost-user/50-fs.json", FS("/usr/lib/qemu/virtiofsd") },
		{ "/usr/share/qemu/vhost-user/40-gone.json", FS("/gone/virtiofsd") },
		{ "/usr/share/qemu/vhost-user/45-broken.json", "{" },
		{ "/usr/lib/qemu/virtiofsd", "" },
		{ "/bin/gpu", "" },
		{ "/srv/folder/x", "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		fake_file(f, files[i][0], files[i][1]);
	struct share_facts facts = read_facts(f, "/srv/folder", 1000, true);
	assert_string_equal(facts.program, "/usr/lib/qemu/virtiofsd");
	assert_string_equal(facts.v[0].argv.v[0], "/usr/lib/qemu/virtiofsd");
	assert_string_equal(facts.v[0].helper, "virtiofsd-one");
	share_facts_free(&facts);
	fake_file(f, "/home/u/.config/qemu/vhost-user/50-fs.json", FS("/opt/virtiofsd"));
	fake_file(f, "/opt/virtiofsd", "");
	facts = read_facts(f, "/srv/folder", 1000, true);
	assert_string_equal(facts.program, "/opt/virtiofsd");
	for (size_t i = 1; i < facts.v[0].argv.n; i++) /* no path of the user's is part of an option */
		assert_null(strstr(facts.v[0].argv.v[i], "/srv"));
	share_facts_free(&facts);
	fake_free(f);
}

static void test_problems(void **state)
{
	struct fake *f = fake_new();
	(void)state;
	fake_file(f, "/srv/folder/x", "");
	problem_is(f, "/srv/folder", 1000, true, "virtiofsd is not installed");
	fake_file(f, "/usr/libexec/virtiofsd", "");
	problem_is(f, "/srv/folder", 1000, true, NULL);
	problem_is(f, "/srv/absent", 1000, true, "/srv/absent");
	problem_is(f, "/srv/folder/x", 1000, true, "is no folder");
	problem_is(f, "/srv/folder", 1000, false, "vhost-user-fs-pci");
	problem_is(f, "/srv/folder", 0, true, "the guest's root");
	fake_file(f, "/proc/sys/kernel/unprivileged_userns_clone", "1\n");
	problem_is(f, "/srv/folder", 1000, true, NULL);
	fake_file(f, "/proc/sys/user/max_user_namespaces", "0\n");
	problem_is(f, "/srv/folder", 1000, true, "no namespaces");
	fake_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_program), cmocka_unit_test(test_problems) };
	return cmocka_run_group_tests_name("share", tests, NULL, NULL);
}
