/* SPDX-License-Identifier: GPL-2.0-or-later */
/* docs: see docs.h. */
#include "launcher/config/docs.h"
#include "launcher/config/parse.h"
#include "launcher/config/value.h"

/* Text for scdoc: what it takes for markup is escaped. `keep_bold` leaves "*" alone: help texts mark words with it. */
static void write_text(FILE *out, const char *text, bool keep_bold)
{
	for (; *text; text++) {
		if (strchr(keep_bold ? "_\\[#<~" : "_\\[#<~*", *text))
			fputc('\\', out);
		fputc(*text, out);
	}
}

/* "yes | no", or the words of the key. */
static char *values_of(const struct conf_key *key)
{
	cleanup_strv struct strv words = {};
	if (key->type->form)
		return str_dup(key->type->form);
	for (const struct conf_word *w = key->words; w->word; w++)
		strv_add(&words, w->word);
	return strv_join(&words, " | ");
}

static char *range_of(const struct conf_key *key)
{
	if (!key->max)
		return NULL;
	if (key->type == &TYPE_SIZE) {
		cleanup_free char *min = size_format(key->min), *max = size_format(key->max);
		return str_fmt("%s to %s", min, max);
	}
	return str_fmt("%llu to %llu", (unsigned long long)key->min, (unsigned long long)key->max);
}

static void write_key(FILE *out, const struct conf_key *key)
{
	cleanup_free char *values = values_of(key), *range = range_of(key);
	fprintf(out, "*%s* = ", key->name);
	write_text(out, values, false);
	fputs("\n\t", out);
	write_text(out, key->help, true);
	if (range)
		fprintf(out, " From %s.", range);
	if (key->required)
		fputs(" Required.", out);
	else if (key->initial || key->unset)
		fputs(key->initial ? " Default: " : " When not set: ", out);
	if (!key->required && (key->initial || key->unset)) {
		write_text(out, key->initial ? key->initial : key->unset, false);
		fputc('.', out);
	}
	fputs("\n\n", out);
}

void keys_write_man(FILE *out)
{
	for (const struct conf_section *s = conf_sections; s->name; s++) {
		fprintf(out, "## [%s%s]\n\n", s->name, s->named ? " NAME" : "");
		write_text(out, s->help, true);
		fputs("\n\n", out);
		for (const struct conf_key *k = conf_keys; k->section; k++)
			if (streq(k->section, s->name))
				write_key(out, k);
	}
}

static void write_names(FILE *out, const struct conf_key *key, const char *title)
{
	static const struct conf_word yes_no[] = { { "yes", 1 }, { "no", 0 }, {} };
	fprintf(out, "%s.%s=\n", title, key->name);
	for (const struct conf_word *w = key->type == &TYPE_BOOL ? yes_no : key->words; w && w->word; w++)
		fprintf(out, "%s.%s=%s\n", title, key->name, w->word);
}

void keys_write_names(FILE *out, const struct config *c)
{
	for (const struct conf_key *k = conf_keys; k->section; k++) {
		const struct conf_section *s = conf_section_find(k->section);
		for (size_t i = 0; i < (c ? section_count(c, s) : 1); i++) {
			const char *name = s->named ? (c ? *(char **)section_item(c, s, i) : "NAME") : "";
			cleanup_free char *title = str_fmt("%s%s%s", s->name, *name ? " " : "", name);
			write_names(out, k, title);
		}
	}
}
