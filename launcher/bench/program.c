/* SPDX-License-Identifier: GPL-2.0-or-later */
/* program: see program.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "launcher/base/clock.h"
#include "launcher/base/child.h"
#include "launcher/base/progress.h"
#include "launcher/base/tr.h"
#include "launcher/bench/program.h"
#include "qmp/line.h"

#define SAID_MAX ((size_t)32 << 20)
#define WAIT_MS 60000 /* at most at a time: the caller looks at its clock again */

static const struct user *run_as;

void program_user(const struct user *user)
{
	run_as = user;
}

const char *program_data_dir(void)
{
	return run_as ? run_as->data_dir : NULL;
}

/* Root for good, or the user for good: no program begins between the two. Where the user is root, who asked for it is nobody else. */
static struct err *be_one(bool launcher)
{
	return launcher || !run_as || run_as->uid == 0 || getuid() != 0 ? user_return() : user_become(run_as);
}

__attribute__((noreturn)) static void become(const struct program *p, const char *path, const char *const argv[], pid_t parent, int out,
					     int err)
{
	child_signals();
	struct err *e = be_one(p->launcher);
	if (e) {
		dprintf(err, "%s\n", err_text(e));
		_exit(127);
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM); /* after that: a change of ids takes it away */
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (getppid() == parent && dup2(null, 0) == 0 && dup2(out, 1) == 1 && dup2(err, 2) == 2)
		execv(path, (char *const *)argv);
	_exit(127);
}

struct err *program_start(struct program *p, const char *const argv[])
{
	cleanup_free char *path = child_find(argv[0]);
	int out[2], err[2];
	if (!path)
		return err_errno(ENOENT, "%s", argv[0]);
	if (pipe2(out, O_CLOEXEC) < 0)
		return err_errno(errno, "pipe");
	cleanup_fd int out_end = out[1];
	p->out = out[0];
	if (pipe2(err, O_CLOEXEC) < 0)
		return err_errno(errno, "pipe");
	cleanup_fd int err_end = err[1];
	p->err = err[0];
	p->name = argv[0];
	pid_t parent = getpid();
	p->pid = fork();
	if (p->pid < 0)
		return err_errno(errno, "fork");
	if (p->pid == 0)
		become(p, path, argv, parent, out_end, err_end);
	p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	return p->pidfd < 0 ? err_errno(errno, "pidfd") : NULL;
}

static void take(int *fd, struct sb *into)
{
	char buf[16384];
	ssize_t n = read(*fd, buf, sizeof(buf));
	if (n > 0 && into->len < SAID_MAX)
		sb_addn(into, buf, (size_t)n);
	if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
		fd_closep(fd), *fd = -1;
}

static int wait_ms(int64_t until)
{
	int64_t left = until - clock_ms();
	return left <= 0 ? 0 : progress_wait_ms(left < WAIT_MS ? (int)left : WAIT_MS);
}

bool program_wait(struct program *p, int fd, int64_t until)
{
	struct pollfd f[] = {
		{ .fd = p->out, .events = POLLIN },
		{ .fd = p->err, .events = POLLIN },
		{ .fd = fd, .events = POLLIN },
		{ .fd = p->ended ? -1 : p->pidfd, .events = POLLIN },
	};
	int n = poll(f, ARRAY_SIZE(f), wait_ms(until));
	progress_tick();
	if (n <= 0)
		return false;
	if (f[0].revents)
		take(&p->out, &p->said);
	if (f[1].revents)
		take(&p->err, &p->complaint);
	/* its end counts when all that it said is in, or somebody else holds the other ends of its pipes */
	if (f[3].revents && !f[0].revents && !f[1].revents)
		p->ended = waitpid(p->pid, &p->status, 0) == p->pid;
	return f[2].revents;
}

bool program_wait_end(struct program *p, int64_t until)
{
	while (!p->ended && clock_ms() < until)
		program_wait(p, -1, until);
	return p->ended;
}

struct err *program_result(const struct program *p)
{
	if (!p->status)
		return NULL;
	cleanup_strv struct strv lines = {};
	if (p->complaint.s)
		strv_split(&lines, p->complaint.s, "\n");
	cleanup_free char *why = lines.n                  ? str_printable(lines.v[lines.n - 1])
				 : WIFSIGNALED(p->status) ? tr_fmt("signal %d", WTERMSIG(p->status))
							  : tr_fmt("exit status %d", WEXITSTATUS(p->status));
	return err_new("%s", why);
}

bool program_stop(struct program *p, int grace_ms)
{
	if (p->pid <= 0 || p->ended)
		return true;
	if (grace_ms) {
		/* as `qlaunch stop --now` says it; others know no such signal, and end by it as by a SIGTERM */
		sigqueue(p->pid, STOP_SIGNAL, (union sigval){ .sival_int = 2 });
		if (program_wait_end(p, clock_ms() + grace_ms))
			return true;
	}
	kill(p->pid, SIGKILL);
	p->ended = waitpid(p->pid, &p->status, 0) == p->pid;
	return false;
}

void program_close(struct program *p)
{
	program_stop(p, 0);
	fd_closep(&p->pidfd);
	fd_closep(&p->out);
	fd_closep(&p->err);
	sb_free(&p->said);
	sb_free(&p->complaint);
	*p = (struct program)PROGRAM_INIT;
}
