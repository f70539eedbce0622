/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs as steps, with real ones: sleep, shells, launchers that are killed. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "launcher/host/kind/process.h"

static struct step_env env;

static char *sleeper[] = { (char *)"/bin/sleep", (char *)"1000", NULL };
#define SHELL(script) ((char *[]){ (char *)"/bin/sh", (char *)"-c", (char *)(script), NULL })

static int setup(void **state)
{
	(void)state;
	return root_open("/", &env.root) ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	root_close(env.root);
	return 0;
}

static void ok(struct err *e)
{
	if (e)
		fail_msg("%s", err_text(e));
}

static struct step step_of(struct process *p)
{
	return (struct step){
		.kind = &process_kind, .target = (char *)"program", .want = str_dup(PROCESS_WANT), .prior = (char *)"", .data = p
	};
}

static void start(struct step *s)
{
	ok(process_kind.prepare(&env, s));
	ok(process_kind.apply(&env, s));
}

static char *now_of(const struct step *s)
{
	char *now = NULL;
	ok(process_kind.probe(&env, s, &now));
	return now;
}

static char *exe_of(pid_t pid)
{
	char buf[256], *path = str_fmt("/proc/%d/exe", (int)pid);
	ssize_t n = readlink(path, buf, sizeof(buf) - 1);
	free(path);
	return str_ndup(buf, n > 0 ? (size_t)n : 0);
}

/* Waits for the end of what `pidfd` means; a test that waits longer has failed. */
static void await_end(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	assert_int_equal(poll(&p, 1, 20000), 1);
}

static void await_word(struct process *p, const char *word)
{
	struct pollfd poller = { .fd = p->stderr_fd, .events = POLLIN };
	while (!p->said.s || !strstr(p->said.s, word)) {
		assert_int_equal(poll(&poller, 1, 20000), 1);
		assert_true(process_listen(p));
	}
}

static void test_held_then_released_then_undone_by_another(void **state)
{
	(void)state;
	cleanup_process struct process p = PROCESS_INIT;
	p.name = "sleep";
	p.argv = sleeper;
	struct step s = step_of(&p);
	cleanup_free char *before = now_of(&s), *self = exe_of(getpid());
	assert_string_equal(before, "");
	ok(process_kind.prepare(&env, &s));
	cleanup_free char *want = proc_id_format(p.id), *held = now_of(&s), *held_exe = exe_of(p.id.pid);
	assert_string_equal(s.want, want);
	assert_string_equal(held, "");
	assert_string_equal(held_exe, self); /* it exists and has not run yet */
	ok(process_kind.apply(&env, &s));
	ok(process_kind.verify(&env, &s));
	cleanup_free char *running = now_of(&s), *exe = exe_of(p.id.pid);
	assert_string_equal(running, want);
	assert_non_null(strstr(exe, "sleep"));
	assert_int_equal(getsid(p.id.pid), p.id.pid);

	struct step restored = { .kind = &process_kind, .target = (char *)"program", .want = s.want, .prior = (char *)"" };
	ok(process_kind.undo(&env, &restored));
	cleanup_free char *after = now_of(&restored);
	assert_string_equal(after, "");
	assert_true(process_ended(&p));
	assert_true(WIFSIGNALED(p.status) && WTERMSIG(p.status) == SIGTERM);
	ok(process_kind.undo(&env, &restored)); /* a second time there is nothing to do */
	free(s.want);
}

static void test_deaf_to_sigterm(void **state)
{
	(void)state;
	cleanup_process struct process p = PROCESS_INIT;
	p.name = "deaf";
	p.argv = SHELL("trap '' TERM; echo ready >&2; exec sleep 1000");
	struct step s = step_of(&p);
	start(&s);
	await_word(&p, "ready");
	ok(process_stop(p.id, 300));
	assert_true(process_ended(&p));
	assert_true(WIFSIGNALED(p.status) && WTERMSIG(p.status) == SIGKILL);
	free(s.want);
}

static void test_exec_fails(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		int code;
	} cases[] = { { "/nonexistent/qemu", ENOENT }, { "/dev/null", EACCES } };
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_process struct process p = PROCESS_INIT;
		p.name = "qemu";
		p.argv = (char *[]){ (char *)cases[i].path, NULL };
		ok(process_hold(&p));
		cleanup_err struct err *e = process_release(&p);
		assert_int_equal(err_code(e), cases[i].code);
		assert_non_null(strstr(err_text(e), cases[i].path));
	}
}

static void test_pid_reuse(void **state)
{
	(void)state;
	cleanup_process struct process p = PROCESS_INIT;
	p.name = "sleep";
	p.argv = sleeper;
	struct step s = step_of(&p);
	start(&s);
	struct proc_id other = { p.id.pid, p.id.start + 1 };
	struct step restored = { .kind = &process_kind, .target = (char *)"program", .want = proc_id_format(other), .prior = (char *)"" };
	cleanup_free char *now = now_of(&restored);
	assert_string_equal(now, "");
	ok(process_stop(other, 1000));
	assert_false(process_ended(&p));
	ok(process_stop(p.id, 5000));
	assert_true(process_ended(&p));
	free(restored.want);
	free(s.want);
}

/* A launcher in a child: holds a program, releases it if asked to, tells us its identity, and waits to be killed. */
static pid_t launcher(bool release, struct proc_id *ret_id)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct process p = PROCESS_INIT;
		p.name = "sleep";
		p.argv = sleeper;
		struct err *e = process_hold(&p);
		if (!e && release)
			e = process_release(&p);
		if (e || write(ends[1], &p.id, sizeof(p.id)) != sizeof(p.id))
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ends[0], ret_id, sizeof(*ret_id)), sizeof(*ret_id));
	close(ends[0]);
	close(ends[1]);
	return pid;
}

static void test_launcher_killed_before_release(void **state)
{
	(void)state;
	struct proc_id id;
	pid_t pid = launcher(false, &id);
	cleanup_fd int pidfd = (int)syscall(SYS_pidfd_open, id.pid, 0);
	assert_true(pidfd >= 0 && proc_alive(id));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	await_end(pidfd);
	assert_false(proc_alive(id));
}

static void test_launcher_killed_after_release(void **state)
{
	(void)state;
	struct proc_id id;
	pid_t pid = launcher(true, &id);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_true(proc_alive(id));
	ok(process_stop(id, 5000));
	assert_false(proc_alive(id));
}

/* Two held at once: the second must not keep the first one's pipe open. */
static void test_closing_ends_the_held(void **state)
{
	(void)state;
	struct process first = PROCESS_INIT, second = PROCESS_INIT;
	first.name = second.name = "sleep";
	first.argv = second.argv = sleeper;
	ok(process_hold(&first));
	ok(process_hold(&second));
	process_drop(&first);
	assert_true(first.ended && WIFEXITED(first.status) && WEXITSTATUS(first.status) == 127);
	assert_true(proc_alive(second.id));
	process_close(&first);
	ok(process_release(&second));
	process_drop(&second); /* it runs: nothing to drop */
	assert_false(process_ended(&second));
	ok(process_stop(second.id, 5000));
	process_close(&second);
	assert_true(second.ended || waitpid(second.id.pid, NULL, 0) == second.id.pid);
}

static void test_descriptors(void **state)
{
	(void)state;
	cleanup_process struct process p = PROCESS_INIT;
	cleanup_fd int stray = open("/dev/zero", O_RDONLY); /* not close-on-exec, and still not handed on */
	int ends[2];
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	p.name = "sh";
	p.argv = SHELL(
		"echo hello >&4; for n in 0 1 2 3 4 5 6 7 8 9 10 11 12; do [ -e /proc/$$/fd/$n ] && printf '%s ' $n; done; readlink /proc/$$/fd/0");
	p.fds[0] = ends[0];
	p.fds[1] = ends[1];
	p.n_fds = 2;
	struct step s = step_of(&p);
	start(&s);
	await_end(p.pidfd);
	process_listen(&p);
	assert_string_equal(p.said.s, "0 1 2 3 4 /dev/null\n");
	char buf[16] = "";
	assert_int_equal(read(ends[0], buf, sizeof(buf)), 6);
	assert_string_equal(buf, "hello\n");
	assert_true(process_ended(&p));
	close(ends[0]);
	close(ends[1]);
	free(s.want);
}

/* What is opened while it is held comes with its release, behind the others; one that is dropped closes it. */
static void test_late_descriptors(void **state)
{
	(void)state;
	cleanup_process struct process p = PROCESS_INIT;
	cleanup_fd int kept = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int ends[2][2];
	p.name = "sh";
	p.argv = SHELL(
		"echo one >&4; echo two >&5; for n in 0 1 2 3 4 5 6 7 8 9 10 11 12; do [ -e /proc/$$/fd/$n ] && printf '%s ' $n; done");
	p.fds[0] = kept;
	p.n_fds = 1;
	ok(process_hold(&p));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pipe2(ends[i], O_CLOEXEC), 0);
		p.late_fds[p.n_late_fds++] = ends[i][1];
	}
	ok(process_release(&p));
	assert_int_equal(p.n_late_fds, 0);
	assert_int_equal(fcntl(ends[0][1], F_GETFD), -1);
	await_end(p.pidfd);
	process_listen(&p);
	assert_string_equal(p.said.s, "0 1 2 3 4 5 ");
	for (int i = 0; i < 2; i++) {
		char buf[16] = "";
		assert_int_equal(read(ends[i][0], buf, sizeof(buf)), 4);
		assert_string_equal(buf, i ? "two\n" : "one\n");
		assert_int_equal(read(ends[i][0], buf, sizeof(buf)), 0);
		close(ends[i][0]);
	}
	assert_true(process_ended(&p));
	cleanup_process struct process dropped = PROCESS_INIT;
	dropped.name = "sh";
	dropped.argv = SHELL("exit 0");
	ok(process_hold(&dropped));
	dropped.late_fds[dropped.n_late_fds++] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int late = dropped.late_fds[0];
	process_drop(&dropped);
	assert_int_equal(fcntl(late, F_GETFD), -1);
}

static struct err *refuse(void *data)
{
	return err_hint(err_errno(EPERM, "%s", (const char *)data), "do this");
}

static void test_become_fails(void **state)
{
	(void)state;
	struct process p = PROCESS_INIT;
	p.name = "qemu";
	p.argv = sleeper;
	p.become = refuse;
	p.become_data = (void *)"user anna";
	cleanup_err struct err *e = process_hold(&p);
	assert_string_equal(err_text(e), "qemu: user anna: Operation not permitted");
	assert_string_equal(err_remedy(e), "do this");
	assert_int_equal(err_code(e), EPERM);
	assert_int_equal(p.release_fd, -1);
}

/* Too few numbers for what is put above all others: said as that. */
static void test_few_descriptors(void **state)
{
	(void)state;
	struct rlimit before, few;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = 40;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	struct process p = PROCESS_INIT;
	p.name = "qemu";
	p.argv = sleeper;
	cleanup_err struct err *e = process_hold(&p);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(err_code(e), EMFILE);
	assert_non_null(strstr(err_text(e), "descriptors"));
	assert_non_null(strstr(err_remedy(e), "ulimit -n"));
	process_close(&p);
}

static void test_ends_at_once(void **state)
{
	(void)state;
	cleanup_process struct process p = PROCESS_INIT;
	p.name = "qemu";
	p.argv = SHELL("echo zero >&2; echo one >&2; printf 't\\033wo\\n' >&2; echo three >&2; exit 3");
	struct step s = step_of(&p);
	start(&s);
	await_end(p.pidfd);
	cleanup_err struct err *e = process_kind.verify(&env, &s);
	assert_string_equal(err_text(e), "program ended at once with exit status 3: one; t\\x1bwo; three");
	assert_false(process_listen(&p));
	free(s.want);
}

static void test_chatter_is_bounded(void **state)
{
	(void)state;
	cleanup_process struct process p = PROCESS_INIT;
	p.name = "sh";
	p.argv = SHELL("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; echo last");
	struct step s = step_of(&p);
	start(&s);
	struct pollfd poller = { .fd = p.stderr_fd, .events = POLLIN };
	do
		assert_int_equal(poll(&poller, 1, 20000), 1);
	while (process_listen(&p));
	cleanup_free char *words = process_last_words(&p, 2);
	assert_string_equal(words, "line 19999; last");
	assert_true(p.said.len <= 8192);
	await_end(p.pidfd);
	assert_true(process_ended(&p));
	free(s.want);
}

static struct err *wait_for(void *data)
{
	return proc_wait(*(struct proc_id *)data);
}

/* A child that says more than a pipe holds, while we wait for its end, or for anything else. */
static void test_drained_while_we_wait(void **state)
{
	(void)state;
	cleanup_process struct process p = PROCESS_INIT;
	p.name = "sh";
	p.argv = SHELL("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; echo last");
	struct step s = step_of(&p);
	start(&s);
	struct err *e = child_call(wait_for, &p.id, 20000); /* another child's answer comes when the first has ended */
	ok(e);
	assert_true(process_await(&p, 20000, -1));
	cleanup_free char *words = process_last_words(&p, 1);
	assert_string_equal(words, "last");
	free(s.want);
}

struct watched {
	sd_event *event;
	int ends;
};

static void on_end(struct process *p, void *data)
{
	struct watched *w = data;
	w->ends++;
	assert_true(p->ended);
	sd_event_exit(w->event, 0);
}

static void test_watched_by_a_loop(void **state)
{
	static const struct {
		const char *script, *words;
		uint64_t limit_us;
		bool late;
	} cases[] = {
		{ "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; echo last", "last", 0, false },
		{ "echo begun; exec sleep 1000", "begun", 300000, true },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_process struct process p = PROCESS_INIT;
		struct watched w = {};
		p.name = "sh";
		p.argv = SHELL(cases[i].script);
		struct step s = step_of(&p);
		start(&s);
		assert_true(sd_event_new(&w.event) >= 0);
		assert_true(process_watch(&p, w.event, cases[i].limit_us, on_end, &w) >= 0);
		assert_int_equal(sd_event_loop(w.event), 0);
		assert_int_equal(w.ends, 1);
		assert_int_equal(p.late, cases[i].late);
		cleanup_free char *words = process_last_words(&p, 1);
		assert_string_equal(words, cases[i].words);
		process_close(&p);
		sd_event_unref(w.event);
		free(s.want);
	}
}

static void test_wait_is_stopped(void **state)
{
	(void)state;
	cleanup_process struct process p = PROCESS_INIT;
	int ends[2];
	p.name = "sleep";
	p.argv = sleeper;
	struct step s = step_of(&p);
	start(&s);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_false(process_await(&p, 1000000, ends[0])); /* returns, for somebody wants it to */
	assert_false(process_await(&p, 1, -1));
	ok(process_end(&p, 10000));
	assert_true(process_await(&p, 0, -1));
	close(ends[0]);
	close(ends[1]);
	free(s.want);
}

static void test_affinity_is_reset(void **state)
{
	(void)state;
	cleanup_process struct process p = PROCESS_INIT;
	cpu_set_t all, one, got;
	sched_getaffinity(0, sizeof(all), &all);
	if (CPU_COUNT(&all) < 2)
		skip();
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE && !CPU_COUNT(&one); cpu++)
		if (CPU_ISSET(cpu, &all))
			CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
	p.name = "sleep";
	p.argv = sleeper;
	ok(process_hold(&p));
	sched_setaffinity(0, sizeof(all), &all);
	sched_getaffinity(p.id.pid, sizeof(got), &got);
	assert_true(CPU_COUNT(&got) >= CPU_COUNT(&all));
}

static void test_sigchld_ignored(void **state)
{
	(void)state;
	cleanup_process struct process p = PROCESS_INIT;
	p.name = "sleep";
	p.argv = sleeper;
	struct step s = step_of(&p);
	start(&s);
	signal(SIGCHLD, SIG_IGN);
	ok(process_kind.undo(&env, &s));
	assert_true(process_ended(&p));
	signal(SIGCHLD, SIG_DFL);
	free(s.want);
}

static void test_memlock(void **state)
{
	(void)state;
	cleanup_process struct process p = PROCESS_INIT;
	struct rlimit old, low, got;
	getrlimit(RLIMIT_MEMLOCK, &old);
	if (old.rlim_max != RLIM_INFINITY && old.rlim_max < 2 << 20)
		skip();
	low = (struct rlimit){ 1 << 20, old.rlim_max };
	setrlimit(RLIMIT_MEMLOCK, &low);
	p.name = "sleep";
	p.argv = sleeper;
	ok(process_hold(&p));
	setrlimit(RLIMIT_MEMLOCK, &old);
	struct step s = { .kind = &memlock_kind, .target = (char *)"qemu", .want = (char *)"2097152", .data = &p };
	cleanup_free char *now = NULL, *then = NULL, *words = memlock_kind.describe(&s);
	assert_string_equal(words, "let qemu lock 2M of memory");
	ok(memlock_kind.probe(&env, &s, &now));
	assert_string_equal(now, "1048576");
	ok(memlock_kind.apply(&env, &s));
	ok(memlock_kind.verify(&env, &s));
	assert_int_equal(prlimit(p.id.pid, RLIMIT_MEMLOCK, NULL, &got), 0);
	assert_int_equal(got.rlim_cur, 2 << 20);
	process_close(&p);
	ok(memlock_kind.probe(&env, &s, &then)); /* gone, and no error */
	assert_string_equal(then, "");
	assert_int_equal(memlock_kind.whose(&s, then), STEP_PRIOR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_held_then_released_then_undone_by_another),
		cmocka_unit_test(test_deaf_to_sigterm),
		cmocka_unit_test(test_exec_fails),
		cmocka_unit_test(test_pid_reuse),
		cmocka_unit_test(test_launcher_killed_before_release),
		cmocka_unit_test(test_launcher_killed_after_release),
		cmocka_unit_test(test_closing_ends_the_held),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_late_descriptors),
		cmocka_unit_test(test_become_fails),
		cmocka_unit_test(test_few_descriptors), cmocka_unit_test(test_ends_at_once),
		cmocka_unit_test(test_chatter_is_bounded),
		cmocka_unit_test(test_affinity_is_reset),
		cmocka_unit_test(test_drained_while_we_wait),
		cmocka_unit_test(test_watched_by_a_loop),
		cmocka_unit_test(test_wait_is_stopped),
		cmocka_unit_test(test_sigchld_ignored),
		cmocka_unit_test(test_memlock),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
