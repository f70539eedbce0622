/* SPDX-License-Identifier: GPL-2.0-or-later */
/* analysis: records → what differs from what, by how much, and whether to believe it. Pure. */
#pragma once
#include <jansson.h>
#include "launcher/bench/stats.h"

/* One metric of one variant, beside the first variant (or, for compare, beside the same variant of another file). */
struct analysis {
	const char *variant, *metric, *unit; /* of the records: they must live as long. "jitter.timer.p99" for a percentile */
	const char *of;                      /* the metric that it is a percentile of, or metric itself */
	double percentile;                   /* of all values of all rounds; below 0: the median of each round's */
	double median;                       /* or that percentile */
	struct stats_pair pair;
	bool less_is_better;
	bool base;  /* this is what the others are compared with */
	bool noisy; /* the control, which is the first variant again, differs too: not to be trusted */
	bool drifts;
	double drift;
};
struct analyses {
	struct analysis *v;
	size_t n;
	json_t *variants, *metrics; /* owned: the names above are theirs. metrics: {"jitter.timer.p99": {"of", "p"}} */
};
/* `records` by metric, then variant, in the plan's order; the first variant is what the others are compared with. */
void analyses_make(const json_t *records, struct analyses *ret);
/* The variants of b beside the same ones of a; the controls of both tell of noise. */
void analyses_compare(const json_t *a, const json_t *b, struct analyses *ret);
void analyses_free(struct analyses *a);
#define cleanup_analyses cleanup(analyses_free)

/* One value a round: the median, or the percentile, of what that round measured; 0 where it did not. ret_v[0 … records_rounds - 1]. */
void analysis_column(const struct analysis *a, const json_t *records, double *ret_v);
/* How many comparisons the control makes, and how many of them it calls different. */
void analyses_control(const struct analyses *a, size_t *ret_n, size_t *ret_noisy);
/* 1: better, -1: worse, 0: neither is known. */
int analysis_better(const struct analysis *a);
/* "better", "worse", "same", "too few rounds", "noise": a word for it. */
const char *analysis_word(const struct analysis *a);
