/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu_found: see cpu_found.h. What a reader has found, put into the facts. */
#include <stdlib.h>
#include "launcher/host/cpu/cpu_found.h"

/* The L3 that `core` belongs to, made where it is not there yet. */
static int l3_of(struct cpu_facts *f, const struct cpu_found *core)
{
	int number = -1;
	for (size_t i = 0; i < f->n_l3s; i++) {
		/* A core without L3 may lie in a package where others have one: those are groups of their own */
		if (!cpus_subset(&f->l3s[i].cpus, &core->whole) || f->l3s[i].cache != core->cache)
			continue;
		number = f->l3s[i].number;
		if (f->l3s[i].node != core->node)
			continue;
		f->l3s[i].cpus = cpus_or(&f->l3s[i].cpus, &core->cpus);
		return (int)i;
	}
	if (number < 0)
		number = (int)f->n_caches++;
	f->l3s = mem_grow(f->l3s, f->n_l3s, sizeof(*f->l3s));
	f->l3s[f->n_l3s] = (struct cpu_l3){ core->cpus, core->whole, core->cache, core->size, number, core->node, core->package };
	return (int)f->n_l3s++;
}

void cpu_add_core(struct cpu_facts *f, const struct cpu_found *found)
{
	struct cpu_core core = { .l3 = l3_of(f, found) };
	for (int cpu = cpus_next(&found->cpus, -1); cpu >= 0 && core.n_cpus < CPU_SIBLINGS_MAX; cpu = cpus_next(&found->cpus, cpu))
		core.cpus[core.n_cpus++] = cpu;
	f->cores = mem_grow(f->cores, f->n_cores, sizeof(*f->cores));
	f->cores[f->n_cores++] = core;
}

static int compare_nodes(const void *a, const void *b)
{
	return ((const struct cpu_node *)a)->id - ((const struct cpu_node *)b)->id;
}

void cpu_add_nodes(struct cpu_facts *f)
{
	for (size_t i = 0; i < f->n_l3s; i++) {
		size_t k = 0;
		while (k < f->n_nodes && f->nodes[k].id != f->l3s[i].node)
			k++;
		if (k == f->n_nodes) {
			f->nodes = mem_grow(f->nodes, f->n_nodes, sizeof(*f->nodes));
			f->nodes[f->n_nodes++] = (struct cpu_node){ .id = f->l3s[i].node, .package = f->l3s[i].package };
		}
		f->nodes[k].cpus = cpus_or(&f->nodes[k].cpus, &f->l3s[i].cpus);
	}
	qsort(f->nodes, f->n_nodes, sizeof(*f->nodes), compare_nodes);
}
