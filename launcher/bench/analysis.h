/* SPDX-License-Identifier: GPL-2.0-or-later */
/* analysis: what differs from what, by how much, and whether to believe it. Pure. */
#pragma once
#include "launcher/bench/stats.h"
#include "launcher/bench/summary.h"

enum analysis_verdict { ANALYSIS_BETTER, ANALYSIS_WORSE, ANALYSIS_EQUIVALENT, ANALYSIS_UNKNOWN, ANALYSIS_MISSING };
#define ANALYSIS_VERDICTS 5

/* One metric of one variant, beside the first variant (or, for two files, beside the same variant of the other one). */
struct analysis {
	const struct summary *of, *beside; /* what the variant, and what it is compared with, stands in */
	size_t variant, base_variant;      /* of `of`, of `beside` */
	const struct summary_metric *metric;
	double median; /* of its runs; NAN for none */
	bool base;     /* this is what the others are compared with: no pair, no verdict */
	struct stats_pair pair;
	enum analysis_verdict verdict;
	const char *why;     /* of UNKNOWN and MISSING; NULL: the interval alone */
	double drift;        /* from round to round, by more than chance; else 0 */
	double drift_beside; /* the same of what it is compared with, where that is another file's */
};
/* By metric, then variant. They point into the summaries, which must live as long. */
struct analyses {
	struct analysis *v;
	size_t n, rounds;     /* rounds: of the shorter one */
	double margin, alpha; /* alpha: that all metrics of one comparison share */
};
/* Each variant beside the first. A metric in which the control, which is the first once more, differs tells nothing of the others. */
void analyses_make(const struct summary *s, struct analyses *ret);
/* The variants of b beside the same ones of a, without the controls, which only tell of noise. */
void analyses_compare(const struct summary *a, const struct summary *b, struct analyses *ret);
/* Of a file, or of two: STATS_ALPHA, or less where one of them may have ended early. */
double analyses_alpha(const struct summary *a, const struct summary *b);
void analyses_free(struct analyses *a);
#define cleanup_analyses cleanup(analyses_free)

/* How many there are of each verdict, but of the base and of the control, or of the control alone. */
void analyses_count(const struct analyses *a, bool control, size_t ret_counts[ANALYSIS_VERDICTS]);
/* Whether anything cannot be told that more rounds could tell: not where the control differs, too. */
bool analyses_open(const struct analyses *a);
/* "better", "worse", "equivalent", "cannot be told", "missing": marked, not translated. */
const char *analysis_word(enum analysis_verdict v);
bool analysis_is_control(const struct analysis *a);
