/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user: as whom programs run. The launcher may be root (sudo, pkexec); what the configuration names is run as the one who called, with no
 * capability and no way to get any.
 */
#pragma once
#include <stddef.h>
#include <sys/types.h>
#include "launcher/base/err.h"

struct user {
	uid_t uid;
	gid_t gid;
	char *name, *home;
	gid_t *groups; /* the supplementary ones */
	size_t n_groups;
};

/*
 * By name; NULL is the one who called: as root SUDO_UID, else PKEXEC_UID, else root itself; not as root, ourselves (then any other name
 * is an error, EPERM). ENOENT: there is no such user.
 */
struct err *user_find(const char *name, struct user *ret_user);
void user_free(struct user *u);
#define cleanup_user cleanup(user_free)

/*
 * In a child: becomes that user for good. Groups, gid, uid, all capabilities gone (the bounding set's too, so that uid 0 gets none back by
 * execve), no_new_privs; then verified. PR_SET_PDEATHSIG is lost by it (prctl(2)).
 */
struct err *user_become(const struct user *u);
