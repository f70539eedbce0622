/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu_kinds: which cores are a hybrid's big ones, and which its small ones; see cpu_found.h. */
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/host/cpu/cpu_found.h"

#define CPU "/sys/devices/system/cpu"
/* Cores of one kind differ by turbo and by the firmware's preferences, step by step; between kinds lies a gap. Zen 5 and Zen 5c: 36 % in
 * frequency; Zen 3's preferred cores: 2 % a step; the two halves of a 7950X3D: 9 %. */
#define GAP_PERCENT 20

static unsigned measure(const struct cpu_speed *s, int which)
{
	return which == 0 ? s->capacity : which == 1 ? s->frequency : s->perf;
}

static int descending(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
	return x > y ? -1 : x < y;
}

/* The value from which on a core is a big one, if all have a value and there is a gap; else 0. Of several gaps (a core or two that are faster
 * still than the big ones) the widest divides. */
static unsigned gap(const struct cpu_speed *speeds, size_t n, int which)
{
	cleanup_free unsigned *v = mem_new((n + 1) * sizeof(*v));
	for (size_t i = 0; i < n; i++)
		v[i] = measure(&speeds[i], which);
	qsort(v, n, sizeof(*v), descending);
	unsigned from = 0;
	uint64_t widest = 100 - GAP_PERCENT; /* per cent of the faster one's value */
	for (size_t i = 1; n && v[n - 1] && i < n; i++) {
		uint64_t rest = (uint64_t)v[i] * 100 / v[i - 1];
		if (rest < widest || (rest == widest && !from))
			widest = rest, from = v[i - 1];
	}
	return from;
}

/* Bytes of L3 for each core of a kind. A slower core with more of it (3D V-Cache) is no small one. */
static uint64_t cache_of(const struct cpu_facts *f, bool small)
{
	uint64_t bytes = 0, cores = 0;
	for (size_t k = 0; k < f->n_l3s; k++) {
		uint64_t of_kind = 0, all = 0;
		for (size_t i = 0; i < f->n_cores; i++) {
			all += f->cores[i].l3 == (int)k;
			of_kind += f->cores[i].l3 == (int)k && (f->cores[i].kind != CPU_P) == small;
		}
		bytes += all ? f->l3s[k].size * of_kind / all : 0;
		cores += of_kind;
	}
	return cores ? bytes / cores : 0;
}

void cpu_tell_kinds(struct cpu_facts *f, const struct cpu_speed *speeds)
{
	bool said = false, cache = false;
	for (size_t i = 0; i < f->n_cores; i++) {
		said = said || speeds[i].said;
		cache = cache || f->l3s[f->cores[i].l3].cache;
		f->cores[i].kind = speeds[i].said ? speeds[i].kind : CPU_P;
	}
	unsigned from = 0;
	for (int which = 0; !said && !from && which < 3; which++) {
		from = gap(speeds, f->n_cores, which);
		for (size_t i = 0; from && i < f->n_cores; i++)
			f->cores[i].kind = measure(&speeds[i], which) >= from ? CPU_P : CPU_E;
	}
	bool alike = from && cache_of(f, true) > cache_of(f, false);
	for (size_t i = 0; i < f->n_cores; i++) {
		if (alike)
			f->cores[i].kind = CPU_P;
		else if (f->cores[i].kind == CPU_E && cache && !f->l3s[f->cores[i].l3].cache)
			f->cores[i].kind = CPU_LP;
	}
}

static unsigned number(struct root *root, int cpu, const char *file)
{
	cleanup_free char *path = str_fmt(CPU "/cpu%d/%s", cpu, file), *text = root_read_or(root, path, "");
	uint64_t value = 0;
	cleanup_err struct err *e = num_parse(text, UINT32_MAX, &value);
	return e ? 0 : (unsigned)value;
}

/* An Intel hybrid has a performance monitoring unit for each kind. */
void cpu_read_kinds(struct root *root, struct cpu_facts *f)
{
	static const char *const lists[CPU_KINDS] = { [CPU_P] = "/sys/devices/cpu_core/cpus", [CPU_E] = "/sys/devices/cpu_atom/cpus",
						      [CPU_LP] = "/sys/devices/cpu_lowpower/cpus" };
	cleanup_free struct cpu_speed *speeds = mem_new((f->n_cores + 1) * sizeof(*speeds));
	bool said = false;
	for (int kind = 0; kind < CPU_KINDS; kind++) {
		struct cpus cpus = {};
		cleanup_free char *list = root_read_or(root, lists[kind], "");
		cleanup_err struct err *e = *list ? cpus_parse(list, &cpus) : NULL;
		for (size_t i = 0; !e && *list && i < f->n_cores; i++)
			if (cpus_has(&cpus, f->cores[i].cpus[0]))
				said = speeds[i].said = true, speeds[i].kind = kind;
	}
	for (size_t i = 0; !said && i < f->n_cores; i++) {
		int cpu = f->cores[i].cpus[0];
		speeds[i].capacity = number(root, cpu, "cpu_capacity");
		speeds[i].frequency = number(root, cpu, "cpufreq/cpuinfo_max_freq");
		speeds[i].perf = number(root, cpu, "cpufreq/amd_pstate_prefcore_ranking");
		if (!speeds[i].perf)
			speeds[i].perf = number(root, cpu, "cpufreq/amd_pstate_highest_perf");
	}
	cpu_tell_kinds(f, speeds);
}

const char *cpu_kind_word(const struct cpu_facts *f, enum cpu_kind kind)
{
	static const char *const words[CPU_KINDS] = { [CPU_P] = N_("P cores"), [CPU_E] = N_("E cores"), [CPU_LP] = N_("LP-E cores") };
	for (size_t i = 0; i < f->n_cores; i++)
		if (f->cores[i].kind != kind)
			return tr(words[kind]);
	return _("cores");
}
