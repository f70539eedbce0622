/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tempdir: see tempdir.h. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include "tests/unit/tempdir.h"

struct tempdir {
	char path[32];
	struct root *root;
};

int tempdir_setup(void **state)
{
	struct tempdir *t = mem_new(sizeof(*t));
	*state = t;
	strcpy(t->path, "/tmp/qlaunch-test-XXXXXX");
	return mkdtemp(t->path) && !root_open(t->path, &t->root) ? 0 : -1;
}

static int gone(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

int tempdir_teardown(void **state)
{
	struct tempdir *t = *state;
	root_close(t->root);
	int result = nftw(t->path, gone, 16, FTW_DEPTH | FTW_PHYS);
	free(t);
	return result;
}

struct root *tempdir_root(void *state)
{
	return ((struct tempdir *)state)->root;
}

const char *tempdir_path(void *state)
{
	return ((struct tempdir *)state)->path;
}
