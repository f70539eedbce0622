/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * desktop: what the user's session offers a machine that shows its picture or sounds on this host: a display, a sound
 * server, a viewer, and where QEMU's own files for them go. Reads the environment and looks which files are there;
 * starts nothing.
 */
#pragma once
#include <stdint.h>
#include "launcher/base/root.h"
#include "launcher/base/user.h"
#include "launcher/config/config.h"
#include "launcher/step/step.h"

struct desktop_facts {
	char *spice;          /* socket that QEMU makes; NULL: no SPICE, SPICE by a port, or no directory for it */
	char *shared;         /* Looking Glass: the file of its memory; NULL without */
	uint64_t shared_size; /* bytes it takes */
	uint64_t shared_now;  /* bytes of the file that is there already; 0 for none */
	bool kvmfr;           /* that file is Looking Glass's own kernel module */
	char *viewer;         /* path of the program that shows the picture; NULL: none found, or none needed */
	bool screen;          /* the user's X or Wayland display is known */
	bool render;          /* a GPU of the host can draw: /dev/dri/renderD128 */
	bool pipewire, pulse; /* a sound server of the user's listens */
};

/* `spice`: this QEMU has it. */
struct err *desktop_facts_read(struct root *root, const struct config *c, const struct user *user, bool spice,
			       struct desktop_facts *ret_facts);
void desktop_facts_free(struct desktop_facts *f);
#define cleanup_desktop_facts cleanup(desktop_facts_free)

/* Bytes that Looking Glass needs for a resolution such as "2560x1440": two frames of 4 bytes a pixel and 10 MiB, up to a
 * power of two (its manual, "Determining memory"). 0 for what is no resolution. */
uint64_t desktop_shared_size(const char *resolution);

/* Appends the step that makes Looking Glass's memory file, of that owner; none where the machine has none. */
void desktop_steps(struct steps *out, const struct desktop_facts *f, uid_t uid, gid_t gid);
