/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * answers: the disc that answers an installer's questions. It lies in the machine's folder, 0600, and goes with the run that installs. Made with
 * the rights of the user, by the host's program for such discs.
 */
#pragma once
#include "launcher/base/user.h"

/* In a machine's folder. Owned by the caller. */
char *answers_path(const char *home);
/* A disc with one file, `name`, whose content is `text`. Makes the folder; replaces what an interrupted run has left. */
struct err *answers_make(const struct user *user, const char *home, const char *name, const char *text);
/* No more: nothing where there is none. */
void answers_remove(const struct user *user, const char *home);
