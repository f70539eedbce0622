/* SPDX-License-Identifier: GPL-2.0-or-later */
/* screens: see screens.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "launcher/base/child.h"
#include "launcher/base/log.h"
#include "launcher/host/screen/monitor.h"
#include "launcher/live/screens.h"

struct screen {
	struct screens *all;
	const struct conf_monitor *conf;
	size_t step; /* its index; the steps may move */
	bool due, begun;
	sd_event_source *timer;
};

struct screens {
	struct machine *m;
	struct screen *v;
	size_t n;
	struct screen *now; /* whose child runs; NULL for none */
	pid_t pid;
	int fd; /* the child says there, by one byte, in which state the step is */
	sd_event_source *io;
	char *prior; /* shared with the child: MONITOR_PRIOR_MAX bytes */
};

static void apply_next(struct screens *s);

static struct step *step_of(const struct screen *x)
{
	return &x->all->m->plan->steps.v[x->step];
}

_Noreturn static void child(struct screens *s, int out)
{
	struct step *step = step_of(s->now);
	char state;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	child_apart();
	step->data = s->prior;
	err_free(engine_apply_one(&s->m->engine, step)); /* an optional step: it has said what failed */
	state = (char)step->state;
	_exit(write(out, &state, 1) == 1 ? 0 : 1);
}

/* The child has ended, or is ended here: what it did is known by its word, or else by what it noted before it acted. */
static void collect(struct screens *s)
{
	struct step *step = step_of(s->now);
	char state = (char)(*s->prior ? STEP_FAILED : STEP_PLANNED);
	if (read(s->fd, &state, 1) != 1)
		kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	step->state = (enum step_state)state;
	str_set(&step->prior, *s->prior ? s->prior : NULL);
	s->io = sd_event_source_disable_unref(s->io);
	fd_closep(&s->fd);
	s->fd = -1;
	s->now = NULL;
}

static int on_answer(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	(void)source, (void)fd, (void)revents;
	collect(data);
	apply_next(data);
	return 0;
}

static struct err *begin_child(struct screens *s)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_errno(errno, "pipe");
	cleanup_fd int out = ends[1];
	s->fd = ends[0];
	memset(s->prior, 0, MONITOR_PRIOR_MAX);
	s->pid = fork();
	if (s->pid == 0)
		child(s, out);
	int r = s->pid < 0 ? -errno : sd_event_add_io(s->m->event, &s->io, s->fd, EPOLLIN, on_answer, s);
	return r < 0 ? err_errno(-r, "fork") : NULL;
}

/* One after the other: they may share a bus. */
static void apply_next(struct screens *s)
{
	for (size_t i = 0; i < s->n && !s->now; i++) {
		if (!s->v[i].due || s->v[i].begun)
			continue;
		s->now = &s->v[i];
		s->now->begun = true;
		struct err *e = begin_child(s);
		if (!e)
			continue;
		log_err(LOG_LEVEL_WARN, err_wrap(e, "monitor %s", s->now->conf->name));
		if (s->pid > 0)
			collect(s);
		s->now = NULL;
	}
}

static int on_time(sd_event_source *source, uint64_t usec, void *data)
{
	struct screen *x = data;
	(void)source, (void)usec;
	x->due = true;
	apply_next(x->all);
	return 0;
}

struct screens *screens_begin(struct machine *m)
{
	const struct config *c = m->plan->config;
	if (!c->n_monitors)
		return NULL;
	struct screens *s = mem_new(sizeof(*s));
	*s = (struct screens){ .m = m, .n = c->n_monitors, .fd = -1, .v = mem_new(c->n_monitors * sizeof(*s->v)) };
	s->prior = mmap(NULL, MONITOR_PRIOR_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s->prior == MAP_FAILED)
		abort();
	for (size_t i = 0; i < s->n; i++) {
		struct screen *x = &s->v[i];
		*x = (struct screen){ .all = s, .conf = &c->monitors[i], .step = m->plan->monitor_step + i };
		x->due = x->conf->when == SWITCH_START;
		if (x->conf->when == SWITCH_AFTER)
			sd_event_add_time_relative(m->event, &x->timer, CLOCK_MONOTONIC, x->conf->after_seconds * UINT64_C(1000000), 0,
						   on_time, x);
	}
	apply_next(s);
	return s;
}

void screens_ready(struct screens *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n; i++)
		s->v[i].due |= s->v[i].conf->when == SWITCH_GUEST_READY;
	apply_next(s);
}

void screens_end(struct screens *s)
{
	if (!s)
		return;
	if (s->now)
		collect(s);
	for (size_t i = 0; i < s->n; i++)
		sd_event_source_disable_unref(s->v[i].timer);
	munmap(s->prior, MONITOR_PRIOR_MAX);
	free(s->v);
	free(s);
}
