/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * summary: records → one value a run of each metric, in one pass: of what is read only one record is in memory at a time. A metric with
 * tails becomes its percentiles of each run ("jitter.timer.p99"), and a curve of all its samples (counted by size, to 2 %).
 *
 * Records of two machines are two groups: only what was measured on one machine is comparable. So are those of two ids, which somebody has
 * put into one file.
 */
#pragma once
#include <jansson.h>
#include "launcher/bench/records.h"

#define SUMMARY_VARIANTS_MAX 64
#define SUMMARY_METRICS_MAX 4096

/* What one variant measured, by round; NAN where it did not. */
struct summary_column {
	double *v;
	size_t n;
};
struct summary_variant {
	char *name;
	json_int_t order;
	json_t *first;                /* its first record, without metrics */
	struct summary_column failed; /* 1: that round's last record is of a run that failed */
};
/* Samples by size: bucket i holds those from 2^(i / 32 - 40) on. */
#define SUMMARY_BUCKETS 2560
struct summary_curve {
	size_t total, *counts;
};
struct summary_metric {
	char *name, *unit, *other_unit; /* other_unit: of a record that had another one; NULL: none had */
	char *of;                       /* "jitter.timer", of its percentiles; else NULL */
	bool less_is_better;
	struct summary_column *columns; /* by variant */
	struct summary_curve *curves;   /* by variant; of the first percentile of a metric; else NULL */
};
struct summary {
	char *machine, *id;
	struct summary_variant *variants; /* in the plan's order: the first is what the others are compared with */
	size_t n_variants;
	struct summary_metric *metrics;
	size_t n_metrics, rounds, runs, failed, throttled; /* throttled: runs while a processor was too hot */
	size_t planned, twice; /* rounds that were planned, 0: not known; twice: runs that are in it more than once and went well */
	bool early;            /* it may have ended before all of them */
	json_t *fingerprint;
	double margin, steal; /* the largest, in per cent */
	char *differs;        /* the first thing that was not the same from first to last; NULL: none */
};
struct summaries {
	struct summary *v;
	size_t n;
	bool cut; /* the last record was cut off, and is left out */
};
struct err *summaries_read(struct root *root, const char *path, struct summaries *ret);
void summaries_free(struct summaries *s);
#define cleanup_summaries cleanup(summaries_free)

/* Index of what has the name, or -1. */
int summary_variant(const struct summary *s, const char *name);
int summary_metric(const struct summary *s, const char *name);
/* The first thing that b's records were made with and a's were not, in words; what could not be read is unknown and no difference.
 * Owned. */
char *summary_differs(const struct summary *a, const struct summary *b);
