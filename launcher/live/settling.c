/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settling: see settling.h. */
#include <stdlib.h>
#include <time.h>
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/host/irq/irq.h"
#include "launcher/live/ready.h"
#include "launcher/live/settling.h"
#include "launcher/live/waiting.h"

#define ACCURACY_US 500000

struct settling {
	struct machine *m;
	sd_event_source *timer;
	unsigned round;
};

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
	struct settling *s = data;
	struct machine *m = s->m;
	cleanup_irq_facts struct irq_facts facts = {};
	err_free(irq_facts_read(m->cli->root, m->plan->config, &facts));
	move_interrupts(m, &facts);
	log_err(LOG_LEVEL_DEBUG, vcpus_pin_rest(m->vcpus, NULL));
	int delay = irq_watch_delay(++s->round);
	if (guest_drives(&facts) || delay < 0)
		ready_now(m->ready);
	if (delay < 0)
		return 0; /* a timer of one shot: it is off now */
	sd_event_source_set_time(source, usec + (uint64_t)delay * 1000000);
	sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

void settling_again(struct settling *s)
{
	if (!s)
		return;
	s->round = 0;
	s->timer = sd_event_source_disable_unref(s->timer);
	int r = sd_event_add_time_relative(s->m->event, &s->timer, CLOCK_MONOTONIC, (uint64_t)irq_watch_delay(0) * 1000000, ACCURACY_US,
					   on_timer, s);
	if (r < 0)
		log_err(LOG_LEVEL_WARN, err_errno(-r, "the guest's interrupts"));
}

struct settling *settling_begin(struct machine *m)
{
	if (!m->plan->config->n_pci) {
		ready_now(m->ready);
		return NULL;
	}
	struct settling *s = mem_new(sizeof(*s));
	s->m = m;
	settling_again(s);
	if (s->timer)
		waiting_begin(m, "waiting for the guest to use its devices");
	return s;
}

void settling_end(struct settling *s)
{
	if (!s)
		return;
	sd_event_source_disable_unref(s->timer);
	free(s);
}
