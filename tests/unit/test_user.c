/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who the machine runs as, and giving up privileges for real: in forked children of a test that runs as root. */
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "launcher/base/child.h"
#include "launcher/base/root.h"
#include "launcher/host/kind/caps.h"
#include "launcher/host/kind/process.h"
#include "launcher/base/user.h"

#define BIT(cap) (UINT64_C(1) << CAP_##cap)

static struct user nobody;

static void ok(struct err *e)
{
	if (e)
		fail_msg("%s", err_text(e));
}

static int setup(void **state)
{
	(void)state;
	struct passwd *pw = getpwnam("nobody");
	if (!pw)
		return -1;
	struct err *e = user_choose(NULL, pw->pw_uid, pw->pw_uid, 0, &nobody);
	if (e)
		print_error("%s\n", err_text(e));
	return e ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	user_free(&nobody);
	return 0;
}

static void refused(const char *wanted, uid_t real, uid_t effective, uid_t by, const char *word)
{
	struct user u = {};
	cleanup_err struct err *e = user_choose(wanted, real, effective, by, &u);
	assert_non_null(e);
	assert_null(u.name);
	if (!strstr(err_text(e), word))
		fail_msg("\"%s\" says nothing of \"%s\"", err_text(e), word);
	assert_int_equal(err_status(e), EXIT_HOST);
}

static void taken(const char *wanted, uid_t real, uid_t by, const char *name)
{
	cleanup_user struct user u = {};
	ok(user_choose(wanted, real, real, by, &u));
	assert_string_equal(u.name, name);
	assert_true(u.home[0] == '/' && u.data_dir[0] == '/');
	assert_true(u.n_groups >= 1);
}

static void test_choice(void **state)
{
	(void)state;
	uid_t by = nobody.uid;
	taken(NULL, by, 0, "nobody");
	taken("nobody", by, 0, "nobody");
	taken(NULL, 0, by, "nobody");
	taken("nobody", 0, by, "nobody");
	taken("nobody", 0, 0, "nobody");
	taken("root", 0, 0, "root");
	taken(NULL, 0, 0, "root");
	refused("root", by, by, 0, "nobody may not start a machine as root");
	refused("root", 0, 0, by, "nobody may not start a machine as root");
	refused(NULL, 0, 0, 4000000000, "4000000000");
	refused("no-such-user", 0, 0, 0, "no-such-user");
	refused(NULL, by, 0, 0, "set-user-ID");
}

/* What sudo, pkexec and doas leave in the environment; NULL: nothing. Who that is, or a word of the error. */
static void invoked(const char *sudo, const char *pkexec, const char *doas, uid_t who, const char *error)
{
	const char *const variables[][2] = { { "SUDO_UID", sudo }, { "PKEXEC_UID", pkexec }, { "DOAS_USER", doas } };
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		variables[i][1] ? setenv(variables[i][0], variables[i][1], 1) : unsetenv(variables[i][0]);
	uid_t uid = 12345;
	cleanup_err struct err *e = user_invoked_by(&uid);
	if (error && (!e || !strstr(err_text(e), error)))
		fail_msg("\"%s\" says nothing of \"%s\"", e ? err_text(e) : "no error", error);
	if (!error && e)
		fail_msg("%s", err_text(e));
	assert_int_equal(uid, error ? 12345 : who);
	assert_int_equal(user_is_invoked(), error || who); /* in doubt it is on somebody's behalf */
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		unsetenv(variables[i][0]);
}

static void test_invoker(void **state)
{
	(void)state;
	cleanup_free char *by = str_fmt("%u", nobody.uid);
	invoked(NULL, NULL, NULL, 0, NULL);
	invoked("0", NULL, NULL, 0, NULL);
	invoked(NULL, "0", "root", 0, NULL);
	invoked(by, NULL, NULL, nobody.uid, NULL);
	invoked(NULL, by, NULL, nobody.uid, NULL);
	invoked(NULL, NULL, "nobody", nobody.uid, NULL);
	/* what was let through makes nobody root, nor somebody else */
	invoked(by, "0", "root", nobody.uid, NULL);
	invoked("0", "0", "nobody", nobody.uid, NULL);
	invoked(by, by, "nobody", nobody.uid, NULL);
	invoked(by, "1", NULL, 0, "PKEXEC_UID names another user than SUDO_UID");
	invoked("1", NULL, "nobody", 0, "DOAS_USER names another user than SUDO_UID");
	invoked("anna", NULL, NULL, 0, "SUDO_UID");
	invoked("", NULL, NULL, 0, "SUDO_UID");
	invoked(NULL, "-1", NULL, 0, "PKEXEC_UID");
	invoked(NULL, NULL, "no-such-user", 0, "DOAS_USER: there is no user \"no-such-user\"");
	invoked(NULL, NULL, "", 0, "DOAS_USER");
}

static void test_environment(void **state)
{
	(void)state;
	cleanup_strv struct strv env = {};
	setenv("LD_PRELOAD_OF_OURS", "x", 1);
	setenv("WAYLAND_DISPLAY", "wayland-7", 1);
	user_env(&nobody, &env);
	cleanup_free char *home = str_fmt("HOME=%s", nobody.home);
	assert_true(strv_has(&env, home));
	assert_true(strv_has(&env, "USER=nobody"));
	assert_true(strv_has(&env, "WAYLAND_DISPLAY=wayland-7"));
	for (size_t i = 0; i < env.n; i++)
		assert_false(str_starts(env.v[i], "LD_PRELOAD"));
	unsetenv("LD_PRELOAD_OF_OURS");
}

/* The value of a line of /proc/self/status. */
static char *status_of(const char *key)
{
	struct root *r = NULL;
	char *text = NULL, *line = NULL;
	if (root_open("/", &r) == NULL && root_read(r, "/proc/self/status", &text) == NULL) {
		char *at = strstr(text, key);
		line = at ? str_ndup(at + strlen(key), strcspn(at + strlen(key), "\n")) : NULL;
	}
	free(text);
	root_close(r);
	return line ? line : str_dup("");
}

static struct err *expect(const char *key, const char *value)
{
	char *line = status_of(key), *got = str_trim(line);
	return streq(got, value) ? NULL : err_new("%s is \"%s\", not \"%s\"", key, got, value);
}

/* What only CAP_CHOWN lets anybody do: to give a file of their own away. */
static bool can_chown(void)
{
	cleanup_fd int fd = memfd_create("test", MFD_CLOEXEC);
	return fchown(fd, 7, 7) == 0;
}

static struct err *become_nobody(void *data)
{
	TRY(user_become(data));
	static const char *const sets[] = { "\nCapInh:", "\nCapPrm:", "\nCapEff:", "\nCapBnd:", "\nCapAmb:" };
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		TRY(expect(sets[i], "0000000000000000"));
	TRY(expect("\nNoNewPrivs:", "1"));
	struct user *u = data;
	gid_t groups[64];
	int n = getgroups(64, groups);
	if (n != (int)u->n_groups || (n == 1 && groups[0] != u->groups[0]))
		return err_new("%d groups", n);
	if (u->uid && (seteuid(0) == 0 || setgid(0) == 0 || setgroups(0, NULL) == 0))
		return err_new("came back");
	if (u->uid && open("/etc/shadow", O_RDONLY) >= 0)
		return err_new("reads what is root's");
	return can_chown() ? err_new("has powers") : NULL;
}

static void test_become(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	ok(child_call(become_nobody, &nobody, 10000));
}

/* Root itself: root's files, but no power over the kernel. */
static void test_become_root_without_capabilities(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	cleanup_user struct user root_user = {};
	ok(user_choose("root", 0, 0, 0, &root_user));
	ok(child_call(become_nobody, &root_user, 10000));
}

static struct err *unprivileged_becomes_other(void *data)
{
	(void)data;
	if (setresgid(1, 1, 1) < 0 || setresuid(1, 1, 1) < 0)
		return err_new("test: setresuid");
	struct err *e = user_become(&nobody);
	return e ? NULL : err_new("became somebody else");
}

static void test_cannot_become_another(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	ok(child_call(unprivileged_becomes_other, NULL, 10000));
}

/* What a program that is run afterwards finds itself to be. */
static void test_become_and_run(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	cleanup_process struct process p = PROCESS_INIT;
	cleanup_strv struct strv env = {};
	user_env(&nobody, &env);
	p.name = "sh";
	p.argv = (char *[]){ (char *)"/bin/sh", (char *)"-c",
			     (char *)"id -un; id -Gn; grep -E '^(CapEff|CapBnd|NoNewPrivs)' /proc/$$/status", NULL };
	p.env = env.v;
	p.become = user_become_data;
	p.become_data = &nobody;
	ok(process_hold(&p));
	ok(process_release(&p));
	struct pollfd end = { .fd = p.pidfd, .events = POLLIN };
	assert_int_equal(poll(&end, 1, 20000), 1);
	process_listen(&p);
	assert_string_equal(p.said.s, "nobody\nnogroup\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\n");
}

static const struct step_kind node_kind = { .name = "node" }, memlock_like = { .name = "memlock" }, attr_like = { .name = "attr" };

static void test_caps_needed(void **state)
{
	(void)state;
	cleanup_steps struct steps steps = {};
	assert_int_equal(caps_needed(&steps), 0);
	steps_add(&steps, &attr_like, "a", "b", "c");
	assert_int_equal(caps_needed(&steps), 0);
	steps_add(&steps, &node_kind, "a", "b", "c");
	steps_add(&steps, &memlock_like, "a", "b", "c");
	uint64_t need = caps_needed(&steps);
	assert_int_equal(need, BIT(CHOWN) | BIT(FOWNER) | BIT(SYS_RESOURCE));
}

static struct err *drop_to_kill(void *data)
{
	(void)data;
	TRY(caps_drop_to(BIT(KILL) | BIT(SYS_RESOURCE))); /* the second one may be none of ours: then it stays away */
	char *line = status_of("\nCapEff:");
	uint64_t now = strtoull(line, NULL, 16);
	if ((now & ~BIT(SYS_RESOURCE)) != BIT(KILL))
		return err_new("effective: %s", line);
	TRY(expect("\nCapInh:", "0000000000000000"));
	line = status_of("\nCapBnd:");
	if (strtoull(line, NULL, 16) & ~(BIT(KILL) | BIT(SYS_RESOURCE)))
		return err_new("bounding: %s", line);
	if (can_chown())
		return err_new("can still chown");
	TRY(caps_drop_to(BIT(CHOWN)));
	return can_chown() ? err_new("got one back") : NULL;
}

static void test_caps_drop(void **state)
{
	(void)state;
	if (geteuid())
		skip();
	assert_true(can_chown());
	ok(child_call(drop_to_kill, NULL, 10000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choice), cmocka_unit_test(test_invoker),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_become),
		cmocka_unit_test(test_become_root_without_capabilities),
		cmocka_unit_test(test_cannot_become_another),
		cmocka_unit_test(test_become_and_run),
		cmocka_unit_test(test_caps_needed),
		cmocka_unit_test(test_caps_drop),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
