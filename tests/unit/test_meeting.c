/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meeting: what a bench that was killed has left goes, what one that lives holds stays, and nothing else is touched. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include "launcher/bench/meeting.h"
#include "tests/unit/tempdir.h"

/* The same root for a path of the host: sockets are bound by it. */
static struct user here(void *state)
{
	return (struct user){ .uid = geteuid(), .gid = getegid(), .runtime_dir = (char *)tempdir_path(state) };
}

static void killed_and_living(void **state)
{
	struct root *root = tempdir_root(*state);
	const char *const stay[] = { "/qlaunch-bench-7.spice", "/qlaunch-bench-", "/qlaunch-bench-7x", "/qlaunch-7", "/bench-7" };
	for (size_t i = 0; i < ARRAY_SIZE(stay); i++)
		assert_null(root_mkdir(root, stay[i], 0700));
	assert_null(root_mkdir(root, "/qlaunch-bench-11", 0700));
	assert_null(root_put(root, "/qlaunch-bench-11/agent", "", 0600));
	assert_null(root_mkdir(root, "/qlaunch-bench-12", 0700));
	assert_null(root_mkdir(root, "/qlaunch-bench-13", 0700));
	assert_null(root_put(root, "/qlaunch-bench-13/photo", "", 0600)); /* none of ours */
	assert_null(root_mkdir(root, "/elsewhere", 0700));
	assert_null(root_put(root, "/elsewhere/agent", "", 0600));
	assert_null(root_symlink(root, "elsewhere", "/qlaunch-bench-14"));
	meeting_sweep(root, "/");
	assert_false(root_exists(root, "/qlaunch-bench-11"));
	assert_false(root_exists(root, "/qlaunch-bench-12"));
	assert_true(root_exists(root, "/qlaunch-bench-13/photo"));
	assert_true(root_exists(root, "/elsewhere/agent"));
	for (size_t i = 0; i < ARRAY_SIZE(stay); i++)
		assert_true(root_exists(root, stay[i]));
}

static void lives_ends_and_dies(void **state)
{
	cleanup_root struct root *root = NULL;
	struct user user = here(*state);
	if (geteuid() == 0)
		assert_int_equal(setegid(65534) | seteuid(65534), 0); /* root's are in /run, where others' may be */
	user.uid = geteuid();
	user.gid = getegid();
	assert_null(root_open("/", &root));
	struct meeting m = MEETING_INIT(root);
	assert_null(meeting_begin(&m, &user, "bench-21"));
	meeting_sweep(root, meeting_base(&user));
	assert_int_equal(access(m.path, F_OK), 0);
	cleanup_free char *path = str_dup(m.path), *dir = str_dup(m.dir);
	pid_t pid = fork();
	if (pid == 0) { /* a signal ends it with all removed */
		raise(SIGTERM);
		_exit(1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	assert_int_equal(access(dir, F_OK), -1);
	meeting_end(&m);

	struct meeting again = MEETING_INIT(root);
	assert_null(meeting_begin(&again, &user, "bench-21"));
	assert_int_equal(access(path, F_OK), 0);
	meeting_end(&again);
	assert_int_equal(access(dir, F_OK), -1);
	if (getuid() == 0)
		assert_int_equal(seteuid(0) | setegid(0), 0);
}

static int setup(void **state)
{
	int bad = tempdir_setup(state);
	return bad || getuid() ? bad : chown(tempdir_path(*state), 65534, 65534);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(killed_and_living, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(lives_ends_and_dies, setup, tempdir_teardown),
	};
	return cmocka_run_group_tests_name("meeting", tests, NULL, NULL);
}
