/* SPDX-License-Identifier: GPL-2.0-or-later */
/* source: see source.h. */
#include <limits.h>
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/config/source.h"

static struct conf_place *find(const struct conf_source *s, const char *section, const char *key)
{
	for (size_t i = 0; s && i < s->n; i++)
		if (streq(s->v[i].section, section) && streq(s->v[i].key, key))
			return &s->v[i];
	return NULL;
}

void source_note(struct conf_source *s, const char *section, const char *key, struct conf_at at, bool empty)
{
	struct conf_place *p = find(s, section, key);
	if (!p) {
		s->v = mem_grow(s->v, s->n, sizeof(*s->v));
		p = &s->v[s->n++];
		p->section = str_dup(section);
		p->key = key;
	}
	str_set(&p->set, at.set);
	p->line = at.line;
	p->column = at.column;
	p->empty = empty;
}

const struct conf_place *source_find(const struct conf_source *s, const char *section, const char *key)
{
	return find(s, section, key);
}

bool source_is_set(const struct conf_source *s, const char *section, const char *key)
{
	const struct conf_place *p = find(s, section, key);
	return p && !p->empty;
}

struct conf_at source_at(const struct conf_source *s, const char *section, const char *key)
{
	const struct conf_place *p = find(s, section, key);
	if (!p)
		p = find(s, section, NULL);
	return p ? (struct conf_at){ p->line, p->column, p->set } : (struct conf_at){};
}

void source_free(struct conf_source *s)
{
	for (size_t i = 0; s && i < s->n; i++) {
		free(s->v[i].section);
		free(s->v[i].set);
	}
	if (s)
		free(s->v);
	free(s);
}

char *config_where(const struct config *c, const char *section, const char *key)
{
	struct conf_at at = source_at(c->source, section, key);
	if (at.set)
		return str_fmt("--set %s", at.set);
	return at.line ? str_fmt("%s:%u", c->path, at.line) : str_dup(c->path);
}

void problems_add(struct problems *ps, struct conf_at at, const char *fmt, ...)
{
	struct sb text = {};
	if (ps->n > PROBLEMS_MAX)
		return;
	if (at.set)
		sb_addf(&text, "--set %s: ", at.set);
	else if (at.line)
		sb_addf(&text, "%s:%u:%u: ", ps->file, at.line, at.column);
	else
		sb_addf(&text, "%s: ", ps->file);
	va_list ap;
	va_start(ap, fmt);
	sb_vaddf(&text, tr(fmt), ap);
	va_end(ap);
	ps->v = mem_grow(ps->v, ps->n, sizeof(*ps->v));
	ps->v[ps->n] = (struct problem){ at.set ? UINT_MAX : at.line, at.column, ps->n, sb_steal(&text) };
	ps->n++;
}

static int by_place(const void *a, const void *b)
{
	const struct problem *p = a, *q = b;
	if (p->line != q->line)
		return p->line < q->line ? -1 : 1;
	if (p->column != q->column)
		return p->column < q->column ? -1 : 1;
	return p->order < q->order ? -1 : 1;
}

void problems_give(struct problems *ps, struct strv *ret_lines)
{
	size_t shown = ps->n > PROBLEMS_MAX ? PROBLEMS_MAX : ps->n;
	if (ps->n)
		qsort(ps->v, ps->n, sizeof(*ps->v), by_place);
	for (size_t i = 0; i < shown; i++)
		strv_add(ret_lines, ps->v[i].text);
	if (ps->n > shown)
		strv_addf(ret_lines, _("%s: and more"), ps->file);
	for (size_t i = 0; i < ps->n; i++)
		free(ps->v[i].text);
	free(ps->v);
	ps->v = NULL;
	ps->n = 0;
}
