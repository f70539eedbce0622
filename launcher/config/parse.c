/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * parse: text and --set → struct config.
 *
 * inih splits keys from values. It says neither which line it is at nor what it left out, cuts lines at a length that
 * each distribution chooses, and passes over a section without keys; so the reader that feeds it counts, checks bytes,
 * sees the section headers itself, and keeps the line whole: the value is taken from there.
 */
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/config/parse.h"
#include "launcher/config/value.h"

struct parser {
	struct config *c;
	struct problems problems;
	const char *dir;
	char *cwd; /* what relative paths of --set are taken from; NULL where it cannot be had */
	/* The text, and the line that was handed out last. */
	const char *at, *end;
	char *line;
	unsigned number;
	bool unanswered; /* inih has not called back for the line */
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
		problems_add(&p->problems, at, section->named ? "[%s] needs a name: [%s NAME]" : N_("[%s] takes no name"),
			     word, word);
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
		problems_add(&p->problems, at, "unknown key \"%s\" in [%s]; there is one in [%s]", name, p->title,
			     elsewhere);
	else if (near)
		problems_add(&p->problems, at, "unknown key \"%s\" in [%s]; did you mean \"%s\"?", name, p->title,
			     near);
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

/* Bytes. */

/* Length of the UTF-8 sequence at s (RFC 3629: no overlong forms, no surrogates), 0 where there is none. */
static size_t utf8_length(const unsigned char *s, size_t left)
{
	static const unsigned char first[] = { 0xf5, 0xf0, 0xe0, 0xc2, 0x80, 0x00 }; /* of no, 4, 3, 2, no, 1 bytes */
	static const size_t lengths[] = { 0, 4, 3, 2, 0, 1 };
	size_t row = 0, n;
	while (s[0] < first[row])
		row++;
	n = lengths[row];
	if (!n || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

/* What is wrong with the bytes, or NULL; then *ret_column (from 1, in characters) is where. */
static const char *wrong_bytes(const char *text, size_t length, unsigned *ret_column)
{
	const unsigned char *s = (const unsigned char *)text;
	unsigned column = 1;
	for (size_t i = 0, n; i < length; i += n, column++) {
		n = utf8_length(s + i, length - i);
		const char *wrong = s[i] == '\0'				    ? _("a NUL byte")
				    : (s[i] < 0x20 && s[i] != '\t') || s[i] == 0x7f ? _("a control character")
				    : !n					    ? "not UTF-8"
										    : NULL;
		if (wrong) {
			*ret_column = column;
			return wrong;
		}
	}
	return NULL;
}

static unsigned column_of(const char *line, const char *at)
{
	unsigned column = 1;
	for (; line < at; line++)
		column += ((unsigned char)*line & 0xc0) != 0x80;
	return column;
}

/* The file. */

/* Takes the next line, without its end, into p->line; false at the end of the text. Lines with wrong bytes are told of
 * and come as empty. */
static bool take_line(struct parser *p)
{
	if (p->at >= p->end)
		return false;
	size_t left = (size_t)(p->end - p->at);
	const char *newline = memchr(p->at, '\n', left);
	size_t length = newline ? (size_t)(newline - p->at) : left;
	const char *start = p->at;
	p->at += length + (newline ? 1 : 0);
	if (length && start[length - 1] == '\r')
		length--;
	unsigned column = 1;
	const char *wrong =
		length > CONFIG_LINE_MAX ? _("the line is longer than 8192 bytes") : wrong_bytes(start, length, &column);
	p->number++;
	if (wrong)
		problems_add(&p->problems, (struct conf_at){ p->number, column }, "%s", wrong);
	free(p->line);
	p->line = str_ndup(start, wrong ? 0 : length);
	return true;
}

/* A line that begins with "[" at `s`. */
static void read_header(struct parser *p, char *s)
{
	struct conf_at at = { p->number, column_of(p->line, s) };
	size_t n = strlen(s);
	p->section = NULL;
	p->outside = false;
	if (s[n - 1] != ']') {
		problems_add(&p->problems, at, "a section is written [name] on a line of its own");
		return;
	}
	s[n - 1] = '\0';
	if (!enter_section(p, s + 1, at))
		return;
	const struct conf_place *before = source_find(p->c->source, p->title, NULL);
	if (before)
		problems_add(&p->problems, at, "[%s] stands at line %u already", p->title, before->line);
	else
		source_note(p->c->source, p->title, NULL, at, false);
}

/* inih's reader: the next line that is a key, as much of it as fits. */
static char *next_key_line(char *buffer, int size, void *data)
{
	struct parser *p = data;
	for (;;) {
		if (p->unanswered)
			problems_add(&p->problems, (struct conf_at){ p->number, 1 },
				     "neither [section] nor key = value");
		p->unanswered = false;
		if (!take_line(p))
			return NULL;
		char *s = str_trim(p->line);
		if (*s == '[') {
			read_header(p, s);
		} else if (*s && *s != '#' && *s != ';') {
			p->unanswered = true;
			/* from its first letter: inih takes an indented line for more of the last value; and one byte less than
			 * fits: after a full buffer without a newline inih throws away all up to the next one */
			snprintf(buffer, (size_t)size - 1, "%s", s);
			return buffer;
		}
	}
}

/* inih's handler. The name is right as it is; the value may be cut, or lack what inih takes for a comment. */
static int take_key(void *data, const char *section, const char *name, const char *value)
{
	struct parser *p = data;
	char *s = p->line + strspn(p->line, " \t");
	struct conf_at at = { p->number, column_of(p->line, s) };
	(void)section, (void)value;
	p->unanswered = false;
	char *equals = s + strlen(name);
	equals += strspn(equals, " \t");
	if (!*name || *equals != '=') {
		problems_add(&p->problems, at, "neither [section] nor key = value");
		return 1;
	}
	if (p->outside)
		problems_add(&p->problems, at, "\"%s\" stands before the first [section]", name);
	if (!p->section)
		return 1;
	const struct conf_key *key = conf_key_find(p->section->name, name);
	const struct conf_place *before = key ? source_find(p->c->source, p->title, key->name) : NULL;
	char *text = equals + 1 + strspn(equals + 1, " \t");
	if (!key)
		unknown_key(p, name, at);
	else if (before)
		problems_add(&p->problems, at, "\"%s\" stands at line %u already", name, before->line);
	else
		set_key(p, key, text, (struct conf_at){ p->number, column_of(p->line, text) });
	return 1;
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
	const char *wrong = wrong_bytes(set, strlen(set), &column);
	if (wrong || !equals || !dot) {
		problems_add(&p->problems, at, "%s",
			     wrong ? wrong : _("write --set section.key=value, or --set 'section name.key=value'"));
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
	const char *slash = strrchr(p->problems.file, '/'), *file = slash ? slash + 1 : p->problems.file;
	size_t n = strlen(file);
	cleanup_free char *name = str_ndup(file, str_ends(file, ".conf") ? n - 5 : n);
	cleanup_err struct err *e = value_check_name(name, 64);
	if (e)
		problems_add(&p->problems, source_at(p->c->source, "vm", NULL), "%s; give it one by name = in [vm]",
			     err_text(e));
	else
		p->c->vm.name = steal(name);
}

struct config *config_parse_bytes(const char *text, size_t length, const char *name, const char *dir,
				  const struct strv *sets, struct conf_errors *ret_errors)
{
	struct config *c = mem_new(sizeof(*c));
	struct parser p = {
		.c = c, .problems.file = name, .dir = dir, .at = text, .end = text + length, .outside = true
	};
	c->path = str_dup(name);
	p.cwd = sets && sets->n ? realpath(".", NULL) : NULL;
	c->source = mem_new(sizeof(*c->source));
	for (const struct conf_section *s = conf_sections; s->name; s++)
		if (!s->named)
			section_defaults(s, c);
	if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) /* the byte order mark that some editors write */
		p.at += 3;
	if (ini_parse_stream(next_key_line, &p, take_key, &p) < 0)
		abort(); /* no memory */
	for (size_t i = 0; sets && i < sets->n; i++)
		read_set(&p, sets->v[i]);
	name_machine(&p);
	config_check(c, &p.problems);
	bool bad = p.problems.n > 0;
	problems_give(&p.problems, &ret_errors->lines);
	free(p.line);
	free(p.title);
	free(p.cwd);
	if (bad)
		config_freep(&c);
	return c;
}

struct config *config_parse(const char *text, const char *name, const char *dir, const struct strv *sets,
			    struct conf_errors *ret_errors)
{
	return config_parse_bytes(text, strlen(text), name, dir, sets, ret_errors);
}
