/* SPDX-License-Identifier: GPL-2.0-or-later */
/* topology_text: the map for a terminal: a box for each package, in it one for each L3, in it the cores with their
 * CPUs. Pure. */
#include <stdio.h>
#include "launcher/base/tr.h"
#include "launcher/verbs/pager.h"
#include "launcher/verbs/topology.h"

#define COLUMNS 80
#define L3_WIDTH (COLUMNS - 4)   /* within the package's box */
#define CORE_WIDTH (L3_WIDTH - 4) /* within that of the L3 */

struct pen {
	struct sb out;
	bool colours;
	int mark_width; /* of a CPU's number, and of what it is for */
};

/* A row of cores, line by line. */
struct row {
	struct sb top, numbers, marks, bottom;
	int width;
};

static void repeat(struct sb *sb, const char *s, int n)
{
	while (n-- > 0)
		sb_add(sb, s);
}

static void box_top(struct pen *pen, int indent, int width, const char *title)
{
	repeat(&pen->out, "│ ", indent);
	sb_addf(&pen->out, "┌ %s ", title);
	repeat(&pen->out, "─", width - 4 - (int)page_width(title));
	sb_add(&pen->out, "┐");
	repeat(&pen->out, " │", indent);
	sb_addc(&pen->out, '\n');
}

static void box_bottom(struct pen *pen, int indent, int width)
{
	repeat(&pen->out, "│ ", indent);
	sb_add(&pen->out, "└");
	repeat(&pen->out, "─", width - 2);
	sb_add(&pen->out, "┘");
	repeat(&pen->out, " │", indent);
	sb_addc(&pen->out, '\n');
}

static void core_line(struct pen *pen, const struct sb *line, int width)
{
	sb_addf(&pen->out, "│ │ %s", line->s);
	repeat(&pen->out, " ", CORE_WIDTH - width);
	sb_add(&pen->out, " │ │\n");
}

static void end_row(struct pen *pen, struct row *r, bool marks)
{
	if (!r->width)
		return;
	core_line(pen, &r->top, r->width);
	core_line(pen, &r->numbers, r->width);
	if (marks)
		core_line(pen, &r->marks, r->width);
	core_line(pen, &r->bottom, r->width);
	sb_free(&r->top);
	sb_free(&r->numbers);
	sb_free(&r->marks);
	sb_free(&r->bottom);
	*r = (struct row){};
}

static void add_core(struct pen *pen, struct row *r, const struct map *m, const struct cpu_core *core)
{
	int inner = core->n_cpus * (pen->mark_width + 1) - 1;
	const char *kind = core->kind == CPU_P ? "" : map_kinds[core->kind];
	sb_addf(&r->top, "┌%s", kind);
	repeat(&r->top, "─", inner - (int)strlen(kind));
	sb_add(&r->top, "┐");
	for (int i = 0; i < core->n_cpus; i++) {
		int cpu = core->cpus[i];
		cleanup_free char *mark = map_mark(m, cpu);
		const char *ink = pen->colours ? map_roles[map_role(m, cpu)].ink : "";
		sb_addf(&r->numbers, "%s%*d", i ? " " : "│", pen->mark_width, cpu);
		sb_addf(&r->marks, "%s%s%*s%s", i ? " " : "│", ink, pen->mark_width, mark, pen->colours ? "\033[0m" : "");
	}
	sb_add(&r->numbers, "│");
	sb_add(&r->marks, "│");
	sb_add(&r->bottom, "└");
	repeat(&r->bottom, "─", inner);
	sb_add(&r->bottom, "┘");
	r->width += inner + 2;
}

static void draw_l3(struct pen *pen, const struct map *m, size_t l3)
{
	struct row r = {};
	cleanup_free char *title = map_l3_title(m, l3);
	box_top(pen, 1, L3_WIDTH, title);
	for (size_t i = 0; i < m->facts->n_cores; i++) {
		const struct cpu_core *core = &m->facts->cores[i];
		if (core->l3 != (int)l3)
			continue;
		if (r.width + core->n_cpus * (pen->mark_width + 1) + 1 > CORE_WIDTH)
			end_row(pen, &r, m->plan);
		add_core(pen, &r, m, core);
	}
	end_row(pen, &r, m->plan);
	box_bottom(pen, 1, L3_WIDTH);
}

static void draw_legend(struct pen *pen, const struct map *m)
{
	bool used[ROLE_QEMU + 1] = {}, kinds[CPU_KINDS] = {};
	for (size_t i = 0; i < m->facts->n_cores; i++) {
		kinds[m->facts->cores[i].kind] = true;
		for (int k = 0; k < m->facts->cores[i].n_cpus; k++)
			used[map_role(m, m->facts->cores[i].cpus[k])] = m->plan;
	}
	for (int role = ROLE_QEMU; role >= 0; role--)
		if (used[role])
			sb_addf(&pen->out, "  %s%s%s %s", pen->colours ? map_roles[role].ink : "", map_roles[role].mark,
				pen->colours ? "\033[0m" : "", tr(map_roles[role].word));
	for (int kind = CPU_E; kind < CPU_KINDS; kind++)
		if (kinds[kind])
			sb_addf(&pen->out, "  ┌%s %s", map_kinds[kind], cpu_kind_word(m->facts, kind));
	sb_addc(&pen->out, '\n');
	if (m->plan) {
		cleanup_free char *guest = cpus_format(&m->plan->guest), *qemu = cpus_format(&m->plan->emulator),
				  *host = cpus_format(&m->plan->host);
		sb_addf(&pen->out, _(N_("%s: %u vCPUs on %s; QEMU on %s; host on %s\n  %s\n")), m->vm, m->plan->n_vcpus, guest, qemu, host,
			m->plan->why);
	}
	if (m->plan && m->plan->obstacle)
		sb_addf(&pen->out, _("  not here: %s\n"), m->plan->obstacle);
}

char *map_text(const struct map *m, bool colours)
{
	int last = 0;
	for (int cpu = cpus_next(&m->facts->online, -1); cpu >= 0; cpu = cpus_next(&m->facts->online, cpu))
		last = cpu;
	struct pen pen = { .colours = colours, .mark_width = (last > 999 ? 4 : last > 99 ? 3 : last > 9 ? 2 : 1) + 1 };
	cleanup_free char *title = map_title(m);
	sb_addf(&pen.out, "%s\n", title);
	for (size_t i = 0; i < m->facts->n_l3s; i++) {
		int package = m->facts->l3s[i].package;
		cleanup_free char *name = tr_fmt("package %d", package);
		if (i == 0 || m->facts->l3s[i - 1].package != package)
			box_top(&pen, 0, COLUMNS, name);
		draw_l3(&pen, m, i);
		if (i + 1 == m->facts->n_l3s || m->facts->l3s[i + 1].package != package)
			box_bottom(&pen, 0, COLUMNS);
	}
	draw_legend(&pen, m);
	return sb_steal(&pen.out);
}
