/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu_hwloc: the topology by hwloc's word; see cpu_found.h. The only file that knows hwloc. */
#include <errno.h>
#include <hwloc.h>
#include <hwloc/distances.h>
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/base/late.h"
#include "launcher/host/cpu/cpu_found.h"

#define HWLOC_FUNCTIONS(X) \
	X(hwloc_topology_init) X(hwloc_topology_load) X(hwloc_topology_destroy) X(hwloc_topology_set_all_types_filter) \
	X(hwloc_topology_set_type_filter) X(hwloc_topology_set_flags) X(hwloc_topology_set_components) X(hwloc_topology_is_thissystem) \
	X(hwloc_topology_get_topology_cpuset) X(hwloc_topology_get_allowed_cpuset) X(hwloc_get_type_depth) X(hwloc_get_nbobjs_by_depth) \
	X(hwloc_get_obj_by_depth) X(hwloc_bitmap_first) X(hwloc_bitmap_next) X(hwloc_cpukinds_get_by_cpuset) X(hwloc_cpukinds_get_info) \
	X(hwloc_distances_get_by_type) X(hwloc_distances_release)

static struct LATE_TABLE(HWLOC_FUNCTIONS) hwloc;

static void cleanup_topology(hwloc_topology_t *t)
{
	if (*t)
		hwloc.hwloc_topology_destroy(*t);
}

/* Only what the facts hold. The component x86 would visit every CPU to run cpuid there, waking each: three quarters of
 * the time. */
static int narrow(hwloc_topology_t t)
{
	static const struct {
		hwloc_obj_type_t type;
		enum hwloc_type_filter_e filter;
	} wanted[] = {
		{ HWLOC_OBJ_PACKAGE, HWLOC_TYPE_FILTER_KEEP_ALL }, { HWLOC_OBJ_L3CACHE, HWLOC_TYPE_FILTER_KEEP_ALL },
		{ HWLOC_OBJ_CORE, HWLOC_TYPE_FILTER_KEEP_ALL },
		/* where a NUMA node is more than an L3 and less than a package, only a group tells whose it is */
		{ HWLOC_OBJ_GROUP, HWLOC_TYPE_FILTER_KEEP_STRUCTURE },
	};
	int bad = hwloc.hwloc_topology_set_all_types_filter(t, HWLOC_TYPE_FILTER_KEEP_NONE) |
		  hwloc.hwloc_topology_set_flags(t, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED) |
		  hwloc.hwloc_topology_set_components(t, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, "x86");
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		bad |= hwloc.hwloc_topology_set_type_filter(t, wanted[i].type, wanted[i].filter);
	return bad;
}

/* hwloc takes these from the environment alone. Its plugins look for GPUs and network cards, and load those drivers'
 * libraries. */
static int load_from(hwloc_topology_t t, const char *root)
{
	bool plugins = getenv("HWLOC_PLUGINS_PATH");
	if (!plugins)
		setenv("HWLOC_PLUGINS_PATH", "", 1);
	if (root)
		setenv("HWLOC_FSROOT", root, 1);
	errno = 0;
	int result = narrow(t) ? -1 : hwloc.hwloc_topology_load(t);
	if (root)
		unsetenv("HWLOC_FSROOT");
	if (!plugins)
		unsetenv("HWLOC_PLUGINS_PATH");
	return result;
}

/* What hwloc reads of a captured tree beside base/root (hwloc's topology-linux.c). */
static const char *const read_by_hwloc[] = { "/sys/devices/system/cpu", "/sys/devices/system/node", "/proc/cpuinfo", "/proc/mounts",
					     "/proc/self/cgroup", "/proc/self/cpuset" };

static struct err *load(struct root *root, const char *described, hwloc_topology_t *ret_topology)
{
	for (size_t i = 0; !described && i < ARRAY_SIZE(read_by_hwloc); i++)
		root_look_below(root, read_by_hwloc[i]);
	cleanup(cleanup_topology) hwloc_topology_t t = NULL;
	bool bad = hwloc.hwloc_topology_init(&t) < 0 || load_from(t, !described && !root_is_host(root) ? root_dir(root) : NULL) < 0;
	struct err *e = NULL;
	if (bad && errno)
		e = err_errno(errno, "hwloc cannot read the topology%s%s", described ? _(" of ") : "", described ? described : "");
	else if (bad || (described && hwloc.hwloc_topology_is_thissystem(t))) /* its way out of a bad description */
		e = err_new("hwloc cannot read the topology%s%s", described ? _(" of ") : "", described ? described : "");
	if (e)
		return err_hint(err_exit(e, EXIT_HOST), "lstopo shows what hwloc sees");
	*ret_topology = steal(t);
	return NULL;
}

static struct cpus cpus_of(hwloc_const_bitmap_t bitmap)
{
	struct cpus set = {};
	for (int i = hwloc.hwloc_bitmap_first(bitmap); i >= 0 && i < CPUS_MAX; i = hwloc.hwloc_bitmap_next(bitmap, i))
		cpus_add(&set, i);
	return set;
}

static hwloc_obj_t above(hwloc_topology_t t, hwloc_obj_type_t type, hwloc_obj_t obj)
{
	return obj->type == type ? obj : hwloc_get_ancestor_obj_by_type(t, type, obj);
}

/* What a description says of the core; the kernel's files say more of this host. */
static struct cpu_speed speed_of(hwloc_topology_t t, hwloc_const_cpuset_t cpus)
{
	static const struct {
		const char *word;
		enum cpu_kind kind;
	} kinds[] = { { "IntelCore", CPU_P }, { "IntelAtom", CPU_E }, { "IntelLowPower", CPU_LP } };
	struct cpu_speed speed = {};
	int index = hwloc.hwloc_cpukinds_get_by_cpuset(t, cpus, 0), efficiency = -1;
	unsigned n = 0;
	struct hwloc_info_s *infos = NULL;
	if (index < 0 || hwloc.hwloc_cpukinds_get_info(t, (unsigned)index, NULL, &efficiency, &n, &infos, 0) < 0)
		return speed;
	for (unsigned i = 0; i < n; i++) {
		for (size_t k = 0; streq(infos[i].name, "CoreType") && k < ARRAY_SIZE(kinds); k++)
			if (streq(infos[i].value, kinds[k].word))
				speed.said = true, speed.kind = kinds[k].kind;
		if (streq(infos[i].name, "LinuxCapacity"))
			speed.capacity = (unsigned)atoi(infos[i].value);
		else if (streq(infos[i].name, "FrequencyMaxMHz"))
			speed.frequency = (unsigned)atoi(infos[i].value);
	}
	if (!n && efficiency >= 0) /* somebody ranked them, and said no more */
		speed.capacity = (unsigned)efficiency + 1;
	return speed;
}

static void add_kinds(hwloc_topology_t t, struct cpu_facts *f)
{
	cleanup_free struct cpu_speed *speeds = mem_new((f->n_cores + 1) * sizeof(*speeds));
	int depth = hwloc.hwloc_get_type_depth(t, HWLOC_OBJ_PU);
	unsigned n = hwloc.hwloc_get_nbobjs_by_depth(t, depth);
	for (unsigned k = 0; k < n; k++) {
		hwloc_obj_t pu = hwloc.hwloc_get_obj_by_depth(t, depth, k);
		for (size_t i = 0; i < f->n_cores; i++)
			if (f->cores[i].cpus[0] == (int)pu->os_index)
				speeds[i] = speed_of(t, pu->cpuset);
	}
	cpu_tell_kinds(f, speeds);
}

static void add_distances(hwloc_topology_t t, struct cpu_facts *f)
{
	struct hwloc_distances_s *d = NULL;
	unsigned one = 1;
	if (hwloc.hwloc_distances_get_by_type(t, HWLOC_OBJ_NUMANODE, &one, &d, HWLOC_DISTANCES_KIND_MEANS_LATENCY, 0) < 0 || !one)
		return;
	for (unsigned a = 0; a < d->nbobjs; a++) {
		for (size_t i = 0; i < f->n_nodes; i++) {
			if (!d->objs[a] || f->nodes[i].id != (int)d->objs[a]->os_index)
				continue;
			f->nodes[i].distance = mem_new(f->n_nodes);
			for (unsigned b = 0; b < d->nbobjs; b++)
				for (size_t k = 0; k < f->n_nodes; k++)
					if (d->objs[b] && f->nodes[k].id == (int)d->objs[b]->os_index)
						f->nodes[i].distance[k] = (uint8_t)d->values[a * d->nbobjs + b];
		}
	}
	hwloc.hwloc_distances_release(t, d);
}

/* Its group is the L3 above it, else its package, else the machine. */
static void add_core(hwloc_topology_t t, struct cpu_facts *f, hwloc_obj_t obj)
{
	hwloc_obj_t package = above(t, HWLOC_OBJ_PACKAGE, obj), l3 = above(t, HWLOC_OBJ_L3CACHE, obj);
	hwloc_obj_t group = l3 ? l3 : package ? package : hwloc.hwloc_get_obj_by_depth(t, 0, 0);
	struct cpu_found core = {
		.cpus = cpus_of(obj->cpuset),
		.whole = cpus_of(group->cpuset),
		.cache = l3 != NULL,
		.size = l3 ? l3->attr->cache.size : 0,
		.node = obj->nodeset ? hwloc.hwloc_bitmap_first(obj->nodeset) : 0,
		.package = package ? (int)package->os_index : 0,
	};
	if (!cpus_empty(&core.cpus))
		cpu_add_core(f, &core);
}

struct err *cpu_topology_hwloc(struct root *root, const char *described, struct cpu_facts *f)
{
	static const char *const functions[] = LATE_NAMES(HWLOC_FUNCTIONS);
	cleanup(cleanup_topology) hwloc_topology_t t = NULL;
	TRY(late_load("libhwloc.so.15", functions, &hwloc));
	TRY(load(root, described, &t));
	f->online = cpus_of(hwloc.hwloc_topology_get_topology_cpuset(t));
	f->allowed = cpus_of(hwloc.hwloc_topology_get_allowed_cpuset(t));
	/* By lowest CPU, as hwloc orders its objects. A description may have no cores: then each CPU is one. */
	int depth = hwloc.hwloc_get_type_depth(t, HWLOC_OBJ_CORE);
	unsigned n = depth < 0 ? 0 : hwloc.hwloc_get_nbobjs_by_depth(t, depth);
	if (!n) {
		depth = hwloc.hwloc_get_type_depth(t, HWLOC_OBJ_PU);
		n = hwloc.hwloc_get_nbobjs_by_depth(t, depth);
	}
	for (unsigned i = 0; i < n; i++)
		add_core(t, f, hwloc.hwloc_get_obj_by_depth(t, depth, i));
	cpu_add_nodes(f);
	add_distances(t, f);
	if (described)
		add_kinds(t, f);
	return NULL;
}
