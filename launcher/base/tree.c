/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree: see tree.h. */
#include <errno.h>
#include "launcher/base/tree.h"

static struct err *gone_is_fine(struct err *e)
{
	if (err_code(e) != ENOENT)
		return e;
	err_free(e);
	return NULL;
}

#define DEPTH_MAX 8 /* what qlaunch makes is 3 deep */

static struct err *remove_below(struct root *root, const char *path, int depth)
{
	cleanup_strv struct strv names = {};
	cleanup_free char *link = root_link(root, path);
	struct stat st;
	cleanup_err struct err *gone = link ? NULL : root_stat(root, path, &st);
	if (link || gone || !S_ISDIR(st.st_mode))
		return gone_is_fine(root_unlink(root, path));
	if (depth == DEPTH_MAX)
		return err_errno(ELOOP, "%s", path);
	TRY(root_list(root, path, &names));
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *below = str_fmt("%s/%s", path, names.v[i]);
		TRY(remove_below(root, below, depth + 1));
	}
	return root_rmdir(root, path);
}

struct err *tree_remove(struct root *root, const char *path)
{
	return remove_below(root, path, 0);
}
