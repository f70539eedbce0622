/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * records: what was measured, as JSON lines, one a run:
 *
 *	{"version": 3, "id", "variant", "order", "round", "rounds", "early", "time", "machine", "plan", "config", "sets", "native",
 *  "margin",
 *	 "fingerprint": {…}, "run": {…}, "measured": {"WORKLOAD": {"program", "version", …}},
 *	 "metrics": {"chase.16K": {"unit", "better", "v": [numbers]}, "jitter.timer": {…, "tails": true}}}
 *
 * id: of all records that one command has written to one file, with those of the commands that went on with it. rounds: that were planned.
 * A run that failed has no metric, and "failed": what it said.
 * Raw samples: what they mean is found out anew each time (summary.h). Records without a version are of the first one, which had no margin;
 * those of the second had no id.
 * fingerprint and run are fingerprint.h's.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include "launcher/base/err.h"
#include "launcher/base/root.h"

#define RECORDS_VERSION 3

/* The metrics in what a guest said, its "bench: " lines; "about" lines go into `about` (adapter_part.h; NULL: nowhere). NULL with an error
 * where it did not come to its end. */
struct err *records_metrics(const char *said, json_t *about, json_t **ret_metrics);
/* Adds a metric; better: "less", "more" or "tails". Takes over `values`, an array of numbers. */
struct err *records_add_metric(json_t *metrics, const char *name, const char *unit, const char *better, json_t *values);
/* A new id of 16 hexadecimal digits, by chance. Owned by the caller. */
char *records_new_id(void);
/* Appends one record to the file; takes it over. */
struct err *records_append(struct root *root, const char *path, json_t *record);
/*
 * Calls `fn` with each record of a file, one after the other, so that a file may be larger than memory: it borrows the record. A last line
 * that was cut off (its writer was killed) is left out, and *ret_cut says so. Any other line that is no record, and a record of a version
 * that is not known here, is an error (EXIT_CONFIG), as is what `fn` returns.
 */
struct err *records_each(struct root *root, const char *path, struct err *(*fn)(void *data, json_t *record), void *data, bool *ret_cut);
/* Takes a last record that was cut off out of the file, for others to be appended. */
struct err *records_mend(struct root *root, const char *path);
