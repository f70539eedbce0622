/* SPDX-License-Identifier: GPL-2.0-or-later */
/* draft: see draft.h. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/config/config.h"
#include "launcher/config/keys.h"
#include "launcher/import/draft.h"

#define NOTES_MAX 1000  /* a file with more than that is not a machine */
#define VALUE_MAX 6000  /* below the longest line of a configuration */
#define REPAIRS_MAX 100 /* keys that contradict each other */

/* Takes out what is no UTF-8, a sequence that was cut among it, in place. */
static void clean_utf8(char *text)
{
	char *out = text;
	while (*text) {
		unsigned char c = (unsigned char)*text;
		size_t n = c < 0x80 ? 1 : c >= 0xf0 && c < 0xf5 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 0, have = 1;
		while (have < n && ((unsigned char)text[have] & 0xc0) == 0x80)
			have++;
		bool good = n && have == n && c < 0xf5;
		for (size_t i = 0; i < (good ? n : 1); i++, text++)
			if (good)
				*out++ = *text;
	}
	*out = '\0';
}

/* The last place of a full list says that there were more: the first of them is not dropped in silence. */
static void add_note(struct draft *d, enum draft_weight weight, unsigned line, char *text)
{
	for (size_t i = 0; i < d->n_notes; i++) {
		struct draft_note *n = &d->notes[i];
		if (!streq(n->text, text))
			continue;
		n->weight = weight < n->weight ? weight : n->weight;
		n->times += line != n->last;
		n->last = line > n->last ? line : n->last;
		free(text);
		return;
	}
	d->notes = mem_grow(d->notes, d->n_notes, sizeof(*d->notes));
	d->notes[d->n_notes++] = (struct draft_note){ weight, line, line, 1, text };
}

void draft_note(struct draft *d, enum draft_weight weight, unsigned line, const char *fmt, ...)
{
	va_list ap;
	struct sb text = {};
	if (d->n_notes == NOTES_MAX)
		return;
	if (d->n_notes == NOTES_MAX - 1) {
		add_note(d, NOTE_FATAL, line, tr_dup("and more from here on than anybody would read: that is no usual machine"));
		return;
	}
	va_start(ap, fmt);
	sb_vaddf(&text, tr(fmt), ap);
	va_end(ap);
	cleanup_free char *raw = sb_steal(&text);
	clean_utf8(raw);
	add_note(d, weight, line, str_printable(raw));
}

char *draft_note_place(const struct draft_note *n)
{
	if (n->times == 1)
		return tr_fmt("line %u", n->line);
	return n->times == 2 ? tr_fmt("lines %u and %u", n->line, n->last)
			     : tr_fmt("%zu times, lines %u to %u", n->times, n->line, n->last);
}

struct draft_section *draft_section_find(const struct draft *d, const char *title)
{
	for (size_t i = 0; i < d->n; i++)
		if (streq(d->v[i].title, title))
			return &d->v[i];
	return NULL;
}

struct draft_section *draft_section(struct draft *d, unsigned line, const char *title)
{
	struct draft_section *s = draft_section_find(d, title);
	if (s)
		return s;
	d->v = mem_grow(d->v, d->n, sizeof(*d->v));
	d->v[d->n] = (struct draft_section){ .title = str_dup(title), .line = line };
	return &d->v[d->n++];
}

const char *draft_get(const struct draft *d, const char *section, const char *key)
{
	const struct draft_section *s = draft_section_find(d, section);
	for (size_t i = 0; s && i < s->n; i++)
		if (streq(s->v[i].key, key))
			return s->v[i].value;
	return NULL;
}

/* A value stands on one line, whole. */
static bool one_line(const char *value)
{
	size_t n = strlen(value);
	cleanup_free char *clean = str_dup(value);
	clean_utf8(clean);
	if (!streq(clean, value) || !n || n > VALUE_MAX || isspace((unsigned char)value[0]) || isspace((unsigned char)value[n - 1]))
		return false;
	for (; *value; value++)
		if ((unsigned char)*value < ' ' || *value == 0x7f)
			return false;
	return true;
}

void draft_set(struct draft *d, unsigned line, const char *section, const char *key, const char *value)
{
	const char *have = draft_get(d, section, key);
	if (streq(have, value))
		return;
	if (have) {
		draft_note(d, NOTE_MACHINE, line, "[%s] %s is %s already; %.200s is left out", section, key, have, value);
		return;
	}
	if (!one_line(value)) {
		draft_note(d, NOTE_FATAL, line, "[%s] %s cannot be \"%.200s\"", section, key, value);
		return;
	}
	struct draft_section *s = draft_section(d, line, section);
	s->v = mem_grow(s->v, s->n, sizeof(*s->v));
	s->v[s->n++] = (struct draft_key){ .key = str_dup(key), .value = str_dup(value), .line = line };
}

void draft_setf(struct draft *d, unsigned line, const char *section, const char *key, const char *fmt, ...)
{
	va_list ap;
	struct sb text = {};
	va_start(ap, fmt);
	sb_vaddf(&text, fmt, ap);
	va_end(ap);
	cleanup_free char *value = sb_steal(&text);
	draft_set(d, line, section, key, value);
}

char *draft_title(const struct draft *d, const char *kind, const char *wish)
{
	char name[33] = "";
	size_t n = 0;
	for (const char *p = wish; *p && n < sizeof(name) - 1; p++)
		if (isalnum((unsigned char)*p) || (n && strchr("_.-", *p)))
			name[n++] = *p;
	cleanup_free char *base = str_dup(n ? name : "x");
	char *title = str_fmt("%s %s", kind, base);
	for (size_t i = d->n > SECTIONS_MAX ? d->n : 2; draft_section_find(d, title); i++) {
		free(title);
		title = str_fmt("%s %s-%zu", kind, base, i);
	}
	return title;
}

/* ---- the text ---- */

/* What stands on each line of the text, to find it again by an error's line. */
struct places {
	struct spot {
		struct draft_section *section;
		struct draft_key *key;
	} * v;
	size_t n;
};

static void add_line(struct sb *out, struct places *p, struct draft_section *s, struct draft_key *k, const char *text)
{
	p->v = mem_grow(p->v, p->n, sizeof(*p->v));
	p->v[p->n++] = (struct spot){ s, k };
	sb_add(out, text);
	sb_addc(out, '\n');
}

static void add_head(struct sb *out, struct places *p, const char *head)
{
	while (*head) {
		size_t n = strcspn(head, "\n");
		cleanup_free char *line = str_fmt("#%s%.*s", n ? " " : "", (int)n, head);
		add_line(out, p, NULL, NULL, line);
		head += n + (head[n] == '\n');
	}
}

static void add_section(struct sb *out, struct places *p, struct draft_section *s)
{
	cleanup_free char *title = str_fmt("%s[%s]", s->problem ? "#" : "", s->title);
	add_line(out, p, NULL, NULL, "");
	add_line(out, p, s, NULL, title);
	for (size_t i = 0; i < s->n; i++) {
		struct draft_key *k = &s->v[i];
		cleanup_free char *line = str_fmt("%s%s = %s", s->problem || k->problem ? "#" : "", k->key, k->value);
		add_line(out, p, s, k, line);
	}
}

static char *compose(struct draft *d, const char *head, struct places *p)
{
	struct sb out = {};
	add_head(&out, p, head);
	for (const struct conf_section *kind = conf_sections; kind->name; kind++)
		for (size_t i = 0; i < d->n; i++) {
			size_t n = strlen(kind->name);
			if (strncmp(d->v[i].title, kind->name, n) == 0 && d->v[i].title[n] == (kind->named ? ' ' : '\0'))
				add_section(&out, p, &d->v[i]);
		}
	return sb_steal(&out);
}

/* Makes a comment of what the first error is about; false where that is not known. */
static bool repair(struct draft *d, const struct places *p, const char *line)
{
	const char *colon = strchr(line, ':'), *text = colon ? strstr(colon, ": ") : NULL;
	unsigned long number = colon ? strtoul(colon + 1, NULL, 10) : 0;
	if (!text || number == 0 || number > p->n)
		return false;
	const struct spot *at = &p->v[number - 1];
	if (at->key && !at->key->problem && !at->section->problem) {
		at->key->problem = str_dup(text + 2);
		draft_note(d, NOTE_FATAL, at->key->line, "[%s] %s = %.200s is a comment now: %s", at->section->title, at->key->key,
			   at->key->value, text + 2);
	} else if (at->section && !at->section->problem) {
		at->section->problem = str_dup(text + 2);
		draft_note(d, NOTE_FATAL, at->section->line, "[%s] is a comment now: %s", at->section->title, text + 2);
	} else {
		return false;
	}
	return true;
}

static int compare_notes(const void *a, const void *b)
{
	const struct draft_note *x = a, *y = b;
	if (x->weight != y->weight)
		return (x->weight > y->weight) - (x->weight < y->weight);
	return x->line != y->line ? (x->line > y->line) - (x->line < y->line) : strcmp(x->text, y->text);
}

struct err *draft_finish(struct draft *d, const char *head, char **ret_text)
{
	for (int i = 0; i < REPAIRS_MAX; i++) {
		struct places places = {};
		struct conf_errors errors = {};
		cleanup_free char *text = compose(d, head, &places);
		config_free(config_parse(text, "x", "/", NULL, &errors));
		bool good = !errors.lines.n, repaired = !good && repair(d, &places, errors.lines.v[0]);
		cleanup_free char *first = good ? NULL : str_dup(errors.lines.v[0]);
		free(places.v);
		strv_free(&errors.lines);
		if (good) {
			if (d->n_notes)
				qsort(d->notes, d->n_notes, sizeof(*d->notes), compare_notes);
			*ret_text = steal(text);
			return NULL;
		}
		if (!repaired)
			return err_exit(err_new("it does not come to a configuration: %s", first), EXIT_CONFIG);
	}
	return err_exit(err_new("it has too many values that contradict each other"), EXIT_CONFIG);
}

static void section_free(struct draft_section *s)
{
	for (size_t k = 0; k < s->n; k++) {
		free(s->v[k].key);
		free(s->v[k].value);
		free(s->v[k].problem);
	}
	free(s->v);
	free(s->title);
	free(s->problem);
}

void draft_replace(struct draft *d, const char *section, const char *key, const char *value)
{
	struct draft_section *s = draft_section_find(d, section);
	for (size_t i = 0; s && i < s->n; i++)
		if (streq(s->v[i].key, key)) {
			str_set(&s->v[i].value, value);
			return;
		}
	draft_set(d, 1, section, key, value);
}

void draft_drop(struct draft *d, const char *title)
{
	struct draft_section *s = draft_section_find(d, title);
	if (!s)
		return;
	section_free(s);
	memmove(s, s + 1, (size_t)(d->v + d->n - s - 1) * sizeof(*s));
	d->n--;
}

void draft_unset(struct draft *d, const char *section, const char *key)
{
	struct draft_section *s = draft_section_find(d, section);
	for (size_t i = 0; s && i < s->n; i++) {
		if (!streq(s->v[i].key, key))
			continue;
		free(s->v[i].key);
		free(s->v[i].value);
		free(s->v[i].problem);
		memmove(&s->v[i], &s->v[i + 1], (s->n - i - 1) * sizeof(*s->v));
		if (--s->n == 0)
			draft_drop(d, section);
		return;
	}
}

void draft_free(struct draft *d)
{
	for (size_t i = 0; i < d->n; i++)
		section_free(&d->v[i]);
	for (size_t i = 0; i < d->n_notes; i++)
		free(d->notes[i].text);
	strv_free(&d->vars);
	strv_free(&d->tpm);
	free(d->v);
	free(d->notes);
	*d = (struct draft){};
}

char *draft_name(const char *text)
{
	char name[65];
	size_t n = 0;
	for (; *text && n < sizeof(name) - 1; text++) {
		bool plain = isascii((unsigned char)*text) && (isalnum((unsigned char)*text) || (n && strchr("_.-", *text)));
		if (plain || (n && name[n - 1] != '-'))
			name[n++] = plain ? *text : '-';
	}
	while (n && name[n - 1] == '-')
		n--;
	return n ? str_ndup(name, n) : str_dup("imported");
}
