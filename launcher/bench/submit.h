/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * submit: a plan on many machines, by Slurm: a job array of which each task runs the whole plan on one machine, for only what was measured
 * there is comparable there. Slurm schedules; here are the call of sbatch, and the gathering.
 *
 * Beside the plan's output: OUTPUT.jobs/ with the job's script, and for each task N its records N.jsonl and what it said, N.log. All machines
 * see these files, the plan and qlaunch under the same paths.
 */
#pragma once
#include "launcher/bench/bench_plan.h"

/* Submits and waits for the array's end. `program` is the path of this program. A clear error where there is no sbatch. */
struct err *bench_submit(struct root *root, const struct bench_plan *plan, const char *program);
/*
 * The records of all tasks into the plan's output, rounds numbered on from machine to machine. A task without records is said with the last
 * line of its log; none at all is an error.
 */
struct err *bench_gather(struct root *root, const struct bench_plan *plan);
