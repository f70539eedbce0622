/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user: see user.h. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "launcher/base/capset.h"
#include "launcher/base/limits.h"
#include "launcher/base/num.h"
#include "launcher/base/user.h"

#define GROUPS_MAX 65536 /* NGROUPS_MAX, include/uapi/linux/limits.h */

/* What user_visit comes back to. One at a time: a visit in a visit has no rights to give away. */
static struct {
	bool on;
	gid_t groups[GROUPS_MAX], own_gid;
	int n_groups;
	char *home;
} visit;

static struct err *leave(void)
{
	if (seteuid(0) < 0 || setegid(visit.own_gid) < 0 || setgroups((size_t)visit.n_groups, visit.groups) < 0)
		return err_errno(errno, "coming back");
	if (visit.home)
		setenv("HOME", visit.home, 1);
	else
		unsetenv("HOME");
	free(visit.home);
	visit.home = NULL;
	visit.on = false;
	return NULL;
}

void user_free(struct user *u)
{
	free(u->name);
	free(u->home);
	free(u->runtime_dir);
	free(u->data_dir);
	free(u->wayland);
	free(u->groups);
	*u = (struct user){};
}

static bool has_group(const struct user *u, gid_t gid)
{
	for (size_t i = 0; i < u->n_groups; i++)
		if (u->groups[i] == gid)
			return true;
	return false;
}

/* Those that this process has: what the account would get at its next login is neither ours to give, nor free to ask for (name
 * services). */
static void keep_groups(struct user *u)
{
	int n = getgroups(0, NULL);
	u->groups = mem_new(((size_t)(n > 0 ? n : 0) + 1) * sizeof(gid_t));
	n = getgroups(n > 0 ? n : 0, u->groups);
	u->n_groups = n > 0 ? (size_t)n : 0;
	if (!has_group(u, u->gid))
		u->groups[u->n_groups++] = u->gid;
}

static void add_groups(struct user *u)
{
	int n = 64, room;
	do {
		room = n;
		free(u->groups);
		u->groups = mem_new((size_t)room * sizeof(gid_t));
	} while (getgrouplist(u->name, u->gid, u->groups, &n) < 0 && n > room && n <= GROUPS_MAX);
	u->n_groups = (size_t)(n < room ? n : room);
}

/* A session's directory, if it is really theirs. */
static char *runtime_dir(uid_t uid, const char *claimed)
{
	cleanup_free char *path = claimed && *claimed == '/' ? str_dup(claimed) : str_fmt("/run/user/%u", uid);
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == uid ? steal(path) : NULL;
}

/* The first display, the usual one, of a user who is not the caller: their environment did not come along. */
static char *wayland(uid_t uid, const char *dir)
{
	struct stat st;
	if (!dir || getenv("DISPLAY") || getenv("WAYLAND_DISPLAY"))
		return NULL;
	cleanup_free char *path = str_fmt("%s/wayland-0", dir);
	return stat(path, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_uid == uid ? str_dup("wayland-0") : NULL;
}

/* QEMU, status and journal are told of what lies in these folders in JSON, which has no word for any other bytes. */
static struct err *check_names(const struct user *u)
{
	const char *const folders[][2] = { { "HOME", u->home }, { "XDG_DATA_HOME", u->data_dir }, { "XDG_RUNTIME_DIR", u->runtime_dir } };
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		if (!folders[i][1] || str_is_utf8(folders[i][1]))
			continue;
		cleanup_free char *shown = str_printable(folders[i][1]);
		return err_hint(err_new("the name of the folder %s is no UTF-8: %s", folders[i][0], shown),
				"rename it, or name another one");
	}
	return NULL;
}

/* `own` says that it is the caller: then our environment is theirs. */
static struct err *fill(const struct passwd *pw, bool own, struct user *ret_user)
{
	if (!pw->pw_dir || *pw->pw_dir != '/')
		return err_hint(err_new("user %s has no home directory", pw->pw_name), "choose another one: `user = NAME` in [vm]");
	const char *data = own ? getenv("XDG_DATA_HOME") : NULL;
	struct user u = { .uid = pw->pw_uid, .gid = pw->pw_gid, .name = str_dup(pw->pw_name), .home = str_dup(pw->pw_dir) };
	u.runtime_dir = runtime_dir(u.uid, own ? getenv("XDG_RUNTIME_DIR") : NULL);
	u.wayland = own ? NULL : wayland(u.uid, u.runtime_dir);
	u.data_dir = data && *data == '/' ? str_dup(data) : str_fmt("%s/.local/share", u.home);
	if (own)
		keep_groups(&u);
	else
		add_groups(&u);
	struct err *e = check_names(&u);
	if (e)
		user_free(&u);
	else
		*ret_user = u;
	return e;
}

static struct err *fill_uid(uid_t uid, bool own, struct user *ret_user)
{
	errno = 0;
	struct passwd *pw = getpwuid(uid);
	if (!pw && own) { /* a container's user may be nothing but a number */
		const char *home = getenv("HOME");
		cleanup_free char *number = str_fmt("%u", uid);
		struct passwd bare = { .pw_name = number, .pw_uid = uid, .pw_gid = getgid(), .pw_dir = (char *)(home ? home : "/") };
		return fill(&bare, own, ret_user);
	}
	if (!pw || pw->pw_uid != uid)
		return err_hint(err_coded(errno, "there is no user with the id %u", uid), "look at `getent passwd %u`", uid);
	return fill(pw, own, ret_user);
}

static struct err *fill_name(const char *name, struct user *ret_user)
{
	errno = 0;
	struct passwd *pw = getpwnam(name);
	if (!pw)
		return err_hint(err_coded(errno, "there is no user \"%s\"", name),
				"write `user = NAME` of an account of this host in [vm]");
	return fill(pw, false, ret_user);
}

static struct err *not_another(const struct user *u, const char *wanted)
{
	return err_hint(
		err_new("%s may not start a machine as %s", u->name, wanted),
		"take `user = %s` out of [vm], or start it as %s, or let root keep the file in /etc/qlaunch and start it from a root shell with "
		"`env -u SUDO_UID -u PKEXEC_UID -u DOAS_USER qlaunch …`",
		wanted, wanted);
}

static struct err *choose(const char *wanted, uid_t real, uid_t effective, uid_t invoked_by, struct user *ret_user)
{
	if (real != effective)
		return err_hint(err_new("qlaunch is not made to be installed set-user-ID"), "start it with sudo or pkexec");
	if (real == 0 && invoked_by == 0)
		return wanted ? fill_name(wanted, ret_user) : fill_uid(0, true, ret_user);
	cleanup_user struct user u = {};
	TRY(fill_uid(real ? real : invoked_by, real != 0, &u));
	if (wanted && !streq(wanted, u.name))
		return not_another(&u, wanted);
	*ret_user = u;
	u = (struct user){};
	return NULL;
}

struct err *user_choose(const char *wanted, uid_t real, uid_t effective, uid_t invoked_by, struct user *ret_user)
{
	return err_exit(choose(wanted, real, effective, invoked_by, ret_user), EXIT_HOST);
}

/* In what those who make root of somebody say who that was; sudo-rs and run0 do it as sudo does. */
static const struct {
	const char *variable;
	bool is_name;
} invokers[] = { { "SUDO_UID" }, { "PKEXEC_UID" }, { "DOAS_USER", true } };

static struct err *invoker(size_t i, const char *value, uid_t *ret_uid)
{
	uint64_t uid = 0;
	if (!invokers[i].is_name) {
		TRY(num_parse(value, UINT32_MAX - 1, &uid));
		*ret_uid = (uid_t)uid;
		return NULL;
	}
	errno = 0;
	const struct passwd *pw = getpwnam(value);
	if (!pw)
		return err_coded(errno, "there is no user \"%s\"", value);
	*ret_uid = pw->pw_uid;
	return NULL;
}

struct err *user_invoked_by(uid_t *ret_uid)
{
	uid_t by = 0;
	const char *first = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(invokers); i++) {
		uid_t uid = 0;
		const char *variable = invokers[i].variable, *value = getenv(variable);
		TRY(value ? err_exit(err_wrap(invoker(i, value, &uid), "%s", variable), EXIT_HOST) : NULL);
		if (uid && by && uid != by)
			return err_exit(err_hint(err_new("%s names another user than %s does", variable, first),
						 "let only the last one who called be named: env -u %s", first),
					EXIT_HOST);
		if (uid) {
			by = uid;
			first = variable;
		}
	}
	*ret_uid = by;
	return NULL;
}

bool user_is_invoked(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(invokers); i++) {
		const char *value = getenv(invokers[i].variable);
		if (value && !(invokers[i].is_name ? streq(value, "root") : *value && strspn(value, "0") == strlen(value)))
			return true;
	}
	return false;
}

struct err *user_find(const char *wanted, struct user *ret_user)
{
	uid_t by = 0;
	if (getuid() == 0)
		TRY(user_invoked_by(&by));
	return user_choose(wanted, getuid(), visit.on ? getuid() : geteuid(), by, ret_user);
}

struct err *user_of_config(const struct user *caller, const char *wanted, struct user *ret_user)
{
	if (caller->uid == 0 && wanted)
		return err_exit(fill_name(wanted, ret_user), EXIT_HOST);
	if (wanted && !streq(wanted, caller->name))
		return err_exit(not_another(caller, wanted), EXIT_HOST);
	return err_exit(fill_uid(caller->uid, caller->uid == getuid(), ret_user), EXIT_HOST);
}

/* Whether anything is left to come back with. */
static struct err *check_gone(const struct user *u)
{
	uid_t uid[3];
	gid_t gid[3];
	if (getresuid(&uid[0], &uid[1], &uid[2]) < 0 || getresgid(&gid[0], &gid[1], &gid[2]) < 0)
		return err_errno(errno, "ids");
	for (int i = 0; i < 3; i++)
		if (uid[i] != u->uid || gid[i] != u->gid)
			return err_new("ids are not those of %s", u->name);
	if (u->uid && (setresuid(0, 0, 0) == 0 || setuid(0) == 0))
		return err_new("%s can become root again", u->name);
	if (capset_permitted()) /* of which all other sets but the bounding one are a part */
		return err_new("capabilities are left");
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return err_new("no_new_privs is not set");
	return NULL;
}

static struct err *become(const struct user *u)
{
	int death = 0;
	pid_t parent = getppid();
	TRY(visit.on ? leave() : NULL); /* forked in a visit */
	prctl(PR_GET_PDEATHSIG, &death);
	limits_return();      /* as long as it is root: a hard limit is not raised without */
	TRY(capset_bound(0)); /* as far as it may be: no_new_privs keeps any program from drawing on the rest */
	if (geteuid() == 0 && setgroups(u->n_groups, u->groups) < 0)
		return err_errno(errno, "setgroups");
	if (setresgid(u->gid, u->gid, u->gid) < 0)
		return err_errno(errno, "setresgid");
	if (setresuid(u->uid, u->uid, u->uid) < 0)
		return err_errno(errno, "setresuid");
	TRY(capset_keep(0));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_errno(errno, "no_new_privs");
	prctl(PR_SET_PDEATHSIG, death); /* a change of ids has taken it away */
	if (death && getppid() != parent)
		raise(death);
	return check_gone(u);
}

struct err *user_become(const struct user *u)
{
	return err_wrap(become(u), "becoming user %s", u->name);
}

struct err *user_become_data(void *data)
{
	return user_become(data);
}

void user_env(const struct user *u, struct strv *ret_env)
{
	static const char *const kept[] = { "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "PULSE_SERVER", "PIPEWIRE_REMOTE",
					    "LANG", "LC_ALL", "TZ", "TERM" };
	*ret_env = (struct strv){};
	strv_addf(ret_env, "HOME=%s", u->home);
	strv_addf(ret_env, "USER=%s", u->name);
	strv_addf(ret_env, "LOGNAME=%s", u->name);
	strv_addf(ret_env, "XDG_DATA_HOME=%s", u->data_dir);
	strv_add(ret_env, "PATH=/usr/local/bin:/usr/bin:/bin");
	if (u->runtime_dir) {
		strv_addf(ret_env, "XDG_RUNTIME_DIR=%s", u->runtime_dir);
		strv_addf(ret_env, "DBUS_SESSION_BUS_ADDRESS=unix:path=%s/bus", u->runtime_dir);
	}
	if (u->wayland)
		strv_addf(ret_env, "WAYLAND_DISPLAY=%s", u->wayland);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (getenv(kept[i]))
			strv_addf(ret_env, "%s=%s", kept[i], getenv(kept[i]));
}

struct err *user_visit(const struct user *u, struct err *(*fn)(void *data), void *data)
{
	if (geteuid() != 0 || u->uid == 0)
		return fn(data);
	visit.own_gid = getegid();
	visit.n_groups = getgroups(GROUPS_MAX, visit.groups);
	visit.home = str_dup(getenv("HOME"));
	if (visit.n_groups < 0 || setgroups(u->n_groups, u->groups) < 0 || setegid(u->gid) < 0 || seteuid(u->uid) < 0)
		return err_errno(errno, "becoming %s for a moment", u->name);
	visit.on = true;
	setenv("HOME", u->home, 1);
	struct err *e = fn(data);
	/* without our own rights back nothing that follows is safe */
	struct err *stuck = leave();
	if (stuck)
		abort();
	return e;
}

struct sight {
	const char *path;
	struct stat st;
};

static struct err *see(void *data)
{
	struct sight *s = data;
	return stat(s->path, &s->st) < 0 ? err_errno(errno, "%s", s->path) : NULL;
}

bool user_sees(const struct user *u, const char *path, struct stat *ret_st)
{
	struct sight s = { .path = path };
	cleanup_err struct err *e = user_visit(u, see, &s);
	if (!e && ret_st)
		*ret_st = s.st;
	return !e;
}

struct err *user_return(void)
{
	TRY(visit.on ? leave() : NULL);
	if (setresgid(getegid(), getegid(), getegid()) < 0 || setresuid(geteuid(), geteuid(), geteuid()) < 0)
		return err_errno(errno, "ids");
	return NULL;
}
