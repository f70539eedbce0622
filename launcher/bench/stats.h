/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stats: what a benchmark's numbers say, and what they do not. Pure: the same numbers give the same answer, also where chance is used (a
 * generator with a fixed seed).
 *
 * Two variants are compared pair by pair: what one round measured of each. Of every metric there is one value a run; the pair gives one
 * number, the logarithm of the ratio. The estimate is Hodges and Lehmann's (the median of all means of two). The interval is what a test by
 * sign flips does not reject: were there no effect beyond the assumed one, each round's number could as well have had the other sign, so
 * the statistic of all 2^n sign patterns is what chance alone makes. That is exact for any number of rounds and any noise alike on both
 * sides.
 *
 * The statistic is Student's, of numbers clamped at three times the median of their sizes, so that one bad round does not hide an effect.
 * All metrics of a comparison share the sign patterns, and the largest statistic of them counts (Westfall and Young's max-T): an interval
 * that clears 0 in any metric, without there being an effect, comes in at most `alpha` of comparisons, however many metrics there are.
 *
 * Rounds that hang together (autocorrelation) tell less than independent ones: where that is seen, the interval is widened by
 * sqrt((1 + r) / (1 - r)), and where what is left of them, n (1 - r) / (1 + r), is less than 10, nothing can be told.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* Of a sample in any order; `v` stays as it is. NAN for none. */
double stats_median(const double *v, size_t n);
double stats_percentile(const double *v, size_t n, double p); /* p from 0 to 100; between two values, in proportion */
/* The same of a sample that is sorted, the smallest first. */
double stats_percentile_sorted(const double *v, size_t n, double p);
/* A sorted copy; owned by the caller. */
double *stats_sorted(const double *v, size_t n);
/* The median of the means of all pairs of values, each with itself too (Hodges and Lehmann). NAN for none. */
double stats_hodges_lehmann(const double *v, size_t n);

#define STATS_ALPHA 0.05
#define STATS_MARGIN 0.01  /* of a plan that names none: what is less than this is equivalent */
#define STATS_EFFECT 0.05  /* of a plan that names none: what is to be seen */
#define STATS_TOGETHER_ROUNDS 20 /* in fewer, whether they hang together is not seen (test_bench_stats.c) */
#define STATS_ROUNDS_MIN 6 /* 2 of 2^6 sign patterns are 3.1 %; 2 of 2^5 are more than 5 % */

/* One metric of both sides of a comparison, round by round: borrowed; NAN where there is none. */
struct stats_series {
	const double *a, *b;
};
struct stats_pair {
	double estimate, low, high; /* b / a, or b - a; NAN for no pair, infinite ends for too few rounds */
	bool difference;            /* b - a: a value of it is 0 or negative */
	double least;    /* the smallest effect that could have been seen: 0.03 is 3 %, or in the metric's unit; INFINITY: none */
	double together; /* autocorrelation that was seen and widened for; else 0 */
	size_t pairs;
};
/*
 * A run that may end early looks at its rounds three times: after half of those planned, after three quarters, at the end; each look has
 * its own part of alpha (a tenth, a fifth, the rest), which add up to it. So all intervals of all looks together hold the truth as often as
 * those of one look with all of alpha would, whatever the rule to end by (repeated confidence intervals: Jennison and Turnbull; spending:
 * Lan and DeMets). Half of the fewest rounds tells at a tenth of alpha: 2^8 sign patterns, of which one is 0.4 %.
 */
#define STATS_LOOKS_ROUNDS_MIN 18
/* Whether there is a look after `rounds` of `planned`, before the last. */
bool stats_is_look(size_t rounds, size_t planned);
/* The alpha of the last look until then; before the first that of the first. */
double stats_look_alpha(size_t rounds, size_t planned);

/* All metrics of one comparison: n of them, of `rounds` rounds each. ret_pairs[n]. `alpha`: of all metrics together. */
void stats_compare(const struct stats_series *metrics, size_t n, size_t rounds, double alpha, struct stats_pair *ret_pairs);

enum stats_verdict {
	STATS_LESS, /* b is smaller: its interval lies below, and not within the margin */
	STATS_MORE,
	STATS_EQUIVALENT, /* the whole interval lies within the margin */
	STATS_UNKNOWN,    /* it cannot be told */
};
/* `margin`: as a part of `base`, which is a typical value of a (used where the pair is a difference). */
enum stats_verdict stats_judge(const struct stats_pair *p, double margin, double base);

/*
 * How many rounds show an effect (0.05: 5 %) in four of five cases, where one run's noise is `noise` (standard deviation, a part) and
 * `metrics` are compared together: from the normal distribution. At most 1000.
 */
size_t stats_rounds(double noise, double effect, size_t metrics);
/* The other way round: the most noise of one run at which `rounds` do, of one metric. 0 for too few rounds. */
double stats_noise(size_t rounds, double effect);

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
