/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fakekernel_react: what the kernel makes of a write. Modelled on drivers/base/bus.c (bind, unbind, drivers_probe),
 * drivers/vfio/mdev (create, remove), drivers/pci (driver_override, resourceN_resize, sriov_numvfs), kernel/cgroup/cpuset.c (partitions of the top level) and
 * mm/hugetlb.c (short grants).
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "launcher/base/num.h"
#include "tests/unit/fakekernel.h"

#define DEVICES "/sys/bus/pci/devices"
#define DRIVERS "/sys/bus/pci/drivers"
#define PLATFORM "/sys/bus/platform"
#define CGROUP  "/sys/fs/cgroup"

/* "/sys/bus/pci/drivers/NAME/bind" with `file` "bind" → NAME; NULL for any other path. */
static char *between(const char *path, const char *prefix, const char *file)
{
	size_t n = strlen(prefix);
	const char *slash = str_starts(path, prefix) && path[n] == '/' ? strchr(path + n + 1, '/') : NULL;
	return slash && streq(slash + 1, file) ? str_ndup(path + n + 1, (size_t)(slash - path) - n - 1) : NULL;
}

static char *bound(struct fake *f, const char *addr)
{
	cleanup_free char *link = str_fmt(DEVICES "/%s/driver", addr);
	return root_link_name(f->root, link);
}

static bool there(struct fake *f, const char *addr)
{
	cleanup_free char *path = str_fmt(DEVICES "/%s", addr);
	return root_exists(f->root, path);
}

/* Whether a driver would take the device: the override names it, or there is none and its id table has the device. */
static bool fits(struct fake *f, const char *addr, const char *driver)
{
	cleanup_free char *path = str_fmt(DEVICES "/%s/driver_override", addr), *override = fake_read(f, path);
	cleanup_free char *fits_path = str_fmt(DEVICES "/%s/fits", addr), *fits_text = fake_read(f, fits_path);
	if (*override && !streq(override, "(null)"))
		return streq(override, driver);
	cleanup_strv struct strv names = {};
	strv_split(&names, fits_text, " ");
	return strv_has(&names, driver);
}

/* The trouble that a driver has with a device: its index, or -1. */
static int trouble(const struct fake *f, const char *driver, const char *addr)
{
	for (int i = 0; i < (int)ARRAY_SIZE(f->trouble); i++)
		if (*f->trouble[i].driver && streq(f->trouble[i].driver, driver) && streq(f->trouble[i].addr, addr))
			return i;
	return -1;
}

static int refuses_driver(struct fake *f, const char *path, const char *addr)
{
	cleanup_free char *binder = between(path, DRIVERS, "bind"), *unbinder = between(path, DRIVERS, "unbind");
	const char *driver = binder ? binder : unbinder;
	if (!driver)
		return 0;
	cleanup_free char *now = bound(f, addr);
	int t = trouble(f, driver, addr);
	while (t >= 0 && f->trouble[t].hang)
		pause();
	if (!there(f, addr) || (unbinder && !streq(now, driver)) || (binder && !fits(f, addr, driver)))
		return ENODEV;
	if (binder && now)
		return EBUSY;
	return binder && t >= 0 ? f->trouble[t].errnum : 0;
}

static int refuses_governor(struct fake *f, const char *path, const char *value)
{
	if (!str_ends(path, "/scaling_governor"))
		return 0;
	cleanup_free char *dir = str_ndup(path, strlen(path) - strlen("governor")), *all = str_fmt("%savailable_governors", dir);
	cleanup_free char *text = fake_read(f, all);
	return strstr(text, value) ? 0 : EINVAL;
}

static void write_file(struct fake *f, const char *path, const char *text)
{
	cleanup_free char *line = str_fmt("%s\n", text);
	fake_file(f, path, line);
}

static void remove_file(struct fake *f, const char *path)
{
	cleanup_free char *real = fake_path(f, path);
	unlink(real);
}

static const char *const cgroup_files[] = { "cgroup.procs",         "cgroup.subtree_control",
					    "cgroup.kill",          "cpuset.cpus",
					    "cpuset.mems",          "cpuset.cpus.effective",
					    "cpuset.cpus.partition", "cgroup.events" };

static int refuses_cgroup(struct fake *f, const char *what, const char *path)
{
	if (!str_starts(path, CGROUP "/") || !streq(what, "rmdir"))
		return 0;
	cleanup_free char *procs = str_fmt("%s/cgroup.procs", path), *text = fake_read(f, procs);
	if (*text && (kill(atoi(text), 0) == 0 || errno != ESRCH)) /* a process leaves its group when it ends */
		return EBUSY;
	for (size_t i = 0; i < ARRAY_SIZE(cgroup_files); i++) { /* they go with the directory */
		cleanup_free char *file = str_fmt("%s/%s", path, cgroup_files[i]);
		remove_file(f, file);
	}
	return 0;
}

/* All virtual functions at once, or none: sriov_numvfs_store(). */
static int refuses_virtual(struct fake *f, const char *path, const char *value)
{
	cleanup_free char *addr = between(path, DEVICES, "sriov_numvfs");
	if (!addr)
		return 0;
	cleanup_free char *max = str_fmt(DEVICES "/%s/sriov_totalvfs", addr), *total = fake_read(f, max), *now = fake_read(f, path);
	if (atoi(value) > atoi(total))
		return ERANGE;
	return atoi(now) && atoi(value) && !streq(now, value) ? EBUSY : 0;
}

int fake_refuses(struct fake *f, const char *what, const char *path, const char *value)
{
	int refused = 0;
	if (streq(what, "write"))
		refused = refuses_driver(f, path, value);
	if (!refused && streq(what, "write"))
		refused = refuses_governor(f, path, value);
	if (!refused && streq(what, "write"))
		refused = refuses_virtual(f, path, value);
	if (!refused && streq(path, "/sys/bus/pci/drivers_probe") && !there(f, value))
		refused = ENODEV;
	cleanup_free char *addr = str_starts(path, DEVICES) && str_ends(path, "_resize")
					  ? str_ndup(path + strlen(DEVICES "/"), strlen("0000:00:00.0"))
					  : NULL;
	cleanup_free char *driver = addr ? bound(f, addr) : NULL;
	return refused ? refused : driver ? EBUSY : refuses_cgroup(f, what, path);
}

/* /dev/vfio/GROUP is there as long as a member of the group is on vfio-pci. */
static void vfio_node(struct fake *f, const char *addr)
{
	cleanup_free char *link = str_fmt(DEVICES "/%s/iommu_group", addr), *group = root_link_name(f->root, link);
	if (!group)
		return;
	cleanup_free char *members = str_fmt("/sys/kernel/iommu_groups/%s/devices", group),
			  *node = str_fmt("/dev/vfio/%s", group);
	cleanup_strv struct strv names = {};
	bool any = false;
	err_free(root_list(f->root, members, &names));
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *driver = bound(f, names.v[i]);
		any |= streq(driver, "vfio-pci");
	}
	if (any && !root_exists(f->root, node))
		fake_file(f, node, "");
	else if (!any)
		remove_file(f, node);
}

static void bind_device(struct fake *f, const char *addr, const char *driver)
{
	cleanup_free char *link = str_fmt(DEVICES "/%s/driver", addr), *to = str_fmt("../../drivers/%s", driver);
	fake_link(f, link, to);
	vfio_node(f, addr);
}

/* The first driver that fits and whose probe does not fail. */
static void probe(struct fake *f, const char *addr)
{
	cleanup_strv struct strv drivers = {};
	cleanup_free char *now = bound(f, addr), *fits_path = str_fmt(DEVICES "/%s/fits", addr),
			  *text = fake_read(f, fits_path);
	strv_split(&drivers, text, " ");
	strv_add(&drivers, "vfio-pci");
	for (size_t i = 0; !now && i < drivers.n; i++) {
		cleanup_free char *dir = str_fmt(DRIVERS "/%s", drivers.v[i]);
		if (!fits(f, addr, drivers.v[i]) || trouble(f, drivers.v[i], addr) >= 0 || !root_exists(f->root, dir))
			continue;
		bind_device(f, addr, drivers.v[i]);
		return;
	}
}

static bool reacts_driver(struct fake *f, const char *path, const char *value)
{
	cleanup_free char *binder = between(path, DRIVERS, "bind"), *unbinder = between(path, DRIVERS, "unbind");
	bool probes = streq(path, "/sys/bus/pci/drivers_probe");
	if (!binder && !unbinder && !probes)
		return false;
	fake_file(f, path, ""); /* nothing can be read from it */
	if (binder)
		bind_device(f, value, binder);
	if (unbinder) {
		cleanup_free char *link = str_fmt(DEVICES "/%s/driver", value);
		remove_file(f, link);
		vfio_node(f, value);
	}
	if (probes)
		probe(f, value);
	return true;
}

/* pci_write_rom(), pci_read_rom(): "0\n" hides it, all else shows it; what it is then lies beside it here, as "chip". */
static bool reacts_rom(struct fake *f, const char *path, const char *value)
{
	cleanup_free char *addr = between(path, DEVICES, "rom"), *chip = str_fmt(DEVICES "/%s/chip", addr ? addr : ""), *bytes = NULL;
	size_t n = 0;
	if (!addr)
		return false;
	cleanup_free char *real = fake_path(f, path);
	FILE *to = fopen(real, "we");
	if (!to || (!streq(value, "0\n") && (root_read_bytes(f->root, chip, &bytes, &n) || fwrite(bytes, 1, n, to) != n)) || fclose(to) != 0)
		abort();
	return true;
}

static void virtual_function(struct fake *f, const char *parent, int nth, bool make)
{
	cleanup_free char *addr = str_fmt("0000:%.2s:10.%d", parent + 5, 2 * nth), *dir = str_fmt(DEVICES "/%s", addr);
	cleanup_free char *link = str_fmt(DEVICES "/%s/virtfn%d", parent, nth), *to = str_fmt("../%s", addr);
	cleanup_free char *back = str_fmt("%s/physfn", dir), *up = str_fmt("../%s", parent);
	cleanup_free char *group = str_fmt("/sys/kernel/iommu_groups/%d", 40 + nth), *node = str_fmt("/dev/vfio/%d", 40 + nth);
	cleanup_free char *auto_path = str_fmt(DEVICES "/%s/sriov_drivers_autoprobe", parent), *probes = fake_read(f, auto_path);
	if (make) {
		fake_pci(f, addr, "8086:10ca", "0x020000", 40 + nth, "igbvf", streq(probes, "1"));
		fake_link(f, link, to);
		fake_link(f, back, up);
		return;
	}
	fake_remove(f, dir);
	fake_remove(f, group);
	remove_file(f, node);
	remove_file(f, link);
}

static bool reacts_virtual(struct fake *f, const char *path, const char *value)
{
	cleanup_free char *addr = between(path, DEVICES, "sriov_numvfs");
	if (!addr)
		return false;
	for (int i = 0;; i++) {
		cleanup_free char *link = str_fmt(DEVICES "/%s/virtfn%d", addr, i), *to = root_link_name(f->root, link);
		if (i < atoi(value) && !to)
			virtual_function(f, addr, i, true);
		else if (i >= atoi(value) && to)
			virtual_function(f, addr, i, false);
		else if (i >= atoi(value))
			break;
	}
	write_file(f, path, value);
	return true;
}

#define MDEVS "/sys/bus/mdev/devices"

/* create ← UUID: a device below its parent, in a group of its own, with the type's name in a link; remove ← 1: it is gone. */
static bool reacts_mdev(struct fake *f, const char *path, const char *value)
{
	cleanup_free char *gone = between(path, MDEVS, "remove");
	const char *types = str_ends(path, "/create") ? strstr(path, "/mdev_supported_types/") : NULL;
	if (gone) {
		cleanup_free char *link = str_fmt(MDEVS "/%s", gone), *to = root_link(f->root, link);
		cleanup_free char *dir = str_fmt("/sys/bus/%s", to + strlen("../../"));
		fake_remove(f, dir);
		remove_file(f, link);
		fake_remove(f, "/sys/kernel/iommu_groups/60");
		remove_file(f, "/dev/vfio/60");
		return true;
	}
	if (!types)
		return false;
	cleanup_free char *device = str_ndup(path, (size_t)(types - path)), *dir = str_fmt("%s/%s", device, value);
	cleanup_free char *type = str_ndup(types + 1, strlen(types) - strlen("//create")), *to_type = str_fmt("../%s", type);
	cleanup_free char *remover = str_fmt("%s/remove", dir), *type_link = str_fmt("%s/mdev_type", dir);
	cleanup_free char *group = str_fmt("%s/iommu_group", dir), *link = str_fmt(MDEVS "/%s", value);
	cleanup_free char *to = str_fmt("../../%s", dir + strlen("/sys/bus/"));
	fake_file(f, path, "");
	fake_file(f, remover, "");
	fake_link(f, type_link, to_type);
	fake_link(f, group, "../../../../../kernel/iommu_groups/60");
	fake_link(f, link, to);
	fake_dir(f, "/sys/kernel/iommu_groups/60/devices");
	fake_file(f, "/dev/vfio/60", "");
	return true;
}

/* A function that left its bus waits here, its links at the same depth; the tree has no such folder while there is none. */
#define GONE "/sys/bus/pci/gone"

static void move_device(struct fake *f, const char *from_dir, const char *to_dir, const char *addr)
{
	cleanup_free char *from_path = str_fmt("%s/%s", from_dir, addr), *to_path = str_fmt("%s/%s", to_dir, addr);
	cleanup_free char *from = fake_path(f, from_path), *to = fake_path(f, to_path);
	if (rename(from, to) < 0)
		abort();
}

/* drivers/pci/probe.c, bus.c: what is found is a new device, with the kernel's defaults, and attached to a driver whatever drivers_autoprobe
 * says. */
static void find_devices(struct fake *f)
{
	cleanup_strv struct strv names = {};
	cleanup_free char *gone = fake_path(f, GONE);
	err_free(root_exists(f->root, GONE) ? root_list(f->root, GONE, &names) : NULL);
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *override = str_fmt(DEVICES "/%s/driver_override", names.v[i]),
				  *d3cold = str_fmt(DEVICES "/%s/d3cold_allowed", names.v[i]),
				  *power = str_fmt(DEVICES "/%s/power/control", names.v[i]);
		move_device(f, GONE, DEVICES, names.v[i]);
		write_file(f, override, "(null)");
		write_file(f, d3cold, "1");
		write_file(f, power, "on");
		probe(f, names.v[i]);
	}
	rmdir(gone);
}

static bool reacts_bus(struct fake *f, const char *path)
{
	cleanup_free char *addr = between(path, DEVICES, "remove");
	if (!addr && !streq(path, "/sys/bus/pci/rescan"))
		return false;
	fake_file(f, path, "");
	if (addr) {
		cleanup_free char *link = str_fmt(DEVICES "/%s/driver", addr);
		remove_file(f, link);
		vfio_node(f, addr);
		fake_dir(f, GONE);
		move_device(f, DEVICES, GONE, addr);
	} else {
		find_devices(f);
	}
	return true;
}

/* A device of the platform bus, such as a frame buffer: on its driver exactly while the driver's directory has a link to it. */
static bool reacts_platform(struct fake *f, const char *path, const char *value)
{
	cleanup_free char *binder = between(path, PLATFORM "/drivers", "bind"), *unbinder = between(path, PLATFORM "/drivers", "unbind");
	if (!binder && !unbinder)
		return false;
	cleanup_free char *link = str_fmt(PLATFORM "/drivers/%s/%s", binder ? binder : unbinder, value);
	cleanup_free char *to = str_fmt("../../devices/%s", value);
	fake_file(f, path, "");
	if (binder)
		fake_link(f, link, to);
	else
		remove_file(f, link);
	return true;
}

/* An interface of a USB device that has no driver gets its own, whichever that is, again. */
static bool reacts_usb(struct fake *f, const char *path, const char *value)
{
	cleanup_free char *link = str_fmt("/sys/bus/usb/devices/%s/driver", value), *driver = root_link(f->root, link);
	if (!streq(path, "/sys/bus/usb/drivers_probe"))
		return false;
	fake_file(f, path, "");
	if (!driver)
		fake_link(f, link, "../../drivers/usbhid");
	return true;
}

/* resource1_resize ← 9: BAR 1 is 512 MiB now; the file goes on saying what it can be. */
static bool reacts_resize(struct fake *f, const char *path, const char *value)
{
	unsigned bar;
	char addr[16];
	if (sscanf(path, DEVICES "/%12s/resource%u_resize", addr, &bar) != 2)
		return false;
	cleanup_free char *resource = str_fmt(DEVICES "/%s/resource", addr), *text = fake_read(f, resource);
	cleanup_strv struct strv lines = {};
	struct sb sb = {};
	strv_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.n; i++) {
		unsigned long long start = strtoull(lines.v[i], NULL, 16), size = 1ull << (20 + atoi(value));
		if (i == bar)
			sb_addf(&sb, "0x%016llx 0x%016llx 0x000000000014220c\n", start, start + size - 1);
		else
			sb_addf(&sb, "%s\n", lines.v[i]);
	}
	cleanup_free char *all = sb_steal(&sb);
	fake_file(f, resource, all);
	fake_file(f, path, "0000000000003fc0\n");
	return true;
}

static bool reacts_hugepages(struct fake *f, const char *path, const char *value)
{
	if (!str_ends(path, "/nr_hugepages"))
		return false;
	long pages = strtol(value, NULL, 10);
	cleanup_free char *granted = str_fmt("%ld", pages < f->shared->huge_max ? pages : f->shared->huge_max);
	write_file(f, path, granted);
	cleanup_free char *unused = str_fmt("%.*s/free_hugepages", (int)(strrchr(path, '/') - path), path);
	write_file(f, unused, granted);
	return true;
}

static struct cpus cpus_of(struct fake *f, const char *group, const char *file)
{
	struct cpus set = {};
	cleanup_free char *path = str_fmt("%s/%s", group, file), *text = fake_read(f, path);
	err_free(cpus_parse(text, &set));
	return set;
}

static bool is_partition(struct fake *f, const char *group)
{
	cleanup_free char *path = str_fmt("%s/cpuset.cpus.partition", group), *text = fake_read(f, path);
	return streq(text, "isolated") || streq(text, "root");
}

static void set_effective(struct fake *f, const char *group, struct cpus cpus)
{
	cleanup_free char *path = str_fmt("%s/cpuset.cpus.effective", group), *text = cpus_format(&cpus);
	write_file(f, path, text);
}

/* What is left of the CPUs for each group of the top level, and for the root. */
static void recompute(struct fake *f)
{
	cleanup_strv struct strv names = {};
	struct cpus online = cpus_of(f, "/sys/devices/system/cpu", "online"), taken = {};
	err_free(root_list(f->root, CGROUP, &names));
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *group = str_fmt(CGROUP "/%s", names.v[i]);
		struct cpus own = cpus_of(f, group, "cpuset.cpus");
		if (is_partition(f, group))
			taken = cpus_or(&taken, &own);
	}
	struct cpus rest = cpus_minus(&online, &taken);
	set_effective(f, CGROUP, rest);
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *group = str_fmt(CGROUP "/%s", names.v[i]),
				  *procs = str_fmt("%s/cgroup.procs", group);
		if (!root_exists(f->root, procs))
			continue;
		struct cpus own = cpus_of(f, group, "cpuset.cpus"), left = cpus_and(&own, &rest);
		struct cpus up = cpus_and(&own, &online);
		set_effective(f, group, is_partition(f, group) ? up : cpus_empty(&left) ? rest : left);
	}
}

/* What the kernel says of a group that is to be a partition: why it cannot, or NULL. */
static const char *partition_trouble(struct fake *f, const char *group)
{
	cleanup_strv struct strv names = {};
	struct cpus own = cpus_of(f, group, "cpuset.cpus");
	if (cpus_empty(&own))
		return "cpuset.cpus is empty";
	err_free(root_list(f->root, CGROUP, &names));
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *other = str_fmt(CGROUP "/%s", names.v[i]);
		struct cpus theirs = cpus_of(f, other, "cpuset.cpus"), both = cpus_and(&own, &theirs);
		if (!streq(other, group) && !cpus_empty(&both))
			return "Cpu list in cpuset.cpus not exclusive";
	}
	return NULL;
}

/* "+cpuset" written is "cpuset" read. */
static void reacts_controllers(struct fake *f, const char *path, const char *value)
{
	if (*value == '+' || *value == '-')
		write_file(f, path, *value == '+' ? value + 1 : "");
}

static void reacts_cgroup(struct fake *f, const char *what, const char *path, const char *value)
{
	if (!str_starts(path, CGROUP "/"))
		return;
	for (size_t i = 0; streq(what, "mkdir") && i < ARRAY_SIZE(cgroup_files); i++) {
		cleanup_free char *file = str_fmt("%s/%s", path, cgroup_files[i]);
		write_file(f, file, streq(cgroup_files[i], "cpuset.cpus.partition") ? "member" :
				    streq(cgroup_files[i], "cgroup.events") ? "populated 0\nfrozen 0" : "");
	}
	if (streq(what, "write") && str_ends(path, "/cpuset.cpus.partition") && !streq(value, "member")) {
		cleanup_free char *group = str_ndup(path, strlen(path) - strlen("/cpuset.cpus.partition"));
		const char *trouble = partition_trouble(f, group);
		cleanup_free char *invalid = str_fmt("%s invalid (%s)", value, trouble ? trouble : "");
		write_file(f, path, trouble ? invalid : value);
	}
	if (streq(what, "write") && str_ends(path, "/cgroup.subtree_control"))
		reacts_controllers(f, path, value);
	recompute(f);
}

/* A mount is a line of mountinfo; of what was mounted it says only what mount(2) was given. */
static void reacts_mount(struct fake *f, const char *what, const char *path, const char *value)
{
	static const char file[] = "/proc/self/mountinfo";
	cleanup_free char *text = fake_read(f, file), *at = str_fmt(" %s ", path);
	cleanup_strv struct strv lines = {};
	struct sb sb = {};
	char type[32], source[64], own[128] = "";
	unsigned long flags;
	if (streq(what, "umount")) {
		strv_split(&lines, text, "\n");
		for (size_t i = 0; i < lines.n; i++)
			if (!strstr(lines.v[i], at))
				sb_addf(&sb, "%s\n", lines.v[i]);
	} else if (sscanf(value, "%31s %63s %lu %127[^\n]", type, source, &flags, own) >= 3) {
		sb_addf(&sb, "%s\n40 22 8:17 / %s %s%s%s%s shared:9 - %s %s %s%s%s\n", text, path, flags & MS_RDONLY ? "ro" : "rw",
			flags & MS_NOSUID ? ",nosuid" : "", flags & MS_NODEV ? ",nodev" : "", flags & MS_RELATIME ? ",relatime" : "", type, source,
			flags & MS_RDONLY ? "ro" : "rw", *own ? "," : "", own);
	} else {
		abort();
	}
	fake_file(f, file, sb.s);
	sb_free(&sb);
}

/* Attributes end with a newline, whatever was written. */
static void end_line(struct fake *f, const char *path, const char *value)
{
	if (!str_ends(value, "\n"))
		write_file(f, path, value);
}

void fake_reacts(struct fake *f, const char *what, const char *path, const char *value)
{
	if (streq(what, "write") && (str_starts(path, "/sys/") || str_starts(path, "/proc/"))) {
		bool special = reacts_driver(f, path, value) || reacts_bus(f, path) || reacts_platform(f, path, value) ||
			       reacts_usb(f, path, value) || reacts_resize(f, path, value) ||
			       reacts_hugepages(f, path, value) || reacts_virtual(f, path, value) ||
			       reacts_mdev(f, path, value) || reacts_rom(f, path, value);
		if (!special && str_ends(path, "/driver_override") && streq(value, "\n"))
			write_file(f, path, "(null)");
		else if (!special)
			end_line(f, path, value);
	}
	if (streq(path, "/proc/sys/vm/drop_caches") || streq(path, "/proc/sys/vm/compact_memory"))
		fake_file(f, path, ""); /* nothing stays of it */
	if (streq(what, "mount") || streq(what, "umount"))
		reacts_mount(f, what, path, value);
	reacts_cgroup(f, what, path, value);
}
