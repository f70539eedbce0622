/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rewrite: see rewrite.h. */
#include <stdlib.h>
#include "launcher/config/lines.h"
#include "launcher/config/rewrite.h"

/* "disk  main" as "disk main". */
static char *plain_name(const char *section)
{
	cleanup_strv struct strv words = {};
	strv_split(&words, section, " \t");
	return strv_join(&words, " ");
}

/* Length of the line at `s` with its end. */
static size_t line_length(const char *s)
{
	size_t n = strcspn(s, "\n");
	return n + (s[n] == '\n');
}

/* Length of what ends the line at `s`: "\n", "\r\n", or nothing. */
static size_t end_length(const char *s, size_t length)
{
	size_t n = length && s[length - 1] == '\n';
	return n && length > 1 && s[length - 2] == '\r' ? 2 : n;
}

static void add_key(struct sb *sb, const struct rewrite *r, const char *end)
{
	sb_addf(sb, "%s = %s%s", r->key, r->value, end);
}

/* The line at `s`, a key of it being `r`'s: what stands before the value stays. */
static void change_line(struct sb *sb, const char *s, size_t length, const struct rewrite *r)
{
	const char *equals = memchr(s, '=', length);
	size_t end = end_length(s, length), head = equals ? (size_t)(equals - s) + 1 : 0;
	while (head < length - end && (s[head] == ' ' || s[head] == '\t'))
		head++;
	sb_addn(sb, s, head);
	sb_add(sb, r->value);
	sb_addn(sb, s + length - end, end);
}

static char *rewrite_one(const char *text, const struct rewrite *r)
{
	cleanup_lines struct lines lines = lines_begin(text, strlen(text));
	struct lines_line line;
	struct sb sb = {};
	cleanup_free char *section = str_dup("");
	unsigned number = 0;
	size_t below = 0; /* where a new line goes: behind the section's header; 0: there is none */
	bool found = false;
	const char *at = text, *crlf = strstr(text, "\r\n"), *end = crlf ? "\r\n" : "\n";
	while (lines_next(&lines, &line)) {
		for (; number + 1 < line.number; number++, at += line_length(at))
			sb_addn(&sb, at, line_length(at));
		size_t length = line_length(at);
		if (line.kind == LINES_SECTION || line.kind == LINES_WRONG_SECTION) {
			free(section);
			section = plain_name(line.name);
		}
		bool ours = line.kind == LINES_KEY && streq(section, r->section) && streq(line.name, r->key);
		if (!ours)
			sb_addn(&sb, at, length);
		else if (r->value)
			change_line(&sb, at, length, r);
		found |= ours;
		if (line.kind == LINES_SECTION && !below && streq(section, r->section)) {
			if (!end_length(at, length))
				sb_add(&sb, end);
			below = sb.len;
		}
		number++;
		at += length;
	}
	sb_add(&sb, at);
	if (found || !r->value)
		return sb_steal(&sb);
	cleanup_sb struct sb whole = {};
	sb_addn(&whole, sb.s ? sb.s : "", below ? below : sb.len);
	if (!below && sb.s && sb.len)
		sb_addf(&whole, "%s%s", end_length(sb.s, sb.len) ? "" : end, end);
	if (!below)
		sb_addf(&whole, "[%s]%s", r->section, end);
	add_key(&whole, r, end);
	if (below)
		sb_add(&whole, sb.s + below);
	sb_free(&sb);
	return sb_steal(&whole);
}

char *config_rewrite(const char *text, const struct rewrite *v, size_t n)
{
	char *now = str_dup(text);
	for (size_t i = 0; i < n; i++) {
		cleanup_free char *before = now;
		now = rewrite_one(before, &v[i]);
	}
	return now;
}

/* A copy that lives as long as the list. */
static const char *keep(struct rewrites *r, const char *text)
{
	strv_add(&r->texts, text);
	return r->texts.v[r->texts.n - 1];
}

void rewrites_add(struct rewrites *r, const char *section, const char *name, const char *key, const char *value)
{
	cleanup_free char *title = name ? str_fmt("%s %s", section, name) : str_dup(section);
	r->v = mem_grow(r->v, r->n, sizeof(*r->v));
	r->v[r->n++] = (struct rewrite){ keep(r, title), key, value ? keep(r, value) : NULL };
}

void rewrites_free(struct rewrites *r)
{
	free(r->v);
	strv_free(&r->texts);
	*r = (struct rewrites){};
}
