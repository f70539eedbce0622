/* SPDX-License-Identifier: GPL-2.0-or-later */
/* meeting: see meeting.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "launcher/base/trust.h"
#include "launcher/bench/meeting.h"

#define PREFIX "qlaunch-bench-"
#define SOCKET "agent"

static const int ends[] = { SIGINT, SIGTERM, SIGHUP };

/* For the handler alone: what is removed before the process ends. */
static const char *volatile end_dir, *volatile end_path;

static void on_end(int number)
{
	if (end_path)
		unlink(end_path);
	if (end_dir)
		rmdir(end_dir);
	signal(number, SIG_DFL);
	raise(number);
}

/* Only what would end the process: one that ignores SIGHUP goes on ignoring it. */
static void handle(void (*from)(int), void (*to)(int))
{
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		struct sigaction now;
		if (sigaction(ends[i], NULL, &now) == 0 && now.sa_handler == from)
			signal(ends[i], to);
	}
}

/* Of a directory that one of us made: the user's own, or root's and given to a user. */
static struct err *lock_dir(struct root *root, const char *dir, int how, int *ret_lock)
{
	struct stat st;
	cleanup_fd int fd = -1;
	TRY(root_open_fd(root, dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, &fd));
	while (flock(fd, how) < 0)
		if (errno != EINTR)
			return err_errno(errno, "%s", dir);
	if (fstat(fd, &st) < 0)
		return err_errno(errno, "%s", dir);
	if (geteuid() && st.st_uid != geteuid())
		return err_errno(EPERM, "%s", dir);
	if (!st.st_nlink)
		return err_errno(ENOENT, "%s", dir);
	*ret_lock = fd_steal(&fd);
	return NULL;
}

/* One that sweeps may come between the two, and take it for left: then again. */
static struct err *make_locked(struct meeting *m)
{
	for (;;) {
		TRY(root_mkdir(m->root, m->dir, 0700));
		struct err *e = lock_dir(m->root, m->dir, LOCK_EX, &m->lock);
		if (err_code(e) != ENOENT)
			return e;
		err_free(e);
	}
}

static struct err *listen_at(struct meeting *m)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	if (strlen(m->path) >= sizeof(addr.sun_path))
		return err_errno(ENAMETOOLONG, "%s", m->path);
	memcpy(addr.sun_path, m->path, strlen(m->path));
	m->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (m->fd < 0 || bind(m->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 || listen(m->fd, 1) < 0)
		return err_errno(errno, "%s", m->path);
	return NULL;
}

const char *meeting_base(const struct user *user)
{
	return geteuid() == 0 ? "/run" : user->runtime_dir;
}

struct err *meeting_begin(struct meeting *m, const struct user *user, const char *name)
{
	const char *base = meeting_base(user);
	struct err *e = base ? trust_path(m->root, base, geteuid()) : err_coded(ENOENT, "%s has no XDG_RUNTIME_DIR", user->name);
	TRY(err_exit(err_hint(err_wrap(e, "no place of one's own to meet the guest's agent"),
			      "log in as that user (a session makes it), or: export XDG_RUNTIME_DIR=… to a folder of mode 0700"),
		     EXIT_HOST));
	m->dir = str_fmt("%s/qlaunch-%s", base, name);
	m->path = str_fmt("%s/" SOCKET, m->dir);
	TRY(make_locked(m));
	end_path = m->path;
	end_dir = m->dir;
	handle(SIG_DFL, on_end);
	TRY(listen_at(m));
	if (geteuid())
		return NULL;
	TRY(root_chown(m->root, m->path, user->uid, user->gid));
	return root_chown(m->root, m->dir, user->uid, user->gid);
}

static void remove_it(struct root *root, const char *dir, const char *path)
{
	err_free(root_unlink(root, path));
	err_free(root_rmdir(root, dir));
}

void meeting_end(struct meeting *m)
{
	if (m->lock >= 0) {
		remove_it(m->root, m->dir, m->path);
		handle(on_end, SIG_DFL);
		end_dir = end_path = NULL;
	}
	fd_closep(&m->lock);
	fd_closep(&m->fd);
	free(m->path);
	free(m->dir);
}

static bool is_ours(const char *name)
{
	const char *number = str_starts(name, PREFIX) ? name + strlen(PREFIX) : "";
	return *number && strspn(number, "0123456789") == strlen(number);
}

void meeting_sweep(struct root *root, const char *base)
{
	cleanup_strv struct strv names = {};
	cleanup_err struct err *none = base ? trust_path(root, base, geteuid()) : err_coded(ENOENT, "no folder");
	if (!none)
		err_free(root_list(root, base, &names));
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *dir = str_fmt("%s/%s", base, names.v[i]), *path = str_fmt("%s/" SOCKET, dir);
		cleanup_fd int lock = -1;
		cleanup_err struct err *held = is_ours(names.v[i]) ? lock_dir(root, dir, LOCK_EX | LOCK_NB, &lock) : NULL;
		if (!held && lock >= 0)
			remove_it(root, dir, path);
	}
}
