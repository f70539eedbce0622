/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cpu_plan: which CPU of the host each vCPU runs on, where QEMU's own threads run, what is left to the host, and the
 * shape that the guest is told. Pure: facts and config in, plan out.
 *
 * 1. The guest's CPUs lie below one L3 cache where they fit: on the GPU's NUMA node; the largest where sizes differ,
 *    even if CPU 0 is in it; else one without CPU 0, where the host is busiest. Where they do not fit, below as few as
 *    possible, the same number below each.
 * 2. Whole cores, P cores first, CPU 0's last. SMT siblings are neighbours among the vCPUs, as QEMU numbers them.
 * 3. QEMU's own threads and the disk threads get a core of their own: below the same cache if one is left, else on the
 *    same NUMA node, the last one, never CPU 0's.
 * 4. The guest is told sockets, dies (one for each L3), cores and threads as they are; where that cannot be said, one
 *    thread a core.
 */
#pragma once
#include "launcher/host/cpu/cpu.h"

struct cpu_plan {
	unsigned n_vcpus;
	int *vcpus;        /* vcpus[i]: the host's CPU of vCPU i */
	struct cpus guest; /* all of those */
	struct cpus emulator, iothread;
	struct cpus all;   /* guest, emulator and iothread: what a partition is made of */
	struct cpus host;  /* the others that are online; all of them where none would be left */
	unsigned sockets, dies, cores, threads; /* for -smp */
	int numa_node;     /* where all of the guest's CPUs are on one: for its memory; else -1 */
	bool exclusive;    /* a CPU for each vCPU, and none of them is the emulator's */
	bool smt_true;     /* vCPUs share a core of the host exactly where the guest is told that they do */
	bool overcommitted; /* more vCPUs than CPUs */
	char *why;         /* one line */
	char *obstacle;    /* NULL, or why it cannot be run, "win11.conf:12: threads = 64: …": all is a makeshift then */
	char *remedy;      /* what to do about the obstacle */
	struct strv warnings;
};

/*
 * There is always a plan. `gpu_node`: NUMA node of the passed-through GPU, -1: none or not known. `taken`: the CPUs of
 * other running machines (NULL for none).
 */
void cpu_plan_make(const struct config *c, const struct cpu_facts *f, int gpu_node, const struct cpus *taken,
		   struct cpu_plan *ret_plan);
void cpu_plan_free(struct cpu_plan *p);
#define cleanup_cpu_plan cleanup(cpu_plan_free)

/* For `check`: the obstacle, the warnings, or that all is well. */
void cpu_plan_check(struct findings *out, const struct cpu_plan *p);
