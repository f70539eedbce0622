/* SPDX-License-Identifier: GPL-2.0-or-later */
/* adapter_cyclictest: what cyclictest(8) of rt-tests says, plain, with --histogram or --histofall, and its --json file. See
 * adapter_part.h. */
#include <stdio.h>
#include <stdlib.h>
#include "launcher/bench/adapter_part.h"

#define THREADS 1024
#define BUCKETS 1000000

/* Numbers by blanks behind a label, at most `max`; how many. */
static size_t numbers_after(const char *text, const char *label, unsigned long *ret_v, size_t max)
{
	const char *at = strstr(text, label);
	size_t n = 0;
	for (at = at ? at + strlen(label) : NULL; at && n < max; n++) {
		char *end;
		at += strspn(at, " \t");
		ret_v[n] = strtoul(at, &end, 10);
		if (end == at)
			break;
		at = end;
	}
	return n;
}

struct buckets {
	struct adapter_bucket *v;
	size_t n;
};

static void buckets_free(struct buckets *b)
{
	free(b->v);
}

static bool add(struct buckets *b, double us, unsigned long long count)
{
	if (!count)
		return true;
	if (b->n == BUCKETS)
		return false;
	b->v = mem_grow(b->v, b->n, sizeof(*b->v));
	b->v[b->n++] = (struct adapter_bucket){ us, count };
	return true;
}

/* "000065 000012\t000034": microseconds, then how often on each of `threads`; what --histofall adds behind them is their sum. */
static bool take_bucket(struct buckets *b, const char *line, size_t threads, unsigned long *ret_us)
{
	char *rest, *end;
	unsigned long long count = 0;
	*ret_us = strtoul(line, &rest, 10);
	for (size_t i = 0; i < threads; i++, rest = end) {
		count += strtoul(rest, &end, 10);
		if (end == rest)
			break;
	}
	return add(b, (double)*ret_us, count);
}

/* Of what overflowed each CPU's histogram its largest is known; the others were at least as long as the histogram. */
static bool take_overflow(struct buckets *b, unsigned long long overflows, unsigned long end, unsigned long most)
{
	return !overflows || (add(b, (double)(end < most ? end : most), overflows - 1) && add(b, (double)most, 1));
}

static struct err *parse_histogram(const struct adapter_job *job, const char *text)
{
	unsigned long least[THREADS], most[THREADS], over[THREADS], us = 0;
	size_t threads = numbers_after(text, "# Min Latencies:", least, THREADS);
	cleanup_strv struct strv lines = {};
	cleanup(buckets_free) struct buckets b = {};
	bool fits = threads && numbers_after(text, "# Max Latencies:", most, THREADS) >= threads &&
		    numbers_after(text, "# Histogram Overflows:", over, THREADS) >= threads,
	     any = false;
	strv_split(&lines, strstr(text, "# Histogram\n"), "\r\n");
	for (size_t i = 0; i < lines.n && fits; i++)
		if (lines.v[i][0] >= '0' && lines.v[i][0] <= '9')
			fits = any = take_bucket(&b, lines.v[i], threads, &us);
	for (size_t i = 0; i < threads && fits; i++)
		fits = take_overflow(&b, over[i], us + 1, most[i]);
	return fits && any ? adapter_add_buckets(job, "", "us", b.v, b.n) : err_new("a histogram without its end in what it said");
}

/* "T: 0 ( 6099) P: 0 I:1000 C:   1181 Min:     22 Act: 4142 Avg:  832 Max:   41659": of all threads. */
static struct err *parse_plain(const struct adapter_job *job, const char *text)
{
	double sum = 0, most = 0, all = 0;
	for (const char *at = text; (at = strstr(at, "T:")); at += 2) {
		unsigned long c = 0, avg = 0, max = 0;
		const char *cycles = strstr(at, "C:"), *mean = strstr(at, "Avg:"), *longest = strstr(at, "Max:");
		if (!cycles || !mean || !longest)
			break;
		c = strtoul(cycles + 2, NULL, 10);
		avg = strtoul(mean + 4, NULL, 10);
		max = strtoul(longest + 4, NULL, 10);
		sum += (double)c * (double)avg;
		all += (double)c;
		most = (double)max > most ? (double)max : most;
	}
	if (!(all > 0))
		return err_new("no histogram, and no line of a thread, in what it said");
	TRY(adapter_add(job, "mean", "us", "less", sum / all));
	return adapter_add(job, "max", "us", "less", most);
}

/* The histogram's length, of the command line that is in the file; else one more than the longest that it has. */
static unsigned long length_of(const json_t *o)
{
	const char *line = json_string_value(json_object_get(o, "cmdline:"));
	static const char *const options[] = { " -h ", " -h", " -H ", " -H", "--histogram=", "--histogram ", "--histofall=", "--histofall " };
	for (size_t i = 0; line && i < ARRAY_SIZE(options); i++) {
		const char *at = strstr(line, options[i]);
		unsigned long n = at ? strtoul(at + strlen(options[i]), NULL, 10) : 0;
		if (n)
			return n;
	}
	return 0;
}

static struct err *take_thread(struct buckets *b, const json_t *thread, unsigned long end)
{
	unsigned long long cycles = (unsigned long long)json_integer_value(json_object_get(thread, "cycles")), counted = 0;
	const char *us;
	json_t *count;
	unsigned long longest = 0;
	json_object_foreach (json_object_get(thread, "histogram"), us, count) {
		unsigned long at = strtoul(us, NULL, 10);
		counted += (unsigned long long)json_integer_value(count);
		longest = at >= longest ? at + 1 : longest;
		if (!add(b, (double)at, (unsigned long long)json_integer_value(count)))
			return err_new("too many samples");
	}
	unsigned long most = (unsigned long)json_integer_value(json_object_get(thread, "max"));
	if (cycles > counted && !take_overflow(b, cycles - counted, end ? end : longest, most))
		return err_new("too many samples");
	return NULL;
}

static struct err *parse_json(const struct adapter_job *job, const json_t *o)
{
	cleanup(buckets_free) struct buckets b = {};
	const char *version = json_string_value(json_object_get(o, "rt_test_version:")), *key;
	double all = 0, sum = 0, most = 0;
	bool histogram = false;
	json_t *thread;
	TRY(adapter_version(job, "rt-tests", version ? version : "", 1, 2.99));
	if (json_integer_value(json_object_get(o, "file_version")) != 1)
		return err_new("a JSON file of cyclictest of another version than 1");
	json_object_foreach (json_object_get(o, "thread"), key, thread) {
		double cycles = json_number_value(json_object_get(thread, "cycles")),
		       max = json_number_value(json_object_get(thread, "max"));
		histogram = histogram || json_object_size(json_object_get(thread, "histogram"));
		TRY(take_thread(&b, thread, length_of(o)));
		all += cycles;
		sum += cycles * json_number_value(json_object_get(thread, "avg"));
		most = max > most ? max : most;
	}
	if (!(all > 0))
		return err_new("no thread in it");
	if (histogram)
		return adapter_add_buckets(job, "", "us", b.v, b.n);
	TRY(adapter_add(job, "mean", "us", "less", sum / all));
	return adapter_add(job, "max", "us", "less", most);
}

struct err *adapter_cyclictest(const struct adapter_job *job, const char *text)
{
	if (strstr(text, "# Histogram\n"))
		return parse_histogram(job, text);
	if (text[strspn(text, " \t\r\n")] != '{')
		return parse_plain(job, text);
	json_t *o = json_loads(text, 0, NULL);
	struct err *e = o ? parse_json(job, o) : err_new("not JSON to its end");
	json_decref(o);
	return e;
}
