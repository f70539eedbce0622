/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot: see boot.h. */
#include "launcher/guest/args_boot.h"

int boot_index(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->boot.order.n; i++)
		if (streq(c->boot.order.v[i], name))
			return (int)i + 1;
	if (c->boot.order.n || c->boot.kernel)
		return 0;
	for (size_t i = 0; i < c->n_disks; i++)
		if (streq(c->disks[i].name, name))
			return (int)i + 1;
	for (size_t i = 0; i < c->n_cdroms; i++)
		if (streq(c->cdroms[i].name, name))
			return (int)(c->n_disks + i) + 1;
	return 0;
}
