/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sleep: see sleep.h. org.freedesktop.login1(5), and the Idle Inhibition Service of the desktops. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/host/kind/bus.h"
#include "launcher/host/sleep/sleep.h"

#define LOGIND "org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager"
#define SCREEN_SAVER "org.freedesktop.ScreenSaver"

struct sleep_guard {
	char *why;
	int lock;        /* of logind, in mode "block" */
	int delay;       /* the one that is let go before the host sleeps; -1 while it does */
	sd_bus *session; /* the screen saver is inhibited for as long as this is open */
	sd_bus *system;  /* for sleep_watch; NULL where the guest is not paused */
	void (*on_sleep)(void *data, bool going);
	void *data;
};

/* A lock of logind's: a descriptor that inhibits `what` until it is closed. */
static struct err *inhibit(sd_bus *bus, const char *what, const char *why, const char *mode, int *ret_fd)
{
	cleanup_message sd_bus_message *reply = NULL;
	cleanup_bus_error sd_bus_error error = SD_BUS_ERROR_NULL;
	cleanup_message sd_bus_message *m = NULL;
	int fd, r = sd_bus_message_new_method_call(bus, &m, LOGIND, "Inhibit");
	if (r >= 0)
		r = sd_bus_message_set_auto_start(
			m, 0); /* where no logind runs nobody puts the host to sleep: none is started, nor user.slice with it */
	if (r >= 0)
		r = sd_bus_message_append(m, "ssss", what, "qlaunch", why, mode);
	if (r >= 0)
		r = sd_bus_call(bus, m, BUS_CALL_LIMIT_US, &error, &reply);
	if (r >= 0)
		r = sd_bus_message_read(reply, "h", &fd); /* the message's own */
	if (r < 0)
		return err_wrap(bus_err(r, &error, what), "logind: inhibit");
	*ret_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return NULL;
}

/* The session's own idea of idleness: its screen saver and its lock. Desktops without it are no error. */
static void inhibit_session(struct sleep_guard *g, struct root *root, uid_t uid, gid_t gid)
{
	cleanup_bus sd_bus *bus = NULL;
	cleanup_message sd_bus_message *m = NULL;
	cleanup_bus_error sd_bus_error error = SD_BUS_ERROR_NULL;
	cleanup_err struct err *none = bus_open_session(root, uid, gid, &bus);
	if (none)
		return;
	int r = sd_bus_message_new_method_call(bus, &m, SCREEN_SAVER, "/org/freedesktop/ScreenSaver", SCREEN_SAVER, "Inhibit");
	if (r >= 0)
		r = sd_bus_message_set_auto_start(m, 0);
	if (r >= 0)
		r = sd_bus_message_append(m, "ss", "qlaunch", g->why);
	if (r >= 0)
		r = sd_bus_call(bus, m, BUS_CALL_LIMIT_US, &error, NULL);
	if (r >= 0)
		g->session = steal(bus);
	else
		log_debug("no screen saver to inhibit: %s", error.message ? error.message : strerror(-r));
}

struct err *sleep_inhibit(struct root *root, const struct config *c, uid_t uid, gid_t gid, struct sleep_guard **ret_guard)
{
	bool pauses = c->host.sleep == SLEEP_PAUSE, blocks = c->host.sleep == SLEEP_INHIBIT;
	if (!c->host.inhibit_sleep && !pauses) {
		*ret_guard = NULL;
		return NULL;
	}
	cleanup_bus sd_bus *bus = NULL;
	TRY(bus_open_system(root, &bus));
	cleanup_sleep struct sleep_guard *g = mem_new(sizeof(*g));
	g->lock = g->delay = -1;
	g->why = str_fmt("the virtual machine %s runs", c->vm.name);
	if (c->host.inhibit_sleep)
		TRY(inhibit(bus, blocks ? "sleep:idle" : "idle", g->why, "block", &g->lock));
	if (pauses)
		TRY(inhibit(bus, "sleep", g->why, "delay", &g->delay));
	if (c->host.inhibit_sleep)
		inhibit_session(g, root, uid, gid);
	if (pauses)
		g->system = steal(bus);
	*ret_guard = steal(g);
	return NULL;
}

static int on_prepare(sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
	struct sleep_guard *g = data;
	int going;
	(void)ret_error;
	if (sd_bus_message_read(m, "b", &going) < 0)
		return 0;
	g->on_sleep(g->data, going);
	if (going)
		fd_closep(&g->delay);
	else if (g->delay < 0)
		log_err(LOG_LEVEL_WARN, inhibit(g->system, "sleep", g->why, "delay", &g->delay));
	return 0;
}

struct err *sleep_watch(struct sleep_guard *g, sd_event *event, void (*on_sleep)(void *data, bool going), void *data)
{
	if (!g || g->delay < 0)
		return NULL;
	g->on_sleep = on_sleep;
	g->data = data;
	int r = sd_bus_match_signal(g->system, NULL, LOGIND, "PrepareForSleep", on_prepare, g);
	if (r >= 0)
		r = sd_bus_attach_event(g->system, event, SD_EVENT_PRIORITY_NORMAL);
	return r < 0 ? bus_err(r, NULL, "logind: PrepareForSleep") : NULL;
}

struct err *sleep_open_wake(int *ret_fd)
{
	const struct itimerspec never = { .it_value.tv_sec = INT64_MAX };
	cleanup_fd int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (fd < 0 || timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) < 0)
		return err_errno(errno, "timerfd");
	*ret_fd = fd_steal(&fd);
	return NULL;
}

bool sleep_woke(int fd)
{
	uint64_t expired;
	return read(fd, &expired, sizeof(expired)) < 0 && errno == ECANCELED;
}

void sleep_release(struct sleep_guard *g)
{
	if (!g)
		return;
	fd_closep(&g->lock);
	fd_closep(&g->delay);
	sd_bus_close_unref(g->session);
	sd_bus_close_unref(g->system);
	free(g->why);
	free(g);
}

void sleep_releasep(struct sleep_guard **g)
{
	sleep_release(*g);
}
