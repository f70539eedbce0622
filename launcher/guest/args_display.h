/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * display: how the guest's picture reaches the person who has no second GPU for it: SPICE on a socket file, a window of
 * QEMU's, or Looking Glass's shared memory. Pure: config and facts in, arguments and findings out.
 */
#pragma once
#include "launcher/config/config.h"
#include "launcher/guest/args.h"
#include "launcher/host/desktop/desktop.h"
#include "launcher/host/qemu/qemu.h"
#include "launcher/step/finding.h"

/* After guest_usb, whose bus the tablet is on. */
void guest_display(struct args *out, const struct config *c, const struct desktop_facts *d, const struct qemu_facts *q);
/* The program that shows it; empty where there is none, or no screen for it. */
void display_viewer(struct strv *ret_argv, const struct config *c, const struct desktop_facts *d);
void display_findings(struct findings *out, const struct config *c, const struct desktop_facts *d, const struct qemu_facts *q);
