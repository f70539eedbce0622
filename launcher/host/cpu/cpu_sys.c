/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu_sys: the topology by the kernel's word (Documentation/ABI/stable/sysfs-devices-system-cpu); see cpu_found.h. */
#include <sched.h>
#include <stdlib.h>
#include "launcher/host/cpu/cpu_found.h"

#define CPU "/sys/devices/system/cpu"
#define NODE "/sys/devices/system/node"
#define CACHES_MAX 10

struct found_list {
	struct cpu_found *v;
	size_t n;
};

static void free_list(struct found_list *l)
{
	free(l->v);
}

static bool read_number(struct root *root, const char *path, uint64_t max, uint64_t *ret_value)
{
	cleanup_free char *text = root_read_or(root, path, "");
	cleanup_err struct err *e = num_parse(text, max, ret_value);
	return !e;
}

/* Those of a file that are online, if `cpu` is one of them. */
static bool read_mask(struct root *root, const char *path, const struct cpus *online, int cpu, struct cpus *ret_set)
{
	struct cpus all;
	cleanup_free char *text = root_read_or(root, path, "");
	cleanup_err struct err *e = cpus_parse_mask(text, &all);
	if (!e)
		*ret_set = cpus_and(&all, online);
	return !e && cpus_has(ret_set, cpu);
}

/*
 * What our control group allows, whatever our own mask is (taskset): the kernel cuts a mask of all CPUs down to that. One that was narrower
 * is put back.
 */
static bool read_allowed(struct root *root, struct cpu_facts *f)
{
	struct cpus before = {}, after = {}, all;
	memset(&all, 0xff, sizeof(all));
	f->allowed = f->online;
	if (!root_is_host(root))
		return !root_exists(root, "/proc/self/cgroup") && !root_exists(root, "/proc/self/cpuset");
	if (sched_getaffinity(0, sizeof(before), (cpu_set_t *)&before) < 0 ||
	    sched_setaffinity(0, sizeof(all), (const cpu_set_t *)&all) < 0 || sched_getaffinity(0, sizeof(after), (cpu_set_t *)&after) < 0)
		return false;
	if (!cpus_equal(&before, &after))
		sched_setaffinity(0, sizeof(before), (const cpu_set_t *)&before);
	f->allowed = cpus_and(&after, &f->online);
	return true;
}

/* The L3 of the core whose lowest CPU is `cpu`; *ret stays as it is where there is none. It is nearly always the fourth cache. */
static bool read_l3(struct root *root, int cpu, const struct cpus *online, struct cpu_found *ret)
{
	for (int i = 0; i < CACHES_MAX; i++) {
		cleanup_free char *dir = str_fmt(CPU "/cpu%d/cache/index%d", cpu, i == 0 ? 3 : i <= 3 ? i - 1 : i);
		cleanup_free char *level_path = str_fmt("%s/level", dir), *map_path = str_fmt("%s/shared_cpu_map", dir),
				  *size_path = str_fmt("%s/size", dir);
		uint64_t level;
		if (!read_number(root, level_path, 16, &level) || level != 3)
			continue;
		cleanup_free char *size = root_read_or(root, size_path, "0");
		err_free(size_parse(size, &ret->size));
		ret->cache = true;
		return read_mask(root, map_path, online, cpu, &ret->whole);
	}
	return true;
}

static bool read_core(struct root *root, int cpu, const struct cpus *online, struct found_list *list)
{
	cleanup_free char *cpus = str_fmt(CPU "/cpu%d/topology/core_cpus", cpu),
			  *package = str_fmt(CPU "/cpu%d/topology/physical_package_id", cpu);
	struct cpu_found core = {};
	uint64_t id;
	if (!read_number(root, package, INT32_MAX, &id) || !read_mask(root, cpus, online, cpu, &core.cpus))
		return false;
	core.package = (int)id;
	for (size_t i = list->n; i-- > 0 && !core.cache;) { /* it is the last one's, mostly */
		const struct cpu_found *other = &list->v[i];
		if (other->cache && cpus_subset(&core.cpus, &other->whole))
			core.cache = true, core.whole = other->whole, core.size = other->size;
	}
	if (!core.cache && !read_l3(root, cpu, online, &core))
		return false;
	list->v = mem_grow(list->v, list->n, sizeof(*list->v));
	list->v[list->n++] = core;
	return true;
}

/* Without an L3 the package is a core's group. The list is by lowest CPU: a package's first core has the package's. */
static void add_packages(struct found_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct cpu_found *first = l->v;
		while (first->package != l->v[i].package)
			first++;
		l->v[i].package_first = cpus_next(&first->cpus, -1);
	}
	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0; !l->v[i].cache && k < l->n; k++)
			if (l->v[k].package == l->v[i].package)
				l->v[i].whole = cpus_or(&l->v[i].whole, &l->v[k].cpus);
}

/* A kernel without NUMA has no nodes: all is node 0. Of a single node there is nothing to tell apart. */
static bool read_nodes(struct root *root, struct found_list *l)
{
	struct cpus nodes, of;
	cleanup_free char *online = root_read_or(root, NODE "/online", "");
	cleanup_err struct err *e = cpus_parse(online, &nodes);
	if (!*online || (!e && cpus_count(&nodes) == 1 && cpus_has(&nodes, 0)))
		return true;
	for (int node = e ? -1 : cpus_next(&nodes, -1); node >= 0; node = cpus_next(&nodes, node)) {
		cleanup_free char *path = str_fmt(NODE "/node%d/cpulist", node), *text = root_read_or(root, path, "");
		cleanup_err struct err *bad = *text ? cpus_parse(text, &of) : NULL; /* memory alone */
		if (bad)
			return false;
		for (size_t i = 0; *text && i < l->n; i++)
			if (cpus_has(&of, cpus_next(&l->v[i].cpus, -1)))
				l->v[i].node = node;
	}
	return !e;
}

/* Each node's file lists its distance to every node that is online, those without CPUs too. */
static void read_distances(struct root *root, struct cpu_facts *f)
{
	struct cpus nodes = {};
	cleanup_free char *online = root_read_or(root, NODE "/online", "");
	cleanup_err struct err *e = f->n_nodes > 1 ? cpus_parse(online, &nodes) : NULL;
	for (size_t i = 0; !e && f->n_nodes > 1 && i < f->n_nodes; i++) {
		cleanup_free char *path = str_fmt(NODE "/node%d/distance", f->nodes[i].id), *text = root_read_or(root, path, "");
		cleanup_strv struct strv words = {};
		strv_split(&words, text, " ");
		if ((int)words.n != cpus_count(&nodes))
			continue;
		f->nodes[i].distance = mem_new(f->n_nodes);
		int node = -1;
		for (size_t w = 0, k = 0; w < words.n; w++) {
			node = cpus_next(&nodes, node);
			if (k < f->n_nodes && f->nodes[k].id == node)
				f->nodes[i].distance[k++] = (uint8_t)atoi(words.v[w]);
		}
	}
}

static int by_place(const void *a, const void *b)
{
	const struct cpu_found *x = a, *y = b;
	if (x->package_first != y->package_first)
		return x->package_first - y->package_first;
	int l3 = cpus_next(&x->whole, -1) - cpus_next(&y->whole, -1);
	return l3 ? l3 : cpus_next(&x->cpus, -1) - cpus_next(&y->cpus, -1);
}

bool cpu_topology_sys(struct root *root, struct cpu_facts *f)
{
	cleanup(free_list) struct found_list list = {};
	cleanup_free char *text = root_read_or(root, CPU "/online", "");
	cleanup_err struct err *e = cpus_parse(text, &f->online);
	struct cpus seen = {};
	bool good = !e && !cpus_empty(&f->online) && read_allowed(root, f);
	for (int cpu = good ? cpus_next(&f->online, -1) : -1; good && cpu >= 0; cpu = cpus_next(&f->online, cpu)) {
		if (cpus_has(&seen, cpu))
			continue;
		good = read_core(root, cpu, &f->online, &list);
		if (good)
			seen = cpus_or(&seen, &list.v[list.n - 1].cpus);
	}
	if (!good || !list.n || !read_nodes(root, &list))
		return false;
	add_packages(&list);
	qsort(list.v, list.n, sizeof(*list.v), by_place);
	for (size_t i = 0; i < list.n; i++)
		cpu_add_core(f, &list.v[i]);
	cpu_add_nodes(f);
	read_distances(root, f);
	return true;
}
