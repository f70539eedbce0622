/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * records: what was measured, as JSON lines, one a run:
 *
 *	{"variant", "order", "round", "time", "config", "fingerprint": {…}, "metrics": {"chase.16K": {"unit", "better", "v": [numbers]}}}
 *
 * Raw samples: what they mean is found out anew each time (analysis.h).
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include "launcher/base/err.h"
#include "launcher/base/root.h"

/* The metrics in what a guest said, its "bench: " lines; NULL with an error where it did not come to its end. */
struct err *records_metrics(const char *said, json_t **ret_metrics);
/* What must be the same for two runs to be comparable: kernel, processor, microcode, governor, command line, CPUs. Never fails. */
json_t *records_fingerprint(struct root *root);
/* Appends one record to the file; takes it over. */
struct err *records_append(struct root *root, const char *path, json_t *record);
/* All records of a file, an array; owned by the caller. A line that is none is an error. */
struct err *records_read(struct root *root, const char *path, json_t **ret_records);

/* The names of variants, in the plan's order ("order": rounds mix them), or of the metrics: keys of an object. Owned. */
json_t *records_variants(const json_t *records);
json_t *records_metric_names(const json_t *records);
/* One more than the highest round. */
size_t records_rounds(const json_t *records);
/* Round by round the median of a metric's samples, 0 where there is none: ret_v[0 … records_rounds - 1]. */
void records_column(const json_t *records, const char *variant, const char *metric, double *ret_v);
/* "less" or "more", and the unit; of any variant. */
bool records_less_is_better(const json_t *records, const char *metric);
const char *records_unit(const json_t *records, const char *metric);
/* The name of the first thing that differs between the fingerprints of two sets (or within one, b NULL); NULL: none does. */
const char *records_differ(const json_t *a, const json_t *b);
