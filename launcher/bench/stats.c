/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats: see stats.h. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include "launcher/base/str.h"
#include "launcher/bench/stats.h"

#define RESAMPLES 2000
#define SEED 1

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double *sorted(const double *v, size_t n)
{
	double *s = mem_new((n ? n : 1) * sizeof(*s));
	if (n)
		memcpy(s, v, n * sizeof(*s));
	qsort(s, n, sizeof(*s), by_value);
	return s;
}

double stats_percentile(const double *v, size_t n, double p)
{
	if (!n)
		return NAN;
	cleanup_free double *s = sorted(v, n);
	double at = p / 100 * (double)(n - 1);
	size_t below = (size_t)at, above = below + 1 < n ? below + 1 : below;
	return s[below] + (s[above] - s[below]) * (at - (double)below);
}

double stats_median(const double *v, size_t n)
{
	return stats_percentile(v, n, 50);
}

size_t stats_roll(struct stats_dice *d, size_t sides)
{
	uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15); /* Steele, Lea, Flood: Fast splittable pseudorandom number generators */
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (size_t)((z ^ (z >> 31)) % sides);
}

struct stats_interval stats_bootstrap(const double *v, size_t n)
{
	struct stats_interval r = { NAN, NAN, NAN };
	if (!n)
		return r;
	struct stats_dice dice = { SEED };
	cleanup_free double *medians = mem_new(RESAMPLES * sizeof(double)), *sample = mem_new(n * sizeof(double));
	for (size_t i = 0; i < RESAMPLES; i++) {
		for (size_t k = 0; k < n; k++)
			sample[k] = v[stats_roll(&dice, n)];
		medians[i] = stats_median(sample, n);
	}
	r.median = stats_median(v, n);
	r.low = stats_percentile(medians, RESAMPLES, 2.5);
	r.high = stats_percentile(medians, RESAMPLES, 97.5);
	return r;
}

struct stats_pair stats_compare(const double *a, const double *b, size_t n)
{
	struct stats_pair r = { .verdict = STATS_UNTRUSTED };
	cleanup_free double *ratios = mem_new((n ? n : 1) * sizeof(double));
	size_t pairs = 0;
	for (size_t i = 0; i < n; i++)
		if (a[i] > 0 && b[i] > 0)
			ratios[pairs++] = b[i] / a[i];
	r.ratio = stats_bootstrap(ratios, pairs);
	if (pairs < STATS_ROUNDS_MIN)
		return r;
	double half = fmax(r.ratio.high - r.ratio.median, r.ratio.median - r.ratio.low) / r.ratio.median;
	r.least = fmax(half, 0) + STATS_LEAST;
	r.verdict = r.ratio.high < 1 - STATS_LEAST ? STATS_LESS : r.ratio.low > 1 + STATS_LEAST ? STATS_MORE : STATS_SAME;
	return r;
}

/* The rank of v[i] among all, ties sharing the middle. */
static double rank_of(const double *v, size_t n, size_t i)
{
	size_t less = 0, alike = 0;
	for (size_t k = 0; k < n; k++) {
		less += v[k] < v[i];
		alike += v[k] <= v[i] && v[k] >= v[i];
	}
	return (double)less + (double)(alike - 1) / 2;
}

double stats_drift(const double *v, size_t n)
{
	double mean = (double)(n - 1) / 2, both = 0, of_rank = 0, of_order = 0;
	for (size_t i = 0; n >= 3 && i < n; i++) {
		double x = rank_of(v, n, i) - mean, y = (double)i - mean;
		both += x * y;
		of_rank += x * x;
		of_order += y * y;
	}
	return of_rank > 0 ? both / sqrt(of_rank * of_order) : 0;
}

bool stats_drifts(double drift, size_t n)
{
	/* for no correlation, drift * sqrt(n - 1) is nearly normal; below 6 values no order is rare enough */
	return n >= 6 && fabs(drift) * sqrt((double)(n - 1)) > 1.96;
}

void stats_order(size_t round, size_t n, size_t *ret_order)
{
	struct stats_dice dice = { SEED + round / 2 };
	for (size_t i = 0; i < n; i++)
		ret_order[i] = i;
	for (size_t i = n; i > 1; i--) {
		size_t k = stats_roll(&dice, i), t = ret_order[i - 1];
		ret_order[i - 1] = ret_order[k];
		ret_order[k] = t;
	}
	for (size_t i = 0; round % 2 && i < n / 2; i++) {
		size_t t = ret_order[i];
		ret_order[i] = ret_order[n - 1 - i];
		ret_order[n - 1 - i] = t;
	}
}
