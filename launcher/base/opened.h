/* SPDX-License-Identifier: GPL-2.0-or-later */
/* opened: which processes have a file open, by the links in /proc/PID/fd. Opens none of those files. Sees what this
 * user may see. */
#pragma once
#include "launcher/base/root.h"

/* Whether a process counts that has a descriptor of this path. */
typedef bool opened_match(const void *data, const char *pid, const char *path);

/*
 * "Xorg (812), steam (4711)": the processes with a descriptor that `match` takes, at most eight of them; NULL if there are none. `writers`:
 * only descriptors open for writing. Never this process itself, which claims disks before it asks. Owned by the caller.
 */
char *opened_by(struct root *root, opened_match *match, const void *data, bool writers);
