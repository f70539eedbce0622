/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci_names: names by pci.ids, through libpci; see pci.h. The only file that knows libpci. */
#include <pci/pci.h>
#include <stdlib.h>
#include "launcher/host/pci.h"

struct pci_names {
	struct pci_access *access;
};

struct pci_names *pci_names_new(void)
{
	struct pci_names *names = mem_new(sizeof(*names));
	names->access = pci_alloc(); /* never pci_init: nothing of the host is looked at, only pci.ids */
	return names;
}

char *pci_names_get(struct pci_names *names, uint16_t vendor, uint16_t device)
{
	char buf[256];
	const char *name = pci_lookup_name(
		names->access, buf, sizeof(buf),
		PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE | PCI_LOOKUP_NO_HWDB | PCI_LOOKUP_NO_NUMBERS, vendor, device);
	return name ? str_printable(name) : str_fmt("%04x:%04x", vendor, device);
}

void pci_names_freep(struct pci_names **names)
{
	if (!*names)
		return;
	pci_cleanup((*names)->access);
	free(*names);
}
