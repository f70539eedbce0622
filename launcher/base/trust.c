/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trust: see trust.h. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "launcher/base/trust.h"

static struct err *trust_stat(const char *path, const struct stat *st, void *data)
{
	const uid_t *uid = data;
	if (st->st_uid != 0 && st->st_uid != *uid)
		return err_coded(EPERM, "%s belongs to uid %u", path, (unsigned)st->st_uid);
	bool others = st->st_mode & S_IWOTH || (st->st_mode & S_IWGRP && st->st_gid != 0);
	if (others && !(S_ISDIR(st->st_mode) && st->st_mode & S_ISVTX))
		return err_coded(EPERM, "others may write to %s", path);
	return NULL;
}

static struct err *trust_one(struct root *root, const char *path, uid_t uid)
{
	struct stat st;
	TRY(root_stat(root, path, &st));
	return trust_stat(path, &st, &uid);
}

struct err *trust_path(struct root *root, const char *path, uid_t uid)
{
	cleanup_free char *real = root_real(root, path);
	if (!real)
		return err_errno(ENOENT, "%s", path);
	TRY(trust_one(root, "/", uid));
	for (const char *at = real + strspn(real, "/"); *at; at += strspn(at, "/")) {
		at += strcspn(at, "/");
		cleanup_free char *part = str_ndup(real, (size_t)(at - real));
		TRY(trust_one(root, part, uid));
	}
	return NULL;
}

struct err *trust_hold(struct root *root, const char *path, uid_t uid)
{
	return root_hold(root, path, trust_stat, &uid);
}
