/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usb: QEMU's arguments for USB devices of the host. Pure. */
#pragma once
#include "launcher/config/config.h"
#include "launcher/guest/args.h"
#include "launcher/host/qemu/qemu.h"
#include "launcher/step/finding.h"

#define USB_BUS "usb.0" /* what its devices are on */

/* A controller "usb" in slot 3 of the root bus, where the machine has anything to plug in there; devices of the host are
 * attached while QEMU runs. */
void guest_usb(struct args *out, const struct config *c);
/* What device_add takes for a device whose descriptor is in the set `fdset`; `boot`: its boot_index. Owned by the caller. */
json_t *guest_usb_device(const char *id, int fdset, int boot);
/* For `check`: whether this QEMU can have a device of the host at all; Arch and Fedora package that apart. */
void guest_usb_findings(struct findings *out, const struct config *c, const struct qemu_facts *q);
