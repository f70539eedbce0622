/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rounds: how many rounds a plan wants, by the noise of those that there are. Pure. */
#pragma once
#include "launcher/bench/summary.h"

#define ROUNDS_TO_ESTIMATE 3 /* the noise of fewer is nothing to go by */

/* The standard deviation of one run's logarithm: what differs in a round between any variant and the first, its mean taken out. NAN for
 * none. */
double rounds_noise(const struct summary *s, const struct summary_metric *m);
/*
 * In a sentence: how many metrics want no more than `planned` rounds for an effect (0.05) to be seen in four of five cases, and which ones
 * want how many. NULL where no noise is known. Owned by the caller.
 */
char *rounds_wanted(const struct summary *s, size_t planned, double effect);
/* Before any round: the noise that `planned` rounds bear. Owned by the caller. */
char *rounds_bear(size_t planned, double effect);
