/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qlaunch top VM: what a running machine gets and what disturbs it, second by second. In a terminal live, until q or the machine's end;
 * else, and with --once or --json, one interval. Looks only.
 */
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "launcher/base/clock.h"
#include "launcher/base/log.h"
#include "launcher/base/num.h"
#include "launcher/host/net/net.h"
#include "launcher/live/machine.h"
#include "launcher/top/rate.h"
#include "launcher/verbs/screen.h"

#define QEMU_LIMIT_MS 3000
#define INTERVAL_MAX  3600

/* The machine that is watched, and its QEMU: readable when that has ended; -1 under --root, where there is none. */
struct watch {
	struct top_machine machine;
	int pidfd;
	int64_t interval_ms;
};

static void watch_close(struct watch *w)
{
	top_machine_free(&w->machine);
	fd_closep(&w->pidfd);
}

/* The interfaces that this launch has made. */
static void take_links(const struct steps *steps, struct top_machine *m)
{
	for (size_t i = 0; i < steps->n; i++) {
		const struct step *s = &steps->v[i];
		if (s->kind == &net_tap_kind)
			strv_add(&m->taps, s->target);
		if (s->kind == &net_tap_kind || s->kind == &net_link_kind)
			strv_add(&m->links, s->target);
	}
}

static struct err *watch_open(struct cli *cli, const char *vm, struct watch *w)
{
	json_t *status = NULL;
	cleanup_free char *base = journal_base();
	cleanup_steps struct steps steps = {};
	cleanup_journal_info struct journal_info info = {};
	TRY(machine_find(cli, vm, &status));
	struct err *e = journal_read(&cli->env, base, vm, &steps, &info);
	if (!e)
		e = top_machine_parse(cli->root, vm, info.dir, status, &w->machine);
	json_decref(status);
	TRY(err_wrap(e, "%s", vm));
	take_links(&steps, &w->machine);
	if (!root_is_host(cli->root))
		return NULL;
	w->pidfd = (int)syscall(SYS_pidfd_open, w->machine.qemu, 0);
	/* the launcher lives and has QEMU's end still before it: the number is QEMU's own */
	return w->pidfd < 0 ? err_exit(err_new("%s has just ended", vm), EXIT_USAGE) : NULL;
}

static struct err *take_interval(const struct verb_args *args, int64_t *ret_ms)
{
	const char *text = verb_option(args, "interval");
	uint64_t seconds = 1;
	struct err *e = text ? num_parse(text, INTERVAL_MAX, &seconds) : NULL;
	if (!e && !seconds)
		e = err_new("\"0\" is too little");
	*ret_ms = (int64_t)seconds * 1000;
	return err_exit(err_hint(err_wrap(e, "--interval"), "seconds, from 1 to %d", INTERVAL_MAX), EXIT_USAGE);
}

/* Whether QEMU ends before `deadline_ms`. */
static bool ends_before(const struct watch *w, int64_t deadline_ms)
{
	for (;;) {
		int64_t left = deadline_ms - clock_ms();
		int n = poll(&(struct pollfd){ .fd = w->pidfd, .events = POLLIN }, 1, left > 0 ? (int)left : 0);
		if (n >= 0)
			return n > 0;
	}
}

static void print(const struct rates *r, bool json)
{
	cleanup_strv struct strv lines = {};
	if (json) {
		json_t *o = rates_json(r);
		json_dumpf(o, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
		putchar('\n');
		json_decref(o);
		return;
	}
	rates_text(r, log_colours(STDOUT_FILENO), &lines);
	for (size_t i = 0; i < lines.n; i++)
		puts(lines.v[i]);
}

static void say_ended(const struct watch *w)
{
	log_info("%s has ended", w->machine.vm);
}

/* One interval. Of a machine that ends in it there are no figures: an object with its name alone. */
static struct err *once(const struct watch *w, bool json)
{
	cleanup_sample struct sample before = {}, now = {};
	cleanup_rates struct rates r = {};
	int64_t begun = clock_ms();
	sample_take(&w->machine, NULL, QEMU_LIMIT_MS, &before);
	if (ends_before(w, begun + w->interval_ms)) {
		if (json)
			printf("{\n  \"vm\": \"%s\",\n  \"ended\": true\n}\n", w->machine.vm);
		say_ended(w);
		return NULL;
	}
	sample_take(&w->machine, &before, QEMU_LIMIT_MS, &now);
	rates_make(&w->machine, &before, &now, sysconf(_SC_CLK_TCK), &r);
	print(&r, json);
	return NULL;
}

static void draw(struct screen *screen, const struct watch *w, const struct sample *before, const struct sample *now)
{
	cleanup_strv struct strv lines = {};
	cleanup_rates struct rates r = {};
	char clock[16];
	time_t t = time(NULL);
	struct tm tm;
	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&t, &tm));
	strv_addf(&lines, "%s: QEMU %d, %s, %s, every %d s; q leaves", w->machine.vm, (int)w->machine.qemu, w->machine.accel, clock,
		  (int)(w->interval_ms / 1000));
	strv_add(&lines, "");
	if (now) {
		rates_make(&w->machine, before, now, sysconf(_SC_CLK_TCK), &r);
		rates_text(&r, log_colours(STDOUT_FILENO), &lines);
	} else {
		strv_add(&lines, "measuring…");
	}
	screen_draw(screen, &lines);
}

/* Until somebody leaves or QEMU ends; returns whether it was QEMU. */
static bool live(struct screen *screen, const struct watch *w)
{
	cleanup_sample struct sample before = {}, now = {};
	bool measured = false;
	int64_t next = clock_ms() + w->interval_ms;
	sample_take(&w->machine, NULL, QEMU_LIMIT_MS, &now);
	for (;;) {
		draw(screen, w, &before, measured ? &now : NULL);
		enum screen_event event = screen_wait(screen, next, w->pidfd);
		if (event == SCREEN_LEAVE || event == SCREEN_OTHER)
			return event == SCREEN_OTHER;
		if (event == SCREEN_AGAIN)
			continue;
		sample_free(&before);
		before = now;
		now = (struct sample){};
		sample_take(&w->machine, &before, QEMU_LIMIT_MS, &now);
		measured = true;
		next = clock_ms() + w->interval_ms;
	}
}

struct err *verb_top(struct cli *cli, const struct verb_args *args)
{
	cleanup(watch_close) struct watch w = { .pidfd = -1 };
	struct screen screen;
	TRY(verb_words(args, 1, 1, "top [--once] [--interval SECONDS] VM"));
	TRY(take_interval(args, &w.interval_ms));
	TRY(watch_open(cli, args->words.v[0], &w));
	if (cli->json || verb_option(args, "once") || !screen_possible())
		return once(&w, cli->json);
	TRY(screen_open(&screen));
	bool ended = live(&screen, &w);
	screen_close(&screen);
	if (ended)
		say_ended(&w);
	return NULL;
}
