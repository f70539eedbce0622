/* SPDX-License-Identifier: GPL-2.0-or-later */
/* zones: see zones.h. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "launcher/base/child.h"
#include "launcher/base/log.h"
#include "launcher/host/net/net_zone.h"
#include "launcher/live/zones.h"

struct zones {
	struct machine *m;
	struct zone_watch *watch;
	pid_t pid; /* of the child that renews; 0: none does */
	int pidfd;
	sd_event_source *end;
	bool again; /* firewalld has begun anew since that was forked */
};

static bool is_in_zone(const struct step *s)
{
	return s->kind == &net_zone_kind && s->state == STEP_DONE;
}

/* In the zone still, or in one that somebody chose meanwhile: left. */
static struct err *renew(struct engine *engine, struct step *s)
{
	cleanup_free char *now = NULL;
	TRY(s->kind->probe(engine->env, s, &now));
	return streq(now, s->prior) ? engine_renew(engine, s) : NULL;
}

_Noreturn static void child(struct machine *m, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	child_apart();
	for (size_t i = 0; i < m->plan->steps.n && getppid() == parent; i++)
		if (is_in_zone(&m->plan->steps.v[i]))
			log_err(LOG_LEVEL_WARN, renew(&m->engine, &m->plan->steps.v[i]));
	_exit(0);
}

static void begin_child(struct zones *z);

static void collect(struct zones *z)
{
	kill(z->pid, SIGKILL);
	waitpid(z->pid, NULL, 0);
	z->pid = 0;
	z->end = sd_event_source_disable_unref(z->end);
	fd_closep(&z->pidfd);
}

static int on_end(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	struct zones *z = data;
	(void)source, (void)fd, (void)revents;
	collect(z);
	if (z->again)
		begin_child(z);
	return 0;
}

static void begin_child(struct zones *z)
{
	pid_t parent = getpid();
	z->again = false;
	z->pid = fork();
	if (z->pid == 0)
		child(z->m, parent);
	z->pidfd = z->pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, z->pid, 0);
	int r = z->pidfd < 0 ? -errno : sd_event_add_io(z->m->event, &z->end, z->pidfd, EPOLLIN, on_end, z);
	if (r >= 0)
		return;
	log_err(LOG_LEVEL_WARN, err_wrap(err_errno(-r, "fork"), "firewalld"));
	if (z->pid > 0)
		collect(z);
	z->pid = 0;
}

static void on_again(void *data)
{
	struct zones *z = data;
	z->again = true;
	if (!z->pid)
		begin_child(z);
}

struct zones *zones_begin(struct machine *m)
{
	bool any = false;
	for (size_t i = 0; i < m->plan->steps.n; i++)
		any |= is_in_zone(&m->plan->steps.v[i]);
	if (!any)
		return NULL;
	struct zones *z = mem_new(sizeof(*z));
	*z = (struct zones){ .m = m, .pidfd = -1 };
	struct err *e = net_zone_watch(m->cli->root, m->event, on_again, z, &z->watch);
	if (!e)
		return z;
	log_err(LOG_LEVEL_WARN, e);
	free(z);
	return NULL;
}

void zones_end(struct zones *z)
{
	if (!z)
		return;
	net_zone_unwatch(z->watch);
	if (z->pid)
		collect(z);
	free(z);
}
