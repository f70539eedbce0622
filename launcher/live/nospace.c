/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nospace: see nospace.h. */
#include <errno.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "launcher/base/clock.h"
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/live/nospace.h"

#define LOOK_S 2           /* between two looks at the file system */
#define TRY_MAX_S 60       /* between two tries at most */
#define ROOM_MIN (1u << 20) /* bytes that make a try worth while: more than any one request, and its tables */
#define LOOK_LIMIT_MS 2000
#define QMP_LIMIT_MS 10000

struct nospace {
	struct machine *m;
	const struct disk *disk;
	sd_event_source *timer;
	bool full;
	unsigned wait_s;   /* before the next try where nothing can be seen; doubles with each that failed */
	uint64_t tried_us; /* CLOCK_MONOTONIC: the last try; 0: none */
};

/* In a child, as the user: a file system may hang, and root may not even look there. */
static struct err *look(void *data)
{
	const struct nospace *r = data;
	struct statvfs fs;
	if (geteuid() == 0)
		TRY(user_become(&r->m->plan->user));
	if (statvfs(r->disk->conf->path, &fs) < 0)
		return err_errno(errno, "%s", r->disk->conf->path);
	return (uint64_t)fs.f_bavail * fs.f_frsize >= ROOM_MIN ? NULL : err_coded(ENOSPC, "full");
}

static void arm(struct nospace *r)
{
	uint64_t delay = (r->full ? LOOK_S : r->wait_s) * UINT64_C(1000000);
	sd_event_source_set_time(r->timer, clock_us() + delay);
	sd_event_source_set_enabled(r->timer, SD_EVENT_ONESHOT);
}

static void tried(void *data, json_t *value, struct err *e)
{
	const struct nospace *r = data;
	(void)value;
	if (e && !qmp_closed(r->m->qmp))
		log_err(LOG_LEVEL_WARN, err_wrap(e, "%s", r->m->name));
	else
		err_free(e);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *data)
{
	struct nospace *r = data;
	struct machine *m = r->m;
	uint64_t now = clock_us();
	(void)source, (void)usec;
	if (!streq(m->run_state, "io-error")) /* somebody else let it go on */
		return 0;
	bool wait_over = now >= r->tried_us + r->wait_s * UINT64_C(1000000);
	cleanup_err struct err *e = r->full ? child_call(look, r, LOOK_LIMIT_MS) : NULL;
	if (e || !wait_over) {
		arm(r);
		return 0;
	}
	log_info("%s: %s", m->name, r->full ? _("there is room again") : _("trying again"));
	r->tried_us = now;
	log_err(LOG_LEVEL_WARN, qmp_send(m->qmp, "cont", NULL, QMP_LIMIT_MS, tried, r));
	return 0;
}

void nospace_wait(struct machine *m, const struct disk *disk, const char *why, bool full)
{
	struct nospace *r = m->nospace;
	if (!r) {
		m->nospace = r = mem_new(sizeof(*r));
		r->m = m;
		int code = sd_event_add_time_relative(m->event, &r->timer, CLOCK_MONOTONIC, 0, 250000, on_timer, r);
		if (code < 0) {
			log_err(LOG_LEVEL_WARN, err_errno(-code, "%s: it must be let go on by hand", m->name));
			return;
		}
		sd_event_source_set_enabled(r->timer, SD_EVENT_OFF);
	}
	int on = SD_EVENT_OFF;
	sd_event_source_get_enabled(r->timer, &on);
	if (on != SD_EVENT_OFF) /* other requests fail beside the first */
		return;
	r->disk = disk;
	r->full = full;
	/* a try that has lasted was none that failed */
	bool again = r->tried_us && clock_us() - r->tried_us < (r->wait_s + TRY_MAX_S) * UINT64_C(1000000);
	r->wait_s = !again ? LOOK_S : r->wait_s * 2 < TRY_MAX_S ? r->wait_s * 2 : TRY_MAX_S;
	log_warn("%s: [disk %s] %s: %s; the guest is paused and loses nothing, and goes on by itself%s", m->name, disk->conf->name,
		 disk->conf->path, why, full ? _(" once there is room") : _(" when it can be written to"));
	arm(r);
}

void nospace_free(struct nospace *r)
{
	if (r)
		sd_event_source_disable_unref(r->timer);
	free(r);
}
