/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session: runs a plan: each variant once a round, the order mixed, the first round warming up. Records are written as they come: what was
 * measured before an interruption is kept, and the same plan goes on where it ended. A run that fails is recorded as failed, and the rest
 * goes on; only where a round has nothing but failures it ends. How far it is and how long it will take is on the terminal.
 */
#pragma once
#include "launcher/bench/bench_plan.h"

/*
 * Every configuration of the plan is read first: a mistake in the last variant is not to be found after an hour. Records that are there
 * already must be of this plan and this machine; runs that they have are not made again, unless they failed and `redo_failed` is set.
 */
struct err *bench_session(struct root *root, const struct bench_plan *plan, bool redo_failed);
