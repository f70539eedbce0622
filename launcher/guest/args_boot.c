/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot: see boot.h. */
#include "launcher/config/keys.h"
#include "launcher/config/source.h"
#include "launcher/guest/args_boot.h"

/* Where the section stands in the file, to order disks and passed devices among each other; those of the command line come last. */
static unsigned line_of(const struct config *c, const char *kind, const char *name)
{
	cleanup_free char *title = str_fmt("%s %s", kind, name);
	const struct conf_place *place = c->source ? source_find(c->source, title, NULL) : NULL;
	return place && !place->set ? place->line : UINT32_MAX;
}

/* The disks and passed devices that stand before a line. */
static int count_before(const struct config *c, unsigned line)
{
	int n = 0;
	for (size_t i = 0; i < c->n_disks; i++)
		n += line_of(c, "disk", c->disks[i].name) < line;
	for (size_t i = 0; i < c->n_pci; i++)
		n += line_of(c, "pci", c->pci[i].name) < line;
	return n;
}

int boot_index(const struct config *c, const char *kind, const char *name)
{
	for (size_t i = 0; i < c->boot.order.n; i++)
		if (streq(c->boot.order.v[i], name))
			return (int)i + 1;
	if (c->boot.order.n || c->boot.kernel)
		return 0;
	unsigned line = line_of(c, kind, name);
	for (size_t i = 0; streq(kind, "disk") && i < c->n_disks; i++)
		if (streq(c->disks[i].name, name))
			return line == UINT32_MAX ? (int)(c->n_pci + i) + 1 : count_before(c, line) + 1;
	for (size_t i = 0; streq(kind, "cdrom") && i < c->n_cdroms; i++)
		if (streq(c->cdroms[i].name, name))
			return (int)(c->n_disks + c->n_pci + i) + 1;
	return streq(kind, "pci") ? count_before(c, line) + 1 : 0;
}
