/* SPDX-License-Identifier: GPL-2.0-or-later */
/* key: what a key of a configuration is, and a kind of section: the rows of the table in keys.h. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
	const char *help; /* one or two sentences */
};
