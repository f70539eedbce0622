/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci: QEMU's arguments for the host's devices that the guest gets. Pure. */
#pragma once
#include "launcher/config/config.h"
#include "launcher/guest/args.h"
#include "launcher/host/pci/pci.h"

/*
 * A PCI Express root port for each slot of the host ("port1", chassis 1; GPUs first), its functions behind it under the numbers that they
 * have on the host. Under UEFI, a GPU gets a window for its memory that is large enough. `ports`: all that the machine has, others' too. `fd`: QEMU's
 * descriptor of the first function, the others follow in the order of the facts; -1: QEMU opens their groups.
 */
unsigned pci_ports(const struct pci_facts *f); /* how many those are */
void pci_args(struct args *out, const struct config *c, const struct pci_facts *f, unsigned ports, int fd);
/* -object iommufd with that descriptor of /dev/iommu; and of a device behind it. */
void args_iommufd(struct args *out, int fd);
void args_vfio_fd(json_t *device, int fd);
