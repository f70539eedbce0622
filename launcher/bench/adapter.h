/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * adapter: benchmarks of others: how each is called, and how its numbers are found in what it says or writes. A table. Pure: nothing is run
 * here. What comes in was said by a guest: it may be anything, and an error names what was missed.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include "launcher/base/err.h"
#include "launcher/base/str.h"

/* A number behind a label in a text: "events per second:  4300.37". */
struct adapter_row {
	const char *label, *metric, *unit, *better; /* better: "less" or "more" */
};

struct adapter {
	const char *name;    /* as a plan's `workloads` and `parser` name it */
	const char *command; /* of a Linux guest, for adapter_words; NULL: a plan says it, or nothing is run and `file` is read */
	const char *file;    /* what is read after it; NULL: what it says is taken */
	const char *needs;   /* the Debian package or where it is had, for an error's remedy */
	bool uploads;        /* sends its results to somebody: only with `uploads = yes` */
	const struct adapter_row *rows; /* ends with a NULL label; or: */
	/* Adds to `metrics` what `text` says, named "NAME.…". */
	struct err *(*parse)(const char *name, const char *text, json_t *metrics);
};

/* NULL where none has the name. */
const struct adapter *adapter_find(const char *name);
/* Names of all, by ", "; owned by the caller. */
char *adapter_names(void);
/* What was said or read, as metrics "NAME.METRIC": name is the workload's. */
struct err *adapter_parse(const struct adapter *a, const char *name, const char *text, json_t *metrics);

/* A command line as words: blanks separate, double quotes hold together (a backslash is a backslash), {cpus} is a number of CPUs. */
struct err *adapter_words(const char *command, unsigned cpus, struct strv *ret_words);

/* The parsers of adapter_parse.c. */
struct err *adapter_cyclictest(const char *name, const char *text, json_t *metrics);
struct err *adapter_phoronix(const char *name, const char *text, json_t *metrics);
struct err *adapter_presentmon(const char *name, const char *text, json_t *metrics);
struct err *adapter_lines(const char *name, const char *text, json_t *metrics);
