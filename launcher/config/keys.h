/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keys: the one table of sections and keys. Parsing, errors, defaults, freeing, the manual page and completion all walk
 * it; a key that is not here does not exist. Constant data; the types of values are in value.h.
 */
#pragma once
#include "launcher/config/config.h"

/* The most sections of one kind ([disk a], [disk b], …): far more than any machine has, and it bounds the work for a
 * hostile file. */
#define SECTIONS_MAX 64

/* A word that a key takes, and the enum's value; tables end with a NULL word. */
struct conf_word {
	const char *word;
	int value;
};

/* A kind of section. A named one ([disk NAME]) fills an array in struct config, any other one fields of struct config
 * itself. */
struct conf_section {
	const char *name;
	bool named;
	/* Of a named one: where its pointer and its count are in struct config, and the size of an element. */
	size_t array, count, size;
	const char *help;
};

struct conf_type;
struct conf_key {
	const char *section, *name;
	const struct conf_type *type;
	size_t offset;                 /* in struct config, or in the section's element */
	const char *initial;           /* the default, as it would be written; NULL: not set */
	const char *unset;             /* what happens when not set, for the manual page; NULL: `initial` says it */
	const struct conf_word *words; /* of TYPE_ENUM */
	uint64_t min, max;             /* of numbers and sizes; max 0: no bound */
	bool required;
	const char *help;              /* one or two sentences */
};

extern const struct conf_section conf_sections[]; /* ends with a NULL name */
extern const struct conf_key conf_keys[];         /* by section in the order of conf_sections; ends with a NULL section */

/* NULL where there is none. */
const struct conf_section *conf_section_find(const char *name);
const struct conf_key *conf_key_find(const char *section, const char *name);
