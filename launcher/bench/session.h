/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session: runs a plan: each variant once a round, the order mixed, the first round warming up. A machine is run by this program itself
 * (`qlaunch run`), its serial console is a pipe; a native variant runs bench-guest here. Each run is bounded in time. Records are written as
 * they come: what was measured before an interruption is kept.
 */
#pragma once
#include "launcher/bench/plan.h"

struct err *bench_session(struct root *root, const struct bench_plan *plan);
