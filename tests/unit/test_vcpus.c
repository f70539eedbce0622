/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pinning a real QEMU that has not begun (-S), looked at through /proc by a reader of the test's own. Two CPUs of this
 * host are enough.
 */
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include "launcher/live/vcpus.h"
#include "tests/unit/peer.h"

#define LIMIT 60000

static struct root *host;
static int cpu[2]; /* the first and the last that this process may use */

/* Asked and placed, as a launch does. */
static struct err *vcpus_pin(struct root *root, struct qmp *q, pid_t pid, const struct vcpus_want *want, struct vcpus **ret_vcpus)
{
	cleanup_vcpus struct vcpus *v = NULL;
	TRY(vcpus_ask(root, q, pid, want, &v));
	TRY(vcpus_place(v, want));
	*ret_vcpus = steal(v);
	return NULL;
}

struct guest {
	pid_t pid;
	struct qmp *q;
};

static struct guest start(const char *accel, const char *smp)
{
	const char *const options[] = { "-machine", "q35", "-accel", accel, "-smp", smp, "-m", "64M", "-name",
					"test,debug-threads=on", "-object", "iothread,id=io0", "-object",
					"iothread,id=io1", NULL };
	struct guest g;
	g.q = qmp_new(peer_qemu(options, &g.pid));
	return g;
}

static void end(struct guest *g)
{
	peer_end(g->pid);
	qmp_free(g->q);
}

/* What the kernel says of a thread: "NAME: ALLOWED". */
static char *seen(pid_t pid, const char *thread)
{
	cleanup_free char *comm_path = str_fmt("/proc/%d/task/%s/comm", pid, thread);
	cleanup_free char *status_path = str_fmt("/proc/%d/task/%s/status", pid, thread);
	cleanup_free char *comm = root_read_or(host, comm_path, "?"), *status = root_read_or(host, status_path, "");
	char *list = strstr(status, "Cpus_allowed_list:\t");
	assert_non_null(list);
	list += strlen("Cpus_allowed_list:\t");
	list[strcspn(list, "\n")] = '\0';
	return str_fmt("%s: %s", comm, list);
}

static void assert_pinned(const struct guest *g, size_t threads_least)
{
	cleanup_free char *path = str_fmt("/proc/%d/task", g->pid);
	cleanup_strv struct strv threads = {};
	assert_null(root_list(host, path, &threads));
	assert_true(threads.n >= threads_least);
	for (size_t i = 0; i < threads.n; i++) {
		cleanup_free char *is = seen(g->pid, threads.v[i]);
		int vcpu = str_starts(is, "CPU ") ? is[4] - '0' : -1;
		int want = vcpu >= 0 ? cpu[vcpu % 2] : str_starts(is, "IO io") ? cpu[1] : cpu[0];
		cleanup_free char *tail = str_fmt(": %d", want);
		if (!str_ends(is, tail))
			fail_msg("thread %s, %s, not %d", threads.v[i], is, want);
	}
}

static struct vcpus_want plan(int *cpus, size_t n)
{
	struct vcpus_want want = { .cpus = cpus, .n_cpus = n };
	for (size_t i = 0; i < n; i++)
		cpus[i] = cpu[i % 2];
	cpus_add(&want.emulator, cpu[0]);
	cpus_add(&want.iothreads, cpu[1]);
	return want;
}

static void test_pin(void **state)
{
	(void)state;
	int cpus[4];
	struct guest g = start("tcg", "4");
	struct vcpus_want want = plan(cpus, 4);
	cleanup_vcpus struct vcpus *v = NULL;
	cleanup_err struct err *e = vcpus_pin(host, g.q, g.pid, &want, &v);
	assert_string_equal(err_text(e), "");
	assert_int_equal(v->n, 4);
	assert_int_equal(v->n_iothreads, 2);
	for (int i = 0; i < 4; i++) {
		cleanup_free char *thread = str_fmt("%d", v->v[i].thread), *is = seen(g.pid, thread);
		cleanup_free char *want_is = str_fmt("CPU %d/TCG: %d", i, cpu[i % 2]);
		assert_string_equal(is, want_is);
		assert_int_equal(v->v[i].vcpu, i);
		assert_int_equal(v->v[i].cpu, cpu[i % 2]);
	}
	assert_pinned(&g, 7);

	/* a thread that comes later, and begins elsewhere */
	size_t moved = 99;
	assert_null(vcpus_pin_rest(v, &moved));
	assert_int_equal(moved, 0);
	json_t *late = json_pack("{s:s, s:s}", "qom-type", "iothread", "id", "late");
	assert_null(qmp_call(g.q, "object-add", late, LIMIT, NULL));
	json_t *list = NULL, *io;
	size_t i;
	assert_null(qmp_call(g.q, "query-iothreads", NULL, LIMIT, &list));
	cpu_set_t elsewhere;
	CPU_ZERO(&elsewhere);
	CPU_SET((size_t)cpu[1], &elsewhere);
	json_array_foreach(list, i, io) {
		pid_t thread = (pid_t)json_integer_value(json_object_get(io, "thread-id"));
		if (streq(json_string_value(json_object_get(io, "id")), "late"))
			assert_int_equal(sched_setaffinity(thread, sizeof(elsewhere), &elsewhere), 0);
	}
	json_decref(list);
	assert_null(vcpus_pin_rest(v, &moved));
	assert_int_equal(moved, cpu[0] == cpu[1] ? 0 : 1);
	end(&g);
	cleanup_err struct err *gone = vcpus_pin_rest(v, NULL);
	assert_non_null(gone);
}

/* In an isolated partition nothing moves a thread: each has one CPU of its set. */
static void test_unbalanced(void **state)
{
	(void)state;
	int cpus[2];
	struct guest g = start("tcg", "2");
	struct vcpus_want want = plan(cpus, 2);
	cpus_add(&want.emulator, cpu[1]);
	cpus_add(&want.iothreads, cpu[0]);
	want.unbalanced = true;
	cleanup_vcpus struct vcpus *v = NULL;
	cleanup_err struct err *e = vcpus_pin(host, g.q, g.pid, &want, &v);
	assert_string_equal(err_text(e), "");
	cleanup_free char *path = str_fmt("/proc/%d/task", g.pid);
	cleanup_strv struct strv threads = {};
	assert_null(root_list(host, path, &threads));
	for (size_t i = 0; i < threads.n; i++) {
		cleanup_free char *is = seen(g.pid, threads.v[i]);
		if (strpbrk(strrchr(is, ':'), "-,"))
			fail_msg("%s", is);
	}
	end(&g);
}

static void test_unpinned(void **state)
{
	(void)state;
	struct guest g = start("tcg", "2");
	struct vcpus_want want = { .cpus = (int[]){ -1, -1 }, .n_cpus = 2 };
	cleanup_free char *thread = str_fmt("%d", g.pid), *before = seen(g.pid, thread);
	cleanup_vcpus struct vcpus *v = NULL;
	assert_null(vcpus_pin(host, g.q, g.pid, &want, &v));
	cleanup_free char *after = seen(g.pid, thread);
	assert_string_equal(strchr(after, ':'), strchr(before, ':'));
	assert_int_equal(v->v[1].cpu, -1);
	end(&g);
}

static void assert_refused(const struct guest *g, const struct vcpus_want *want, const char *text)
{
	struct vcpus *v = NULL;
	cleanup_err struct err *e = vcpus_pin(host, g->q, g->pid, want, &v);
	if (!e || !strstr(err_text(e), text))
		fail_msg("\"%s\" instead of \"%s\"", err_text(e), text);
	assert_null(v);
}

static void test_errors(void **state)
{
	(void)state;
	int cpus[4];
	struct guest g = start("tcg", "2");
	struct vcpus_want want = plan(cpus, 2);
	cpus[1] = CPUS_MAX - 1; /* no x86 kernel has it */
	assert_refused(&g, &want, "vCPU 1: thread ");
	assert_refused(&g, &want, " (CPU 1/TCG), to CPU 8191: sched_setaffinity: Invalid argument");
	/* the kernel takes what there is of a set: half of it is not what was asked for */
	want = plan(cpus, 2);
	cpus_add(&want.iothreads, CPUS_MAX - 1);
	cleanup_free char *half = str_fmt("), to CPU %d,8191: the kernel allows %d", cpu[1], cpu[1]);
	assert_refused(&g, &want, half);
	want = plan(cpus, 4);
	assert_refused(&g, &want, "QEMU has 2 vCPUs, not 4");
	want = plan(cpus, 2);
	kill(g.pid, SIGKILL);
	assert_refused(&g, &want, "query-cpus-fast: QMP: closed by QEMU");
	end(&g);

	g = start("tcg,thread=single", "2");
	assert_refused(&g, &want, "vCPU 0 and vCPU 1 are one thread");
	end(&g);
}

/* Whether this process may is the kernel's to say; what it says is what must come out. */
static void test_fifo(void **state)
{
	(void)state;
	int cpus[2];
	struct guest g = start("tcg", "2");
	struct vcpus_want want = plan(cpus, 2);
	want.fifo = true;
	struct sched_param param = { .sched_priority = 1 };
	bool may = sched_setscheduler(g.pid, SCHED_FIFO | SCHED_RESET_ON_FORK, &param) == 0;
	cleanup_vcpus struct vcpus *v = NULL;
	cleanup_err struct err *e = vcpus_pin(host, g.q, g.pid, &want, &v);
	if (may) {
		assert_string_equal(err_text(e), "");
		assert_int_equal(sched_getscheduler(v->v[1].thread), SCHED_FIFO | SCHED_RESET_ON_FORK);
		assert_int_equal(sched_getscheduler(v->iothreads[0]), SCHED_OTHER);
	} else {
		assert_non_null(strstr(err_text(e), "SCHED_FIFO: Operation not permitted"));
		assert_non_null(err_remedy(e));
	}
	end(&g);
}

/* A program of the user's in QEMU's place, which names two threads of this process, or what a line says in place of its own. */
static bool vcpu_is_ours, iothread_is_ours;

static void answer(int fd, const char *value)
{
	cleanup_sb struct sb sb = {};
	char c;
	while (read(fd, &c, 1) == 1 && c != '\n')
		sb_addc(&sb, c);
	char *id = sb.s ? strstr(sb.s, "\"id\":") : NULL;
	cleanup_free char *line = str_fmt("{\"return\": %s, \"id\": %d}\r\n", value, id ? atoi(id + 5) : 0);
	peer_say(fd, line);
}

static void serve_lies(int fd)
{
	pid_t vcpu = vcpu_is_ours ? getppid() : getpid(), iothread = iothread_is_ours ? getppid() : getpid();
	cleanup_free char *cpus = str_fmt("[{\"cpu-index\": 0, \"thread-id\": %d}]", vcpu),
			  *iothreads = str_fmt("[{\"id\": \"io0\", \"thread-id\": %d}]", iothread);
	peer_say(fd, "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n");
	answer(fd, "{}");
	answer(fd, cpus);
	answer(fd, iothreads);
	pause();
}

static void test_foreign_thread(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct guest g;
		int cpus[2];
		struct vcpus_want want = plan(cpus, 1);
		vcpu_is_ours = i == 1;
		iothread_is_ours = i == 2;
		g.q = qmp_new(peer_fork(serve_lies, &g.pid));
		cleanup_free char *thread = str_fmt("%d", getpid()), *before = seen(getpid(), thread);
		if (i == 0) {
			cleanup_vcpus struct vcpus *v = NULL;
			assert_null(vcpus_pin(host, g.q, g.pid, &want, &v));
		} else {
			cleanup_free char *text = str_fmt("QEMU names thread %d, which is none of its own", getpid());
			assert_refused(&g, &want, text);
		}
		cleanup_free char *after = seen(getpid(), thread);
		assert_string_equal(after, before);
		end(&g);
	}
}

int main(void)
{
	struct cpus mine = {};
	alarm(250);
	if (root_open("/", &host) || sched_getaffinity(0, sizeof(mine.bits), (cpu_set_t *)mine.bits) < 0)
		return 1;
	cpu[0] = cpus_next(&mine, -1);
	for (int next = cpu[0]; next >= 0; next = cpus_next(&mine, next))
		cpu[1] = next;
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_pin), cmocka_unit_test(test_unbalanced), cmocka_unit_test(test_unpinned),
					    cmocka_unit_test(test_errors), cmocka_unit_test(test_fifo),
					    cmocka_unit_test(test_foreign_thread) };
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	root_close(host);
	return failed;
}
