/* SPDX-License-Identifier: GPL-2.0-or-later */
/* count: see count.h. The formats are those of proc(5) and of Documentation/scheduler/sched-stats.rst. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "launcher/base/num.h"
#include "launcher/top/count.h"

const char *const irq_class_names[IRQ_CLASSES] = { "timer", "ipi", "guest", "device", "other" };

const struct exit_name exit_names[EXITS_KINDS] = {
	[EXITS_ALL] = { "all", "exits" },      [EXITS_HALT] = { "halt", "halt_exits" }, [EXITS_IO] = { "io", "io_exits" },
	[EXITS_MMIO] = { "mmio", "mmio_exits" }, [EXITS_IRQ] = { "irq", "irq_exits" },    [EXITS_HYPERCALL] = { "hypercall", "hypercalls" },
};

/* Lines of /proc/interrupts that are no device's; those that are not here are "other". */
static const struct {
	const char *name;
	enum irq_class class;
} irq_names[] = {
	{ "LOC", IRQ_TIMER }, { "RES", IRQ_IPI },   { "CAL", IRQ_IPI },	  { "TLB", IRQ_IPI },
	{ "PIN", IRQ_GUEST }, { "NPI", IRQ_GUEST }, { "PIW", IRQ_GUEST },
};

bool count_schedstat(const char *text, struct vcpu_count *v)
{
	uint64_t run, delay;
	if (sscanf(text, "%" SCNu64 " %" SCNu64, &run, &delay) != 2 || (run == 0 && delay == 0))
		return false;
	v->run_ns = run;
	v->delay_ns = delay;
	return true;
}

bool count_task_stat(const char *text, long hz, struct vcpu_count *v)
{
	enum { FIRST = 3, USER = 14, KERNEL = 15, CPU = 39 }; /* fields of proc(5) */
	const char *rest = strrchr(text, ')');                /* the name before it may hold anything */
	cleanup_strv struct strv fields = {};
	uint64_t user, kernel, cpu;
	strv_split(&fields, rest ? rest + 1 : "", " \n");
	cleanup_err struct err *bad = fields.n > CPU - FIRST ? num_parse(fields.v[CPU - FIRST], CPUS_MAX, &cpu) : err_new("short");
	if (!bad)
		bad = num_parse(fields.v[USER - FIRST], INT64_MAX, &user);
	if (!bad)
		bad = num_parse(fields.v[KERNEL - FIRST], INT64_MAX, &kernel);
	if (bad)
		return false;
	v->ran_on = (int)cpu;
	if (v->run_ns == COUNT_NONE)
		v->run_ns = (user + kernel) * (UINT64_C(1000000000) / (uint64_t)hz);
	return true;
}

void count_cpu_times(const char *text, struct cpu_count *cpus, size_t n)
{
	cleanup_strv struct strv lines = {};
	strv_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.n; i++) {
		unsigned cpu;
		uint64_t user, nice, kernel, irq, softirq, steal; /* user has the time of guests in it */
		if (sscanf(lines.v[i], "cpu%u %" SCNu64 " %" SCNu64 " %" SCNu64 " %*u %*u %" SCNu64 " %" SCNu64 " %" SCNu64, &cpu, &user,
			   &nice, &kernel, &irq, &softirq, &steal) != 7 ||
		    cpu >= n)
			continue;
		cpus[cpu].busy = user + nice + kernel + irq + softirq;
		cpus[cpu].steal = steal;
	}
}

static enum irq_class class_of(const char *name, const char *what)
{
	if (isdigit((unsigned char)*name))
		return strstr(what, "vfio") ? IRQ_GUEST : IRQ_DEVICE;
	for (size_t i = 0; i < ARRAY_SIZE(irq_names); i++)
		if (streq(irq_names[i].name, name))
			return irq_names[i].class;
	return IRQ_OTHER;
}

/* "CPU0 CPU2 …": which CPU each column is; only those that are online have one. */
static size_t columns(const char *line, unsigned **ret_cpus)
{
	cleanup_strv struct strv words = {};
	size_t n = 0;
	strv_split(&words, line, " \t");
	*ret_cpus = mem_new((words.n + 1) * sizeof(unsigned));
	while (n < words.n && sscanf(words.v[n], "CPU%u", &(*ret_cpus)[n]) == 1)
		n++;
	return n;
}

/* "  24:   0   12  IR-PCI-MSI 16385-edge  nvme0q1": one number a column; "ERR" and "MIS" have a single one, of no CPU. */
static void add_line(char *line, const unsigned *column, size_t n_columns, struct cpu_count *cpus, size_t n)
{
	cleanup_free uint64_t *values = mem_new((n_columns + 1) * sizeof(*values));
	char *name = str_trim(line), *at = strchr(name, ':');
	if (!at)
		return;
	*at++ = '\0';
	for (size_t i = 0; i < n_columns; i++) {
		char *end;
		values[i] = strtoull(at, &end, 10);
		if (end == at)
			return;
		at = end;
	}
	enum irq_class class = class_of(name, at);
	for (size_t i = 0; i < n_columns; i++)
		if (column[i] < n)
			cpus[column[i]].irqs[class] += values[i];
}

bool count_interrupts(const char *text, struct cpu_count *cpus, size_t n)
{
	cleanup_strv struct strv lines = {};
	cleanup_free unsigned *column = NULL;
	strv_split(&lines, text, "\n");
	size_t n_columns = lines.n ? columns(lines.v[0], &column) : 0;
	if (!n_columns)
		return false;
	for (size_t i = 0; i < n_columns; i++)
		if (column[i] < n)
			memset(cpus[column[i]].irqs, 0, sizeof(cpus->irqs));
	for (size_t i = 1; i < lines.n; i++)
		add_line(lines.v[i], column, n_columns, cpus, n);
	return true;
}

static uint64_t number(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return json_is_integer(value) ? (uint64_t)json_integer_value(value) : COUNT_NONE;
}

static int index_of(const json_t *cpus, const char *path)
{
	size_t i;
	const json_t *cpu;
	json_array_foreach (cpus, i, cpu)
		if (path && streq(json_string_value(json_object_get(cpu, "qom-path")), path))
			return (int)json_integer_value(json_object_get(cpu, "cpu-index"));
	return -1;
}

static uint64_t statistic(const json_t *stats, const char *name)
{
	size_t i;
	const json_t *stat;
	json_array_foreach (stats, i, stat)
		if (streq(json_string_value(json_object_get(stat, "name")), name))
			return number(stat, "value");
	return COUNT_NONE;
}

bool count_exits(const json_t *stats, const json_t *cpus, struct vcpu_count *vcpus, size_t n, uint64_t sums[EXITS_KINDS])
{
	size_t i;
	const json_t *one;
	bool any = false;
	json_array_foreach (stats, i, one) {
		const json_t *list = json_object_get(one, "stats");
		int index = index_of(cpus, json_string_value(json_object_get(one, "qom-path")));
		if (index >= 0 && (size_t)index < n)
			vcpus[index].exits = statistic(list, exit_names[EXITS_ALL].kvm);
		for (int kind = 0; kind < EXITS_KINDS; kind++) {
			uint64_t value = statistic(list, exit_names[kind].kvm);
			if (value != COUNT_NONE)
				sums[kind] = (sums[kind] == COUNT_NONE ? 0 : sums[kind]) + value;
		}
		any |= statistic(list, exit_names[EXITS_ALL].kvm) != COUNT_NONE;
	}
	return any;
}

/* The device's name, "disk-windows", from its place in QEMU's tree: the node below it may be another one after a snapshot. */
static char *device_name(const json_t *one)
{
	static const char peripheral[] = "/machine/peripheral/";
	const char *qdev = json_string_value(json_object_get(one, "qdev")), *node = json_string_value(json_object_get(one, "node-name"));
	if (!qdev || !str_starts(qdev, peripheral))
		return node ? str_dup(node) : NULL;
	qdev += strlen(peripheral);
	return str_ndup(qdev, strcspn(qdev, "/"));
}

size_t count_disks(const json_t *blockstats, struct disk_count **ret_disks)
{
	size_t i, n = 0;
	const json_t *one;
	*ret_disks = mem_new((json_array_size(blockstats) + 1) * sizeof(**ret_disks));
	json_array_foreach (blockstats, i, one) {
		cleanup_free char *name = device_name(one);
		const json_t *stats = json_object_get(one, "stats");
		if (!name || (!str_starts(name, "disk-") && !str_starts(name, "cdrom-")))
			continue; /* the firmware's */
		(*ret_disks)[n++] = (struct disk_count){
			.name = str_dup(strchr(name, '-') + 1),
			.bytes = { number(stats, "rd_bytes"), number(stats, "wr_bytes") },
			.requests = { number(stats, "rd_operations"), number(stats, "wr_operations") },
			.ns = { number(stats, "rd_total_time_ns"), number(stats, "wr_total_time_ns") },
		};
	}
	return n;
}
