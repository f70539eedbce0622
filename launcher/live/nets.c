/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nets: see nets.h. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>
#include "launcher/base/tr.h"
#include "launcher/live/nets.h"

static char roots_path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *const roots_env[] = { roots_path, NULL };

void nets_bind(struct machine *m)
{
	struct plan *p = m->plan;
	helpers_new(&m->net_helpers, p->net.n, N_("the guest's network is without it"));
	for (size_t i = 0; i < p->net.n; i++) {
		const struct net *n = &p->net.v[i];
		struct process *helper = &m->net_helpers.v[i];
		helper->name = n->helper;
		helper->argv = n->helper_argv.v;
		helper->env = p->env.v;
		if (!n->passt) /* root's: nothing of the user's */
			helper->env = roots_env;
		helper->ready = net_helper_ready(n);
		if (n->passt && geteuid() == 0) { /* dnsmasq needs its ports first, and then goes by itself */
			helper->become = user_become_data;
			helper->become_data = &p->user;
		}
		for (size_t k = 0; k < p->n_early_steps; k++)
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
	struct steps first = { p->steps.v, p->n_early_steps };
	int *fds = &m->qemu.fds[m->qemu.n_fds], *fd = fds;
	for (size_t i = 0; i < p->net.n; i++)
		for (size_t k = net_fds(&p->net.v[i]); k > 0; k--)
			m->qemu.fds[m->qemu.n_fds++] = -1;
	for (size_t i = 0; i < p->net.n; fd += net_fds(&p->net.v[i++]))
		if (p->net.v[i].passt)
			TRY(connect_helper(&m->net_helpers.v[i], fd));
	TRY(engine_apply(&m->engine, &first));
	fd = fds;
	for (size_t i = 0; i < p->net.n; fd += net_fds(&p->net.v[i++])) {
		helper_close_socket(&m->net_helpers.v[i]);
		TRY(err_exit(net_open(m->cli->root, &p->net.v[i], fd), EXIT_HOST));
	}
	return NULL;
}
