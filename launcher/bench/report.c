/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: see report.h. */
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/bench/libm.h"
#include "launcher/bench/report.h"

#define METRICS_NAMED 4

char *report_number(double value, double precision)
{
	double size = fabs(value);
	if (!isfinite(value) || size >= 1e15 || (size > 0 && size < 1e-6))
		return str_fmt("%g", value);
	/* two digits of the precision, or four of the value */
	double last = isfinite(precision) && precision > 0 ? libm()->floor(libm()->log10(precision)) - 1
		      : size > 0                           ? libm()->floor(libm()->log10(size)) - 3
							   : 0;
	return str_fmt("%.*f", last < -9 ? 9 : last < 0 ? (int)-last : 0, value);
}

char *report_counts(const struct analyses *a)
{
	size_t counts[ANALYSIS_VERDICTS];
	cleanup_strv struct strv words = {};
	analyses_count(a, false, counts);
	for (int i = 0; i < ANALYSIS_VERDICTS; i++)
		if (counts[i])
			strv_addf(&words, "%zu %s", counts[i], tr(analysis_word((enum analysis_verdict)i)));
	return words.n ? strv_join(&words, ", ") : tr_dup("nothing was compared");
}

/* Metrics whose control differs, the first few by name. */
static char *noisy_names(const struct analyses *a)
{
	cleanup_strv struct strv names = {};
	size_t more = 0;
	for (size_t i = 0; i < a->n; i++) {
		const struct analysis *r = &a->v[i];
		if (r->base || !analysis_is_control(r) || (r->verdict != ANALYSIS_BETTER && r->verdict != ANALYSIS_WORSE))
			continue;
		if (names.n < METRICS_NAMED)
			strv_add(&names, r->metric->name);
		else
			more++;
	}
	cleanup_free char *all = strv_join(&names, ", ");
	return more ? tr_fmt("%s and %zu more", all, more) : steal(all);
}

char *report_control(const struct analyses *a, bool *ret_quiet)
{
	size_t counts[ANALYSIS_VERDICTS], all = 0;
	analyses_count(a, true, counts);
	for (int i = 0; i < ANALYSIS_VERDICTS; i++)
		all += counts[i];
	size_t noisy = counts[ANALYSIS_BETTER] + counts[ANALYSIS_WORSE];
	*ret_quiet = all && !noisy;
	if (!all)
		return NULL;
	if (!noisy)
		return tr_fmt("The control, the first variant once more: no difference was seen in %zu metrics, equivalent in %zu.", all,
			      counts[ANALYSIS_EQUIVALENT]);
	cleanup_free char *names = noisy_names(a);
	return tr_fmt("The control, the first variant once more, differs in %zu of %zu metrics, which are not to be trusted: %s.", noisy,
		      all, names);
}

/* "x 1.053 [1.021, 1.084]", or of a difference "+12 [9, 15]". Owned by the caller. */
static char *interval_text(const struct stats_pair *p)
{
	if (!isfinite(p->estimate))
		return str_dup("");
	double half = (p->high - p->low) / 2, digits = isfinite(half) ? half : p->difference ? NAN : 0.1;
	digits = p->difference ? digits : libm()->fmax(libm()->fmin(digits, 0.1), 0.001);
	cleanup_free char *middle = report_number(p->estimate, digits), *low = report_number(p->low, digits),
			  *high = report_number(p->high, digits);
	if (!isfinite(half))
		return str_fmt("%s%s", p->difference ? (p->estimate < 0 ? "" : "+") : "x ", middle);
	return str_fmt("%s%s [%s, %s]", p->difference ? (p->estimate < 0 ? "" : "+") : "x ", middle, low, high);
}

static void print_row(FILE *out, const struct analysis *r)
{
	const struct stats_pair *p = &r->pair;
	double half = p->difference ? (p->high - p->low) / 2 : r->median * (p->high - p->low) / 2;
	cleanup_free char *variant = str_printable(r->of->variants[r->variant].name), *short_variant = str_cut(variant, 18);
	cleanup_free char *value = isfinite(r->median) ? report_number(r->median, r->base ? NAN : half) : str_dup("-");
	fprintf(out, "  %s%*s %10s", short_variant, 18 - (int)str_width(short_variant), "", value);
	if (!r->base) {
		cleanup_free char *interval = interval_text(p);
		fprintf(out, "  %-23s %s", interval, tr(analysis_word(r->verdict)));
		if (r->verdict == ANALYSIS_UNKNOWN && !r->why && p->difference)
			fprintf(out, " %.3g", p->least);
		else if (r->verdict == ANALYSIS_UNKNOWN && !r->why)
			fprintf(out, " %.1f %%", p->least * 100);
	}
	if (r->why)
		fprintf(out, "\n  %18s %s", "", r->why);
	if (r->drift > 0 || r->drift < 0)
		fprintf(out, "\n  %18s %s", "", r->drift > 0 ? _("rises from round to round") : _("falls from round to round"));
	if (r->drift_beside > 0 || r->drift_beside < 0)
		fprintf(out, "\n  %18s %s", "",
			r->drift_beside > 0 ? _("before: rises from round to round") : _("before: falls from round to round"));
	if (p->together > 0 && isfinite(p->high)) {
		cleanup_free char *widened = tr_fmt("rounds hang together (%.2f): the interval is widened", p->together);
		fprintf(out, "\n  %18s %s", "", widened);
	}
	fputc('\n', out);
}

static void print_words(FILE *out, const struct analyses *a)
{
	size_t counts[ANALYSIS_VERDICTS];
	analyses_count(a, false, counts);
	fprintf(out, _("\nx: ratio to the first, its 95 %% interval, of all metrics together\n"));
	if (counts[ANALYSIS_EQUIVALENT])
		fprintf(out, _("equivalent: the interval lies within %g %%\n"), a->margin * 100);
	if (counts[ANALYSIS_UNKNOWN])
		fprintf(out, _("cannot be told: the interval holds both; %%: the smallest effect to be seen\n"));
	if (a->rounds >= STATS_ROUNDS_MIN && a->rounds < STATS_TOGETHER_ROUNDS)
		fprintf(out, _("fewer than %d rounds: whether they hang together cannot be seen\n"), STATS_TOGETHER_ROUNDS);
	if (a->alpha < STATS_ALPHA)
		fprintf(out, _("it may end early: this look has %.2g %% of the 5 %%\n"), a->alpha * 100);
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
	fputc('\n', out);
}

void report_text(FILE *out, const struct analyses *a)
{
	const char *metric = "";
	bool quiet;
	cleanup_free char *counts = report_counts(a), *control = report_control(a, &quiet),
			  *printable = str_printable(control ? control : "");
	print_wrapped(out, counts);
	if (control)
		print_wrapped(out, printable);
	fputc('\n', out);
	for (size_t i = 0; i < a->n; i++) {
		const struct analysis *r = &a->v[i];
		cleanup_free char *name = str_printable(r->metric->name), *unit = str_printable(r->metric->unit);
		if (!streq(metric, r->metric->name))
			fprintf(out, r->metric->less_is_better ? _("%s (%s, less is better)\n") : _("%s (%s, more is better)\n"), name,
				unit);
		metric = r->metric->name;
		print_row(out, r);
	}
	print_words(out, a);
}
