/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: see report.h. */
#include <math.h>
#include <stdlib.h>
#include "launcher/bench/records.h"
#include "launcher/bench/report.h"

#define WIDTH 460
#define LINE_WIDTH 230
#define ROW 26
#define LINE_HEIGHT 60

void report_text(FILE *out, const struct analyses *a)
{
	const char *metric = "";
	for (size_t i = 0; i < a->n; i++) {
		const struct analysis *r = &a->v[i];
		cleanup_free char *name = str_printable(r->metric), *unit = str_printable(r->unit), *variant = str_printable(r->variant);
		if (!streq(metric, r->metric))
			fprintf(out, "%s (%s, %s is better)\n", name, unit, r->less_is_better ? "less" : "more");
		metric = r->metric;
		fprintf(out, "  %-16s %10.4g", variant, r->median);
		if (isfinite(r->pair.ratio.median) && !r->base)
			fprintf(out, "   x %.3f [%.3f, %.3f]  %s", r->pair.ratio.median, r->pair.ratio.low, r->pair.ratio.high, analysis_word(r));
		if (r->pair.least > 0 && !r->base)
			fprintf(out, "; could see %.1f %%", r->pair.least * 100);
		if (r->drifts)
			fprintf(out, "; drifts (%+.2f)", r->drift);
		fputc('\n', out);
	}
}

static void add_text(struct sb *out, const char *s)
{
	cleanup_free char *text = str_printable(s ? s : "");
	for (const char *c = text; *c; c++) {
		const char *entity = *c == '<' ? "&lt;" : *c == '>' ? "&gt;" : *c == '&' ? "&amp;" : *c == '"' ? "&quot;" : NULL;
		if (entity)
			sb_add(out, entity);
		else
			sb_addc(out, *c);
	}
}

/* The smallest and largest value of a metric over all variants. */
static void range_of(const json_t *records, const struct analyses *a, const char *metric, double *low, double *high)
{
	size_t n = records_rounds(records);
	cleanup_free double *v = mem_new((n + 1) * sizeof(*v));
	*low = INFINITY;
	*high = 0;
	for (size_t i = 0; i < a->n; i++) {
		if (!streq(a->v[i].metric, metric))
			continue;
		records_column(records, a->v[i].variant, metric, v);
		for (size_t k = 0; k < n; k++) {
			*low = v[k] > 0 ? fmin(*low, v[k]) : *low;
			*high = fmax(*high, v[k]);
		}
	}
	if (!(*high > *low))
		*high = *low + 1;
}

/* One row: the rounds as points, their median as a stroke. */
static void add_points(struct sb *out, const double *v, size_t n, double median, double low, double high, unsigned y)
{
	for (size_t i = 0; i < n; i++)
		if (v[i] > 0)
			sb_addf(out, "<circle cx=\"%.1f\" cy=\"%u\" r=\"3\"/>", 5 + (v[i] - low) / (high - low) * (WIDTH - 10), y);
	double x = 5 + (median - low) / (high - low) * (WIDTH - 10);
	sb_addf(out, "<line class=\"median\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%u\" y2=\"%u\"/>", x, x, y - 9, y + 9);
}

static void add_timeline(struct sb *out, const double *v, size_t n, double low, double high)
{
	sb_addf(out, "<svg class=\"time\" width=\"%d\" height=\"%d\"><polyline points=\"", LINE_WIDTH, LINE_HEIGHT);
	for (size_t i = 0; i < n; i++)
		if (v[i] > 0)
			sb_addf(out, "%.1f,%.1f ", 5 + (double)i * (LINE_WIDTH - 10) / (double)(n > 1 ? n - 1 : 1),
				5 + (high - v[i]) / (high - low) * (LINE_HEIGHT - 10));
	sb_add(out, "\"/></svg>");
}

static void add_metric(struct sb *out, const json_t *records, const struct analyses *a, size_t at)
{
	const char *metric = a->v[at].metric;
	double low, high;
	size_t n = records_rounds(records);
	cleanup_free double *v = mem_new((n + 1) * sizeof(*v));
	range_of(records, a, metric, &low, &high);
	sb_add(out, "<h2>");
	add_text(out, metric);
	sb_add(out, " <small>");
	add_text(out, a->v[at].unit);
	sb_addf(out, ", %s is better; %.4g to %.4g</small></h2>\n<table><tr><th>variant<th>each round<th>median<th>beside the first"
		"<th>round by round</tr>\n", a->v[at].less_is_better ? "less" : "more", low, high);
	for (size_t i = at; i < a->n && streq(a->v[i].metric, metric); i++) {
		const struct analysis *r = &a->v[i];
		records_column(records, r->variant, metric, v);
		sb_add(out, "<tr><td>");
		add_text(out, r->variant);
		sb_addf(out, "<td><svg width=\"%d\" height=\"%d\">", WIDTH, ROW);
		add_points(out, v, n, r->median, low, high, ROW / 2);
		sb_addf(out, "</svg><td>%.4g<td>", r->median);
		if (isfinite(r->pair.ratio.median) && !r->base)
			sb_addf(out, "&times; %.3f [%.3f, %.3f] <b class=\"%s\">%s</b>", r->pair.ratio.median, r->pair.ratio.low,
				r->pair.ratio.high, analysis_better(r) > 0 ? "better" : analysis_better(r) < 0 ? "worse" : "same", analysis_word(r));
		if (r->drifts)
			sb_addf(out, " drifts (%+.2f)", r->drift);
		sb_add(out, "<td>");
		add_timeline(out, v, n, low, high);
		sb_add(out, "</tr>\n");
	}
	sb_add(out, "</table>\n");
}

void report_html(struct sb *out, const json_t *records, const struct analyses *a)
{
	json_t *fingerprint = json_object_get(json_array_get(records, 0), "fingerprint"), *value;
	const char *key;
	sb_add(out, "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>qlaunch bench</title>\n<style>\n"
		    "body{font:15px sans-serif;margin:2em;color:#222;background:#fff}table{border-collapse:collapse}td,th{padding:2px 10px;"
		    "text-align:left}circle{fill:#36c;fill-opacity:.5}.median{stroke:#c30;stroke-width:2}polyline{fill:none;stroke:#36c}"
		    "svg{background:#f4f4f4}.better{color:#070}.worse{color:#b00}.same{color:#666}small,dt{color:#666}dd{margin:0 0 4px 0}\n"
		    "</style>\n<h1>qlaunch bench</h1>\n<dl>");
	json_object_foreach(fingerprint, key, value) {
		sb_add(out, "<dt>");
		add_text(out, key);
		sb_add(out, "<dd>");
		add_text(out, json_string_value(value));
	}
	sb_add(out, "</dl>\n");
	for (size_t i = 0; i < a->n; i++)
		if (i == 0 || !streq(a->v[i].metric, a->v[i - 1].metric))
			add_metric(out, records, a, i);
	sb_add(out, "</html>\n");
}
