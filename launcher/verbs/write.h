/* SPDX-License-Identifier: GPL-2.0-or-later */
/* write: a new configuration's file, for the commands that make one. Written as the user, and never over another. */
#pragma once
#include "launcher/base/err.h"
#include "launcher/base/user.h"

/*
 * Where it goes: `output` ("-" for standard output: *ret_path stays NULL), or NAME.conf in the user's ~/.config/qlaunch.
 * EEXIST, exit status 2, where there is such a file. Owned by the caller.
 */
struct err *write_path(const struct user *u, const char *output, const char *name, char **ret_path);
/* Creates it; NULL for standard output. */
struct err *write_new(const struct user *u, const char *path, const char *text);
/* Whether the text is a configuration without a mistake; the error has every mistake, and `what` in front. */
struct err *write_verify(const char *text, const char *what);
