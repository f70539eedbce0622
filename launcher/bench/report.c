/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: see report.h. */
#include <math.h>
#include <stdlib.h>
#include "launcher/bench/report.h"

#define METRICS_NAMED 4

/* Metrics whose control differs, the first few by name. */
static char *noisy_names(const struct analyses *a)
{
	cleanup_strv struct strv names = {};
	size_t more = 0;
	for (size_t i = 0; i < a->n; i++) {
		if (!a->v[i].noisy || strv_has(&names, a->v[i].metric))
			continue;
		if (names.n < METRICS_NAMED)
			strv_add(&names, a->v[i].metric);
		else
			more += streq(a->v[i].variant, "control");
	}
	cleanup_free char *all = strv_join(&names, ", ");
	return more ? str_fmt("%s and %zu more", all, more) : steal(all);
}

char *report_control(const struct analyses *a, bool *ret_quiet)
{
	size_t n, noisy;
	analyses_control(a, &n, &noisy);
	*ret_quiet = n && !noisy;
	if (!n)
		return str_dup("The control says nothing yet: too few rounds.");
	if (!noisy)
		return str_fmt("The control, the first variant once more, is the same in all %zu metrics.", n);
	cleanup_free char *names = noisy_names(a);
	return str_fmt("The control, the first variant once more, differs in %zu of %zu metrics, which are not to be trusted: %s.", noisy, n, names);
}

/* The word in the table, and what it means where that is not plain. */
static const struct {
	const char *word, *meaning;
} few = { "few", "too few rounds to say anything: at least 6" },
  noise = { "noise", "not to be trusted: variants that are the same differ here too" };

static const char *short_word(const struct analysis *r)
{
	return r->pair.verdict == STATS_UNTRUSTED ? few.word : r->noisy ? noise.word : analysis_word(r);
}

static void print_row(FILE *out, const struct analysis *r, bool base)
{
	cleanup_free char *variant = str_printable(r->variant);
	fprintf(out, "  %-18.18s %10.4g", variant, r->median);
	if (isfinite(r->pair.ratio.median) && !base) {
		cleanup_free char *ratio = str_fmt("x %.3f [%.3f, %.3f]", r->pair.ratio.median, r->pair.ratio.low, r->pair.ratio.high);
		fprintf(out, "  %-23s %-6s", ratio, short_word(r));
		if (r->pair.least > 0)
			fprintf(out, " %5.1f %%", r->pair.least * 100);
	}
	fputs(r->drifts ? (r->drift > 0 ? "  rises\n" : "  falls\n") : "\n", out);
}

static void print_words(FILE *out, const struct analyses *a)
{
	bool has_few = false, has_noise = false, has_least = false, drifts = false;
	for (size_t i = 0; i < a->n; i++) {
		const struct analysis *r = &a->v[i];
		has_few = has_few || (!r->base && r->pair.verdict == STATS_UNTRUSTED);
		has_noise = has_noise || r->noisy;
		has_least = has_least || (!r->base && r->pair.least > 0);
		drifts = drifts || r->drifts;
	}
	fputc('\n', out);
	if (has_least)
		fputs("x: ratio to the first, its 95 % interval; %: the smallest effect to be seen\n", out);
	if (has_few)
		fprintf(out, "%s: %s\n", few.word, few.meaning);
	if (has_noise)
		fprintf(out, "%s: %s\n", noise.word, noise.meaning);
	if (drifts)
		fputs("rises, falls: from round to round, by more than chance\n", out);
}

/* Broken at blanks, for a terminal. */
static void print_wrapped(FILE *out, const char *text)
{
	cleanup_strv struct strv words = {};
	size_t column = 0;
	strv_split(&words, text, " ");
	for (size_t i = 0; i < words.n; i++) {
		size_t n = strlen(words.v[i]);
		if (column && column + 1 + n > 78) {
			fputc('\n', out);
			column = 0;
		}
		fprintf(out, "%s%s", column ? " " : "", words.v[i]);
		column += n + (column ? 1 : 0);
	}
	fputs("\n\n", out);
}

void report_text(FILE *out, const struct analyses *a)
{
	const char *metric = "";
	bool quiet, controlled = json_object_get(a->variants, "control");
	cleanup_free char *control = report_control(a, &quiet), *printable = str_printable(control);
	if (controlled)
		print_wrapped(out, printable);
	for (size_t i = 0; i < a->n; i++) {
		const struct analysis *r = &a->v[i];
		cleanup_free char *name = str_printable(r->metric), *unit = str_printable(r->unit);
		if (!streq(metric, r->metric))
			fprintf(out, "%s (%s, %s is better)\n", name, unit, r->less_is_better ? "less" : "more");
		metric = r->metric;
		print_row(out, r, r->base);
	}
	print_words(out, a);
}
