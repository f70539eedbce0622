/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * draft: a configuration while it is made out of another program's: sections, keys, and what could not be carried over.
 * A value that qlaunch.conf does not take becomes a note instead, so that the text is always a valid configuration.
 * Pure: opens nothing, prints nothing.
 */
#pragma once
#include "launcher/base/err.h"
#include "launcher/base/str.h"

struct draft_key {
	char *key, *value;
	unsigned line;   /* of the file that is imported */
	char *problem;   /* why it is a comment; NULL where it counts */
};
struct draft_section {
	char *title; /* "cpu", "disk vda" */
	unsigned line;
	struct draft_key *v;
	size_t n;
	char *problem;
};
struct draft_note {
	unsigned line;
	char *text;
};
struct draft {
	struct draft_section *v;
	size_t n;
	struct draft_note *notes;
	size_t n_notes;
};

/* Sets a key; a second value of the same key is a note, unless it is the same. `line` is where it stood. */
void draft_set(struct draft *d, unsigned line, const char *section, const char *key, const char *value);
__attribute__((format(printf, 5, 6))) void draft_setf(struct draft *d, unsigned line, const char *section, const char *key,
						      const char *fmt, ...);
/* The section, made where it is not there yet, be it without keys. */
struct draft_section *draft_section(struct draft *d, unsigned line, const char *title);
/* NULL where it is not set. */
const char *draft_get(const struct draft *d, const char *section, const char *key);
/* What is not carried over, and what to know. */
__attribute__((format(printf, 3, 4))) void draft_note(struct draft *d, unsigned line, const char *fmt, ...);
/* "disk vda": a title for a new section of the kind, with a name made of `wish` that no other section of it has. */
char *draft_title(const struct draft *d, const char *kind, const char *wish);

/* The text, a valid configuration; what did not fit became a comment and a note. `head` stands above it, each line with
 * "# ". Notes are then sorted by line. */
struct err *draft_finish(struct draft *d, const char *head, char **ret_text);
void draft_free(struct draft *d);
#define cleanup_draft cleanup(draft_free)
