/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu_seats: the part of cpu_plan that finds the guest's cores. Pure; for cpu_plan.c only. */
#pragma once
#include "launcher/host/cpu/cpu_plan.h"

/* A core, and those of its CPUs that the guest may have. */
struct seat {
	const struct cpu_core *core;
	int cpus[CPU_SIBLINGS_MAX], n;
	int taken; /* the guest has the first `taken` of them */
};

/* A plan while it is made. */
struct seats {
	const struct config *c;
	const struct cpu_facts *f;
	struct cpu_plan *plan;
	struct cpus usable, placed; /* where the machine may be; where its vCPUs may be */
	unsigned n_wanted;          /* vCPUs */
	int gpu_node;
	bool many_nodes; /* the host has more than one */
	struct seat *v;  /* every core */
	size_t n;
	int *l3s;     /* that the guest's CPUs lie below */
	size_t n_l3s;
	bool even;    /* the same number of cores below each */
};

/* A seat for each core, by `placed`. */
void seats_make(struct seats *s);
/* Takes n_wanted CPUs, which there are, and gives them to the plan's vCPUs in order. */
void seats_choose(struct seats *s);
bool seats_use_l3(const struct seats *s, int l3);
void seats_free(struct seats *s);
