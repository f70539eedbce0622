/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu_seats: the part of cpu_plan that finds the guest's cores. Pure; for cpu_shape.c and cpu_told.c only. */
#pragma once
#include "launcher/host/cpu/cpu_plan.h"

/* A core, and those of its CPUs that the guest may have. */
struct seat {
	const struct cpu_core *core;
	int cpus[CPU_SIBLINGS_MAX], n;
	bool whole;   /* all that a core of its kind has: none is offline, taken or QEMU's */
	bool of_kind; /* the guest may have it */
	int taken;    /* the guest has the first `taken` of them */
};

/* How many vCPUs lie below an L3, on one node. */
struct quota {
	int l3; /* index in the facts */
	unsigned n;
};

/* A plan while it is made. */
struct seats {
	const struct config *c;
	const struct cpu_facts *f;
	const struct cpus *taken; /* by other machines, or NULL */
	const struct cpus *avoid; /* the host's, and better left to it, or NULL */
	bool advice;              /* a plan that is only tried: it needs no remedy */
	struct cpu_plan *plan;
	struct cpus usable, placed; /* where the machine may be; where its vCPUs may be */
	unsigned n_wanted;          /* vCPUs */
	int gpu_node;               /* -1: none, or one without CPUs */
	struct seat *v;             /* every core */
	size_t n;
	enum cpu_kind kind; /* of the guest's cores; CPU_KINDS: whatever place names, or there is no other way */
	int smt;            /* hardware threads of a whole core of that kind */
	struct quota *quotas;
	size_t n_quotas;
	int *nodes; /* that they are on, by index in the facts: the first has the first vCPUs */
	size_t n_nodes;
	bool even; /* the same number of whole cores below each */
};

/* A seat for each core, by `placed`. */
void seats_make(struct seats *s);
/* Lets the guest have cores of `kind` only; CPU_KINDS: of any. */
void seats_of_kind(struct seats *s, enum cpu_kind kind);
/* CPUs that it may have. */
unsigned seats_room(const struct seats *s);
/* A good number of vCPUs: the whole of the best L3, less what the host and QEMU need. */
unsigned seats_advise(struct seats *s);
/* Takes n_wanted CPUs, which there are, and gives them to the plan's vCPUs in order. */
void seats_choose(struct seats *s);
void seats_free(struct seats *s);

/* All CPUs of a core. */
struct cpus seats_core_cpus(const struct cpu_core *core);
/* Whether this host has several NUMA nodes. */
bool seats_many_nodes(const struct seats *s);
/* plan->why: why these CPUs. */
void seats_explain(struct seats *s);
/* plan->warnings: what its user should know. */
void seats_warn(struct seats *s);
