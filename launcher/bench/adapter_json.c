/* SPDX-License-Identifier: GPL-2.0-or-later */
/* adapter_json: benchmarks that write JSON: fio, Geekbench (with a licence). See adapter_part.h. */
#include <stdlib.h>
#include "launcher/bench/adapter_part.h"

static json_t *load(const char *text)
{
	const char *brace = strchr(text, '{'); /* a warning may stand before it */
	return brace ? json_loads(brace, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
}

static const struct {
	const char *key, *suffix;
} fio_percentiles[] = { { "50.000000", "p50" }, { "99.000000", "p99" }, { "99.900000", "p99.9" } };

/* The latencies of --output-format=json+ are counted by size; of plain json there are percentiles. */
static struct err *fio_latency(const struct adapter_job *job, const char *begin, const json_t *clat)
{
	const json_t *bins = json_object_get(clat, "bins"), *percentiles = json_object_get(clat, "percentile");
	cleanup_free char *name = str_fmt("%s.latency", begin);
	size_t n = 0;
	const char *ns;
	json_t *count;
	if (json_object_size(bins)) {
		cleanup_free struct adapter_bucket *v = mem_new((json_object_size(bins) + 1) * sizeof(*v));
		json_object_foreach ((json_t *)bins, ns, count)
			if (json_integer_value(count) > 0)
				v[n++] = (struct adapter_bucket){ strtod(ns, NULL) / 1000, (unsigned long long)json_integer_value(count) };
		return adapter_add_buckets(job, name, "us", v, n);
	}
	for (size_t i = 0; i < ARRAY_SIZE(fio_percentiles); i++) {
		const json_t *v = json_object_get(percentiles, fio_percentiles[i].key);
		cleanup_free char *full = str_fmt("%s.%s", name, fio_percentiles[i].suffix);
		if (v)
			TRY(adapter_add(job, full, "us", "less", json_number_value(v) / 1000));
	}
	cleanup_free char *most = str_fmt("%s.max", name);
	return adapter_add(job, most, "us", "less", json_number_value(json_object_get(clat, "max")) / 1000);
}

static struct err *fio_direction(const struct adapter_job *job, const char *of, const char *way, const json_t *o)
{
	cleanup_free char *begin = *of ? str_fmt("%s.%s", of, way) : str_dup(way), *iops = str_fmt("%s.iops", begin),
			  *rate = str_fmt("%s.rate", begin);
	const json_t *clat = json_object_get(o, "clat_ns");
	if (!(json_number_value(json_object_get(o, "total_ios")) > 0))
		return NULL;
	TRY(adapter_add(job, iops, "1/s", "more", json_number_value(json_object_get(o, "iops"))));
	TRY(adapter_add(job, rate, "MB/s", "more", json_number_value(json_object_get(o, "bw_bytes")) / 1e6));
	return clat ? fio_latency(job, begin, clat) : NULL;
}

static struct err *parse_fio(const struct adapter_job *job, const json_t *o)
{
	const char *version = json_string_value(json_object_get(o, "fio version"));
	const json_t *jobs = json_object_get(o, "jobs"), *one;
	size_t i;
	TRY(adapter_version(job, "fio", version && str_starts(version, "fio-") ? version + 4 : "", 3, 3.99));
	if (!json_array_size(jobs))
		return err_new("no job in it");
	json_array_foreach ((json_t *)jobs, i, one) {
		const char *name = json_string_value(json_object_get(one, "jobname"));
		name = json_array_size(jobs) > 1 && name ? name : ""; /* of one job its name says nothing */
		if (json_integer_value(json_object_get(one, "error")))
			return err_new("job %s of fio failed: error %d", name, (int)json_integer_value(json_object_get(one, "error")));
		TRY(fio_direction(job, name, "read", json_object_get(one, "read")));
		TRY(fio_direction(job, name, "write", json_object_get(one, "write")));
	}
	return json_object_size(job->metrics) ? NULL : err_new("no job did anything");
}

struct err *adapter_fio(const struct adapter_job *job, const char *text)
{
	json_t *o = load(text);
	struct err *e = o ? parse_fio(job, o) : err_hint(err_new("no JSON in what it said"), "fio --output-format=json, or json+");
	json_decref(o);
	return e;
}

/* "Single-Core" and its workloads, "Multi-Core" and its. */
static struct err *geekbench_json(const struct adapter_job *job, const json_t *o)
{
	const json_t *single = json_object_get(o, "score"), *multi = json_object_get(o, "multicore_score"), *section, *workload;
	const char *version = json_string_value(json_object_get(o, "version"));
	size_t i, k;
	TRY(adapter_version(job, "Geekbench", version ? version : "", 4, 6.99));
	if (!json_is_number(single))
		return err_new("no score in it");
	TRY(adapter_add(job, "single-core", "points", "more", json_number_value(single)));
	if (json_is_number(multi))
		TRY(adapter_add(job, "multi-core", "points", "more", json_number_value(multi)));
	json_array_foreach (json_object_get(o, "sections"), i, section) {
		const char *of = json_string_value(json_object_get(section, "name"));
		json_array_foreach (json_object_get(section, "workloads"), k, workload) {
			const char *name = json_string_value(json_object_get(workload, "name"));
			cleanup_free char *metric = str_fmt("%s.%s", of ? of : "", name ? name : "");
			TRY(adapter_add(job, metric, "points", "more", json_number_value(json_object_get(workload, "score"))));
		}
	}
	return NULL;
}

static struct err *geekbench_text(const struct adapter_job *job, const char *text)
{
	static const char *const labels[][2] = { { "Single-Core Score", "single-core" }, { "Multi-Core Score", "multi-core" } };
	const char *link = strstr(text, "https://browser.geekbench.com/"), *version = strstr(text, "Geekbench ");
	while (version && (version[10] < '0' || version[10] > '9'))
		version = strstr(version + 1, "Geekbench ");
	if (version)
		TRY(adapter_version(job, "Geekbench", version + 10, 4, 6.99));
	for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
		const char *at = strstr(text, labels[i][0]);
		double v;
		if (at && adapter_number(at + strlen(labels[i][0]), &v))
			TRY(adapter_add(job, labels[i][1], "points", "more", v));
		else if (link)
			return err_hint(err_new("the free edition says a link only: %.*s", (int)strcspn(link, " \r\n"), link),
					"a licence says scores: geekbench6 --unlock, then command = geekbench6 --no-upload");
		else
			return err_new("no \"%s\" with a number in what it said", labels[i][0]);
	}
	return NULL;
}

struct err *adapter_geekbench(const struct adapter_job *job, const char *text)
{
	if (text[strspn(text, " \t\r\n")] != '{')
		return geekbench_text(job, text);
	json_t *o = load(text);
	struct err *e = o ? geekbench_json(job, o) : err_new("not JSON to its end");
	json_decref(o);
	return e;
}
