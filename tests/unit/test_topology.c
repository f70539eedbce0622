/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two readers of the topology, the kernel's files alone and hwloc, on this host and on made machines: they must say the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include "launcher/host/cpu/cpu_found.h"
#include "tests/unit/tempdir.h"

/* Cores are numbered package by package, cache by cache; the second threads come after all first ones, or beside them. */
struct shape {
	const char *name;
	int packages, l3s, cores, smt; /* each in one of the one before */
	bool beside, l3;
	int nodes;            /* 0: a kernel without NUMA */
	int offline;          /* this CPU is; -1: none */
	bool packages_turned; /* package 1 has the lower CPUs */
};

static void ok(struct err *e)
{
	if (e)
		fail_msg("%s", err_text(e));
}

__attribute__((format(printf, 3, 4))) static void put(struct root *r, const char *path, const char *format, ...)
{
	cleanup_free char *dir = str_ndup(path, (size_t)(strrchr(path, '/') - path));
	cleanup_sb struct sb text = {};
	va_list ap;
	va_start(ap, format);
	sb_vaddf(&text, format, ap);
	va_end(ap);
	ok(root_mkdirs(r, dir, 0755));
	ok(root_put(r, path, text.s, 0644));
}

static int cpu_of(const struct shape *s, int core, int thread)
{
	int cores = s->packages * s->l3s * s->cores;
	return s->beside ? core * s->smt + thread : core + cores * thread;
}

/* The CPUs of `n` cores from `first` on that are online. */
static struct cpus cpus_of(const struct shape *s, int first, int n)
{
	struct cpus set = {};
	for (int core = first; core < first + n; core++)
		for (int thread = 0; thread < s->smt; thread++)
			if (cpu_of(s, core, thread) != s->offline)
				cpus_add(&set, cpu_of(s, core, thread));
	return set;
}

static void put_mask(struct root *r, const char *dir, const char *name, struct cpus set)
{
	cleanup_free char *path = str_fmt("%s/%s", dir, name), *mask = cpus_format_mask(&set);
	put(r, path, "%s\n", mask);
}

static void put_cpu(struct root *r, const struct shape *s, int core, int cpu)
{
	int in_package = s->l3s * s->cores, package = core / in_package;
	cleanup_free char *topology = str_fmt("/sys/devices/system/cpu/cpu%d/topology", cpu),
			  *cache = str_fmt("/sys/devices/system/cpu/cpu%d/cache/index%d", cpu, 3);
	cleanup_free char *core_id = str_fmt("%s/core_id", topology), *id = str_fmt("%s/physical_package_id", topology);
	put_mask(r, topology, "core_cpus", cpus_of(s, core, 1));
	put_mask(r, topology, "package_cpus", cpus_of(s, package * in_package, in_package));
	put(r, core_id, "%d\n", core % in_package);
	put(r, id, "%d\n", s->packages_turned ? s->packages - 1 - package : package);
	if (!s->l3)
		return;
	static const char *const files[][2] = { { "level", "3" }, { "type", "Unified" }, { "size", "32768K" } };
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		cleanup_free char *path = str_fmt("%s/%s", cache, files[i][0]);
		put(r, path, "%s\n", files[i][1]);
	}
	put_mask(r, cache, "shared_cpu_map", cpus_of(s, core / s->cores * s->cores, s->cores));
}

static void make(struct root *r, const struct shape *s)
{
	int cores = s->packages * s->l3s * s->cores;
	struct cpus online = cpus_of(s, 0, cores);
	cleanup_free char *list = cpus_format(&online);
	put(r, "/sys/devices/system/cpu/online", "%s\n", list);
	for (int core = 0; core < cores; core++)
		for (int thread = 0; thread < s->smt; thread++)
			if (cpu_of(s, core, thread) != s->offline)
				put_cpu(r, s, core, cpu_of(s, core, thread));
	if (s->nodes)
		put(r, "/sys/devices/system/node/online", s->nodes > 1 ? "0-%d\n" : "%d\n", s->nodes - 1);
	for (int n = 0; n < s->nodes; n++) {
		struct cpus of = cpus_of(s, n * cores / s->nodes, cores / s->nodes);
		cleanup_free char *dir = str_fmt("/sys/devices/system/node/node%d", n), *cpulist = str_fmt("%s/cpulist", dir),
				  *info = str_fmt("%s/meminfo", dir), *text = cpus_format(&of);
		put_mask(r, dir, "cpumap", of);
		put(r, cpulist, "%s\n", text);
		if (s->nodes > 1) {
			cleanup_free char *distance = str_fmt("%s/distance", dir);
			cleanup_sb struct sb row = {};
			for (int k = 0; k < s->nodes; k++)
				sb_addf(&row, "%s%d", k ? " " : "", k == n ? 10 : 10 + n + k);
			put(r, distance, "%s\n", row.s);
		}
		put(r, info, "Node %d MemTotal: 65811000 kB\n", n);
	}
}

static void same(struct root *r, const char *name)
{
	cleanup_cpu_facts struct cpu_facts ours = {}, theirs = {};
	if (!cpu_topology_sys(r, &ours))
		fail_msg("%s: the kernel's files are not enough", name);
	ok(cpu_topology_hwloc(r, NULL, &theirs));
	if (ours.n_cores != theirs.n_cores || ours.n_l3s != theirs.n_l3s || !cpus_equal(&ours.online, &theirs.online))
		fail_msg("%s: %zu cores, %zu L3; hwloc has %zu, %zu", name, ours.n_cores, ours.n_l3s, theirs.n_cores, theirs.n_l3s);
	if (!cpus_equal(&ours.allowed, &theirs.allowed))
		fail_msg("%s: hwloc allows other CPUs", name);
	for (size_t i = 0; i < ours.n_l3s; i++) {
		const struct cpu_l3 *a = &ours.l3s[i], *b = &theirs.l3s[i];
		if (!cpus_equal(&a->cpus, &b->cpus) || a->cache != b->cache || a->size != b->size || a->node != b->node ||
		    a->package != b->package || a->number != b->number)
			fail_msg("%s: L3 %zu: size %zu, node %d, package %d; hwloc: size %zu, node %d, package %d", name, i,
				 (size_t)a->size, a->node, a->package, (size_t)b->size, b->node, b->package);
	}
	assert_int_equal(ours.n_nodes, theirs.n_nodes);
	for (size_t i = 0; i < ours.n_nodes * ours.n_nodes; i++) {
		size_t from = i / ours.n_nodes, to = i % ours.n_nodes;
		if (cpu_distance(&ours, from, to) != cpu_distance(&theirs, from, to))
			fail_msg("%s: node %zu is %u from node %zu; hwloc: %u", name, to, cpu_distance(&ours, from, to), from,
				 cpu_distance(&theirs, from, to));
	}
	for (size_t i = 0; i < ours.n_cores; i++)
		if (memcmp(&ours.cores[i], &theirs.cores[i], sizeof(ours.cores[i])) != 0)
			fail_msg("%s: core %zu begins at CPU %d; hwloc: %d", name, i, ours.cores[i].cpus[0], theirs.cores[i].cpus[0]);
}

static void this_host(void **state)
{
	cleanup_root struct root *root = NULL;
	(void)state;
	ok(root_open("/", &root));
	same(root, "this host");
}

static void made_host(void **state)
{
	static const struct shape shapes[] = {
		{ "5950X", 1, 2, 8, 2, false, true, 1, -1, false },
		{ "5950X with a CPU offline", 1, 2, 8, 2, false, true, 1, 3, false },
		{ "12900K's P cores", 1, 1, 8, 2, true, true, 1, -1, false },
		{ "two EPYCs, four nodes", 2, 4, 4, 2, false, true, 4, -1, false },
		{ "packages by the other number", 2, 1, 4, 1, false, true, 2, -1, true },
		{ "no L3", 2, 1, 2, 2, true, false, 2, -1, false },
		{ "no NUMA", 1, 1, 4, 1, false, true, 0, -1, false },
		{ "an L3 with two nodes", 1, 1, 8, 2, false, true, 2, -1, false },
		{ "two packages, each an L3 with two nodes", 2, 1, 8, 2, false, true, 4, -1, false },
	};
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
		void *dir = NULL;
		assert_int_equal(tempdir_setup(&dir), 0);
		make(tempdir_root(dir), &shapes[i]);
		same(tempdir_root(dir), shapes[i].name);
		tempdir_teardown(&dir);
	}
	(void)state;
}

/* What is missing makes it a question for hwloc, and leaves nothing behind. */
static void unusual_host(void **state)
{
	static const struct shape plain = { "", 1, 1, 2, 2, false, true, 1, -1, false };
	static const char *const needed[] = { "/sys/devices/system/cpu/online", "/sys/devices/system/cpu/cpu1/topology/core_cpus",
					      "/sys/devices/system/cpu/cpu1/topology/physical_package_id",
					      "/sys/devices/system/cpu/cpu0/cache/index3/shared_cpu_map" };
	struct root *r = tempdir_root(*state);
	make(r, &plain);
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		cleanup_cpu_facts struct cpu_facts f = {};
		cleanup_free char *text = NULL;
		ok(root_read(r, needed[i], &text));
		ok(root_unlink(r, needed[i]));
		assert_false(cpu_topology_sys(r, &f));
		assert_true(f.n_cores == 0 && f.n_l3s == 0);
		put(r, needed[i], "%s\n", text);
	}
	put(r, "/proc/self/cgroup", "0::/user.slice\n"); /* whose CPUs only hwloc reads from files */
	cleanup_cpu_facts struct cpu_facts f = {};
	assert_false(cpu_topology_sys(r, &f));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(this_host),
		cmocka_unit_test(made_host),
		cmocka_unit_test_setup_teardown(unusual_host, tempdir_setup, tempdir_teardown),
	};
	return cmocka_run_group_tests_name("topology", tests, NULL, NULL);
}
