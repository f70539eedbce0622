/* SPDX-License-Identifier: GPL-2.0-or-later */
/* page: the report as HTML. See report.h. */
#include <math.h>
#include <stdlib.h>
#include "launcher/bench/libm.h"
#include "launcher/bench/plot.h"
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

static void add_row(struct sb *out, const struct analysis *r)
{
	static const char *const classes[] = { "better", "worse", "same", "untrusted", "untrusted" };
	double half = r->pair.difference ? (r->pair.high - r->pair.low) / 2 : r->median * (r->pair.high - r->pair.low) / 2;
	cleanup_free char *value = report_number(r->median, r->base ? NAN : half);
	sb_addf(out, "<tr><td><span class=\"key\" style=\"background:var(--v%zu)\"></span>", r->variant % PLOT_COLOURS);
	add_text(out, r->of->variants[r->variant].name);
	sb_addf(out, "<td class=\"n\">%s", isfinite(r->median) ? value : "");
	if (r->base) {
		sb_add(out, "<td><td><td><td><span class=\"same\">the others are compared with it</span>");
	} else {
		if (isfinite(r->pair.low) && isfinite(r->pair.high))
			sb_addf(out, "<td class=\"n\">%.3f<td class=\"n\">%.3f to %.3f<td class=\"n\">", r->pair.estimate, r->pair.low,
				r->pair.high);
		else
			sb_add(out, "<td><td><td class=\"n\">");
		if (isfinite(r->pair.least))
			sb_addf(out, r->pair.difference ? "%.3g" : "%.1f %%", r->pair.difference ? r->pair.least : r->pair.least * 100);
		sb_addf(out, "<td><b class=\"%s\">%s</b>", classes[r->verdict], analysis_word(r->verdict));
		if (r->why)
			sb_addf(out, ": %s", r->why);
	}
	if (r->drift > 0 || r->drift < 0)
		sb_addf(out, " <span class=\"untrusted\">%s from round to round (%+.2f)</span>", r->drift > 0 ? "rises" : "falls",
			r->drift);
	if (r->pair.together > 0)
		sb_addf(out, " <span class=\"untrusted\">rounds hang together (%.2f)</span>", r->pair.together);
	sb_add(out, "</tr>\n");
}

static void add_figure(struct sb *out, void (*plot)(struct sb *out, const struct plot_row *rows, size_t n), const struct plot_row *rows,
		       size_t n, const char *caption)
{
	sb_add(out, "<figure>");
	plot(out, rows, n);
	sb_addf(out, "<figcaption>%s</figcaption></figure>\n", caption);
}

/* `n` analyses of one metric, from `r`. */
static void add_metric(struct sb *out, const struct analyses *a, const struct analysis *r, size_t n)
{
	struct plot_row *rows = mem_new((n + 1) * sizeof(*rows));
	sb_add(out, "<section><h2>");
	add_text(out, r->metric->name);
	sb_add(out, " <small>");
	add_text(out, r->metric->unit);
	sb_addf(out,
		", %s is better</small></h2>\n<table><tr><th>variant<th class=\"n\">median<th class=\"n\">ratio<th class=\"n\">95 %% interval"
		"<th class=\"n\">could see<th>verdict</tr>\n",
		r->metric->less_is_better ? "less" : "more");
	for (size_t i = 0; i < n; i++) {
		const struct summary_column *c = &r[i].metric->columns[r[i].variant];
		rows[i] = (struct plot_row){ c->v, c->n, r[i].median, r[i].variant % PLOT_COLOURS, r[i].base ? NULL : &r[i].pair };
		add_row(out, &r[i]);
	}
	sb_add(out, "</table>\n<div class=\"plots\">");
	add_figure(out, plot_distributions, rows, n, "each round, the middle half, the median");
	sb_add(out, "<figure>");
	plot_intervals(out, rows, n, a->margin);
	sb_addf(out, "<figcaption>ratio to the first variant; shaded: within %g %%, which is equivalent</figcaption></figure>\n",
		a->margin * 100);
	add_figure(out, plot_timeline, rows, n, "in the order of the rounds");
	sb_add(out, "</div></section>\n");
	free(rows);
}

/* The counted samples of a variant, the largest first; owned by the caller. */
static struct plot_point *points_of(const struct summary_curve *c, size_t *ret_n)
{
	struct plot_point *points = mem_new(SUMMARY_BUCKETS * sizeof(*points));
	size_t above = 0;
	*ret_n = 0;
	for (size_t i = SUMMARY_BUCKETS; c->counts && i > 1; i--) { /* the first has what is 0: it has no logarithm */
		above += c->counts[i - 1];
		if (c->counts[i - 1])
			points[(*ret_n)++] = (struct plot_point){ libm()->pow(2, (double)(i - 1) / 32 - 40), above };
	}
	return points;
}

/* All samples of a metric with tails, before its percentiles. */
static void add_tails(struct sb *out, const struct analysis *r, size_t n)
{
	struct plot_curve *curves = mem_new((n + 1) * sizeof(*curves));
	struct plot_point **points = mem_new((n + 1) * sizeof(*points));
	for (size_t i = 0; i < n; i++) {
		const struct summary_curve *c = &r[i].metric->curves[r[i].variant];
		points[i] = points_of(c, &curves[i].n);
		curves[i].v = points[i];
		curves[i].total = c->total;
		curves[i].colour = r[i].variant % PLOT_COLOURS;
	}
	sb_add(out, "<section><h2>");
	add_text(out, r->metric->of);
	sb_add(out, " <small>all samples</small></h2>\n<figure>");
	plot_tails(out, curves, n);
	sb_add(out, "<figcaption>which part of all samples was longer than ");
	add_text(out, r->metric->unit);
	sb_add(out, ": the lower and the further to the left, the better</figcaption></figure></section>\n");
	for (size_t i = 0; i < n; i++)
		free(points[i]);
	free(points);
	free(curves);
}

static void add_facts(struct sb *out, const json_t *o)
{
	const char *key;
	json_t *value;
	json_object_foreach ((json_t *)o, key, value) {
		if (!json_is_string(value))
			continue;
		sb_add(out, "<dt>");
		add_text(out, key);
		sb_add(out, "<dd>");
		add_text(out, json_string_value(value));
	}
}

/* What each variant was told, and what it really got: of its first record. */
static void add_variants(struct sb *out, const struct summary *s)
{
	static const char *const keys[] = { "cpuset", "vCPUs", "huge pages", "governor" };
	sb_add(out,
	       "<section><h2>Variants <small>what they were told, and what they really got</small></h2><table><tr><th>variant<th>keys");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		sb_addf(out, "<th>%s", keys[i]);
	sb_add(out, "</tr>\n");
	for (size_t i = 0; i < s->n_variants; i++) {
		const json_t *record = s->variants[i].first;
		sb_addf(out, "<tr><td><span class=\"key\" style=\"background:var(--v%zu)\"></span>", i % PLOT_COLOURS);
		add_text(out, s->variants[i].name);
		sb_add(out, "<td>");
		add_text(out,
			 json_is_true(json_object_get(record, "native")) ? "native" : json_string_value(json_object_get(record, "sets")));
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
			sb_add(out, "<td>");
			add_text(out, json_string_value(json_object_get(json_object_get(record, "run"), keys[k])));
		}
		sb_add(out, "</tr>\n");
	}
	sb_add(out, "</table></section>\n");
}

static void add_head(struct sb *out, const struct summary *s, const struct analyses *a)
{
	bool quiet;
	cleanup_free char *counts = report_counts(a), *control = report_control(a, &quiet);
	sb_add(out, "<!DOCTYPE html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
		    "<title>qlaunch bench</title>\n<style>");
	sb_add(out, style);
	for (int i = 0; i < PLOT_COLOURS; i++)
		sb_addf(out, ".v%d{fill:var(--v%d);stroke:var(--v%d)}circle.v%d,.box.v%d{stroke:none}", i, i, i, i, i);
	sb_addf(out,
		"</style>\n<main><h1>qlaunch bench</h1><p class=\"soft\">%zu runs, %zu rounds after the one that warms up, %zu variants: %s</p>\n",
		s->runs, s->rounds, s->n_variants, counts);
	sb_addf(out, "<section class=\"note%s\">", quiet ? "" : " bad");
	add_text(out, control);
	if (s->steal >= 1)
		sb_addf(out, " Up to %.1f %% of the time was stolen by a hypervisor below.", s->steal);
	if (s->throttled)
		sb_addf(out, " A processor was too hot in %zu runs.", s->throttled);
	if (s->differs) {
		sb_add(out, " The machine changed while it was measured: ");
		add_text(out, s->differs);
		sb_add(out, ".");
	}
	sb_add(out, "</section>\n");
}

void report_html(struct sb *out, const struct summary *s, const struct analyses *a)
{
	add_head(out, s, a);
	sb_add(out, "<section><dl>");
	add_facts(out, s->fingerprint);
	sb_add(out, "</dl></section>\n");
	add_variants(out, s);
	for (size_t i = 0, n; i < a->n; i += n) {
		for (n = 1; i + n < a->n && a->v[i + n].metric == a->v[i].metric;)
			n++;
		if (a->v[i].metric->curves)
			add_tails(out, &a->v[i], n);
		add_metric(out, a, &a->v[i], n);
	}
	sb_add(out, "</main></html>\n");
}
