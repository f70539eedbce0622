/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu_facts: see cpu.h. The facts of a host's CPUs, from whichever reader knows; and what they say of a guest. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "launcher/base/tr.h"
#include "launcher/host/cpu/cpu_found.h"

#define CGROUPS "/sys/fs/cgroup"
#define CPUINFO_MAX 16384 /* room for the first CPU's paragraph */

unsigned cpu_distance(const struct cpu_facts *f, size_t from, size_t to)
{
	const struct cpu_node *a = &f->nodes[from], *b = &f->nodes[to];
	return a->distance ? a->distance[to] : from == to ? 10 : a->package == b->package ? 20 : 30;
}

static int compare_cores(const void *a, const void *b)
{
	const struct cpu_core *x = a, *y = b;
	return x->l3 != y->l3 ? x->l3 - y->l3 : x->cpus[0] - y->cpus[0];
}

static struct err *read_topology(struct root *root, struct cpu_facts *f)
{
	const char *described = getenv("HWLOC_XMLFILE");
	described = described ? described : getenv("HWLOC_SYNTHETIC");
	f->foreign = described != NULL;
	if (described || !cpu_topology_sys(root, f))
		TRY(cpu_topology_hwloc(root, described, f));
	qsort(f->cores, f->n_cores, sizeof(*f->cores), compare_cores);
	if (!described)
		cpu_read_kinds(root, f);
	return NULL;
}

static void read_list(struct root *root, const char *path, struct cpus *ret_set)
{
	cleanup_free char *text = root_read_or(root, path, "");
	cleanup_err struct err *e = *text ? cpus_parse(text, ret_set) : NULL;
	if (e)
		*ret_set = (struct cpus){};
}

/* The root's own CPUs tell whether there is a partition at all (Documentation/admin-guide/cgroup-v2.rst, cpuset.cpus.partition). Those that
 * qlaunch makes are known by its journals. */
static void read_partitions(struct root *root, struct cpu_facts *f)
{
	cleanup_strv struct strv names = {};
	struct cpus left = {};
	read_list(root, CGROUPS "/cpuset.cpus.effective", &left);
	if (cpus_empty(&left) || cpus_subset(&f->online, &left))
		return;
	err_free(root_list(root, CGROUPS, &names));
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *kind_path = str_fmt(CGROUPS "/%s/cpuset.cpus.partition", names.v[i]),
				  *cpus_path = str_fmt(CGROUPS "/%s/cpuset.cpus", names.v[i]), *kind = root_read_or(root, kind_path, "");
		struct cpus cpus = {};
		if (str_starts(names.v[i], "qlaunch_") || (!streq(kind, "root") && !streq(kind, "isolated")))
			continue;
		read_list(root, cpus_path, &cpus);
		f->partitions = mem_grow(f->partitions, f->n_partitions, sizeof(*f->partitions));
		f->partitions[f->n_partitions++] = (struct cpu_partition){ str_dup(names.v[i]), cpus };
	}
}

/* What the host's own scheduling does not use, or not as it uses others. */
static void read_set_apart(struct root *root, struct cpu_facts *f)
{
	if (f->foreign)
		return;
	read_list(root, "/sys/devices/system/cpu/isolated", &f->isolated);
	read_list(root, "/sys/devices/system/cpu/nohz_full", &f->nohz_full);
	read_partitions(root, f);
}

/* ---- processor and KVM ---- */

/* What stands behind "NAME\t: " in the text; NULL where it does not. Ends it at the line's end. */
static char *cpuinfo_value(const char *text, const char *name)
{
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		size_t n = strlen(name);
		if (strncmp(line, name, n) != 0 || (line[n] != '\t' && line[n] != ':' && line[n] != ' '))
			continue;
		const char *colon = strchr(line + n, ':');
		size_t at = colon ? strspn(colon + 1, " \t") : 0;
		return colon ? str_ndup(colon + 1 + at, strcspn(colon + 1 + at, "\n")) : NULL;
	}
	return NULL;
}

static void read_processor(struct root *root, struct cpu_facts *f)
{
	cleanup_free char *text = mem_new(CPUINFO_MAX), *vendor = NULL;
	cleanup_fd int fd = -1;
	cleanup_err struct err *e = root_open_fd(root, "/proc/cpuinfo", O_RDONLY | O_CLOEXEC, &fd);
	/* by pages, and no more than the first paragraph: the kernel makes up each of them when it is read */
	for (ssize_t n = 1, at = 0; !e && n > 0 && !strstr(text, "\n\n"); at += n)
		n = read(fd, text + at, (size_t)(CPUINFO_MAX - 1 - at));
	vendor = cpuinfo_value(text, "vendor_id");
	f->flags = cpuinfo_value(text, "flags");
	f->model = cpuinfo_value(text, "model name");
	f->vendor = streq(vendor, "AuthenticAMD") || streq(vendor, "HygonGenuine") ? CPU_AMD
		    : streq(vendor, "GenuineIntel")                                ? CPU_INTEL
										   : CPU_OTHER;
	f->kernel = root_read_or(root, "/proc/sys/kernel/osrelease", NULL);
	cleanup_free char *avic = root_read_or(root, "/sys/module/kvm_amd/parameters/avic", "N");
	cleanup_free char *apicv = root_read_or(root, "/sys/module/kvm_intel/parameters/enable_apicv", "N");
	f->avic = strchr("Y1", *avic) || strchr("Y1", *apicv);
}

/* What Hyper-V interfaces KVM has: it is the list that QEMU checks its hv-* flags against
 * (Documentation/virt/kvm/api.rst, 4.118). */
static void read_hyperv(int kvm, struct cpu_facts *f)
{
	enum { LEAVES_MAX = 32 };
	cleanup_free struct kvm_cpuid2 *cpuid = mem_new(sizeof(*cpuid) + LEAVES_MAX * sizeof(cpuid->entries[0]));
	cpuid->nent = LEAVES_MAX;
	if (ioctl(kvm, KVM_CHECK_EXTENSION, KVM_CAP_SYS_HYPERV_CPUID) <= 0 || ioctl(kvm, KVM_GET_SUPPORTED_HV_CPUID, cpuid) < 0)
		return;
	f->hyperv.known = true;
	for (uint32_t i = 0; i < cpuid->nent && i < LEAVES_MAX; i++) {
		const struct kvm_cpuid_entry2 *e = &cpuid->entries[i];
		if (e->function == 0x40000003) {
			f->hyperv.features = e->eax;
			f->hyperv.misc = e->edx;
		} else if (e->function == 0x40000004) {
			f->hyperv.hints = e->eax;
		} else if (e->function == 0x4000000A) {
			f->hyperv.nested = e->eax;
		}
	}
}

/* /dev/kvm that opens is not yet a KVM that works: it needs the processor's help, which a cloud machine may hide. */
static void read_kvm(struct root *root, struct cpu_facts *f)
{
	cleanup_fd int fd = -1;
	cleanup_err struct err *e = NULL;
	if (!cpu_has(f, "vmx") && !cpu_has(f, "svm")) {
		f->kvm_problem = tr_dup("the processor shows neither vmx nor svm: no hardware virtualization");
		f->kvm_remedy = tr_dup("turn on SVM (AMD) or VT-x (Intel) in the firmware's setup; on a virtual "
				       "machine, nested virtualization");
	} else if (!root_exists(root, "/dev/kvm")) {
		f->kvm_problem = tr_dup("there is no /dev/kvm");
		f->kvm_remedy = str_fmt("modprobe kvm_%s", f->vendor == CPU_AMD ? "amd" : "intel");
	} else if (root_is_host(root) && (e = root_open_fd(root, "/dev/kvm", O_RDWR | O_CLOEXEC, &fd))) {
		f->kvm_problem = str_dup(err_text(e));
		f->kvm_remedy = tr_dup("join the group that owns it: sudo usermod -aG kvm $USER, then log in again");
	} else if (fd >= 0) {
		read_hyperv(fd, f);
	}
}

struct err *cpu_facts_read(struct root *root, struct cpu_facts *ret_facts)
{
	cleanup_cpu_facts struct cpu_facts f = {};
	TRY(read_topology(root, &f));
	read_set_apart(root, &f);
	read_processor(root, &f);
	read_kvm(root, &f);
	cleanup_free char *clock = root_read_or(root, "/sys/devices/system/clocksource/clocksource0/current_clocksource", "");
	f.hpet = streq(clock, "hpet");
	*ret_facts = f;
	f = (struct cpu_facts){};
	return NULL;
}

void cpu_facts_single(struct cpu_facts *f)
{
	struct cpus gone = {};
	for (size_t i = 0; i < f->n_cores; i++) {
		for (int k = 1; k < f->cores[i].n_cpus; k++)
			cpus_add(&gone, f->cores[i].cpus[k]);
		f->cores[i].n_cpus = f->cores[i].n_cpus ? 1 : 0;
	}
	f->online = cpus_minus(&f->online, &gone);
	f->allowed = cpus_minus(&f->allowed, &gone);
	for (size_t i = 0; i < f->n_l3s; i++) {
		f->l3s[i].cpus = cpus_minus(&f->l3s[i].cpus, &gone);
		f->l3s[i].whole = cpus_minus(&f->l3s[i].whole, &gone);
	}
	for (size_t i = 0; i < f->n_nodes; i++)
		f->nodes[i].cpus = cpus_minus(&f->nodes[i].cpus, &gone);
}

void cpu_facts_free(struct cpu_facts *f)
{
	free(f->cores);
	free(f->l3s);
	for (size_t i = 0; i < f->n_nodes; i++)
		free(f->nodes[i].distance);
	free(f->nodes);
	for (size_t i = 0; i < f->n_partitions; i++)
		free(f->partitions[i].name);
	free(f->partitions);
	free(f->model);
	free(f->flags);
	free(f->kernel);
	free(f->kvm_problem);
	free(f->kvm_remedy);
	*f = (struct cpu_facts){};
}

bool cpu_kernel_is(const struct cpu_facts *f, unsigned major, unsigned minor)
{
	unsigned have[2];
	return f->kernel && sscanf(f->kernel, "%u.%u", &have[0], &have[1]) == 2 && (have[0] != major ? have[0] > major : have[1] >= minor);
}

bool cpu_has(const struct cpu_facts *f, const char *flag)
{
	return str_has_word(f->flags, flag);
}

void cpu_check(struct findings *out, const struct config *c, const struct cpu_facts *f)
{
	size_t caches = 0; /* a package without an L3 has a number, too */
	for (size_t i = 0; i < f->n_l3s; i++) {
		size_t k = 0;
		while (f->l3s[k].number != f->l3s[i].number)
			k++;
		caches += k == i && f->l3s[i].cache;
	}
	if (f->n_cores) {
		cleanup_free char *model = str_printable(f->model ? f->model : "processor");
		findings_add(out, FINDING_OK, "cpu",
			     tr_fmt("%s: %zu cores, %d threads, %zu L3", model, f->n_cores, cpus_count(&f->online), caches), NULL);
	}
	if (f->foreign)
		findings_add(out, FINDING_WARN, "cpu", tr_dup("planned for a machine that hwloc's variables describe"),
			     tr_dup("unset HWLOC_XMLFILE HWLOC_SYNTHETIC to plan for this one"));
	if (f->hpet)
		findings_add(
			out, FINDING_WARN, "clock",
			tr_dup("the kernel keeps time by the HPET, not by the processor's counter (TSC): every look at the clock is slow, in the guest too"),
			tr_dup("a newer firmware for the board; then dmesg | grep -i tsc tells why it is not trusted"));
	if (c && c->vm.accel == ACCEL_TCG)
		return;
	bool emulated = c && c->vm.accel == ACCEL_AUTO;
	if (f->kvm_problem)
		findings_add(out, emulated ? FINDING_WARN : FINDING_BAD, "kvm",
			     str_fmt("%s%s", f->kvm_problem, emulated ? _(": the guest is emulated, many times slower") : ""),
			     str_dup(f->kvm_remedy));
	else
		findings_add(out, FINDING_OK, "kvm", tr_fmt("%s and /dev/kvm are there", cpu_has(f, "svm") ? "svm" : "vmx"), NULL);
}
