/* SPDX-License-Identifier: GPL-2.0-or-later */
/* opened: see opened.h. */
#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/opened.h"

#define NAMED_MAX 8

/* /proc/PID/fdinfo/N has "flags:\t02100002": octal, the access mode in the lowest two bits. Where it cannot be read:
 * taken for a writer. */
static bool is_writer(struct root *root, const char *pid, const char *fd)
{
	cleanup_free char *path = str_fmt("/proc/%s/fdinfo/%s", pid, fd), *text = root_read_or(root, path, "");
	const char *flags = strstr(text, "flags:");
	return !flags || (strtoul(flags + strlen("flags:"), NULL, 8) & O_ACCMODE) != O_RDONLY;
}

char *opened_by(struct root *root, opened_match *match, const void *data, bool writers)
{
	cleanup_strv struct strv pids = {}, out = {};
	err_free(root_list(root, "/proc", &pids));
	for (size_t i = 0; i < pids.n && out.n < NAMED_MAX; i++) {
		const char *pid = pids.v[i];
		cleanup_strv struct strv fds = {};
		cleanup_free char *dir = str_fmt("/proc/%s/fd", pid);
		bool holds = false;
		if (isdigit((unsigned char)*pid) && !(root_is_host(root) && atoi(pid) == getpid()))
			err_free(root_list(root, dir, &fds));
		for (size_t k = 0; k < fds.n && !holds; k++) {
			cleanup_free char *path = str_fmt("%s/%s", dir, fds.v[k]), *target = root_link(root, path);
			holds = target && match(data, pid, target) && (!writers || is_writer(root, pid, fds.v[k]));
		}
		if (!holds)
			continue;
		cleanup_free char *path = str_fmt("/proc/%s/comm", pid), *comm = root_read_or(root, path, "?");
		cleanup_free char *name = str_printable(comm);
		strv_addf(&out, "%s (%s)", name, pid);
	}
	return out.n ? strv_join(&out, ", ") : NULL;
}
