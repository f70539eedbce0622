/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host_sleep: see host_sleep.h. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/guest/args_machine.h"
#include "launcher/host/sleep/sleep.h"
#include "launcher/live/host_sleep.h"
#include "launcher/live/settling.h"
#include "launcher/tools/guest_time.h"

#define PAUSE_LIMIT_MS 3000 /* logind waits 5 s for who delays the sleep (InhibitDelayMaxSec in logind.conf(5)) */

struct host_sleep {
	struct machine *m;
	struct sleep_guard *guard;
	bool paused; /* by us */
	sd_event_source *wake;
	int wake_fd; /* readable when the host has slept */
};

/* A guest that runs again after the host has slept. */
static void set_clock(const struct machine *m)
{
	if (guest_agent_listens(m->plan->config))
		log_err(LOG_LEVEL_WARN, err_wrap(guest_time_set_of(m->cli, m->name), "%s: its clock", m->name));
}

static void on_sleep(void *data, bool going)
{
	struct host_sleep *s = data;
	struct machine *m = s->m;
	if (going ? !streq(m->run_state, "running") : !s->paused)
		return;
	log_info("%s: %s", m->name, going ? _("the host goes to sleep: pausing the guest") : _("the host is awake: the guest goes on"));
	log_err(LOG_LEVEL_WARN, err_wrap(qmp_call(m->qmp, going ? "stop" : "cont", NULL, PAUSE_LIMIT_MS, NULL), "%s", m->name));
	s->paused = going;
	if (qmp_queued(m->qmp))
		err_free(qmp_dispatch(m->qmp)); /* a broken connection speaks again through its descriptor */
	if (!going)
		set_clock(m);
}

static void begin_guard(struct host_sleep *s)
{
	struct machine *m = s->m;
	struct err *e = sleep_inhibit(m->cli->root, m->plan->config, m->plan->user.uid, m->plan->user.gid, &s->guard);
	if (!e)
		e = sleep_watch(s->guard, m->event, on_sleep, s);
	/* without a bus or a logind there is nobody who would put the host to sleep */
	bool nobody = err_code(e) == ENOENT || err_code(e) == ECONNREFUSED || err_code(e) == EHOSTUNREACH;
	log_err(nobody ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN, err_wrap(e, "%s: the host may go to sleep under the guest", m->name));
}

static int on_wake(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	struct host_sleep *s = data;
	(void)source, (void)revents;
	if (!sleep_woke(fd))
		return 0;
	settling_again(s->m->settling);
	if (streq(s->m->run_state, "running")) /* one that we have paused goes on when logind says so */
		set_clock(s->m);
	return 0;
}

static void begin_wake(struct host_sleep *s)
{
	struct err *e = sleep_open_wake(&s->wake_fd);
	int r = e ? 0 : sd_event_add_io(s->m->event, &s->wake, s->wake_fd, EPOLLIN, on_wake, s);
	if (r < 0)
		e = err_errno(-r, "the host's waking up");
	log_err(LOG_LEVEL_DEBUG, e);
}

struct host_sleep *host_sleep_begin(struct machine *m)
{
	if (!root_is_host(m->cli->root))
		return NULL;
	struct host_sleep *s = mem_new(sizeof(*s));
	*s = (struct host_sleep){ .m = m, .wake_fd = -1 };
	begin_guard(s);
	begin_wake(s);
	return s;
}

void host_sleep_end(struct host_sleep *s)
{
	if (!s)
		return;
	sd_event_source_disable_unref(s->wake);
	fd_closep(&s->wake_fd);
	sleep_release(s->guard);
	free(s);
}
