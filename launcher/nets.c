/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nets: see nets.h. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/nets.h"

void nets_bind(struct machine *m)
{
	struct plan *p = m->plan;
	m->net_helpers = mem_new((p->net.n + 1) * sizeof(*m->net_helpers));
	for (size_t i = 0; i < p->net.n; i++) {
		const struct net *n = &p->net.v[i];
		struct process *helper = &m->net_helpers[i];
		*helper = (struct process)PROCESS_INIT;
		helper->name = n->helper;
		helper->argv = n->helper_argv.v;
		helper->env = p->env.v;
		helper->ready = net_helper_ready(n);
		if (n->passt && geteuid() == 0) { /* dnsmasq needs its ports first, and then goes by itself */
			helper->become = user_become_data;
			helper->become_data = &p->user;
		}
		for (size_t k = 0; k < p->n_net_steps; k++)
			if (p->steps.v[k].kind == &process_kind && streq(p->steps.v[k].target, n->helper))
				p->steps.v[k].data = helper;
	}
}

/* passt and QEMU at the two ends of a socket. */
static struct err *connect_helper(struct process *helper, int *ret_fd)
{
	int fds[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return err_errno(errno, "socketpair");
	helper->fds[0] = fds[0];
	helper->n_fds = 1;
	*ret_fd = fds[1];
	return NULL;
}

/* QEMU's descriptors of each network have their place, as the arguments count them, before they are there. */
struct err *nets_begin(struct machine *m)
{
	struct plan *p = m->plan;
	struct steps first = { p->steps.v, p->n_net_steps };
	int *fds = &m->qemu.fds[m->qemu.n_fds], *fd = fds;
	for (size_t i = 0; i < p->net.n; i++)
		for (size_t k = net_fds(&p->net.v[i]); k > 0; k--)
			m->qemu.fds[m->qemu.n_fds++] = -1;
	for (size_t i = 0; i < p->net.n; fd += net_fds(&p->net.v[i++]))
		if (p->net.v[i].passt)
			TRY(connect_helper(&m->net_helpers[i], fd));
	TRY(engine_apply(&m->engine, &first));
	fd = fds;
	for (size_t i = 0; i < p->net.n; fd += net_fds(&p->net.v[i++])) {
		if (m->net_helpers[i].n_fds)
			fd_closep(&m->net_helpers[i].fds[0]);
		TRY(err_exit(net_open(m->cli->root, &p->net.v[i], fd), EXIT_HOST));
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

static int on_end(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	struct process *helper = data;
	(void)fd, (void)revents;
	if (process_ended(helper)) {
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
		process_listen(helper);
		cleanup_free char *words = process_last_words(helper, 3), *how = process_status_text(helper->status);
		if (helper->status)
			log_warn("%s ended with %s; the guest's network is without it%s%s", helper->name, how,
				 *words ? ": " : "", words);
	}
	return 0;
}

int nets_watch(struct machine *m)
{
	int r = 0;
	for (size_t i = 0; i < m->plan->net.n && r >= 0; i++) {
		struct process *helper = &m->net_helpers[i];
		if (helper->pidfd < 0)
			continue;
		r = sd_event_add_io(m->event, NULL, helper->pidfd, EPOLLIN, on_end, helper);
		if (r >= 0)
			r = sd_event_add_io(m->event, NULL, helper->stderr_fd, EPOLLIN, on_said, helper);
	}
	return r;
}

void nets_close(struct machine *m)
{
	for (size_t i = 0; m->net_helpers && i < m->plan->net.n; i++) {
		if (m->net_helpers[i].n_fds)
			fd_closep(&m->net_helpers[i].fds[0]);
		process_close(&m->net_helpers[i]);
	}
	free(m->net_helpers);
	m->net_helpers = NULL;
}
