/* SPDX-License-Identifier: GPL-2.0-or-later */
/* summary: see summary.h. */
#include <stdlib.h>
#include "launcher/base/str.h"
#include "launcher/base/tr.h"
#include "launcher/bench/fingerprint.h"
#include "launcher/bench/libm.h"
#include "launcher/bench/stats.h"
#include "launcher/bench/summary.h"

static const struct {
	const char *suffix;
	double p;
} percentiles[] = { { ".p50", 50 }, { ".p99", 99 }, { ".p99.9", 99.9 }, { ".max", 100 } };

static void summary_free(struct summary *s)
{
	for (size_t i = 0; i < s->n_metrics; i++) {
		struct summary_metric *m = &s->metrics[i];
		for (size_t k = 0; k < SUMMARY_VARIANTS_MAX; k++) {
			free(m->columns[k].v);
			if (m->curves)
				free(m->curves[k].counts);
		}
		free(m->columns);
		free(m->curves);
		free(m->name);
		free(m->unit);
		free(m->other_unit);
		free(m->of);
	}
	for (size_t i = 0; i < s->n_variants; i++) {
		free(s->variants[i].name);
		json_decref(s->variants[i].first);
		free(s->variants[i].failed.v);
	}
	free(s->metrics);
	free(s->variants);
	free(s->machine);
	free(s->id);
	free(s->differs);
	json_decref(s->fingerprint);
}

void summaries_free(struct summaries *s)
{
	for (size_t i = 0; i < s->n; i++)
		summary_free(&s->v[i]);
	free(s->v);
	*s = (struct summaries){};
}

int summary_variant(const struct summary *s, const char *name)
{
	for (size_t i = 0; i < s->n_variants; i++)
		if (streq(s->variants[i].name, name))
			return (int)i;
	return -1;
}

int summary_metric(const struct summary *s, const char *name)
{
	for (size_t i = 0; i < s->n_metrics; i++)
		if (streq(s->metrics[i].name, name))
			return (int)i;
	return -1;
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));
	return text ? text : "";
}

static struct err *variant_of(struct summary *s, const json_t *record, size_t *ret_variant)
{
	int found = summary_variant(s, text_of(record, "variant"));
	if (found < 0) {
		if (s->n_variants == SUMMARY_VARIANTS_MAX)
			return err_new("more than %d variants", SUMMARY_VARIANTS_MAX);
		json_t *first = json_copy((json_t *)record);
		json_object_del(first, "metrics");
		s->variants = mem_grow(s->variants, s->n_variants, sizeof(*s->variants));
		s->variants[s->n_variants] = (struct summary_variant){
			str_dup(text_of(record, "variant")), json_integer_value(json_object_get(record, "order")), first, {}
		};
		found = (int)s->n_variants++;
	}
	*ret_variant = (size_t)found;
	return NULL;
}

static struct err *metric_of(struct summary *s, const char *name, const json_t *metric, const char *of, struct summary_metric **ret_metric)
{
	int found = summary_metric(s, name);
	const char *unit = text_of(metric, "unit");
	bool less = streq(text_of(metric, "better"), "less");
	if (found < 0) {
		if (s->n_metrics == SUMMARY_METRICS_MAX)
			return err_new("more than %d metrics", SUMMARY_METRICS_MAX);
		s->metrics = mem_grow(s->metrics, s->n_metrics, sizeof(*s->metrics));
		s->metrics[s->n_metrics] =
			(struct summary_metric){ .name = str_dup(name),
						 .unit = str_dup(unit),
						 .of = str_dup(of),
						 .less_is_better = less,
						 .columns = mem_new(SUMMARY_VARIANTS_MAX * sizeof(struct summary_column)) };
		found = (int)s->n_metrics++;
	}
	*ret_metric = &s->metrics[found];
	if (!streq((*ret_metric)->unit, unit) || (*ret_metric)->less_is_better != less)
		str_set(&(*ret_metric)->other_unit, unit);
	return NULL;
}

static void set_value(struct summary_column *c, size_t round, double value)
{
	while (c->n <= round) {
		c->v = mem_grow(c->v, c->n, sizeof(*c->v));
		c->v[c->n++] = NAN;
	}
	c->v[round] = value;
}

static void count_samples(struct summary_metric *m, size_t variant, const double *v, size_t n)
{
	if (!m->curves)
		m->curves = mem_new(SUMMARY_VARIANTS_MAX * sizeof(*m->curves));
	struct summary_curve *c = &m->curves[variant];
	if (!c->counts)
		c->counts = mem_new(SUMMARY_BUCKETS * sizeof(*c->counts));
	for (size_t i = 0; i < n; i++) {
		double at = v[i] > 0 ? libm()->floor((libm()->log(v[i]) / libm()->log(2) + 40) * 32) : 0;
		c->counts[at < 0 ? 0 : at < SUMMARY_BUCKETS ? (size_t)at : SUMMARY_BUCKETS - 1]++;
	}
	c->total += n;
}

/* Numbers of a metric of one run, sorted; owned by the caller. */
static double *numbers_of(const json_t *metric, size_t *ret_n)
{
	const json_t *values = json_object_get(metric, "v");
	size_t n = json_array_size(values), i;
	cleanup_free double *v = mem_new((n + 1) * sizeof(*v));
	const json_t *value;
	*ret_n = 0;
	json_array_foreach (values, i, value)
		if (json_is_number(value))
			v[(*ret_n)++] = json_number_value(value);
	return stats_sorted(v, *ret_n);
}

static struct err *take_metric(struct summary *s, const char *name, const json_t *metric, size_t variant, size_t round)
{
	size_t n;
	cleanup_free double *v = numbers_of(metric, &n);
	struct summary_metric *m;
	if (!n)
		return NULL;
	if (!json_object_get(metric, "tails")) {
		TRY(metric_of(s, name, metric, NULL, &m));
		set_value(&m->columns[variant], round, stats_percentile_sorted(v, n, 50));
		return NULL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(percentiles); i++) {
		cleanup_free char *full = str_fmt("%s%s", name, percentiles[i].suffix);
		TRY(metric_of(s, full, metric, name, &m));
		set_value(&m->columns[variant], round, stats_percentile_sorted(v, n, percentiles[i].p));
		if (i == 0)
			count_samples(m, variant, v, n);
	}
	return NULL;
}

/* What is known of both and not the same, in texts alone: numbers are measured. "?" could not be read. */
static const char *key_that_differs(const json_t *a, const json_t *b)
{
	const char *key;
	json_t *value;
	json_object_foreach ((json_t *)a, key, value) {
		const char *x = json_string_value(value), *y = json_string_value(json_object_get(b, key));
		bool of_one_run = streq(key, "process") || streq(key, "chain");
		if (x && y && !of_one_run && !streq(x, y) && !streq(x, "?") && !streq(y, "?"))
			return key;
	}
	return NULL;
}

static char *record_differs(const json_t *fingerprint, const json_t *first, const json_t *record)
{
	const char *key = key_that_differs(fingerprint, json_object_get(record, "fingerprint"));
	if (key)
		return str_dup(key);
	key = key_that_differs(json_object_get(first, "run"), json_object_get(record, "run"));
	if (key)
		return tr_fmt("%s of variant %s", key, text_of(record, "variant"));
	const char *workload;
	json_t *about;
	json_object_foreach (json_object_get(record, "measured"), workload, about) {
		key = key_that_differs(json_object_get(json_object_get(first, "measured"), workload), about);
		if (key)
			return tr_fmt("%s of workload %s", key, workload);
	}
	return NULL;
}

char *summary_differs(const struct summary *a, const struct summary *b)
{
	if (!streq(a->machine, b->machine))
		return tr_fmt("machine (%s)", b->machine);
	for (size_t i = 0; i < b->n_variants; i++) {
		int like = summary_variant(a, b->variants[i].name);
		char *differs = record_differs(a->fingerprint, like < 0 ? NULL : a->variants[like].first, b->variants[i].first);
		if (differs)
			return differs;
	}
	return NULL;
}

static struct summary *group_of(struct summaries *all, const json_t *record)
{
	const char *machine = text_of(record, "machine"), *id = text_of(record, "id");
	for (size_t i = 0; i < all->n; i++)
		if (streq(all->v[i].machine, machine) && streq(all->v[i].id, id))
			return &all->v[i];
	const json_t *margin = json_object_get(record, "margin"), *planned = json_object_get(record, "rounds");
	all->v = mem_grow(all->v, all->n, sizeof(*all->v));
	all->v[all->n] = (struct summary){
		.machine = str_dup(machine),
		.id = str_dup(id),
		.planned = json_integer_value(planned) > 0 ? (size_t)json_integer_value(planned) : 0,
		.early = json_is_true(json_object_get(record, "early")),
		.fingerprint = json_incref(json_object_get(record, "fingerprint")),
		.margin = json_is_number(margin) && json_number_value(margin) >= 0 ? json_number_value(margin) : STATS_MARGIN,
	};
	return &all->v[all->n++];
}

static struct err *take_record(void *data, json_t *record)
{
	struct summary *s = group_of(data, record);
	size_t variant, round = (size_t)json_integer_value(json_object_get(record, "round"));
	const json_t *run = json_object_get(record, "run");
	const char *name;
	json_t *metric;
	TRY(variant_of(s, record, &variant));
	json_object_foreach (json_object_get(record, "metrics"), name, metric)
		TRY(take_metric(s, name, metric, variant, round));
	struct summary_column *failed = &s->variants[variant].failed;
	s->twice += round < failed->n && isfinite(failed->v[round]) && !(failed->v[round] > 0);
	set_value(failed, round, json_object_get(record, "failed") ? 1 : 0);
	if (!s->differs)
		s->differs = record_differs(s->fingerprint, s->variants[variant].first, record);
	s->rounds = round + 1 > s->rounds ? round + 1 : s->rounds;
	s->steal = libm()->fmax(s->steal, json_number_value(json_object_get(run, "steal")));
	s->throttled += json_integer_value(json_object_get(run, "throttled")) > 0;
	s->runs++;
	return NULL;
}

/* Rounds mix the variants: in the plan's order, and each metric's columns with them, all of them as long. */
static void in_order(struct summary *s)
{
	for (size_t i = 1; i < s->n_variants; i++)
		for (size_t k = i; k > 0 && s->variants[k].order < s->variants[k - 1].order; k--) {
			struct summary_variant v = s->variants[k];
			s->variants[k] = s->variants[k - 1];
			s->variants[k - 1] = v;
			for (size_t m = 0; m < s->n_metrics; m++) {
				struct summary_metric *metric = &s->metrics[m];
				struct summary_column c = metric->columns[k];
				metric->columns[k] = metric->columns[k - 1];
				metric->columns[k - 1] = c;
				struct summary_curve curve = metric->curves ? metric->curves[k] : (struct summary_curve){};
				if (metric->curves) {
					metric->curves[k] = metric->curves[k - 1];
					metric->curves[k - 1] = curve;
				}
			}
		}
	for (size_t k = 0; k < s->n_variants; k++)
		for (size_t i = 0; i < s->variants[k].failed.n; i++)
			s->failed += s->variants[k].failed.v[i] > 0;
	for (size_t m = 0; m < s->n_metrics; m++)
		for (size_t k = 0; k < s->n_variants; k++)
			if (s->metrics[m].columns[k].n < s->rounds)
				set_value(&s->metrics[m].columns[k], s->rounds - 1, NAN);
}

struct err *summaries_read(struct root *root, const char *path, struct summaries *ret)
{
	cleanup_summaries struct summaries all = {};
	TRY(records_each(root, path, take_record, &all, &all.cut));
	if (!all.n)
		return err_exit(err_new("%s: no record in it", path), EXIT_CONFIG);
	for (size_t i = 0; i < all.n; i++)
		in_order(&all.v[i]);
	*ret = all;
	all = (struct summaries){};
	return NULL;
}
