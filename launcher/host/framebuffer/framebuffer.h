/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * console: the host's hold on its only GPU, let go for the guest: the display manager, the text console on the frame buffer
 * (/sys/class/vtconsole) and the firmware's frame buffer (efi-, simple-, vesa-framebuffer on the platform bus). Which of these there are,
 * and under which number, is read, never assumed.
 *
 * Reads sysfs and what systemd and logind keep in files. Steps of the kinds "unit", "attr" and "framebuffer".
 */
#pragma once
#include "launcher/config/config.h"
#include "launcher/step/finding.h"
#include "launcher/step/step.h"

struct console_facts {
	char *manager;            /* the display manager's unit ("gdm.service"); NULL: none is installed, or no systemd runs */
	struct strv vtconsoles;   /* "vtcon1": those that draw into a frame buffer */
	struct strv framebuffers; /* "efi-framebuffer/efi-framebuffer.0": driver and device */
	char *session;            /* why this launcher would end with the desktop; NULL: it would not */
};

/* All empty without [host] release-console. */
struct err *console_facts_read(struct root *root, const struct config *c, struct console_facts *ret_facts);
void console_facts_free(struct console_facts *f);
#define cleanup_console_facts cleanup(console_facts_free)

/* To come before the steps of PCI devices. */
void console_steps(struct steps *out, const struct console_facts *f);
void console_findings(struct findings *out, const struct config *c, const struct console_facts *f);

/* Target "DRIVER/DEVICE", values "bound", "unbound", "absent": the GPU's own driver has taken its place. */
extern const struct step_kind framebuffer_kind;
