/* SPDX-License-Identifier: GPL-2.0-or-later */
/* progress: see progress.h. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/tr.h"
#include "launcher/base/clock.h"
#include "launcher/base/drain.h"
#include "launcher/base/log.h"
#include "launcher/base/progress.h"

enum { BAR_MIN = 10, BAR_MAX = 24 };

/* The one work that goes on. Nothing of it is set where there is nobody to see it. */
static struct {
	char *what, *detail;
	uint64_t done, total;
	int64_t begun_ms, drawn_ms; /* drawn_ms 0: not yet */
	bool visible;               /* the line is on the terminal now */
	void (*fn)(void *data);     /* who knows how far it is */
	void *data;
	bool asking; /* it is asked now */
} now;

/* `width` cells, the first part of them full. */
static void add_bar(struct sb *sb, const struct progress_state *p, size_t width)
{
	size_t full = (size_t)((double)p->done / (double)p->total * (double)width);
	if (p->colours)
		sb_add(sb, "\033[32m");
	for (size_t i = 0; i < width; i++)
		sb_add(sb, i < full ? "█" : "░");
	if (p->colours)
		sb_add(sb, "\033[0m");
}

char *progress_line(const struct progress_state *p, size_t columns)
{
	cleanup_sb struct sb rest = {}, line = {};
	struct progress_state sane = *p;
	if (sane.done > sane.total)
		sane.done = sane.total;
	if (p->total)
		sb_addf(&rest, "%u %%", (unsigned)(100.0 * (double)sane.done / (double)sane.total));
	if (p->detail && *p->detail)
		sb_addf(&rest, "%s%s", rest.len ? ", " : "", p->detail);
	if (p->elapsed_s)
		sb_addf(&rest, "%s%ju s", rest.len ? ", " : "", (uintmax_t)p->elapsed_s);

	size_t need = str_width(p->what) + (rest.len ? 1 + str_width(rest.s) : 0);
	if (p->total && need + 1 + BAR_MIN <= columns) {
		size_t room = columns - need - 1;
		sb_addf(&line, "%s ", p->what);
		add_bar(&line, &sane, room < BAR_MAX ? room : BAR_MAX);
		sb_addf(&line, " %s", rest.s);
		return sb_steal(&line);
	}
	/* without a bar the figures are set off by a comma, or a colon's own blank */
	sb_addf(&line, "%s%s%s", p->what, !rest.len ? "" : str_ends(p->what, ":") ? " " : ", ", rest.len ? rest.s : "");
	return str_cut(line.s, columns);
}

/* A terminal that is gone is nobody's failure. */
static void put(const char *text)
{
	if (write(STDERR_FILENO, text, strlen(text)) < 0)
		return;
}

static void draw(int64_t at)
{
	struct progress_state state = {
		.what = now.what, .detail = now.detail, .done = now.done, .total = now.total,
		.elapsed_s = (uint64_t)(at - now.begun_ms) / 1000, .colours = log_colours(STDERR_FILENO),
	};
	/* the last column stays free: a terminal may break the line after it */
	cleanup_free char *line = progress_line(&state, log_columns(STDERR_FILENO) - 1);
	cleanup_free char *text = str_fmt("\r%s\033[K", line);
	put(text);
	now.drawn_ms = at;
	now.visible = true;
}

static void hide(void)
{
	if (now.visible)
		put("\r\033[K");
	now.visible = false;
}

static void show(void)
{
	if (now.what && now.drawn_ms)
		draw(clock_ms());
}

bool progress_begin(const char *what, ...)
{
	progress_end();
	const char *term = getenv("TERM");
	if (log_level() < LOG_LEVEL_INFO || !term || streq(term, "dumb") || !isatty(STDERR_FILENO))
		return false;
	va_list ap;
	va_start(ap, what);
	cleanup_sb struct sb text = {};
	sb_vaddf(&text, tr(what), ap);
	va_end(ap);
	now.what = str_printable(text.s ? text.s : "");
	now.begun_ms = clock_ms();
	log_around(hide, show);
	return true;
}

void progress_update(uint64_t done, uint64_t total, const char *detail)
{
	if (!now.what)
		return;
	now.done = done;
	now.total = total;
	cleanup_free char *clean = detail ? str_printable(detail) : NULL;
	str_set(&now.detail, clean);
	progress_tick();
}

void progress_tick(void)
{
	int64_t at = clock_ms();
	if (!now.what || now.asking || at < (now.drawn_ms ? now.drawn_ms + PROGRESS_EVERY_MS : now.begun_ms + PROGRESS_FIRST_MS))
		return;
	if (now.fn) {
		now.asking = true;
		now.fn(now.data);
		now.asking = false;
	}
	draw(at);
}

void progress_watch(void (*fn)(void *data), void *data)
{
	now.fn = now.what ? fn : NULL;
	now.data = data;
}

void progress_end(void)
{
	hide();
	log_around(NULL, NULL);
	free(now.what);
	free(now.detail);
	memset(&now, 0, sizeof(now));
}

void progress_endp(const bool *shown)
{
	if (*shown)
		progress_end();
}

int progress_wait_ms(int limit_ms)
{
	return now.what && (limit_ms < 0 || limit_ms > PROGRESS_EVERY_MS) ? PROGRESS_EVERY_MS : limit_ms;
}

int progress_poll(struct pollfd *p, nfds_t n, int limit_ms)
{
	int64_t until = limit_ms < 0 ? INT64_MAX : clock_ms() + limit_ms;
	for (;;) {
		int64_t left = until - clock_ms();
		int limit = limit_ms < 0 ? -1 : left > 0 ? (int)left : 0, wait = progress_wait_ms(limit), r = drain_poll(p, n, wait);
		if (r != 0 || wait == limit)
			return r;
		progress_tick();
	}
}

void progress_forget(void)
{
	memset(&now, 0, sizeof(now)); /* a child ends soon: what it had of memory ends with it */
}
