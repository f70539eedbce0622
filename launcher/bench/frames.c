/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frames: see frames.h. */
#include <stdlib.h>
#include "launcher/base/str.h"
#include "launcher/bench/frames.h"
#include "launcher/bench/records.h"
#include "launcher/bench/stats.h"

#define STUTTER 2.5 /* times the median of: */
#define AROUND 10   /* frames on each side */

static struct err *add(json_t *metrics, const char *name, const char *what, const char *unit, const char *better, double value)
{
	cleanup_free char *full = str_fmt("%s.%s", name, what);
	return records_add_metric(metrics, full, unit, better, json_pack("[f]", value));
}

/* Per cent of the time in frames that are much longer than those around them. */
static double stutter(const double *v, size_t n, double sum)
{
	double in_long = 0;
	for (size_t i = 0; i < n; i++) {
		size_t from = i < AROUND ? 0 : i - AROUND, to = i + AROUND < n ? i + AROUND + 1 : n;
		if (v[i] > STUTTER * stats_median(v + from, to - from))
			in_long += v[i];
	}
	return 100 * in_long / sum;
}

/* The lows of a part (0.01) of frames: `sorted` has the shortest first. */
static struct err *add_lows(json_t *metrics, const char *name, const double *sorted, size_t n, double sum, double part)
{
	size_t longest = (size_t)(part * (double)n + 0.999999), i = n;
	double of_longest = 0, filled = 0;
	cleanup_free char *low = str_fmt("fps-low-%g%%", part * 100), *percentile = str_fmt("%s.percentile", low),
			  *mean = str_fmt("%s.mean", low), *integral = str_fmt("%s.integral", low),
			  *as_mangohud = str_fmt("%s.mangohud", low);
	for (size_t k = 0; k < longest; k++)
		of_longest += sorted[n - 1 - k];
	while (i > 1 && (filled += sorted[i - 1]) < part * sum)
		i--;
	size_t hud = (size_t)(part * (double)n); /* the longest first, MangoHud takes this one less 1 (logging.cpp) */
	TRY(add(metrics, name, as_mangohud, "1/s", "more", 1000 / sorted[n - (hud ? hud : 1)]));
	TRY(add(metrics, name, percentile, "1/s", "more", 1000 / stats_percentile_sorted(sorted, n, 100 * (1 - part))));
	TRY(add(metrics, name, mean, "1/s", "more", 1000 * (double)longest / of_longest));
	return add(metrics, name, integral, "1/s", "more", 1000 / sorted[i - 1]);
}

struct err *frames_metrics(const char *name, json_t *times, json_t *metrics)
{
	size_t n = json_array_size(times);
	double sum = 0;
	cleanup_free double *v = mem_new((n + 1) * sizeof(*v)), *sorted = NULL;
	cleanup_free char *frame = str_fmt("%s.frame", name);
	for (size_t i = 0; i < n; i++)
		sum += v[i] = json_number_value(json_array_get(times, i));
	sorted = stats_sorted(v, n);
	struct err *e = add(metrics, name, "fps", "1/s", "more", 1000 * (double)n / sum);
	if (!e)
		e = add_lows(metrics, name, sorted, n, sum, 0.01);
	if (!e)
		e = add_lows(metrics, name, sorted, n, sum, 0.001);
	if (!e)
		e = add(metrics, name, "stutter", "%", "less", stutter(v, n, sum));
	if (!e)
		return records_add_metric(metrics, frame, "ms", "tails", times);
	json_decref(times);
	return e;
}
