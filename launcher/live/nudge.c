/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nudge: see nudge.h. */
#include <stdlib.h>
#include <time.h>
#include "launcher/base/log.h"
#include "launcher/live/nudge.h"

enum {
	EVERY_US = 1000000,
	TIMES = 180,        /* a slow host's firmware takes its time */
	LOADING = 32 << 20, /* what is read before the question is a few MiB, what comes after it some hundred */
	LIMIT_MS = 5000,
};

struct nudge {
	struct machine *m;
	sd_event_source *timer;
	unsigned times;
	bool over;
};

/* query-blockstats: [{"qdev": "…cdrom-install…", "stats": {"rd_bytes": …}}]. */
static void on_stats(void *data, json_t *value, struct err *e)
{
	struct nudge *n = data;
	size_t i;
	json_t *drive;
	json_array_foreach (value, i, drive) {
		const char *device = json_string_value(json_object_get(drive, "qdev"));
		json_int_t got = json_integer_value(json_object_get(json_object_get(drive, "stats"), "rd_bytes"));
		n->over |= device && strstr(device, "cdrom-install") && got > LOADING;
	}
	err_free(e);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *data)
{
	struct nudge *n = data;
	if (n->over || ++n->times > TIMES)
		return 0; /* a timer of one shot: it is off now */
	json_t *press = json_pack("{s:[{s:s, s:s}], s:i}", "keys", "type", "qcode", "data", "ret", "hold-time", 50);
	log_err(LOG_LEVEL_DEBUG, qmp_send(n->m->qmp, "send-key", press, LIMIT_MS, NULL, NULL));
	log_err(LOG_LEVEL_DEBUG, qmp_send(n->m->qmp, "query-blockstats", NULL, LIMIT_MS, on_stats, n));
	sd_event_source_set_time(source, usec + EVERY_US);
	sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
	return 0;
}

struct nudge *nudge_begin(struct machine *m)
{
	if (!m->cli->answers)
		return NULL;
	struct nudge *n = mem_new(sizeof(*n));
	n->m = m;
	int r = sd_event_add_time_relative(m->event, &n->timer, CLOCK_MONOTONIC, EVERY_US, EVERY_US / 10, on_timer, n);
	if (r < 0)
		log_err(LOG_LEVEL_WARN, err_errno(-r, "the key that the disc wants"));
	return n;
}

void nudge_end(struct nudge *n)
{
	if (!n)
		return;
	sd_event_source_disable_unref(n->timer);
	free(n);
}
