/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats: see stats.h. */
#include <stdint.h>
#include <stdlib.h>
#include "launcher/base/str.h"
#include "launcher/bench/libm.h"
#include "launcher/bench/stats.h"

#define SEED 1
#define FLIPS 1024      /* sign patterns: all of up to 11 rounds (each stands for its negative, too), else drawn by chance */
#define ENUMERATED 11
#define CLAMP 3         /* times the median of sizes: 2 standard deviations of normal noise */
#define HALVINGS 14     /* of an interval's end: to a part in 16000 */
#define TOGETHER 1.645      /* the normal quantile of 95 % */
#define INDEPENDENT_MIN 10  /* of fewer, how much they hang together cannot be told well enough to widen by it */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

double *stats_sorted(const double *v, size_t n)
{
	double *s = mem_new((n ? n : 1) * sizeof(*s));
	if (n)
		memcpy(s, v, n * sizeof(*s));
	qsort(s, n, sizeof(*s), by_value);
	return s;
}

double stats_percentile_sorted(const double *v, size_t n, double p)
{
	if (!n)
		return NAN;
	double at = p / 100 * (double)(n - 1);
	size_t below = (size_t)at, above = below + 1 < n ? below + 1 : below;
	return v[below] + (v[above] - v[below]) * (at - (double)below);
}

double stats_percentile(const double *v, size_t n, double p)
{
	cleanup_free double *s = stats_sorted(v, n);
	return stats_percentile_sorted(s, n, p);
}

double stats_median(const double *v, size_t n)
{
	return stats_percentile(v, n, 50);
}

/* The k-th smallest of v, which is rearranged (Hoare's selection). */
static double select_kth(double *v, size_t n, size_t k)
{
	size_t low = 0, high = n - 1;
	while (low < high) {
		double pivot = v[low + (high - low) / 2];
		size_t i = low, j = high;
		for (;; i++, j--) {
			while (v[i] < pivot)
				i++;
			while (v[j] > pivot)
				j--;
			if (i >= j)
				break;
			double t = v[i];
			v[i] = v[j];
			v[j] = t;
		}
		if (k <= j)
			high = j;
		else
			low = j + 1;
	}
	return v[k];
}

double stats_hodges_lehmann(const double *v, size_t n)
{
	size_t means = n * (n + 1) / 2, at = 0;
	if (!n)
		return NAN;
	cleanup_free double *mean = mem_new(means * sizeof(*mean));
	for (size_t i = 0; i < n; i++)
		for (size_t k = i; k < n; k++)
			mean[at++] = (v[i] + v[k]) / 2;
	double upper = select_kth(mean, means, means / 2);
	return means % 2 ? upper : (select_kth(mean, means, means / 2 - 1) + upper) / 2;
}

size_t stats_roll(struct stats_dice *d, size_t sides)
{
	uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15); /* Steele, Lea, Flood: Fast splittable pseudorandom number generators */
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (size_t)((z ^ (z >> 31)) % sides);
}

/* One metric while its comparison is made. */
struct metric {
	double *d, *z; /* [n]: the pairs' numbers; what is left of them after an assumed effect, clamped */
	size_t *round; /* [n]: which sign is theirs */
	size_t n;
	double *sizes;   /* [n]: to work in */
	double *of_flip; /* [FLIPS]: the statistic of each pattern, no effect assumed */
};
struct family {
	struct metric *metrics;
	size_t n, flips, rounds;
	double *signs; /* [flips][rounds]: 1 or -1; the first pattern is as measured */
	double alpha;
};

/* Student's statistic rises with |sum| / root of the sum of squares, which no sign changes: that is all that is needed of it. */
static double statistic(const struct metric *m, const double *signs)
{
	double sum = 0, squares = 0;
	for (size_t i = 0; i < m->n; i++) {
		sum += signs[m->round[i]] * m->z[i];
		squares += m->z[i] * m->z[i];
	}
	return squares > 0 ? fabs(sum) / libm()->sqrt(squares) : 0;
}

static void assume(struct metric *m, double effect)
{
	for (size_t i = 0; i < m->n; i++) {
		m->z[i] = m->d[i] - effect;
		m->sizes[i] = fabs(m->z[i]);
	}
	double most = m->n ? CLAMP * select_kth(m->sizes, m->n, m->n / 2) : 0;
	for (size_t i = 0; i < m->n; i++)
		m->z[i] = m->z[i] > most ? most : m->z[i] < -most ? -most : m->z[i];
}

/* Whether the test rejects that metric k's effect is `effect`: at most alpha of patterns have a statistic as large, in any metric. */
static bool rejected(struct family *f, size_t k, const double *others, double effect)
{
	struct metric *m = &f->metrics[k];
	size_t as_large = 0, most = (size_t)(f->alpha * (double)f->flips);
	assume(m, effect);
	double seen = statistic(m, f->signs) * (1 - 1e-9);
	for (size_t i = 0; i < f->flips && as_large <= most; i++)
		as_large += others[i] >= seen || statistic(m, f->signs + i * f->rounds) >= seen;
	return as_large <= most;
}

/* An end of the interval: the effect furthest from `middle` in the direction of `way` (1, -1) that is not rejected. */
static double end_of(struct family *f, size_t k, const double *others, double middle, double way)
{
	const struct metric *m = &f->metrics[k];
	double span = 0;
	for (size_t i = 0; i < m->n; i++)
		span = libm()->fmax(span, fabs(m->d[i] - middle));
	bool alike = !(span > 0); /* all pairs say the same: with rounds enough, exactly that */
	span = alike ? 1e-12 : span;
	double inside = middle, outside = middle + way * span;
	for (int i = 0; !rejected(f, k, others, outside); i++) {
		if (i == 12)
			return way * INFINITY;
		inside = outside;
		span *= 3;
		outside = middle + way * span;
	}
	if (alike)
		return middle;
	for (int i = 0; i < HALVINGS; i++) {
		double between = (inside + outside) / 2;
		if (rejected(f, k, others, between))
			outside = between;
		else
			inside = between;
	}
	return outside;
}

/* The largest statistic of each pattern among all metrics but k. */
static void largest_of_others(const struct family *f, size_t k, double *ret_largest)
{
	memset(ret_largest, 0, FLIPS * sizeof(*ret_largest));
	for (size_t j = 0; j < f->n; j++)
		for (size_t i = 0; j != k && i < f->flips; i++)
			ret_largest[i] = f->metrics[j].of_flip[i] > ret_largest[i] ? f->metrics[j].of_flip[i] : ret_largest[i];
}

static void make_signs(struct family *f)
{
	bool all = f->rounds <= ENUMERATED;
	struct stats_dice dice = { SEED };
	f->flips = all ? (size_t)1 << (f->rounds ? f->rounds - 1 : 0) : FLIPS;
	f->signs = mem_new((f->flips * f->rounds + 1) * sizeof(double));
	for (size_t i = 0; i < f->flips; i++)
		for (size_t r = 0; r < f->rounds; r++)
			f->signs[i * f->rounds + r] = (all ? i >> r & 1 : i && stats_roll(&dice, 2)) ? -1 : 1;
}

/*
 * Autocorrelation of a sample with its neighbour, less the bias of few values (Marriott and Pope 1954); 0 where it could be chance: one in
 * twenty samples without any is taken for one.
 */
static double hang_together(const double *v, size_t n)
{
	double mean = 0, own = 0, next = 0;
	for (size_t i = 0; i < n; i++)
		mean += v[i] / (double)n;
	for (size_t i = 0; i < n; i++) {
		own += (v[i] - mean) * (v[i] - mean);
		next += i ? (v[i] - mean) * (v[i - 1] - mean) : 0;
	}
	/* what rounding alone makes of values that are alike hangs together, and means nothing */
	double rounding = 1e-24 * (double)n * libm()->fmax(1, mean * mean);
	double r = own > rounding ? next / own : 0, chance = (TOGETHER * libm()->sqrt((double)n) - 1) / (double)n;
	double unbiased = r + (1 + 4 * r) / (double)n;
	return n < STATS_ROUNDS_MIN || r <= chance ? 0 : unbiased < 0.95 ? unbiased : 0.95;
}

/* The pairs' numbers. Returns whether they are differences: where a value is not above 0, it has no logarithm. */
static bool take_pairs(struct metric *m, const struct stats_series *s, size_t rounds)
{
	bool difference = false;
	m->d = mem_new((rounds + 1) * sizeof(double));
	m->z = mem_new((rounds + 1) * sizeof(double));
	m->sizes = mem_new((rounds + 1) * sizeof(double));
	m->round = mem_new((rounds + 1) * sizeof(size_t));
	m->of_flip = mem_new(FLIPS * sizeof(double));
	for (size_t i = 0; i < rounds; i++)
		if (isfinite(s->a[i]) && isfinite(s->b[i])) {
			difference = difference || !(s->a[i] > 0) || !(s->b[i] > 0);
			m->round[m->n++] = i;
		}
	for (size_t i = 0; i < m->n; i++) {
		double a = s->a[m->round[i]], b = s->b[m->round[i]];
		m->d[i] = difference ? b - a : libm()->log(b / a);
	}
	return difference;
}

static struct stats_pair interval_of(struct family *f, size_t k, const double *others, bool difference)
{
	const struct metric *m = &f->metrics[k];
	struct stats_pair p = { NAN, NAN, NAN, difference, INFINITY, hang_together(m->d, m->n), m->n };
	if (!m->n)
		return p;
	double independent = (double)m->n * (1 - p.together) / (1 + p.together);
	double middle = stats_hodges_lehmann(m->d, m->n);
	double wider = libm()->sqrt((1 + p.together) / (1 - p.together));
	double low = (middle - end_of(f, k, others, middle, -1)) * wider, high = (end_of(f, k, others, middle, 1) - middle) * wider;
	if (p.together > 0 && independent < INDEPENDENT_MIN)
		low = high = INFINITY;
	p.least = libm()->fmax(low, high);
	p.estimate = middle;
	p.low = middle - low;
	p.high = middle + high;
	if (difference)
		return p;
	p.estimate = libm()->exp(p.estimate);
	p.low = libm()->exp(p.low);
	p.high = libm()->exp(p.high);
	p.least = libm()->exp(p.least) - 1;
	return p;
}

void stats_compare(const struct stats_series *metrics, size_t n, size_t rounds, double alpha, struct stats_pair *ret_pairs)
{
	struct family f = { .metrics = mem_new((n + 1) * sizeof(struct metric)), .n = n, .rounds = rounds, .alpha = alpha };
	cleanup_free double *others = mem_new(FLIPS * sizeof(double));
	cleanup_free bool *difference = mem_new((n + 1) * sizeof(bool));
	make_signs(&f);
	for (size_t k = 0; k < n; k++) {
		difference[k] = take_pairs(&f.metrics[k], &metrics[k], rounds);
		assume(&f.metrics[k], 0);
		for (size_t i = 0; i < f.flips; i++)
			f.metrics[k].of_flip[i] = statistic(&f.metrics[k], f.signs + i * rounds);
	}
	for (size_t k = 0; k < n; k++) {
		largest_of_others(&f, k, others);
		ret_pairs[k] = interval_of(&f, k, others, difference[k]);
	}
	for (size_t k = 0; k < n; k++) {
		struct metric *m = &f.metrics[k];
		free(m->d);
		free(m->z);
		free(m->sizes);
		free(m->round);
		free(m->of_flip);
	}
	free(f.metrics);
	free(f.signs);
}

enum stats_verdict stats_judge(const struct stats_pair *p, double margin, double base)
{
	double none = p->difference ? 0 : 1;
	double below = p->difference ? -margin * fabs(base) : 1 / (1 + margin), above = p->difference ? margin * fabs(base) : 1 + margin;
	if (!isfinite(p->low) || !isfinite(p->high))
		return STATS_UNKNOWN;
	return p->low >= below && p->high <= above ? STATS_EQUIVALENT
	       : p->high < none                    ? STATS_LESS
	       : p->low > none                     ? STATS_MORE
						   : STATS_UNKNOWN;
}

/* The normal distribution's quantile of 1 - tail, 0 < tail < 0.5, to 0.00045 (Abramowitz and Stegun, 26.2.23). */
static double normal_quantile(double tail)
{
	double t = libm()->sqrt(-2 * libm()->log(tail));
	return t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
}

size_t stats_rounds(double noise, double effect, size_t metrics)
{
	double sure = normal_quantile(STATS_ALPHA / 2 / (double)(metrics ? metrics : 1)), often = normal_quantile(0.2);
	double part = libm()->sqrt(2) * noise / libm()->log(1 + effect); /* of a pair */
	/* Student's distribution for the normal one: half the square of `sure` more (Guenther 1981) */
	double n = libm()->ceil((sure + often) * (sure + often) * part * part + sure * sure / 2);
	return n < STATS_ROUNDS_MIN ? STATS_ROUNDS_MIN : n > 1000 ? 1000 : (size_t)n;
}

double stats_noise(size_t rounds, double effect)
{
	double low = 0, high = 10;
	for (int i = 0; rounds >= STATS_ROUNDS_MIN && i < 40; i++) {
		double middle = (low + high) / 2;
		if (stats_rounds(middle, effect, 1) <= rounds)
			low = middle;
		else
			high = middle;
	}
	return low;
}

bool stats_is_look(size_t rounds, size_t planned)
{
	return planned >= STATS_LOOKS_ROUNDS_MIN && (rounds == (planned + 1) / 2 || rounds == (3 * planned + 3) / 4);
}

double stats_look_alpha(size_t rounds, size_t planned)
{
	return STATS_ALPHA * (rounds >= planned ? 0.7 : rounds >= (3 * planned + 3) / 4 ? 0.2 : 0.1);
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
