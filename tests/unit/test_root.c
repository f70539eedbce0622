/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A held folder: what was judged on the way is what is used afterwards, whoever exchanges a name meanwhile, and no link is followed. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "launcher/base/trust.h"
#include "tests/unit/tempdir.h"

static void ok(struct err *e)
{
	if (e)
		fail_msg("%s", err_text(e));
}

static void fails(int code, struct err *e)
{
	if (!e)
		fail_msg("no error, where %d was expected", code);
	if (err_code(e) != code)
		fail_msg("%s", err_text(e));
	err_free(e);
}

/* Two folders of the same shape: ours and the trap beside it. */
static struct root *made(void **state)
{
	struct root *r = tempdir_root(*state);
	ok(root_mkdirs(r, "/run/user/own/vm", 0700));
	ok(root_mkdirs(r, "/trap/own/vm", 0777));
	ok(root_put(r, "/run/user/own/vm/file", "ours\n", 0600));
	ok(root_put(r, "/trap/own/vm/file", "theirs\n", 0600));
	return r;
}

static void move(void **state, const char *from, const char *to)
{
	cleanup_free char *a = str_fmt("%s%s", tempdir_path(*state), from), *b = str_fmt("%s%s", tempdir_path(*state), to);
	assert_int_equal(rename(a, b), 0);
}

static void exchanged_meanwhile(void **state)
{
	struct root *r = made(state);
	ok(trust_hold(r, "/run/user/own", geteuid()));
	move(state, "/run/user", "/run/before");
	ok(root_symlink(r, "../trap", "/run/user"));
	cleanup_free char *read = NULL, *seen = root_read_or(r, "/run/user/own/vm/file", "");
	assert_string_equal(seen, "ours");
	ok(root_append(r, "/run/user/own/vm/journal", "line\n"));
	ok(root_put(r, "/run/user/own/vm/status", "s", 0600));
	ok(root_unlink(r, "/run/user/own/vm/file"));
	cleanup_strv struct strv ours = {}, theirs = {};
	ok(root_list(r, "/run/before/own/vm", &ours));
	ok(root_list(r, "/trap/own/vm", &theirs));
	cleanup_free char *a = strv_join(&ours, " "), *b = strv_join(&theirs, " ");
	assert_string_equal(a, "journal status");
	assert_string_equal(b, "file");
	ok(root_read(r, "/trap/own/vm/file", &read));
	assert_string_equal(read, "theirs");
	/* the same words without the folder's end are another path */
	assert_false(root_exists(r, "/run/user/owner"));
}

static void no_link_on_the_way(void **state)
{
	struct root *r = made(state);
	ok(root_symlink(r, "../trap", "/run/link"));
	fails(ENOTDIR, trust_hold(r, "/run/link/own", geteuid()));
	fails(EINVAL, trust_hold(r, "/run/../trap/own", geteuid()));
	fails(ENOENT, trust_hold(r, "/run/user/none", geteuid()));
	cleanup_free char *seen = root_read_or(r, "/run/link/own/vm/file", ""); /* nothing is held: links lead where they lead */
	assert_string_equal(seen, "theirs");
}

static void no_link_below(void **state)
{
	struct root *r = made(state);
	ok(trust_hold(r, "/run/user/own", geteuid()));
	ok(root_symlink(r, "../../../trap/own/vm", "/run/user/own/other"));
	ok(root_symlink(r, "../../../../trap/own/vm/file", "/run/user/own/vm/link"));
	fails(ELOOP, root_append(r, "/run/user/own/other/journal", "line\n"));
	char *text = NULL;
	fails(ELOOP, root_read(r, "/run/user/own/vm/link", &text));
	fails(EXDEV, root_read(r, "/run/user/own/../../../trap/own/vm/file", &text));
	cleanup_free char *held = root_link(r, "/run/user/own/vm/link"); /* what it holds may be asked */
	assert_string_equal(held, "../../../../trap/own/vm/file");
	ok(root_unlink(r, "/run/user/own/vm/link"));
}

static void others_may_write(void **state)
{
	struct root *r = made(state);
	cleanup_free char *open = str_fmt("%s/run/user", tempdir_path(*state));
	assert_int_equal(chmod(open, 0777), 0);
	fails(EPERM, trust_hold(r, "/run/user/own", geteuid()));
	assert_int_equal(chmod(open, 01777), 0); /* names may be added there, ours not be taken away */
	ok(trust_hold(r, "/run/user/own", geteuid()));
	if (geteuid() == 0) {
		ok(root_chown(r, "/trap/own", 65534, 65534));
		fails(EPERM, trust_hold(r, "/trap/own", 0));
		ok(trust_hold(r, "/trap/own", 65534));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(exchanged_meanwhile, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(no_link_on_the_way, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(no_link_below, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(others_may_write, tempdir_setup, tempdir_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
