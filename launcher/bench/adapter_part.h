/* SPDX-License-Identifier: GPL-2.0-or-later */
/* adapter_part: what the parsers of adapter_*.c share, and the parsers, for the table of adapter.c. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include "launcher/base/err.h"
#include "launcher/base/str.h"

/* What is to be parsed, and where it goes. */
struct adapter_job {
	const char *name;    /* the workload's: metrics are "NAME.METRIC" */
	const char *program; /* whose frames are meant, of a log that has several programs; NULL: the one that is no desktop */
	json_t *metrics;     /* as in a record */
	json_t *about;       /* {"NAME": {"tool", "version", "program", "process", "chain"}}: what was measured, texts */
};

/* A number behind a label in a text: "events per second:  4300.37". */
struct adapter_row {
	const char *label, *metric, *unit, *better; /* better: "less" or "more" */
	bool may_lack, behind_colon; /* behind_colon: something stands between the label and ":", as a unit in any encoding */
};

/* One number, "NAME.METRIC"; blanks in the metric become "_". */
struct err *adapter_add(const struct adapter_job *job, const char *metric, const char *unit, const char *better, double value);
/* Samples by how often each came. */
struct adapter_bucket {
	double value;
	unsigned long long count;
};
/* As samples of "NAME.METRIC" (metric "": NAME), or of more than ADAPTER_SAMPLES as many of them, evenly by rank, with the largest.
 * Sorts. */
#define ADAPTER_SAMPLES 100000
struct err *adapter_add_buckets(const struct adapter_job *job, const char *metric, const char *unit, struct adapter_bucket *v, size_t n);
/* What was measured: "version", "program", … */
void adapter_about(const struct adapter_job *job, const char *key, const char *value);
/* Whether a version that begins with a number is within those known; it is in `about` then. */
struct err *adapter_version(const struct adapter_job *job, const char *tool, const char *version, double from, double to);
/* The number at `text`, behind blanks; with a decimal comma, too ("321,10"). False: none. */
bool adapter_number(const char *text, double *ret_value);

/* The parsers, for each format one: `text` is the whole of what the tool said or wrote; its numbers go to the job. An error says what is
 * not as known. */
struct err *adapter_cyclictest(const struct adapter_job *job, const char *text);
struct err *adapter_phoronix(const struct adapter_job *job, const char *text);
struct err *adapter_frames(const struct adapter_job *job, const char *text);
struct err *adapter_lines(const struct adapter_job *job, const char *text);
struct err *adapter_fio(const struct adapter_job *job, const char *text);
struct err *adapter_7zip(const struct adapter_job *job, const char *text);
struct err *adapter_stress_ng(const struct adapter_job *job, const char *text);
struct err *adapter_scenes(const struct adapter_job *job, const char *text);
struct err *adapter_geekbench(const struct adapter_job *job, const char *text);
struct err *adapter_unigine(const struct adapter_job *job, const char *text);
struct err *adapter_3dmark(const struct adapter_job *job, const char *text);
struct err *adapter_passmark(const struct adapter_job *job, const char *text);
