/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stats: what a benchmark's numbers say, and what they do not. Pure: the same numbers give the same answer, also where chance is used (a
 * generator with a fixed seed).
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* A change of less than this (a ratio) is never called a difference, however sure it is. */
#define STATS_LEAST 0.01

/* Of a sample in any order; `v` stays as it is. NAN for none. */
double stats_median(const double *v, size_t n);
double stats_percentile(const double *v, size_t n, double p); /* p from 0 to 100; between two values, in proportion */

struct stats_interval {
	double median, low, high; /* NAN for none */
};
/*
 * The median of a sample and its 95 % interval by bootstrap: percentiles of the medians of resamples, further out the fewer values there are
 * (Hesterberg: What Teachers Should Know about the Bootstrap, "expanded percentile"): plain ones of 7 values would miss the truth in 1 of 8.
 */
struct stats_interval stats_bootstrap(const double *v, size_t n);

enum stats_verdict {
	STATS_SAME,      /* no difference was seen: smaller ones than `least` could not have been */
	STATS_LESS,      /* b is smaller than a: the interval of b / a lies below 1 - STATS_LEAST */
	STATS_MORE,
	STATS_UNTRUSTED, /* too few rounds to say anything */
};
struct stats_pair {
	struct stats_interval ratio; /* b / a */
	enum stats_verdict verdict;
	double least; /* the smallest detectable effect of these rounds: 0.03 is 3 %; 0 if untrusted */
};
#define STATS_ROUNDS_MIN 6 /* with n pairs all resamples together cover the true median with 1 - 2^(1-n): 97 % */
/* Of values that were measured in pairs: a[i] and b[i] in the same round. A pair with a value that is not above 0 does not count. */
struct stats_pair stats_compare(const double *a, const double *b, size_t n);

/* What one round measured: borrowed values, in any order; n 0 where it did not. */
struct stats_sample {
	const double *v;
	size_t n;
};
/* A percentile of all values of all rounds together; 100 is the largest. NAN for none. */
double stats_tail(const struct stats_sample *rounds, size_t n, double p);
/*
 * Of tails: the ratio of such percentiles, with an interval by a bootstrap of whole rounds (values within one are not independent), the same
 * rounds of a and b. The largest value (p 100) has no law to resample by: it is compared round by round as by stats_compare.
 */
struct stats_pair stats_compare_tails(const struct stats_sample *a, const struct stats_sample *b, size_t n, double p);

/* Spearman's rank correlation of a sample with its order, -1 to 1; ties share their ranks. 0 for less than 3, and for values all alike. */
double stats_drift(const double *v, size_t n);
/* Whether a drift of this size is hardly chance (two-sided, 5 %) for n values. */
bool stats_drifts(double drift, size_t n);

/* A generator whose numbers depend on its state alone (splitmix64). */
struct stats_dice {
	unsigned long long state;
};
size_t stats_roll(struct stats_dice *d, size_t sides); /* 0 to sides - 1; sides > 0 */
/* The order of `n` things in a round: mixed anew in even rounds, the one before backwards in odd ones (A B, then B A). */
void stats_order(size_t round, size_t n, size_t *ret_order);
