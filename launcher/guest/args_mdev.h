/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mdev: QEMU's arguments for parts of a card (mediated devices). Pure. */
#pragma once
#include "launcher/guest/args.h"
#include "launcher/host/mdev/mdev.h"

/* A PCI Express root port each, the first with the number `first` (counted from 1) of `ports` that the machine has, and the device behind it,
 * with the id "mdev-NAME". `fd`: QEMU's descriptor of the first; -1: it opens their groups. */
void guest_mdevs(struct args *out, const struct mdev_facts *f, unsigned first, unsigned ports, int fd);
