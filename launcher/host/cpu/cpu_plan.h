/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cpu_plan: which CPU of the host each vCPU runs on, where QEMU's own threads run, what is left to the host, and the
 * shape that the guest is told. Pure: facts and config in, plan out.
 *
 * 1. The guest's CPUs are on one NUMA node where they fit: the GPU's; else on the nearest nodes, of one package, as many on each as on the
 *    others, and the guest is told of the nodes.
 * 2. On a node they lie below one L3 cache where they fit: the largest where sizes differ, even if CPU 0 is in it; else one without CPU 0,
 *    where the host is busiest. Where they do not fit, below as few as possible, the same number below each.
 * 3. Cores of one kind, the best that has room; kinds are mixed only by the user's own list. Whole cores before those that have a thread
 *    offline, taken or QEMU's; CPU 0's last. SMT siblings are neighbours among the vCPUs, as QEMU numbers them.
 * 4. QEMU's own threads and the disk threads get a core of their own, a small one before a big one: below the same cache if one is left,
 *    else on the same NUMA node, the last one, never CPU 0's.
 * 5. The guest is told sockets, dies (one for each L3), cores and threads as they are; where that cannot be said, one
 *    thread a core.
 * 6. A number that nobody chose is the whole of the best L3 (or its best kind of cores), less what the host and QEMU need.
 */
#pragma once
#include "launcher/host/cpu/cpu.h"

struct cpu_plan {
	unsigned n_vcpus;
	int *vcpus;        /* vcpus[i]: the host's CPU of vCPU i */
	struct cpus guest; /* all of those */
	struct cpus emulator, iothread;
	struct cpus all;                        /* guest, emulator and iothread: what a partition is made of */
	struct cpus host;                       /* the others that are online; all of them where none would be left */
	unsigned sockets, dies, cores, threads; /* for -smp */
	int numa_node;                          /* where all of the guest's CPUs are on one: for its memory; else -1 */
	struct cpu_plan_node {
		int id;            /* of the host */
		unsigned vcpus;    /* on it: the first node has the first vCPUs, and so on */
		uint8_t *distance; /* to nodes[i], as ACPI's SLIT has it */
	} * nodes;                 /* where there are several; none when overcommitted */
	size_t n_nodes;
	bool exclusive;     /* a CPU for each vCPU, and none of them is the emulator's */
	bool smt_true;      /* vCPUs share a core of the host exactly where the guest is told that they do */
	bool whole_l3s;     /* every CPU below each of its L3 caches that is online is the guest's */
	bool overcommitted; /* more vCPUs than CPUs */
	char *why;          /* one line */
	char *obstacle;     /* NULL, or why it cannot be run, "win11.conf:12: threads = 64: …": all is a makeshift then */
	char *remedy;       /* what to do about the obstacle */
	struct strv warnings;
	struct cpus left; /* of `avoid`: what it would have had, and does without */
};

/*
 * There is always a plan. `gpu_node`: NUMA node of the passed-through GPU, -1: none or not known. `taken`: the CPUs of
 * other running machines (NULL for none). `avoid`: CPUs of the host's that are left to it where the machine can be without them (NULL for
 * none).
 */
void cpu_plan_make(const struct config *c, const struct cpu_facts *f, int gpu_node, const struct cpus *taken, const struct cpus *avoid,
		   struct cpu_plan *ret_plan);
void cpu_plan_free(struct cpu_plan *p);
/* How many vCPUs would be a good machine here, with its CPUs isolated: rule 6. */
unsigned cpu_plan_threads(const struct cpu_facts *f, int gpu_node);
#define cleanup_cpu_plan cleanup(cpu_plan_free)

/* For `check`: the obstacle, the warnings, or that all is well. */
void cpu_plan_check(struct findings *out, const struct cpu_plan *p);
