/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usb: attaches the host's USB devices to the running guest when they are plugged in, and detaches them when they are
 * gone. It opens each as root and hands the descriptor to QEMU, which has no right to the node; what a device was
 * before is a step.
 */
#pragma once
#include "launcher/live/machine.h"

/*
 * For a guest that does not run yet: attaches what boot.order names, waits for QEMU's word, and has it make its boot order anew, which it
 * does at a reset alone (hw/nvram/fw_cfg.c: fw_cfg_machine_reset). What cannot be attached is said; without any such [usb NAME], nothing is
 * done.
 */
struct err *usb_for_boot(struct machine *m);
/* Attaches all that is there and begins to watch, in m->usb. What cannot be attached is said; the guest runs without it. */
void usb_begin(struct machine *m);
void usb_end(struct usb *u); /* NULL is fine */
