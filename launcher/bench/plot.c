/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plot: see plot.h. */
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/bench/libm.h"
#include "launcher/bench/plot.h"

#define WIDTH 420
#define ROW 30
#define AXIS 24
#define TIME_HEIGHT 130
#define TAILS_WIDTH 1280
#define TAILS_HEIGHT 300
#define LEFT 46 /* for labels of an axis that stands */
#define LOG_SPAN 30
#define TICKS_MAX 12

static double scaled(const struct plot_axis *a, double v)
{
	return a->logs ? libm()->log(v) : v;
}

double plot_at(const struct plot_axis *a, double value)
{
	double low = scaled(a, a->low), high = scaled(a, a->high);
	return a->from + (scaled(a, value) - low) / (high - low) * (a->to - a->from);
}

struct plot_axis plot_axis(const double *v, size_t n, double from, double to)
{
	double low = INFINITY, high = -INFINITY;
	for (size_t i = 0; i < n; i++)
		if (isfinite(v[i])) {
			low = libm()->fmin(low, v[i]);
			high = libm()->fmax(high, v[i]);
		}
	if (!(high >= low))
		low = high = 1;
	bool logs = low > 0 && high / low > LOG_SPAN;
	double margin = high > low ? (high - low) * 0.06 : fabs(high) * 0.05 + (high > 0 || high < 0 ? 0 : 1);
	struct plot_axis a = { logs ? low / 1.1 : low - margin, logs ? high * 1.1 : high + margin, from, to, logs };
	if (low > 0 && !(a.low > 0))
		a.low = low / 2;
	return a;
}

/* Round values inside the axis: steps of 1, 2, 5 times a power of ten; or 1, (2, 5,) 10, … of a logarithmic one. */
static size_t ticks(const struct plot_axis *a, size_t wanted, double *ret_ticks)
{
	size_t n = 0;
	if (a->logs) {
		bool between = a->high / a->low < 1000;
		for (double power = libm()->pow(10, libm()->floor(libm()->log10(a->low))); power <= a->high && n < TICKS_MAX; power *= 10)
			for (int i = 0; i < (between ? 3 : 1); i++) {
				double v = power * (i == 0 ? 1 : i == 1 ? 2 : 5);
				if (v >= a->low && v <= a->high && n < TICKS_MAX)
					ret_ticks[n++] = v;
			}
		return n;
	}
	double raw = (a->high - a->low) / (double)wanted, power = libm()->pow(10, libm()->floor(libm()->log10(raw)));
	double step = raw / power <= 1 ? power : raw / power <= 2 ? 2 * power : raw / power <= 5 ? 5 * power : 10 * power;
	for (long k = (long)libm()->ceil(a->low / step); (double)k * step <= a->high && n < TICKS_MAX; k++)
		ret_ticks[n++] = (double)k * step;
	return n;
}

static void begin(struct sb *out, int width, int height, const char *what)
{
	sb_addf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">", width, height, what);
}

static void lying_axis(struct sb *out, const struct plot_axis *a, double top, double bottom)
{
	double at[TICKS_MAX];
	size_t n = ticks(a, 4, at);
	for (size_t i = 0; i < n; i++) {
		double x = plot_at(a, at[i]);
		const char *anchor = x < a->from + 14 ? "start" : x > a->to - 14 ? "end" : "middle"; /* not cut off at the edge */
		sb_addf(out, "<path class=\"grid\" d=\"M%.1f %.0fV%.0f\"/><text x=\"%.1f\" y=\"%.0f\" text-anchor=\"%s\">%.6g</text>", x,
			top, bottom, x, bottom + 15, anchor, at[i]);
	}
}

static void standing_axis(struct sb *out, const struct plot_axis *a, double right)
{
	double at[TICKS_MAX];
	size_t n = ticks(a, 3, at);
	for (size_t i = 0; i < n; i++) {
		double y = plot_at(a, at[i]);
		sb_addf(out, "<path class=\"grid\" d=\"M%d %.1fH%.0f\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.5g</text>", LEFT, y,
			right, LEFT - 5, y + 4, at[i]);
	}
}

/* All values of all rows, for an axis. Owned by the caller. */
static double *all_of(const struct plot_row *rows, size_t n, size_t *ret_n)
{
	size_t total = 0, at = 0;
	for (size_t i = 0; i < n; i++)
		total += rows[i].n + 1;
	double *all = mem_new((total + 1) * sizeof(*all));
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < rows[i].n; k++)
			all[at++] = rows[i].v[k];
		all[at++] = rows[i].median;
	}
	*ret_n = total;
	return all;
}

static void add_box(struct sb *out, const struct plot_axis *x, const struct plot_row *r, double y)
{
	cleanup_free double *v = mem_new((r->n + 1) * sizeof(*v));
	size_t n = 0;
	for (size_t i = 0; i < r->n; i++)
		if (isfinite(r->v[i]))
			v[n++] = r->v[i];
	if (!n)
		return;
	double from = plot_at(x, stats_percentile(v, n, 25)), to = plot_at(x, stats_percentile(v, n, 75));
	sb_addf(out, "<rect class=\"box v%zu\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"18\" rx=\"3\"/>", r->colour, from, y - 9,
		libm()->fmax(to - from, 1));
	for (size_t i = 0; i < n; i++) /* beside each other where they would cover each other */
		sb_addf(out, "<circle class=\"v%zu\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.6\"/>", r->colour, plot_at(x, v[i]),
			y - 6 + 4 * (double)(i % 4));
	double m = plot_at(x, r->median);
	sb_addf(out, "<path class=\"median\" d=\"M%.1f %.1fV%.1f\"/>", m, y - 11, y + 11);
}

void plot_distributions(struct sb *out, const struct plot_row *rows, size_t n)
{
	size_t total;
	cleanup_free double *all = all_of(rows, n, &total);
	struct plot_axis x = plot_axis(all, total, 8, WIDTH - 8);
	int height = ROW * (int)n;
	begin(out, WIDTH, height + AXIS, _("each round"));
	lying_axis(out, &x, 0, height);
	for (size_t i = 0; i < n; i++)
		add_box(out, &x, &rows[i], ROW * ((double)i + 0.5));
	sb_add(out, "</svg>");
}

/* Ratios and differences do not share an axis: of a metric they are the one or the other, mostly. */
static bool has_ratio(const struct plot_row *r)
{
	return r->pair && !r->pair->difference && isfinite(r->pair->low) && isfinite(r->pair->high);
}

void plot_intervals(struct sb *out, const struct plot_row *rows, size_t n, double margin)
{
	cleanup_free double *ends = mem_new((3 * n + 2) * sizeof(*ends));
	size_t k = 0;
	ends[k++] = 1 - 3 * (margin + 0.001);
	ends[k++] = 1 + 3 * (margin + 0.001);
	for (size_t i = 0; i < n; i++)
		if (has_ratio(&rows[i])) {
			ends[k++] = rows[i].pair->low;
			ends[k++] = rows[i].pair->high;
		}
	struct plot_axis x = plot_axis(ends, k, 8, WIDTH - 8);
	int height = ROW * (int)n;
	begin(out, WIDTH, height + AXIS, _("ratio to the first variant"));
	sb_addf(out, "<rect class=\"band\" x=\"%.1f\" y=\"0\" width=\"%.1f\" height=\"%d\"/>", plot_at(&x, 1 - margin),
		plot_at(&x, 1 + margin) - plot_at(&x, 1 - margin), height);
	lying_axis(out, &x, 0, height);
	sb_addf(out, "<path class=\"one\" d=\"M%.1f 0V%d\"/>", plot_at(&x, 1), height);
	for (size_t i = 0; i < n; i++) {
		double y = ROW * ((double)i + 0.5);
		if (!has_ratio(&rows[i]))
			continue;
		const struct stats_pair *r = rows[i].pair;
		double low = plot_at(&x, r->low), high = plot_at(&x, r->high);
		sb_addf(out, "<path class=\"interval v%zu\" d=\"M%.1f %.1fH%.1fM%.1f %.1fv12M%.1f %.1fv12\"/>", rows[i].colour, low, y,
			high, low, y - 6, high, y - 6);
		sb_addf(out, "<circle class=\"v%zu\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\"/>", rows[i].colour, plot_at(&x, r->estimate), y);
	}
	sb_add(out, "</svg>");
}

void plot_timeline(struct sb *out, const struct plot_row *rows, size_t n)
{
	size_t total;
	cleanup_free double *all = all_of(rows, n, &total);
	struct plot_axis y = plot_axis(all, total, TIME_HEIGHT - 6, 6);
	begin(out, WIDTH, TIME_HEIGHT + AXIS, _("round by round"));
	standing_axis(out, &y, WIDTH - 6);
	for (size_t i = 0; i < n; i++) {
		double step = (WIDTH - LEFT - 16) / (double)(rows[i].n > 1 ? rows[i].n - 1 : 1);
		bool on = false;
		sb_addf(out, "<path class=\"line v%zu\" d=\"", rows[i].colour);
		for (size_t k = 0; k < rows[i].n; k++) {
			if (isfinite(rows[i].v[k]))
				sb_addf(out, "%c%.1f %.1f", on ? 'L' : 'M', LEFT + 8 + (double)k * step, plot_at(&y, rows[i].v[k]));
			on = isfinite(rows[i].v[k]);
		}
		sb_add(out, "\"/>");
	}
	sb_addf(out, "<text x=\"%d\" y=\"%d\">%s</text><text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text></svg>", LEFT, TIME_HEIGHT + 15,
		_("first round"), WIDTH - 8, TIME_HEIGHT + 15, _("last"));
}

static void add_curve(struct sb *out, const struct plot_curve *c, const struct plot_axis *x, const struct plot_axis *y)
{
	sb_addf(out, "<path class=\"line v%zu\" d=\"", c->colour);
	for (size_t i = 0; i < c->n; i++)
		sb_addf(out, "%c%.1f %.1f", i ? 'L' : 'M', plot_at(x, c->v[i].value), plot_at(y, (double)c->v[i].above / (double)c->total));
	sb_add(out, "\"/>");
}

void plot_tails(struct sb *out, const struct plot_curve *curves, size_t n)
{
	cleanup_free double *ends = mem_new((2 * n + 1) * sizeof(*ends));
	size_t most = 10;
	for (size_t i = 0; i < 2 * n; i++)
		ends[i] = NAN;
	for (size_t i = 0; i < n; i++) {
		most = curves[i].total > most ? curves[i].total : most;
		if (!curves[i].n)
			continue;
		ends[2 * i] = curves[i].v[0].value;
		ends[2 * i + 1] = curves[i].v[curves[i].n - 1].value;
	}
	struct plot_axis x = plot_axis(ends, 2 * n, LEFT, TAILS_WIDTH - 12);
	struct plot_axis y = { 1 / (double)most, 1, TAILS_HEIGHT - 4, 8, true };
	begin(out, TAILS_WIDTH, TAILS_HEIGHT + AXIS, _("which part of all samples was longer"));
	lying_axis(out, &x, 0, TAILS_HEIGHT);
	for (int power = 0; power <= (int)libm()->log10((double)most); power++) {
		double part = libm()->pow(10, -power), at = plot_at(&y, part);
		sb_addf(out, "<path class=\"grid\" d=\"M%d %.1fH%d\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g %%</text>", LEFT, at,
			TAILS_WIDTH - 12, LEFT - 5, at + 4, part * 100);
	}
	for (size_t i = 0; i < n; i++)
		if (curves[i].n)
			add_curve(out, &curves[i], &x, &y);
	sb_add(out, "</svg>");
}
