/* SPDX-License-Identifier: GPL-2.0-or-later */
/* analysis: see analysis.h. */
#include <stdlib.h>
#include "launcher/base/str.h"
#include "launcher/bench/analysis.h"
#include "launcher/bench/records.h"

#define CONTROL "control"

void analyses_free(struct analyses *a)
{
	free(a->v);
	json_decref(a->variants);
	json_decref(a->metrics);
	*a = (struct analyses){};
}

static const struct {
	const char *suffix;
	double p;
} percentiles[] = { { ".p50", 50 }, { ".p99", 99 }, { ".p99.9", 99.9 }, { ".max", 100 } };

/* {"chase.16K": {"of": "chase.16K", "p": -1}, "jitter.timer.p99": {"of": "jitter.timer", "p": 99}}; owned. */
static json_t *expand(const json_t *records)
{
	json_t *all = json_object(), *names = records_metric_names(records), *value;
	const char *name;
	json_object_foreach(names, name, value) {
		if (!records_has_tails(records, name))
			json_object_set_new(all, name, json_pack("{s:s, s:f}", "of", name, "p", -1.0));
		else
			for (size_t i = 0; i < ARRAY_SIZE(percentiles); i++) {
				cleanup_free char *key = str_fmt("%s%s", name, percentiles[i].suffix);
				json_object_set_new(all, key, json_pack("{s:s, s:f}", "of", name, "p", percentiles[i].p));
			}
	}
	json_decref(names);
	return all;
}

static void column(const struct records_samples *s, double percentile, double *ret_v)
{
	for (size_t i = 0; i < s->n; i++)
		ret_v[i] = s->rounds[i].n ? stats_percentile(s->rounds[i].v, s->rounds[i].n, percentile < 0 ? 50 : percentile) : 0;
}

void analysis_column(const struct analysis *a, const json_t *records, double *ret_v)
{
	cleanup_samples struct records_samples s = {};
	records_samples(records, a->variant, a->of, &s);
	column(&s, a->percentile, ret_v);
}

/* Only values that are there, in their order. */
static size_t present(double *v, size_t n)
{
	size_t k = 0;
	for (size_t i = 0; i < n; i++)
		if (v[i] > 0)
			v[k++] = v[i];
	return k;
}

static struct stats_pair compare(const struct records_samples *a, const struct records_samples *b, double percentile)
{
	size_t n = a->n < b->n ? a->n : b->n;
	if (percentile >= 0)
		return stats_compare_tails(a->rounds, b->rounds, n, percentile);
	cleanup_free double *x = mem_new((a->n + 1) * sizeof(*x)), *y = mem_new((b->n + 1) * sizeof(*y));
	column(a, percentile, x);
	column(b, percentile, y);
	return stats_compare(x, y, n);
}

static bool is_different(enum stats_verdict v)
{
	return v == STATS_LESS || v == STATS_MORE;
}

static const char *first_of(const json_t *variants)
{
	return json_object_iter_key(json_object_iter((json_t *)variants));
}

static bool control_differs(const json_t *records, const char *metric, double percentile)
{
	json_t *variants = records_variants(records);
	cleanup_samples struct records_samples a = {}, b = {};
	records_samples(records, first_of(variants), metric, &a);
	records_samples(records, CONTROL, metric, &b);
	bool has = json_object_get(variants, CONTROL);
	json_decref(variants);
	return has && is_different(compare(&a, &b, percentile).verdict);
}

/* What the rounds say by their order, and their whole. */
static void describe(struct analysis *r, const struct records_samples *s)
{
	cleanup_free double *v = mem_new((s->n + 1) * sizeof(*v));
	column(s, r->percentile, v);
	size_t there = present(v, s->n);
	r->median = r->percentile < 0 ? stats_median(v, there) : stats_tail(s->rounds, s->n, r->percentile);
	r->drift = stats_drift(v, there);
	r->drifts = stats_drifts(r->drift, there);
}

/* `variant` of b beside `base` of a. */
static void add(struct analyses *out, const json_t *a, const char *base, const json_t *b, const char *variant, const char *metric, bool noisy)
{
	const json_t *what = json_object_get(out->metrics, metric);
	cleanup_samples struct records_samples x = {}, y = {};
	struct analysis r = {
		.variant = variant,
		.metric = metric,
		.of = json_string_value(json_object_get(what, "of")),
		.percentile = json_number_value(json_object_get(what, "p")),
		.base = a == b && streq(base, variant),
		.noisy = noisy,
	};
	r.unit = records_unit(b, r.of);
	r.less_is_better = records_less_is_better(b, r.of);
	records_samples(a, base, r.of, &x);
	records_samples(b, variant, r.of, &y);
	r.pair = compare(&x, &y, r.percentile);
	describe(&r, &y);
	out->v = mem_grow(out->v, out->n, sizeof(r));
	if (r.median > 0)
		out->v[out->n++] = r;
}

static bool noisy_metric(const json_t *records, const json_t *what)
{
	return control_differs(records, json_string_value(json_object_get(what, "of")), json_number_value(json_object_get(what, "p")));
}

void analyses_make(const json_t *records, struct analyses *ret)
{
	*ret = (struct analyses){ .variants = records_variants(records), .metrics = expand(records) };
	const char *variant, *metric, *base = first_of(ret->variants);
	json_t *what, *other;
	json_object_foreach(ret->metrics, metric, what) {
		bool noisy = noisy_metric(records, what);
		json_object_foreach(ret->variants, variant, other)
			add(ret, records, base, records, variant, metric, noisy);
	}
}

void analyses_compare(const json_t *a, const json_t *b, struct analyses *ret)
{
	*ret = (struct analyses){ .variants = records_variants(b), .metrics = expand(b) };
	json_t *of_a = records_variants(a), *what, *other;
	const char *variant, *metric;
	json_object_foreach(ret->metrics, metric, what) {
		bool noisy = noisy_metric(a, what) || noisy_metric(b, what);
		json_object_foreach(ret->variants, variant, other)
			if (json_object_get(of_a, variant) && !streq(variant, CONTROL))
				add(ret, a, variant, b, variant, metric, noisy);
	}
	json_decref(of_a);
}

void analyses_control(const struct analyses *a, size_t *ret_n, size_t *ret_noisy)
{
	*ret_n = *ret_noisy = 0;
	for (size_t i = 0; i < a->n; i++)
		if (streq(a->v[i].variant, CONTROL) && a->v[i].pair.verdict != STATS_UNTRUSTED) {
			++*ret_n;
			*ret_noisy += a->v[i].noisy;
		}
}

int analysis_better(const struct analysis *a)
{
	if (a->noisy || !is_different(a->pair.verdict))
		return 0;
	return (a->pair.verdict == STATS_LESS) == a->less_is_better ? 1 : -1;
}

const char *analysis_word(const struct analysis *a)
{
	if (a->pair.verdict == STATS_UNTRUSTED)
		return "too few rounds";
	if (a->noisy)
		return "not to be trusted: the control differs too";
	int better = analysis_better(a);
	return better > 0 ? "better" : better < 0 ? "worse" : "same";
}
