/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plot: SVG pictures of the report. Variants have colours by number (classes v0, v1, …); the page's style says which. Pure. */
#pragma once
#include "launcher/base/str.h"
#include "launcher/bench/stats.h"

#define PLOT_COLOURS 8

/* An axis: values to pixels, by their logarithm where they span more than a factor of 30. */
struct plot_axis {
	double low, high; /* values */
	double from, to;  /* pixels */
	bool logs;
};
/* Around values (NAN does not count), with a margin. */
struct plot_axis plot_axis(const double *v, size_t n, double from, double to);
double plot_at(const struct plot_axis *a, double value);

/* One variant of a metric: each round's value, NAN where there is none. */
struct plot_row {
	const double *v;
	size_t n;
	double median;
	size_t colour;
	const struct stats_pair *pair; /* NULL: the one that the others are compared with */
};
/* Each round as a point, half of them in a box, their median (or the percentile) as a stroke. */
void plot_distributions(struct sb *out, const struct plot_row *rows, size_t n);
/* The ratios with their intervals; what is less than the margin (a part) is shaded. */
void plot_intervals(struct sb *out, const struct plot_row *rows, size_t n, double margin);
/* Round by round. */
void plot_timeline(struct sb *out, const struct plot_row *rows, size_t n);
/* Which part of all samples of a variant was above a value: both by their logarithms. */
struct plot_point {
	double value;
	size_t above; /* how many samples were at least as large */
};
struct plot_curve {
	const struct plot_point *v; /* the largest value first */
	size_t n, total, colour;
};
void plot_tails(struct sb *out, const struct plot_curve *curves, size_t n);
