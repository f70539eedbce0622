/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * submit: a plan on many machines, by Slurm: tasks of job arrays, each of which runs the whole plan on one machine, for only what was
 * measured there is comparable there. Slurm schedules; here are the calls of sbatch, and the gathering.
 *
 * Beside the plan's output: OUTPUT.jobs/ with the jobs' script, and for each task N what it said, N.log, and its records, N.NODE.jsonl: a
 * task that is put back and comes to the same node goes on with them, on another node it begins anew. All machines see these files, the
 * plan and qlaunch under the same paths.
 */
#pragma once
#include "launcher/bench/bench_plan.h"

/*
 * Submits and waits for the arrays' end. `program` is the path of this program. A clear error where there is no sbatch. `redo`: only the
 * tasks whose records are not complete, of a folder that is there; what failed in them is made again.
 */
struct err *bench_submit(struct root *root, const struct bench_plan *plan, const char *program, bool redo);
