/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fingerprint: see fingerprint.h. Files: proc(5), Documentation/admin-guide/cgroup-v2.rst, cpufreq.rst. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "launcher/base/num.h"
#include "launcher/bench/fingerprint.h"

#define GOVERNOR "/sys/devices/system/cpu/cpufreq/policy%d/scaling_governor"
#define THROTTLED "/sys/devices/system/cpu/cpu%d/thermal_throttle/%s_throttle_count" /* Documentation/ABI/testing/sysfs-devices-system-cpu */

static void add_text(json_t *o, const char *name, const char *text)
{
	json_t *value = json_stringn(text, strcspn(text, "\n"));
	json_object_set_new(o, name, value ? value : json_string("?"));
}

static void add_file(json_t *o, struct root *root, const char *name, const char *path)
{
	cleanup_free char *text = root_read_or(root, path, "?");
	add_text(o, name, text);
}

static void add_cpuinfo(json_t *o, const char *text, const char *name)
{
	cleanup_free char *key = str_fmt("%s\t", name);
	const char *at = strstr(text, key), *colon = at ? strchr(at, ':') : NULL;
	add_text(o, name, colon ? colon + 1 + strspn(colon + 1, " ") : "?");
}

/* "performance", or "performance powersave" where CPUs differ. */
static void add_governors(json_t *o, struct root *root)
{
	cleanup_strv struct strv seen = {};
	for (int cpu = 0; cpu < CPUS_MAX; cpu++) {
		cleanup_free char *path = str_fmt(GOVERNOR, cpu), *governor = root_read_or(root, path, NULL);
		if (!governor)
			break; /* policies are named by their first CPU: those after a gap are like those before it */
		if (!strv_has(&seen, governor))
			strv_add(&seen, governor);
	}
	cleanup_free char *all = strv_join(&seen, " ");
	add_text(o, "governor", seen.n ? all : "?");
}

json_t *fingerprint_machine(struct root *root)
{
	json_t *o = json_object();
	cleanup_free char *cpuinfo = root_read_or(root, "/proc/cpuinfo", "");
	add_cpuinfo(o, cpuinfo, "model name");
	add_cpuinfo(o, cpuinfo, "microcode");
	add_file(o, root, "kernel", "/proc/sys/kernel/osrelease");
	add_file(o, root, "command line", "/proc/cmdline");
	add_file(o, root, "CPUs", "/sys/devices/system/cpu/online");
	add_file(o, root, "transparent huge pages", "/sys/kernel/mm/transparent_hugepage/enabled");
	add_governors(o, root);
	return o;
}

/* The effective CPUs of the process's cgroup: of the nearest one above that says any. */
static void add_cpuset(json_t *o, struct root *root, const char *process)
{
	cleanup_free char *path = str_fmt("%s/cgroup", process), *text = root_read_or(root, path, "");
	const char *at = str_starts(text, "0::") ? text : strstr(text, "\n0::");
	cleanup_free char *dir = at ? str_fmt("/sys/fs/cgroup%s", strstr(at, "::") + 2) : str_dup("");
	dir[strcspn(dir, "\n")] = '\0';
	for (char *end = dir + strlen(dir); end; end = strrchr(dir, '/')) {
		*end = '\0';
		cleanup_free char *file = str_fmt("%s/cpuset.cpus.effective", dir), *cpus = root_read_or(root, file, NULL);
		if (cpus && *cpus) {
			add_text(o, "cpuset", cpus);
			return;
		}
	}
	add_text(o, "cpuset", "?");
}

static const char *value_of(const char *status, const char *key)
{
	const char *at = strstr(status, key);
	return at ? at + strlen(key) + strspn(at + strlen(key), " \t") : "";
}

/* Where each vCPU's thread may run: "2 10 3 11" pinned, "0-15 0-15" not. QEMU names them "CPU n/KVM", "CPU n/TCG". */
static void add_vcpus(json_t *o, struct root *root, const char *process)
{
	cleanup_strv struct strv threads = {}, cpus = {};
	cleanup_free char *dir = str_fmt("%s/task", process);
	cleanup_err struct err *none = root_list(root, dir, &threads);
	for (size_t i = 0; !none && i < threads.n; i++) {
		cleanup_free char *path = str_fmt("%s/%s/status", dir, threads.v[i]), *status = root_read_or(root, path, "");
		const char *list = value_of(status, "Cpus_allowed_list:");
		if (str_starts(status, "Name:\tCPU "))
			strv_addf(&cpus, "%.*s", (int)strcspn(list, "\n"), list);
	}
	cleanup_free char *all = strv_join(&cpus, " ");
	add_text(o, "vCPUs", cpus.n ? all : "?");
}

/* KiB behind "Key:" in smaps_rollup. */
static uint64_t kib(const char *rollup, const char *key)
{
	return strtoull(value_of(rollup, key), NULL, 10);
}

/*
 * Huge pages that really back its memory, in a word (the exact number is of chance where the kernel collapses pages by itself) and in KiB.
 * Those of hugetlbfs are not in Rss.
 */
static void add_huge_pages(json_t *o, struct root *root, const char *process)
{
	cleanup_free char *path = str_fmt("%s/smaps_rollup", process), *rollup = root_read_or(root, path, "");
	uint64_t fixed = kib(rollup, "Private_Hugetlb:") + kib(rollup, "Shared_Hugetlb:"),
		 huge = fixed + kib(rollup, "AnonHugePages:") + kib(rollup, "ShmemPmdMapped:") + kib(rollup, "FilePmdMapped:"),
		 all = fixed + kib(rollup, "Rss:");
	const char *word = !all ? "?" : huge * 20 < all ? "none" : huge * 10 > all * 9 ? "all" : "a part";
	add_text(o, "huge pages", word);
	json_object_set_new(o, "huge KiB", json_integer((json_int_t)huge));
	json_object_set_new(o, "memory KiB", json_integer((json_int_t)all));
}

json_t *fingerprint_run(struct root *root, pid_t qemu)
{
	json_t *o = json_object();
	cleanup_free char *process = qemu ? str_fmt("/proc/%d", (int)qemu) : str_dup("/proc/self");
	add_governors(o, root);
	add_cpuset(o, root, process);
	if (qemu) {
		add_vcpus(o, root, process);
		add_huge_pages(o, root, process);
	}
	return o;
}

char *fingerprint_hash(const char *text)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325); /* Fowler, Noll, Vo: FNV-1a, 64 bits */
	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return str_fmt("%016" PRIx64, h);
}

struct fingerprint_ticks fingerprint_ticks(struct root *root)
{
	struct fingerprint_ticks t = {};
	cleanup_free char *text = root_read_or(root, "/proc/stat", "");
	char *at = str_starts(text, "cpu ") ? text + strlen("cpu ") : NULL;
	for (int i = 0; at && i < 8; i++) { /* user nice system idle iowait irq softirq steal; guest time is in user */
		double v = strtod(at, &at);
		t.all += v;
		t.stolen = v;
	}
	return t;
}

double fingerprint_steal(struct fingerprint_ticks before, struct fingerprint_ticks after)
{
	double all = after.all - before.all;
	return all > 0 ? 100 * (after.stolen - before.stolen) / all : 0;
}

unsigned long fingerprint_throttled(struct root *root)
{
	unsigned long times = 0;
	for (int cpu = 0; cpu < CPUS_MAX; cpu++) {
		cleanup_free char *core = str_fmt(THROTTLED, cpu, "core"), *package = str_fmt(THROTTLED, cpu, "package");
		cleanup_free char *of_core = root_read_or(root, core, NULL), *of_package = root_read_or(root, package, "0");
		if (!of_core)
			break;
		times += strtoul(of_core, NULL, 10) + strtoul(of_package, NULL, 10);
	}
	return times;
}
