/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scratch: see scratch.h. */
#include <errno.h>
#include <fcntl.h>
#include "launcher/base/num.h"
#include "launcher/base/str.h"
#include "launcher/base/tr.h"
#include "launcher/host/kind/scratch.h"
#include "launcher/step/finding.h"

static char *describe(const struct step *s)
{
	return tr_fmt("remove %s once the guest has ended", s->target);
}

static bool is_shared(const struct step *s)
{
	return streq(s->target, SCRATCH_SHARED);
}

/* Without following a link. False where there is nothing. */
static bool look(struct root *root, const char *path, struct stat *st)
{
	cleanup_fd int fd = -1;
	cleanup_err struct err *e = root_open_fd(root, path, O_PATH | O_NOFOLLOW, &fd);
	return !e && fstat(fd, st) == 0;
}

static struct err *probe(struct step_env *env, const struct step *s, char **ret_value)
{
	struct stat st;
	if (!look(env->root, s->target, &st))
		*ret_value = str_dup("absent");
	else if (!is_shared(s))
		*ret_value = str_dup("present");
	else
		*ret_value = !S_ISREG(st.st_mode)   ? str_dup("foreign")
			     : st.st_mode & S_IRWXO ? str_dup("open")
						    : str_fmt("owner %u", (unsigned)st.st_uid);
	return NULL;
}

/* What an administrator has prepared (tmpfiles.d) is root's, or the user's and a group's. What everybody can read is a picture for everybody. */
static bool usable(const struct step *s, const char *now)
{
	return streq(now, "absent") || streq(now, "owner 0") || streq(now, s->want);
}

static struct err *not_ours(const struct step *s, const char *now)
{
	struct err *e = err_coded(EPERM, "%s is there already, and not this user's alone: %s", s->target, now);
	return err_hint(e, streq(now, "open") ? "chmod 600 %s" : "sudo rm %s", s->target);
}

static void check(struct step_env *env, const struct step *s, struct findings *out)
{
	cleanup_free char *now = NULL;
	if (is_shared(s))
		err_free(probe(env, s, &now));
	if (now && !usable(s, now))
		findings_add_err(out, "display", not_ours(s, now));
}

static struct err *apply(struct step_env *env, struct step *s)
{
	uint64_t uid = 0;
	if (!is_shared(s) || streq(s->prior, "owner 0")) /* QEMU makes it; or it is there */
		return NULL;
	if (!streq(s->prior, "absent"))
		return not_ours(s, s->prior);
	TRY(num_parse(str_starts(s->want, "owner ") ? s->want + strlen("owner ") : "", UINT32_MAX - 1, &uid));
	TRY(root_put_new(env->root, s->target, "", 0, 0600));
	/* nobody else can exchange it any more: the folder is sticky, and it is ours */
	return root_chown(env->root, s->target, (uid_t)uid, (gid_t)-1);
}

static struct err *verify(struct step_env *env, const struct step *s)
{
	cleanup_free char *now = NULL;
	TRY(probe(env, s, &now));
	return !is_shared(s) || streq(now, s->want) || streq(now, "owner 0") ? NULL : not_ours(s, now);
}

/* Killed between the file and its owner, it is root's: never what was there before, for that is no step of ours (apply). */
static enum step_whose whose(const struct step *s, const char *now)
{
	if (s->prior && streq(now, s->prior))
		return STEP_PRIOR;
	if (streq(now, s->want))
		return STEP_WANTED;
	return is_shared(s) && streq(now, "owner 0") ? STEP_BETWEEN : STEP_FOREIGN;
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
	.apply = apply,
	.verify = verify,
	.undo = undo,
	.check = check,
	.whose = whose,
};

void scratch_shared_step(struct steps *out, uid_t uid, const char *why)
{
	cleanup_free char *want = str_fmt("owner %u", (unsigned)uid);
	steps_add(out, &scratch_kind, SCRATCH_SHARED, want, why);
}
