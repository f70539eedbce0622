/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user: on whose behalf the machine runs. QEMU, swtpm, hooks, and whatever reads or writes a file that the configuration names, run as this
 * user, without capabilities and without a way to any.
 *
 * It reads the user database and the environment, and changes the credentials of the process that calls user_become: a forked child, never
 * the launcher itself. It opens no file.
 */
#pragma once
#include <sys/stat.h>
#include <sys/types.h>
#include "launcher/base/err.h"
#include "launcher/base/str.h"

struct user {
	uid_t uid;
	gid_t gid;
	char *name, *home;
	char *runtime_dir; /* $XDG_RUNTIME_DIR, /run/user/UID; NULL if there is none */
	char *data_dir;    /* $XDG_DATA_HOME or ~/.local/share */
	char *wayland;     /* socket in runtime_dir of a desktop that our environment does not name: pkexec and sudo drop it. Mostly NULL */
	gid_t *groups;     /* supplementary, gid among them; of the caller itself those that it has */
	size_t n_groups;
};

/*
 * Who it is. Unprivileged: the caller, and nobody else may be `wanted` (vm.user; NULL where it is not set). As root: the one who called
 * sudo, pkexec or doas, and nobody else, because a rule that lets somebody start virtual machines is not to make them somebody else; where
 * there is none, `wanted`, or root itself: without a capability, but with root's files, so the caller of this warns.
 * Errors have a remedy and EXIT_HOST.
 */
struct err *user_find(const char *wanted, struct user *ret_user);
/*
 * The one who called sudo, pkexec or doas, by the variable that each of them sets; 0 where that is root, or there is none. An error where a
 * variable names nobody, or two name two users: one of them was let through from an earlier environment, and nobody knows which.
 */
struct err *user_invoked_by(uid_t *ret_uid);
/* Whether a variable says that somebody else than root called. Looks nobody up. */
bool user_is_invoked(void);
/* user_find() from given facts: for tests, and for what main knows already. `invoked_by`: see user_invoked_by(). */
struct err *user_choose(const char *wanted, uid_t real, uid_t effective, uid_t invoked_by, struct user *ret_user);
/* As whom a machine runs whose configuration `caller` may read: vm.user (`wanted`) if that is the caller, or the caller is root; else the
 * caller. */
struct err *user_of_config(const struct user *caller, const char *wanted, struct user *ret_user);
void user_free(struct user *u);
#define cleanup_user cleanup(user_free)

/*
 * Becomes that user for good: in a child that is forked for it. Supplementary groups, real, effective and saved ids, every capability of
 * every set (the bounding one where we may), no_new_privs; then tries to come back, and is an error if that works.
 */
struct err *user_become(const struct user *u);
/* As a step of process.h: data is a const struct user. */
struct err *user_become_data(void *data);

/* Whole environment of a program run for this user: HOME, USER, PATH, XDG_RUNTIME_DIR, the session's bus, and of ours only what names its
 * display, sound and language. */
void user_env(const struct user *u, struct strv *ret_env);

/* Runs fn(data) with this user's rights to files and HOME, in this process, and comes back: for reading what the user names. Unprivileged,
 * it only runs it. */
struct err *user_visit(const struct user *u, struct err *(*fn)(void *data), void *data);
/* Whether this user finds something at a path; what, in *ret_st, which may be NULL. */
bool user_sees(const struct user *u, const char *path, struct stat *ret_st);
/*
 * For a child that was forked in a visit: what it was before, root, for good. (user_become works there too: it is left first.) Elsewhere
 * it changes nothing.
 */
struct err *user_return(void);
