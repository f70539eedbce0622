/* SPDX-License-Identifier: GPL-2.0-or-later */
/* records: see records.h. */
#include <errno.h>
#include <stdlib.h>
#include "launcher/base/str.h"
#include "launcher/bench/records.h"
#include "launcher/bench/stats.h"

#define ROUNDS_MAX 100000
#define VARIANTS_MAX 64

/* "METRIC UNIT less|more VALUE…" */
static struct err *metric_line(json_t *metrics, const char *line)
{
	cleanup_strv struct strv words = {};
	strv_split(&words, line, " \r");
	if (words.n < 4 || (!streq(words.v[2], "less") && !streq(words.v[2], "more")))
		return err_new("not a result: \"%s\"", line);
	json_t *values = json_array();
	for (size_t i = 3; i < words.n; i++) {
		char *end;
		double v = strtod(words.v[i], &end);
		if (*end || json_array_append_new(values, json_real(v)) < 0) {
			json_decref(values);
			return err_new("not a number: \"%s\"", words.v[i]);
		}
	}
	json_object_set_new(metrics, words.v[0], json_pack("{s:s, s:s, s:o}", "unit", words.v[1], "better", words.v[2], "v", values));
	return NULL;
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

static void add_file(json_t *o, struct root *root, const char *name, const char *path)
{
	cleanup_free char *text = root_read_or(root, path, "?");
	json_object_set_new(o, name, json_stringn_nocheck(text, strlen(text)));
}

static void add_cpuinfo(json_t *o, const char *text, const char *name)
{
	cleanup_free char *key = str_fmt("%s\t", name);
	const char *at = strstr(text, key), *colon = at ? strchr(at, ':') : NULL;
	const char *value = colon ? colon + 1 + strspn(colon + 1, " ") : "?";
	json_object_set_new(o, name, json_stringn_nocheck(value, strcspn(value, "\n")));
}

json_t *records_fingerprint(struct root *root)
{
	json_t *o = json_object();
	cleanup_free char *cpuinfo = root_read_or(root, "/proc/cpuinfo", "");
	add_cpuinfo(o, cpuinfo, "model name");
	add_cpuinfo(o, cpuinfo, "microcode");
	add_file(o, root, "kernel", "/proc/sys/kernel/osrelease");
	add_file(o, root, "command line", "/proc/cmdline");
	add_file(o, root, "governor", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
	add_file(o, root, "CPUs", "/sys/devices/system/cpu/online");
	add_file(o, root, "transparent huge pages", "/sys/kernel/mm/transparent_hugepage/enabled");
	return o;
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

static double median_of(const json_t *values)
{
	size_t n = json_array_size(values), i;
	cleanup_free double *v = mem_new((n ? n : 1) * sizeof(*v));
	json_t *value;
	json_array_foreach(values, i, value)
		v[i] = json_number_value(value);
	return n ? stats_median(v, n) : 0;
}

void records_column(const json_t *records, const char *variant, const char *metric, double *ret_v)
{
	size_t i, rounds = records_rounds(records);
	json_t *record;
	for (i = 0; i < rounds; i++)
		ret_v[i] = 0;
	json_array_foreach(records, i, record)
		if (streq(json_string_value(json_object_get(record, "variant")), variant))
			ret_v[json_integer_value(json_object_get(record, "round"))] =
				median_of(json_object_get(json_object_get(json_object_get(record, "metrics"), metric), "v"));
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

bool records_less_is_better(const json_t *records, const char *metric)
{
	return streq(word_of(records, metric, "better"), "less");
}

const char *records_unit(const json_t *records, const char *metric)
{
	return word_of(records, metric, "unit");
}

static const char *differs_from(const json_t *first, const json_t *records)
{
	size_t i;
	json_t *record, *value;
	const char *key;
	json_array_foreach(records, i, record)
		json_object_foreach((json_t *)first, key, value)
			if (!json_equal(value, json_object_get(json_object_get(record, "fingerprint"), key)))
				return key;
	return NULL;
}

const char *records_differ(const json_t *a, const json_t *b)
{
	const json_t *first = json_object_get(json_array_get(a, 0), "fingerprint");
	const char *key = differs_from(first, a);
	return key || !b ? key : differs_from(first, b);
}
