/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session: runs a plan: each variant once a round, the order mixed, the first round warming up. Records are written as they come: what was
 * measured before an interruption is kept. How far it is and how long it will take is on the terminal.
 */
#pragma once
#include "launcher/bench/bench_plan.h"

/* Every configuration of the plan is read first: a mistake in the last variant is not to be found after an hour. */
struct err *bench_session(struct root *root, const struct bench_plan *plan);
