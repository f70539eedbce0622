/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * records: what was measured, as JSON lines, one a run:
 *
 *	{"variant", "order", "round", "time", "machine", "config", "sets", "native", "fingerprint": {…}, "run": {…},
 *	 "metrics": {"chase.16K": {"unit", "better", "v": [numbers]}, "jitter.timer": {…, "tails": true}}}
 *
 * Raw samples: what they mean is found out anew each time (analysis.h). fingerprint and run are fingerprint.h's.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include "launcher/base/err.h"
#include "launcher/base/root.h"
#include "launcher/bench/stats.h"

/* The metrics in what a guest said, its "bench: " lines; NULL with an error where it did not come to its end. */
struct err *records_metrics(const char *said, json_t **ret_metrics);
/* Adds a metric; better: "less", "more" or "tails". Takes over `values`, an array of numbers. */
struct err *records_add_metric(json_t *metrics, const char *name, const char *unit, const char *better, json_t *values);
/* Appends one record to the file; takes it over. */
struct err *records_append(struct root *root, const char *path, json_t *record);
/* All records of a file, an array; owned by the caller. A line that is none is an error. */
struct err *records_read(struct root *root, const char *path, json_t **ret_records);

/* The names of variants, in the plan's order ("order": rounds mix them), or of the metrics: keys of an object. Owned. */
json_t *records_variants(const json_t *records);
json_t *records_metric_names(const json_t *records);
/* One more than the highest round. */
size_t records_rounds(const json_t *records);
/* All values of a metric of a variant, round by round: rounds[0 … n - 1], n being records_rounds. */
struct records_samples {
	struct stats_sample *rounds; /* they point into values */
	size_t n;
	double *values;
};
void records_samples(const json_t *records, const char *variant, const char *metric, struct records_samples *ret);
void records_samples_free(struct records_samples *s);
#define cleanup_samples cleanup(records_samples_free)
/* Whether percentiles of it are what counts. */
bool records_has_tails(const json_t *records, const char *metric);
/* "less" or "more", and the unit; of any variant. */
bool records_less_is_better(const json_t *records, const char *metric);
const char *records_unit(const json_t *records, const char *metric);
