/* SPDX-License-Identifier: GPL-2.0-or-later */
/* analysis: records → what differs from what, by how much, and whether to believe it. Pure. */
#pragma once
#include <jansson.h>
#include "launcher/bench/stats.h"

/* One metric of one variant, beside the first variant (or, for compare, beside the same variant of another file). */
struct analysis {
	const char *variant, *metric, *unit; /* of the records: they must live as long */
	double median;
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
	json_t *variants, *metrics; /* owned: the names above are theirs */
};
/* `records` by metric, then variant, in the plan's order; the first variant is what the others are compared with. */
void analyses_make(const json_t *records, struct analyses *ret);
/* The variants of b beside the same ones of a; the controls of both tell of noise. */
void analyses_compare(const json_t *a, const json_t *b, struct analyses *ret);
void analyses_free(struct analyses *a);
#define cleanup_analyses cleanup(analyses_free)

/* 1: better, -1: worse, 0: neither is known. */
int analysis_better(const struct analysis *a);
/* "better", "worse", "same", "too few rounds", "noise": a word for it. */
const char *analysis_word(const struct analysis *a);
