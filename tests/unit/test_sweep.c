/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sweep: a launch with every kind of step that writes to the host, and its way back, on the fake kernel. Each
 * change that it makes is once the one that fails (EIO, ENOSPC, EBUSY), once the one that hangs, and once the last
 * before SIGKILL, before it and after it. Then `restore` runs. The host must be as it was, byte for byte, or what is
 * left must be named, and go with the next `restore`.
 *
 * A point is one such run; the number of points is printed. A kind of step that there is (plan/kinds.c) is in it, or in the table of those
 * that only a real kernel can carry out, with why and where it is proven instead.
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
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "launcher/base/clock.h"
#include "launcher/base/log.h"
#include "launcher/host/kind/attr.h"
#include "launcher/host/cgroup/cgroup.h"
#include "launcher/host/framebuffer/framebuffer.h"
#include "launcher/host/irq/irq.h"
#include "launcher/host/disk/disk.h"
#include "launcher/host/kind/block.h"
#include "launcher/host/kind/node.h"
#include "launcher/host/kind/scratch.h"
#include "launcher/host/mdev/mdev.h"
#include "launcher/host/memory/memory.h"
#include "launcher/host/net/net.h"
#include "launcher/host/pci/pci.h"
#include "launcher/host/power/power.h"
#include "launcher/host/tuning/tuning.h"
#include "launcher/host/usb/usb.h"
#include "launcher/plan/kinds.h"
#include "launcher/step/engine.h"
#include "tests/unit/fakekernel.h"
#include "tests/unit/rom_made.h"

#define BASE    "/run/qlaunch"
#define VM      "vm"
#define GROUP   "/sys/fs/cgroup/qlaunch_vm"
#define HUGE    "/sys/devices/system/node/node0/hugepages/hugepages-2048kB"

#define USB     "/sys/bus/usb/devices/1-2:1.0/driver"
#define BRIDGE  "qlbrsweep"

/* Kinds that are not in the sweep: why, and the test that has them instead. */
static const struct {
	const char *kind, *why, *proof;
} elsewhere[] = {
	{ "module", "modprobe loads into the running kernel", "tests/lab/jobs/newcomer.sh" },
	{ "module-unload", "the running kernel unloads it, and modprobe loads it again", "tests/lab/jobs/scripts-work.sh" },
	{ "unit", "systemd starts and stops it, by D-Bus", "tests/lab/jobs/guard.sh" },
	{ "unit-property", "systemd sets it, by D-Bus, and it ends with its unit", "tests/lab/jobs/scripts-work.sh" },
	{ "power-profile", "a living service holds it, by D-Bus", "tests/profile.bats" },
	{ "scope", "systemd makes it, by D-Bus", "tests/lab/jobs/kill-points.sh" },
	{ "allowed-cpus", "systemd sets it, by D-Bus", "tests/lab/jobs/host-steps.sh" },
	{ "new-interrupts", "an EIO is the kernel's word that one stays where it is, and no residue", "tests/unit/test_irq.c" },
	{ "irqbalance", "a living irqbalance answers, on its socket", "tests/unit/test_irq.c" },
	{ "memlock", "a limit of a living process, and gone with it", "tests/unit/test_process.c" },
	{ "process", "a living process", "tests/unit/test_process.c" },
	{ "twin", "uinput makes it, and it ends with its descriptor", "tests/lab/jobs/input.sh" },
	{ "monitor-input", "a monitor answers, over I2C or USB", "tests/lab/jobs/monitors.sh" },
	{ "bridge", "made by rtnetlink", "tests/lab/jobs/nat-vhost.sh" },
	{ "zone", "firewalld sets it, by D-Bus", "tests/firewall.bats" },
	{ "tap", "made by ioctl on a descriptor", "tests/lab/jobs/nat-vhost.sh" },
	{ "link", "made by rtnetlink", "tests/net.bats" },
	{ "addresses", "ip(8) reads and sets them in the running kernel", "tests/lab/jobs/passed-nic.sh" },
	{ "nft", "nft makes it, in one transaction", "tests/lab/jobs/nat-vhost.sh" },
};

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
	struct conf_pci pci[2];
	struct conf_mdev mdev;
	struct conf_usb usb;
	struct conf_disk mounted;
	struct steps steps;
	char *before; /* the host */
	char log[64]; /* what the launchers said */
	long forward; /* changes that an undisturbed launch makes until the guest would run */
	long changes; /* and with its way back */
	long points;
	int disk; /* what is claimed */
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

static char *sysctls[] = { (char *)"vm.stat_interval=120", NULL }, *kvm[] = { (char *)"ignore_msrs=1", NULL };

static void plan_all(struct sweep *s)
{
	cleanup_pci_facts struct pci_facts pci = {};
	cleanup_mdev_facts struct mdev_facts mdevs = {};
	cleanup_memory_facts struct memory_facts memory = {};
	cleanup_cgroup_facts struct cgroup_facts cgroup = {};
	cleanup_console_facts struct console_facts console = {};
	cleanup_irq_facts struct irq_facts irq = {};
	cleanup_usb_devices struct usb_devices usb = {};
	struct disk_facts disks;
	struct cpus guest, host;
	must(cpus_parse("2-3", &guest));
	must(cpus_parse("0-1", &host));
	must(pci_facts_read(s->env.root, &s->config, &pci));
	must(mdev_facts_read(s->env.root, &s->config, &mdevs));
	must(memory_facts_read(s->env.root, &s->config, &memory));
	must(cgroup_facts_read(s->env.root, &s->config, &cgroup));
	must(console_facts_read(s->env.root, &s->config, &console));
	must(irq_facts_read(s->env.root, &s->config, &irq));
	must(usb_devices_read(s->env.root, &usb));
	must(disk_facts_read(s->env.root, &s->config, &disks));
	disk_unmount_steps(&s->steps, &disks);
	disk_facts_free(&disks);
	claim_step(&s->steps, "/dev/sdz", BLOCK_RW, "the guest's disk")->data = &s->disk;
	steps_add(&s->steps, &net_forwarding_kind, BRIDGE, "on", "the guest's network");
	scratch_shared_step(&s->steps, getuid() ? getuid() : 1000, "Looking Glass");
	memory_steps(&s->steps, &s->config, &memory, &guest);
	for (int cpu = 2; cpu < 4; cpu++) {
		cleanup_free char *path = str_fmt("/sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor", cpu);
		steps_add(&s->steps, &attr_kind, path, "performance", "full clock");
	}
	tuning_steps(&s->steps, &s->config, s->env.root);
	power_steps(&s->steps, &s->config, &(struct power_facts){ .boost_path = "/sys/devices/system/cpu/cpufreq/boost" });
	console_steps(&s->steps, &console);
	pci_steps(&s->steps, &s->config, &pci, 1000, 1001);
	mdev_steps(&s->steps, &mdevs, 1000, 1001);
	for (size_t i = s->steps.n, n = (irq_steps(&s->steps, &s->config, &irq, &guest, &host), s->steps.n); i < n; i++)
		if (s->steps.v[i].kind == &irq_born_kind) /* see `elsewhere` */
			s->steps.v[i].late = true;
	cgroup_steps(&s->steps, &s->config, &cgroup, &guest, &host, held);
	usb_steps(&s->steps, &s->config, &usb);
	s->steps.v[s->steps.n - 1].late = false; /* when the guest runs: here at once */
	for (size_t i = 0; i < s->steps.n; i++)
		assert_null(s->steps.v[i].obstacle);
}

/* The host without our own directory below /run. Owned by the caller. */
static char *host_of(struct sweep *s)
{
	cleanup_free char *all = fake_snapshot(s->fake);
	struct sb sb = {};
	for (const char *line = all; *line; line += strcspn(line, "\n") + 1)
		if (!str_starts(line, BASE "/") && !str_starts(line, "/sys/bus/pci/gone ")) /* the fake's own */
			sb_addn(&sb, line, strcspn(line, "\n") + 1);
	return sb_steal(&sb);
}

/* The host, beside fake_host(). */
static const struct {
	const char *path, *text;
} files[] = {
	{ "/sys/bus/pci/devices/0000:01:00.0/resource0_resize", "0000000000003fc0\n" },
	{ "/sys/bus/pci/devices/0000:01:00.1/driver_override", "snd_hda_intel\n" },
	{ "/sys/devices/system/node/node0/cpulist", "0-3\n" },
	{ "/sys/devices/system/node/node0/meminfo", "Node 0 MemTotal: 8388608 kB\nNode 0 MemFree: 4194304 kB\n" },
	{ "/proc/sys/vm/drop_caches", "" },
	{ "/proc/sys/vm/compact_memory", "" },
	{ HUGE "/nr_hugepages", "2\n" },
	{ HUGE "/free_hugepages", "2\n" },
	{ "/proc/meminfo", "MemTotal: 8388608 kB\nMemFree: 1 kB\nMemAvailable: 4194304 kB\n" },
	{ "/sys/class/vtconsole/vtcon1/name", "(M) frame buffer device\n" },
	{ "/sys/class/vtconsole/vtcon1/bind", "1\n" },
	{ "/sys/bus/platform/drivers/efi-framebuffer/bind", "" },
	{ "/sys/bus/platform/drivers/efi-framebuffer/unbind", "" },
	{ "/dev/sdz", "" },
	{ "/sys/class/block/sdz/dev", "8:16\n" },
	{ "/sys/class/block/sdz/sdz1/dev", "8:17\n" },
	{ "/proc/self/mountinfo",
	    "22 1 8:2 / / rw - ext4 /dev/sda2 rw\n"
	    "40 22 8:17 / /mnt/games rw,nosuid,nodev,relatime shared:9 - ext4 /dev/sdz1 rw,errors=remount-ro\n" },
	{ "/proc/sys/net/ipv4/ip_forward", "0\n" },
	{ "/proc/sys/vm/stat_interval", "1\n" },
	{ "/sys/module/kvm/parameters/ignore_msrs", "N\n" },
	{ "/sys/devices/system/cpu/cpufreq/boost", "1\n" },
	{ "/sys/class/net/" BRIDGE "/ifalias", "qlaunch\n" },
	{ "/proc/interrupts", "      CPU0  CPU1  CPU2  CPU3\n 24:  0  0  0  0  PCI-MSI  nvme0q0\n" },
	{ "/proc/irq/24/smp_affinity_list", "0-3\n" },
	{ "/proc/irq/default_smp_affinity", "f\n" },
	{ "/sys/devices/virtual/workqueue/cpumask", "f\n" },
	{ "/sys/bus/usb/drivers_probe", "" },
	{ "/sys/bus/usb/devices/1-2/idVendor", "046d\n" },
	{ "/sys/bus/usb/devices/1-2/idProduct", "c52b\n" },
	{ "/sys/bus/usb/devices/1-2/bDeviceClass", "00\n" },
	{ "/sys/bus/usb/devices/1-2/busnum", "1\n" },
	{ "/sys/bus/usb/devices/1-2/devnum", "3\n" },
};

/* All that a configuration can ask of it. */
static void wish(struct sweep *s)
{
	s->mdev = (struct conf_mdev){ .name = (char *)"vgpu", .has_parent = true, .type = (char *)"i915-GVTg_V5_4" };
	s->pci[0] = (struct conf_pci){
		.name = (char *)"gpu", .has_address = true, .rescan = true, .rom = (char *)"host", .rebar = UINT64_C(8) << 30
	};
	s->pci[1] = (struct conf_pci){ .name = (char *)"lan", .has_address = true, .has_vf = true };
	s->mounted = (struct conf_disk){ .name = (char *)"games", .path = (char *)"/dev/sdz", .unmount = true };
	s->usb = (struct conf_usb){ .name = (char *)"pad", .id = (char *)"046d:c52b" };
	must(pci_addr_parse("01:00.0", &s->pci[0].address));
	must(pci_addr_parse("03:00.0", &s->pci[1].address));
	must(pci_addr_parse("00:02.0", &s->mdev.parent));
	s->config = (struct config){
		.path = (char *)"vm.conf",
		.disks = &s->mounted,
		.n_disks = 1,
		.vm.name = (char *)VM,
		.pci = s->pci,
		.n_pci = 2,
		.mdevs = &s->mdev,
		.n_mdevs = 1,
		.usb = &s->usb,
		.n_usb = 1,
		.host = { .release_console = true, .irqs = IRQS_AWAY, .boost = BOOST_OFF, .sysctl = { sysctls, 1 }, .kvm = { kvm, 1 } },
		.memory = { .size = 64 << 20, .hugepages = HUGEPAGES_2M }
	};
}

static int setup(void **state)
{
	(void)state;
	struct sweep *s = &sweep;
	log_set_level(LOG_LEVEL_WARN);
	s->fake = fake_new();
	fake_host(s->fake);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		fake_file(s->fake, files[i].path, files[i].text);
	fake_dir(s->fake, "/sys/bus/platform/devices/efi-framebuffer.0");
	fake_link(s->fake, "/sys/bus/platform/drivers/efi-framebuffer/efi-framebuffer.0", "../../devices/efi-framebuffer.0");
	fake_dir(s->fake, "/dev/shm");
	fake_link(s->fake, USB, "../../drivers/usbhid");
	s->env = (struct step_env){ s->fake->root, all_kinds };
	fake_pci(s->fake, "0000:03:00.0", "8086:10c9", "0x020000", 15, "igb", true);
	fake_sriov(s->fake, "0000:03:00.0", 7);
	fake_mdev_type(s->fake, "0000:00:02.0", "i915-GVTg_V5_4", 1);
	struct sb image = {};
	rom_made_image(&image, 0x10de, 0x2204, 0, 1, true);
	fake_file(s->fake, "/sys/bus/pci/devices/0000:01:00.0/rom", "");
	rom_made_file(s->fake, "/sys/bus/pci/devices/0000:01:00.0/chip", &image);
	free(image.s);
	wish(s);
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

/* QEMU runs: it has taken the USB device from its driver, and made its file. */
static void guest_begins(struct sweep *s)
{
	cleanup_free char *driver = fake_path(s->fake, USB);
	unlink(driver);
	fake_file(s->fake, SCRATCH_SHARED, "");
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
	guest_begins(s);
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
		if (!e)
			guest_begins(s);
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

/* The time of this program, in place of base/clock's: it jumps when a write hangs, so that no slow write is taken for one. */
static volatile sig_atomic_t hour_passed;

uint64_t clock_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)(ts.tv_sec + (hour_passed ? 3600 : 0)) * 1000000000 + (uint64_t)ts.tv_nsec;
}

uint64_t clock_us(void)
{
	return clock_ns() / 1000;
}

int64_t clock_ms(void)
{
	return (int64_t)(clock_us() / 1000);
}

static void hour_passes(int sig)
{
	hour_passed = sig;
}

/* Runs it in a child that may be killed on the way. Returns its wait status. */
static int in_child(struct sweep *s, int (*what)(struct sweep *))
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int fd = open(s->log, O_WRONLY | O_TRUNC | O_CLOEXEC);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(FAKE_HANGS, hour_passes);
		s->fake->shared->victim = getpid();
		if (fd < 0 || dup2(fd, 2) < 0)
			_exit(99);
		_exit(what(s));
	}
	int status;
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

/* Where a step makes itself seen: below its target, but for those whose target is none of the tree's. */
static char *place_of(const struct step *s)
{
	const char *target = s->target, *slash = strrchr(target, '/');
	if (s->kind == &net_forwarding_kind)
		return str_dup("/ip_forward ");
	if (s->kind == &unmount_kind)
		return str_dup("/proc/self/mountinfo ");
	return *target == '/' ? str_ndup(target, (size_t)(slash - target)) : str_ndup(target, strcspn(target, "/"));
}

/* Whether the output names a step that explains why this entry of the tree is not as before. */
static bool is_named(struct sweep *s, const char *line, const char *log)
{
	if (str_starts(line, "/dev/vfio/60") ||
	    str_starts(line, "/sys/kernel/iommu_groups/60")) /* it comes and goes with the part of a card */
		return strstr(log, "make a part of a card") != NULL;
	if (str_starts(line, "/dev/vfio/")) /* it comes and goes with the binding */
		return strstr(log, "to vfio-pci") != NULL;
	if (str_starts(line, "/sys/kernel/iommu_groups/4") || strstr(line, "/0000:03:10.") ||
	    str_starts(line, "/sys/bus/pci/devices/0000:03:00.0/virtfn") ||
	    str_starts(line, "/sys/bus/pci/devices/0000:03:00.0/sriov_numvfs")) /* and these with the virtual functions */
		return strstr(log, "virtual functions") != NULL;
	for (size_t i = 0; i < s->steps.n; i++) {
		cleanup_free char *place = place_of(&s->steps.v[i]), *words = s->steps.v[i].kind->describe(&s->steps.v[i]);
		if ((strstr(line, place) || strstr(line, s->steps.v[i].target)) && strstr(log, words))
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

/* Of each kind that there is, a step is in the sweep, or it says why not. */
static void test_every_kind(void **state)
{
	(void)state;
	size_t n_elsewhere = 0, n_swept = 0;
	for (const struct step_kind *const *k = all_kinds; *k; k++) {
		const char *why = NULL;
		bool swept = false;
		for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++) {
			if (!streq(elsewhere[i].kind, (*k)->name))
				continue;
			why = elsewhere[i].why;
			n_elsewhere++;
			if (access(elsewhere[i].proof, R_OK) < 0)
				fail_msg("%s: there is no %s", (*k)->name, elsewhere[i].proof);
		}
		for (size_t i = 0; i < sweep.steps.n; i++)
			swept |= sweep.steps.v[i].kind == *k && !sweep.steps.v[i].late;
		if (swept == (why != NULL))
			fail_msg("the kind \"%s\" is %s", (*k)->name,
				 swept ? "in the sweep and in the table of those that are not" : "neither in the sweep nor in its table");
		n_swept += swept;
	}
	assert_int_equal(n_elsewhere, ARRAY_SIZE(elsewhere)); /* none that is no more */
	print_message("# sweep: %zu kinds, and %zu elsewhere\n", n_swept, n_elsewhere);
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

/* What the launcher waits for in a child is given up; what hangs in the launcher itself, its user kills. */
static void hang_point(struct sweep *s, long at)
{
	fake_fault(s->fake, FAKE_HANG, at, 0);
	int status = in_child(s, launch);
	cleanup_free char *when = str_fmt("change %ld hangs:", at);
	if (!*s->fake->shared->last)
		fail_msg("%s the run has no such change", when);
	if (WIFEXITED(status) && WEXITSTATUS(status) == RESIDUE)
		expect_named(s, when);
	restore_all(s, when);
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
		cmocka_unit_test(test_every_kind),
		cmocka_unit_test(test_undisturbed), cmocka_unit_test(test_failures), cmocka_unit_test(test_kills),
		cmocka_unit_test(test_hangs),       cmocka_unit_test(test_restores), cmocka_unit_test(test_short_grant),
		cmocka_unit_test(test_points),
	};
	return cmocka_run_group_tests_name("sweep", tests, setup, teardown);
}
