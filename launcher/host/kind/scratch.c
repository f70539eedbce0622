/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scratch: see scratch.h. */
#include "launcher/base/str.h"
#include "launcher/base/tr.h"
#include "launcher/host/kind/scratch.h"

static char *describe(const struct step *s)
{
	return tr_fmt("remove %s once the guest has ended", s->target);
}

static struct err *probe(struct step_env *env, const struct step *s, char **ret_value)
{
	*ret_value = str_dup(root_exists(env->root, s->target) ? "present" : "absent");
	return NULL;
}

static struct err *nothing(struct step_env *env, struct step *s)
{
	(void)env;
	(void)s;
	return NULL;
}

static struct err *nothing_yet(struct step_env *env, const struct step *s)
{
	(void)env;
	(void)s;
	return NULL;
}

/* A journal that somebody bent must not make root remove another's file. */
static bool made_by_qemu(struct root *root, const char *path)
{
	struct stat st;
	const char *name = strrchr(path, '/');
	if (streq(path, SCRATCH_SHARED))
		return true;
	if (!name || !str_starts(name, "/qlaunch-") || !str_ends(name, SCRATCH_SOCKET))
		return false;
	cleanup_err struct err *e = root_stat(root, path, &st);
	return !e && S_ISSOCK(st.st_mode);
}

static struct err *undo(struct step_env *env, const struct step *s)
{
	if (!made_by_qemu(env->root, s->target))
		return err_new("%s is none of the files that QEMU makes", s->target);
	return root_unlink(env->root, s->target);
}

const struct step_kind scratch_kind = {
	.name = "scratch",
	.describe = describe,
	.probe = probe,
	.apply = nothing,
	.verify = nothing_yet,
	.undo = undo,
};
