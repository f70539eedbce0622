/* SPDX-License-Identifier: GPL-2.0-or-later */
/* shares: see shares.h. */
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "launcher/base/tr.h"
#include "launcher/live/shares.h"

void shares_bind(struct machine *m)
{
	struct plan *p = m->plan;
	helpers_new(&m->share_helpers, p->shares.n, N_("the guest is without that folder"));
	for (size_t i = 0; i < p->shares.n; i++) {
		struct process *helper = &m->share_helpers.v[i];
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
		TRY(make_connection(&m->share_helpers.v[i].fds[0], &m->qemu.fds[m->qemu.n_fds]));
		m->share_helpers.v[i].n_fds = 1;
		m->qemu.n_fds++;
	}
	return NULL;
}

struct err *shares_begin(struct machine *m)
{
	for (size_t i = 0; i < m->plan->shares.n; i++) {
		TRY(engine_apply_one(&m->engine, &m->plan->steps.v[m->plan->share_step + i]));
		helper_close_socket(&m->share_helpers.v[i]);
	}
	return NULL;
}
