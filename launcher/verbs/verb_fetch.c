/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlaunch fetch virtio-win: the disc of drivers, from its makers' site, as the user. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/base/user.h"
#include "launcher/cli.h"
#include "launcher/host/disk/disc.h"
#include "launcher/tools/fetch.h"
#include "launcher/tools/virtio_win.h"

#define USAGE "fetch [--from URL] [--output FILE] [--sha256 SUM] [--again] virtio-win"

static struct err *check_options(const struct verb_args *args)
{
	const char *what = args->words.n ? args->words.v[0] : NULL, *sum = verb_option(args, "sha256");
	if (!what)
		return err_exit(err_hint(err_new("what is to be fetched is missing"), "qlaunch fetch virtio-win"), EXIT_USAGE);
	if (!streq(what, "virtio-win"))
		return err_exit(err_hint(err_new("there is no \"%s\" to fetch", what), "qlaunch fetch virtio-win"), EXIT_USAGE);
	if (sum && (strlen(sum) != 64 || strspn(sum, "0123456789abcdefABCDEF") != 64))
		return err_exit(err_new("a SHA-256 has 64 hexadecimal digits, and not \"%s\"", sum), EXIT_USAGE);
	return NULL;
}

/* It is here already: nothing is asked of anybody, and a second call does no harm. */
static struct err *there_already(const char *path, bool *ret_there)
{
	struct stat st;
	struct disc d;
	*ret_there = stat(path, &st) == 0;
	if (!*ret_there)
		return NULL;
	TRY(err_exit(err_hint(virtio_win_check(path), "--again fetches it anew, and replaces that"), EXIT_HOST));
	TRY(disc_read(path, &d));
	log_info("%s is there already: %s; --again fetches the newest", path, d.label);
	return NULL;
}

/* Nothing of it needs root: what it writes is the user's, and what comes from the net is read by nobody else. */
static struct err *become_caller(struct user *ret_user)
{
	TRY(user_find(NULL, ret_user));
	return geteuid() == 0 && ret_user->uid != 0 ? user_become(ret_user) : NULL;
}

static struct err *make_dir(const char *path)
{
	cleanup_root struct root *root = NULL;
	cleanup_free char *dir = str_dir(path);
	TRY(root_open("/", &root));
	return *dir ? root_mkdirs(root, dir, 0755) : NULL;
}

struct err *verb_fetch(struct cli *cli, const struct verb_args *args)
{
	cleanup_user struct user user = {};
	struct disc d;
	bool there = false, again = verb_option(args, "again");
	const char *output = verb_option(args, "output"), *from = verb_option(args, "from");
	TRY(verb_words(args, 0, 1, USAGE));
	TRY(check_options(args));
	if (!root_is_host(cli->root))
		return err_exit(err_new("what is fetched is for this host, not for --root"), EXIT_USAGE);
	TRY(become_caller(&user));
	cleanup_free char *here = getcwd(NULL, 0), *path = !output                   ? virtio_win_path(&user)
							   : *output == '/' || !here ? str_dup(output)
										     : str_fmt("%s/%s", here, output);
	if (!again)
		TRY(there_already(path, &there));
	if (there)
		return NULL;
	TRY(err_exit(make_dir(path), EXIT_HOST));
	TRY(err_wrap(fetch_file(&(struct fetch){ .url = from ? from : VIRTIO_WIN_URL,
						 .path = path,
						 .sha256 = verb_option(args, "sha256"),
						 .replace = again,
						 .check = virtio_win_check }),
		     "virtio-win"));
	TRY(disc_read(path, &d));
	log_info("%s: %s, whole", path, d.label);
	return NULL;
}
