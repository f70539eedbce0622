/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attend: see attend.h. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include "launcher/live/announce.h"
#include "launcher/live/attend.h"
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/live/hooks.h"
#include "launcher/host/irq/irq.h"
#include "launcher/host/sleep/sleep.h"
#include "launcher/live/screens.h"
#include "launcher/live/waiting.h"

#define PAUSE_LIMIT_MS 3000 /* logind waits 5 s for who delays the sleep (InhibitDelayMaxSec in logind.conf(5)) */
#define ACCURACY_US 500000

struct attend {
	struct machine *m;
	struct sleep_guard *sleep;
	bool paused; /* by us, for the host's sleep */
	sd_event_source *timer, *wake;
	int wake_fd; /* readable when the host has slept */
	unsigned round;
	bool ready; /* the guest drives its devices */
	struct screens *screens;
	struct hook hook;
};

static void finish_hook(struct attend *a)
{
	log_err(LOG_LEVEL_WARN, hook_result(a->m, &a->hook));
	hook_close(&a->hook);
}

static void on_hook_end(struct process *p, void *data)
{
	(void)p;
	finish_hook(data);
}

/* The hook runs beside the guest: the loop goes on, and ends it when it is late. */
static void guest_ready(struct attend *a)
{
	struct machine *m = a->m;
	uint64_t limit = m->plan->config->hooks.timeout * UINT64_C(1000000);
	if (a->ready)
		return;
	a->ready = true;
	waiting_end(m);
	log_debug("%s: the guest is up", m->name);
	screens_ready(a->screens);
	announce_ready(m->cli, m->plan);
	struct err *e = hook_start(m, "ready", m->plan->config->hooks.ready, &a->hook);
	if (e || !a->hook.name) {
		log_err(LOG_LEVEL_WARN, e);
		hook_close(&a->hook);
		return;
	}
	process_watch(&a->hook.process, m->event, limit, on_hook_end, a);
}

static void on_sleep(void *data, bool going)
{
	struct attend *a = data;
	struct machine *m = a->m;
	if (going ? !streq(m->run_state, "running") : !a->paused)
		return;
	log_info("%s: %s", m->name,
		 going ? _("the host goes to sleep: pausing the guest") : _("the host is awake: the guest goes on"));
	log_err(LOG_LEVEL_WARN,
		err_wrap(qmp_call(m->qmp, going ? "stop" : "cont", NULL, PAUSE_LIMIT_MS, NULL), "%s", m->name));
	a->paused = going;
	if (qmp_queued(m->qmp))
		err_free(qmp_dispatch(m->qmp)); /* a broken connection speaks again through its descriptor */
}

static void begin_sleep(struct attend *a)
{
	struct machine *m = a->m;
	struct err *e = sleep_inhibit(m->cli->root, m->plan->config, m->plan->user.uid, m->plan->user.gid, &a->sleep);
	if (!e)
		e = sleep_watch(a->sleep, m->event, on_sleep, a);
	/* without a bus or a logind there is nobody who would put the host to sleep */
	bool nobody = err_code(e) == ENOENT || err_code(e) == ECONNREFUSED || err_code(e) == EHOSTUNREACH;
	log_err(nobody ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN,
		err_wrap(e, "%s: the host may go to sleep under the guest", m->name));
}

/* Message interrupts are asked for by the guest's drivers; a line interrupt ("vfio-intx") is there from QEMU's start. */
static bool guest_drives(const struct irq_facts *f)
{
	for (size_t i = 0; i < f->n_lines; i++)
		if (str_starts(f->lines[i].name, "vfio-msi"))
			return true;
	return false;
}

/* The interrupts of the guest's devices that have come since the last look, and all that are not any more where they were put. */
static void move_interrupts(struct machine *m, const struct irq_facts *facts)
{
	struct plan *p = m->plan;
	if (p->config->host.irqs != IRQS_AWAY || !p->cpu.exclusive)
		return;
	for (size_t i = 0; i < p->steps.n; i++)
		if (irq_strayed(facts, &p->steps.v[i]))
			log_err(LOG_LEVEL_DEBUG, engine_renew(&m->engine, &p->steps.v[i]));
	size_t before = p->steps.n;
	for (size_t i = 0; i < p->pci.n_picks; i++)
		for (size_t k = 0; k < p->pci.picks[i].n; k++)
			irq_vfio_steps(&p->steps, facts, &p->pci.picks[i].v[k].addr, 1, &p->cpu.guest);
	for (size_t i = before; i < p->steps.n; i++)
		log_err(LOG_LEVEL_WARN, engine_apply_one(&m->engine, &p->steps.v[i]));
}

static int on_timer(sd_event_source *source, uint64_t usec, void *data)
{
	struct attend *a = data;
	cleanup_irq_facts struct irq_facts facts = {};
	err_free(irq_facts_read(a->m->cli->root, a->m->plan->config, &facts));
	move_interrupts(a->m, &facts);
	log_err(LOG_LEVEL_DEBUG, vcpus_pin_rest(a->m->vcpus, NULL));
	int delay = irq_watch_delay(++a->round);
	if (guest_drives(&facts) || delay < 0)
		guest_ready(a);
	if (delay < 0)
		return 0; /* a timer of one shot: it is off now */
	sd_event_source_set_time(source, usec + (uint64_t)delay * 1000000);
	sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

/* Who closes the window may have meant just that: the guest goes on. */
static void on_viewer_end(struct process *viewer, void *data)
{
	struct machine *m = data;
	(void)viewer;
	if (process_ended(&m->qemu))
		return;
	cleanup_free char *again = strv_join(&m->plan->viewer_argv, " ");
	log_info("%s: its viewer was closed, the guest runs on; to see it again: %s", m->name, again);
}

/* A guest that nobody sees still runs. */
static void begin_viewer(struct machine *m)
{
	if (!m->plan->viewer_argv.n)
		return;
	log_err(LOG_LEVEL_WARN, engine_apply_one(&m->engine, &m->plan->steps.v[m->plan->viewer_step]));
	process_watch(&m->viewer, m->event, 0, on_viewer_end, m);
}

static bool begin_looks(struct attend *a)
{
	a->round = 0;
	a->timer = sd_event_source_disable_unref(a->timer);
	int r = sd_event_add_time_relative(a->m->event, &a->timer, CLOCK_MONOTONIC,
					   (uint64_t)irq_watch_delay(0) * 1000000, ACCURACY_US, on_timer, a);
	if (r < 0)
		log_err(LOG_LEVEL_WARN, err_errno(-r, "the guest's interrupts"));
	return r >= 0;
}

/* Without a passed-through device there is nothing to wait for. */
static void begin_ready(struct attend *a)
{
	if (!a->m->plan->config->n_pci)
		guest_ready(a);
	else if (begin_looks(a))
		waiting_begin(a->m, "waiting for the guest to use its devices");
}

static int on_wake(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	(void)source, (void)revents;
	if (sleep_woke(fd))
		begin_looks(data);
	return 0;
}

static void begin_wake(struct attend *a)
{
	struct err *e = sleep_open_wake(&a->wake_fd);
	int r = e ? 0 : sd_event_add_io(a->m->event, &a->wake, a->wake_fd, EPOLLIN, on_wake, a);
	if (r < 0)
		e = err_errno(-r, "the host's waking up");
	log_err(LOG_LEVEL_DEBUG, e);
}

struct attend *attend_begin(struct machine *m)
{
	struct attend *a = mem_new(sizeof(*a));
	a->m = m;
	a->wake_fd = -1;
	if (root_is_host(m->cli->root)) {
		begin_sleep(a);
		begin_wake(a);
	}
	begin_viewer(m);
	a->screens = screens_begin(m);
	begin_ready(a);
	return a;
}

void attend_reset(struct attend *a)
{
	if (a && a->timer) /* without one it has no devices of its own */
		begin_looks(a);
}

void attend_end(struct attend *a)
{
	if (!a)
		return;
	if (a->hook.name)
		finish_hook(a);
	sd_event_source_disable_unref(a->timer);
	sd_event_source_disable_unref(a->wake);
	fd_closep(&a->wake_fd);
	screens_end(a->screens);
	sleep_release(a->sleep);
	free(a);
}
