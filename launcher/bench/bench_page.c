/* SPDX-License-Identifier: GPL-2.0-or-later */
/* page: the report as HTML. See report.h. */
#include <math.h>
#include <stdlib.h>
#include "launcher/base/tr.h"
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
	".verdict{font-weight:600;border-radius:4px;padding:0 .45em;white-space:nowrap;border:1px solid currentColor}.better{color:var(--good)}"
	".worse{color:var(--bad)}.equivalent{color:var(--v0)}.unknown{color:var(--warn);border-style:dashed}"
	".missing{color:var(--soft);border-style:dotted}.doubt{color:var(--warn)}.soft{color:var(--soft)}\n";

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

static void add_row(struct sb *out, const struct analysis *r, double scale)
{
	static const char *const classes[] = { "better", "worse", "equivalent", "unknown", "missing" };
	const struct stats_pair *p = &r->pair;
	double median = scale * r->median, half = p->difference ? scale * (p->high - p->low) / 2 : median * (p->high - p->low) / 2;
	cleanup_free char *value = report_number(median, r->base ? NAN : half), *interval = report_interval(p, scale);
	sb_addf(out, "<tr><td><span class=\"key\" style=\"background:var(--v%zu)\"></span>", r->variant % PLOT_COLOURS);
	add_text(out, r->of->variants[r->variant].name);
	sb_addf(out, "<td class=\"n\">%s", isfinite(r->median) ? value : "");
	if (r->base) {
		sb_addf(out, "<td><td><td><span class=\"soft\">%s</span>", _("the others are compared with it"));
	} else {
		sb_addf(out, "<td class=\"n\">%s<td class=\"n\">", interval);
		if (isfinite(p->least))
			sb_addf(out, p->difference ? "%.3g" : "%.1f %%", p->difference ? scale * p->least : p->least * 100);
		sb_addf(out, "<td><b class=\"verdict %s\">%s</b>", classes[r->verdict], tr(analysis_word(r->verdict)));
		if (r->why)
			sb_addf(out, " %s", tr(r->why));
	}
	if (r->drift > 0 || r->drift < 0)
		sb_addf(out, " <span class=\"doubt\">%s (%+.2f)</span>",
			r->drift > 0 ? _("rises from round to round") : _("falls from round to round"), r->drift);
	if (p->together > 0 && isfinite(p->high)) {
		cleanup_free char *widened = tr_fmt("rounds hang together (%.2f): the interval is widened", p->together);
		sb_addf(out, " <span class=\"doubt\">%s</span>", widened);
	}
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
	const char *unit;
	double scale = report_scale(r->metric, r->median, &unit);
	sb_add(out, "<section><h2>");
	add_text(out, r->metric->name);
	sb_add(out, " <small>");
	add_text(out, unit);
	sb_addf(out, ", %s</small></h2>\n", r->metric->less_is_better ? _("less is better") : _("more is better"));
	sb_addf(out, "<table><tr><th>%s<th class=\"n\">%s<th class=\"n\">%s<th class=\"n\">%s<th>%s</tr>\n", _("variant"), _("median"),
		_("ratio and its interval"), _("could see"), _("verdict"));
	for (size_t i = 0; i < n; i++) {
		const struct summary_column *c = &r[i].metric->columns[r[i].variant];
		double *v = mem_new((c->n + 1) * sizeof(*v));
		for (size_t k = 0; k < c->n; k++)
			v[k] = scale * c->v[k];
		rows[i] = (struct plot_row){ v, c->n, scale * r[i].median, r[i].variant % PLOT_COLOURS, r[i].base ? NULL : &r[i].pair };
		add_row(out, &r[i], scale);
	}
	cleanup_free char *shaded = tr_fmt("ratio to the first variant; shaded: within %g %%, which is equivalent", a->margin * 100);
	sb_add(out, "</table>\n<div class=\"plots\">");
	add_figure(out, plot_distributions, rows, n, _("each round, the middle half, the median"));
	sb_add(out, "<figure>");
	plot_intervals(out, rows, n, a->margin);
	sb_addf(out, "<figcaption>%s</figcaption></figure>\n", shaded);
	add_figure(out, plot_timeline, rows, n, _("in the order of the rounds"));
	sb_add(out, "</div></section>\n");
	for (size_t i = 0; i < n; i++)
		free((double *)rows[i].v);
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
	sb_addf(out, " <small>%s</small></h2>\n<figure>", _("all samples"));
	plot_tails(out, curves, n);
	cleanup_free char *caption = tr_fmt(
		"which part of all samples was longer than so many %s: the lower and the further to the left, the better", r->metric->unit);
	sb_add(out, "<figcaption>");
	add_text(out, caption);
	sb_add(out, "</figcaption></figure></section>\n");
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
	sb_addf(out, "<section><h2>%s <small>%s</small></h2><table><tr><th>%s<th>%s", _("Variants"),
		_("what they were told, and what they really got"), _("variant"), _("keys"));
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

/* What speaks for or against the whole: a box, where there is anything. */
static void add_note(struct sb *out, const struct summary *s, const char *control, bool quiet)
{
	cleanup_free char *steal = tr_fmt("Up to %.1f %% of the time was stolen by a hypervisor below.", s->steal),
			  *hot = tr_fmt("A processor was too hot in %zu runs.", s->throttled),
			  *changed = tr_fmt("The machine changed while it was measured: %s.", s->differs ? s->differs : ""),
			  *early = tr_fmt("It may end early: these are %zu of %zu rounds.", s->rounds, s->planned);
	const struct {
		bool holds;
		const char *text;
	} notes[] = { { control, control }, { s->steal >= 1, steal }, { s->throttled, hot }, { s->early, early }, { s->differs, changed } };
	cleanup_sb struct sb all = {};
	for (size_t i = 0; i < ARRAY_SIZE(notes); i++)
		if (notes[i].holds)
			sb_addf(&all, "%s%s", all.len ? " " : "", notes[i].text);
	if (!all.len)
		return;
	sb_addf(out, "<section class=\"note%s\">", quiet ? "" : " bad");
	add_text(out, all.s);
	sb_add(out, "</section>\n");
}

static void add_head(struct sb *out, const struct summary *s, const struct analyses *a)
{
	bool quiet;
	cleanup_free char *counts = report_counts(a), *control = report_control(a, &quiet);
	cleanup_free char *size =
		tr_fmt("%zu runs, %zu rounds after the one that warms up, %zu variants: %s", s->runs, s->rounds, s->n_variants, counts);
	/* the page's language as HTML names it: that of its words */
	sb_addf(out, "<!DOCTYPE html>\n<html lang=\"%s\">", _("en"));
	sb_add(out, "<meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
		    "<title>qlaunch bench</title>\n<style>");
	sb_add(out, style);
	for (int i = 0; i < PLOT_COLOURS; i++)
		sb_addf(out, ".v%d{fill:var(--v%d);stroke:var(--v%d)}circle.v%d,.box.v%d{stroke:none}", i, i, i, i, i);
	sb_addf(out, "</style>\n<main><h1>qlaunch bench</h1><p class=\"soft\">%s</p>\n", size);
	add_note(out, s, control, quiet);
}

static void add_fact(struct sb *out, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	sb_add(out, "<dt>");
	add_text(out, name);
	sb_add(out, "<dd>");
	add_text(out, value);
}

/* What made it: the command, the plan's files, and of each workload what was run, of which version. Of the first record that has them. */
static void add_made(struct sb *out, const struct summary *s)
{
	const json_t *first = s->n_variants ? s->variants[0].first : NULL, *about;
	const char *plan = json_string_value(json_object_get(first, "plan")), *workload;
	cleanup_free char *command = plan ? str_fmt("%s %s", "qlaunch bench", plan) : NULL,
			  *rounds = s->planned ? str_fmt("%zu", s->planned) : NULL, *margin = str_fmt("%g %%", s->margin * 100);
	add_fact(out, _("command"), command);
	add_fact(out, _("machine's configuration"), json_string_value(json_object_get(first, "config")));
	add_fact(out, _("rounds planned"), rounds);
	add_fact(out, _("equivalent within"), margin);
	add_fact(out, _("host"), s->machine);
	json_object_foreach (json_object_get(first, "measured"), workload, about) {
		cleanup_sb struct sb all = {};
		const char *key;
		json_t *value;
		json_object_foreach ((json_t *)about, key, value)
			sb_addf(&all, "%s%s: %s", all.len ? "; " : "", key, json_string_value(value) ? json_string_value(value) : "");
		add_fact(out, workload, all.s);
	}
}

void report_html(struct sb *out, const struct summary *s, const struct analyses *a)
{
	add_head(out, s, a);
	sb_add(out, "<section><dl>");
	add_made(out, s);
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
