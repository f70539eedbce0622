/* SPDX-License-Identifier: GPL-2.0-or-later */
/* typed: a path as people hand it over: typed, pasted, or dropped from a file manager into the terminal. Pure but for one look, as the
 * user, whether a file of just that name is there. */
#pragma once
#include "launcher/base/user.h"

/* Absolute where `here` is: without blanks around it and quotes, "file://…" and "~/…" taken for what they mean. A file that is really called
 * like that wins. `user` is who typed it. Owned by the caller. */
char *typed_path(const struct user *user, const char *word, const char *here);
/* The path as a shell's word: quoted where it has to be. Owned by the caller. */
char *typed_quoted(const char *path);
