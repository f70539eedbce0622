/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * measure: one run of one variant. A machine is run by this program itself (`qlaunch run`); its guest says the results over its serial
 * console, which is a pipe, or is asked for them by its agent. A native variant runs the same here. Each run is bounded in time, and what it
 * leaves is undone.
 */
#pragma once
#include <jansson.h>
#include "launcher/base/root.h"
#include "launcher/bench/bench_plan.h"
#include "launcher/bench/program.h"

struct measured {
	json_t *metrics; /* as in a record; owned */
	json_t *run;     /* fingerprint_run; owned */
};
void measured_free(struct measured *m);
#define cleanup_measured cleanup(measured_free)

/* One run of a variant, from its start to its end; an error where nothing was measured. Owned by the caller. */
struct err *measure(struct root *root, const struct bench_plan *p, const struct bench_variant *v, struct measured *ret);

/* What the variant is measured by: its configuration, its keys, the workloads: "configuration" of a run. Owned by the caller. */
char *measure_hash(struct root *root, const struct bench_plan *p, const struct bench_variant *v);

/* For measure_agent.c. */

/* A machine that runs for one measurement. */
struct bench_machine {
	struct root *root;
	const struct bench_plan *plan;
	char *name; /* beside a machine that runs under its own */
	struct program launcher;
	int64_t begun, until; /* clock_ms's milliseconds */
	struct measured *m;
};
/* Starts `qlaunch run` with the variant's keys and `more` ("--set=…"). */
struct err *machine_begin(struct bench_machine *b, const struct bench_variant *v, const struct strv *more);
/* Looks at what the variant really got, while it runs. */
void machine_look(struct bench_machine *b);
/* boot.launch, boot.firmware and `phase` (milliseconds), of a kernel whose clock showed 0 at `kernel_ms` (clock_ms). */
void machine_boot(struct bench_machine *b, double kernel_ms, const char *phase, double phase_ms);
/* The metrics of `from` into those of the run; takes over `from`. */
void measured_add(struct measured *m, json_t *from);
bool plan_wants(const struct bench_plan *p, const char *workload);

/* The whole run of a variant through the guest's agent; the machine's end is the caller's. */
struct err *measure_by_agent(struct bench_machine *b, const struct bench_variant *v);
