/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disks: see disks.h. */
#include <stdlib.h>
#include "launcher/live/disks.h"

void disks_bind(struct machine *m)
{
	struct plan *p = m->plan;
	size_t n = disk_fds(&p->disks);
	m->disk_fds = mem_new((n + 1) * sizeof(*m->disk_fds));
	for (size_t i = 0; i < n; i++) {
		m->disk_fds[i] = -1;
		p->steps.v[p->claim_step + i].data = &m->disk_fds[i];
	}
}

void disks_give(struct machine *m)
{
	for (size_t i = 0; i < disk_fds(&m->plan->disks); i++)
		m->qemu.fds[m->qemu.n_fds++] = fd_steal(&m->disk_fds[i]);
}

void disks_close(struct machine *m)
{
	for (size_t i = 0; m->disk_fds && i < disk_fds(&m->plan->disks); i++)
		fd_closep(&m->disk_fds[i]);
	free(m->disk_fds);
	m->disk_fds = NULL;
}
