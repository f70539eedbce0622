/* SPDX-License-Identifier: GPL-2.0-or-later */
/* paths: see paths.h. */
#include <stdlib.h>
#include "launcher/config/parse.h"
#include "launcher/config/paths.h"
#include "launcher/config/value.h"

/* Of a type whose text can be one. */
static bool is_path(const struct conf_key *key)
{
	static const struct conf_type *const types[] = { &TYPE_PATH, &TYPE_ROM, &TYPE_PROGRAM, &TYPE_SERIAL, &TYPE_AGENT, &TYPE_DEVICE };
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (key->type == types[i])
			return true;
	return false;
}

static void add(struct conf_paths *all, const struct config *c, const struct conf_key *key)
{
	const struct conf_section *s = conf_section_find(key->section);
	for (size_t i = 0; i < section_count(c, s); i++) {
		const void *base = s->named ? section_item(c, s, i) : (const void *)c;
		const char *name = s->named ? *(char *const *)base : NULL; /* every element begins with its name */
		const char *path = *(char *const *)((const char *)base + key->offset);
		if (!path || *path != '/') /* "off", "stdio", a device by what it says of itself */
			continue;
		all->v = mem_grow(all->v, all->n, sizeof(*all->v));
		all->v[all->n++] = (struct conf_path){ key->section, name, key->name, path };
	}
}

struct conf_paths paths_of(const struct config *c)
{
	struct conf_paths all = {};
	for (const struct conf_key *key = conf_keys; key->section; key++)
		if (is_path(key))
			add(&all, c, key);
	return all;
}

void paths_free(struct conf_paths *p)
{
	free(p->v);
	*p = (struct conf_paths){};
}
