/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci_open: descriptors of the guest's devices, for a host that hands them over by iommufd. See kind/vfio.h. */
#include "launcher/host/kind/vfio.h"
#include "launcher/host/pci/pci.h"

size_t pci_count(const struct pci_facts *f)
{
	size_t n = 0;
	for (size_t i = 0; i < f->n_picks; i++)
		n += f->picks[i].n;
	return n;
}

struct err *pci_open(struct root *root, const struct pci_facts *f, int fds[], size_t *n)
{
	for (size_t i = 0; i < f->n_picks; i++)
		for (size_t k = 0; k < f->picks[i].n; k++, ++*n) {
			cleanup_free char *sys = str_fmt("/sys/bus/pci/devices/%s", pci_addr_text(f->picks[i].v[k].addr).s);
			TRY(vfio_open_device(root, sys, &fds[*n]));
		}
	return NULL;
}
