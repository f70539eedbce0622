/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench_machine: a machine that runs for one measurement: `qlaunch run` of this very program, looked at while it runs, and undone when it
 * had to be killed.
 */
#pragma once
#include <jansson.h>
#include "launcher/base/root.h"
#include "launcher/bench/bench_plan.h"
#include "launcher/bench/program.h"

/* What a run has brought. */
struct measured {
	json_t *metrics; /* as in a record; owned */
	json_t *about;   /* "measured" of a record; owned */
	json_t *run;     /* fingerprint_run; owned */
};
void measured_free(struct measured *m);
/* The metrics of `from` into those of the run; takes over `from`. */
void measured_add(struct measured *m, json_t *from);
#define cleanup_measured cleanup(measured_free)

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
/* Ends it; one that had to be killed has left something, which is undone. Its folder among the user's machines goes, too. */
void machine_end(struct bench_machine *b);
