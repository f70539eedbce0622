/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot: in which order the firmware tries what it can boot from. Pure. */
#pragma once
#include "launcher/config/config.h"

/*
 * QEMU's bootindex of the section "KIND NAME" (disk, cdrom, network, pci, usb), from 1; 0 for none. By boot.order; without one, the disks
 * and passed devices as they stand in the file (of these only disk controllers are to be given it), then the CD-ROMs, unless the kernel is
 * given directly. OVMF forgets every other way to boot as soon as one device has an index.
 */
int boot_index(const struct config *c, const char *kind, const char *name);
