/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats: see stats.h. */
#include <stdint.h>
#include <stdlib.h>
#include "launcher/base/str.h"
#include "launcher/bench/libm.h"
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

/* Student's t of 97.5 % by degrees of freedom: Cornish and Fisher's expansion around the normal's (Abramowitz and Stegun, 26.7.5). */
static double student(double degrees)
{
	const double z = 1.959963985, z3 = z * z * z, z5 = z3 * z * z;
	return z + (z3 + z) / (4 * degrees) + (5 * z5 + 16 * z3 + 3 * z) / (96 * degrees * degrees);
}

/* Which percentile of resampled values ends a 95 % interval, for a sample of n. */
static double expanded_percentile(size_t n)
{
	if (n < 2)
		return 0;
	double degrees = (double)(n - 1), at = libm()->sqrt((double)n / degrees) * student(degrees);
	return 100 * libm()->erfc(at / libm()->sqrt(2)) / 2;
}

static struct stats_interval interval_of(double median, const double *resampled, size_t n)
{
	double p = expanded_percentile(n);
	return (struct stats_interval){ median, stats_percentile(resampled, RESAMPLES, p), stats_percentile(resampled, RESAMPLES, 100 - p) };
}

struct stats_interval stats_bootstrap(const double *v, size_t n)
{
	if (!n)
		return (struct stats_interval){ NAN, NAN, NAN };
	struct stats_dice dice = { SEED };
	cleanup_free double *medians = mem_new(RESAMPLES * sizeof(double)), *sample = mem_new(n * sizeof(double));
	for (size_t i = 0; i < RESAMPLES; i++) {
		for (size_t k = 0; k < n; k++)
			sample[k] = v[stats_roll(&dice, n)];
		medians[i] = stats_median(sample, n);
	}
	return interval_of(stats_median(v, n), medians, n);
}

/* What the interval of a ratio says. */
static void judge(struct stats_pair *r)
{
	double half = libm()->fmax(r->ratio.high - r->ratio.median, r->ratio.median - r->ratio.low) / r->ratio.median;
	r->least = libm()->fmax(half, 0) + STATS_LEAST;
	r->verdict = r->ratio.high < 1 - STATS_LEAST ? STATS_LESS : r->ratio.low > 1 + STATS_LEAST ? STATS_MORE : STATS_SAME;
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
	judge(&r);
	return r;
}

/* All values of all rounds, the largest first, each with its round. */
struct pooled {
	double value;
	size_t round;
};

static int by_value_down(const void *a, const void *b)
{
	return -by_value(&((const struct pooled *)a)->value, &((const struct pooled *)b)->value);
}

static struct pooled *pool(const struct stats_sample *rounds, size_t n, size_t *ret_total)
{
	size_t total = 0;
	for (size_t i = 0; i < n; i++)
		total += rounds[i].n;
	struct pooled *all = mem_new((total + 1) * sizeof(*all));
	*ret_total = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < rounds[i].n; k++)
			all[(*ret_total)++] = (struct pooled){ rounds[i].v[k], i };
	qsort(all, total, sizeof(*all), by_value_down);
	return all;
}

/* The percentile of what is left when each round counts `times` times. */
static double weighted_tail(const struct pooled *all, size_t total, const size_t *times, double p)
{
	size_t weight = 0, above = 0, i = 0;
	for (size_t k = 0; k < total; k++)
		weight += times[all[k].round];
	if (!weight)
		return NAN;
	double wanted = (1 - p / 100) * (double)(weight - 1);
	while (i < total && (above += times[all[i].round]) <= (size_t)wanted)
		i++;
	return all[i].value;
}

static size_t *once_each(size_t n)
{
	size_t *times = mem_new((n + 1) * sizeof(*times));
	for (size_t i = 0; i < n; i++)
		times[i] = 1;
	return times;
}

double stats_tail(const struct stats_sample *rounds, size_t n, double p)
{
	size_t total;
	cleanup_free struct pooled *all = pool(rounds, n, &total);
	cleanup_free size_t *times = once_each(n);
	return weighted_tail(all, total, times, p);
}

static struct stats_pair compare_largest(const struct stats_sample *a, const struct stats_sample *b, size_t n)
{
	cleanup_free double *x = mem_new((n + 1) * sizeof(double)), *y = mem_new((n + 1) * sizeof(double));
	for (size_t i = 0; i < n; i++) {
		x[i] = a[i].n ? stats_percentile(a[i].v, a[i].n, 100) : 0;
		y[i] = b[i].n ? stats_percentile(b[i].v, b[i].n, 100) : 0;
	}
	return stats_compare(x, y, n);
}

struct stats_pair stats_compare_tails(const struct stats_sample *a, const struct stats_sample *b, size_t n, double p)
{
	if (p >= 100)
		return compare_largest(a, b, n);
	struct stats_pair r = { .ratio = { NAN, NAN, NAN }, .verdict = STATS_UNTRUSTED };
	cleanup_free struct stats_sample *x = mem_new((n + 1) * sizeof(*x)), *y = mem_new((n + 1) * sizeof(*y));
	size_t pairs = 0, total_x, total_y;
	for (size_t i = 0; i < n; i++)
		if (a[i].n && b[i].n) {
			x[pairs] = a[i];
			y[pairs++] = b[i];
		}
	cleanup_free struct pooled *all_x = pool(x, pairs, &total_x), *all_y = pool(y, pairs, &total_y);
	cleanup_free size_t *times = once_each(pairs);
	double base = weighted_tail(all_x, total_x, times, p);
	if (!pairs || !(base > 0))
		return r;
	double ratio = weighted_tail(all_y, total_y, times, p) / base;
	struct stats_dice dice = { SEED };
	cleanup_free double *ratios = mem_new(RESAMPLES * sizeof(double));
	for (size_t i = 0; i < RESAMPLES; i++) {
		memset(times, 0, pairs * sizeof(*times));
		for (size_t k = 0; k < pairs; k++)
			times[stats_roll(&dice, pairs)]++;
		double below = weighted_tail(all_x, total_x, times, p);
		ratios[i] = below > 0 ? weighted_tail(all_y, total_y, times, p) / below : ratio;
	}
	r.ratio = interval_of(ratio, ratios, pairs);
	if (pairs >= STATS_ROUNDS_MIN)
		judge(&r);
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
	return of_rank > 0 ? both / libm()->sqrt(of_rank * of_order) : 0;
}

bool stats_drifts(double drift, size_t n)
{
	/* for no correlation, drift * sqrt(n - 1) is nearly normal; below 6 values no order is rare enough */
	return n >= 6 && fabs(drift) * libm()->sqrt((double)(n - 1)) > 1.96;
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
