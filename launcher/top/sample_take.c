/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sample_take: see sample.h. What the kernel counts; what QEMU counts is in sample_qemu.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/clock.h"
#include "launcher/base/num.h"
#include "launcher/top/sample_qemu.h"

#define POOLS "/sys/kernel/mm/hugepages"
#define KVM_DEBUG "/sys/kernel/debug/kvm"
#define ROLLUP_EVERY_NS UINT64_C(10000000000)

void top_machine_free(struct top_machine *m)
{
	free(m->vm);
	free(m->dir);
	free(m->accel);
	free(m->vcpus);
	strv_free(&m->links);
	strv_free(&m->taps);
	*m = (struct top_machine){};
}

struct err *top_machine_parse(struct root *root, const char *vm, const char *dir, const json_t *status, struct top_machine *ret_machine)
{
	const json_t *vcpus = json_object_get(status, "vcpus"), *one;
	const char *accel = json_string_value(json_object_get(status, "accel"));
	json_int_t qemu = json_integer_value(json_object_get(status, "qemu"));
	size_t i;
	if (qemu <= 0 || !accel || !json_is_array(vcpus))
		return err_errno(EPROTO, "%s/status.json", dir);
	struct top_machine m = { .root = root, .vm = str_dup(vm), .dir = str_dup(dir), .accel = str_dup(accel), .qemu = (pid_t)qemu };
	m.vcpus = mem_new((json_array_size(vcpus) + 1) * sizeof(*m.vcpus));
	json_array_foreach (vcpus, i, one) {
		const json_t *cpu = json_object_get(one, "cpu");
		m.vcpus[m.n_vcpus++] = (struct vcpu_count){
			.vcpu = (int)json_integer_value(json_object_get(one, "vcpu")),
			.thread = (pid_t)json_integer_value(json_object_get(one, "thread")),
			.cpu = json_is_integer(cpu) && json_integer_value(cpu) < CPUS_MAX ? (int)json_integer_value(cpu) : -1,
			.ran_on = -1,
			.run_ns = COUNT_NONE,
			.delay_ns = COUNT_NONE,
			.exits = COUNT_NONE,
		};
	}
	*ret_machine = m;
	return NULL;
}

void sample_free(struct sample *s)
{
	for (size_t i = 0; i < s->n_disks; i++)
		free(s->disks[i].name);
	for (size_t i = 0; i < s->n_nets; i++) {
		free(s->nets[i].name);
		free(s->nets[i].link);
	}
	free(s->vcpus);
	free(s->cpus);
	free(s->pools);
	free(s->disks);
	free(s->nets);
	strv_free(&s->missing);
	*s = (struct sample){};
}

static uint64_t number_file(struct root *root, const char *path)
{
	cleanup_free char *text = root_read_or(root, path, "");
	uint64_t value = COUNT_NONE;
	err_free(num_parse(text, INT64_MAX, &value));
	return value;
}

static void read_threads(const struct top_machine *m, struct sample *s)
{
	bool delays = true;
	for (size_t i = 0; i < s->n_vcpus; i++) {
		struct vcpu_count *v = &s->vcpus[i];
		cleanup_free char *dir = str_fmt("/proc/%d/task/%d", (int)m->qemu, (int)v->thread), *sched = str_fmt("%s/schedstat", dir),
				  *stat = str_fmt("%s/stat", dir);
		cleanup_free char *sched_text = root_read_or(m->root, sched, ""), *stat_text = root_read_or(m->root, stat, "");
		delays &= count_schedstat(sched_text, v);
		count_task_stat(stat_text, sysconf(_SC_CLK_TCK), v);
	}
	if (!delays)
		sample_miss(s, "run delay", err_new("this kernel keeps no schedstat (CONFIG_SCHED_INFO)"));
}

static void read_cpus(const struct top_machine *m, struct sample *s)
{
	cleanup_free char *stat = root_read_or(m->root, "/proc/stat", ""), *irqs = NULL;
	for (size_t i = 0; i < s->n_vcpus; i++)
		if (s->vcpus[i].cpu >= (int)s->n_cpus)
			s->n_cpus = (size_t)s->vcpus[i].cpu + 1;
	s->cpus = mem_new((s->n_cpus + 1) * sizeof(*s->cpus));
	memset(s->cpus, 0xff, s->n_cpus * sizeof(*s->cpus)); /* COUNT_NONE */
	if (!s->n_cpus)
		sample_miss(s, "others, steal, interrupts", err_new("no vCPU has a CPU of its own ([cpu] place)"));
	count_cpu_times(stat, s->cpus, s->n_cpus);
	struct err *e = root_read(m->root, "/proc/interrupts", &irqs);
	if (!e && !count_interrupts(irqs, s->cpus, s->n_cpus))
		e = err_new("/proc/interrupts has no CPUs");
	if (e)
		sample_miss(s, "interrupts", e);
}

/* "HugetlbPages:   16384 kB" of a file in /proc, in bytes. */
static uint64_t kib_line(const char *text, const char *key)
{
	const char *at = strstr(text, key);
	unsigned long long kib;
	return at && sscanf(at + strlen(key), " %llu kB", &kib) == 1 ? (uint64_t)kib << 10 : COUNT_NONE;
}

static void read_rollup(const struct top_machine *m, const struct sample *before, struct sample *s)
{
	cleanup_free char *path = str_fmt("/proc/%d/smaps_rollup", (int)m->qemu), *text = NULL;
	s->transparent = COUNT_NONE;
	if (before && s->at_ns - before->rollup_ns < ROLLUP_EVERY_NS && before->transparent != COUNT_NONE) {
		s->rollup_ns = before->rollup_ns;
		s->transparent = before->transparent;
		return;
	}
	s->rollup_ns = s->at_ns;
	struct err *e = root_read(m->root, path, &text);
	if (e) {
		sample_miss(s, "transparent huge pages", e);
		return;
	}
	/* private memory, and what QEMU shares (memfd, for vhost-user and Looking Glass) */
	uint64_t anonymous = kib_line(text, "AnonHugePages:"), shared = kib_line(text, "ShmemPmdMapped:");
	if (anonymous != COUNT_NONE)
		s->transparent = anonymous + (shared == COUNT_NONE ? 0 : shared);
}

static void read_memory(const struct top_machine *m, const struct sample *before, struct sample *s)
{
	cleanup_free char *path = str_fmt("/proc/%d/status", (int)m->qemu), *status = root_read_or(m->root, path, "");
	cleanup_strv struct strv names = {};
	s->hugetlb = kib_line(status, "HugetlbPages:");
	read_rollup(m, before, s);
	err_free(root_list(m->root, POOLS, &names)); /* a kernel without has no pools */
	s->pools = mem_new((names.n + 1) * sizeof(*s->pools));
	for (size_t i = 0; i < names.n; i++) {
		unsigned long long kib;
		cleanup_free char *pages = str_fmt(POOLS "/%s/nr_hugepages", names.v[i]),
				  *unused = str_fmt(POOLS "/%s/free_hugepages", names.v[i]);
		struct pool pool = { .pages = number_file(m->root, pages), .free = number_file(m->root, unused) };
		if (sscanf(names.v[i], "hugepages-%llukB", &kib) != 1 || pool.pages == COUNT_NONE || pool.free == COUNT_NONE || !pool.pages)
			continue;
		pool.size = (uint64_t)kib << 10;
		s->pools[s->n_pools++] = pool;
	}
}

/* The network's name is the last word of what qlaunch calls its interface: "qlaunch win11 lan". */
static char *net_name(const struct top_machine *m, const char *link)
{
	cleanup_free char *path = str_fmt("/sys/class/net/%s/ifalias", link), *alias = root_read_or(m->root, path, "");
	const char *last = strrchr(str_trim(alias), ' ');
	return str_dup(last ? last + 1 : link);
}

static void read_nets(const struct top_machine *m, struct sample *s)
{
	s->nets = mem_new((m->links.n + 1) * sizeof(*s->nets));
	for (size_t i = 0; i < m->links.n; i++) {
		const char *link = m->links.v[i], *sides[] = { "tx", "rx" };
		bool tap = strv_has(&m->taps, link);
		struct net_count net = { .name = net_name(m, link), .link = str_dup(link) };
		for (int k = 0; k < 2; k++) {
			const char *side = sides[tap ? k : !k];
			cleanup_free char *dir = str_fmt("/sys/class/net/%s/statistics/%s", link, side), *bytes = str_fmt("%s_bytes", dir),
					  *packets = str_fmt("%s_packets", dir), *dropped = str_fmt("%s_dropped", dir);
			net.bytes[k] = number_file(m->root, bytes);
			net.packets[k] = number_file(m->root, packets);
			uint64_t lost = number_file(m->root, dropped);
			net.dropped = lost == COUNT_NONE || net.dropped == COUNT_NONE ? COUNT_NONE : net.dropped + lost;
		}
		if (net.bytes[0] == COUNT_NONE)
			sample_miss(s, "network", err_new("%s is no interface of this host", link));
		s->nets[s->n_nets++] = net;
	}
}

/* KVM's sums of all vCPUs, where QEMU does not tell them: a folder "PID-FD" of debugfs (Documentation/virt/kvm). */
static void read_debugfs(const struct top_machine *m, struct sample *s)
{
	cleanup_strv struct strv names = {};
	cleanup_free char *prefix = str_fmt("%d-", (int)m->qemu), *first = NULL;
	struct err *e = root_list(m->root, KVM_DEBUG, &names);
	for (size_t i = 0; !e && i < names.n && !first; i++)
		if (str_starts(names.v[i], prefix))
			first = str_fmt(KVM_DEBUG "/%s", names.v[i]);
	if (!e && !first)
		e = err_new(KVM_DEBUG " has no %s*", prefix);
	for (int kind = 0; !e && kind < EXITS_KINDS; kind++) {
		cleanup_free char *path = str_fmt("%s/%s", first, exit_names[kind].kvm), *text = NULL;
		e = root_read(m->root, path, &text);
		if (!e)
			s->exits[kind] = number_file(m->root, path);
	}
	if (e && s->exits[EXITS_ALL] == COUNT_NONE)
		sample_miss(s, "VM exits", e);
	else
		err_free(e); /* a kernel that lacks one of the reasons */
}

void sample_take(const struct top_machine *m, const struct sample *before, int limit_ms, struct sample *ret_sample)
{
	struct sample s = { .at_ns = clock_ns(), .n_vcpus = m->n_vcpus, .guest = COUNT_NONE };
	s.vcpus = mem_new((m->n_vcpus + 1) * sizeof(*s.vcpus));
	memcpy(s.vcpus, m->vcpus, m->n_vcpus * sizeof(*s.vcpus));
	for (int kind = 0; kind < EXITS_KINDS; kind++)
		s.exits[kind] = COUNT_NONE;
	read_threads(m, &s);
	read_cpus(m, &s);
	read_nets(m, &s);
	read_memory(m, before, &s);
	sample_qemu(m, limit_ms, &s);
	if (!streq(m->accel, "kvm"))
		sample_miss(&s, "VM exits", err_new("only KVM counts them, and this guest runs by %s", m->accel));
	else if (s.exits[EXITS_ALL] == COUNT_NONE)
		read_debugfs(m, &s);
	*ret_sample = s;
}
