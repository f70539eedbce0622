/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: the texts of files that others wrote, with our words in them and every other byte as it was. See setup.h. */
#include <stdlib.h>
#include "launcher/advise/setup.h"

/* Whether `word` stands in text[0..n) as one of its words. */
static bool has_word(const char *text, size_t n, const char *word)
{
	cleanup_free char *copy = str_ndup(text, n);
	cleanup_strv struct strv words = {};
	strv_split(&words, copy, " \t\n\"'()");
	return strv_has(&words, word);
}

/* `old` with those of the words that text[0..n) lacks, put in at `at`, a place in `old`. */
static char *insert(const char *old, const char *text, size_t n, const char *at, const struct strv *words)
{
	struct sb out = {};
	bool blank = at > text && at[-1] != ' ' && at[-1] != '\t' && at[-1] != '"' && at[-1] != '\'' && at[-1] != '(' && at[-1] != '=';
	sb_addn(&out, old, (size_t)(at - old));
	for (size_t i = 0; i < words->n; i++) {
		if (has_word(text, n, words->v[i]))
			continue;
		sb_addf(&out, "%s%s", blank ? " " : "", words->v[i]);
		blank = true;
	}
	sb_add(&out, at);
	return sb_steal(&out);
}

/* The line that sets the variable of a shell's file, not a comment; NULL. */
static const char *find_line(const char *text, const char *variable)
{
	size_t n = strlen(variable);
	for (const char *line = text;;) {
		if (strncmp(line, variable, n) == 0 && line[n] == '=')
			return line;
		line += strcspn(line, "\n");
		if (!*line++)
			return NULL;
	}
}

static char *append_line(const char *old, const char *line)
{
	size_t n = strlen(old);
	return str_fmt("%s%s%s\n", old, n && old[n - 1] != '\n' ? "\n" : "", line);
}

char *setup_grub(const char *old, const char *variable, const struct strv *words)
{
	const char *line = find_line(old, variable);
	cleanup_free char *joined = strv_join(words, " "), *fresh = str_fmt("%s=\"%s\"", variable, joined);
	if (!line)
		return append_line(old, fresh);
	const char *value = line + strlen(variable) + 1;
	const char *end = *value == '"' || *value == '\'' ? strchr(value + 1, *value) : NULL;
	if (end)
		return insert(old, value, (size_t)(end - value), end, words);
	if (*value && *value != '\n' && *value != '"' && *value != '\'') { /* one bare word: quotes, for there will be two */
		size_t n = strcspn(value, " \t\n");
		cleanup_free char *quoted = str_fmt("%.*s\"%.*s\"%s", (int)(value - old), old, (int)n, value, value + n);
		return setup_grub(quoted, variable, words);
	}
	return str_fmt("%.*s\"%s\"%s", (int)(value - old), old, joined, value + strcspn(value, "\n"));
}

char *setup_cmdline(const char *old, const struct strv *words)
{
	size_t n = strcspn(old, "\n");
	while (n && strchr(" \t", old[n - 1]))
		n--;
	return insert(old, old, n, old + n, words);
}

/* "options" may stand there several times: together they are the command line. */
char *setup_entry(const char *old, const struct strv *words)
{
	for (const char *line = old; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t n = strcspn(line, "\n");
		if (!str_starts(line, "options") || !line[7] || !strchr(" \t", line[7]))
			continue;
		while (n && strchr(" \t\r", line[n - 1]))
			n--;
		return insert(old, line, n, line + n, words);
	}
	cleanup_free char *joined = strv_join(words, " "), *fresh = str_fmt("options %s", joined);
	return append_line(old, fresh);
}

char *setup_list(const char *old, const char *variable, const char *word)
{
	struct strv words = {};
	const char *line = find_line(old, variable), *open = line ? strchr(line, '(') : NULL;
	const char *end = open ? strchr(open, ')') : NULL;
	cleanup_free char *fresh = str_fmt("%s=(%s)", variable, word);
	if (!end)
		return append_line(old, fresh);
	strv_add(&words, word);
	char *text = insert(old, open, (size_t)(end - open), end, &words);
	strv_free(&words);
	return text;
}
