/* SPDX-License-Identifier: GPL-2.0-or-later */
/* topology_svg: the map as an SVG picture: the L3 caches in rows, in each its cores, in each its CPUs, coloured by what
 * they are for. Pure. */
#include "launcher/base/tr.h"
#include "launcher/verbs/topology.h"

/* In pixels. */
enum { CPU_W = 44, CPU_H = 40, GAP = 8, HEAD = 26, CORES_IN_ROW = 8, MARGIN = 16 };

/* Text as XML takes it. */
static char *escaped(const char *s)
{
	struct sb sb = {};
	for (; *s; s++) {
		const char *entity = *s == '&' ? "&amp;" : *s == '<' ? "&lt;" : *s == '>' ? "&gt;" : *s == '"' ? "&quot;" : NULL;
		if (entity)
			sb_add(&sb, entity);
		else if ((unsigned char)*s >= ' ')
			sb_addc(&sb, *s);
	}
	return sb_steal(&sb);
}

__attribute__((format(printf, 4, 5))) static void text(struct sb *out, int x, int y, const char *fmt, ...)
{
	struct sb said = {};
	va_list ap;
	va_start(ap, fmt);
	sb_vaddf(&said, fmt, ap);
	va_end(ap);
	cleanup_free char *safe = escaped(said.s ? said.s : "");
	sb_addf(out, "<text x=\"%d\" y=\"%d\">%s</text>\n", x, y, safe);
	sb_free(&said);
}

static void rect(struct sb *out, int x, int y, int w, int h, const char *fill)
{
	sb_addf(out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"4\" fill=\"%s\" stroke=\"#666\"/>\n", x, y, w, h, fill);
}

static int core_width(const struct map *m)
{
	int most = 1;
	for (size_t i = 0; i < m->facts->n_cores; i++)
		most = m->facts->cores[i].n_cpus > most ? m->facts->cores[i].n_cpus : most;
	return most * CPU_W + 2 * GAP;
}

static void draw_core(struct sb *out, const struct map *m, const struct cpu_core *core, int x, int y)
{
	rect(out, x, y, core_width(m), CPU_H + 2 * GAP, core->kind != CPU_P ? "#f4f4f4" : "#ffffff");
	for (int i = 0; i < core->n_cpus; i++) {
		int cpu = core->cpus[i], left = x + GAP + i * CPU_W, top = y + GAP;
		cleanup_free char *mark = map_mark(m, cpu), *kind = str_fmt(", %s core", map_kinds[core->kind]);
		sb_addf(out, "<g><title>CPU %d%s%s%s</title>\n", cpu, core->kind != CPU_P ? kind : "", m->plan ? ": " : "",
			m->plan ? tr(map_roles[map_role(m, cpu)].word) : "");
		rect(out, left, top, CPU_W - 2, CPU_H, map_roles[map_role(m, cpu)].fill);
		text(out, left + 4, top + 15, "%d", cpu);
		text(out, left + 4, top + 33, "%s", mark);
		sb_add(out, "</g>\n");
	}
}

/* Returns the height. */
static int draw_l3(struct sb *out, const struct map *m, size_t l3, int y, int width)
{
	struct sb cores = {};
	int n = 0, step_x = core_width(m) + GAP, step_y = CPU_H + 3 * GAP;
	for (size_t i = 0; i < m->facts->n_cores; i++) {
		if (m->facts->cores[i].l3 != (int)l3)
			continue;
		draw_core(&cores, m, &m->facts->cores[i], MARGIN + GAP + n % CORES_IN_ROW * step_x, y + HEAD + n / CORES_IN_ROW * step_y);
		n++;
	}
	int height = HEAD + (n + CORES_IN_ROW - 1) / CORES_IN_ROW * step_y;
	cleanup_free char *title = map_l3_title(m, l3);
	rect(out, MARGIN, y, width, height, "#fafafa");
	text(out, MARGIN + GAP, y + 18, "package %d, %s", m->facts->l3s[l3].package, title);
	sb_add(out, cores.s ? cores.s : "");
	sb_free(&cores);
	return height;
}

static void draw_legend(struct sb *out, const struct map *m, int y)
{
	int x = MARGIN;
	if (!m->plan)
		return;
	text(out, MARGIN, y + 14, "%s: %s", m->vm, m->plan->why);
	for (int role = ROLE_QEMU; role > ROLE_NONE; role--) {
		rect(out, x, y + 26, 16, 16, map_roles[role].fill);
		text(out, x + 22, y + 39, "%s %s", map_roles[role].mark, tr(map_roles[role].word));
		x += 60 + 8 * (int)strlen(map_roles[role].word);
	}
}

char *map_svg(const struct map *m)
{
	struct sb body = {}, out = {};
	int width = CORES_IN_ROW * (core_width(m) + GAP) + GAP, y = 40;
	cleanup_free char *title = map_title(m);
	text(&body, MARGIN, 24, "%s", title);
	for (size_t i = 0; i < m->facts->n_l3s; i++)
		y += draw_l3(&body, m, i, y, width) + GAP;
	draw_legend(&body, m, y);
	y += m->plan ? 56 : 0;
	sb_addf(&out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" "
		"font-size=\"13\">\n%s</svg>\n",
		width + 2 * MARGIN, y + MARGIN, body.s);
	sb_free(&body);
	return sb_steal(&out);
}
