/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guest_time: see guest_time.h. */
#include <errno.h>
#include <time.h>
#include "launcher/base/child.h"
#include "launcher/tools/control.h"
#include "launcher/tools/guest_time.h"
#include "qmp/agent.h"

#define PING_LIMIT_MS 1500
#define SET_LIMIT_MS 3000 /* Windows sets its hardware clock, too */

static struct err *set_time(struct agent *agent)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	json_int_t ns = (json_int_t)now.tv_sec * 1000000000 + now.tv_nsec;
	return agent_call(agent, "guest-set-time", json_pack("{s:I}", "time", ns), SET_LIMIT_MS, NULL);
}

struct setting {
	struct cli *cli;
	const char *vm;
};

/* Nobody there is none's fault. */
static struct err *set_it(void *data)
{
	const struct setting *s = data;
	int fd = -1;
	struct err *e = control_agent(s->cli, s->vm, &fd);
	if (e) {
		err_free(e);
		return NULL;
	}
	cleanup_agent struct agent *agent = agent_new(fd);
	e = agent_ping(agent, PING_LIMIT_MS);
	if (err_code(e) == ETIMEDOUT) {
		err_free(e);
		return NULL;
	}
	TRY(e);
	return set_time(agent);
}

struct err *guest_time_set_of(struct cli *cli, const char *vm)
{
	struct setting s = { cli, vm };
	return child_call(set_it, &s, PING_LIMIT_MS + SET_LIMIT_MS + 500);
}
