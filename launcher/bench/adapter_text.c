/* SPDX-License-Identifier: GPL-2.0-or-later */
/* adapter_text: benchmarks that say a table: 7-Zip, stress-ng, glmark2 and vkmark, PassMark; and programs of one's own. See
 * adapter_part.h. */
#include <stdio.h>
#include <stdlib.h>
#include "launcher/bench/adapter_part.h"
#include "launcher/bench/records.h"

/* "Avr: speed usage R/U rating | speed usage R/U rating", "Tot: usage R/U rating": ratings are the same work a second for any
 * dictionary. */
struct err *adapter_7zip(const struct adapter_job *job, const char *text)
{
	const char *average = strstr(text, "\nAvr:"), *total = strstr(text, "\nTot:");
	double c[4], d[4], t[3];
	if (!average || !total ||
	    sscanf(average, "\nAvr: %lf %lf %lf %lf | %lf %lf %lf %lf", &c[0], &c[1], &c[2], &c[3], &d[0], &d[1], &d[2], &d[3]) != 8 ||
	    sscanf(total, "\nTot: %lf %lf %lf", &t[0], &t[1], &t[2]) != 3)
		return err_new("no lines Avr: and Tot: of a benchmark in what it said");
	TRY(adapter_add(job, "compress", "MIPS", "more", c[3]));
	TRY(adapter_add(job, "decompress", "MIPS", "more", d[3]));
	return adapter_add(job, "total", "MIPS", "more", t[2]);
}

/* "stress-ng: metrc: [6488] cpu   465   2.06  0.24  0.01   226.15   1839.14 …": bogo operations by real time are the sixth. */
static struct err *stressor(const struct adapter_job *job, const char *line, size_t *n)
{
	char name[64];
	double v[6];
	const char *at = strchr(line, ']');
	if (!at || sscanf(at + 1, " %63s %lf %lf %lf %lf %lf %lf", name, &v[0], &v[1], &v[2], &v[3], &v[4], &v[5]) != 7)
		return NULL;
	++*n;
	return adapter_add(job, name, "bogo op/s", "more", v[4]);
}

struct err *adapter_stress_ng(const struct adapter_job *job, const char *text)
{
	cleanup_strv struct strv lines = {};
	bool table = false;
	size_t n = 0;
	strv_split(&lines, text, "\r\n");
	for (size_t i = 0; i < lines.n; i++) {
		const char *line = lines.v[i];
		if (strstr(line, "unsuccessful run") || strstr(line, "stress-ng: fail:"))
			return err_new("%.200s", line);
		if (table)
			TRY(stressor(job, line, &n));
		table = table || (strstr(line, "bogo ops/s") && strstr(line, "stressor"));
	}
	if (!table)
		return err_hint(err_new("no table of bogo ops/s in what it said"),
				"stress-ng --stdout --metrics: all it says goes to its standard error else");
	return n ? NULL : err_new("no stressor in its table");
}

/* glmark2 and vkmark: "[scene] options: FPS: 490 FrameTime: 2.045 ms", at last "glmark2 Score: 1216". */
static struct err *scene(const struct adapter_job *job, const char *line, const char *fps)
{
	const char *end = strchr(line, ']');
	double v;
	if (!end || end > fps || !adapter_number(fps + 4, &v))
		return NULL;
	const char *options = end + 1 + strspn(end + 1, " ");
	int n = (int)(fps - options);
	while (n > 0 && (options[n - 1] == ' ' || options[n - 1] == ':'))
		n--;
	cleanup_free char *metric = str_fmt("%.*s.%.*s", (int)(end - line - 1), line + 1, n, options);
	return adapter_add(job, metric, "1/s", "more", v);
}

struct err *adapter_scenes(const struct adapter_job *job, const char *text)
{
	cleanup_strv struct strv lines = {};
	const char *score = strstr(text, "mark Score:"), *score2 = strstr(text, "mark2 Score:");
	double v;
	strv_split(&lines, text, "\r\n");
	for (size_t i = 0; i < lines.n; i++) {
		const char *line = lines.v[i] + strspn(lines.v[i], " "), *fps = strstr(line, "FPS:");
		if (*line == '[' && fps)
			TRY(scene(job, line, fps));
		else if (*line == '[' && (strstr(line, "failed") || strstr(line, "Unsupported")))
			return err_new("%.200s", line);
	}
	if (!(score ? adapter_number(score + 11, &v) : score2 && adapter_number(score2 + 12, &v)))
		return err_new("no score in what it said");
	return adapter_add(job, "score", "points", "more", v);
}

/* The results_*.yml of PerformanceTest for Linux; what did not run is 0 there. */
struct err *adapter_passmark(const struct adapter_job *job, const char *text)
{
	static const struct adapter_row rows[] = {
		{ "SUMM_CPU:", "cpu-mark", "points", "more", true, false },
		{ "SUMM_ME:", "memory-mark", "points", "more", true, false },
		{ "CPU_INTEGER_MATH:", "integer", "Mop/s", "more", true, false },
		{ "CPU_FLOATINGPOINT_MATH:", "floating-point", "Mop/s", "more", true, false },
		{ "CPU_PRIME:", "primes", "M/s", "more", true, false },
		{ "CPU_SORTING:", "sorting", "kstring/s", "more", true, false },
		{ "CPU_ENCRYPTION:", "encryption", "MB/s", "more", true, false },
		{ "CPU_COMPRESSION:", "compression", "KB/s", "more", true, false },
		{ "CPU_SINGLETHREAD:", "single-thread", "Mop/s", "more", true, false },
		{ "CPU_PHYSICS:", "physics", "frame/s", "more", true, false },
		{ "CPU_MATRIX_MULT_SSE:", "extended", "Mmatrix/s", "more", true, false },
		{ "ME_ALLOC_S:", "database", "kop/s", "more", true, false },
		{ "ME_READ_S:", "read-cached", "MB/s", "more", true, false },
		{ "ME_READ_L:", "read-uncached", "MB/s", "more", true, false },
		{ "ME_WRITE:", "write", "MB/s", "more", true, false },
		{ "ME_LATENCY:", "latency", "ns", "less", true, false },
		{ "ME_THREADED:", "threaded", "MB/s", "more", true, false },
	};
	const char *results = strstr(text, "Results:"), *version = strstr(text, "Version:"),
		   *major = version ? strstr(version, "Major:") : NULL;
	size_t found = 0;
	if (!results || !major)
		return err_new("no Version: and Results: of PerformanceTest in it");
	TRY(adapter_version(job, "PerformanceTest", major + 6 + strspn(major + 6, " "), 10, 11.99));
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *key = str_fmt(" %s", rows[i].label);
		const char *at = strstr(results, key);
		double v = 0;
		if (!at || !adapter_number(at + strlen(key), &v) || !(v > 0))
			continue;
		TRY(adapter_add(job, rows[i].metric, rows[i].unit, rows[i].better, v));
		found++;
	}
	return found ? NULL : err_new("no result in it");
}

/* A program of the user's own, which says what bench-guest says. */
struct err *adapter_lines(const struct adapter_job *job, const char *text)
{
	json_t *found = NULL, *metric;
	const char *key;
	TRY(records_metrics(text, job->about, &found));
	json_object_foreach (found, key, metric) {
		cleanup_free char *full = str_fmt("%s.%s", job->name, key);
		json_object_set(job->metrics, full, metric);
	}
	json_decref(found);
	return NULL;
}
