/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gather: what the tasks of submit.h have left: their files, whether they are complete, all of it into one. */
#pragma once
#include "launcher/bench/bench_plan.h"

/* OUTPUT.jobs; owned by the caller. */
char *gather_folder(const struct bench_plan *p);
/* Whether one node's records of a task have every run of the plan, or end at a look where it may end early. */
bool gather_complete(struct root *root, const struct bench_plan *p, unsigned task);
/* Runs of all tasks until now: each task's most. */
size_t gather_runs(struct root *root, const struct bench_plan *p);
/*
 * The records of all tasks into the plan's output (which is replaced where it was gathered, too), rounds numbered on from task to task of a
 * machine. A task that is not complete is said with the last line of its log, and counted; no record at all is an error.
 */
struct err *bench_gather(struct root *root, const struct bench_plan *plan, size_t *ret_incomplete);
