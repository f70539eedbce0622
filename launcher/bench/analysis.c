/* SPDX-License-Identifier: GPL-2.0-or-later */
/* analysis: see analysis.h. */
#include <stdlib.h>
#include "launcher/base/str.h"
#include "launcher/base/tr.h"
#include "launcher/bench/analysis.h"
#include "launcher/bench/libm.h"

#define CONTROL "control"

void analyses_free(struct analyses *a)
{
	free(a->v);
	*a = (struct analyses){};
}

const char *analysis_word(enum analysis_verdict v)
{
	static const char *const words[] = { N_("better"), N_("worse"), N_("equivalent"), N_("cannot be told"), N_("missing") };
	return words[v];
}

bool analysis_is_control(const struct analysis *a)
{
	return streq(a->of->variants[a->variant].name, CONTROL);
}

/* Values that are there, in their order. */
static size_t present(const struct summary_column *c, double *ret_v)
{
	size_t n = 0;
	for (size_t i = 0; i < c->n; i++)
		if (isfinite(c->v[i]))
			ret_v[n++] = c->v[i];
	return n;
}

static double drift_of(const struct summary_column *c)
{
	cleanup_free double *v = mem_new((c->n + 1) * sizeof(*v));
	size_t n = present(c, v);
	double drift = stats_drift(v, n);
	return stats_drifts(drift, n) ? drift : 0;
}

static double median_of(const struct summary_column *c)
{
	cleanup_free double *v = mem_new((c->n + 1) * sizeof(*v));
	return stats_median(v, present(c, v));
}

static void describe(struct analysis *r, const struct summary_column *c)
{
	r->median = median_of(c);
	r->drift = drift_of(c);
}

/*
 * Two files whose plans have other looks: what may have ended the one says nothing of when the other did, so each has half of its part for
 * the looks of both.
 */
double analyses_alpha(const struct summary *a, const struct summary *b)
{
	if (!a->early && !b->early)
		return STATS_ALPHA;
	size_t rounds = a->rounds < b->rounds ? a->rounds : b->rounds, planned = a->early ? a->planned : b->planned;
	bool alike = a->early == b->early && a->planned == b->planned;
	return stats_look_alpha(rounds, planned) / (alike ? 1 : 2);
}

static void judge(struct analysis *r, const struct summary_metric *before, double margin)
{
	double base = before ? median_of(&before->columns[r->base_variant]) : NAN;
	enum stats_verdict v = r->pair.pairs ? stats_judge(&r->pair, margin, base) : STATS_UNKNOWN;
	bool less = r->metric->less_is_better;
	r->verdict = v == STATS_EQUIVALENT       ? ANALYSIS_EQUIVALENT
		     : v == STATS_UNKNOWN        ? ANALYSIS_UNKNOWN
		     : (v == STATS_LESS) == less ? ANALYSIS_BETTER
						 : ANALYSIS_WORSE;
	if (!before || !isfinite(r->median) || !isfinite(base)) {
		r->verdict = ANALYSIS_MISSING;
		r->why = isfinite(base) ? NULL : N_("the other one has no value");
	} else if (before->other_unit || r->metric->other_unit || !streq(before->unit, r->metric->unit) || before->less_is_better != less) {
		r->verdict = ANALYSIS_MISSING;
		r->why = N_("another unit or direction");
		r->pair = (struct stats_pair){ NAN, NAN, NAN, false, INFINITY, 0, 0 };
	} else if (r->pair.pairs < STATS_ROUNDS_MIN) {
		r->why = N_("too few rounds");
	} else if (r->pair.together > 0 && !isfinite(r->pair.high)) {
		r->why = N_("rounds hang together");
	}
}

/* All metrics of one variant beside one other, which makes the family of one comparison. ret[b->n_metrics]. */
static void compare(const struct summary *a, size_t base, const struct summary *b, size_t variant, struct analysis *ret)
{
	double alpha = analyses_alpha(a, b);
	size_t n = b->n_metrics, rounds = a->rounds < b->rounds ? a->rounds : b->rounds;
	cleanup_free struct stats_series *series = mem_new((n + 1) * sizeof(*series));
	cleanup_free struct stats_pair *pairs = mem_new((n + 1) * sizeof(*pairs));
	cleanup_free double *none = mem_new((rounds + 1) * sizeof(*none));
	for (size_t i = 0; i < rounds; i++)
		none[i] = NAN;
	for (size_t i = 0; i < n; i++) {
		int before = summary_metric(a, b->metrics[i].name);
		series[i] =
			(struct stats_series){ before < 0 ? none : a->metrics[before].columns[base].v, b->metrics[i].columns[variant].v };
	}
	stats_compare(series, n, rounds, alpha, pairs);
	for (size_t i = 0; i < n; i++) {
		int before = summary_metric(a, b->metrics[i].name);
		ret[i] = (struct analysis){
			.of = b, .beside = a, .variant = variant, .base_variant = base, .metric = &b->metrics[i], .pair = pairs[i]
		};
		describe(&ret[i], &b->metrics[i].columns[variant]);
		if (before >= 0 && a != b)
			ret[i].drift_beside = drift_of(&a->metrics[before].columns[base]);
		judge(&ret[i], before < 0 ? NULL : &a->metrics[before], b->margin);
	}
}

static void add(struct analyses *out, const struct analysis *r)
{
	out->v = mem_grow(out->v, out->n, sizeof(*r));
	out->v[out->n++] = *r;
}

/* Metrics in which this file's control differs from the first variant: a verdict on anything else there is chance. Owned, by metric. */
static bool *noisy_metrics(const struct summary *s)
{
	bool *noisy = mem_new((s->n_metrics + 1) * sizeof(*noisy));
	int control = summary_variant(s, CONTROL);
	if (control <= 0)
		return noisy;
	cleanup_free struct analysis *r = mem_new((s->n_metrics + 1) * sizeof(*r));
	compare(s, 0, s, (size_t)control, r);
	for (size_t i = 0; i < s->n_metrics; i++)
		noisy[i] = r[i].verdict == ANALYSIS_BETTER || r[i].verdict == ANALYSIS_WORSE;
	return noisy;
}

static const char control_differs[] = N_("the control differs, too");

static void doubt(struct analysis *r, bool noisy)
{
	if (!noisy || r->verdict == ANALYSIS_MISSING || analysis_is_control(r))
		return;
	r->verdict = ANALYSIS_UNKNOWN;
	r->why = control_differs;
}

/* By variant, then metric → by metric, then variant. */
static void take_over(struct analyses *out, const struct analysis *all, size_t metrics, size_t variants)
{
	for (size_t m = 0; m < metrics; m++)
		for (size_t v = 0; v < variants; v++)
			add(out, &all[v * metrics + m]);
}

void analyses_make(const struct summary *s, struct analyses *ret)
{
	*ret = (struct analyses){ .margin = s->margin, .rounds = s->rounds, .alpha = analyses_alpha(s, s) };
	cleanup_free bool *noisy = noisy_metrics(s);
	cleanup_free struct analysis *all = mem_new((s->n_metrics * s->n_variants + 1) * sizeof(*all));
	for (size_t v = 0; v < s->n_variants; v++) {
		struct analysis *r = all + v * s->n_metrics;
		if (v)
			compare(s, 0, s, v, r);
		for (size_t m = 0; m < s->n_metrics; m++) {
			if (v) {
				doubt(&r[m], noisy[m]);
				continue;
			}
			r[m] = (struct analysis){ .of = s, .beside = s, .metric = &s->metrics[m], .base = true };
			describe(&r[m], &s->metrics[m].columns[0]);
		}
	}
	take_over(ret, all, s->n_metrics, s->n_variants);
}

/* A metric that only the first file has: b lost it. */
static void add_lost(struct analyses *out, const struct summary *a, const struct summary *b)
{
	for (size_t m = 0; m < a->n_metrics; m++) {
		if (summary_metric(b, a->metrics[m].name) >= 0)
			continue;
		for (size_t v = 0; v < a->n_variants; v++) {
			int other = summary_variant(b, a->variants[v].name);
			struct analysis r = { .of = b, .beside = a, .variant = other < 0 ? 0 : (size_t)other, .base_variant = v, .metric = &a->metrics[m],
					      .median = NAN, .pair = { NAN, NAN, NAN, false, INFINITY, 0, 0 }, .verdict = ANALYSIS_MISSING };
			if (other >= 0 && !streq(a->variants[v].name, CONTROL) && isfinite(median_of(&a->metrics[m].columns[v])))
				add(out, &r);
		}
	}
}

void analyses_compare(const struct summary *a, const struct summary *b, struct analyses *ret)
{
	*ret = (struct analyses){ .margin = b->margin,
				  .rounds = a->rounds < b->rounds ? a->rounds : b->rounds,
				  .alpha = analyses_alpha(a, b) };
	cleanup_free bool *noisy_a = noisy_metrics(a), *noisy_b = noisy_metrics(b);
	cleanup_free struct analysis *all = mem_new((b->n_metrics * b->n_variants + 1) * sizeof(*all));
	size_t n = 0;
	for (size_t v = 0; v < b->n_variants; v++) {
		int base = summary_variant(a, b->variants[v].name);
		if (base < 0 || streq(b->variants[v].name, CONTROL))
			continue;
		struct analysis *r = all + n++ * b->n_metrics;
		compare(a, (size_t)base, b, v, r);
		for (size_t m = 0; m < b->n_metrics; m++) {
			int before = summary_metric(a, b->metrics[m].name);
			doubt(&r[m], noisy_b[m] || (before >= 0 && noisy_a[before]));
		}
	}
	take_over(ret, all, b->n_metrics, n);
	add_lost(ret, a, b);
}

void analyses_count(const struct analyses *a, bool control, size_t ret_counts[ANALYSIS_VERDICTS])
{
	memset(ret_counts, 0, ANALYSIS_VERDICTS * sizeof(*ret_counts));
	for (size_t i = 0; i < a->n; i++)
		if (!a->v[i].base && analysis_is_control(&a->v[i]) == control)
			ret_counts[a->v[i].verdict]++;
}

bool analyses_open(const struct analyses *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (!a->v[i].base && !analysis_is_control(&a->v[i]) && a->v[i].verdict == ANALYSIS_UNKNOWN && a->v[i].why != control_differs)
			return true;
	return false;
}
