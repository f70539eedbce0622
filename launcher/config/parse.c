/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parse: text and --set → struct config. */
#include <stdio.h>
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/config/lines.h"
#include "launcher/config/parse.h"
#include "launcher/config/value.h"

struct parser {
	struct config *c;
	struct problems problems;
	const char *dir;
	char *cwd; /* what relative paths of --set are taken from; NULL where it cannot be had */
	/* The section that the line stands in; NULL: none, or an unknown one. */
	const struct conf_section *section;
	char *title; /* "pci gpu" */
	void *base;
	bool outside; /* before the first section */
};

/* Sections. */

static const char *nearest_section(const char *word)
{
	cleanup_strv struct strv names = {};
	for (const struct conf_section *s = conf_sections; s->name; s++)
		strv_add(&names, s->name);
	const char *near = str_nearest(word, (const char *const *)names.v);
	const struct conf_section *s = near ? conf_section_find(near) : NULL;
	return s ? s->name : NULL;
}

/* Makes the section called by `text` ("cpu", "pci gpu") the current one, creating it where it is not; false after
 * telling what is wrong. */
static bool enter_section(struct parser *p, const char *text, struct conf_at at)
{
	cleanup_free char *copy = str_dup(text);
	char *word = str_trim(copy), *name = word + strcspn(word, " \t");
	if (*name)
		*name++ = '\0';
	name = str_trim(name);
	const struct conf_section *section = conf_section_find(word);
	p->section = NULL;
	p->outside = false;
	if (!section) {
		const char *near = nearest_section(word);
		if (near)
			problems_add(&p->problems, at, "unknown section [%s]; did you mean [%s]?", word, near);
		else
			problems_add(&p->problems, at, "unknown section [%s]", word);
		return false;
	}
	if (section->named != (*name != '\0')) {
		problems_add(&p->problems, at, section->named ? "[%s] needs a name: [%s NAME]" : N_("[%s] takes no name"), word, word);
		return false;
	}
	struct err *e = section->named ? value_check_name(name, 32) : NULL;
	void *base = e ? NULL : section_base(p->c, section, name);
	if (!e && !base && section_count(p->c, section) == SECTIONS_MAX)
		e = err_new("more than %d sections [%s]", SECTIONS_MAX, word);
	if (e) {
		problems_add(&p->problems, at, "%s", err_text(e));
		err_free(e);
		return false;
	}
	free(p->title);
	p->title = section->named ? str_fmt("%s %s", word, name) : str_dup(word);
	p->section = section;
	p->base = base ? base : section_new(p->c, section, name);
	return true;
}

/* Keys. */

/* Tells of a key that the section does not have. */
static void unknown_key(struct parser *p, const char *name, struct conf_at at)
{
	cleanup_strv struct strv names = {};
	const char *elsewhere = NULL;
	for (const struct conf_key *k = conf_keys; k->section; k++) {
		if (streq(k->section, p->section->name))
			strv_add(&names, k->name);
		else if (streq(k->name, name))
			elsewhere = k->section;
	}
	const char *near = str_nearest(name, (const char *const *)names.v);
	if (elsewhere && !near)
		problems_add(&p->problems, at, "unknown key \"%s\" in [%s]; there is one in [%s]", name, p->title, elsewhere);
	else if (near)
		problems_add(&p->problems, at, "unknown key \"%s\" in [%s]; did you mean \"%s\"?", name, p->title, near);
	else
		problems_add(&p->problems, at, "unknown key \"%s\" in [%s]", name, p->title);
}

/* Sets a key of the current section. `at` is where its value stands. */
static void set_key(struct parser *p, const struct conf_key *key, const char *value, struct conf_at at)
{
	if (!*value && (at.set || key->type->may_be_empty)) {
		section_initial(key, p->base);
	} else if (!*value) {
		problems_add(&p->problems, at, "%s: the value is missing", key->name);
	} else {
		cleanup_err struct err *e = key->type->set(key, p->base, value, at.set ? p->cwd : p->dir);
		const char *comment = at.set ? NULL : strstr(value, " #");
		if (e)
			problems_add(&p->problems, at, "%s: %s%s", key->name, err_text(e),
				     comment ? _("; a comment stands on a line of its own") : "");
	}
	source_note(p->c->source, p->title, key->name, at, !*value);
}

/* The file. */

static void read_section(struct parser *p, const struct lines_line *line)
{
	struct conf_at at = { line->number, line->column };
	if (!enter_section(p, line->name, at))
		return;
	const struct conf_place *before = source_find(p->c->source, p->title, NULL);
	if (before)
		problems_add(&p->problems, at, "[%s] stands at line %u already", p->title, before->line);
	else
		source_note(p->c->source, p->title, NULL, at, false);
}

static void read_key(struct parser *p, const struct lines_line *line)
{
	struct conf_at at = { line->number, line->column };
	if (p->outside)
		problems_add(&p->problems, at, "\"%s\" stands before the first [section]", line->name);
	if (!p->section)
		return;
	const struct conf_key *key = conf_key_find(p->section->name, line->name);
	const struct conf_place *before = key ? source_find(p->c->source, p->title, key->name) : NULL;
	if (!key)
		unknown_key(p, line->name, at);
	else if (before)
		problems_add(&p->problems, at, "\"%s\" stands at line %u already", line->name, before->line);
	else
		set_key(p, key, line->value, (struct conf_at){ line->number, line->value_column });
}

static void read_text(struct parser *p, const char *text, size_t length)
{
	cleanup_lines struct lines lines = lines_begin(text, length);
	struct lines_line line;
	while (lines_next(&lines, &line)) {
		if (line.kind == LINES_SECTION) {
			read_section(p, &line);
			continue;
		}
		if (line.kind == LINES_KEY) {
			read_key(p, &line);
			continue;
		}
		if (line.kind == LINES_WRONG_SECTION) {
			p->section = NULL;
			p->outside = false;
		}
		problems_add(&p->problems, (struct conf_at){ line.number, line.column }, "%s", line.wrong);
	}
}

/* The command line. */

static void read_set(struct parser *p, const char *set)
{
	const char *equals = strchr(set, '=');
	cleanup_free char *copy = str_ndup(set, equals ? (size_t)(equals - set) : strlen(set));
	cleanup_free char *value = str_dup(equals ? equals + 1 : "");
	char *left = str_trim(copy);
	cleanup_free char *label = str_printable(left);
	struct conf_at at = { 0, 0, label };
	char *dot = strrchr(left, '.');
	unsigned column;
	const char *wrong = lines_wrong_bytes(set, strlen(set), &column);
	if (wrong) {
		cleanup_free char *shown = str_printable(set);
		problems_add(&p->problems, at, "%s: \"%s\"", wrong, shown);
		return;
	}
	if (!equals || !dot) {
		problems_add(&p->problems, at, "%s", _("write --set section.key=value, or --set 'section name.key=value'"));
		return;
	}
	*dot = '\0';
	if (!enter_section(p, left, at))
		return;
	if (!source_find(p->c->source, p->title, NULL))
		source_note(p->c->source, p->title, NULL, at, false);
	const struct conf_key *key = conf_key_find(p->section->name, dot + 1);
	if (key)
		set_key(p, key, str_trim(value), at);
	else
		unknown_key(p, dot + 1, at);
}

/* Everything. */

/* "win11" of "/etc/qlaunch/win11.conf", unless [vm] says it. */
static void name_machine(struct parser *p)
{
	if (p->c->vm.name || source_find(p->c->source, "vm", "name"))
		return;
	const char *file = str_base(p->problems.file);
	size_t n = strlen(file);
	cleanup_free char *name = str_ndup(file, str_ends(file, ".conf") ? n - 5 : n);
	cleanup_err struct err *e = value_check_name(name, 64);
	if (e)
		problems_add(&p->problems, source_at(p->c->source, "vm", NULL), "%s; give it one by name = in [vm]", err_text(e));
	else
		p->c->vm.name = steal(name);
}

struct config *config_parse_bytes(const char *text, size_t length, const char *name, const char *dir, const struct strv *sets,
				  struct conf_errors *ret_errors)
{
	struct config *c = mem_new(sizeof(*c));
	struct parser p = { .c = c, .problems.file = name, .dir = dir, .outside = true };
	c->path = str_dup(name);
	p.cwd = sets && sets->n ? realpath(".", NULL) : NULL;
	c->source = mem_new(sizeof(*c->source));
	for (const struct conf_section *s = conf_sections; s->name; s++)
		if (!s->named)
			section_defaults(s, c);
	read_text(&p, text, length);
	for (size_t i = 0; sets && i < sets->n; i++)
		read_set(&p, sets->v[i]);
	name_machine(&p);
	config_check(c, &p.problems);
	bool bad = p.problems.n > 0;
	problems_give(&p.problems, &ret_errors->lines);
	free(p.title);
	free(p.cwd);
	if (bad)
		config_freep(&c);
	return c;
}

struct config *config_parse(const char *text, const char *name, const char *dir, const struct strv *sets, struct conf_errors *ret_errors)
{
	return config_parse_bytes(text, strlen(text), name, dir, sets, ret_errors);
}
