/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: a benchmark as text of at most 80 columns, and as one HTML page with its pictures inside it (page.c, plot.c). Pure: everything a
 * guest said is escaped. */
#pragma once
#include <jansson.h>
#include <stdio.h>
#include "launcher/base/str.h"
#include "launcher/bench/analysis.h"

/* The control first, then each metric's variants, then what the words mean that were used. */
void report_text(FILE *out, const struct analyses *a);
/*
 * A page that needs nothing but itself, in a light and a dark dress. For each metric: each round of each variant as a point, the interval of
 * its ratio to the first variant, and the rounds in their order.
 */
void report_html(struct sb *out, const json_t *records, const struct analyses *a);

/* What a control of `n` metrics says of this machine, in a sentence; owned by the caller. */
char *report_control(const struct analyses *a, bool *ret_quiet);
