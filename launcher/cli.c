/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli: see cli.h. */
#include <ctype.h>
#include <stdlib.h>
#include "launcher/cli.h"

const char *verb_option(const struct verb_args *args, const char *name)
{
	size_t n = strlen(name);
	const char *found = NULL;
	for (size_t i = 0; i < args->options.n; i++) {
		const char *o = args->options.v[i];
		if (strncmp(o, name, n) == 0 && (o[n] == '=' || !o[n]))
			found = o[n] ? o + n + 1 : "";
	}
	return found;
}

/* The nth word that a usage line wants: in capitals, and not in brackets. */
static char *wanted_word(const char *usage_line, size_t nth)
{
	cleanup_sb struct sb bare = {};
	int depth = 0;
	for (const char *c = usage_line; *c; c++) {
		depth += (*c == '[') - (*c == ']');
		if (!depth && *c != ']')
			sb_addf(&bare, "%c", *c);
	}
	cleanup_strv struct strv words = {};
	strv_split(&words, bare.s, " ");
	for (size_t i = 0; i < words.n; i++)
		if (isupper((unsigned char)*words.v[i]) && nth-- == 0)
			return str_dup(words.v[i]);
	return str_dup(usage_line);
}

struct err *verb_words(const struct verb_args *args, size_t least, size_t most, const char *usage_line)
{
	struct err *e = NULL;
	cleanup_free char *wanted = wanted_word(usage_line, args->words.n);
	if (args->words.n > most)
		e = err_new("one word too many: \"%s\"", args->words.v[most]);
	else if (args->words.n < least)
		e = err_new("%s is missing", wanted);
	return err_exit(err_hint(e, "qlaunch %s", usage_line), EXIT_USAGE);
}
