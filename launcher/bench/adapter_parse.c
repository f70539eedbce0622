/* SPDX-License-Identifier: GPL-2.0-or-later */
/* adapter_parse: the benchmarks whose results are more than a number behind a label. See adapter.h. */
#include <stdlib.h>
#include "launcher/bench/adapter.h"
#include "launcher/bench/frames.h"
#include "launcher/bench/records.h"
#include "launcher/import/xml_node.h"

#define SAMPLES_MAX 4000000
#define HEADER_LINES 64 /* of a log of frames: what says of what it is */

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

static bool add_samples(json_t *samples, unsigned long count, unsigned long us)
{
	if (count > SAMPLES_MAX - json_array_size(samples))
		return false;
	for (; count; count--)
		json_array_append_new(samples, json_integer((json_int_t)us));
	return true;
}

/* A line of the histogram: "000065 000012\t000034": microseconds, then how often on each CPU. */
static bool take_bucket(json_t *samples, const char *line)
{
	char *rest;
	unsigned long us = strtoul(line, &rest, 10);
	bool fits = rest != line;
	while (fits) {
		char *end;
		unsigned long count = strtoul(rest, &end, 10);
		if (end == rest)
			break;
		fits = add_samples(samples, count, us);
		rest = end;
	}
	return fits;
}

/* Of what overflowed each CPU's histogram its largest is known; the others were at least as long as the histogram. */
static bool take_overflows(json_t *samples, const char *text)
{
	unsigned long count[1024], most[1024];
	size_t n = numbers_after(text, "# Histogram Overflows:", count, ARRAY_SIZE(count));
	bool fits = numbers_after(text, "# Max Latencies:", most, ARRAY_SIZE(most)) == n;
	json_int_t longest = json_integer_value(json_array_get(samples, json_array_size(samples) - 1)) + 1;
	for (size_t i = 0; fits && i < n; i++)
		if (count[i])
			fits = add_samples(samples, count[i] - 1, (unsigned long)longest) && add_samples(samples, 1, most[i]);
	return fits;
}

/* cyclictest --histogram: as many samples as it took. */
struct err *adapter_cyclictest(const char *name, const char *text, json_t *metrics)
{
	cleanup_strv struct strv lines = {};
	json_t *samples = json_array();
	bool fits = strstr(text, "# Histogram\n");
	if (fits)
		strv_split(&lines, strstr(text, "# Histogram\n"), "\r\n");
	for (size_t i = 0; i < lines.n && fits; i++)
		if (lines.v[i][0] >= '0' && lines.v[i][0] <= '9')
			fits = take_bucket(samples, lines.v[i]);
	if (!fits || !json_array_size(samples) || !take_overflows(samples, text)) {
		json_decref(samples);
		return err_new("no histogram in what it said");
	}
	return records_add_metric(metrics, name, "us", "tails", samples);
}

static const char *text_of(struct node *n, const char *child)
{
	const struct node *c = n ? node_child(n, child) : NULL;
	return c ? c->text : "";
}

/* "pts/compress-7zip-1.10.0" and "Test: Compression Rating" as one word without blanks. */
static char *phoronix_name(const char *name, struct node *result)
{
	const char *id = text_of(result, "Identifier"), *dash = strrchr(id, '-');
	cleanup_free char *short_id = str_ndup(id, dash ? (size_t)(dash - id) : strlen(id));
	char *metric = str_fmt("%s.%s.%s", name, short_id, text_of(result, "Description"));
	for (char *c = metric; *c; c++)
		*c = *c == ' ' ? '_' : *c;
	return metric;
}

static struct err *take_result(const char *name, struct node *result, json_t *metrics)
{
	struct node *entry = NULL, *data = node_child(result, "Data");
	for (size_t i = 0; data && i < data->n_children; i++) /* the last one: an older run under the same name comes before it */
		if (streq(data->children[i]->name, "Entry"))
			entry = data->children[i];
	const char *raw = text_of(entry, "RawString"), *value = text_of(entry, "Value");
	cleanup_strv struct strv words = {};
	strv_split(&words, *raw ? raw : value, ":, ");
	json_t *values = json_array();
	for (size_t i = 0; i < words.n; i++) {
		char *end;
		double v = strtod(words.v[i], &end);
		if (end != words.v[i])
			json_array_append_new(values, json_real(v));
	}
	cleanup_free char *metric = phoronix_name(name, result);
	if (!json_array_size(values)) {
		json_decref(values);
		return err_new("%s has no value", metric);
	}
	return records_add_metric(metrics, metric, text_of(result, "Scale"), streq(text_of(result, "Proportion"), "LIB") ? "less" : "more",
				  values);
}

/* Its composite.xml: a <Result> for each test, with the value of every trial. */
struct err *adapter_phoronix(const char *name, const char *text, json_t *metrics)
{
	cleanup_node struct node *root = NULL;
	size_t found = 0;
	TRY(node_parse(text, strlen(text), false, &root));
	for (size_t i = 0; i < root->n_children; i++) {
		if (!streq(root->children[i]->name, "Result"))
			continue;
		TRY(take_result(name, root->children[i], metrics));
		found++;
	}
	return found ? NULL : err_new("no <Result> in its composite.xml");
}

/* The field of a CSV line, of at most `size` bytes; quotes hold commas. */
static void csv_field(const char *line, size_t wanted, char *ret_field, size_t size)
{
	size_t at = 0, n = 0;
	bool quoted = false;
	for (; *line && *line != '\r' && *line != '\n'; line++) {
		if (*line == '"')
			quoted = !quoted;
		else if (*line == ',' && !quoted)
			at++;
		else if (at == wanted && n + 1 < size)
			ret_field[n++] = *line;
	}
	ret_field[n] = '\0';
}

/* The column of that name, its first letter in either case, as versions differ in it; -1 for none. */
static int csv_column(const char *header, const char *name)
{
	char field[64] = "?";
	for (int i = 0; i < 64 && field[0]; i++) {
		csv_field(header, (size_t)i, field, sizeof(field));
		if (strcasecmp(field, name) == 0)
			return i;
	}
	return -1;
}

/* What presents the desktop, not a game. */
static bool is_desktop(const char *program)
{
	static const char *const names[] = { "dwm.exe", "explorer.exe", "dwm", "explorer" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcasecmp(program, names[i]) == 0)
			return true;
	return false;
}

/* Columns of a log of frames; -1 for none. */
struct frame_columns {
	int time, program, process, chain;
};

/* Frames of one swap chain of one process: the one that has the most, the desktop's only where there is no other. Owned; NULL: no frame. */
static json_t *frames_of_the_game(const struct strv *lines, size_t first, const struct frame_columns *c)
{
	json_t *by_chain = json_object(), *most = NULL, *frames;
	bool most_is_desktop = true;
	const char *key;
	for (size_t i = first; i < lines->n; i++) {
		char program[256] = "", process[32] = "", chain[64] = "", ms[64], *end;
		if (c->program >= 0)
			csv_field(lines->v[i], (size_t)c->program, program, sizeof(program));
		if (c->process >= 0)
			csv_field(lines->v[i], (size_t)c->process, process, sizeof(process));
		if (c->chain >= 0)
			csv_field(lines->v[i], (size_t)c->chain, chain, sizeof(chain));
		csv_field(lines->v[i], (size_t)c->time, ms, sizeof(ms));
		double v = strtod(ms, &end);
		if (end == ms || !(v > 0) || v > 60000)
			continue; /* "NA", the first frame's 0 */
		cleanup_free char *who = str_fmt("%c%s\t%s\t%s", is_desktop(program) ? 'd' : 'g', program, process, chain);
		frames = json_object_get(by_chain, who);
		if (!frames) {
			frames = json_array();
			if (json_object_set_new(by_chain, who, frames) < 0)
				continue;
		}
		json_array_append_new(frames, json_real(v));
	}
	json_object_foreach (by_chain, key, frames) {
		bool desktop = key[0] == 'd';
		if (!most || (most_is_desktop && !desktop) ||
		    (most_is_desktop == desktop && json_array_size(frames) > json_array_size(most))) {
			most = frames;
			most_is_desktop = desktop;
		}
	}
	json_incref(most);
	json_decref(by_chain);
	return most;
}

/*
 * Logs of frames: PresentMon 1.x and 2.x, and what is made of it (FrameView, OCAT, CapFrameX with its lines of //), MangoHud (two lines of the
 * machine before). The line that names a column of frame times is the header.
 */
struct err *adapter_presentmon(const char *name, const char *text, json_t *metrics)
{
	static const char *const columns[] = { "MsBetweenPresents", "FrameTime" };
	static const char mark[] = "\xef\xbb\xbf"; /* of UTF-8 */
	cleanup_strv struct strv lines = {};
	struct frame_columns c = { -1, -1, -1, -1 };
	size_t header = 0;
	strv_split(&lines, str_starts(text, mark) ? text + strlen(mark) : text, "\r\n");
	for (; header < lines.n && header < HEADER_LINES; header++) {
		for (size_t i = 0; c.time < 0 && i < ARRAY_SIZE(columns); i++)
			c.time = csv_column(lines.v[header], columns[i]);
		if (c.time >= 0)
			break;
	}
	if (c.time < 0)
		return err_new("no column MsBetweenPresents or FrameTime: not a log of frames");
	c.program = csv_column(lines.v[header], "Application");
	c.process = csv_column(lines.v[header], "ProcessID");
	c.chain = csv_column(lines.v[header], "SwapChainAddress");
	json_t *frames = frames_of_the_game(&lines, header + 1, &c);
	return frames ? frames_metrics(name, frames, metrics) : err_new("no frame in it");
}

/* A program of the user's own, which says what bench-guest says. */
struct err *adapter_lines(const char *name, const char *text, json_t *metrics)
{
	json_t *found = NULL, *metric;
	const char *key;
	TRY(records_metrics(text, &found));
	json_object_foreach (found, key, metric) {
		cleanup_free char *full = str_fmt("%s.%s", name, key);
		json_object_set(metrics, full, metric);
	}
	json_decref(found);
	return NULL;
}
