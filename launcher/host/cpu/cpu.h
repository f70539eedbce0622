/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cpu: the host's processors as facts: cores, SMT siblings, L3 caches, NUMA nodes and their distances, kinds of cores, the CPUs that
 * somebody else set apart, and whether KVM works here.
 *
 * The topology is hwloc's, and hwloc's variables hold: HWLOC_XMLFILE or HWLOC_SYNTHETIC describe another machine, else
 * /sys below the root is read. The rest comes from /proc and /sys below the root. Writes nothing.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "launcher/base/num.h"
#include "launcher/base/root.h"
#include "launcher/base/str.h"
#include "launcher/config/config.h"
#include "launcher/step/finding.h"

enum cpu_vendor { CPU_OTHER, CPU_AMD, CPU_INTEL };

#define CPU_SIBLINGS_MAX 8 /* hardware threads of a core; x86 has 2, Xeon Phi 4 */

/* Best first. Where all cores are alike they are CPU_P. */
enum cpu_kind {
	CPU_P,
	CPU_E,  /* a hybrid's small cores: Intel's E cores, AMD's dense ones (Zen 5c) */
	CPU_LP, /* small ones outside of the L3, on their own island (Meteor Lake, Lunar Lake) */
	CPU_KINDS
};

struct cpu_core {
	int cpus[CPU_SIBLINGS_MAX]; /* its hardware threads that are online, ascending */
	int n_cpus;
	int l3; /* index in `l3s` */
	enum cpu_kind kind;
};

/* Cores that share an L3 cache and a NUMA node; those of a package that have no such cache. A cache that spans several nodes (Intel's
 * sub-NUMA clusters) is one of these for each of them. */
struct cpu_l3 {
	struct cpus cpus;
	struct cpus whole; /* of the cache, on whatever node */
	bool cache;        /* there is one */
	uint64_t size;     /* of the whole cache, bytes; 0 where it is not known */
	int number;        /* of the cache, in hwloc's order: `place = l3 N`, and lstopo's "L3 L#N" */
	int node;          /* NUMA node, as the kernel numbers it */
	int package;
};

/* A NUMA node that has CPUs. */
struct cpu_node {
	int id; /* as the kernel numbers it */
	int package;
	struct cpus cpus;
	uint8_t *distance; /* to nodes[i] (ACPI's SLIT: 10 is itself); NULL where the firmware tells none */
};

/* CPUs that are a cpuset partition of somebody else's. */
struct cpu_partition {
	char *name; /* of the cgroup */
	struct cpus cpus;
};

struct cpu_facts {
	struct cpu_core *cores; /* in order of their L3, then of the lowest CPU */
	size_t n_cores;
	struct cpu_l3 *l3s;
	size_t n_l3s;
	unsigned n_caches;      /* numbers of L3s: `place = l3 N` is below it */
	struct cpu_node *nodes; /* by id */
	size_t n_nodes;
	struct cpus online;
	struct cpus allowed;              /* those that the cgroup of the caller may use */
	bool foreign;                     /* the topology is another machine's, by hwloc's variables */
	struct cpus isolated;             /* at boot, by isolcpus= */
	struct cpus nohz_full;            /* at boot */
	struct cpu_partition *partitions; /* but qlaunch's */
	size_t n_partitions;

	enum cpu_vendor vendor;
	char *model;  /* "AMD Ryzen 9 5950X 16-Core Processor"; NULL where it is not known */
	char *flags;  /* words: of the first CPU, as /proc/cpuinfo names them */
	char *kernel; /* "6.1.0-18-amd64"; NULL where it is not known */
	bool avic;    /* KVM has interrupts delivered by the processor (AVIC, APICv) turned on */
	struct cpu_hyperv {
		bool known;                             /* KVM was asked */
		uint32_t features, misc, hints, nested; /* CPUID 0x40000003 EAX and EDX, 0x40000004 EAX, 0x4000000A EAX
							   that KVM can give a guest */
	} hyperv;
	bool hpet;         /* the kernel keeps time by the HPET, for it does not trust the processors' own counters (clocksource) */
	char *kvm_problem; /* why KVM cannot be used, one line; NULL: it can */
	char *kvm_remedy;  /* what to do about it */
};

/* An error is hwloc's: a description that it cannot read. What this host has not got is in the facts. */
struct err *cpu_facts_read(struct root *root, struct cpu_facts *ret_facts);
/* As they will be with one thread of each core: the lowest, which the kernel keeps (cpu_smt_control in kernel/cpu.c). */
void cpu_facts_single(struct cpu_facts *f);
void cpu_facts_free(struct cpu_facts *f);
#define cleanup_cpu_facts cleanup(cpu_facts_free)

/* Whether the kernel is of this version or newer; false where it is not known. */
bool cpu_kernel_is(const struct cpu_facts *f, unsigned major, unsigned minor);
bool cpu_has(const struct cpu_facts *f, const char *flag);
/* The cores of a kind: "P cores"; "cores" where all are alike. Translated. */
const char *cpu_kind_word(const struct cpu_facts *f, enum cpu_kind kind);
/* ACPI's distance of two nodes, by index; where the firmware tells none, 10, 20 within a package and 30 beyond. */
unsigned cpu_distance(const struct cpu_facts *f, size_t from, size_t to);

/* For `check`: the processor, and KVM if the machine needs or would take it. `c` may be NULL: then the host alone is
 * judged. */
void cpu_check(struct findings *out, const struct config *c, const struct cpu_facts *f);
