/* SPDX-License-Identifier: GPL-2.0-or-later */
/* findings: see findings.h. */
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/verbs/findings.h"
#include "launcher/verbs/pager.h"

static const struct {
	const char *mark, *colour, *word;
} verdicts[] = {
	[FINDING_OK] = { "✓", "\033[32m", "ok" },
	[FINDING_WARN] = { "!", "\033[33m", "warning" },
	[FINDING_BAD] = { "✗", "\033[31m", "bad" },
};

/* A remedy that is a command stays on one line, so that it can be copied. */
static void print_remedy(const char *remedy)
{
	if (str_starts(remedy, "sudo ") || str_starts(remedy, "qlaunch "))
		printf("             → %s\n", remedy);
	else
		page_wrap("             → ", 15, remedy);
}

void findings_print(const struct findings *f, const char *last)
{
	bool colours = log_colours(STDOUT_FILENO);
	for (size_t i = 0; i < f->n; i++) {
		const struct finding *x = &f->v[i];
		cleanup_free char *first = str_fmt("%s%s%s %-10s ", colours ? verdicts[x->verdict].colour : "", verdicts[x->verdict].mark,
						   colours ? "\033[0m" : "", x->topic);
		page_wrap(first, 13, x->text);
		if (x->remedy && x->verdict != FINDING_OK)
			print_remedy(x->remedy);
	}
	putchar('\n');
	page_wrap("", 0, last);
}

void findings_print_json(const struct findings *f, const char *about)
{
	json_t *list = json_array();
	for (size_t i = 0; i < f->n; i++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s?}", "verdict", verdicts[f->v[i].verdict].word, "topic",
						      f->v[i].topic, "text", f->v[i].text, "remedy", f->v[i].remedy));
	json_t *o = json_pack("{s:s?, s:b, s:o}", "vm", about, "can_run", findings_worst(f) != FINDING_BAD, "findings", list);
	json_dumpf(o, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(o);
}

static void put_escaped(const char *text)
{
	for (; *text; text++) {
		if (*text == '<' || *text == '&' || *text == '>')
			printf("&#%d;", *text);
		else
			putchar(*text);
	}
}

void findings_print_html(const struct findings *f, const char *about, const char *last)
{
	printf("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/><title>qlaunch check</title>\n<style>\n"
	       "body { font: 16px sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #222; background: #fff }\n"
	       "table { border-collapse: collapse; width: 100%% } td { padding: .4em .6em; border-bottom: 1px solid #ddd; "
	       "vertical-align: top }\n"
	       ".ok { color: #1a7f37 } .warning { color: #9a6700 } .bad { color: #c00 }\n"
	       "code { display: block; margin-top: .3em; background: #f4f4f4; padding: .3em .5em; white-space: pre-wrap }\n"
	       "</style></head><body>\n<h1>qlaunch check: ");
	put_escaped(about ? about : _("this host"));
	puts("</h1>\n<table>");
	for (size_t i = 0; i < f->n; i++) {
		const struct finding *x = &f->v[i];
		printf("<tr><td class=\"%s\">%s %s</td><td>%s</td><td>", verdicts[x->verdict].word, verdicts[x->verdict].mark,
		       verdicts[x->verdict].word, x->topic);
		put_escaped(x->text);
		if (x->remedy && x->verdict != FINDING_OK) {
			printf("<code>");
			put_escaped(x->remedy);
			printf("</code>");
		}
		puts("</td></tr>");
	}
	printf("</table>\n<p>");
	put_escaped(last);
	puts("</p>\n</body></html>");
}
