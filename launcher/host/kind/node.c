/* SPDX-License-Identifier: GPL-2.0-or-later */
/* node: see node.h. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>
#include "launcher/base/tr.h"
#include "launcher/host/kind/node.h"

#define ABSENT "absent"

#define GROUP "/iommu_group"

static char *describe(const struct step *s)
{
	return tr_fmt("give %s to %s", s->target, s->want);
}

/* The node that is meant, as it is now; NULL: a device that has no group, or is not there. Owned by the caller. */
static char *node_of(struct root *root, const char *target)
{
	if (!str_starts(target, "/sys/bus/") || !str_ends(target, GROUP))
		return str_dup(target);
	cleanup_free char *group = root_link_name(root, target);
	return group ? str_fmt("/dev/vfio/%s", group) : NULL;
}

static struct err *probe(struct step_env *env, const struct step *s, char **ret_value)
{
	struct stat st;
	cleanup_free char *path = node_of(env->root, s->target);
	struct err *e = path ? root_stat(env->root, path, &st) : err_coded(ENOENT, "%s", s->target);
	if (err_code(e) == ENOENT) {
		err_free(e);
		*ret_value = str_dup(ABSENT);
		return NULL;
	}
	if (!e)
		*ret_value = str_fmt("%u:%u", st.st_uid, st.st_gid);
	return e;
}

/*
 * Whether only root can have put there what is at `path` now: below /dev, in directories that nobody else can write to. In any other,
 * /dev/shm for one, a user could lay a link to a file of root's between the look at a device and this.
 */
static struct err *trusted(struct root *root, const char *path)
{
	struct stat st;
	if (!str_starts(path, "/dev/") || strstr(path, "/../"))
		return err_new("%s is no device node", path);
	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		cleanup_free char *dir = str_ndup(path, (size_t)(slash - path));
		TRY(root_stat(root, dir, &st));
		if (st.st_uid != geteuid() || st.st_mode & 022)
			return err_new("%s is not given away: others can write to %s", path, dir);
	}
	TRY(root_stat(root, path, &st));
	if (root_is_host(root) && !S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_new("%s is no device node", path);
	return NULL;
}

/* Nor by a journal that somebody bent: a record names a file that root is to give away. */
static struct err *give(struct root *root, const char *target, const char *owner)
{
	unsigned uid, gid;
	char rest;
	cleanup_free char *path = node_of(root, target);
	if (!path)
		return err_coded(ENOENT, "%s", target);
	TRY(trusted(root, path));
	if (sscanf(owner, "%u:%u%c", &uid, &gid, &rest) != 2)
		return err_new("%s: \"%s\" is no owner such as 1000:1000", path, owner);
	return root_chown(root, path, uid, gid);
}

static struct err *apply(struct step_env *env, struct step *s)
{
	return give(env->root, s->target, s->want);
}

static struct err *undo(struct step_env *env, const struct step *s)
{
	return give(env->root, s->target, s->prior);
}

static enum step_whose whose(const struct step *s, const char *now)
{
	if (streq(now, s->prior) || streq(now, ABSENT))
		return STEP_PRIOR;
	return streq(now, s->want) ? STEP_WANTED : STEP_FOREIGN;
}

const struct step_kind node_kind = {
	.name = "node",
	.describe = describe,
	.probe = probe,
	.apply = apply,
	.undo = undo,
	.whose = whose,
};

struct step *node_step(struct steps *out, const char *path, uid_t uid, gid_t gid, const char *why)
{
	cleanup_free char *owner = str_fmt("%u:%u", uid, gid);
	return steps_add(out, &node_kind, path, owner, why);
}
