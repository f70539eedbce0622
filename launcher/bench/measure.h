/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * measure: one run of one variant. A machine is run by this program itself (`qlaunch run`); its guest says the results over its serial
 * console, which is a pipe, or is asked for them by its agent. A native variant runs the same here. Each run is bounded in time, and what
 * it leaves is undone.
 */
#pragma once
#include "launcher/bench/bench_machine.h"

/* One run of a variant, from its start to its end; an error where nothing was measured. Owned by the caller. */
struct err *measure(struct root *root, const struct bench_plan *p, const struct bench_variant *v, struct measured *ret);

/* What the variant is measured by: its configuration, its keys, the workloads: "configuration" of a run. Owned by the caller. */
char *measure_hash(struct root *root, const struct bench_plan *p, const struct bench_variant *v);
