/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan: what `qlaunch bench` is to do: an INI file.
 *
 *	[bench]          config (of the machine), via (serial, agent), guest (bench-guest), output, rounds, workloads, limit, uploads,
 *			margin, effect, early
 *	[variant NAME]   native = yes, or any key of the machine's configuration: cpu.threads = 4, memory.hugepages = 2M
 *	[workload NAME]  parser (an adapter's name), command and file, in the guest, program (whose frames)
 *	[slurm]          machines, and any long option of sbatch: partition = lab, requeue = yes
 *
 * Paths are relative to the file. The first variant is what the others are compared with.
 */
#pragma once
#include <stdbool.h>
#include "launcher/base/err.h"
#include "launcher/base/root.h"
#include "launcher/base/str.h"
#include "launcher/bench/adapter.h"

struct bench_variant {
	char *name;
	bool native, control; /* control: the first one again, to see what this machine calls a difference */
	struct strv sets;     /* "cpu.threads=4" */
};
/* One word of `workloads`. */
struct bench_workload {
	char *name;
	const struct adapter *adapter;  /* NULL: bench-guest has it */
	char *command, *file, *program; /* of an adapter; each may be NULL */
};
struct bench_plan {
	char *path, *config, *guest, *output;
	bool agent;        /* through the guest's agent; else a direct-boot guest says it over its serial console */
	bool uploads;      /* a workload may send its results to somebody */
	struct strv words; /* `workloads` as it stands, and then: */
	struct bench_workload *workloads;
	size_t n_workloads;
	struct strv sbatch; /* "--partition=lab" */
	unsigned machines;  /* of a Slurm job array */
	unsigned rounds;    /* after the one that warms up */
	unsigned limit_s;   /* of one run */
	double margin;      /* what is less than this is equivalent: 0.01 is 1 % */
	double effect;      /* the smallest one that is to be seen: 0.05 is 5 % */
	bool early;         /* may end before all rounds, by the looks of stats.h */
	struct bench_variant *variants;
	size_t n_variants;
};

/*
 * `path` as the user wrote it. Errors say the line; EXIT_CONFIG. The control variant is in it already. `program` is where this program is:
 * bench-guest is looked for beside it (guest not set).
 */
struct err *bench_plan_read(struct root *root, const char *path, const char *program, struct bench_plan *ret_plan);
void bench_plan_free(struct bench_plan *p);
#define cleanup_bench_plan cleanup(bench_plan_free)
