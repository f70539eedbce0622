/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The journal and the engine, with a kind whose state is a file of a temporary root. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "launcher/base/log.h"
#include "launcher/step/engine.h"

static char *file_describe(const struct step *s)
{
	return str_fmt("set %s to %s", s->target, s->want);
}

static struct err *file_probe(struct step_env *env, const struct step *s, char **ret_value)
{
	return root_read(env->root, s->target, ret_value);
}

static struct err *file_apply(struct step_env *env, struct step *s)
{
	return root_write(env->root, s->target, s->want);
}

static struct err *file_undo(struct step_env *env, const struct step *s)
{
	return root_write(env->root, s->target, s->prior);
}

static const struct step_kind file_kind = { "file", file_describe, file_probe, NULL, file_apply, NULL, file_undo, NULL };
static const struct step_kind *const kinds[] = { &file_kind, NULL };

struct fixture {
	char dir[64];
	struct root *root;
	struct step_env env;
	struct steps steps;
	struct journal *journal;
	int fail_at, count, error;
};

static int fail_nth(void *data, const char *what, const char *path, const char *value)
{
	struct fixture *f = data;
	(void)what, (void)path, (void)value;
	return ++f->count == f->fail_at ? f->error : 0;
}

static void must(struct err *e)
{
	if (e)
		fail_msg("%s", err_text(e));
}

static void setup(struct fixture *f)
{
	*f = (struct fixture){ .dir = "/tmp/qlaunch-step-XXXXXX", .error = EIO };
	log_set_level(LOG_LEVEL_ERROR);
	assert_non_null(mkdtemp(f->dir));
	must(root_open(f->dir, &f->root));
	must(root_mkdir(f->root, "/run", 0755));
	must(root_mkdirs(f->root, "/proc/sys/kernel/random", 0755));
	must(root_put(f->root, "/proc/sys/kernel/random/boot_id", "boot-1\n", 0644));
	must(root_put(f->root, "/one", "1\n", 0644));
	must(root_put(f->root, "/two", "2\n", 0644));
	must(root_put(f->root, "/same", "x\n", 0644));
	f->env = (struct step_env){ f->root, kinds };
	steps_add(&f->steps, &file_kind, "/one", "uno", "why");
	steps_add(&f->steps, &file_kind, "/same", "x", "why");
	steps_add(&f->steps, &file_kind, "/two", "due", "why");
}

static void teardown(struct fixture *f)
{
	const char *argv[] = { "rm", "-rf", f->dir, NULL };
	cleanup_free char *out = NULL;
	journal_close(f->journal);
	steps_free(&f->steps);
	root_close(f->root);
	must(child_output(argv, 5000, &out));
}

static void expect(struct fixture *f, const char *path, const char *text)
{
	cleanup_free char *now = NULL;
	must(root_read(f->root, path, &now));
	assert_string_equal(now, text);
}

static struct engine apply_all(struct fixture *f)
{
	must(journal_create(f->root, "/run/qlaunch", "vm", 0, NULL, &f->journal));
	struct engine en = { &f->env, f->journal, NULL, NULL };
	must(engine_apply(&en, &f->steps));
	return en;
}

static void test_there_and_back(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	apply_all(&f);
	expect(&f, "/one", "uno");
	expect(&f, "/two", "due");
	assert_int_equal(f.steps.v[1].state, STEP_SKIPPED);
	struct undo_report r = engine_undo(&f.env, &f.steps);
	assert_int_equal(r.undone, 2);
	assert_int_equal(r.left + r.residue, 0);
	expect(&f, "/one", "1");
	expect(&f, "/two", "2");
	must(journal_remove(f.journal));
	assert_false(root_exists(f.root, "/run/qlaunch/vm"));
	teardown(&f);
}

/* Lost by the host itself: done again, and what is put back is what was there first. */
static void test_renewed(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	struct engine en = apply_all(&f);
	must(root_write(f.root, "/one", "lost"));
	must(engine_renew(&en, &f.steps.v[0]));
	expect(&f, "/one", "uno");
	assert_int_equal(engine_undo(&f.env, &f.steps).undone, 2);
	expect(&f, "/one", "1");
	teardown(&f);
}

static void test_changed_meanwhile_is_left(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	apply_all(&f);
	must(root_write(f.root, "/one", "mine"));
	struct undo_report r = engine_undo(&f.env, &f.steps);
	assert_int_equal(r.undone, 1);
	assert_int_equal(r.left, 1);
	expect(&f, "/one", "mine");
	expect(&f, "/two", "2");
	teardown(&f);
}

/* A journal that cannot be written means that the action is not done. */
static void test_every_write_failed(void **state)
{
	(void)state;
	int points = 0;
	for (int n = 1;; n++) {
		struct fixture f;
		setup(&f);
		struct root_hook hook = { fail_nth, NULL, &f };
		f.fail_at = n;
		f.error = n % 2 ? EIO : ENOSPC;
		root_set_hook(f.root, &hook);
		struct err *e = journal_create(f.root, "/run/qlaunch", "vm", 0, NULL, &f.journal);
		struct engine en = { &f.env, f.journal, NULL, NULL };
		if (!e)
			e = engine_apply(&en, &f.steps);
		bool reached = f.count >= n;
		assert_true(reached == (e != NULL));
		f.fail_at = 0;
		engine_undo(&f.env, &f.steps);
		expect(&f, "/one", "1");
		expect(&f, "/two", "2");
		err_free(e);
		teardown(&f);
		if (!reached)
			break;
		points++;
	}
	print_message("# %d writes failed once each\n", points);
	assert_true(points >= 6);
}

static void test_restore_after_death(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	pid_t pid = fork();
	if (pid == 0) {
		struct journal *j = NULL;
		if (journal_create(f.root, "/run/qlaunch", "vm", 0, NULL, &j))
			_exit(1);
		struct engine en = { &f.env, j, NULL, NULL };
		_exit(engine_apply(&en, &f.steps) ? 1 : 0); /* without undo: the lock goes with the process */
	}
	int status;
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	cleanup_err struct err *e = journal_create(f.root, "/run/qlaunch", "vm", 0, NULL, &f.journal);
	assert_int_equal(err_code(e), EEXIST);
	cleanup_steps struct steps left = {};
	cleanup_journal_info struct journal_info info = {};
	must(journal_open(&f.env, "/run/qlaunch", "vm", &f.journal, &left, &info));
	assert_int_equal(left.n, 2);
	assert_false(info.alive || info.other_boot || info.torn || info.damaged);
	assert_int_equal(engine_undo(&f.env, &left).undone, 2);
	expect(&f, "/one", "1");
	must(journal_remove(f.journal));
	teardown(&f);
}

/* The lock is a process's own: the second launcher has to be another process. */
static void test_two_launchers(void **state)
{
	(void)state;
	struct fixture f;
	int status;
	setup(&f);
	must(journal_create(f.root, "/run/qlaunch", "vm", 0, NULL, &f.journal));
	pid_t pid = fork();
	if (pid == 0) {
		struct journal *second = NULL;
		cleanup_steps struct steps steps = {};
		cleanup_journal_info struct journal_info info = {};
		struct err *e = journal_create(f.root, "/run/qlaunch", "vm", 0, NULL, &second);
		struct err *read = journal_read(&f.env, "/run/qlaunch", "vm", &steps, &info);
		_exit(err_code(e) == EBUSY && !read && info.alive ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	teardown(&f);
}

/* What stands in the journal is changed by `damage`; the complete records are still found. */
static void damaged_case(const char *name, void (*damage)(char *text, size_t *len), size_t want_steps, size_t want_damaged, bool want_torn)
{
	struct fixture f;
	setup(&f);
	apply_all(&f);
	cleanup_free char *text = NULL;
	size_t len;
	must(root_read_bytes(f.root, "/run/qlaunch/vm/journal", &text, &len));
	damage(text, &len);
	must(root_unlink(f.root, "/run/qlaunch/vm/journal"));
	must(root_put_new(f.root, "/run/qlaunch/vm/journal", text, len, 0600));
	cleanup_steps struct steps steps = {};
	cleanup_journal_info struct journal_info info = {};
	must(journal_read(&f.env, "/run/qlaunch", "vm", &steps, &info));
	if (steps.n != want_steps || info.damaged != want_damaged || info.torn != want_torn)
		fail_msg("%s: %zu steps, %zu damaged, torn %d", name, steps.n, info.damaged, info.torn);
	teardown(&f);
}

static void tear(char *text, size_t *len)
{
	(void)text;
	*len -= 5;
}
static void flip_middle(char *text, size_t *len)
{
	(void)len;
	strchr(text, '\n')[20] ^= 1;
}
static void flip_header(char *text, size_t *len)
{
	(void)len;
	text[20] ^= 1;
}
static void flip_last(char *text, size_t *len)
{
	text[*len - 8] ^= 1;
}
static void flip_newline(char *text, size_t *len)
{
	text[*len - 1] ^= 1;
}
static void zero_middle(char *text, size_t *len)
{
	(void)len;
	strchr(text, '\n')[20] = '\0';
}
static void empty(char *text, size_t *len)
{
	(void)text;
	*len = 0;
}
static void tear_header(char *text, size_t *len)
{
	(void)text;
	*len = 20;
}
static void nothing(char *text, size_t *len)
{
	(void)text, (void)len;
}

static void test_damaged_journals(void **state)
{
	(void)state;
	damaged_case("whole", nothing, 2, 0, false);
	damaged_case("torn", tear, 1, 0, true);
	damaged_case("flipped", flip_middle, 1, 1, false);
	damaged_case("header", flip_header, 2, 1, false);
	damaged_case("last", flip_last, 1, 1, false);
	damaged_case("its newline", flip_newline, 1, 0, true);
	damaged_case("a zero byte", zero_middle, 1, 1, false);
	damaged_case("empty", empty, 0, 0, true);
	damaged_case("header torn", tear_header, 0, 0, true);
}

/* Others could have put it there: nothing in it is followed, read or removed. */
static void test_a_shared_place_is_refused(void **state)
{
	(void)state;
	struct fixture f;
	struct journal *j = NULL;
	cleanup_strv struct strv vms = {};
	setup(&f);
	must(root_mkdirs(f.root, "/run/shared/qlaunch/vm", 0755));
	must(root_put(f.root, "/run/shared/qlaunch/vm/journal", "", 0600));
	cleanup_free char *shared = str_fmt("%s/run/shared", root_dir(f.root));
	assert_int_equal(chmod(shared, 0777), 0);
	cleanup_err struct err *listed = journal_list(f.root, "/run/shared/qlaunch", &vms);
	cleanup_err struct err *swept = journal_sweep(f.root, "/run/shared/qlaunch");
	cleanup_err struct err *made = journal_create(f.root, "/run/shared/qlaunch", "new", 0, NULL, &j);
	assert_int_equal(err_code(listed), EPERM);
	assert_int_equal(err_code(swept), EPERM);
	assert_int_equal(err_code(made), EPERM);
	assert_true(root_exists(f.root, "/run/shared/qlaunch/vm/journal"));
	assert_false(root_exists(f.root, "/run/shared/qlaunch/new"));
	assert_int_equal(chmod(shared, 0755), 0);
	must(journal_create(f.root, "/run/shared/qlaunch", "new", 0, NULL, &f.journal));
	teardown(&f);
}

/* What qlaunch has not made stays, and its folder with it. */
static void test_remove_takes_its_own_alone(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	must(journal_create(f.root, "/run/qlaunch", "vm", 0, NULL, &f.journal));
	must(root_put(f.root, "/run/qlaunch/vm/status.json", "{}", 0600));
	must(root_put(f.root, "/run/qlaunch/vm/.status.json.123", "{", 0600));
	must(root_put(f.root, "/run/qlaunch/vm/letter", "dear", 0600));
	must(journal_remove(f.journal));
	cleanup_strv struct strv left = {};
	must(root_list(f.root, "/run/qlaunch/vm", &left));
	assert_int_equal(left.n, 1);
	assert_string_equal(left.v[0], "letter");
	teardown(&f);
}

/* A full file system: nothing begins, and nothing stays. */
static int no_room(void *data, const char *what, const char *path, const char *value)
{
	(void)data, (void)value;
	return streq(what, "append") && str_ends(path, "/lock") ? ENOSPC : 0;
}

static void test_no_room_leaves_no_folder(void **state)
{
	(void)state;
	static const struct root_hook hook = { .before = no_room };
	struct fixture f;
	setup(&f);
	root_set_hook(f.root, &hook);
	cleanup_err struct err *e = journal_create(f.root, "/run/qlaunch", "vm", 0, NULL, &f.journal);
	assert_int_equal(err_code(e), ENOSPC);
	assert_false(root_exists(f.root, "/run/qlaunch/vm"));
	root_set_hook(f.root, NULL);
	teardown(&f);
}

/* A launcher killed before its first write leaves a directory, with or without a lock; one that lives has it locked. */
static void test_sweep_takes_what_never_began(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	cleanup_strv struct strv left = {};
	must(journal_create(f.root, "/run/qlaunch", "begun", 0, NULL, &f.journal));
	must(root_mkdirs(f.root, "/run/qlaunch/dead", 0755));
	must(root_put(f.root, "/run/qlaunch/dead/lock", "", 0600));
	must(root_mkdirs(f.root, "/run/qlaunch/deader", 0755));
	must(root_mkdirs(f.root, "/run/qlaunch/.claims", 0755));
	must(journal_sweep(f.root, "/run/qlaunch"));
	must(root_list(f.root, "/run/qlaunch", &left));
	cleanup_free char *names = strv_join(&left, " ");
	assert_string_equal(names, ".claims begun");
	teardown(&f);
}

/* write(2) may take a part, and an attribute that has a part of its value is not set: here the part is what a limit leaves. */
static void test_a_part_is_not_taken_for_all(void **state)
{
	(void)state;
	struct fixture f;
	struct rlimit before, three = { 3, RLIM_INFINITY };
	setup(&f);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	three.rlim_max = before.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &three), 0);
	cleanup_err struct err *part = root_write(f.root, "/one", "four"), *all = root_write(f.root, "/two", "due");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	expect(&f, "/one", "fou");
	assert_int_equal(err_code(part), EIO);
	assert_non_null(strstr(err_text(part), "3 of 4 bytes"));
	assert_null(all);
	teardown(&f);
}

static void test_other_boot(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	must(journal_create(f.root, "/run/qlaunch", "vm", 0, NULL, &f.journal));
	must(root_put(f.root, "/proc/sys/kernel/random/boot_id", "boot-2\n", 0644));
	cleanup_steps struct steps steps = {};
	cleanup_journal_info struct journal_info info = {};
	must(journal_read(&f.env, "/run/qlaunch", "vm", &steps, &info));
	assert_true(info.other_boot);
	teardown(&f);
}

/* The order in which they are undone: target by target. */
static char undone[8];

static struct err *noted_undo(struct step_env *env, const struct step *s)
{
	strncat(undone, s->target + 1, 1);
	return file_undo(env, s);
}

/* What was done while a process ran is not taken from under it, although it stands behind it. */
static void test_processes_end_first(void **state)
{
	static const struct step_kind noted = { .name = "file", .describe = file_describe, .probe = file_probe, .undo = noted_undo };
	static const struct step_kind process = { .name = "p", .describe = file_describe, .probe = file_probe, .undo = noted_undo, .ends_first = true };
	static const struct step_kind *const order[] = { &noted, &process, &noted, &process, &noted };
	(void)state;
	struct fixture f;
	setup(&f);
	cleanup_steps struct steps steps = {};
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		cleanup_free char *path = str_fmt("/%c", 'a' + (int)i);
		must(root_put(f.root, path, "now", 0644));
		struct step *s = steps_add(&steps, order[i], path, "now", NULL);
		s->prior = str_dup("then");
		s->state = STEP_DONE;
	}
	undone[0] = '\0';
	assert_int_equal(engine_undo(&f.env, &steps).undone, 5);
	assert_string_equal(undone, "dbeca");
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_renewed),
		cmocka_unit_test(test_there_and_back),	   cmocka_unit_test(test_changed_meanwhile_is_left),
		cmocka_unit_test(test_every_write_failed), cmocka_unit_test(test_restore_after_death),
		cmocka_unit_test(test_two_launchers),	   cmocka_unit_test(test_damaged_journals),
		cmocka_unit_test(test_a_shared_place_is_refused), cmocka_unit_test(test_remove_takes_its_own_alone),
		cmocka_unit_test(test_no_room_leaves_no_folder),
		cmocka_unit_test(test_a_part_is_not_taken_for_all), cmocka_unit_test(test_other_boot),	   cmocka_unit_test(test_processes_end_first),
		cmocka_unit_test(test_sweep_takes_what_never_began),
	};
	return cmocka_run_group_tests_name("step", tests, NULL, NULL);
}
