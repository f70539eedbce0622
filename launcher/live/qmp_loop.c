/* SPDX-License-Identifier: GPL-2.0-or-later */
/* monitor: see monitor.h. */
#include <stdlib.h>
#include <sys/epoll.h>
#include "launcher/live/qmp_loop.h"

struct watch {
	struct machine *m;
	sd_event_source *io, *deadline;
	void (*broken)(struct machine *m, struct err *e);
};

static void dispatch(struct watch *w)
{
	struct err *e = qmp_dispatch(w->m->qmp);
	if (!e)
		return;
	sd_event_source_set_enabled(w->io, SD_EVENT_OFF);
	sd_event_source_set_enabled(w->deadline, SD_EVENT_OFF);
	if (qmp_closed(w->m->qmp)) /* QEMU is about to end: its pidfd tells */
		err_free(e);
	else
		w->broken(w->m, e);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	(void)source, (void)fd, (void)revents;
	dispatch(data);
	return 0;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *data)
{
	(void)source, (void)usec;
	dispatch(data);
	return 0;
}

/* Commands are sent from any callback: what is to be written, and when the first is late, is looked at before each sleep. The timer is off
 * while nothing is asked: an idle machine wakes nobody. */
static int before_sleep(sd_event_source *source, void *data)
{
	struct watch *w = data;
	uint64_t deadline = qmp_deadline(w->m->qmp);
	int on;
	(void)source;
	if (sd_event_source_get_enabled(w->io, &on) < 0 || on == SD_EVENT_OFF)
		return 0;
	sd_event_source_set_io_events(w->io, qmp_wants_write(w->m->qmp) ? EPOLLIN | EPOLLOUT : EPOLLIN);
	if (deadline != UINT64_MAX)
		sd_event_source_set_time(w->deadline, deadline);
	sd_event_source_set_enabled(w->deadline, deadline == UINT64_MAX ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
	return 0;
}

static void forget(void *data)
{
	free(data);
}

struct err *monitor_watch(struct machine *m, void (*broken)(struct machine *m, struct err *e))
{
	struct watch *w = mem_new(sizeof(*w));
	sd_event_source *post = NULL;
	w->m = m;
	w->broken = broken;
	int r = sd_event_add_io(m->event, &w->io, qmp_fd(m->qmp), EPOLLIN, on_io, w);
	if (r >= 0)
		r = sd_event_add_time(m->event, &w->deadline, CLOCK_MONOTONIC, 0, 1000, on_deadline, w);
	if (r >= 0)
		r = sd_event_source_set_enabled(w->deadline, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_event_add_post(m->event, &post, before_sleep, w);
	if (r < 0) {
		sd_event_source_disable_unref(w->io);
		sd_event_source_disable_unref(w->deadline);
		free(w);
		return err_errno(-r, "event loop");
	}
	/* the loop owns them all; the last that goes takes `w` along */
	sd_event_source_set_floating(w->io, 1);
	sd_event_source_set_floating(w->deadline, 1);
	sd_event_source_set_floating(post, 1);
	sd_event_source_set_destroy_callback(post, forget);
	sd_event_source_unref(w->io);
	sd_event_source_unref(w->deadline);
	sd_event_source_unref(post);
	if (qmp_queued(m->qmp))
		dispatch(w);
	return NULL;
}

void monitor_drain(struct machine *m)
{
	struct err *e = NULL;
	for (int reads = 0; !e && reads < 256 && !qmp_closed(m->qmp); reads++)
		e = qmp_dispatch(m->qmp);
	err_free(e);
}
