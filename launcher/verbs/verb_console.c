/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qlaunch console VM: this terminal becomes the guest's serial console, until Ctrl-] or the guest's end. With pipes, what comes in is
 * typed, and what the guest says goes on after the end of that. Opens the pseudo-terminal that status.json names, nothing else.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/base/user.h"
#include "launcher/live/machine.h"

#define ESCAPE 0x1d /* Ctrl-], as in telnet and virsh */

/* Between the two sides; what one cannot take yet waits, and the other is not read meanwhile. */
struct line {
	int from, to;
	char buf[4096];
	size_t begin, end;
	bool closed; /* nothing more comes */
};

static bool empty(const struct line *l)
{
	return l->begin == l->end;
}

/* What is wanted of a descriptor now. A side that is closed is not looked at. */
static struct pollfd reader(const struct line *l)
{
	return (struct pollfd){ .fd = l->closed || !empty(l) ? -1 : l->from, .events = POLLIN };
}

static struct pollfd writer(const struct line *l)
{
	return (struct pollfd){ .fd = empty(l) ? -1 : l->to, .events = POLLOUT };
}

static void take(struct line *l)
{
	ssize_t n = read(l->from, l->buf, sizeof(l->buf));
	l->begin = 0;
	l->end = n > 0 ? (size_t)n : 0;
	/* EIO: QEMU has closed its side */
	l->closed = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static struct err *give(struct line *l)
{
	ssize_t n = write(l->to, l->buf + l->begin, l->end - l->begin);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return err_errno(errno, "console");
	l->begin += n > 0 ? (size_t)n : 0;
	return NULL;
}

/* Cuts what was typed at the escape key; true if it was there. */
static bool escaped(struct line *l)
{
	const char *key = memchr(l->buf + l->begin, ESCAPE, l->end - l->begin);
	if (key)
		l->end = (size_t)(key - l->buf);
	return key;
}

static struct err *converse(int pty, int signals, bool terminal)
{
	struct line typed = { .from = STDIN_FILENO, .to = pty }, said = { .from = pty, .to = STDOUT_FILENO };
	bool left = false;
	while (!left && !(said.closed && empty(&said))) {
		struct pollfd p[] = { reader(&typed),
				      writer(&typed),
				      reader(&said),
				      writer(&said),
				      { .fd = signals, .events = POLLIN } };
		if (poll(p, ARRAY_SIZE(p), -1) < 0 && errno != EINTR)
			return err_errno(errno, "poll");
		if (p[4].revents)
			return NULL;
		if (p[0].revents) {
			take(&typed);
			left = terminal && escaped(&typed);
		}
		if (p[1].revents)
			TRY(give(&typed));
		if (p[2].revents)
			take(&said);
		if (p[3].revents)
			TRY(give(&said));
	}
	return NULL;
}

/* What is typed goes on as it is, Ctrl-C too; the terminal is given back on every way out. */
static struct err *in_raw_terminal(const char *vm, int pty)
{
	struct termios before, raw;
	sigset_t ends;
	bool terminal = tcgetattr(STDIN_FILENO, &before) == 0;
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	cleanup_fd int signals = signalfd(-1, &ends, SFD_CLOEXEC);
	if (signals < 0)
		return err_errno(errno, "signalfd");
	if (terminal) {
		log_info("%s: at its console; Ctrl-] leaves it", vm);
		raw = before;
		cfmakeraw(&raw);
		tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	}
	struct err *e = converse(pty, signals, terminal);
	if (terminal)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	if (err_code(e) != EPIPE && err_code(e) != EIO)
		return e;
	err_free(e); /* who read along has heard enough, or the guest has ended */
	return NULL;
}

struct opening {
	struct root *root;
	const char *path;
	int fd;
};

static struct err *open_it(void *data)
{
	struct opening *o = data;
	return root_open_fd(o->root, o->path, O_RDWR | O_NOCTTY | O_NONBLOCK, &o->fd);
}

/* The name came from QEMU: nothing but a pseudo-terminal is opened by it, and with its user's rights, whose own it is: another one may be
 * the terminal that root types a password into. */
static struct err *open_pty(struct root *root, const char *path, uid_t uid, int *ret_fd)
{
	cleanup_user struct user user = {};
	struct opening o = { root, path, -1 };
	uint64_t number;
	static const char dir[] = "/dev/pts/";
	cleanup_err struct err *bad =
		str_starts(path, dir) ? num_parse(path + strlen(dir), 1 << 20, &number) : err_new("not there");
	if (bad)
		return err_new("\"%s\" is no pseudo-terminal", path);
	TRY(geteuid() == 0 ? user_choose(NULL, 0, 0, uid, &user) : NULL);
	TRY(user_visit(&user, open_it, &o));
	cleanup_fd int fd = o.fd;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return err_exit(err_new("somebody else is at this console"), EXIT_USAGE);
	*ret_fd = fd_steal(&fd);
	return NULL;
}

struct err *verb_console(struct cli *cli, const struct verb_args *args)
{
	json_t *status = NULL;
	cleanup_fd int pty = -1;
	TRY(verb_words(args, 1, 1, "console VM"));
	const char *vm = args->words.v[0];
	TRY(machine_find(cli, vm, &status));
	cleanup_free char *path = str_dup(json_string_value(json_object_get(status, "console")));
	uid_t uid = (uid_t)json_integer_value(json_object_get(status, "user"));
	json_decref(status);
	if (!path)
		return err_exit(err_hint(err_new("%s has no console to come to", vm),
					 "qlaunch %s --set console.serial=pty", vm),
				EXIT_USAGE);
	TRY(err_wrap(open_pty(cli->root, path, uid, &pty), "%s: console", vm));
	return err_wrap(in_raw_terminal(vm, pty), "%s", vm);
}
