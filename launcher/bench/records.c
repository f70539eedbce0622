/* SPDX-License-Identifier: GPL-2.0-or-later */
/* records: see records.h. */
#include <errno.h>
#include <stdlib.h>
#include "launcher/base/str.h"
#include "launcher/bench/records.h"
#include "launcher/bench/stats.h"

#define ROUNDS_MAX 100000
#define VARIANTS_MAX 64

struct err *records_add_metric(json_t *metrics, const char *name, const char *unit, const char *better, json_t *values)
{
	bool tails = streq(better, "tails");
	json_t *metric = json_pack("{s:s, s:s, s:o}", "unit", unit, "better", streq(better, "more") ? "more" : "less", "v", values);
	if (metric && tails)
		json_object_set_new(metric, "tails", json_true());
	return metric && json_object_set_new(metrics, name, metric) == 0 ? NULL : err_new("\"%s\" is no text", name);
}

/* "METRIC UNIT less|more|tails VALUE…" */
static struct err *metric_line(json_t *metrics, const char *line)
{
	static const char *const kinds[] = { "less", "more", "tails" };
	cleanup_strv struct strv words = {};
	bool known = false;
	strv_split(&words, line, " \r");
	for (size_t i = 0; words.n >= 4 && i < ARRAY_SIZE(kinds); i++)
		known = known || streq(words.v[2], kinds[i]);
	if (!known)
		return err_new("not a result: \"%.60s\"", line);
	json_t *values = json_array();
	for (size_t i = 3; i < words.n; i++) {
		char *end;
		double v = strtod(words.v[i], &end);
		if (*end || json_array_append_new(values, json_real(v)) < 0) {
			json_decref(values);
			return err_new("not a number: \"%s\"", words.v[i]);
		}
	}
	return records_add_metric(metrics, words.v[0], words.v[1], words.v[2], values);
}

struct err *records_metrics(const char *said, json_t **ret_metrics)
{
	cleanup_strv struct strv lines = {};
	json_t *metrics = json_object();
	bool done = false;
	struct err *e = NULL;
	strv_split(&lines, said, "\r\n");
	for (size_t i = 0; i < lines.n && !e && !done; i++) {
		const char *at = strstr(lines.v[i], "bench: ");
		cleanup_free char *line = at ? str_printable(at + strlen("bench: ")) : NULL;
		done = streq(line, "done");
		if (line && !done)
			e = metric_line(metrics, line);
	}
	if (!e && !done) {
		cleanup_free char *last = str_printable(lines.n ? lines.v[lines.n - 1] : "nothing");
		e = err_new("the guest did not come to \"bench: done\"; its last line: %s", last);
	}
	if (e)
		json_decref(metrics);
	else
		*ret_metrics = metrics;
	return e;
}

struct err *records_append(struct root *root, const char *path, json_t *record)
{
	cleanup_free char *text = json_dumps(record, JSON_COMPACT), *line = str_fmt("%s\n", text ? text : "");
	json_decref(record);
	return text ? root_append(root, path, line) : err_new("a record that is no JSON");
}

struct err *records_read(struct root *root, const char *path, json_t **ret_records)
{
	cleanup_free char *real = realpath(path, NULL), *text = NULL;
	if (!real)
		return err_errno(errno, "%s", path);
	TRY(root_read(root, real, &text));
	cleanup_strv struct strv lines = {};
	strv_split(&lines, text, "\n");
	json_t *all = json_array();
	for (size_t i = 0; i < lines.n; i++) {
		json_t *record = json_loads(lines.v[i], 0, NULL);
		const json_t *round = json_object_get(record, "round");
		if (!json_is_string(json_object_get(record, "variant")) || !json_is_object(json_object_get(record, "metrics")) ||
		    !json_is_integer(round) || json_integer_value(round) < 0 || json_integer_value(round) > ROUNDS_MAX) {
			json_decref(record);
			json_decref(all);
			return err_exit(err_new("%s:%zu: not a record of a benchmark", path, i + 1), EXIT_CONFIG);
		}
		json_array_append_new(all, record);
	}
	*ret_records = all;
	return NULL;
}

json_t *records_variants(const json_t *records)
{
	json_t *names = json_object(), *record;
	size_t i;
	for (json_int_t order = 0; order < VARIANTS_MAX; order++)
		json_array_foreach(records, i, record)
			if (json_integer_value(json_object_get(record, "order")) == order)
				json_object_set_new(names, json_string_value(json_object_get(record, "variant")), json_true());
	return names;
}

json_t *records_metric_names(const json_t *records)
{
	json_t *names = json_object(), *record, *metric;
	const char *name;
	size_t i;
	json_array_foreach(records, i, record)
		json_object_foreach(json_object_get(record, "metrics"), name, metric)
			json_object_set(names, name, metric);
	return names;
}

size_t records_rounds(const json_t *records)
{
	size_t i, rounds = 0;
	json_t *record;
	json_array_foreach(records, i, record) {
		size_t n = (size_t)json_integer_value(json_object_get(record, "round")) + 1;
		rounds = n > rounds ? n : rounds;
	}
	return rounds;
}

void records_samples_free(struct records_samples *s)
{
	free(s->values);
	free(s->rounds);
	*s = (struct records_samples){};
}

void records_samples(const json_t *records, const char *variant, const char *metric, struct records_samples *ret)
{
	struct records_samples s = { .n = records_rounds(records) };
	size_t i, k, used = 0, total = 0;
	json_t *record, *value;
	s.rounds = mem_new((s.n + 1) * sizeof(*s.rounds));
	json_array_foreach(records, i, record)
		total += json_array_size(json_object_get(json_object_get(json_object_get(record, "metrics"), metric), "v"));
	s.values = mem_new((total + 1) * sizeof(*s.values));
	json_array_foreach(records, i, record) {
		if (!streq(json_string_value(json_object_get(record, "variant")), variant))
			continue;
		const json_t *values = json_object_get(json_object_get(json_object_get(record, "metrics"), metric), "v");
		s.rounds[json_integer_value(json_object_get(record, "round"))] =
			(struct stats_sample){ s.values + used, json_array_size(values) };
		json_array_foreach(values, k, value)
			s.values[used++] = json_number_value(value);
	}
	*ret = s;
}

static const char *word_of(const json_t *records, const char *metric, const char *key)
{
	size_t i;
	json_t *record;
	json_array_foreach(records, i, record) {
		const char *word = json_string_value(json_object_get(json_object_get(json_object_get(record, "metrics"), metric), key));
		if (word)
			return word;
	}
	return "";
}

bool records_has_tails(const json_t *records, const char *metric)
{
	size_t i;
	json_t *record;
	json_array_foreach(records, i, record)
		if (json_object_get(json_object_get(json_object_get(record, "metrics"), metric), "tails"))
			return true;
	return false;
}

bool records_less_is_better(const json_t *records, const char *metric)
{
	return streq(word_of(records, metric, "better"), "less");
}

const char *records_unit(const json_t *records, const char *metric)
{
	return word_of(records, metric, "unit");
}

