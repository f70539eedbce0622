/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture_scrub: what is personal in a captured host, and where it is told: serial numbers in files of their own, names of the host and its
 * users, places where disks are mounted, values in configurations. All of it is told to scrub first, for what one file says stands in others.
 * Reads the captured root; writes nothing.
 */
#pragma once
#include "launcher/base/root.h"
#include "launcher/tools/archive.h"
#include "launcher/tools/scrub.h"

/* Takes it out of the paths and the content of all items of that root. Two may have one path then. */
void capture_scrub(struct root *root, struct scrub *scrub, struct archive_item *items, size_t n);
