/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * usb: attaches the host's USB devices to the running guest when they are plugged in, and detaches them when they are
 * gone. It opens each as root and hands the descriptor to QEMU, which has no right to the node; what a device was
 * before is a step.
 */
#pragma once
#include "launcher/live/machine.h"

struct usb;

/* Attaches what is there and begins to watch. What cannot be attached is said; the guest runs without it. NULL without
 * any [usb NAME]. */
struct usb *usb_begin(struct machine *m);
void usb_end(struct usb *u); /* NULL is fine */
