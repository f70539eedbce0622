/* SPDX-License-Identifier: GPL-2.0-or-later */
/* page: the report as HTML. See report.h. */
#include <math.h>
#include <stdlib.h>
#include "launcher/bench/fingerprint.h"
#include "launcher/bench/plot.h"
#include "launcher/bench/records.h"
#include "launcher/bench/report.h"

static const char style[] =
	":root{color-scheme:light dark;--bg:#fff;--fg:#1d2430;--soft:#5d6778;--card:#f6f7f9;--edge:#dfe3ea;--grid:#e4e7ed;--band:#dfe6ef;"
	"--good:#13733c;--bad:#b3261e;--warn:#8a5a00;--v0:#3b6fb6;--v1:#c9621d;--v2:#2f8f6b;--v3:#9a4fb3;--v4:#b8860b;--v5:#c43d6b;"
	"--v6:#4d8fa8;--v7:#6e7681}"
	"@media(prefers-color-scheme:dark){:root{--bg:#14181f;--fg:#e4e8ef;--soft:#98a2b3;--card:#1c222c;--edge:#2d3542;--grid:#2b323e;"
	"--band:#2c3a4d;--good:#5fd08f;--bad:#ff8a80;--warn:#f2c05c;--v0:#74a9f7;--v1:#f59a5b;--v2:#5fc9a0;--v3:#cb8fe0;--v4:#e3bb4f;"
	"--v5:#f17fa5;--v6:#7cc3dd;--v7:#a3abb8}}"
	"*{box-sizing:border-box}body{font:15px/1.5 system-ui,sans-serif;margin:0;color:var(--fg);background:var(--bg)}"
	"main{max-width:1360px;margin:0 auto;padding:2rem 1.5rem}h1{font-size:1.6rem;margin:0 0 .2rem}"
	"h2{font-size:1.05rem;margin:0 0 .6rem}h2 small,p.soft,th,dt{color:var(--soft);font-weight:normal}"
	"section{background:var(--card);border:1px solid var(--edge);border-radius:10px;padding:1rem 1.2rem;margin:1rem 0}"
	".note{border-left:4px solid var(--good)}.note.bad{border-left-color:var(--warn)}"
	"dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1.2rem;margin:0}dd{margin:0;overflow-wrap:anywhere}"
	"table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.15rem .8rem .15rem 0;font-variant-numeric:tabular-nums}"
	"td.n,th.n{text-align:right}.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(300px,1fr));gap:1rem;margin-top:.8rem}"
	"figure{margin:0}figcaption{color:var(--soft);font-size:.85rem}svg{width:100%;height:auto;display:block}"
	"svg text{fill:var(--soft);font-size:11px}.grid{stroke:var(--grid);fill:none}.one{stroke:var(--soft);stroke-dasharray:3 3}"
	".band{fill:var(--band)}.median{stroke:var(--fg);stroke-width:2;fill:none}.box{fill-opacity:.22}circle{fill-opacity:.75}"
	".interval{stroke-width:2.2}.line{stroke-width:1.8}.interval,.line{fill:none!important}"
	".key{display:inline-block;width:.7em;height:.7em;border-radius:2px;margin-right:.45em}"
	".better{color:var(--good)}.worse{color:var(--bad)}.untrusted{color:var(--warn)}.same{color:var(--soft)}b{font-weight:600}\n";

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

static size_t colour_of(const struct analyses *a, const char *variant)
{
	const char *name;
	json_t *value;
	size_t i = 0;
	json_object_foreach(a->variants, name, value) {
		if (streq(name, variant))
			break;
		i++;
	}
	return i % PLOT_COLOURS;
}

static const char *class_of(const struct analysis *r)
{
	int better = analysis_better(r);
	return r->noisy || r->pair.verdict == STATS_UNTRUSTED ? "untrusted" : better > 0 ? "better" : better < 0 ? "worse" : "same";
}

static void add_row(struct sb *out, const struct analyses *a, const struct analysis *r)
{
	sb_addf(out, "<tr><td><span class=\"key\" style=\"background:var(--v%zu)\"></span>", colour_of(a, r->variant));
	add_text(out, r->variant);
	sb_addf(out, "<td class=\"n\">%.4g", r->median);
	if (isfinite(r->pair.ratio.median) && !r->base) {
		sb_addf(out, "<td class=\"n\">%.3f<td class=\"n\">%.3f to %.3f<td class=\"n\">", r->pair.ratio.median, r->pair.ratio.low,
			r->pair.ratio.high);
		if (r->pair.least > 0)
			sb_addf(out, "%.1f %%", r->pair.least * 100);
		sb_addf(out, "<td><b class=\"%s\">%s</b>", class_of(r), analysis_word(r));
	} else {
		sb_add(out, "<td><td><td><td><span class=\"same\">the others are compared with it</span>");
	}
	if (r->drifts)
		sb_addf(out, " <span class=\"untrusted\">%s from round to round (%+.2f)</span>", r->drift > 0 ? "rises" : "falls", r->drift);
	sb_add(out, "</tr>\n");
}

static void add_figure(struct sb *out, void (*plot)(struct sb *out, const struct plot_row *rows, size_t n), const struct plot_row *rows, size_t n,
		       const char *caption)
{
	sb_add(out, "<figure>");
	plot(out, rows, n);
	sb_addf(out, "<figcaption>%s</figcaption></figure>\n", caption);
}

/* `n` analyses of one metric, from `r`. */
static void add_metric(struct sb *out, const json_t *records, const struct analyses *a, const struct analysis *r, size_t n)
{
	size_t rounds = records_rounds(records);
	struct plot_row *rows = mem_new((n + 1) * sizeof(*rows));
	cleanup_free double *columns = mem_new((n * rounds + 1) * sizeof(*columns));
	sb_add(out, "<section><h2>");
	add_text(out, r->metric);
	sb_add(out, " <small>");
	add_text(out, r->unit);
	sb_addf(out, ", %s is better</small></h2>\n<table><tr><th>variant<th class=\"n\">%s<th class=\"n\">ratio<th class=\"n\">95 %% interval"
		     "<th class=\"n\">could see<th>verdict</tr>\n",
		r->less_is_better ? "less" : "more", r->percentile < 0 ? "median" : "of all samples");
	for (size_t i = 0; i < n; i++) {
		double *v = columns + i * rounds;
		analysis_column(&r[i], records, v);
		rows[i] = (struct plot_row){ v, rounds, r[i].median, colour_of(a, r[i].variant), r[i].base ? NULL : &r[i].pair };
		add_row(out, a, &r[i]);
	}
	sb_add(out, "</table>\n<div class=\"plots\">");
	add_figure(out, plot_distributions, rows, n, "each round, the middle half, the median");
	add_figure(out, plot_intervals, rows, n, "ratio to the first variant; shaded: less than 1 %, never called a difference");
	add_figure(out, plot_timeline, rows, n, "in the order of the rounds");
	sb_add(out, "</div></section>\n");
	free(rows);
}

static int by_value_down(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x < y) - (x > y);
}

/* All samples of a metric with tails, before its percentiles. */
static void add_tails(struct sb *out, const json_t *records, const struct analyses *a, const struct analysis *r, size_t n)
{
	struct records_samples *samples = mem_new((n + 1) * sizeof(*samples));
	struct plot_curve *curves = mem_new((n + 1) * sizeof(*curves));
	for (size_t i = 0; i < n; i++) {
		size_t total = 0;
		records_samples(records, r[i].variant, r[i].of, &samples[i]);
		for (size_t k = 0; k < samples[i].n; k++)
			total += samples[i].rounds[k].n;
		qsort(samples[i].values, total, sizeof(double), by_value_down); /* rounds do not count any more */
		curves[i] = (struct plot_curve){ samples[i].values, total, colour_of(a, r[i].variant) };
	}
	sb_add(out, "<section><h2>");
	add_text(out, r->of);
	sb_add(out, " <small>all samples</small></h2>\n<figure>");
	plot_tails(out, curves, n);
	sb_add(out, "<figcaption>which part of all samples was longer than ");
	add_text(out, r->unit);
	sb_add(out, ": the lower and the further to the left, the better</figcaption></figure></section>\n");
	for (size_t i = 0; i < n; i++)
		records_samples_free(&samples[i]);
	free(samples);
	free(curves);
}

static void add_facts(struct sb *out, const json_t *o)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)o, key, value) {
		if (!json_is_string(value))
			continue;
		sb_add(out, "<dt>");
		add_text(out, key);
		sb_add(out, "<dd>");
		add_text(out, json_string_value(value));
	}
}

/* What each variant was told, and what it really got: of its first record. */
static void add_variants(struct sb *out, const json_t *records, const struct analyses *a)
{
	static const char *const keys[] = { "cpuset", "vCPUs", "huge pages", "governor" };
	const char *name;
	json_t *value, *record;
	size_t i;
	sb_add(out, "<section><h2>Variants <small>what they were told, and what they really got</small></h2><table><tr><th>variant<th>keys");
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		sb_addf(out, "<th>%s", keys[i]);
	sb_add(out, "</tr>\n");
	json_object_foreach(a->variants, name, value)
		json_array_foreach(records, i, record) {
			if (!streq(json_string_value(json_object_get(record, "variant")), name))
				continue;
			sb_addf(out, "<tr><td><span class=\"key\" style=\"background:var(--v%zu)\"></span>", colour_of(a, name));
			add_text(out, name);
			sb_add(out, "<td>");
			add_text(out, json_is_true(json_object_get(record, "native")) ? "native" : json_string_value(json_object_get(record, "sets")));
			for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
				sb_add(out, "<td>");
				add_text(out, json_string_value(json_object_get(json_object_get(record, "run"), keys[k])));
			}
			sb_add(out, "</tr>\n");
			break;
		}
	sb_add(out, "</table></section>\n");
}

static void add_head(struct sb *out, const json_t *records, const struct analyses *a)
{
	bool quiet;
	cleanup_free char *control = report_control(a, &quiet), *differs = fingerprint_differs(records, NULL);
	double steal = fingerprint_worst_steal(records);
	sb_add(out, "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
		    "<title>qlaunch bench</title>\n<style>");
	sb_add(out, style);
	for (int i = 0; i < PLOT_COLOURS; i++)
		sb_addf(out, ".v%d{fill:var(--v%d);stroke:var(--v%d)}circle.v%d,.box.v%d{stroke:none}", i, i, i, i, i);
	sb_addf(out, "</style>\n<main><h1>qlaunch bench</h1><p class=\"soft\">%zu runs, %zu rounds after the one that warms up, %zu variants</p>\n",
		json_array_size(records), records_rounds(records), json_object_size(a->variants));
	sb_addf(out, "<section class=\"note%s\">", quiet ? "" : " bad");
	add_text(out, control);
	if (steal >= 1)
		sb_addf(out, " Up to %.1f %% of the time was stolen by a hypervisor below.", steal);
	if (differs) {
		sb_add(out, " The machine changed while it was measured: ");
		add_text(out, differs);
		sb_add(out, ".");
	}
	sb_add(out, "</section>\n");
}

void report_html(struct sb *out, const json_t *records, const struct analyses *a)
{
	add_head(out, records, a);
	sb_add(out, "<section><dl>");
	add_facts(out, json_object_get(json_array_get(records, 0), "fingerprint"));
	sb_add(out, "</dl></section>\n");
	add_variants(out, records, a);
	const char *tails = NULL;
	for (size_t i = 0, n; i < a->n; i += n) {
		for (n = 1; i + n < a->n && streq(a->v[i + n].metric, a->v[i].metric);)
			n++;
		if (a->v[i].percentile >= 0 && !streq(tails, a->v[i].of))
			add_tails(out, records, a, &a->v[i], n);
		tails = a->v[i].of;
		add_metric(out, records, a, &a->v[i], n);
	}
	sb_add(out, "</main></html>\n");
}
