/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cpu_found: what the readers of the topology find, and how it gets into the facts. For them and cpu_facts.c alone.
 *
 * hwloc reads everything that the kernel says of a CPU and its caches, some forty files a CPU; what the facts hold stands in three a core
 * and three a cache. So those are read here, and hwloc is asked where they do not tell, or where its variables describe another machine.
 */
#pragma once
#include "launcher/host/cpu/cpu.h"

struct cpu_found {
	struct cpus cpus;  /* of the core; not empty */
	struct cpus whole; /* of its L3; without one of its package, else of the machine */
	bool cache;        /* there is an L3 */
	uint64_t size;     /* of that, in bytes; 0 where it is not known */
	int node, package;
	int package_first; /* lowest CPU of the package; for sorting */
};

/* What is known of a core's speed. */
struct cpu_speed {
	bool said;          /* its kind is known by name */
	enum cpu_kind kind; /* that */
	unsigned capacity;  /* the kernel's measure; 0: none */
	unsigned frequency; /* at most, in any unit; 0: not known */
	unsigned perf;      /* the firmware's measure (CPPC's highest performance); 0: none */
};

/* To be called in order of package, L3 and core, each by its lowest CPU: so L3s have hwloc's numbers. */
void cpu_add_core(struct cpu_facts *f, const struct cpu_found *core);
/* Each fills online, allowed, cores and l3s; these two are empty before. */
struct err *cpu_topology_hwloc(struct root *root, const char *described, struct cpu_facts *f);
/* From the kernel's own files. False, where these are not as a plain x86 host has them: then cores and l3s are still empty. */
bool cpu_topology_sys(struct root *root, struct cpu_facts *f);

/* The nodes that the cores are on; the reader adds their distances. */
void cpu_add_nodes(struct cpu_facts *f);
/* The kind of each core, by speeds[i] of f->cores[i]. */
void cpu_tell_kinds(struct cpu_facts *f, const struct cpu_speed *speeds);
/* The same, by the kernel's files. */
void cpu_read_kinds(struct root *root, struct cpu_facts *f);
