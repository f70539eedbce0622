/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_forwarding: the host's IPv4 forwarding, which several VMs may need at once: the one thing of a network that is
 * shared.
 *
 * Who needs it and found it off says so in the alias of its own bridge, which lives as long as the need. The last one
 * turns it off again: no file to go stale, and a VM whose launcher was killed counts until it is restored. On before
 * the first of us, it is nobody's to turn off. Two launchers that start or end in the same moment are kept apart by a
 * lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include "launcher/base/tr.h"
#include "launcher/host/net/net_choose.h"

#define SYS_NET "/sys/class/net"
#define SYSCTL "/proc/sys/net/ipv4/ip_forward"
#define MARK " (needs forwarding)" /* at the end of an alias */
#define BEGUN "off, but needed"     /* killed between the two writes */

static char *alias_path(const char *bridge)
{
	return str_fmt(SYS_NET "/%s/ifalias", bridge);
}

static bool marked(struct root *root, const char *bridge)
{
	cleanup_free char *path = alias_path(bridge), *alias = root_read_or(root, path, "");
	return str_ends(alias, MARK);
}

/* Whether the bridge of another VM, or another one of this VM, needs it. */
static bool others(struct root *root, const char *bridge)
{
	cleanup_strv struct strv names = {};
	err_free(root_list(root, SYS_NET, &names));
	for (size_t i = 0; i < names.n; i++)
		if (str_starts(names.v[i], NET_BRIDGE_PREFIX) && !streq(names.v[i], bridge) && marked(root, names.v[i]))
			return true;
	return false;
}

static struct err *is_on(struct root *root, bool *ret_on)
{
	cleanup_free char *text = NULL;
	TRY(root_read(root, SYSCTL, &text));
	*ret_on = !streq(text, "0");
	return NULL;
}

/* The file itself is the lock: of the kernel's, and there on every host. Where it cannot be had, there is nobody to
 * wait for. */
static struct err *lock(struct root *root, int *ret_fd)
{
	TRY(root_open_fd(root, SYSCTL, O_RDONLY | O_CLOEXEC, ret_fd));
	while (flock(*ret_fd, LOCK_EX) < 0)
		if (errno != EINTR)
			return err_errno(errno, "%s", SYSCTL);
	return NULL;
}

static char *describe(const struct step *s)
{
	return tr_fmt("forward IPv4 for bridge %s", s->target);
}

static struct err *probe(struct step_env *env, const struct step *s, char **ret_value)
{
	bool on = false;
	TRY(is_on(env->root, &on));
	bool ours = marked(env->root, s->target);
	*ret_value = str_dup(!on ? (ours ? BEGUN : "off") : !ours && others(env->root, s->target) ? "shared" : "on");
	return NULL;
}

static struct err *apply(struct step_env *env, struct step *s)
{
	bool on = false;
	cleanup_fd int held = -1;
	cleanup_free char *path = alias_path(s->target);
	TRY(lock(env->root, &held));
	TRY(is_on(env->root, &on));
	if (!on || others(env->root, s->target)) {
		cleanup_free char *alias = root_read_or(env->root, path, "qlaunch"), *more = str_fmt("%s" MARK, alias);
		TRY(root_write(env->root, path, more));
	}
	return on ? NULL : root_write(env->root, SYSCTL, "1");
}

static struct err *undo(struct step_env *env, const struct step *s)
{
	cleanup_fd int held = -1;
	cleanup_free char *path = alias_path(s->target);
	TRY(lock(env->root, &held));
	if (marked(env->root, s->target)) {
		cleanup_free char *alias = root_read_or(env->root, path, "");
		alias[strlen(alias) - strlen(MARK)] = '\0';
		TRY(root_write(env->root, path, alias));
	}
	return others(env->root, s->target) ? NULL : root_write(env->root, SYSCTL, "0");
}

/* "shared" is as good as before: somebody else needs it now, and turns it off. */
static enum step_whose whose(const struct step *s, const char *now)
{
	return streq(now, s->want) ? STEP_WANTED : streq(now, BEGUN) ? STEP_BETWEEN : STEP_PRIOR;
}

const struct step_kind net_forwarding_kind = {
	.name = "forwarding",
	.describe = describe,
	.probe = probe,
	.apply = apply,
	.undo = undo,
	.whose = whose,
};
