/* SPDX-License-Identifier: GPL-2.0-or-later */
/* waiting: see waiting.h. */
#include "launcher/base/tr.h"
#include "launcher/base/progress.h"
#include "launcher/live/waiting.h"

#define TICK_US 1000000

static int on_tick(sd_event_source *source, uint64_t usec, void *data)
{
	(void)data;
	progress_tick();
	sd_event_source_set_time(source, usec + TICK_US);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

void waiting_end(struct machine *m)
{
	if (m->waiting)
		progress_end();
	m->waiting = sd_event_source_disable_unref(m->waiting);
}

void waiting_begin(struct machine *m, const char *what)
{
	waiting_end(m);
	if (m->qemu.terminal || !progress_begin("%s: %s", m->name, tr(what)))
		return;
	if (sd_event_add_time_relative(m->event, &m->waiting, CLOCK_MONOTONIC, TICK_US, 0, on_tick, m) < 0)
		progress_end();
}
