/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trust: whether somebody else could exchange what a path leads to. Looks only. */
#pragma once
#include "launcher/base/root.h"

/*
 * NULL if all of `path`, after its links, is root's or `uid`'s and can be written to by nobody else: then what was seen there stays there. A
 * directory with the sticky bit lets others add names, not take these away, and passes; group 0 counts as root. Else EPERM, with what is
 * wrong and where; ENOENT where there is no such path.
 */
struct err *trust_path(struct root *root, const char *path, uid_t uid);
