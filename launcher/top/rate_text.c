/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rate, for a person: what to look at first is coloured. */
#include <math.h>
#include "launcher/base/num.h"
#include "launcher/top/rate.h"

#define COLUMNS      79
#define NAME_COLUMNS 17
#define PLAIN  ""
#define BOLD   "\033[1m"
#define YELLOW "\033[33m"
#define RED    "\033[31m"

/* From where on a figure is worth a look (yellow), and from where on a game stutters by it (red): a frame of 144 Hz is 7 ms. */
static const struct limits {
	double look, bad;
} limits_delay = { 0.001, 0.007 }, limits_others = { 0.01, 0.05 }, limits_steal = { 0.005, 0.02 };

static const char *colour_of(double value, const struct limits *l)
{
	return value >= l->bad ? RED : value >= l->look ? YELLOW : PLAIN; /* no value is neither */
}

struct pen {
	struct sb line;
	bool colours;
};

/* Text at the right of `width` columns. */
static void cell(struct pen *pen, int width, const char *colour, const char *text)
{
	int pad = width - (int)str_width(text);
	sb_addf(&pen->line, "%*s", pad > 0 ? pad : 0, "");
	if (pen->colours && *colour)
		sb_addf(&pen->line, "%s%s\033[0m", colour, text);
	else
		sb_add(&pen->line, text);
}

static void cell_cpu(struct pen *pen, int width, const char *colour, int cpu)
{
	cleanup_free char *text = cpu < 0 ? str_dup("-") : str_fmt("%d", cpu);
	cell(pen, width, colour, text);
}

static void cell_percent(struct pen *pen, int width, const char *colour, double value)
{
	cleanup_free char *text = isnan(value) ? str_dup("-") : str_fmt("%.0f %%", value * 100);
	cell(pen, width, colour, text);
}

/* A number a second in at most 5 columns: "0.3", "950", "12345", "1.2M". */
static char *per_second(double value)
{
	if (isnan(value))
		return str_dup("-");
	if (value >= 99999.5)
		return value >= 999950 ? str_fmt("%.1fM", value / 1e6) : str_fmt("%.0fk", value / 1e3);
	return value > 0 && value < 9.95 ? str_fmt("%.1f", value) : str_fmt("%.0f", value);
}

static void cell_rate(struct pen *pen, int width, double value)
{
	cleanup_free char *text = per_second(value);
	cell(pen, width, PLAIN, text);
}

static char *milliseconds(double seconds)
{
	return isnan(seconds) ? str_dup("-") : str_fmt("%.*f ms", seconds < 0.0995 ? 1 : 0, seconds * 1e3);
}

static char *bytes(double value)
{
	static const char *const units[] = { "B", "K", "M", "G", "T" };
	size_t unit = 0;
	if (isnan(value))
		return str_dup("-");
	for (; value >= 1023.5 && unit + 1 < ARRAY_SIZE(units); unit++)
		value /= 1024;
	bool round = value >= 99.95 || (value - (double)(long)value < 0.05);
	return str_fmt("%.*f%s", round ? 0 : 1, value, units[unit]);
}

static void end_line(struct pen *pen, struct strv *lines)
{
	cleanup_free char *text = sb_steal(&pen->line);
	strv_add(lines, text);
}

static void heading(struct pen *pen, struct strv *lines, const char *text)
{
	cell(pen, 0, BOLD, text);
	end_line(pen, lines);
}

static void vcpu_line(const struct vcpu_rate *v, struct pen *pen, struct strv *lines)
{
	bool astray = v->cpu >= 0 && v->ran_on >= 0 && v->cpu != v->ran_on;
	cleanup_free char *delay = milliseconds(v->delay);
	cell_cpu(pen, 4, PLAIN, v->vcpu);
	cell_cpu(pen, 5, PLAIN, v->cpu);
	cell_cpu(pen, 7, astray ? RED : PLAIN, v->ran_on);
	cell_percent(pen, 7, PLAIN, v->usage);
	cell(pen, 9, colour_of(v->delay, &limits_delay), delay);
	cell_percent(pen, 8, colour_of(v->others, &limits_others), v->others);
	cell_percent(pen, 7, colour_of(v->steal, &limits_steal), v->steal);
	cell_rate(pen, 9, v->exits);
	cell_rate(pen, 9, v->irqs[IRQ_TIMER]);
	cell_rate(pen, 7, v->irqs[IRQ_IPI]);
	/* what has no column of its own: interrupts of devices, the guest's and the host's, and all others */
	cell_rate(pen, 7, v->irqs[IRQ_DEVICE] + v->irqs[IRQ_GUEST] + v->irqs[IRQ_OTHER]);
	end_line(pen, lines);
}

static void exits_line(const struct rates *r, struct pen *pen, struct strv *lines)
{
	if (isnan(r->exits[EXITS_ALL])) {
		strv_add(lines, "exits    -");
		return;
	}
	cleanup_free char *all = per_second(r->exits[EXITS_ALL]);
	sb_addf(&pen->line, "exits    %s/s", all);
	for (int kind = EXITS_ALL + 1; kind < EXITS_KINDS; kind++) {
		cleanup_free char *value = per_second(r->exits[kind]);
		sb_addf(&pen->line, "%s %s %s", kind == EXITS_ALL + 1 ? ":" : ",", exit_names[kind].name, value);
	}
	end_line(pen, lines);
}

static char *known_size(uint64_t value)
{
	return value == COUNT_NONE ? str_dup("-") : bytes((double)value);
}

static void memory_lines(const struct sample *s, struct pen *pen, struct strv *lines)
{
	cleanup_free char *guest = known_size(s->guest), *hugetlb = known_size(s->hugetlb), *transparent = known_size(s->transparent);
	sb_addf(&pen->line, "memory   guest %s; in transparent huge pages: %s", guest, transparent);
	if (s->n_pools || (s->hugetlb && s->hugetlb != COUNT_NONE))
		sb_addf(&pen->line, ", in those of a pool: %s", hugetlb);
	end_line(pen, lines);
	for (size_t i = 0; i < s->n_pools; i++) {
		cleanup_free char *size = size_format(s->pools[i].size);
		strv_addf(lines, "         pool of %s pages: %ju of %ju in use", size, (uintmax_t)(s->pools[i].pages - s->pools[i].free),
			  (uintmax_t)s->pools[i].pages);
	}
}

/* Amount, number and duration of what goes one way. */
static void disk_cells(const struct disk_rate *d, int way, struct pen *pen)
{
	cleanup_free char *amount = bytes(d->bytes[way]), *each = milliseconds(d->seconds[way]);
	cell(pen, 10, PLAIN, amount);
	cell_rate(pen, 10, d->requests[way]);
	cell(pen, 10, PLAIN, each);
}

static void name_cell(struct pen *pen, const char *name)
{
	cleanup_free char *cut = str_cut(name, NAME_COLUMNS);
	sb_addf(&pen->line, "%s%*s", cut, NAME_COLUMNS - (int)str_width(cut), "");
}

static void disk_table(const struct rates *r, struct pen *pen, struct strv *lines)
{
	heading(pen, lines, "disk                 read/s   reads/s      each   write/s  writes/s      each");
	if (!r->now->has_disks)
		strv_add(lines, "-");
	for (size_t i = 0; i < r->n_disks; i++) {
		name_cell(pen, r->disks[i].name);
		disk_cells(&r->disks[i], DISK_READ, pen);
		disk_cells(&r->disks[i], DISK_WRITE, pen);
		end_line(pen, lines);
	}
}

static void net_cells(const struct net_rate *n, int way, struct pen *pen)
{
	cleanup_free char *amount = bytes(n->bytes[way]);
	cell(pen, 10, PLAIN, amount);
	cell_rate(pen, 10, n->packets[way]);
}

static void net_table(const struct rates *r, struct pen *pen, struct strv *lines)
{
	heading(pen, lines, "net                    in/s packets/s     out/s packets/s    lost/s");
	for (size_t i = 0; i < r->n_nets; i++) {
		name_cell(pen, r->nets[i].name);
		net_cells(&r->nets[i], NET_IN, pen);
		net_cells(&r->nets[i], NET_OUT, pen);
		cell_rate(pen, 10, r->nets[i].dropped);
		end_line(pen, lines);
	}
}

/* What is not known, and why, a paragraph each. */
static void missing_lines(const char *text, struct pen *pen, struct strv *lines)
{
	cleanup_strv struct strv words = {};
	strv_split(&words, text, " ");
	sb_add(&pen->line, "-       ");
	for (size_t i = 0, at = 8; i < words.n; i++) {
		size_t width = str_width(words.v[i]) + 1;
		if (i && at + width > COLUMNS) {
			end_line(pen, lines);
			sb_add(&pen->line, "        ");
			at = 8;
		}
		sb_addf(&pen->line, " %s", words.v[i]);
		at += width;
	}
	end_line(pen, lines);
}

void rates_text(const struct rates *r, bool colours, struct strv *lines)
{
	struct pen pen = { .colours = colours };
	exits_line(r, &pen, lines);
	memory_lines(r->now, &pen, lines);
	strv_add(lines, "");
	heading(&pen, lines, "vCPU  CPU ran on  usage  delay/s  others  steal  exits/s  timer/s  IPI/s  IRQ/s");
	for (size_t i = 0; i < r->n_vcpus; i++)
		vcpu_line(&r->vcpus[i], &pen, lines);
	if (r->n_disks || !r->now->has_disks) {
		strv_add(lines, "");
		disk_table(r, &pen, lines);
	}
	if (r->n_nets) {
		strv_add(lines, "");
		net_table(r, &pen, lines);
	}
	if (r->now->missing.n)
		strv_add(lines, "");
	for (size_t i = 0; i < r->now->missing.n; i++)
		missing_lines(r->now->missing.v[i], &pen, lines);
}
