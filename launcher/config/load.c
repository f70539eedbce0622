/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load: finds and reads the file. As the calling user: whoever has more rights drops them first. Only a regular file is
 * opened, so that a FIFO cannot hang it and a device is not disturbed; at most CONFIG_FILE_MAX bytes are read.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "launcher/base/behalf.h"
#include "launcher/config/parse.h"

static struct err *read_all(const char *path, char **ret_text, size_t *ret_length, struct stat *ret_stat)
{
	struct stat st;
	if (stat(path, &st) < 0) {
		int no = errno;
		struct err *e = err_errno(no, "%s", path);
		return no == ENOENT ? err_hint(e, "qlaunch new NAME makes a machine's configuration") : e;
	}
	if (!S_ISREG(st.st_mode))
		return err_new("%s: not a regular file", path);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_errno(errno, "%s", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) /* it may have been exchanged since */
		return err_new("%s: not a regular file", path);
	cleanup_free char *text = mem_new(CONFIG_FILE_MAX + 2);
	size_t length = 0;
	while (length <= CONFIG_FILE_MAX) {
		ssize_t n = read(fd, text + length, CONFIG_FILE_MAX + 1 - length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(errno, "%s", path);
		if (n == 0)
			break;
		length += (size_t)n;
	}
	if (length > CONFIG_FILE_MAX)
		return err_new("%s: larger than 1 MiB, so no configuration", path);
	*ret_text = steal(text);
	*ret_length = length;
	*ret_stat = st;
	return NULL;
}

char *config_find(const char *arg)
{
	if (strchr(arg, '/') || str_ends(arg, ".conf"))
		return str_dup(arg);
	const char *home = getenv("HOME");
	cleanup_free char *own = home && *home == '/' ? str_fmt("%s/.config/qlaunch/%s.conf", home, arg) : NULL;
	cleanup_free char *global = str_fmt("/etc/qlaunch/%s.conf", arg);
	if (own && faccessat(AT_FDCWD, own, F_OK, AT_EACCESS) == 0)
		return steal(own);
	return faccessat(AT_FDCWD, global, F_OK, AT_EACCESS) == 0 ? steal(global) : NULL;
}

char *config_name_of(const char *arg)
{
	const char *base = str_base(arg);
	return str_ndup(base, strlen(base) - (str_ends(base, ".conf") ? strlen(".conf") : 0));
}

/* The folder of a file, absolute and without links; NULL where it cannot be had. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *dir = slash ? str_ndup(path, slash == path ? 1 : (size_t)(slash - path)) : str_dup(".");
	return realpath(dir, NULL);
}

static struct err *load(const char *arg, const struct strv *sets, struct config **ret_config)
{
	cleanup_free char *path = config_find(arg), *text = NULL;
	size_t length = 0;
	struct stat st = {};
	if (!path)
		return err_hint(err_coded(ENOENT, "there is no machine \"%s\" in ~/.config/qlaunch or /etc/qlaunch", arg),
				"a file elsewhere is named by its path: ./%s.conf", arg);
	TRY(read_all(path, &text, &length, &st));
	cleanup_free char *dir = folder_of(path), *shown = str_printable(dir ? dir : "");
	/* what its relative paths begin with, and what status and journal tell of it */
	if (!str_is_utf8(path) || (dir && !str_is_utf8(dir)))
		return err_hint(err_new("the name of the configuration or of its folder is no UTF-8: %s", shown), "rename it");
	struct conf_errors errors = {};
	struct config *c = config_parse_bytes(text, length, path, dir, sets, &errors);
	if (!c) {
		cleanup_free char *all = strv_join(&errors.lines, "\n");
		strv_free(&errors.lines);
		return err_new("%s", all);
	}
	c->dev = st.st_dev;
	c->ino = st.st_ino;
	*ret_config = c;
	return NULL;
}

struct err *config_load(const char *arg, const struct strv *sets, struct config **ret_config)
{
	return err_exit(load(arg, sets, ret_config), EXIT_CONFIG);
}

struct loading {
	const char *arg;
	const struct strv *sets;
	struct config **config;
};

static struct err *load_it(void *data)
{
	struct loading *l = data;
	return config_load(l->arg, l->sets, l->config);
}

struct err *config_load_as_caller(const char *arg, const struct strv *sets, struct user *ret_caller, struct config **ret_config)
{
	cleanup_user struct user caller = {};
	cleanup_free char *found = NULL, *path = NULL;
	TRY(user_find(NULL, &caller));
	if (caller.uid == 0 && (found = config_find(arg))) {
		user_free(&caller);
		TRY(behalf_of_file(found, &caller, &path));
	}
	struct loading l = { path ? path : arg, sets, ret_config };
	TRY(user_visit(&caller, load_it, &l));
	*ret_caller = caller;
	caller = (struct user){};
	return NULL;
}
