/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_bench_stats: made data whose right answer is known. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "launcher/base/str.h"
#include "launcher/bench/stats.h"

#define N 40
#define SAMPLES 200

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

static void test_interval_holds_the_truth(void **state)
{
	(void)state;
	struct stats_dice d = { 7 };
	int holds = 0;
	for (int t = 0; t < 200; t++) {
		double v[N];
		for (int i = 0; i < N; i++)
			v[i] = noise(&d, 0.2);
		struct stats_interval r = stats_bootstrap(v, N);
		holds += r.low <= 1 && r.high >= 1;
		assert_true(r.low <= r.median && r.median <= r.high);
	}
	assert_true(holds >= 176); /* 95 % of 200 are 190 */
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

/*
 * How often the interval of b / a holds the true ratio, in per cent, over 400 seeds: normal noise, or one with a heavy tail to one side
 * (log-normal), whose median is the truth.
 */
static double coverage(size_t n, double truth, double width, bool skewed)
{
	int holds = 0;
	for (unsigned seed = 0; seed < 400; seed++) {
		struct stats_dice d = { 1000 + seed };
		double a[N], b[N];
		for (size_t i = 0; i < n; i++) {
			double machine = 1 + 0.1 * normal(&d) * width;
			a[i] = machine * 50;
			b[i] = machine * 50 * truth * (skewed ? exp(width * normal(&d)) : 1 + width * normal(&d));
		}
		struct stats_pair r = stats_compare(a, b, n);
		holds += r.ratio.low <= truth && truth <= r.ratio.high;
	}
	return holds / 4.0;
}

static void test_coverage_of_the_interval(void **state)
{
	(void)state;
	static const size_t rounds[] = { 6, 7, 8, 10, 15, 20, 40 };
	for (size_t i = 0; i < ARRAY_SIZE(rounds); i++)
		for (int skewed = 0; skewed < 2; skewed++) {
			double c = coverage(rounds[i], 1.3, skewed ? 0.3 : 0.03, skewed);
			print_message("# coverage %zu rounds%s: %.1f %%\n", rounds[i], skewed ? ", skewed" : "", c);
			assert_true(c >= 92); /* 95, less three standard errors of 400 */
		}
}

/* Rounds of exponential samples (the p-th percentile is -mean ln(1 - p)) on a machine that is faster in some rounds than in others. */
static void tails(struct stats_dice *d, size_t n, double mean, const double *machine, double *v, struct stats_sample *ret)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < SAMPLES; k++)
			v[i * SAMPLES + k] = -mean * machine[i] * log(unit(d));
		ret[i] = (struct stats_sample){ v + i * SAMPLES, SAMPLES };
	}
}

static double tail_coverage(size_t n, double truth, double p)
{
	double *va = mem_new(N * SAMPLES * sizeof(double)), *vb = mem_new(N * SAMPLES * sizeof(double)), machine[N];
	struct stats_sample a[N], b[N];
	int holds = 0;
	for (unsigned seed = 0; seed < 200; seed++) {
		struct stats_dice d = { 77 + seed };
		for (size_t i = 0; i < n; i++)
			machine[i] = 1 + 0.2 * unit(&d);
		tails(&d, n, 10, machine, va, a);
		tails(&d, n, 10 * truth, machine, vb, b);
		struct stats_pair r = stats_compare_tails(a, b, n, p);
		holds += r.ratio.low <= truth && truth <= r.ratio.high;
	}
	str_freep(&va);
	str_freep(&vb);
	return holds / 2.0;
}

static void test_tails(void **state)
{
	(void)state;
	static const double percentiles[] = { 50, 99, 100 };
	for (size_t n = 7; n <= 20; n += 13)
		for (size_t i = 0; i < ARRAY_SIZE(percentiles); i++) {
			double c = tail_coverage(n, 1.2, percentiles[i]);
			print_message("# tail coverage %zu rounds, p%g: %.1f %%\n", n, percentiles[i], c);
			assert_true(c >= 90); /* three standard errors of 200 */
		}
	const double one[] = { 1, 2, 3, 4, 5 }, two[] = { 6, 7, 8, 9, 10 };
	const struct stats_sample rounds[] = { { one, 5 }, { NULL, 0 }, { two, 5 } };
	assert_float_equal(stats_tail(rounds, 3, 100), 10, 1e-9);
	assert_float_equal(stats_tail(rounds, 3, 0), 1, 1e-9);
	assert_true(isnan(stats_tail(rounds + 1, 1, 50)));
	assert_int_equal(stats_compare_tails(rounds, rounds, 3, 50).verdict, STATS_UNTRUSTED);
}

/* How often A beside A is called different: hardly ever, as the interval must clear 1 % besides. */
static void test_same_beside_same(void **state)
{
	(void)state;
	int different = 0;
	for (unsigned seed = 0; seed < 400; seed++) {
		struct stats_dice d = { 5000 + seed };
		double a[10], b[10];
		for (int i = 0; i < 10; i++) {
			a[i] = 1 + 0.05 * normal(&d);
			b[i] = 1 + 0.05 * normal(&d);
		}
		enum stats_verdict v = stats_compare(a, b, 10).verdict;
		different += v == STATS_LESS || v == STATS_MORE;
	}
	assert_true(different <= 20);
}

static void compare_at(double factor, double width, enum stats_verdict wanted, double per_cent)
{
	struct stats_dice d = { 11 };
	int right = 0;
	for (int t = 0; t < 100; t++) {
		double a[N], b[N];
		for (int i = 0; i < N; i++) {
			double machine = noise(&d, 0.3); /* of the round, the same for both: pairing takes it away */
			a[i] = 100 * machine * noise(&d, width);
			b[i] = factor * 100 * machine * noise(&d, width);
		}
		right += stats_compare(a, b, N).verdict == wanted;
	}
	assert_true(right >= per_cent);
}

static void test_differences(void **state)
{
	(void)state;
	compare_at(1.00, 0.01, STATS_SAME, 98);
	compare_at(1.00, 0.10, STATS_SAME, 95);
	compare_at(1.005, 0.005, STATS_SAME, 98); /* surely more, but not by 1 % */
	compare_at(1.05, 0.02, STATS_MORE, 98);
	compare_at(0.95, 0.02, STATS_LESS, 98);
}

static void test_smallest_effect(void **state)
{
	(void)state;
	struct stats_dice d = { 3 };
	double a[N], b[N], c[N];
	for (int i = 0; i < N; i++) {
		a[i] = 100 * noise(&d, 0.01);
		b[i] = 100 * noise(&d, 0.01);
		c[i] = 100 * noise(&d, 0.3);
	}
	assert_true(stats_compare(a, b, N).least < 0.03);
	assert_true(stats_compare(a, c, N).least > 0.05);
	assert_int_equal(stats_compare(a, b, 2).verdict, STATS_UNTRUSTED);
	a[0] = 0;
	assert_true(isfinite(stats_compare(a, b, N).ratio.median));
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
		cmocka_unit_test(test_percentiles), cmocka_unit_test(test_interval_holds_the_truth), cmocka_unit_test(test_differences),
		cmocka_unit_test(test_smallest_effect),
		cmocka_unit_test(test_coverage_of_the_interval), cmocka_unit_test(test_tails), cmocka_unit_test(test_same_beside_same),
		 cmocka_unit_test(test_drift), cmocka_unit_test(test_order),
	};
	return cmocka_run_group_tests_name("bench_stats", tests, NULL, NULL);
}
