/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parse: what the files of config/ share among themselves. */
#pragma once
#include "launcher/config/keys.h"
#include "launcher/config/source.h"

/* The most bytes of a file. */
#define CONFIG_FILE_MAX (1u << 20)

/* As config_parse, of bytes that may hold anything. */
struct config *config_parse_bytes(const char *text, size_t length, const char *name, const char *dir, const struct strv *sets,
				  struct conf_errors *ret_errors);

/* Sets what follows from other keys, and finds what is missing or contradicts itself. */
void config_check(struct config *c, struct problems *problems);

/* The section's fields: struct config itself, or the element called `name`, or NULL where there is none. */
void *section_base(struct config *c, const struct conf_section *section, const char *name);
/* Element i of a named section. */
void *section_item(const struct config *c, const struct conf_section *section, size_t i);
size_t section_count(const struct config *c, const struct conf_section *section);          /* 1 of one without name */
void *section_new(struct config *c, const struct conf_section *section, const char *name); /* of a named one, with defaults */
void section_defaults(const struct conf_section *section, void *base);
void section_initial(const struct conf_key *key, void *base); /* the key's default, or nothing */
