/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ready: see ready.h. */
#include <stdlib.h>
#include "launcher/base/log.h"
#include "launcher/live/announce.h"
#include "launcher/live/hooks.h"
#include "launcher/live/ready.h"
#include "launcher/live/screens.h"
#include "launcher/live/waiting.h"

struct ready {
	struct machine *m;
	bool come;
	struct screens *screens;
	struct hook hook;
};

static void finish_hook(struct ready *r)
{
	log_err(LOG_LEVEL_WARN, hook_result(r->m, &r->hook));
	hook_close(&r->hook);
}

static void on_hook_end(struct process *p, void *data)
{
	(void)p;
	finish_hook(data);
}

struct ready *ready_begin(struct machine *m)
{
	struct ready *r = mem_new(sizeof(*r));
	r->m = m;
	r->screens = screens_begin(m);
	return r;
}

void ready_now(struct ready *r)
{
	struct machine *m = r->m;
	uint64_t limit = m->plan->config->hooks.timeout * UINT64_C(1000000);
	if (r->come)
		return;
	r->come = true;
	waiting_end(m);
	log_debug("%s: the guest is up", m->name);
	screens_ready(r->screens);
	announce_ready(m->cli, m->plan);
	struct err *e = hook_start(m, "ready", m->plan->config->hooks.ready, &r->hook);
	if (e || !r->hook.name) {
		log_err(LOG_LEVEL_WARN, e);
		hook_close(&r->hook);
		return;
	}
	process_watch(&r->hook.process, m->event, limit, on_hook_end, r);
}

void ready_end(struct ready *r)
{
	if (!r)
		return;
	if (r->hook.name)
		finish_hook(r);
	screens_end(r->screens);
	free(r);
}
