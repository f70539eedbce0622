/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is left of a process that became a user, seen in /proc/self/status of a program that it then ran. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include "launcher/base/child.h"
#include "launcher/base/user.h"

struct become {
	const struct user *user;
	struct strv want; /* lines of /proc/self/status */
};

static struct err *become_and_look(void *data)
{
	struct become *b = data;
	TRY(user_become(b->user));
	cleanup_free char *text = NULL;
	TRY(child_output((const char *const[]){ "cat", "/proc/self/status", NULL }, 10000, &text));
	cleanup_strv struct strv lines = {};
	strv_split(&lines, text, "\n");
	for (size_t i = 0; i < b->want.n; i++)
		if (!strv_has(&lines, b->want.v[i]))
			return err_new("%s not in %s", b->want.v[i], text);
	/* and there is no way back */
	if (b->user->uid && (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0))
		return err_new("got root back");
	return NULL;
}

static void assert_becomes(const struct user *u)
{
	struct become b = { .user = u };
	static const char *const caps[] = { "Inh", "Prm", "Eff", "Amb" };
	for (size_t i = 0; i < ARRAY_SIZE(caps); i++)
		strv_addf(&b.want, "Cap%s:\t0000000000000000", caps[i]);
	if (geteuid() == 0)
		strv_add(&b.want, "CapBnd:\t0000000000000000");
	strv_add(&b.want, "NoNewPrivs:\t1");
	strv_addf(&b.want, "Uid:\t%u\t%u\t%u\t%u", u->uid, u->uid, u->uid, u->uid);
	strv_addf(&b.want, "Gid:\t%u\t%u\t%u\t%u", u->gid, u->gid, u->gid, u->gid);
	cleanup_err struct err *e = child_call(become_and_look, &b, 20000);
	assert_string_equal(err_text(e), "");
	strv_free(&b.want);
}

static void test_become(void **state)
{
	(void)state;
	cleanup_user struct user self = {}, other = {};
	unsetenv("SUDO_UID");
	unsetenv("PKEXEC_UID");
	assert_null(user_find(NULL, &self));
	assert_int_equal(self.uid, geteuid());
	assert_becomes(&self);
	struct err *e = user_find("nobody", &other);
	if (geteuid() == 0) {
		assert_null(e);
		assert_becomes(&other);
	} else {
		assert_non_null(e); /* only root can */
		err_free(e);
	}
}

static void test_find(void **state)
{
	(void)state;
	cleanup_user struct user u = {};
	setenv("PKEXEC_UID", "65534", 1);
	setenv("SUDO_UID", "4294967295", 1); /* (uid_t)-1: nobody can be that */
	assert_null(user_find(NULL, &u));
	assert_int_equal(u.uid, geteuid() == 0 ? 65534 : geteuid());
	assert_true(u.n_groups >= 1);
	cleanup_err struct err *e = user_find("no such user", &u);
	assert_string_equal(err_text(e), "user no such user: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_become), cmocka_unit_test(test_find) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
