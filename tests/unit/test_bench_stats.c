/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_bench_stats: made data whose right answer is known. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "launcher/base/root.h"
#include "launcher/base/str.h"
#include "launcher/bench/stats.h"

#define N 40

/* Around 1, evenly within ± width. */
static double noise(struct stats_dice *d, double width)
{
	return 1 + width * ((double)stats_roll(d, 20001) / 10000 - 1);
}

static void test_percentiles(void **state)
{
	(void)state;
	const double v[] = { 5, 1, 4, 2, 3 };
	assert_float_equal(stats_median(v, 5), 3, 1e-9);
	assert_float_equal(stats_median(v, 4), 3, 1e-9); /* 1 2 4 5 */
	assert_float_equal(stats_percentile(v, 5, 0), 1, 1e-9);
	assert_float_equal(stats_percentile(v, 5, 100), 5, 1e-9);
	assert_float_equal(stats_percentile(v, 5, 75), 4, 1e-9);
	assert_true(isnan(stats_median(v, 0)));
}

/* Between 0 and 1, never either. */
static double unit(struct stats_dice *d)
{
	return ((double)stats_roll(d, 1000000) + 0.5) / 1000000;
}

static double normal(struct stats_dice *d) /* Box and Muller */
{
	return sqrt(-2 * log(unit(d))) * cos(2 * M_PI * unit(d));
}

static void test_hodges_lehmann(void **state)
{
	(void)state;
	const double v[] = { 1, 2, 9 }; /* 1 1.5 2 5 5.5 9 */
	assert_float_equal(stats_hodges_lehmann(v, 3), 3.5, 1e-9);
	assert_float_equal(stats_hodges_lehmann(v, 1), 1, 1e-9);
	assert_true(isnan(stats_hodges_lehmann(v, 0)));
}

/* A made comparison: `metrics` of `rounds` rounds, log-normal noise (or one with rare large values), the first one with an effect. */
struct made {
	size_t rounds, metrics;
	double noise, effect, together; /* together: of neighbours within a variant */
	bool heavy;
};
#define METRICS 30

static double noise_of(struct stats_dice *d, const struct made *m)
{
	return normal(d) * (m->heavy && stats_roll(d, 10) == 0 ? 5 : 1);
}

/* How often anything was called different, and the first metric's interval held the truth, per cent of `times`. */
static void make(struct stats_dice *d, const struct made *m, double a[METRICS][N], double b[METRICS][N])
{
	double own = sqrt(1 - m->together * m->together);
	for (size_t k = 0; k < m->metrics; k++) {
		double x = normal(d), y = normal(d);
		for (size_t i = 0; i < m->rounds; i++) {
			x = m->together * x + own * noise_of(d, m);
			y = m->together * y + own * noise_of(d, m);
			a[k][i] = 50 * exp(m->noise * x);
			b[k][i] = 50 * exp(m->noise * y) * (k ? 1 : 1 + m->effect);
		}
	}
}

static double different(const struct made *m, int times, double *ret_coverage)
{
	static double a[METRICS][N], b[METRICS][N];
	struct stats_dice d = { 42 + m->rounds };
	int seen = 0, held = 0;
	for (int t = 0; t < times; t++) {
		struct stats_series series[METRICS];
		struct stats_pair p[METRICS];
		make(&d, m, a, b);
		for (size_t k = 0; k < m->metrics; k++)
			series[k] = (struct stats_series){ a[k], b[k] };
		stats_compare(series, m->metrics, m->rounds, STATS_ALPHA, p);
		bool any = false;
		for (size_t k = 0; k < (m->effect > 0 ? 1 : m->metrics); k++) {
			enum stats_verdict v = stats_judge(&p[k], STATS_MARGIN, 50);
			any = any || v == STATS_LESS || v == STATS_MORE;
		}
		seen += any;
		held += p[0].low <= 1 + m->effect && 1 + m->effect <= p[0].high;
	}
	*ret_coverage = 100.0 * held / times;
	return 100.0 * seen / times;
}

/* 5 %, and three standard errors of so many tries. */
static double allowed(int times)
{
	return 5 + 300 * sqrt(0.05 * 0.95 / times);
}

static void test_false_alarms(void **state)
{
	(void)state;
	static const size_t rounds[] = { 6, 7, 8, 10, 20, 40 }, metrics[] = { 1, METRICS };
	static const double noises[] = { 0.03, 0.1, 0.2 };
	for (size_t i = 0; i < ARRAY_SIZE(rounds); i++)
		for (size_t k = 0; k < ARRAY_SIZE(metrics); k++)
			for (size_t w = 0; w < ARRAY_SIZE(noises); w++) {
				int times = k ? (rounds[i] > 10 ? 20 : 100) : rounds[i] > 10 ? 200 : 1000;
				struct made m = { rounds[i], metrics[k], noises[w], 0, 0, w == 2 };
				double coverage, alarms = different(&m, times, &coverage);
				print_message("# %zu rounds, %zu metrics, noise %g %%: different %.1f %%, truth held %.1f %% of %d\n",
					      rounds[i], metrics[k], noises[w] * 100, alarms, coverage, times);
				assert_true(alarms <= allowed(times));
				assert_true(coverage >= 100 - allowed(times));
			}
}

static char *manual_text(void)
{
	cleanup_root struct root *root = NULL;
	cleanup_free char *path = realpath("share/man/qlaunch.1.scd", NULL);
	char *manual = NULL;
	assert_null(root_open("/", &root));
	assert_null(root_read(root, path, &manual));
	return manual;
}

/* Whether a line of the manual's tables begins with `head`, and has these numbers behind it, to 2. */
static bool in_manual(const char *manual, const char *head, const double *v, size_t n)
{
	cleanup_free char *begin = str_fmt("\n\t%s", head);
	const char *line = strstr(manual, begin);
	char *cell = line ? (char *)line + strlen(begin) : NULL;
	bool fits = cell;
	print_message("%s", head);
	for (size_t i = 0; i < n; i++) {
		print_message("%5.0f", v[i]);
		fits = fits && fabs(strtod(cell, &cell) - v[i]) <= 2;
	}
	print_message("\n");
	return fits;
}

/*
 * Rounds that hang together: from 20 on it is seen, and hardly anything is called different. In fewer it is not seen: the manual's table
 * says what comes of that, and the report says that it could be so.
 */
static void test_rounds_that_hang_together(void **state)
{
	(void)state;
	static const size_t rounds[] = { 6, 7, 10, 12, 15, 20, 40 };
	static const double together[] = { 0.3, 0.5, 0.8 };
	cleanup_free char *manual = manual_text();
	bool all = true;
	for (size_t i = 0; i < ARRAY_SIZE(rounds); i++) {
		double cells[ARRAY_SIZE(together)], coverage;
		cleanup_free char *head = str_fmt("%6zu   alarms", rounds[i]);
		for (size_t k = 0; k < ARRAY_SIZE(together); k++) {
			struct made m = { rounds[i], 1, 0.1, 0, together[k], false };
			cells[k] = different(&m, 200, &coverage);
			assert_true(rounds[i] < STATS_TOGETHER_ROUNDS || together[k] < 0.6 || cells[k] <= allowed(200));
		}
		all = in_manual(manual, head, cells, ARRAY_SIZE(cells)) && all;
	}
	assert_true(all);
}

/* A run that ends at the first look at which its effect is told: how often it is called different, and after how many rounds on average. */
static double looked(const struct made *m, int times, double *ret_rounds)
{
	static double a[METRICS][N], b[METRICS][N];
	struct stats_dice d = { 99 + m->rounds };
	int seen = 0;
	double sum = 0;
	for (int t = 0; t < times; t++) {
		struct stats_series series[METRICS];
		struct stats_pair p[METRICS];
		bool any = false;
		size_t n = 1;
		make(&d, m, a, b);
		for (size_t k = 0; k < m->metrics; k++)
			series[k] = (struct stats_series){ a[k], b[k] };
		for (; n <= m->rounds && !any; n++) {
			if (n < m->rounds && !stats_is_look(n, m->rounds))
				continue;
			stats_compare(series, m->metrics, n, stats_look_alpha(n, m->rounds), p);
			for (size_t k = 0; k < (m->effect > 0 ? 1 : m->metrics); k++)
				any = any || p[k].low > 1 || p[k].high < 1;
		}
		seen += any;
		sum += (double)n - 1;
	}
	*ret_rounds = sum / times;
	return 100.0 * seen / times;
}

/* `early = yes`: false alarms of all looks together stay at 5 %; the manual's table of what is seen, and when it ended. */
static void test_looks(void **state)
{
	(void)state;
	static const size_t rounds[] = { 18, 20, 40 };
	static const double noises[] = { 0.01, 0.03, 0.1 };
	cleanup_free char *manual = manual_text();
	bool all = true;
	assert_false(stats_is_look(8, 17));
	for (size_t planned = STATS_LOOKS_ROUNDS_MIN; planned <= 100; planned++) {
		double spent = 0;
		for (size_t n = 1; n <= planned; n++)
			spent += n == planned || stats_is_look(n, planned) ? stats_look_alpha(n, planned) : 0;
		assert_float_equal(spent, STATS_ALPHA, 1e-12);
	}
	for (size_t i = 0; i < ARRAY_SIZE(rounds); i++) {
		double used, cells[2 * ARRAY_SIZE(noises)];
		cleanup_free char *head = str_fmt("%6zu   planned", rounds[i]);
		for (size_t k = 0; k < 2; k++) {
			struct made m = { rounds[i], k ? METRICS : 1, 0.03, 0, 0, false };
			int times = k ? 30 : 400;
			double alarms = looked(&m, times, &used);
			print_message("# %zu rounds with looks, %zu metrics: different %.1f %% of %d\n", rounds[i], m.metrics, alarms,
				      times);
			assert_true(alarms <= allowed(times));
		}
		for (size_t w = 0; w < ARRAY_SIZE(noises); w++) {
			struct made m = { rounds[i], 1, noises[w], 0.05, 0, false };
			cells[2 * w] = looked(&m, 100, &cells[2 * w + 1]);
		}
		all = in_manual(manual, head, cells, ARRAY_SIZE(cells)) && all;
	}
	assert_true(all);
}

/* The manual's table (qlaunch.1.scd, BENCHMARKS): how often an effect is seen. Cells are what these seeds give, to 2 of 100. */
static void test_power(void **state)
{
	(void)state;
	static const size_t rounds[] = { 6, 7, 10, 15, 20, 40 };
	static const double noises[] = { 0.01, 0.03, 0.1 }, effects[] = { 0.02, 0.05, 0.1 };
	cleanup_free char *manual = manual_text();
	bool all = true;
	for (size_t i = 0; i < ARRAY_SIZE(rounds); i++) {
		double cells[ARRAY_SIZE(noises) * ARRAY_SIZE(effects)], coverage;
		cleanup_free char *head = str_fmt("%6zu  ", rounds[i]);
		for (size_t w = 0; w < ARRAY_SIZE(noises); w++)
			for (size_t k = 0; k < ARRAY_SIZE(effects); k++) {
				struct made m = { rounds[i], 1, noises[w], effects[k], 0, false };
				cells[w * ARRAY_SIZE(effects) + k] = different(&m, 100, &coverage);
			}
		all = in_manual(strstr(manual, "effect    2    5"), head, cells, ARRAY_SIZE(cells)) && all;
	}
	assert_true(all);
	/* what is told before a run agrees with it: four of five */
	struct made m = { stats_rounds(0.03, 0.05, 1), 1, 0.03, 0.05, 0, false };
	double coverage;
	assert_true(m.rounds >= STATS_ROUNDS_MIN && m.rounds <= N);
	assert_true(different(&m, 300, &coverage) >= 73);
	assert_true(stats_rounds(0.03, 0.05, 30) > m.rounds);
	double most = stats_noise(10, 0.05);
	assert_true(stats_rounds(most, 0.05, 1) <= 10 && stats_rounds(most * 1.1, 0.05, 1) > 10);
	assert_float_equal(stats_noise(5, 0.05), 0, 1e-12);
}

static struct stats_pair one(const double *a, const double *b, size_t n)
{
	struct stats_series s = { a, b };
	struct stats_pair p;
	stats_compare(&s, 1, n, STATS_ALPHA, &p);
	return p;
}

static void test_states(void **state)
{
	(void)state;
	struct stats_dice d = { 3 };
	double a[N], b[N], c[N], zeros[N] = {}, stutters[N];
	for (int i = 0; i < N; i++) {
		double machine = noise(&d, 0.3); /* of the round, the same for both: pairing takes it away */
		a[i] = 100 * machine * noise(&d, 0.01);
		b[i] = 100.5 * machine * noise(&d, 0.01);
		c[i] = 100 * machine * noise(&d, 0.3);
		stutters[i] = 10 + (double)stats_roll(&d, 5);
	}
	struct stats_pair p = one(a, b, N);
	assert_int_equal(stats_judge(&p, 0.01, 100), STATS_EQUIVALENT);
	p = one(a, c, N);
	assert_int_equal(stats_judge(&p, 0.01, 100), STATS_UNKNOWN);
	assert_true(p.least > 0.03 && p.least < 0.3);
	for (int i = 0; i < N; i++)
		c[i] = b[i] * 1.05;
	p = one(a, c, N);
	assert_int_equal(stats_judge(&p, 0.01, 100), STATS_MORE);
	p = one(c, a, N);
	assert_int_equal(stats_judge(&p, 0.01, 100), STATS_LESS);
	/* one bad round of ten hides nothing */
	c[3] *= 4;
	p = one(a, c, 10);
	assert_int_equal(stats_judge(&p, 0.01, 100), STATS_MORE);
	/* 5 rounds tell nothing, 6 do */
	p = one(a, b, 5);
	assert_true(isinf(p.least) && stats_judge(&p, 0.5, 100) == STATS_UNKNOWN);
	/* zeros and negatives are values */
	p = one(zeros, stutters, N);
	assert_true(p.difference && p.estimate > 11 && p.estimate < 13);
	assert_int_equal(stats_judge(&p, 0.01, 0), STATS_MORE);
	p = one(zeros, zeros, N);
	assert_int_equal(stats_judge(&p, 0.01, 0), STATS_EQUIVALENT);
	for (int i = 0; i < N; i++)
		zeros[i] = -stutters[i];
	p = one(stutters, zeros, N);
	assert_int_equal(stats_judge(&p, 0.01, 12), STATS_LESS);
	/* without noise: the value itself */
	p = one(a, a, N);
	assert_float_equal(p.estimate, 1, 1e-9);
	assert_int_equal(stats_judge(&p, 0.01, 100), STATS_EQUIVALENT);
	/* so is what rounding leaves of it: no round hangs together with another */
	for (int i = 0; i < N; i++)
		b[i] = 0.8 * (32020 + i % 3), c[i] = 32020 + i % 3;
	p = one(c, b, 10);
	assert_float_equal(p.together, 0, 1e-12);
	assert_int_equal(stats_judge(&p, 0.01, 100), STATS_LESS);
	for (int i = 0; i < N; i++)
		b[i] = a[i];
	/* a round without a value does not count */
	a[0] = NAN;
	assert_int_equal(one(a, b, N).pairs, N - 1);
	assert_int_equal(one(a, b, 0).pairs, 0);
}

static void test_drift(void **state)
{
	(void)state;
	const double up[] = { 1, 2, 3, 5, 8, 13 }, down[] = { 9, 7, 5, 3, 2, 1 }, flat[] = { 4, 4, 4, 4, 4, 4 };
	struct stats_dice d = { 5 };
	double v[N];
	int flagged = 0;
	assert_float_equal(stats_drift(up, 6), 1, 1e-9);
	assert_float_equal(stats_drift(down, 6), -1, 1e-9);
	assert_float_equal(stats_drift(flat, 6), 0, 1e-9);
	assert_true(stats_drifts(1, 6));
	assert_false(stats_drifts(1, 4));
	for (int t = 0; t < 100; t++) {
		for (int i = 0; i < N; i++)
			v[i] = noise(&d, 0.1);
		flagged += stats_drifts(stats_drift(v, N), N);
	}
	assert_true(flagged <= 12); /* by chance, 5 */
	for (int i = 0; i < N; i++)
		v[i] += 0.005 * i;
	assert_true(stats_drifts(stats_drift(v, N), N));
}

static void test_order(void **state)
{
	(void)state;
	size_t a[4], b[4], sum = 0;
	stats_order(2, 4, a);
	stats_order(3, 4, b);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(a[i], b[3 - i]);
		sum += (size_t)1 << a[i];
	}
	assert_int_equal(sum, 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_percentiles), cmocka_unit_test(test_hodges_lehmann),	     cmocka_unit_test(test_states),
		cmocka_unit_test(test_false_alarms), cmocka_unit_test(test_rounds_that_hang_together), cmocka_unit_test(test_power), cmocka_unit_test(test_looks),
		cmocka_unit_test(test_drift),	    cmocka_unit_test(test_order),
	};
	return cmocka_run_group_tests_name("bench_stats", tests, NULL, NULL);
}
