/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sweep: a launch with every kind of step that writes to the host, and its way back, on the fake kernel. Each
 * change that it makes is once the one that fails (EIO, ENOSPC, EBUSY), once the one that hangs, and once the last
 * before SIGKILL, before it and after it. Then `restore` runs. The host must be as it was, byte for byte, or what is
 * left must be named, and go with the next `restore`.
 *
 * A point is one such run; the number of points is printed.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "launcher/base/child.h"
#include "launcher/base/log.h"
#include "launcher/host/kind/attr.h"
#include "launcher/host/cgroup/cgroup.h"
#include "launcher/host/framebuffer/framebuffer.h"
#include "launcher/host/memory/memory.h"
#include "launcher/host/kind/node.h"
#include "launcher/host/pci/pci.h"
#include "launcher/step/engine.h"
#include "tests/unit/fakekernel.h"

#define HANG_MS 200
#define BASE    "/run/qlaunch"
#define VM      "vm"
#define GROUP   "/sys/fs/cgroup/qlaunch_vm"
#define HUGE    "/sys/devices/system/node/node0/hugepages/hugepages-2048kB"

static const struct step_kind *const kinds[] = { &pci_driver_kind, &pci_bar_kind,   &attr_kind,
						 &node_kind,       &cgroup_kind,    &controller_kind,
						 &partition_kind,  &hugepages_kind, &framebuffer_kind,
						 NULL };

/* A sanitized process forks slowly: there every third change, and all of them in the plain build. */
#ifdef __SANITIZE_ADDRESS__
#define STRIDE 3
#else
#define STRIDE 1
#endif

struct sweep {
	struct fake *fake;
	struct step_env env;
	struct config config;
	struct conf_pci pci;
	struct steps steps;
	char *before; /* the host */
	char log[64]; /* what the launchers said */
	long forward; /* changes that an undisturbed launch makes until the guest would run */
	long changes; /* and with its way back */
	long points;
};
static struct sweep sweep;
static pid_t held[2];

/* What a child of the sweep ends with. */
enum { SAME = 0, FAILED = 1, RESIDUE = 5 };

static void must(struct err *e)
{
	if (e) {
		fprintf(stderr, "sweep: %s\n", err_text(e));
		abort(); /* not fail_msg: this also runs in children */
	}
}

static void plan_all(struct sweep *s)
{
	cleanup_pci_facts struct pci_facts pci = {};
	cleanup_memory_facts struct memory_facts memory = {};
	cleanup_cgroup_facts struct cgroup_facts cgroup = {};
	cleanup_console_facts struct console_facts console = {};
	struct cpus guest, host;
	must(cpus_parse("2-3", &guest));
	must(cpus_parse("0-1", &host));
	must(pci_facts_read(s->env.root, &s->config, &pci));
	must(memory_facts_read(s->env.root, &s->config, &memory));
	must(cgroup_facts_read(s->env.root, &s->config, &cgroup));
	must(console_facts_read(s->env.root, &s->config, &console));
	memory_steps(&s->steps, &s->config, &memory, &guest);
	for (int cpu = 2; cpu < 4; cpu++) {
		cleanup_free char *path = str_fmt("/sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor", cpu);
		assert_non_null(attr_step(&s->steps, s->env.root, path, "performance", "full clock"));
	}
	console_steps(&s->steps, &console);
	pci_steps(&s->steps, &s->config, &pci, 1000, 1001);
	cgroup_steps(&s->steps, &s->config, &cgroup, &guest, &host, held);
	for (size_t i = 0; i < s->steps.n; i++)
		assert_null(s->steps.v[i].obstacle);
}

/* The host without our own directory below /run. Owned by the caller. */
static char *host_of(struct sweep *s)
{
	cleanup_free char *all = fake_snapshot(s->fake);
	struct sb sb = {};
	for (const char *line = all; *line; line += strcspn(line, "\n") + 1)
		if (!str_starts(line, BASE "/"))
			sb_addn(&sb, line, strcspn(line, "\n") + 1);
	return sb_steal(&sb);
}

static int setup(void **state)
{
	(void)state;
	struct sweep *s = &sweep;
	log_set_level(LOG_LEVEL_WARN);
	s->fake = fake_new();
	fake_host(s->fake);
	fake_file(s->fake, "/sys/bus/pci/devices/0000:01:00.0/resource0_resize", "0000000000003fc0\n");
	fake_file(s->fake, "/sys/bus/pci/devices/0000:01:00.1/driver_override", "snd_hda_intel\n");
	fake_file(s->fake, "/sys/devices/system/node/node0/cpulist", "0-3\n");
	fake_file(s->fake, "/sys/devices/system/node/node0/meminfo", "Node 0 MemTotal: 8388608 kB\nNode 0 MemFree: 4194304 kB\n");
	fake_file(s->fake, "/proc/sys/vm/drop_caches", "");
	fake_file(s->fake, "/proc/sys/vm/compact_memory", "");
	fake_file(s->fake, HUGE "/nr_hugepages", "2\n");
	fake_file(s->fake, HUGE "/free_hugepages", "2\n");
	fake_file(s->fake, "/proc/meminfo", "MemTotal: 8388608 kB\nMemFree: 1 kB\nMemAvailable: 4194304 kB\n");
	fake_file(s->fake, "/sys/class/vtconsole/vtcon1/name", "(M) frame buffer device\n");
	fake_file(s->fake, "/sys/class/vtconsole/vtcon1/bind", "1\n");
	fake_dir(s->fake, "/sys/bus/platform/devices/efi-framebuffer.0");
	fake_link(s->fake, "/sys/bus/platform/drivers/efi-framebuffer/efi-framebuffer.0", "../../devices/efi-framebuffer.0");
	fake_file(s->fake, "/sys/bus/platform/drivers/efi-framebuffer/bind", "");
	fake_file(s->fake, "/sys/bus/platform/drivers/efi-framebuffer/unbind", "");
	s->env = (struct step_env){ s->fake->root, kinds };
	s->pci = (struct conf_pci){ .name = (char *)"gpu", .has_address = true, .rebar = UINT64_C(8) << 30 };
	must(pci_addr_parse("01:00.0", &s->pci.address));
	s->config = (struct config){ .path = (char *)"vm.conf",
				     .vm.name = (char *)VM,
				     .pci = &s->pci,
				     .n_pci = 1,
				     .host.release_console = true,
				     .memory = { .size = 64 << 20, .hugepages = HUGEPAGES_2M } };
	held[0] = getpid();
	plan_all(s);
	s->before = host_of(s);
	strcpy(s->log, "/tmp/qlaunch-sweep-XXXXXX");
	int fd = mkstemp(s->log);
	assert_true(fd >= 0);
	close(fd);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(sweep.log);
	steps_free(&sweep.steps);
	free(sweep.before);
	fake_free(sweep.fake);
	return 0;
}

/* QEMU has ended: its group is empty. */
static void guest_ends(struct sweep *s)
{
	cleanup_free char *procs = fake_path(s->fake, GROUP "/cgroup.procs");
	if (access(procs, F_OK) == 0)
		fake_file(s->fake, GROUP "/cgroup.procs", "\n");
}

/* As far as the guest, and no further: what a launcher killed there leaves. */
static int launch_forward(struct sweep *s)
{
	cleanup_journal struct journal *journal = NULL;
	must(journal_create(s->env.root, BASE, VM, 0, NULL, &journal));
	struct engine engine = { .env = &s->env, .journal = journal };
	must(engine_apply(&engine, &s->steps));
	return SAME;
}

/* What `run` does: there, and back whether or not it got there. */
static int launch(struct sweep *s)
{
	cleanup_journal struct journal *journal = NULL;
	struct err *e = journal_create(s->env.root, BASE, VM, 0, NULL, &journal);
	if (!e) {
		struct engine engine = { .env = &s->env, .journal = journal };
		e = engine_apply(&engine, &s->steps);
		guest_ends(s);
		struct undo_report report = engine_undo(&s->env, &s->steps);
		if (report.residue || report.left) {
			err_free(e);
			return RESIDUE;
		}
		struct err *removed = journal_remove(journal);
		e = e ? e : removed;
	}
	if (e)
		log_err(LOG_LEVEL_ERROR, e);
	return e ? FAILED : SAME;
}

/* What `restore` does. */
static int restore(struct sweep *s)
{
	cleanup_strv struct strv vms = {};
	cleanup_journal struct journal *journal = NULL;
	cleanup_steps struct steps steps = {};
	cleanup_journal_info struct journal_info info = {};
	guest_ends(s);
	must(journal_list(s->env.root, BASE, &vms));
	if (!vms.n)
		return SAME;
	struct err *e = journal_open(&s->env, BASE, VM, &journal, &steps, &info);
	struct undo_report report = e ? (struct undo_report){} : engine_undo(&s->env, &steps);
	if (!e && (report.residue || report.left))
		return RESIDUE;
	e = e ? e : journal_remove(journal);
	if (e)
		log_err(LOG_LEVEL_ERROR, e);
	return e ? FAILED : SAME;
}

/* Runs it in a child that may be killed on the way; one that hangs is killed, as its user would. Returns its wait
 * status. */
static int in_child(struct sweep *s, int (*what)(struct sweep *))
{
	bool hangs = s->fake->shared->at && s->fake->shared->fault == FAKE_HANG;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = open(s->log, O_WRONLY | O_TRUNC | O_CLOEXEC);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (hangs)
			child_write_limit_ms = HANG_MS; /* else as it is: a machine under load is no kernel that hangs */
		s->fake->shared->victim = getpid();
		if (fd < 0 || dup2(fd, 2) < 0)
			_exit(99);
		_exit(what(s));
	}
	int status, pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	while (poll(&p, 1, hangs ? HANG_MS : -1) == 0) /* once it hangs, it gets as long again to notice */
		if (*s->fake->shared->last && poll(&p, 1, HANG_MS) == 0)
			kill(pid, SIGKILL);
	close(pidfd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	s->fake->shared->victim = 0;
	return status;
}

static char *said(struct sweep *s)
{
	char text[16384] = "";
	int fd = open(s->log, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	close(fd);
	return str_ndup(text, n < 0 ? 0 : (size_t)n);
}

static void expect_same(struct sweep *s, const char *when)
{
	cleanup_free char *now = host_of(s), *difference = fake_difference(s->before, now), *log = said(s);
	if (difference)
		fail_msg("%s \"%s\": not as before:\n%s%s", when, s->fake->shared->last, difference, log);
}

/* Whether the output names a step that explains why this entry of the tree is not as before. */
static bool is_named(struct sweep *s, const char *line, const char *log)
{
	if (str_starts(line, "/dev/vfio/")) /* it comes and goes with the binding */
		return strstr(log, "to vfio-pci") != NULL;
	for (size_t i = 0; i < s->steps.n; i++) {
		const char *target = s->steps.v[i].target, *slash = strrchr(target, '/');
		cleanup_free char *place =
			*target == '/' ? str_ndup(target, (size_t)(slash - target)) : str_ndup(target, strcspn(target, "/"));
		if (strstr(line, place) && strstr(log, *target == '/' ? target : place))
			return true;
	}
	return false;
}

/* Every entry that is not as before belongs to a step that was named. */
static void expect_named(struct sweep *s, const char *when)
{
	cleanup_free char *now = host_of(s), *log = said(s);
	cleanup_strv struct strv before = {}, after = {};
	strv_split(&before, s->before, "\n");
	strv_split(&after, now, "\n");
	for (int pass = 0; pass < 2; pass++) {
		const struct strv *a = pass ? &after : &before, *b = pass ? &before : &after;
		for (size_t i = 0; i < a->n; i++)
			if (!strv_has(b, a->v[i]) && !is_named(s, a->v[i], log))
				fail_msg("%s \"%s\": not as before, and not named: %s\n%s", when, s->fake->shared->last, a->v[i], log);
	}
	assert_non_null(strstr(log, "not put back: "));
}

/* What a launcher that had no journal yet may leave: its directory and the lock in it. They are taken over by the next;
 * here they go. */
static void clear_directory(struct sweep *s)
{
	cleanup_strv struct strv names = {};
	cleanup_free char *dir = fake_path(s->fake, BASE "/" VM), *lock = fake_path(s->fake, BASE "/" VM "/lock");
	if (!root_exists(s->env.root, BASE "/" VM))
		return;
	must(root_list(s->env.root, BASE "/" VM, &names));
	assert_true(names.n == 0 || (names.n == 1 && streq(names.v[0], "lock")));
	unlink(lock);
	assert_int_equal(rmdir(dir), 0);
}

/* After a launcher that ended in whatever way: one restore without faults, and all is as it was. A point is done. */
static void restore_all(struct sweep *s, const char *when)
{
	s->fake->shared->at = 0;
	int status = in_child(s, restore);
	cleanup_free char *log = said(s);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != SAME)
		fail_msg("%s \"%s\": restore ended with %#x: %s", when, s->fake->shared->last, (unsigned)status, log);
	expect_same(s, when);
	clear_directory(s);
	s->points++;
}

/* One run of `what` with a fault at its change `at`. */
static void run_point(struct sweep *s, int (*what)(struct sweep *), enum fake_fault fault, long at, int errnum)
{
	cleanup_free char *when = fault == FAKE_FAIL ? str_fmt("change %ld fails with %s:", at, strerrorname_np(errnum))
						     : str_fmt("killed %s change %ld:", fault == FAKE_KILL_BEFORE ? "before" : "after", at);
	fake_fault(s->fake, fault, at, errnum);
	int status = in_child(s, what);
	if (!*s->fake->shared->last)
		fail_msg("%s the run has no such change", when);
	if (fault == FAKE_FAIL) {
		assert_true(WIFEXITED(status));
		cleanup_free char *log = said(s);
		if (WEXITSTATUS(status) == RESIDUE)
			expect_named(s, when);
		else if (what == launch)
			expect_same(s, when);
		else if (WEXITSTATUS(status) == FAILED) /* restore could not begin, and says why */
			assert_non_null(strstr(log, "error: "));
	}
	if ((fault == FAKE_KILL_BEFORE || fault == FAKE_KILL_AFTER) && !WIFSIGNALED(status))
		fail_msg("%s \"%s\": nothing was killed: %#x", when, s->fake->shared->last, (unsigned)status);
	restore_all(s, when);
}

static void test_undisturbed(void **state)
{
	(void)state;
	struct sweep *s = &sweep;
	fake_fault(s->fake, FAKE_NONE, 0, 0);
	assert_int_equal(in_child(s, launch_forward), 0);
	s->forward = s->fake->shared->count;
	cleanup_free char *now = host_of(s), *difference = fake_difference(s->before, now);
	assert_non_null(difference); /* it does change the host */
	restore_all(s, "undisturbed");
	fake_fault(s->fake, FAKE_NONE, 0, 0);
	assert_int_equal(in_child(s, launch), 0);
	s->changes = s->fake->shared->count;
	expect_same(s, "undisturbed");
	assert_true(s->forward > 30 && s->changes > s->forward + 20);
}

static void test_failures(void **state)
{
	(void)state;
	static const int errnums[] = { EIO, ENOSPC, EBUSY };
	for (size_t i = 0; i < ARRAY_SIZE(errnums); i++)
		for (long at = 1; at <= sweep.changes; at += STRIDE)
			run_point(&sweep, launch, FAKE_FAIL, at, errnums[i]);
}

static void test_kills(void **state)
{
	(void)state;
	for (long at = 1; at <= sweep.changes; at += STRIDE) {
		run_point(&sweep, launch, FAKE_KILL_BEFORE, at, 0);
		run_point(&sweep, launch, FAKE_KILL_AFTER, at, 0);
	}
}

/* A machine under load can take a slow write for one that hangs, and never come to this one: then again. */
static void hang_point(struct sweep *s, long at)
{
	for (int attempt = 0; attempt < 9; attempt++) {
		fake_fault(s->fake, FAKE_HANG, at, 0);
		int status = in_child(s, launch);
		bool hung = *s->fake->shared->last != '\0';
		cleanup_free char *when = str_fmt("change %ld hangs:", at);
		if (WIFEXITED(status) && WEXITSTATUS(status) == RESIDUE)
			expect_named(s, when);
		restore_all(s, when);
		if (hung)
			return;
	}
	fail_msg("the run has no change %ld", at);
}

static void test_hangs(void **state)
{
	(void)state;
	for (long at = 1; at <= sweep.changes; at += STRIDE)
		hang_point(&sweep, at);
}

/* The launcher is killed while the guest runs, and then `restore` is disturbed, too. */
static void test_restores(void **state)
{
	(void)state;
	struct sweep *s = &sweep;
	static const enum fake_fault faults[] = { FAKE_KILL_BEFORE, FAKE_KILL_AFTER, FAKE_FAIL };
	long changes = 1;
	for (long at = 1; at <= changes; at += STRIDE) {
		for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
			fake_fault(s->fake, FAKE_KILL_AFTER, s->forward, 0);
			assert_true(WIFSIGNALED(in_child(s, launch)));
			if (changes == 1) {
				fake_fault(s->fake, FAKE_NONE, 0, 0);
				restore_all(s, "restore");
				changes = s->fake->shared->count;
				fake_fault(s->fake, FAKE_KILL_AFTER, s->forward, 0);
				assert_true(WIFSIGNALED(in_child(s, launch)));
			}
			run_point(s, restore, faults[i], at, EIO);
		}
	}
	assert_true(changes > 20);
}

/* The kernel grants fewer huge pages than it was asked for: the launch ends there, and what was granted goes back. */
static void test_short_grant(void **state)
{
	(void)state;
	struct sweep *s = &sweep;
	s->fake->shared->huge_max = 9;
	fake_fault(s->fake, FAKE_NONE, 0, 0);
	int status = in_child(s, launch);
	long changes = s->fake->shared->count;
	assert_int_equal(WEXITSTATUS(status), FAILED);
	expect_same(s, "short grant");
	for (long at = 1; at <= changes; at += STRIDE) {
		run_point(s, launch, FAKE_KILL_BEFORE, at, 0);
		run_point(s, launch, FAKE_KILL_AFTER, at, 0);
		run_point(s, launch, FAKE_FAIL, at, EIO);
	}
	s->fake->shared->huge_max = 1 << 20;
}

static void test_points(void **state)
{
	(void)state;
	print_message("# sweep: %ld points: a launch of %ld changes, %ld with its way back\n", sweep.points, sweep.forward, sweep.changes);
	assert_true(sweep.points > 400 / STRIDE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_undisturbed), cmocka_unit_test(test_failures), cmocka_unit_test(test_kills),
		cmocka_unit_test(test_hangs),       cmocka_unit_test(test_restores), cmocka_unit_test(test_short_grant),
		cmocka_unit_test(test_points),
	};
	return cmocka_run_group_tests_name("sweep", tests, setup, teardown);
}
