/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keys: the one table of sections and keys. Parsing, errors, defaults, freeing, the manual page and completion all walk
 * it; a key that is not here does not exist. Constant data; the types of values are in value.h.
 */
#pragma once
#include "launcher/config/config.h"
#include "launcher/config/key.h"

/* The most sections of one kind ([disk a], [disk b], …): far more than any machine has, and it bounds the work for a
 * hostile file. */
#define SECTIONS_MAX 64

extern const struct conf_section conf_sections[]; /* ends with a NULL name */
extern const struct conf_key conf_keys[];         /* by section in the order of conf_sections; ends with a NULL section */

/* NULL where there is none. */
const struct conf_section *conf_section_find(const char *name);
const struct conf_key *conf_key_find(const char *section, const char *name);
/* Whether there is such a key, and it takes the word, if it takes only some. */
bool conf_key_takes(const char *section, const char *name, const char *word);
