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

static double *column(const json_t *records, const char *variant, const char *metric, size_t rounds)
{
	double *v = mem_new((rounds + 1) * sizeof(*v));
	records_column(records, variant, metric, v);
	return v;
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

static bool is_different(enum stats_verdict v)
{
	return v == STATS_LESS || v == STATS_MORE;
}

static const char *first_of(const json_t *variants)
{
	return json_object_iter_key(json_object_iter((json_t *)variants));
}

static bool control_differs(const json_t *records, const char *metric)
{
	size_t n = records_rounds(records);
	json_t *variants = records_variants(records);
	bool has = json_object_get(variants, CONTROL);
	cleanup_free double *a = column(records, first_of(variants), metric, n), *b = column(records, CONTROL, metric, n);
	json_decref(variants);
	return has && is_different(stats_compare(a, b, n).verdict);
}

/* `variant` of b beside `base` of a. */
static void add(struct analyses *out, const json_t *a, const char *base, const json_t *b, const char *variant, const char *metric)
{
	size_t na = records_rounds(a), nb = records_rounds(b), n = na < nb ? na : nb;
	cleanup_free double *x = column(a, base, metric, na), *y = column(b, variant, metric, nb);
	struct analysis r = {
		.variant = variant,
		.metric = metric,
		.unit = records_unit(b, metric),
		.base = a == b && streq(base, variant),
		.less_is_better = records_less_is_better(b, metric),
		.pair = stats_compare(x, y, n),
		.noisy = control_differs(a, metric) || (b != a && control_differs(b, metric)),
	};
	size_t there = present(y, nb);
	r.median = stats_median(y, there);
	r.drift = stats_drift(y, there);
	r.drifts = stats_drifts(r.drift, there);
	out->v = mem_grow(out->v, out->n, sizeof(r));
	if (there)
		out->v[out->n++] = r;
}

void analyses_make(const json_t *records, struct analyses *ret)
{
	*ret = (struct analyses){ .variants = records_variants(records), .metrics = records_metric_names(records) };
	const char *variant, *metric, *base = first_of(ret->variants);
	json_t *value, *other;
	json_object_foreach(ret->metrics, metric, value)
		json_object_foreach(ret->variants, variant, other)
			add(ret, records, base, records, variant, metric);
}

void analyses_compare(const json_t *a, const json_t *b, struct analyses *ret)
{
	*ret = (struct analyses){ .variants = records_variants(b), .metrics = records_metric_names(b) };
	json_t *of_a = records_variants(a), *value, *other;
	const char *variant, *metric;
	json_object_foreach(ret->metrics, metric, value)
		json_object_foreach(ret->variants, variant, other)
			if (json_object_get(of_a, variant) && !streq(variant, CONTROL))
				add(ret, a, variant, b, variant, metric);
	json_decref(of_a);
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
