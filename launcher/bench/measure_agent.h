/* SPDX-License-Identifier: GPL-2.0-or-later */
/* measure_agent: a run of a variant through the guest's agent. */
#pragma once
#include "launcher/bench/bench_machine.h"

/* The whole run of a variant through the guest's agent; the machine's end is the caller's. */
struct err *measure_by_agent(struct bench_machine *b, const struct bench_variant *v);
