/* SPDX-License-Identifier: GPL-2.0-or-later */
/* section: struct config as the table sees it: sections, their fields, defaults, freeing all of it. See parse.h. */
#include <stdlib.h>
#include "launcher/config/parse.h"
#include "launcher/config/value.h"

/* The array's pointer in struct config is one to the section's own struct: copied, so that no rule of aliasing is broken. */
static char *array_get(const struct config *c, const struct conf_section *section)
{
	char *array;
	memcpy(&array, (const char *)c + section->array, sizeof(array));
	return array;
}

void *section_item(const struct config *c, const struct conf_section *section, size_t i)
{
	return array_get(c, section) + i * section->size;
}

size_t section_count(const struct config *c, const struct conf_section *section)
{
	return section->named ? *(const size_t *)((const char *)c + section->count) : 1;
}

void *section_base(struct config *c, const struct conf_section *section, const char *name)
{
	if (!section->named)
		return c;
	for (size_t i = 0; i < section_count(c, section); i++) {
		char **item = section_item(c, section, i); /* every element begins with its name */
		if (streq(*item, name))
			return item;
	}
	return NULL;
}

void section_initial(const struct conf_key *key, void *base)
{
	key->type->clear(key, base);
	struct err *e = key->initial ? key->type->set(key, base, key->initial, NULL) : NULL;
	if (e)
		abort(); /* a default of the table that does not parse */
}

void section_defaults(const struct conf_section *section, void *base)
{
	for (const struct conf_key *k = conf_keys; k->section; k++)
		if (streq(k->section, section->name))
			section_initial(k, base);
}

void *section_new(struct config *c, const struct conf_section *section, const char *name)
{
	size_t *count = (size_t *)((char *)c + section->count);
	char *array = mem_grow(array_get(c, section), *count, section->size);
	memcpy((char *)c + section->array, &array, sizeof(array));
	char **item = section_item(c, section, (*count)++);
	*item = str_dup(name);
	section_defaults(section, item);
	return item;
}

void config_free(struct config *c)
{
	if (!c)
		return;
	for (const struct conf_section *s = conf_sections; s->name; s++) {
		for (size_t i = 0; i < section_count(c, s); i++) {
			void *base = s->named ? section_item(c, s, i) : c;
			for (const struct conf_key *k = conf_keys; k->section; k++)
				if (streq(k->section, s->name))
					k->type->clear(k, base);
			if (s->named)
				free(*(char **)base);
		}
		if (s->named)
			free(array_get(c, s));
	}
	source_free(c->source);
	free(c->path);
	free(c);
}

void config_freep(struct config **c)
{
	config_free(*c);
	*c = NULL;
}
