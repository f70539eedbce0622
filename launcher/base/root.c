/* SPDX-License-Identifier: GPL-2.0-or-later */
/* root: see root.h. The only file that opens, writes, makes or removes the host's files. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "launcher/base/root.h"

#define RESOLVE_TRIES 1000 /* some milliseconds, on a host that renames without a pause */

struct root {
	int fd;
	char *dir;
	const struct root_hook *hook;
	root_watcher *watcher;
	void *watcher_data;
	struct held {
		char *path;
		int fd;
	} * held;
	size_t n_held;
};

struct err *root_open(const char *dir, struct root **ret_root)
{
	cleanup_fd int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_exit(err_errno(errno, "%s", dir), EXIT_USAGE);
	struct root *r = mem_new(sizeof(*r));
	r->fd = fd_steal(&fd);
	r->dir = str_dup(dir);
	*ret_root = r;
	return NULL;
}

static void let_go(struct root *r, size_t i)
{
	close(r->held[i].fd);
	free(r->held[i].path);
	r->held[i] = r->held[--r->n_held];
}

void root_close(struct root *r)
{
	if (!r)
		return;
	while (r->n_held)
		let_go(r, r->n_held - 1);
	free(r->held);
	close(r->fd);
	free(r->dir);
	free(r);
}

void root_closep(struct root **r)
{
	root_close(*r);
}

void root_set_hook(struct root *r, const struct root_hook *hook)
{
	r->hook = hook;
}

void root_watch(struct root *r, root_watcher *watcher, void *data)
{
	r->watcher = watcher;
	r->watcher_data = data;
}

static void looked(const struct root *r, enum root_look how, const char *path)
{
	if (r->watcher)
		r->watcher(r->watcher_data, how, path);
}

void root_look_below(struct root *r, const char *path)
{
	looked(r, ROOT_BELOW, path);
}

bool root_is_host(const struct root *r)
{
	return streq(r->dir, "/");
}

const char *root_dir(const struct root *r)
{
	return r->dir;
}

/* The held folder that `path` is in, and in *ret_rest what of it is left; NULL for none. */
static const struct held *held_above(const struct root *r, const char *path, const char **ret_rest)
{
	for (size_t i = 0; i < r->n_held; i++) {
		size_t n = strlen(r->held[i].path);
		if (!str_starts(path, r->held[i].path) || (path[n] && path[n] != '/'))
			continue;
		*ret_rest = path + n + strspn(path + n, "/");
		return &r->held[i];
	}
	return NULL;
}

static int open_in(const struct root *r, const char *path, int flags, mode_t mode)
{
	const struct held *held = held_above(r, path, &path);
	struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC),
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = held ? RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS : RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	/* openat2(2): EAGAIN, where a rename or a mount anywhere came between the steps of a "..", which the links of sysfs are full of */
	int fd, tries = RESOLVE_TRIES;
	do
		fd = (int)syscall(SYS_openat2, held ? held->fd : r->fd, *path ? path : ".", &how, sizeof(how));
	while (fd < 0 && errno == EAGAIN && --tries > 0);
	return fd;
}

/* The directory of `path`, resolved in the root; *ret_name is the last part, inside `path`. */
static int open_parent(const struct root *r, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	if (!slash || !slash[1]) {
		errno = EINVAL;
		return -1;
	}
	cleanup_free char *dir = str_ndup(path, (size_t)(slash - path) + 1);
	*ret_name = slash + 1;
	return open_in(r, dir, O_PATH | O_DIRECTORY, 0);
}

static int hook_before(const struct root *r, const char *what, const char *path, const char *value)
{
	return r->hook && r->hook->before ? r->hook->before(r->hook->data, what, path, value) : 0;
}

static struct err *hook_after(const struct root *r, const char *what, const char *path, const char *value)
{
	if (r->hook && r->hook->after)
		r->hook->after(r->hook->data, what, path, value);
	return NULL;
}

#define BEFORE(r, what, path, value)                                    \
	do {                                                            \
		int refused = hook_before((r), (what), (path), (value)); \
		if (refused)                                            \
			return err_errno(refused, "%s", (path));        \
	} while (0)

static struct err *read_fd(int fd, const char *path, char **ret_bytes, size_t *ret_len)
{
	cleanup_sb struct sb sb = {};
	char buf[16384];
	ssize_t n;
	while ((n = read(fd, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(errno, "%s", path);
		if (sb.len + (size_t)n > ROOT_TEXT_MAX)
			return err_errno(EFBIG, "%s", path);
		sb_addn(&sb, buf, (size_t)n);
	}
	*ret_len = sb.len;
	*ret_bytes = sb_steal(&sb);
	return NULL;
}

struct err *root_read_bytes(struct root *r, const char *path, char **ret_bytes, size_t *ret_len)
{
	looked(r, ROOT_READ, path);
	cleanup_fd int fd = open_in(r, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0)
		return err_errno(errno, "%s", path);
	return read_fd(fd, path, ret_bytes, ret_len);
}

struct err *root_read(struct root *r, const char *path, char **ret_text)
{
	size_t len;
	TRY(root_read_bytes(r, path, ret_text, &len));
	if (len && (*ret_text)[len - 1] == '\n')
		(*ret_text)[len - 1] = '\0';
	return NULL;
}

char *root_read_or(struct root *r, const char *path, const char *otherwise)
{
	char *text = NULL;
	cleanup_err struct err *e = root_read(r, path, &text);
	return e ? str_dup(otherwise) : text;
}

bool root_exists(struct root *r, const char *path)
{
	looked(r, ROOT_THERE, path);
	cleanup_fd int fd = open_in(r, path, O_PATH, 0);
	return fd >= 0;
}

struct err *root_stat(struct root *r, const char *path, struct stat *ret_st)
{
	looked(r, ROOT_THERE, path);
	cleanup_fd int fd = open_in(r, path, O_PATH, 0);
	if (fd < 0 || fstat(fd, ret_st) < 0)
		return err_errno(errno, "%s", path);
	return NULL;
}

char *root_link(struct root *r, const char *path)
{
	looked(r, ROOT_THERE, path);
	char target[4096];
	const char *name;
	cleanup_fd int dir = open_parent(r, path, &name);
	if (dir < 0)
		return NULL;
	ssize_t n = readlinkat(dir, name, target, sizeof(target) - 1);
	return n >= 0 && (size_t)n < sizeof(target) ? str_ndup(target, (size_t)n) : NULL;
}

/* Where a descriptor's file is, as the kernel names it; NULL if it has no name. */
static char *fd_path(int fd)
{
	char target[4096];
	cleanup_free char *link = str_fmt("/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, target, sizeof(target));
	return n > 0 && (size_t)n < sizeof(target) && *target == '/' ? str_ndup(target, (size_t)n) : NULL;
}

char *root_real(struct root *r, const char *path)
{
	looked(r, ROOT_THERE, path);
	cleanup_fd int fd = open_in(r, path, O_PATH, 0);
	cleanup_free char *real = fd < 0 ? NULL : fd_path(fd), *top = fd_path(r->fd);
	if (!real || !top)
		return NULL;
	size_t n = streq(top, "/") ? 0 : strlen(top);
	return str_starts(real, top) ? str_dup(real + n) : NULL;
}

char *root_link_name(struct root *r, const char *path)
{
	cleanup_free char *target = root_link(r, path);
	const char *slash = target ? strrchr(target, '/') : NULL;
	return str_dup(slash ? slash + 1 : target);
}

struct err *root_list(struct root *r, const char *path, struct strv *ret_names)
{
	looked(r, ROOT_LIST, path);
	cleanup_fd int fd = open_in(r, path, O_RDONLY | O_DIRECTORY, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return err_errno(errno, "%s", path);
	fd_steal(&fd);
	struct strv names = {};
	for (struct dirent *d; (d = readdir(dir));)
		if (!streq(d->d_name, ".") && !streq(d->d_name, ".."))
			strv_add(&names, d->d_name);
	closedir(dir);
	strv_sort(&names);
	*ret_names = names;
	return NULL;
}

struct err *root_open_fd(struct root *r, const char *path, int flags, int *ret_fd)
{
	looked(r, ROOT_READ, path);
	int fd = flags & O_CREAT ? (errno = EINVAL, -1) : open_in(r, path, flags, 0);
	if (fd < 0)
		return err_errno(errno, "%s", path);
	*ret_fd = fd;
	return NULL;
}

/* One write(2); what the kernel took of it only in part is an error. */
static struct err *write_once(int fd, const char *path, const char *text)
{
	size_t len = strlen(text);
	ssize_t n = write(fd, text, len);
	if (n < 0)
		return err_errno(errno, "%s", path);
	return (size_t)n == len ? NULL : err_errno(EIO, "%s: %zd of %zu bytes taken", path, n, len);
}

struct err *root_write(struct root *r, const char *path, const char *value)
{
	BEFORE(r, "write", path, value);
	/* a captured attribute is a plain file: there the new value replaces the old one as it does in the kernel */
	int flags = O_WRONLY | O_NOCTTY | (root_is_host(r) ? 0 : O_TRUNC);
	cleanup_fd int fd = open_in(r, path, flags, 0);
	if (fd < 0)
		return err_errno(errno, "%s", path);
	TRY(write_once(fd, path, value));
	return hook_after(r, "write", path, value);
}

static struct err *write_all(int fd, const char *path, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(errno, "%s", path);
		data += n;
		len -= (size_t)n;
	}
	return fsync(fd) < 0 ? err_errno(errno, "%s", path) : NULL;
}

/* Into a temporary file beside it, which then takes its name; without `replace` only if nobody has the name yet. */
static struct err *put(struct root *r, const char *path, const char *data, size_t len, mode_t mode, bool replace)
{
	const char *name;
	cleanup_fd int dir = open_parent(r, path, &name);
	if (dir < 0)
		return err_errno(errno, "%s", path);
	cleanup_free char *temp = str_fmt(".%s.%d", name, (int)getpid());
	cleanup_fd int fd = openat(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return err_errno(errno, "%s", path);
	struct err *e = write_all(fd, path, data, len);
	if (!e && renameat2(dir, temp, dir, name, replace ? 0 : RENAME_NOREPLACE) < 0)
		e = err_errno(errno, "%s", path);
	if (e)
		unlinkat(dir, temp, 0);
	return e;
}

struct err *root_put(struct root *r, const char *path, const char *text, mode_t mode)
{
	BEFORE(r, "create", path, text);
	TRY(put(r, path, text, strlen(text), mode, true));
	return hook_after(r, "create", path, text);
}

struct err *root_put_new(struct root *r, const char *path, const void *data, size_t len, mode_t mode)
{
	BEFORE(r, "create", path, NULL);
	TRY(put(r, path, data, len, mode, false));
	const char *slash = strrchr(path, '/');
	cleanup_free char *parent = str_ndup(path, (size_t)(slash - path) + 1);
	cleanup_fd int dir = open_in(r, parent, O_RDONLY | O_DIRECTORY, 0);
	if (dir < 0 || fsync(dir) < 0)
		return err_errno(errno, "%s", parent);
	return hook_after(r, "create", path, NULL);
}

struct err *root_append(struct root *r, const char *path, const char *text)
{
	BEFORE(r, "append", path, text);
	cleanup_fd int fd = open_in(r, path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(errno, "%s", path);
	TRY(write_once(fd, path, text));
	if (fdatasync(fd) < 0)
		return err_errno(errno, "%s", path);
	return hook_after(r, "append", path, text);
}

/* The calls that name an entry of a directory. */
enum entry_op { ENTRY_MKDIR, ENTRY_RMDIR, ENTRY_UNLINK, ENTRY_SYMLINK };

static struct err *entry(struct root *r, enum entry_op op, const char *path, mode_t mode, const char *content)
{
	static const char *const words[] = { "mkdir", "rmdir", "unlink", "symlink" };
	BEFORE(r, words[op], path, content);
	const char *name;
	cleanup_fd int dir = open_parent(r, path, &name);
	if (dir < 0)
		return err_errno(errno, "%s", path);
	int result = op == ENTRY_MKDIR    ? mkdirat(dir, name, mode)
		     : op == ENTRY_RMDIR  ? unlinkat(dir, name, AT_REMOVEDIR)
		     : op == ENTRY_UNLINK ? unlinkat(dir, name, 0)
					  : symlinkat(content, dir, name);
	if (result < 0)
		return err_errno(errno, "%s", path);
	return hook_after(r, words[op], path, content);
}

struct err *root_mkdir(struct root *r, const char *path, mode_t mode)
{
	return entry(r, ENTRY_MKDIR, path, mode, NULL);
}

struct err *root_mkdirs(struct root *r, const char *path, mode_t mode)
{
	for (const char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
		cleanup_free char *part = slash ? str_ndup(path, (size_t)(slash - path)) : str_dup(path);
		if (!root_exists(r, part)) {
			struct err *e = root_mkdir(r, part, mode);
			if (e && err_code(e) != EEXIST)
				return e;
			err_free(e);
		}
		if (!slash)
			return NULL;
	}
}

struct err *root_rmdir(struct root *r, const char *path)
{
	return entry(r, ENTRY_RMDIR, path, 0, NULL);
}

struct err *root_unlink(struct root *r, const char *path)
{
	return entry(r, ENTRY_UNLINK, path, 0, NULL);
}

struct err *root_symlink(struct root *r, const char *content, const char *path)
{
	return entry(r, ENTRY_SYMLINK, path, 0, content);
}

struct err *root_chown(struct root *r, const char *path, uid_t uid, gid_t gid)
{
	cleanup_free char *value = str_fmt("%u:%u", uid, gid);
	BEFORE(r, "chown", path, value);
	cleanup_fd int fd = open_in(r, path, O_PATH, 0);
	if (fd < 0 || fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0)
		return err_errno(errno, "%s", path);
	return hook_after(r, "chown", path, value);
}

/* A descriptor, so that what was looked at is what is mounted upon, whoever exchanges a name meanwhile. */
static struct err *mount_at(const char *source, const char *target, const char *type, unsigned long flags, const char *data)
{
	struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS };
	cleanup_fd int fd = (int)syscall(SYS_openat2, AT_FDCWD, target, &how, sizeof(how));
	if (fd < 0)
		return err_errno(errno, "%s", target);
	cleanup_free char *at = str_fmt("/proc/self/fd/%d", fd);
	return mount(source, at, type, flags, *data ? data : NULL) == 0 ? NULL : err_errno(errno, "mount %s on %s", source, target);
}

struct err *root_mount(struct root *r, const char *source, const char *target, const char *type, unsigned long flags, const char *data)
{
	cleanup_free char *value = str_fmt("%s %s %lu %s", type, source, flags, data);
	BEFORE(r, "mount", target, value);
	if (root_is_host(r))
		TRY(mount_at(source, target, type, flags, data));
	return hook_after(r, "mount", target, value);
}

struct err *root_umount(struct root *r, const char *target)
{
	BEFORE(r, "umount", target, NULL);
	if (root_is_host(r) && umount2(target, UMOUNT_NOFOLLOW) < 0)
		return err_errno(errno, "unmount %s", target);
	return hook_after(r, "umount", target, NULL);
}

struct err *root_hold(struct root *r, const char *path, struct err *(*judge)(const char *part, const struct stat *st, void *data),
		      void *data)
{
	const char *rest;
	const struct held *held = held_above(r, path, &rest);
	struct stat now;
	if (held && fstat(held->fd, &now) == 0 && now.st_nlink)
		return NULL;
	if (held)
		let_go(r, (size_t)(held - r->held));
	cleanup_fd int fd = open_in(r, "/", O_PATH | O_DIRECTORY, 0);
	for (const char *at = path;;) {
		cleanup_free char *part = at == path ? str_dup("/") : str_ndup(path, (size_t)(at - path));
		struct stat st;
		if (fd < 0 || fstat(fd, &st) < 0)
			return err_errno(errno, "%s", part);
		TRY(judge(part, &st, data));
		at += strspn(at, "/");
		if (!*at)
			break;
		cleanup_free char *name = str_ndup(at, strcspn(at, "/"));
		int below = streq(name, "..") ? (errno = EINVAL, -1) : openat(fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (below < 0)
			return err_errno(errno, "%.*s", (int)(at - path + (int)strlen(name)), path);
		close(fd);
		fd = below;
		at += strlen(name);
	}
	r->held = mem_grow(r->held, r->n_held, sizeof(*r->held));
	r->held[r->n_held++] = (struct held){ str_dup(path), fd_steal(&fd) };
	return NULL;
}
