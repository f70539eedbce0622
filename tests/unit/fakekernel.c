/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fakekernel: see fakekernel.h. The tree, the faults and the snapshots. Aborts where the test's own machine fails it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/unit/fakekernel.h"

static void must(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "fakekernel: %s: %s\n", what, strerror(errno));
		abort();
	}
}

char *fake_path(const struct fake *f, const char *path)
{
	return str_fmt("%s%s", f->dir, path);
}

char *fake_read(const struct fake *f, const char *path)
{
	return root_read_or(f->root, path, "");
}

static void strike(struct fake *f, const char *what, const char *path, const char *value)
{
	snprintf(f->shared->last, sizeof(f->shared->last), "%s %s %.40s", what, path, value ? value : "");
	f->shared->last[strcspn(f->shared->last, "\n")] = '\0';
}

static void die(struct fake *f)
{
	pid_t victim = f->shared->victim;
	if (victim && victim != getpid())
		kill(victim, SIGKILL);
	kill(getpid(), SIGKILL);
}

/* Tells the launcher's clock that it has waited long enough: again, for it may have been about to wait. */
static void hang(struct fake *f)
{
	pid_t victim = f->shared->victim;
	if (victim == getpid())
		die(f);
	while (kill(victim, FAKE_HANGS) == 0)
		usleep(10000);
	die(f);
}

static int before(void *data, const char *what, const char *path, const char *value)
{
	struct fake *f = data;
	long n = __atomic_add_fetch(&f->shared->count, 1, __ATOMIC_SEQ_CST);
	if (n == f->shared->at) {
		strike(f, what, path, value);
		if (f->shared->fault == FAKE_KILL_BEFORE)
			die(f);
		if (f->shared->fault == FAKE_FAIL)
			return f->shared->errnum;
		if (f->shared->fault == FAKE_HANG)
			hang(f);
	}
	return fake_refuses(f, what, path, value);
}

static void after(void *data, const char *what, const char *path, const char *value)
{
	struct fake *f = data;
	fake_reacts(f, what, path, value);
	/* one change at a time: nothing else has counted since `before` */
	if (f->shared->count == f->shared->at && f->shared->fault == FAKE_KILL_AFTER)
		die(f);
}

struct fake *fake_new(void)
{
	struct fake *f = mem_new(sizeof(*f));
	/* in memory where there is such a place: the journal's fdatasync is not what is tested */
	snprintf(f->dir, sizeof(f->dir), "%s/fakekernel.XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	must(mkdtemp(f->dir) != NULL, f->dir);
	cleanup_err struct err *e = root_open(f->dir, &f->root);
	must(!e, err_text(e));
	f->shared = mmap(NULL, sizeof(*f->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(f->shared != MAP_FAILED, "mmap");
	f->shared->huge_max = 1 << 20;
	f->hook = (struct root_hook){ before, after, f };
	root_set_hook(f->root, &f->hook);
	return f;
}

/* Calls fn for every entry below `path` (inside the tree), in sorted order, a directory before (or after) what is in
 * it. */
static void walk(struct fake *f, const char *path, bool directory_last, void (*fn)(struct fake *, const char *, void *), void *data)
{
	cleanup_strv struct strv names = {};
	err_free(root_list(f->root, *path ? path : "/", &names));
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *sub = str_fmt("%s/%s", path, names.v[i]), *real = fake_path(f, sub);
		struct stat st;
		must(lstat(real, &st) == 0, real);
		if (!directory_last)
			fn(f, sub, data);
		if (S_ISDIR(st.st_mode))
			walk(f, sub, directory_last, fn, data);
		if (directory_last)
			fn(f, sub, data);
	}
}

static void remove_one(struct fake *f, const char *path, void *data)
{
	(void)data;
	cleanup_free char *real = fake_path(f, path);
	must(remove(real) == 0, real);
}

void fake_free(struct fake *f)
{
	walk(f, "", true, remove_one, NULL);
	must(rmdir(f->dir) == 0, f->dir);
	munmap(f->shared, sizeof(*f->shared));
	root_close(f->root);
	free(f);
}

void fake_dir(struct fake *f, const char *path)
{
	cleanup_free char *real = fake_path(f, path);
	for (char *p = real + strlen(f->dir) + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		must(mkdir(real, 0755) == 0 || errno == EEXIST, real);
		*p = '/';
	}
	must(mkdir(real, 0755) == 0 || errno == EEXIST, real);
}

static void make_parent(struct fake *f, const char *path)
{
	cleanup_free char *parent = str_ndup(path, (size_t)(strrchr(path, '/') - path));
	fake_dir(f, parent);
}

void fake_file(struct fake *f, const char *path, const char *text)
{
	cleanup_free char *real = fake_path(f, path);
	make_parent(f, path);
	cleanup_fd int fd = open(real, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), real);
}

void fake_link(struct fake *f, const char *path, const char *target)
{
	cleanup_free char *real = fake_path(f, path);
	make_parent(f, path);
	must(symlink(target, real) == 0, real);
}

void fake_driver(struct fake *f, const char *name)
{
	static const char *const files[] = { "bind", "unbind" };
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		cleanup_free char *path = str_fmt("/sys/bus/pci/drivers/%s/%s", name, files[i]);
		fake_file(f, path, "");
	}
}

void fake_pci(struct fake *f, const char *addr, const char *id, const char *class, int group, const char *drivers, bool bound)
{
	cleanup_free char *vendor = str_fmt("0x%.4s\n", id), *device = str_fmt("0x%.4s\n", id + 5), *class_text = str_fmt("%s\n", class);
	const char *attrs[][2] = {
		{ "vendor", vendor },
		{ "device", device },
		{ "class", class_text },
		{ "driver_override", "(null)\n" },
		{ "numa_node", "-1\n" },
		{ "d3cold_allowed", "1\n" },
		{ "power/control", "auto\n" },
		{ "reset_method", "flr bus\n" },
		{ "remove", "" },
		{ "fits", drivers }, /* not the kernel's: which drivers the id tables name */
		{ "resource", "0x00000000e0000000 0x00000000efffffff 0x000000000014220c\n"
			      "0x0000000000000000 0x0000000000000000 0x0000000000000000\n" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(attrs); i++) {
		cleanup_free char *path = str_fmt("/sys/bus/pci/devices/%s/%s", addr, attrs[i][0]);
		fake_file(f, path, attrs[i][1]);
	}
	if (group >= 0) {
		cleanup_free char *link = str_fmt("/sys/bus/pci/devices/%s/iommu_group", addr);
		cleanup_free char *to = str_fmt("../../../../kernel/iommu_groups/%d", group);
		cleanup_free char *member = str_fmt("/sys/kernel/iommu_groups/%d/devices/%s", group, addr);
		cleanup_free char *back = str_fmt("../../../../bus/pci/devices/%s", addr);
		fake_link(f, link, to);
		fake_link(f, member, back);
	}
	cleanup_strv struct strv names = {};
	strv_split(&names, drivers, " ");
	for (size_t i = 0; i < names.n; i++)
		fake_driver(f, names.v[i]);
	if (bound && names.n) {
		cleanup_free char *link = str_fmt("/sys/bus/pci/devices/%s/driver", addr);
		cleanup_free char *to = str_fmt("../../drivers/%s", names.v[0]);
		fake_link(f, link, to);
	}
}

void fake_sriov(struct fake *f, const char *addr, unsigned total)
{
	cleanup_free char *max = str_fmt("%u\n", total);
	const char *attrs[][2] = {
		{ "sriov_totalvfs", max },       { "sriov_numvfs", "0\n" },    { "sriov_offset", "128\n" },
		{ "sriov_stride", "2\n" },       { "sriov_vf_device", "10ca\n" }, { "sriov_drivers_autoprobe", "1\n" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(attrs); i++) {
		cleanup_free char *path = str_fmt("/sys/bus/pci/devices/%s/%s", addr, attrs[i][0]);
		fake_file(f, path, attrs[i][1]);
	}
	fake_driver(f, "igbvf");
}

void fake_mdev_type(struct fake *f, const char *addr, const char *type, int left)
{
	cleanup_free char *dir = str_fmt("/sys/bus/pci/devices/%s/mdev_supported_types/%s", addr, type);
	cleanup_free char *create = str_fmt("%s/create", dir), *api = str_fmt("%s/device_api", dir);
	cleanup_free char *instances = str_fmt("%s/available_instances", dir), *text = str_fmt("%d\n", left);
	fake_file(f, create, "");
	fake_file(f, api, "vfio-pci\n");
	fake_file(f, instances, text);
	fake_dir(f, "/sys/bus/mdev/devices");
}

void fake_remove(struct fake *f, const char *path)
{
	walk(f, path, true, remove_one, NULL);
	remove_one(f, path, NULL);
}

void fake_host(struct fake *f)
{
	static const char *const files[][2] = {
		{ "/proc/cpuinfo", "vendor_id\t: AuthenticAMD\nflags\t\t: svm\n" },
		{ "/proc/cmdline", "quiet\n" },
		{ "/proc/sys/kernel/random/boot_id", "6f1c3b0e-0000-4000-8000-000000000000\n" },
		{ "/sys/bus/pci/drivers_probe", "" },
		{ "/sys/bus/pci/rescan", "" },
		{ "/sys/devices/system/cpu/online", "0-3\n" },
		{ "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "2\n" },
		{ "/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "2\n" },
		{ "/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n" },
		{ "/sys/fs/cgroup/cgroup.subtree_control", "\n" },
		{ "/sys/fs/cgroup/cgroup.procs", "" },
		{ "/sys/fs/cgroup/cpuset.cpus.effective", "0-3\n" },
		{ "/dev/vfio/vfio", "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		fake_file(f, files[i][0], files[i][1]);
	fake_dir(f, "/run/qlaunch");
	fake_driver(f, "vfio-pci");
	fake_pci(f, "0000:00:01.0", "8086:1901", "0x060400", 13, "pcieport", true);
	fake_pci(f, "0000:01:00.0", "10de:2204", "0x030000", 13, "nouveau nvidia", true);
	fake_pci(f, "0000:01:00.1", "10de:1aef", "0x040300", 13, "snd_hda_intel", true);
	fake_pci(f, "0000:02:00.0", "144d:a80a", "0x010802", 14, "nvme", true);
	for (int cpu = 0; cpu < 4; cpu++) {
		cleanup_free char *dir = str_fmt("/sys/devices/system/cpu/cpu%d/cpufreq", cpu);
		cleanup_free char *governor = str_fmt("%s/scaling_governor", dir), *all = str_fmt("%s/scaling_available_governors", dir);
		fake_file(f, governor, "powersave\n");
		fake_file(f, all, "performance powersave\n");
	}
}

void fake_process(struct fake *f, int pid, const char *comm, const char *const *open_files)
{
	cleanup_free char *path = str_fmt("/proc/%d/comm", pid), *text = str_fmt("%s\n", comm);
	fake_file(f, path, text);
	for (int i = 0; open_files[i]; i++) {
		cleanup_free char *fd = str_fmt("/proc/%d/fd/%d", pid, i);
		fake_link(f, fd, open_files[i]);
	}
}

void fake_fault(struct fake *f, enum fake_fault fault, long at, int errnum)
{
	f->shared->count = 0;
	f->shared->at = at;
	f->shared->fault = fault;
	f->shared->errnum = errnum;
	f->shared->last[0] = '\0';
}

static void tell(struct fake *f, const char *path, void *data)
{
	cleanup_free char *real = fake_path(f, path), *text = NULL;
	struct stat st;
	must(lstat(real, &st) == 0, real);
	if (S_ISLNK(st.st_mode))
		text = root_link(f->root, path);
	else if (S_ISREG(st.st_mode))
		text = fake_read(f, path);
	for (char *p = text; p && *p; p++)
		if (*p == '\n')
			*p = ';';
	sb_addf(data, "%s %o %u:%u %s\n", path, st.st_mode, st.st_uid, st.st_gid, text ? text : "");
}

char *fake_snapshot(struct fake *f)
{
	struct sb sb = {};
	walk(f, "", false, tell, &sb);
	return sb_steal(&sb);
}

char *fake_difference(const char *before_text, const char *after_text)
{
	while (*before_text && *before_text == *after_text) {
		size_t a = strcspn(before_text, "\n"), b = strcspn(after_text, "\n");
		if (a != b || memcmp(before_text, after_text, a) != 0)
			break;
		before_text += a + (before_text[a] == '\n');
		after_text += b + (after_text[b] == '\n');
	}
	if (streq(before_text, after_text))
		return NULL;
	return str_fmt("- %.*s\n+ %.*s\n", (int)strcspn(before_text, "\n"), before_text, (int)strcspn(after_text, "\n"), after_text);
}
