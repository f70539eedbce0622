/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * adapter: benchmarks of others: how each is called, and how its numbers are found in what it says or writes. A table. Pure: nothing is run
 * here. What comes in was said by a guest: it may be anything, and an error names what was missed. Where a tool says its version, one that
 * is not known here is refused by name: numbers may have moved.
 */
#pragma once
#include "launcher/base/err.h"
#include "launcher/base/str.h"
#include "launcher/bench/adapter_part.h"

/* Versions that are known: the first number of the version, from and to; "sysbench " stands before it in what the tool says. */
struct adapter_versions {
	const char *label;
	double from, to;
};

struct adapter {
	const char *name;    /* as a plan's `workloads` and `parser` name it */
	const char *command; /* of a Linux guest, for adapter_words; NULL: a plan says it, or nothing is run and `file` is read */
	const char *file;    /* what is read after it; NULL: what it says is taken */
	const char *needs;   /* the Debian package or where it is had, for an error's remedy */
	bool uploads;        /* sends its results to somebody: only with `uploads = yes` */
	const char *before;  /* what is good to know before the first run, or NULL */
	struct adapter_versions versions; /* label NULL: it says none, or its parser looks itself */
	const struct adapter_row *rows;   /* ends with a NULL label; and or: */
	struct err *(*parse)(const struct adapter_job *job, const char *text);
};

/* NULL where none has the name. */
const struct adapter *adapter_find(const char *name);
/* Names of all, by ", "; owned by the caller. */
char *adapter_names(void);
/* What was said or read, as metrics. */
struct err *adapter_parse(const struct adapter *a, const struct adapter_job *job, const char *text);

/* A command line as words: blanks separate, double quotes hold together (a backslash is a backslash), {cpus} is a number of CPUs. */
struct err *adapter_words(const char *command, unsigned cpus, struct strv *ret_words);
