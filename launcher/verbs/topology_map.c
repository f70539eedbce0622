/* SPDX-License-Identifier: GPL-2.0-or-later */
/* topology: what is in the map, and its form for scripts. See topology.h. */
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/verbs/topology.h"

const struct map_role map_roles[] = {
	[ROLE_NONE] = { "-", N_("nobody's"), "none", "\033[2m", "#eeeeee" },
	[ROLE_HOST] = { "H", N_("host"), "host", "\033[36m", "#a8c8e8" },
	[ROLE_GUEST] = { "G", N_("guest, by vCPU"), "guest", "\033[30;42m", "#8fd18f" },
	[ROLE_EMULATOR] = { "E", N_("QEMU's own threads"), "emulator", "\033[30;43m", "#f2c94c" },
	[ROLE_IOTHREAD] = { "I", N_("I/O threads"), "iothread", "\033[30;45m", "#d7a8e8" },
	[ROLE_QEMU] = { "EI", N_("QEMU's own and I/O threads"), "emulator,iothread", "\033[30;43m", "#f2c94c" },
};

const char *const map_kinds[CPU_KINDS] = { [CPU_P] = "P", [CPU_E] = "E", [CPU_LP] = "LP" };

enum role map_role(const struct map *m, int cpu)
{
	const struct cpu_plan *p = m->plan;
	if (!p)
		return ROLE_NONE;
	if (cpus_has(&p->guest, cpu))
		return ROLE_GUEST;
	if (cpus_has(&p->emulator, cpu))
		return cpus_has(&p->iothread, cpu) ? ROLE_QEMU : ROLE_EMULATOR;
	if (cpus_has(&p->iothread, cpu))
		return ROLE_IOTHREAD;
	return cpus_has(&p->host, cpu) ? ROLE_HOST : ROLE_NONE;
}

char *map_mark(const struct map *m, int cpu)
{
	enum role role = map_role(m, cpu);
	if (!m->plan)
		return str_dup("");
	for (unsigned i = 0; role == ROLE_GUEST && i < m->plan->n_vcpus; i++)
		if (m->plan->vcpus[i] == cpu)
			return str_fmt("%s%u", map_roles[role].mark, i);
	return str_dup(map_roles[role].mark);
}

char *map_l3_title(const struct map *m, size_t l3)
{
	const struct cpu_l3 *x = &m->facts->l3s[l3];
	cleanup_free char *size = x->size ? size_format(x->size) : NULL;
	return tr_fmt("%s %d%s%s, NUMA node %d", x->cache ? "L3" : _("no L3,"), x->number, size ? ", " : "", size ? size : "", x->node);
}

char *map_title(const struct map *m)
{
	/* What stands in /proc/cpuinfo is not the name of a machine that was described */
	const char *name = m->facts->foreign ? _("As described to hwloc") : m->facts->model;
	cleanup_free char *model = str_printable(name ? name : "Processor");
	int cpus = cpus_count(&m->facts->online);
	cleanup_free char *n_cpus = str_fmt(tr_n("%d CPU", "%d CPUs", (unsigned long)cpus), cpus);
	return str_fmt(tr_n("%.50s: %zu core, %s", "%.50s: %zu cores, %s", m->facts->n_cores), model, m->facts->n_cores, n_cpus);
}

static json_t *cpu_json(const struct map *m, int cpu)
{
	json_t *o = json_pack("{s:i}", "cpu", cpu);
	if (!m->plan)
		return o;
	enum role role = map_role(m, cpu);
	json_object_set_new(o, "role", json_string(map_roles[role].name));
	json_t *vcpus = json_array();
	for (unsigned i = 0; i < m->plan->n_vcpus; i++)
		if (m->plan->vcpus[i] == cpu)
			json_array_append_new(vcpus, json_integer(i));
	json_object_set_new(o, "vcpus", vcpus);
	return o;
}

json_t *map_json(const struct map *m)
{
	json_t *l3s = json_array();
	for (size_t i = 0; i < m->facts->n_l3s; i++) {
		const struct cpu_l3 *l3 = &m->facts->l3s[i];
		json_t *cores = json_array();
		for (size_t k = 0; k < m->facts->n_cores; k++) {
			const struct cpu_core *core = &m->facts->cores[k];
			json_t *cpus = json_array();
			if (core->l3 == (int)i)
				json_array_append_new(cores, json_pack("{s:s, s:O}", "kind", map_kinds[core->kind], "cpus", cpus));
			for (int j = 0; j < core->n_cpus; j++)
				json_array_append_new(cpus, cpu_json(m, core->cpus[j]));
			json_decref(cpus);
		}
		json_array_append_new(l3s, json_pack("{s:i, s:b, s:I, s:i, s:i, s:o}", "l3", l3->number, "cache", l3->cache, "bytes",
						     (json_int_t)l3->size, "node", l3->node, "package", l3->package, "cores", cores));
	}
	return json_pack("{s:s?, s:s?, s:o}", "model", m->facts->foreign ? NULL : m->facts->model, "vm", m->vm, "l3s", l3s);
}
