/* SPDX-License-Identifier: GPL-2.0-or-later */
/* adapter_part: see adapter_part.h. */
#include <math.h>
#include <stdlib.h>
#include "launcher/bench/adapter_part.h"
#include "launcher/bench/records.h"

bool adapter_number(const char *text, double *ret_value)
{
	char number[64];
	text += strspn(text, " \t");
	size_t n = strspn(text, "+-0123456789.,eE");
	if (!n || n >= sizeof(number))
		return false;
	memcpy(number, text, n);
	number[n] = '\0';
	char *comma = strchr(number, ',');
	if (comma && !strchr(number, '.') && !strchr(comma + 1, ','))
		*comma = '.';
	char *end;
	*ret_value = strtod(number, &end);
	return end != number && isfinite(*ret_value);
}

static char *metric_name(const struct adapter_job *job, const char *metric)
{
	char *name = *metric ? str_fmt("%s.%s", job->name, metric) : str_dup(job->name);
	for (char *c = name; *c; c++)
		*c = *c == ' ' ? '_' : *c;
	return name;
}

struct err *adapter_add(const struct adapter_job *job, const char *metric, const char *unit, const char *better, double value)
{
	cleanup_free char *name = metric_name(job, metric);
	return records_add_metric(job->metrics, name, unit, better, json_pack("[f]", value));
}

static int by_value(const void *a, const void *b)
{
	const struct adapter_bucket *x = a, *y = b;
	return (x->value > y->value) - (x->value < y->value);
}

struct err *adapter_add_buckets(const struct adapter_job *job, const char *metric, const char *unit, struct adapter_bucket *v, size_t n)
{
	cleanup_free char *name = metric_name(job, metric);
	unsigned long long total = 0, before = 0, taken = 0;
	json_t *samples = json_array();
	qsort(v, n, sizeof(*v), by_value);
	for (size_t i = 0; i < n; i++) {
		if (__builtin_add_overflow(total, v[i].count, &total) || total > 1ull << 40) {
			json_decref(samples);
			return err_new("too many samples");
		}
	}
	unsigned long long wanted = total < ADAPTER_SAMPLES ? total : ADAPTER_SAMPLES;
	for (size_t i = 0; i < n; i++) {
		before += v[i].count;
		/* the k-th of `wanted` is that of rank k * (total - 1) / (wanted - 1): the first and the last are in it */
		for (; taken < wanted && (wanted < 2 || taken * (total - 1) / (wanted - 1) < before); taken++)
			json_array_append_new(samples, json_real(v[i].value));
	}
	if (total)
		return records_add_metric(job->metrics, name, unit, "tails", samples);
	json_decref(samples);
	return err_new("no sample in it");
}

void adapter_about(const struct adapter_job *job, const char *key, const char *value)
{
	json_t *about = json_object_get(job->about, job->name);
	cleanup_free char *text = str_printable(value);
	if (!about && job->about)
		json_object_set_new(job->about, job->name, about = json_object());
	if (about && *text)
		json_object_set_new(about, key, json_string(text));
}

struct err *adapter_version(const struct adapter_job *job, const char *tool, const char *version, double from, double to)
{
	cleanup_free char *word = str_ndup(version, strcspn(version, " \t\r\n,;<>\"()")), *shown = str_printable(word);
	double v = strtod(word, NULL);
	if (!(v >= from && v <= to))
		return err_hint(err_new("%s of version \"%s\" is not known here", tool, shown), "known: %g to %g", from, to);
	adapter_about(job, "tool", tool);
	adapter_about(job, "version", word);
	return NULL;
}
