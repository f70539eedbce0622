/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: the texts of files that others wrote, with our words in them and every other byte as it was. See setup.h. */
#include <ctype.h>
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/advise/setup/setup.h"

#define SETUP_BEGIN "# qlaunch setup: begin; `qlaunch setup --undo` takes these lines away\n"
#define SETUP_END "# qlaunch setup: end\n"

/* ---- files of assignments, as a shell reads them (POSIX Shell Command Language, 2.2 and 2.3; bash's += and arrays) ---- */

struct shell {
	const char *p;
	const char *open;  /* why the text does not end where a line ends */
	bool here, leaves; /* a here-document, a return or an exit: what comes after it may never be read */
};

/* From the opening quote behind its closing one; the text goes to `out`. */
static void read_quoted(struct shell *s, struct sb *out)
{
	char quote = *s->p++;
	while (*s->p && *s->p != quote) {
		if (quote == '"' && *s->p == '\\' && s->p[1]) {
			s->p++;
			if (*s->p == '\n') {
				s->p++;
				continue;
			}
			if (!strchr("$`\"\\", *s->p))
				sb_addc(out, '\\');
		}
		sb_addc(out, *s->p++);
	}
	if (*s->p)
		s->p++;
	else
		s->open = _("a quote is not closed");
}

/* One word: up to a blank, the line's end or an operator. */
static void read_word(struct shell *s, struct sb *out)
{
	while (*s->p && !strchr(" \t\n;&|()", *s->p)) {
		if (*s->p == '"' || *s->p == '\'') {
			read_quoted(s, out);
		} else if (*s->p == '\\') {
			s->p++;
			if (!*s->p)
				s->open = _("a backslash ends it");
			else if (*s->p == '\n')
				s->p++;
			else
				sb_addc(out, *s->p++);
		} else {
			s->here |= s->p[0] == '<' && s->p[1] == '<';
			sb_addc(out, *s->p++);
		}
	}
}

static void skip_comment(struct shell *s)
{
	s->p += strcspn(s->p, "\n");
}

/* (one two # comment
 *  three): the words with a blank between each two */
static void read_array(struct shell *s, struct sb *out)
{
	for (s->p++; *s->p && *s->p != ')';) {
		if (isspace((unsigned char)*s->p) || strchr(";&|(", *s->p)) {
			s->p++;
		} else if (*s->p == '#') {
			skip_comment(s);
		} else {
			if (out->len)
				sb_addc(out, ' ');
			read_word(s, out);
		}
	}
	if (*s->p)
		s->p++;
	else
		s->open = _("a bracket is not closed");
}

/* At the beginning of a word: an assignment to the variable? Then behind its "=" or "+=". */
static bool takes(struct shell *s, const char *variable, bool *ret_adds)
{
	size_t n = strlen(variable);
	if (strncmp(s->p, variable, n) != 0 || !(s->p[n] == '=' || (s->p[n] == '+' && s->p[n + 1] == '=')))
		return false;
	*ret_adds = s->p[n] == '+';
	s->p += n + 1 + *ret_adds;
	return true;
}

char *setup_shell_value(const char *text, const char *variable, const char **ret_open)
{
	struct shell s = { .p = text };
	struct sb value = {};
	while (*s.p) {
		bool adds;
		if (isspace((unsigned char)*s.p) || strchr(";&|()", *s.p)) {
			s.p++;
		} else if (*s.p == '#') {
			skip_comment(&s);
		} else if (takes(&s, variable, &adds)) {
			cleanup_sb struct sb more = {};
			if (*s.p == '(')
				read_array(&s, &more);
			else
				read_word(&s, &more);
			cleanup_free char *self = str_fmt("$%s", variable), *braces = str_fmt("${%s}", variable);
			const char *word = more.s ? more.s : "";
			size_t skip = str_starts(word, self) ? strlen(self) : str_starts(word, braces) ? strlen(braces) : 0;
			if (!adds && !skip)
				sb_free(&value);
			sb_addf(&value, "%s%s", adds && value.len ? " " : "", word + skip);
		} else {
			cleanup_sb struct sb word = {};
			read_word(&s, &word);
			if (*s.p == '(' && str_ends(word.s ? word.s : "", "=")) /* another's array */
				read_array(&s, &word);
			s.leaves |= streq(word.s, "return") || streq(word.s, "exit");
		}
	}
	*ret_open = s.open ? s.open : s.here ? _("it has a here-document") : s.leaves ? _("it ends before its last line") : NULL;
	return sb_steal(&value);
}

char *setup_block(const char *old, const char *lines)
{
	struct sb out = {};
	const char *begin = strstr(old, SETUP_BEGIN), *end = begin ? strstr(begin, SETUP_END) : NULL;
	const char *rest = end ? end + strlen(SETUP_END) : "";
	sb_addn(&out, old, end ? (size_t)(begin - old) : strlen(old));
	if (lines) {
		if (out.len && out.s[out.len - 1] != '\n')
			sb_addc(&out, '\n');
		sb_addf(&out, SETUP_BEGIN "%s%s" SETUP_END, lines, str_ends(lines, "\n") ? "" : "\n");
	}
	sb_add(&out, rest);
	return sb_steal(&out);
}

static bool has_line(const char *text, const char *line, size_t n)
{
	for (const char *p = text; *p;) {
		size_t length = strcspn(p, "\n");
		if (length == n && !strncmp(p, line, n))
			return true;
		p += length + (p[length] == '\n');
	}
	return false;
}

char *setup_without_lines(const char *text, const char *old, const char *new)
{
	struct sb out = {};
	for (const char *p = text; *p;) {
		size_t n = strcspn(p, "\n"), whole = n + (p[n] == '\n');
		if (!has_line(new, p, n) || has_line(old, p, n))
			sb_addn(&out, p, whole);
		p += whole;
	}
	return sb_steal(&out);
}

/* ---- command lines ---- */

/* line[0..n) with those of the words that it lacks behind its last one. */
static void add_missing(struct sb *out, const char *line, size_t n, const struct strv *words)
{
	cleanup_strv struct strv has = {};
	cleanup_free char *copy = str_ndup(line, n);
	size_t end = n;
	strv_split(&has, copy, " \t\r");
	while (end && strchr(" \t\r", line[end - 1]))
		end--;
	sb_addn(out, line, end);
	for (size_t i = 0; i < words->n; i++)
		if (!strv_has(&has, words->v[i]))
			sb_addf(out, "%s%s", out->len ? " " : "", words->v[i]);
	sb_addn(out, line + end, n - end);
}

static bool is_command_line(const char *line, size_t n)
{
	size_t blank = strspn(line, " \t\r");
	return blank < n && line[blank] != '#';
}

static bool is_options(const char *line, size_t n)
{
	return n > 7 && str_starts(line, "options") && strchr(" \t", line[7]);
}

static char *in_first_line(const char *old, bool (*fits)(const char *line, size_t n), const struct strv *words)
{
	for (const char *line = old; *line;) {
		size_t n = strcspn(line, "\n");
		if (fits(line, n)) {
			struct sb out = {};
			sb_addn(&out, old, (size_t)(line - old));
			add_missing(&out, line, n, words);
			sb_add(&out, line + n);
			return sb_steal(&out);
		}
		line += n + (line[n] == '\n');
	}
	return NULL;
}

char *setup_line(const char *old, const struct strv *words)
{
	return in_first_line(old, is_command_line, words);
}

/* "options" may stand there several times: together they are the command line. */
char *setup_options(const char *old, const struct strv *words)
{
	return in_first_line(old, is_options, words);
}

/* What parts words there: they may stand in quotes and brackets. */
#define BLANKS " \t"
#define EDGES "\r\n\"'()"

char *setup_without(const char *text, const char *words)
{
	struct sb out = {};
	for (const char *p = text; *p;) {
		size_t blank = strspn(p, BLANKS), n = strcspn(p + blank, BLANKS EDGES);
		cleanup_free char *word = str_ndup(p + blank, n);
		bool ours = n && str_has_word(words, word);
		sb_addn(&out, p, ours ? 0 : blank + n);
		p += blank + n;
		if (ours && !blank) /* the first in its quotes */
			p += strspn(p, BLANKS);
		while (*p && strchr(EDGES, *p))
			sb_addc(&out, *p++);
	}
	return sb_steal(&out);
}

char *setup_added(const char *old, const char *new)
{
	cleanup_strv struct strv before = {}, after = {}, added = {};
	strv_split(&before, old, BLANKS EDGES);
	strv_split(&after, new, BLANKS EDGES);
	for (size_t i = 0; i < after.n; i++)
		if (!strv_has(&before, after.v[i]) && !str_ends(after.v[i], "=")) /* a variable that was not set stays, and is empty */
			strv_add(&added, after.v[i]);
	return strv_join(&added, " ");
}
