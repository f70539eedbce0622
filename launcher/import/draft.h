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
	unsigned line; /* of the file that is imported */
	char *problem; /* why it is a comment; NULL where it counts */
};
struct draft_section {
	char *title; /* "cpu", "disk vda" */
	unsigned line;
	struct draft_key *v;
	size_t n;
	char *problem;
};
/* How much a note matters: they are told in this order. */
enum draft_weight {
	NOTE_FATAL,   /* as it is, the machine does not start, does not boot, or loses data or a secret */
	NOTE_MACHINE, /* the guest sees another machine, or lacks a device */
	NOTE_MINOR,   /* of the host alone, of comfort, or easily set */
};
struct draft_note {
	enum draft_weight weight;
	unsigned line, last; /* of the first and the last of `times` that say the same */
	size_t times;
	char *text;
};
struct draft {
	struct draft_section *v;
	size_t n;
	struct draft_note *notes;
	size_t n_notes;
	struct strv vars,
		tpm;        /* where the old machine may keep its UEFI variables and its TPM's state: the first that can be read counts */
	unsigned tpm_line;  /* 0 where nobody speaks of it */
	const char *source; /* what it was made from, for the text's head */
};

/* Sets a key; a second value of the same key is a note, unless it is the same. `line` is where it stood. */
void draft_set(struct draft *d, unsigned line, const char *section, const char *key, const char *value);
__attribute__((format(printf, 5, 6))) void draft_setf(struct draft *d, unsigned line, const char *section, const char *key, const char *fmt,
						      ...);
/* The section, made where it is not there yet, be it without keys. */
struct draft_section *draft_section(struct draft *d, unsigned line, const char *title);
/* NULL where there is none. */
struct draft_section *draft_section_find(const struct draft *d, const char *title);
/* Sets it to another value than it has. */
void draft_replace(struct draft *d, const char *section, const char *key, const char *value);
/* Takes the key away, and the section with its last one. */
void draft_unset(struct draft *d, const char *section, const char *key);
/* Takes the section away, if it is there. */
void draft_drop(struct draft *d, const char *title);
/* NULL where it is not set. */
const char *draft_get(const struct draft *d, const char *section, const char *key);
/* What is not carried over, and what to know. The same text again is the same note. */
__attribute__((format(printf, 4, 5))) void draft_note(struct draft *d, enum draft_weight weight, unsigned line, const char *fmt, ...);
/* "line 12", "lines 30-45": where the note's words stand. Owned by the caller. */
char *draft_note_place(const struct draft_note *n);
/* "disk vda": a title for a new section of the kind, with a name made of `wish` that no other section of it has. */
char *draft_title(const struct draft *d, const char *kind, const char *wish);
/* A name that a machine can have, made of any text; owned by the caller. */
char *draft_name(const char *text);

/* The text, a valid configuration; what did not fit became a comment and a note. `head` stands above it, each line with
 * "# ". Notes are then sorted by weight, then by line. */
struct err *draft_finish(struct draft *d, const char *head, char **ret_text);
void draft_free(struct draft *d);
#define cleanup_draft cleanup(draft_free)
