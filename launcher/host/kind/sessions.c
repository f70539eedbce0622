/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sessions: see sessions.h. */
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/host/kind/sessions.h"
#include "launcher/host/kind/systemd.h"

#define ALIAS_LINK "/etc/systemd/system/display-manager.service" /* what every display manager's unit is also called (systemd.special(7)) */
#define SESSIONS   "/run/systemd/sessions"

char *session_manager(struct root *root)
{
	return systemd_runs(root) ? root_link_name(root, ALIAS_LINK) : NULL;
}

static char *cgroup_of(struct root *root, const char *pid)
{
	cleanup_free char *path = str_fmt("/proc/%s/cgroup", pid);
	return root_read_or(root, path, "");
}

/* The part of a unit's name between `before` and the next dot: "2" of "/session-2.scope". NULL: it is not in there. */
static char *part_of(const char *cgroup, const char *before)
{
	const char *at = strstr(cgroup, before);
	return at ? str_ndup(at + strlen(before), strcspn(at + strlen(before), "./\n")) : NULL;
}

static void read_session(struct root *root, const char *id, struct strv *ret_lines)
{
	cleanup_free char *path = str_fmt(SESSIONS "/%s", id), *text = root_read_or(root, path, "");
	strv_split(ret_lines, text, "\n");
}

static bool is_graphical(const struct strv *session)
{
	return strv_has(session, "TYPE=x11") || strv_has(session, "TYPE=wayland") || strv_has(session, "TYPE=mir");
}

/* startx from a text console is a session of login's, and stays. */
static bool is_managers(const struct strv *session)
{
	return is_graphical(session) && !strv_has(session, "SERVICE=login") && !strv_has(session, "SERVICE=sshd");
}

char *session_trouble(struct root *root)
{
	cleanup_free char *cgroup = cgroup_of(root, "self"), *id = part_of(cgroup, "/session-");
	cleanup_strv struct strv session = {};
	if (!id)
		return strstr(cgroup, "/user@") ? tr_dup("it was started below the user's own systemd, as a terminal of the desktop is")
						: NULL;
	read_session(root, id, &session);
	return is_graphical(&session) ? tr_fmt("it was started in the desktop's session %s", id) : NULL;
}

static bool lingers(struct root *root, const char *uid)
{
	cleanup_free char *path = str_fmt("/run/systemd/users/%s", uid), *text = root_read_or(root, path, "");
	const char *name = strstr(text, "NAME=");
	cleanup_free char *mark = name ? str_fmt("/var/lib/systemd/linger/%.*s", (int)strcspn(name + 5, "\n"), name + 5) : NULL;
	return mark && root_exists(root, mark);
}

static bool has_display(struct root *root, const char *pid)
{
	cleanup_free char *path = str_fmt("/proc/%s/environ", pid), *bytes = NULL;
	size_t len = 0;
	bool has = false;
	cleanup_err struct err *e = root_read_bytes(root, path, &bytes, &len);
	for (size_t at = 0; !e && at < len; at += strlen(bytes + at) + 1)
		has |= str_starts(bytes + at, "DISPLAY=") || str_starts(bytes + at, "WAYLAND_DISPLAY=");
	return has;
}

/* Beside a session there is its FIFO, "2.ref", which is not read; a session of class "manager" is the user's systemd itself. */
static bool users_systemd_ends(struct root *root, const char *uid, const char *cgroup, const char *pid)
{
	cleanup_strv struct strv ids = {};
	cleanup_free char *whose = str_fmt("UID=%s", uid);
	bool desktop = false, stays = lingers(root, uid);
	err_free(root_list(root, SESSIONS, &ids));
	for (size_t i = 0; i < ids.n; i++) {
		cleanup_strv struct strv session = {};
		if (!strchr(ids.v[i], '.'))
			read_session(root, ids.v[i], &session);
		if (!strv_has(&session, whose) || strv_has(&session, "CLASS=manager"))
			continue;
		if (is_managers(&session))
			desktop = true;
		else
			stays = true;
	}
	return desktop && (!stays || strstr(cgroup, "/session.slice/") || has_display(root, pid));
}

bool session_ends(struct root *root, const char *manager, const char *pid)
{
	if (!manager)
		return false;
	cleanup_free char *cgroup = cgroup_of(root, pid), *id = part_of(cgroup, "/session-"), *uid = part_of(cgroup, "/user@");
	cleanup_free char *own = str_fmt("/%s", manager);
	if (uid)
		return users_systemd_ends(root, uid, cgroup, pid);
	if (id) {
		cleanup_strv struct strv session = {};
		read_session(root, id, &session);
		return is_managers(&session);
	}
	const char *at = strstr(cgroup, own);
	return at && strchr("/\n", at[strlen(own)]); /* the text's end, too */
}
