/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shares: see shares.h. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/shares.h"

void shares_bind(struct machine *m)
{
	struct plan *p = m->plan;
	m->share_helpers = mem_new((p->shares.n + 1) * sizeof(*m->share_helpers));
	for (size_t i = 0; i < p->shares.n; i++) {
		struct process *helper = &m->share_helpers[i];
		*helper = (struct process)PROCESS_INIT;
		helper->name = p->shares.v[i].helper;
		helper->argv = p->shares.v[i].argv.v;
		helper->env = p->env.v;
		helper->become = share_become;
		helper->become_data = &p->shares.v[i];
		p->steps.v[p->share_step + i].data = helper;
	}
}

/*
 * virtiofsd takes a socket that listens, and the first to connect. Both is done here, so that it can be nobody else: a name of the kernel's
 * choice in the abstract namespace (unix(7)), and room for one.
 */
static struct err *make_connection(int *ret_listener, int *ret_fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(addr);
	cleanup_fd int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || fd < 0 || bind(listener, (struct sockaddr *)&addr, sizeof(sa_family_t)) < 0 || listen(listener, 0) < 0 ||
	    getsockname(listener, (struct sockaddr *)&addr, &len) < 0 || connect(fd, (struct sockaddr *)&addr, len) < 0)
		return err_errno(errno, "a socket for virtiofsd");
	*ret_listener = fd_steal(&listener);
	*ret_fd = fd_steal(&fd);
	return NULL;
}

struct err *shares_connect(struct machine *m)
{
	for (size_t i = 0; i < m->plan->shares.n; i++) {
		TRY(make_connection(&m->share_helpers[i].fds[0], &m->qemu.fds[m->qemu.n_fds]));
		m->share_helpers[i].n_fds = 1;
		m->qemu.n_fds++;
	}
	return NULL;
}

struct err *shares_begin(struct machine *m)
{
	for (size_t i = 0; i < m->plan->shares.n; i++) {
		TRY(engine_apply_one(&m->engine, &m->plan->steps.v[m->plan->share_step + i]));
		fd_closep(&m->share_helpers[i].fds[0]);
		m->share_helpers[i].n_fds = 0;
	}
	return NULL;
}

static int on_said(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	(void)fd, (void)revents;
	if (!process_listen(data))
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
	return 0;
}

static void say_end(struct process *helper)
{
	process_listen(helper);
	cleanup_free char *words = process_last_words(helper, 3), *how = process_status_text(helper->status);
	if (helper->status) /* with 0 it ends because QEMU does */
		log_warn("%s ended with %s; the guest is without that folder%s%s", helper->name, how, *words ? ": " : "", words);
}

static int on_end(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	struct process *helper = data;
	(void)fd, (void)revents;
	if (!process_ended(helper))
		return 0;
	sd_event_source_set_enabled(source, SD_EVENT_OFF);
	say_end(helper);
	return 0;
}

void shares_tell(struct machine *m)
{
	for (size_t i = 0; i < m->plan->shares.n; i++)
		if (m->share_helpers[i].pidfd >= 0 && process_ended(&m->share_helpers[i]))
			say_end(&m->share_helpers[i]);
}

int shares_watch(struct machine *m)
{
	int r = 0;
	for (size_t i = 0; i < m->plan->shares.n && r >= 0; i++) {
		struct process *helper = &m->share_helpers[i];
		r = sd_event_add_io(m->event, NULL, helper->pidfd, EPOLLIN, on_end, helper);
		if (r >= 0)
			r = sd_event_add_io(m->event, NULL, helper->stderr_fd, EPOLLIN, on_said, helper);
	}
	return r;
}

void shares_close(struct machine *m)
{
	for (size_t i = 0; m->share_helpers && i < m->plan->shares.n; i++) {
		if (m->share_helpers[i].n_fds)
			fd_closep(&m->share_helpers[i].fds[0]);
		process_close(&m->share_helpers[i]);
	}
	free(m->share_helpers);
	m->share_helpers = NULL;
}
