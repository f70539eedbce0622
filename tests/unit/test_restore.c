/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * restore: what is made of a journal that a dead launcher left. When it goes, and when it stays: that is what the next start of the machine
 * and its user rely on. The step is a file of a temporary root; its "broken" twin cannot be put back.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "launcher/base/child.h"
#include "launcher/base/log.h"
#include "launcher/host/kind/process.h"
#include "launcher/live/restore.h"
#include "launcher/step/record.h"

#define BASE    "/run/qlaunch"
#define JOURNAL BASE "/vm/journal"
#define BOOT_ID "/proc/sys/kernel/random/boot_id"

static bool stuck; /* the second file cannot be put back now */

static char *describe(const struct step *s)
{
	return str_fmt("set %s to %s", s->target, s->want);
}

static struct err *probe(struct step_env *env, const struct step *s, char **ret_value)
{
	return root_read(env->root, s->target, ret_value);
}

static struct err *apply(struct step_env *env, struct step *s)
{
	return root_write(env->root, s->target, s->want);
}

static struct err *undo(struct step_env *env, const struct step *s)
{
	return stuck && streq(s->target, "/two") ? err_errno(EIO, "%s", s->target) : root_write(env->root, s->target, s->prior);
}

static const struct step_kind file_kind = { .name = "file", .describe = describe, .probe = probe, .apply = apply, .undo = undo };
static const struct step_kind *const kinds[] = { &file_kind, &process_kind, NULL };

static struct {
	char dir[64];
	struct step_env env;
} at;

static void must(struct err *e)
{
	if (e)
		fail_msg("%s", err_text(e));
}

/* A launch of two steps by a launcher that is dead by now. `qemu`, where it is given, is the guest that it had. */
static void leave(const char *qemu)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct journal *j = NULL;
		struct steps steps = {};
		if (journal_create(at.env.root, BASE, "vm", 0, NULL, &j))
			_exit(1);
		struct engine engine = { .env = &at.env, .journal = j };
		steps_add(&steps, &file_kind, "/one", "uno", NULL);
		steps_add(&steps, &file_kind, "/two", "due", NULL);
		struct err *e = engine_apply(&engine, &steps);
		if (!e && qemu) {
			struct step *s = steps_add(&steps, &process_kind, "qemu", qemu, NULL);
			s->prior = str_dup("");
			e = journal_append(j, s);
		}
		_exit(e ? 1 : 0);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int setup(void **state)
{
	(void)state;
	static const char *const files[][2] = { { BOOT_ID, "boot-1\n" }, { "/one", "1\n" }, { "/two", "2\n" } };
	strcpy(at.dir, "/tmp/qlaunch-restore-XXXXXX");
	log_set_level(LOG_LEVEL_ERROR);
	stuck = false;
	assert_non_null(mkdtemp(at.dir));
	must(root_open(at.dir, &at.env.root));
	at.env.kinds = kinds;
	must(root_mkdirs(at.env.root, "/run", 0755));
	must(root_mkdirs(at.env.root, "/proc/sys/kernel/random", 0755));
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		must(root_put(at.env.root, files[i][0], files[i][1], 0644));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	const char *argv[] = { "rm", "-rf", at.dir, NULL };
	cleanup_free char *out = NULL;
	root_close(at.env.root);
	must(child_output(argv, 5000, &out));
	return 0;
}

static void expect(const char *one, const char *two, bool journal)
{
	cleanup_free char *now_one = root_read_or(at.env.root, "/one", "?"), *now_two = root_read_or(at.env.root, "/two", "?");
	assert_string_equal(now_one, one);
	assert_string_equal(now_two, two);
	assert_int_equal(root_exists(at.env.root, JOURNAL), journal);
}

static void expect_error(struct err *e, int status, const char *text, const char *remedy)
{
	cleanup_err struct err *error = e;
	assert_non_null(error);
	assert_int_equal(err_status(error), status);
	if (!strstr(err_text(error), text))
		fail_msg("\"%s\" says nothing of \"%s\"", err_text(error), text);
	if (remedy && !strstr(err_remedy(error), remedy))
		fail_msg("\"%s\" says nothing of \"%s\"", err_remedy(error), remedy);
}

/* The bytes of the journal after `change`. */
static void change_journal(void (*change)(char *text, size_t *len))
{
	cleanup_free char *text = NULL;
	size_t len;
	must(root_read_bytes(at.env.root, JOURNAL, &text, &len));
	change(text, &len);
	must(root_unlink(at.env.root, JOURNAL));
	must(root_put_new(at.env.root, JOURNAL, text, len, 0600));
}

static void damage_second_line(char *text, size_t *len)
{
	(void)len;
	strchr(text, '\n')[20] ^= 1;
}

static void tear_last_line(char *text, size_t *len)
{
	(void)text;
	*len -= 5;
}

static void damage_first_line(char *text, size_t *len)
{
	(void)len;
	text[20] ^= 1;
}

static void test_all_is_put_back(void **state)
{
	(void)state;
	struct undo_report report = {};
	leave(NULL);
	expect("uno", "due", true);
	must(restore_vm(&at.env, BASE, "vm", false, &report));
	assert_int_equal(report.undone, 2);
	expect("1", "2", false);
	assert_false(root_exists(at.env.root, BASE "/vm"));
	cleanup_err struct err *again = restore_vm(&at.env, BASE, "vm", false, NULL);
	assert_int_equal(err_code(again), ENOENT);
}

/* What could not be put back is the journal's to remember, until it can. */
static void test_residue_keeps_the_journal(void **state)
{
	(void)state;
	struct undo_report report = {};
	leave(NULL);
	stuck = true;
	for (int attempt = 0; attempt < 2; attempt++) {
		expect_error(restore_vm(&at.env, BASE, "vm", false, &report), EXIT_RESIDUE, "vm: 1 step could not be put back",
			     "qlaunch restore vm");
		assert_int_equal(report.residue, 1);
		expect("1", "due", true);
	}
	stuck = false;
	must(restore_vm(&at.env, BASE, "vm", false, &report));
	assert_int_equal(report.residue, 0);
	expect("1", "2", false);
}

/* --forget: done what can be, and then it goes, whatever is left. */
static void test_residue_forgotten(void **state)
{
	(void)state;
	leave(NULL);
	stuck = true;
	must(restore_vm(&at.env, BASE, "vm", true, NULL));
	expect("1", "due", false);
}

/* The whole lines are undone; what the damaged one did nobody knows, so the journal stays until its user has looked. */
static void test_damage_keeps_the_journal(void **state)
{
	(void)state;
	leave(NULL);
	change_journal(damage_second_line);
	for (int attempt = 0; attempt < 2; attempt++) {
		expect_error(restore_vm(&at.env, BASE, "vm", false, NULL), EXIT_RESIDUE, "line 2 of " JOURNAL " is damaged",
			     "qlaunch restore --forget vm");
		expect("uno", "2", true);
	}
	must(restore_vm(&at.env, BASE, "vm", true, NULL));
	expect("uno", "2", false);
}

/* Without its first line nobody knows whose it was, but each step stands for itself. */
static void test_damaged_header(void **state)
{
	(void)state;
	leave(NULL);
	change_journal(damage_first_line);
	expect_error(restore_vm(&at.env, BASE, "vm", false, NULL), EXIT_RESIDUE, "line 1 of", "--forget");
	expect("1", "2", true);
}

/* A torn last line is a step that had not begun. */
static void test_torn_is_no_damage(void **state)
{
	(void)state;
	leave(NULL);
	must(root_write(at.env.root, "/two", "2"));
	change_journal(tear_last_line);
	must(restore_vm(&at.env, BASE, "vm", false, NULL));
	expect("1", "2", false);
}

/* A boot has undone what was in the kernel: the same value there now is somebody else's. */
static void test_another_boot_undoes_nothing(void **state)
{
	(void)state;
	struct undo_report report = { .undone = 99 };
	leave(NULL);
	must(root_put(at.env.root, BOOT_ID, "boot-2\n", 0644));
	must(restore_vm(&at.env, BASE, "vm", false, &report));
	assert_int_equal(report.undone + report.left + report.residue, 0);
	expect("uno", "due", false);
}

/* Written by another qlaunch: not touched, but for its user's word. */
static void test_another_version(void **state)
{
	(void)state;
	leave(NULL);
	cleanup_free char *line = record_line(json_pack("{s:i}", "qlaunch", 99));
	must(root_unlink(at.env.root, JOURNAL));
	must(root_put_new(at.env.root, JOURNAL, line, strlen(line), 0600));
	expect_error(restore_vm(&at.env, BASE, "vm", false, NULL), EXIT_GUEST, "it is of version 99", "qlaunch restore --forget vm");
	expect("uno", "due", true);
	must(restore_vm(&at.env, BASE, "vm", true, NULL));
	expect("uno", "due", false);
}

/* A folder that is not ours may say anything: what stands in it is not done. */
static void test_a_foreign_folder(void **state)
{
	(void)state;
	cleanup_free char *dir = str_fmt("%s" BASE "/vm", at.dir);
	leave(NULL);
	if (geteuid() == 0) {
		assert_int_equal(chown(dir, 1, 1), 0);
		expect_error(restore_vm(&at.env, BASE, "vm", false, NULL), EXIT_GUEST, "not a directory of uid", NULL);
		expect_error(restore_vm(&at.env, BASE, "vm", true, NULL), EXIT_GUEST, "not a directory of uid", NULL);
		assert_int_equal(chown(dir, 0, 0), 0);
	}
	assert_int_equal(chmod(dir, 0777), 0);
	expect_error(restore_vm(&at.env, BASE, "vm", false, NULL), EXIT_GUEST, "not a directory of uid", NULL);
	expect("uno", "due", true);
	assert_int_equal(chmod(dir, 0755), 0);
	must(restore_vm(&at.env, BASE, "vm", false, NULL));
}

/* Forks a launcher that has the machine until `pipe` is closed. */
static pid_t launcher(int ends[2])
{
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	int ready[2];
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct journal *j = NULL;
		char byte;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[1]);
		struct err *e = journal_seize(at.env.root, BASE, "vm", &j);
		if (e || write(ready[1], "", 1) != 1)
			_exit(1);
		_exit(read(ends[0], &byte, 1) != 0);
	}
	char byte;
	close(ends[0]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void test_its_launcher_lives(void **state)
{
	(void)state;
	int ends[2], status;
	leave(NULL);
	pid_t pid = launcher(ends);
	for (int forget = 0; forget < 2; forget++) {
		cleanup_err struct err *e = restore_vm(&at.env, BASE, "vm", forget, NULL);
		assert_int_equal(err_code(e), EBUSY);
	}
	expect("uno", "due", true);
	close(ends[1]);
	waitpid(pid, &status, 0);
	must(restore_vm(&at.env, BASE, "vm", false, NULL));
}

/* Another user's machine: of its journal nothing is done, whoever can read it. */
static void test_another_users(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	leave(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		/* the folders are this user's, but the machine was not */
		const char *argv[] = { "chown", "-R", "65534:65534", at.dir, NULL };
		cleanup_free char *out = NULL;
		must(child_output(argv, 5000, &out));
		if (setgid(65534) < 0 || setuid(65534) < 0)
			_exit(2);
		cleanup_err struct err *e = restore_vm(&at.env, BASE, "vm", true, NULL);
		_exit(err_code(e) == EPERM && root_exists(at.env.root, JOURNAL) ? 0 : 1);
	}
	int status;
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	expect("uno", "due", true);
}

/* What systemd's unit does: it waits for the launcher and for the guest, and only then takes anything back. */
static void test_after_launcher_and_guest(void **state)
{
	(void)state;
	int ends[2], status;
	struct proc_id id;
	pid_t guest = fork();
	assert_true(guest >= 0);
	if (guest == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	must(proc_id_of(guest, &id));
	cleanup_free char *qemu = proc_id_format(id);
	leave(qemu);
	pid_t held = launcher(ends);
	pid_t waiter = fork();
	assert_true(waiter >= 0);
	if (waiter == 0) {
		close(ends[1]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		cleanup_err struct err *e = restore_after(&at.env, BASE, "vm", NULL);
		_exit(e ? 1 : 0);
	}
	usleep(50000); /* not waited for, only given a chance to go wrong */
	expect("uno", "due", true);
	close(ends[1]);
	waitpid(held, &status, 0);
	usleep(50000);
	expect("uno", "due", true);
	assert_int_equal(waitpid(waiter, &status, WNOHANG), 0);
	assert_int_equal(kill(guest, SIGKILL), 0);
	waitpid(guest, &status, 0);
	assert_int_equal(waitpid(waiter, &status, 0), waiter);
	assert_int_equal(status, 0);
	expect("1", "2", false);
	must(restore_after(&at.env, BASE, "vm", NULL)); /* nothing is left: nothing to wait for */
}

/* A guest of another boot is nobody: its pid may be anybody's. */
static void test_after_another_boot(void **state)
{
	(void)state;
	struct proc_id self;
	must(proc_id_of(getpid(), &self));
	cleanup_free char *qemu = proc_id_format(self);
	leave(qemu);
	must(root_put(at.env.root, BOOT_ID, "boot-2\n", 0644));
	must(restore_after(&at.env, BASE, "vm", NULL));
	expect("uno", "due", false);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_all_is_put_back),
		TEST(test_residue_keeps_the_journal),
		TEST(test_residue_forgotten),
		TEST(test_damage_keeps_the_journal),
		TEST(test_damaged_header),
		TEST(test_torn_is_no_damage),
		TEST(test_another_boot_undoes_nothing),
		TEST(test_another_version),
		TEST(test_a_foreign_folder),
		TEST(test_its_launcher_lives),
		TEST(test_another_users),
		TEST(test_after_launcher_and_guest),
		TEST(test_after_another_boot),
	};
	return cmocka_run_group_tests_name("restore", tests, NULL, NULL);
}
