/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trust: whether somebody else could exchange what a path leads to. Looks only, or holds what it has seen. */
#pragma once
#include "launcher/base/root.h"

/*
 * NULL if all of `path`, after its links, is root's or `uid`'s and can be written to by nobody else: then what was seen there stays there.
 * A directory with the sticky bit lets others add names, not take these away, and passes; group 0 counts as root. Else EPERM, with what is
 * wrong and where; ENOENT where there is no such path.
 */
struct err *trust_path(struct root *root, const char *path, uid_t uid);
/*
 * The same, and from now on it is reached by the descriptor that was asked (root_hold): for a folder that is written to, in a place that
 * need not be root's. A link on the way is an error, too.
 */
struct err *trust_hold(struct root *root, const char *path, uid_t uid);
