/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capture: a host as what reads it reads it. While a root is captured, every path that is asked for is noted (root_watch); then each is read
 * once more, and made into an archive that is read by --root as the host was: links and folders on the way, content below the kernel's, the
 * distribution's and the boot loader's folders, elsewhere only that a file is there and how large. What is personal is taken out (scrub),
 * and some things are never in it: other processes, homes' content, user database, monitors' EDIDs, firmware tables, keys.
 *
 * Reads; writes nothing.
 */
#pragma once
#include "launcher/base/root.h"
#include "launcher/tools/archive.h"
#include "launcher/tools/scrub.h"

struct capture {
	struct root *root;
	struct strv there, list, read; /* as asked */
	struct archive_item *items;
	size_t n, bytes;
	struct scrub scrub;
};
/* From here on the root tells. The root must not be the host's own ("/."): only what does not ask the machine itself is to be replayed. */
void capture_begin(struct capture *c, struct root *root);
/* Adds a file that is not of the host, at the tree's top. */
void capture_add(struct capture *c, const char *name, const char *text);
/* Reads all that was asked for, and takes out what is personal. Error: EFBIG. */
struct err *capture_end(struct capture *c);
void capture_free(struct capture *c);
#define cleanup_capture cleanup(capture_free)
