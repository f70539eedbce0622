/* SPDX-License-Identifier: GPL-2.0-or-later */
/* viewer: see viewer.h. */
#include "launcher/base/log.h"
#include "launcher/live/viewer.h"

/* Who closes the window may have meant just that: the guest goes on. */
static void on_viewer_end(struct process *viewer, void *data)
{
	struct machine *m = data;
	(void)viewer;
	if (m->over || process_ended(&m->qemu))
		return;
	cleanup_free char *again = strv_join(&m->plan->viewer_argv, " ");
	log_info("%s: its viewer was closed, the guest runs on; to see it again: %s", m->name, again);
}

void viewer_begin(struct machine *m)
{
	if (!m->plan->viewer_argv.n)
		return;
	log_err(LOG_LEVEL_WARN, engine_apply_one(&m->engine, &m->plan->steps.v[m->plan->viewer_step]));
	process_watch(&m->viewer, m->event, 0, on_viewer_end, m);
}
