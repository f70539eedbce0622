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

double report_scale(const struct summary_metric *m, double typical, const char **ret_unit)
{
	static const char *const units[] = { "ns", "us", "ms", "s" };
	size_t i = 0;
	double factor = 1;
	while (i < ARRAY_SIZE(units) && !streq(units[i], m->unit))
		i++;
	*ret_unit = m->unit;
	if (i == ARRAY_SIZE(units) || !isfinite(typical))
		return 1;
	for (typical = fabs(typical); typical >= 1000 && i + 1 < ARRAY_SIZE(units); typical /= 1000, factor /= 1000)
		i++;
	for (; typical > 0 && typical < 1 && i > 0; typical *= 1000, factor *= 1000)
		i--;
	*ret_unit = units[i];
	return factor;
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

char *report_interval(const struct stats_pair *p, double scale)
{
	if (!isfinite(p->estimate))
		return str_dup("");
	double by = p->difference ? scale : 1, half = by * (p->high - p->low) / 2,
	       digits = isfinite(half)  ? half
			: p->difference ? NAN
					: 0.1;
	digits = p->difference ? digits : libm()->fmax(libm()->fmin(digits, 0.1), 0.001);
	const char *sign = p->difference && p->estimate >= 0 ? "+" : "";
	cleanup_free char *middle = report_number(by * p->estimate, digits), *low = report_number(by * p->low, digits),
			  *high = report_number(by * p->high, digits);
	return isfinite(half) ? str_fmt("%s%s [%s, %s]", sign, middle, low, high) : str_fmt("%s%s", sign, middle);
}

static void print_row(FILE *out, const struct analysis *r, double scale)
{
	const struct stats_pair *p = &r->pair;
	double median = scale * r->median, half = p->difference ? scale * (p->high - p->low) / 2 : median * (p->high - p->low) / 2;
	cleanup_free char *variant = str_printable(r->of->variants[r->variant].name), *short_variant = str_cut(variant, 18);
	cleanup_free char *value = isfinite(median) ? report_number(median, r->base ? NAN : half) : str_dup("-");
	fprintf(out, "  %s%*s %10s", short_variant, 18 - (int)str_width(short_variant), "", value);
	if (!r->base) {
		cleanup_free char *numbers = report_interval(p, scale),
				  *interval = str_fmt("%s%s", *numbers && !p->difference ? "x " : "", numbers);
		fprintf(out, "  %-23s %s", interval, tr(analysis_word(r->verdict)));
		if (r->verdict == ANALYSIS_UNKNOWN && !r->why && p->difference)
			fprintf(out, " %.3g", scale * p->least);
		else if (r->verdict == ANALYSIS_UNKNOWN && !r->why)
			fprintf(out, " %.1f %%", p->least * 100);
	}
	if (r->why)
		fprintf(out, "\n  %18s %s", "", tr(r->why));
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
	const char *metric = "", *unit_shown = "";
	double scale = 1;
	bool quiet;
	cleanup_free char *counts = report_counts(a), *control = report_control(a, &quiet),
			  *printable = str_printable(control ? control : "");
	print_wrapped(out, counts);
	if (control)
		print_wrapped(out, printable);
	fputc('\n', out);
	for (size_t i = 0; i < a->n; i++) {
		const struct analysis *r = &a->v[i];
		if (!streq(metric, r->metric->name))
			scale = report_scale(r->metric, r->median, &unit_shown);
		cleanup_free char *name = str_printable(r->metric->name), *unit = str_printable(unit_shown);
		if (!streq(metric, r->metric->name))
			fprintf(out, r->metric->less_is_better ? _("%s (%s, less is better)\n") : _("%s (%s, more is better)\n"), name,
				unit);
		metric = r->metric->name;
		print_row(out, r, scale);
	}
	print_words(out, a);
}
