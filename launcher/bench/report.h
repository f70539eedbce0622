/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: a benchmark as text, and as one HTML page with its pictures inside it. Pure: everything a guest said is escaped. */
#pragma once
#include <jansson.h>
#include <stdio.h>
#include "launcher/base/str.h"
#include "launcher/bench/analysis.h"

void report_text(FILE *out, const struct analyses *a);
/* For each metric each round of each variant as a point, the interval of its ratio as a bar, and the rounds in their order as a line. */
void report_html(struct sb *out, const json_t *records, const struct analyses *a);
