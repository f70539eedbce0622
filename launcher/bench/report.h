/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: a benchmark as text of at most 80 columns, and as one HTML page with its pictures inside it (bench_page.c, plot.c). Pure:
 * everything a guest said is escaped. */
#pragma once
#include <stdio.h>
#include "launcher/base/str.h"
#include "launcher/bench/analysis.h"

/* What there is of each verdict and what the control says, then each metric's variants, then what the words mean that were used. */
void report_text(FILE *out, const struct analyses *a);
/*
 * A page that needs nothing but itself, in a light and a dark dress. For each metric: each round of each variant as a point, the interval
 * of its ratio to the first variant, and the rounds in their order.
 */
void report_html(struct sb *out, const struct summary *s, const struct analyses *a);

/* "3 better, 1 worse, 20 equivalent, 6 cannot be told": of all comparisons but the control's. Owned by the caller. */
char *report_counts(const struct analyses *a);
/* What the control says of this machine, in a sentence; NULL where there is none. Owned by the caller. */
char *report_control(const struct analyses *a, bool *ret_quiet);
/*
 * The factor from a metric's unit to the one that it is shown in, so that a typical value has one to three digits before the point: 32.0 s,
 * not 32020 ms. 1 of a unit that is no time. *ret_unit is borrowed from the metric, or a literal.
 */
double report_scale(const struct summary_metric *m, double typical, const char **ret_unit);
/* "1.053 [1.021, 1.084]" to the interval's precision, or of a difference "+12 [9, 15]", times `scale`; without the interval where there is
 * none. */
char *report_interval(const struct stats_pair *p, double scale);
/* A value with as many digits as `precision` (half of its interval; NAN: four digits) lets stand, never with an exponent in what is
 * usual. */
char *report_number(double value, double precision);
