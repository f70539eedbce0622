/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu_told: what is said of a plan: why these CPUs, and what its user should know. Pure. */
#include "launcher/base/tr.h"
#include "launcher/host/cpu/cpu_seats.h"

/* A cache that spans several nodes counts once. */
static size_t caches_used(const struct seats *s)
{
	size_t n = 0;
	for (size_t i = 0; i < s->n_quotas; i++) {
		size_t k = 0;
		while (s->f->l3s[s->quotas[k].l3].number != s->f->l3s[s->quotas[i].l3].number)
			k++;
		n += k == i;
	}
	return n;
}

/* What was set apart before qlaunch came. */
static void warn_set_apart(struct seats *s)
{
	struct cpu_plan *p = s->plan;
	struct cpus idle = cpus_minus(&s->f->isolated, &p->all), ticking = cpus_minus(&p->guest, &s->f->nohz_full);
	cleanup_free char *isolated = cpus_format(&s->f->isolated), *left = cpus_format(&idle), *ticks = cpus_format(&ticking);
	if (*left)
		strv_addf(&p->warnings,
			  _("CPUs %s stay idle: isolcpus= keeps the host off them since its boot, and the guest is not on them; "
			    "place = %s would use them"),
			  left, isolated);
	if (!cpus_empty(&s->f->nohz_full) && *ticks)
		strv_addf(&p->warnings, _("CPUs %s of the guest have the host's timer tick: nohz_full= does not name them"), ticks);
	for (size_t i = 0; i < s->f->n_partitions; i++) {
		cleanup_free char *cpus = cpus_format(&s->f->partitions[i].cpus), *name = str_printable(s->f->partitions[i].name);
		strv_addf(&p->warnings, _("CPUs %s are left alone: they are the cpuset partition of %s"), cpus, name);
	}
}

void seats_explain(struct seats *s)
{
	struct cpu_plan *p = s->plan;
	struct sb sb = {};
	const struct cpu_l3 *l3 = &s->f->l3s[s->n_quotas ? s->quotas[0].l3 : 0];
	size_t n_caches = caches_used(s);
	bool larger = false, auto_place = s->c->cpu.place == PLACE_AUTO;
	if (p->overcommitted) {
		p->why = tr_dup("as many as there are, in turn");
		return;
	}
	for (size_t i = 0; i < s->f->n_l3s; i++)
		larger = larger || s->f->l3s[i].size < l3->size;
	if (n_caches > 1)
		sb_addf(&sb, _("below %zu L3 caches"), n_caches);
	else if (l3->cache)
		sb_addf(&sb, _("below L3 cache %d"), l3->number);
	else
		sb_addf(&sb, _("on package %d, which has no L3 cache"), l3->package);
	if (n_caches == 1 && l3->size) {
		cleanup_free char *size = size_format(l3->size);
		sb_addf(&sb, " (%s)", size);
	}
	sb_add(&sb, !auto_place              ? _(", as place says")
		    : n_caches > 1           ? _(": more threads than one has")
		    : s->f->n_caches == 1    ? (l3->cache ? _(", the only one") : "")
		    : larger                 ? _(", the largest that fits")
		    : cpus_has(&l3->cpus, 0) ? _(", where there is room")
					     : _(", not CPU 0's, where the host is busiest"));
	if (s->gpu_node >= 0 && seats_many_nodes(s) && p->numa_node == s->gpu_node)
		sb_addf(&sb, _("; on the GPU's NUMA node %d"), s->gpu_node);
	else if (seats_many_nodes(s) && p->numa_node >= 0)
		sb_addf(&sb, _("; on NUMA node %d"), p->numa_node);
	for (size_t i = 0; i < p->n_nodes; i++)
		sb_addf(&sb, "%s%d", i ? ", " : _("; on NUMA nodes "), p->nodes[i].id);
	if (p->n_nodes)
		sb_add(&sb, _(", which the guest is told of"));
	p->why = sb_steal(&sb);
}

void seats_warn(struct seats *s)
{
	struct cpu_plan *p = s->plan;
	struct cpus cores = {};
	bool e_cores = false, p_cores = false;
	for (size_t i = 0; i < s->n; i++) {
		const struct cpu_core *core = s->v[i].core;
		struct cpus cpus = seats_core_cpus(core);
		if (!s->v[i].taken)
			continue;
		cores = cpus_or(&cores, &cpus);
		e_cores = e_cores || core->kind != CPU_P;
		p_cores = p_cores || core->kind == CPU_P;
	}
	struct cpus there = cpus_and(&cores, &s->f->online), siblings = cpus_minus(&there, &p->all);
	cleanup_free char *list = cpus_format(&siblings);
	if (*list)
		strv_addf(&p->warnings, _("CPUs %s share cores with vCPUs but stay with the host"), list);
	if (e_cores && p_cores)
		strv_add(&p->warnings, _("P and E cores are mixed, and the guest cannot tell them apart"));
	if (s->c->cpu.cpu_pm && !p->exclusive)
		strv_add(&p->warnings, _("cpu-pm is left off: the vCPUs do not have their CPUs for themselves"));
	warn_set_apart(s);
	if (s->gpu_node >= 0 && seats_many_nodes(s) && p->numa_node != s->gpu_node)
		strv_addf(&p->warnings, _("not all of the guest's CPUs are on NUMA node %d, where the GPU is"), s->gpu_node);
}

void cpu_plan_check(struct findings *out, const struct cpu_plan *p)
{
	cleanup_free char *guest = cpus_format(&p->guest), *emulator = cpus_format(&p->emulator);
	if (p->obstacle)
		findings_add(out, FINDING_BAD, "threads", str_dup(p->obstacle), p->remedy ? str_dup(p->remedy) : NULL);
	else
		findings_add(out, FINDING_OK, "threads", tr_fmt("%u vCPUs on %s, %s; QEMU on %s", p->n_vcpus, guest, p->why, emulator),
			     NULL);
	for (size_t i = 0; i < p->warnings.n; i++)
		findings_add(out, FINDING_WARN, "threads", str_dup(p->warnings.v[i]), NULL);
}
