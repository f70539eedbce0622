/* SPDX-License-Identifier: GPL-2.0-or-later */
/* process: see process.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "launcher/base/clock.h"
#include "launcher/base/drain.h"
#include "launcher/base/num.h"
#include "launcher/base/progress.h"
#include "launcher/base/tr.h"
#include "launcher/host/kind/process.h"

#define HOLD_LIMIT_MS 10000 /* a fork, or an execve from a slow disk */
#define LATE_GRACE_MS 2000  /* from SIGTERM to SIGKILL, for one that was late */
#define SAID_MAX 8192       /* the end of standard error that is kept */
#define HIGH_FD 128         /* above all numbers that are handed on */
#define HELD '.'            /* what the child says once it waits; an error begins with a digit */

/* ---- in the child ---- */

static int higher(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, HIGH_FD);
}

/* Leaves 0 to 2, what is handed on, and the two pipes, above all of those; everything else is closed, the journal's lock with it. */
static struct err *arrange_fds(const struct process *p, int *hold, int *status, int said)
{
	int high[PROCESS_FDS_MAX], high_hold = higher(*hold), high_status = high_hold < 0 ? -1 : higher(*status);
	if (high_status < 0) /* EINVAL: not even a number is free up there (fcntl(2)) */
		return err_hint(err_errno(errno == EINVAL ? EMFILE : errno, "descriptors above %d", HIGH_FD),
				"`ulimit -n 1024`, or LimitNOFILE= of its unit");
	*hold = high_hold;
	*status = high_status;
	for (size_t i = 0; i < p->n_fds; i++)
		if ((high[i] = higher(p->fds[i])) < 0)
			return err_errno(errno, "descriptor %d", p->fds[i]);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return err_errno(errno, "/dev/null");
	if ((!p->terminal && (dup2(null, 0) < 0 || dup2(said, 1) < 0)) || dup2(said, 2) < 0)
		return err_errno(errno, "standard descriptors");
	for (size_t i = 0; i < p->n_fds; i++)
		if (dup2(high[i], PROCESS_FD + (int)i) < 0)
			return err_errno(errno, "descriptor %d", PROCESS_FD + (int)i);
	unsigned low = (unsigned)(*hold < *status ? *hold : *status), top = (unsigned)(*hold < *status ? *status : *hold);
	if (close_range(PROCESS_FD + (unsigned)p->n_fds, low - 1, 0) < 0 || (top > low + 1 && close_range(low + 1, top - 1, 0) < 0) ||
	    close_range(top + 1, ~0U, 0) < 0)
		return err_errno(errno, "close_range");
	return NULL;
}

/* What a program of ours is not to inherit. A launcher's CPU mask may come from a shell, and since Linux 6.2 the kernel remembers it. */
static struct err *arrange_rest(const struct process *p)
{
	child_apart();
	signal(SIGPIPE, SIG_IGN);
	umask(077);
	cpu_set_t *all = CPU_ALLOC(CPUS_MAX);
	size_t size = CPU_ALLOC_SIZE(CPUS_MAX);
	memset(all, 0xff, size);
	sched_setaffinity(0, size, all); /* the kernel takes those that its cgroup allows; none is refused */
	CPU_FREE(all);
	if (p->oom_score_adj) {
		cleanup_fd int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
		if (fd < 0 || dprintf(fd, "%d", p->oom_score_adj) < 0)
			return err_errno(errno, "oom_score_adj");
	}
	return p->become ? p->become(p->become_data) : NULL;
}

/* Waits for the word to go, with which the late descriptors come: they take the lowest numbers, which are those behind the others. */
static bool wait_for_release(const struct process *p, int hold)
{
	char byte, control[CMSG_SPACE(PROCESS_LATE_FDS_MAX * sizeof(int))];
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	ssize_t n;
	while ((n = recvmsg(hold, &message, 0)) < 0 && errno == EINTR)
		;
	const struct cmsghdr *c = n == 1 ? CMSG_FIRSTHDR(&message) : NULL;
	if (!c)
		return n == 1;
	int fds[PROCESS_LATE_FDS_MAX];
	size_t n_fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fds, CMSG_DATA(c), n_fds * sizeof(int));
	for (size_t i = 0; i < n_fds; i++)
		if (fds[i] != PROCESS_FD + (int)(p->n_fds + i))
			return false;
	return true;
}

_Noreturn static void held_child(const struct process *p, int hold, int status, int said)
{
	char byte = HELD;
	struct err *e = arrange_fds(p, &hold, &status, said);
	if (!e)
		e = arrange_rest(p);
	if (!e) {
		if (write(status, &byte, 1) != 1)
			_exit(127);
		if (!wait_for_release(p, hold))
			_exit(127); /* the launcher is no more, or has changed its mind */
		execve(p->argv[0], p->argv, p->env ? p->env : environ);
		e = err_errno(errno, "%s", p->argv[0]);
	}
	child_send_err(status, e);
	_exit(127);
}

/* ---- in the launcher ---- */

/* Reads what the child says within the time limit: until it says HELD, or all of it: an error, or nothing more than that. */
static struct err *hear(const struct process *p, bool until_end, struct sb *text)
{
	struct pollfd poller = { .fd = p->status_fd, .events = POLLIN };
	for (;;) {
		char buf[1024];
		int n = progress_poll(&poller, 1, HOLD_LIMIT_MS);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_errno(n ? errno : ETIMEDOUT, "%s", p->name);
		ssize_t got = read(p->status_fd, buf, sizeof(buf));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || text->len > 65536)
			return NULL;
		sb_addn(text, buf, (size_t)got);
		if (!until_end && text->s[0] == HELD)
			return NULL;
	}
}

static bool listen_to(void *data)
{
	return process_listen(data);
}

struct err *process_fork(struct process *p)
{
	int ends[3][2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends[0]) < 0)
		return err_errno(errno, "socketpair");
	cleanup_fd int hold = ends[0][0], release = ends[0][1];
	if (pipe2(ends[1], O_CLOEXEC) < 0)
		return err_errno(errno, "pipe");
	cleanup_fd int heard = ends[1][0], status = ends[1][1];
	if (pipe2(ends[2], O_CLOEXEC) < 0)
		return err_errno(errno, "pipe");
	cleanup_fd int listened = ends[2][0], said = ends[2][1];
	fcntl(listened, F_SETFL, O_NONBLOCK);
	pid_t pid = fork();
	if (pid < 0)
		return err_errno(errno, "fork");
	if (pid == 0)
		held_child(p, hold, status, said);
	fd_closep(&status);
	p->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	p->release_fd = fd_steal(&release);
	p->status_fd = fd_steal(&heard);
	p->stderr_fd = fd_steal(&listened);
	drain_add(p->stderr_fd, listen_to, p);
	struct err *e = proc_id_of(pid, &p->id);
	if (e && err_code(e) == ESRCH) { /* it has ended by now: why, it says where HELD is waited for */
		err_free(e);
		p->id = (struct proc_id){ .pid = pid };
		return NULL;
	}
	if (!e)
		return NULL;
	process_close(p);
	return err_wrap(e, "%s", p->name);
}

/* Takes HELD off the front. Without it the child has not come as far as that, and what it said is why. */
static struct err *was_held(struct sb *text)
{
	if (!text->len)
		return err_new("the child ended before it was released");
	if (text->s[0] != HELD)
		return child_receive_err(text);
	memmove(text->s, text->s + 1, text->len--);
	return NULL;
}

struct err *process_hold(struct process *p)
{
	cleanup_sb struct sb text = {};
	TRY(process_fork(p));
	struct err *e = hear(p, false, &text);
	if (!e)
		e = was_held(&text);
	p->held = !e;
	if (!e)
		return NULL;
	process_close(p);
	return err_wrap(e, "%s", p->name);
}

static ssize_t send_release(struct process *p, char *byte)
{
	char control[CMSG_SPACE(PROCESS_LATE_FDS_MAX * sizeof(int))] = {};
	struct iovec data = { byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
	if (p->n_late_fds) {
		struct cmsghdr *c = (struct cmsghdr *)control;
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(p->n_late_fds * sizeof(int));
		memcpy(CMSG_DATA(c), p->late_fds, p->n_late_fds * sizeof(int));
		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(p->n_late_fds * sizeof(int));
	}
	ssize_t n = sendmsg(p->release_fd, &message, MSG_NOSIGNAL);
	for (; p->n_late_fds; p->n_late_fds--)
		fd_closep(&p->late_fds[p->n_late_fds - 1]);
	return n;
}

struct err *process_release(struct process *p)
{
	char byte = HELD;
	cleanup_sb struct sb text = {};
	if (p->release_fd < 0)
		return err_new("%s is not held", p->name);
	ssize_t n = send_release(p, &byte);
	fd_closep(&p->release_fd);
	struct err *e = n == 1 || !p->held ? hear(p, true, &text) : err_new("the child ended before it was released");
	fd_closep(&p->status_fd);
	if (!e && !p->held)
		e = was_held(&text);
	if (!e && text.len)
		e = child_receive_err(&text);
	return err_wrap(e, "%s", p->name);
}

bool process_ended(struct process *p)
{
	if (p->ended || !p->id.pid)
		return p->ended;
	pid_t got = waitpid(p->id.pid, &p->status, WNOHANG);
	p->ended = got == p->id.pid || (got < 0 && errno == ECHILD);
	return p->ended;
}

char *process_status_text(int status)
{
	if (WIFSIGNALED(status))
		return tr_fmt("signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	return tr_fmt("exit status %d", WEXITSTATUS(status));
}

bool process_listen(struct process *p)
{
	char buf[4096];
	ssize_t n = 0;
	while (p->stderr_fd >= 0 && (n = read(p->stderr_fd, buf, sizeof(buf))) > 0) {
		sb_addn(&p->said, buf, (size_t)n);
		if (p->said.len > SAID_MAX) {
			size_t drop = p->said.len - SAID_MAX / 2;
			memmove(p->said.s, p->said.s + drop, p->said.len - drop + 1);
			p->said.len -= drop;
		}
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

char *process_last_words(const struct process *p, size_t lines)
{
	cleanup_strv struct strv all = {}, last = {};
	strv_split(&all, p->said.s ? p->said.s : "", "\r\n");
	for (size_t i = all.n > lines ? all.n - lines : 0; i < all.n; i++) {
		cleanup_free char *line = str_printable(all.v[i]);
		strv_add(&last, line);
	}
	return strv_join(&last, "; ");
}

/* True once it has ended, within the time limit. */
static bool wait_end(int pidfd, int limit_ms)
{
	struct pollfd poller = { .fd = pidfd, .events = POLLIN };
	int n;
	while ((n = progress_poll(&poller, 1, limit_ms)) < 0 && errno == EINTR)
		;
	return n > 0;
}

bool process_await(struct process *p, int limit_ms, int stop_fd)
{
	struct pollfd ends[] = { { p->pidfd, POLLIN, 0 }, { stop_fd, POLLIN, 0 } }; /* -1 is passed over */
	int64_t until = clock_ms() + limit_ms, left = limit_ms;
	while (!process_ended(p) && progress_poll(ends, ARRAY_SIZE(ends), left > 0 ? (int)left : 0) < 0 && errno == EINTR)
		left = until - clock_ms();
	return process_ended(p);
}

static void watched_no_more(struct process *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(p->sources); i++)
		if (p->sources[i])
			p->sources[i] = sd_event_source_disable_unref(p->sources[i]);
}

/* What it said last is read before its end is told: on_end asks for it. */
static void tell_end(struct process *p)
{
	process_listen(p);
	watched_no_more(p);
	p->on_end(p, p->on_end_data);
}

static int on_pidfd(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	(void)source, (void)fd, (void)revents;
	if (process_ended(data))
		tell_end(data);
	return 0;
}

static int on_said(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	(void)fd, (void)revents;
	if (!process_listen(data))
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
	return 0;
}

static int on_limit(sd_event_source *source, uint64_t usec, void *data)
{
	struct process *p = data;
	(void)source, (void)usec;
	p->late = !process_ended(p);
	if (p->late)
		err_free(process_end(p, LATE_GRACE_MS));
	tell_end(p);
	return 0;
}

int process_watch(struct process *p, sd_event *event, uint64_t limit_us, void (*on_end)(struct process *p, void *data), void *data)
{
	if (p->pidfd < 0)
		return 0;
	p->on_end = on_end;
	p->on_end_data = data;
	int r = sd_event_add_io(event, &p->sources[0], p->pidfd, EPOLLIN, on_pidfd, p);
	if (r >= 0)
		r = sd_event_add_io(event, &p->sources[1], p->stderr_fd, EPOLLIN, on_said, p);
	if (r >= 0 && limit_us)
		r = sd_event_add_time_relative(event, &p->sources[2], CLOCK_MONOTONIC, limit_us, 0, on_limit, p);
	return r;
}

void process_drop(struct process *p)
{
	bool held = p->release_fd >= 0;
	fd_closep(&p->release_fd);
	fd_closep(&p->status_fd);
	for (; p->n_late_fds; p->n_late_fds--)
		fd_closep(&p->late_fds[p->n_late_fds - 1]);
	if (held && (p->pidfd < 0 || wait_end(p->pidfd, HOLD_LIMIT_MS))) /* no descriptor: it ended before there could be one */
		process_ended(p);
}

void process_close(struct process *p)
{
	process_drop(p);
	watched_no_more(p);
	drain_remove(p->stderr_fd);
	fd_closep(&p->pidfd);
	fd_closep(&p->stderr_fd);
	sb_free(&p->said);
}

static struct err *stop(int pidfd, pid_t pid, int grace_ms)
{
	static const int signals[] = { SIGTERM, SIGKILL };
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		if (syscall(SYS_pidfd_send_signal, pidfd, signals[i], NULL, 0) < 0 && errno != ESRCH)
			return err_errno(errno, "process %d", (int)pid);
		if (wait_end(pidfd, grace_ms))
			return NULL;
	}
	return err_hint(err_errno(ETIMEDOUT, "process %d does not end", (int)pid),
			"it waits in the kernel: `cat /proc/%d/stack` shows where; then `qlaunch restore`", (int)pid);
}

struct err *process_stop(struct proc_id id, int grace_ms)
{
	cleanup_fd int pidfd = (int)syscall(SYS_pidfd_open, id.pid, 0);
	int code = errno;
	/* asked once the descriptor is there: from now on the pid cannot be anybody else's */
	if (!proc_alive(id))
		return NULL;
	return pidfd < 0 ? err_errno(code, "process %d", (int)id.pid) : stop(pidfd, id.pid, grace_ms);
}

struct err *process_end(struct process *p, int grace_ms)
{
	TRY(stop(p->pidfd, p->id.pid, grace_ms));
	process_ended(p); /* ours to reap */
	return NULL;
}
