/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nospace: a guest that QEMU has paused because an image cannot be written to (its file system is full, a quota, a server
 * that is away) loses nothing: the request waits. While it is paused, and only then, a timer looks whether there is
 * room, and lets it go on. Where nothing can be seen (a quota, a thin pool) it is simply tried, ever more seldom.
 */
#pragma once
#include "launcher/live/machine.h"

/* A write to `disk` has failed, and the guest was stopped for it. `why` in words; `full`: no space left. */
void nospace_wait(struct machine *m, const struct disk *disk, const char *why, bool full);
void nospace_free(struct nospace *r); /* NULL is fine */
