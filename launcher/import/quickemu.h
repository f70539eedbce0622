/* SPDX-License-Identifier: GPL-2.0-or-later */
/* quickemu: what the two files that read its .conf share: quickemu.c reads its text, quickemu_keys.c knows its words. See import.h. */
#pragma once
#include "launcher/import/draft.h"

/* What quickemu 4.9.9 makes of a system; tests/differential/quickemu compares. */
struct quickemu_os {
	const char *name; /* guest_os, a shell pattern */
	const char *clock, *bus, *card;
	const char *video;       /* with SPICE; Windows has virtio in a window */
	const char *other_video; /* what quickemu has there, where qlaunch has no such card; NULL */
	bool windows;            /* Hyper-V's interfaces, and no HPET */
	bool old_board;          /* i440FX */
	const char *cpu;         /* NULL: the host's */
};

struct quickemu {
	struct draft *d;
	const char *dir;
	unsigned line;
	struct strv forwards;
	unsigned forward_line;
	const struct quickemu_os *os;
	bool ssh, shared, no_picture;
	bool spice; /* the picture goes by SPICE */
	bool named_os, no_network, restricted;
	bool reads_os; /* the pass over the text that looks for guest_os alone */
	char *width, *height;
	char *disk_dir; /* where quickemu keeps the machine's own files */
};

/* Of a file that does not say it. */
extern const struct quickemu_os *const quickemu_default_os;

/* One NAME=VALUE, or one value of NAME=(…). */
void quickemu_take(struct quickemu *q, const char *name, const char *value);
