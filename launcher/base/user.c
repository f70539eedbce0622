/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user: see user.h. */
#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "launcher/base/num.h"
#include "launcher/base/str.h"
#include "launcher/base/user.h"

/* The user id that sudo or pkexec put into the environment; only they can, for a process that is root. */
static bool caller_of_root(uid_t *ret_uid)
{
	static const char *const names[] = { "SUDO_UID", "PKEXEC_UID" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *text = getenv(names[i]);
		uint64_t uid;
		struct err *e = text ? num_parse(text, UINT32_MAX - 1, &uid) : NULL; /* the highest means "no user" */
		if (text && !e) {
			*ret_uid = (uid_t)uid;
			return true;
		}
		err_free(e);
	}
	return false;
}

struct err *user_find(const char *name, struct user *ret_user)
{
	uid_t uid = getuid();
	if (geteuid() == 0 && !caller_of_root(&uid))
		uid = 0;
	errno = 0;
	struct passwd *pw = name ? getpwnam(name) : getpwuid(uid);
	if (!pw && !name && uid == geteuid()) { /* a container's user may be nothing but a number */
		const char *home = getenv("HOME");
		*ret_user = (struct user){ .uid = uid, .gid = getgid(), .name = str_fmt("%u", uid), .home = str_dup(home ? home : "/") };
		return NULL;
	}
	if (!pw)
		return name ? err_errno(errno ? errno : ENOENT, "user %s", name) : err_errno(errno ? errno : ENOENT, "user %u", uid);
	if (geteuid() != 0 && pw->pw_uid != geteuid())
		return err_hint(err_errno(EPERM, "user %s", pw->pw_name), "only root can run a machine as another user");
	struct user u = { .uid = pw->pw_uid, .gid = pw->pw_gid, .name = str_dup(pw->pw_name), .home = str_dup(pw->pw_dir) };
	int n = 0;
	getgrouplist(u.name, u.gid, NULL, &n);
	u.groups = mem_new((size_t)n * sizeof(gid_t));
	u.n_groups = getgrouplist(u.name, u.gid, u.groups, &n) < 0 ? 0 : (size_t)n;
	*ret_user = u;
	return NULL;
}

void user_free(struct user *u)
{
	free(u->name);
	free(u->home);
	free(u->groups);
	*u = (struct user){};
}

static struct err *change_ids(const struct user *u)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;
	if (setgroups(u->n_groups, u->groups) < 0 || setresgid(u->gid, u->gid, u->gid) < 0 || setresuid(u->uid, u->uid, u->uid) < 0)
		return err_errno(errno, "cannot become user %s", u->name);
	if (getresuid(&r, &e, &s) < 0 || getresgid(&rg, &eg, &sg) < 0 || r != u->uid || e != u->uid || s != u->uid || rg != u->gid ||
	    eg != u->gid || sg != u->gid)
		return err_errno(EPERM, "cannot become user %s", u->name);
	return NULL;
}

struct err *user_become(const struct user *u)
{
	bool privileged = geteuid() == 0;
	if (privileged) {
		/* while CAP_SETPCAP is there */
		capng_get_caps_process();
		capng_clear(CAPNG_SELECT_BOUNDS);
		if (capng_apply(CAPNG_SELECT_BOUNDS) < 0)
			return err_errno(EPERM, "cannot give up capabilities");
		TRY(change_ids(u));
	} else if (u->uid != getuid()) {
		return err_errno(EPERM, "cannot become user %s", u->name);
	}
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_apply(CAPNG_SELECT_CAPS) < 0 || capng_get_caps_process() < 0 || capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE)
		return err_errno(EPERM, "cannot give up capabilities");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_errno(errno, "no_new_privs");
	return NULL;
}
