/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * behalf: what a root that acts for somebody takes over from them: which variables, and, where neither sudo, pkexec nor doas says who they
 * are, their identity by the file that they name. The only place that changes this process's environment for good.
 */
#pragma once
#include "launcher/base/user.h"

/*
 * With an effective uid of 0: PATH is the one that was built in (make ROOT_PATH=…), whatever the caller's is. On behalf of another user the
 * whole environment is made: the table in behalf.c lists what is let through, and why; HOME is root's. Nothing for others. First thing of
 * main.
 */
void behalf_environment(void);
/*
 * On whose behalf a command acts that has been given the file `path`: see user_find(). A root whom nobody has called (its own shell, a
 * service) acts for the owner of the file. If that is root, nobody else may be able to write to it or to exchange it: EPERM, with
 * what is wrong and a remedy. *ret_path is what to open as that user: the path, for root in a folder without links. A file that is not
 * there says nothing: the one who reads it says so.
 */
struct err *behalf_of_file(const char *path, struct user *ret_user, char **ret_path);
