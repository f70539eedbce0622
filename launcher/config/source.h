/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * source: where each section and key stands, and what is wrong there. Errors are collected, sorted by line and given
 * out in one go.
 */
#pragma once
#include "launcher/config/config.h"

/* A spot in the file (from 1; column in characters; line 0: the file as a whole), or a --set of the command line ("pci
 * gpu.rom"). */
struct conf_at {
	unsigned line, column;
	const char *set;
};

struct conf_place {
	char *section;   /* "cpu", "pci gpu" */
	const char *key; /* of the table; NULL: the section itself */
	char *set;       /* owned; NULL for the file */
	unsigned line, column;
	bool empty; /* it stands there without a value */
};
struct conf_source {
	struct conf_place *v;
	size_t n;
};

/* Notes a place, instead of an earlier one of the same section and key. */
void source_note(struct conf_source *s, const char *section, const char *key, struct conf_at at, bool empty);
/* Where a key (NULL: a section) stands, or NULL. */
const struct conf_place *source_find(const struct conf_source *s, const char *section, const char *key);
/* Whether it has a value of the user's. */
bool source_is_set(const struct conf_source *s, const char *section, const char *key);
/* Where it stands, else where its section stands, else the file. */
struct conf_at source_at(const struct conf_source *s, const char *section, const char *key);
void source_free(struct conf_source *s);

struct problem {
	unsigned line, column;
	size_t order;
	char *text;
};
struct problems {
	const char *file; /* as errors call it; borrowed */
	struct problem *v;
	size_t n;
};

#define PROBLEMS_MAX 200 /* a file with more than that is not a configuration */

__attribute__((format(printf, 3, 4))) void problems_add(struct problems *ps, struct conf_at at, const char *fmt, ...);
/* Gives all lines out, those of the file by line and column, then those of --set, and empties ps. */
void problems_give(struct problems *ps, struct strv *ret_lines);
