/* SPDX-License-Identifier: GPL-2.0-or-later */
/* child: see child.h. Forks, waits by pidfd and poll, kills what is late. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "launcher/base/tr.h"
#include "launcher/base/clock.h"
#include "launcher/base/child.h"
#include "launcher/base/drain.h"
#include "launcher/base/num.h"
#include "launcher/base/progress.h"

#define OUTPUT_MAX (1u << 20)

/* Reads both pipes until both are closed or the time is up; returns false if it was up. Either fd may be -1. */
static bool drain(int fds[2], struct sb out[2], int64_t until)
{
	struct pollfd p[2] = { { .fd = fds[0], .events = POLLIN }, { .fd = fds[1], .events = POLLIN } };
	while (p[0].fd >= 0 || p[1].fd >= 0) {
		int64_t left = until - clock_ms();
		int n = left > 0 ? progress_poll(p, 2, (int)left) : 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		for (int i = 0; i < 2; i++) {
			char buf[4096];
			if (p[i].fd < 0 || !p[i].revents)
				continue;
			ssize_t got = read(p[i].fd, buf, sizeof(buf));
			if (got > 0 && out[i].len < OUTPUT_MAX)
				sb_addn(&out[i], buf, (size_t)got);
			if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN))
				p[i].fd = -1;
		}
	}
	return true;
}

/* Waits for the end of `pid` until `until`; then kills it, and gives up on one that the kernel holds. Returns its wait status or -1. */
static int reap(pid_t pid, int64_t until)
{
	cleanup_fd int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int status;
	int64_t left = until - clock_ms();
	while (progress_poll(&p, 1, left > 0 ? (int)left : 0) < 0 && errno == EINTR)
		left = until - clock_ms();
	if (!(p.revents & POLLIN)) {
		kill(pid, SIGKILL);
		if (poll(&p, 1, 200) <= 0)
			return -1; /* stuck in the kernel: init will reap it */
		waitpid(pid, &status, 0);
		return -1;
	}
	return waitpid(pid, &status, 0) == pid ? status : 0;
}

/* An error crosses the pipe as three NUL-terminated strings: errno, text, remedy. */
void child_send_err(int fd, const struct err *e)
{
	cleanup_free char *code = str_fmt("%d", err_code(e));
	const char *part[] = { code, err_text(e), err_remedy(e) ? err_remedy(e) : "" };
	for (size_t i = 0; i < ARRAY_SIZE(part); i++)
		if (write(fd, part[i], strlen(part[i]) + 1) < 0)
			return; /* nobody listens any more */
}

struct err *child_receive_err(const struct sb *sb)
{
	const char *part[3] = { "0", "", "" };
	size_t at = 0;
	for (size_t i = 0; i < 3 && at < sb->len; i++) {
		part[i] = sb->s + at;
		at += strlen(part[i]) + 1;
	}
	uint64_t code = 0;
	err_free(num_parse(part[0], 4095, &code));
	struct err *e = err_coded((int)code, "%s", part[1]);
	return *part[2] ? err_hint(e, "%s", part[2]) : e;
}

sigset_t end_signals(void)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP };
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		sigaddset(&set, ends[i]);
	sigaddset(&set, STOP_SIGNAL); /* no constant: the C library keeps some for itself */
	return set;
}

void child_signals(void)
{
	sigset_t none;
	sigemptyset(&none);
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL); /* SIGKILL, SIGSTOP and libc's own refuse it */
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void child_apart(void)
{
	child_signals();
	setsid();
}

/* What a child is not to inherit: our signal mask and handlers, our terminal, and life beyond ours. */
static void child_begin(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	progress_forget();
	drain_forget();
	child_apart();
}

struct err *child_call(struct err *(*fn)(void *data), void *data, int limit_ms)
{
	int64_t until = clock_ms() + limit_ms;
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(errno, "pipe");
	cleanup_fd int in = ends[0], out = ends[1];
	pid_t parent = getpid(), pid = fork();
	if (pid < 0)
		return err_errno(errno, "fork");
	if (pid == 0) {
		child_begin(parent);
		struct err *e = fn(data);
		if (e)
			child_send_err(out, e);
		_exit(e ? 1 : 0);
	}
	fd_closep(&out);
	struct sb said[2] = {};
	bool in_time = drain((int[2]){ in, -1 }, said, until);
	int status = reap(pid, until);
	cleanup_sb struct sb text = said[0];
	if (!in_time || status < 0)
		return err_errno(ETIMEDOUT, "no answer within %d s", (limit_ms + 999) / 1000);
	if (text.len)
		return child_receive_err(&text);
	return status ? err_new("the child process ended with wait status %#x", (unsigned)status) : NULL;
}

int child_write_limit_ms = 10000;

struct write_call {
	struct root *root;
	const char *path, *value;
};

static struct err *write_in_child(void *data)
{
	struct write_call *call = data;
	return root_write(call->root, call->path, call->value);
}

struct err *child_write(struct root *root, const char *path, const char *value)
{
	struct write_call call = { root, path, value };
	struct err *e = child_call(write_in_child, &call, child_write_limit_ms);
	return err_code(e) == ETIMEDOUT ? err_wrap(e, "%s: \"%s\" is written, but the kernel does not come back", path, value) : e;
}

struct read_call {
	struct root *root;
	const char *path;
	int out;
};

static struct err *read_in_child(void *data)
{
	struct read_call *call = data;
	cleanup_free char *text = NULL;
	TRY(root_read(call->root, call->path, &text));
	size_t len = strlen(text);
	return write(call->out, text, len) == (ssize_t)len ? NULL : err_errno(EIO, "%s: pipe", call->path);
}

struct err *child_read(struct root *root, const char *path, char **ret_text)
{
	if (!root_is_host(root) || !root_exists(root, path)) /* what is not there hangs nobody */
		return root_read(root, path, ret_text);
	int ends[2];
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_errno(errno, "pipe");
	cleanup_fd int in = ends[0], out = ends[1];
	struct read_call call = { root, path, out };
	struct err *e = child_call(read_in_child, &call, child_write_limit_ms);
	if (e)
		return err_code(e) == ETIMEDOUT ? err_wrap(e, "%s: the kernel does not come back", path) : e;
	char page[4096];
	ssize_t n = read(in, page, sizeof(page)); /* -1: nothing in the pipe, the text was empty */
	*ret_text = str_ndup(page, n > 0 ? (size_t)n : 0);
	return NULL;
}

/* What to quote: the line that begins with "Error: " (nft says where below it), else the last one that is not blank. */
static char *telling_line(char *text)
{
	char *end = str_trim(text), *error = strstr(end, "Error: "), *last = strrchr(end, '\n');
	if (error && (error == end || error[-1] == '\n')) {
		error[strcspn(error, "\n")] = '\0';
		return str_printable(error + strlen("Error: "));
	}
	return str_printable(last ? last + 1 : end);
}

struct err *child_output(const char *const argv[], int limit_ms, char **ret_output)
{
	int64_t until = clock_ms() + limit_ms;
	cleanup_free char *path = child_find(argv[0]);
	if (!path)
		return err_errno(ENOENT, "%s", argv[0]);
	int pipes[2][2];
	if (pipe2(pipes[0], O_CLOEXEC) < 0)
		return err_errno(errno, "pipe");
	cleanup_fd int out = pipes[0][0], out_end = pipes[0][1];
	if (pipe2(pipes[1], O_CLOEXEC) < 0)
		return err_errno(errno, "pipe");
	cleanup_fd int err = pipes[1][0], err_end = pipes[1][1];
	pid_t parent = getpid(), pid = fork();
	if (pid < 0)
		return err_errno(errno, "fork");
	if (pid == 0) {
		child_begin(parent);
		int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (dup2(null, 0) < 0 || dup2(out_end, 1) < 0 || dup2(err_end, 2) < 0)
			_exit(126);
		execv(path, (char *const *)argv);
		_exit(127);
	}
	fd_closep(&out_end);
	fd_closep(&err_end);
	struct sb said[2] = {};
	bool in_time = drain((int[2]){ out, err }, said, until);
	int status = reap(pid, until);
	cleanup_sb struct sb text = said[0], complaint = said[1];
	if (!in_time || status < 0)
		return err_errno(ETIMEDOUT, "%s: no answer within %d s", argv[0], (limit_ms + 999) / 1000);
	if (status) {
		cleanup_free char *line = complaint.s ? telling_line(complaint.s) : tr_fmt("wait status %#x", (unsigned)status);
		return err_new("%s: %s", argv[0], line);
	}
	*ret_output = sb_steal(&text);
	return NULL;
}

char *child_find(const char *program)
{
	if (strchr(program, '/'))
		return faccessat(AT_FDCWD, program, X_OK, AT_EACCESS) == 0 ? str_dup(program) : NULL;
	cleanup_strv struct strv dirs = {};
	strv_split(&dirs, getenv("PATH") ? getenv("PATH") : "/usr/local/bin:/usr/bin:/bin", ":");
	strv_add(&dirs, "/usr/sbin");
	strv_add(&dirs, "/usr/libexec");
	for (size_t i = 0; i < dirs.n; i++) {
		cleanup_free char *path = str_fmt("%s/%s", dirs.v[i], program);
		if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0)
			return steal(path);
	}
	return NULL;
}

struct err *proc_id_of(pid_t pid, struct proc_id *ret_id)
{
	cleanup_free char *path = str_fmt("/proc/%d/stat", (int)pid);
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	char buf[1024];
	ssize_t n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
	if (n <= 0)
		return err_errno(ESRCH, "process %d", (int)pid);
	buf[n] = '\0';
	/* proc(5): the name, field 2, may hold anything; the last ")" ends it. State is field 3, starttime field 22. */
	char state = 0;
	uint64_t start = 0;
	const char *rest = strrchr(buf, ')');
	if (!rest ||
	    sscanf(rest + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %" SCNu64, &state, &start) != 2 ||
	    state == 'Z' || state == 'X')
		return err_errno(ESRCH, "process %d", (int)pid);
	*ret_id = (struct proc_id){ pid, start };
	return NULL;
}

bool proc_alive(struct proc_id id)
{
	struct proc_id now;
	cleanup_err struct err *e = proc_id_of(id.pid, &now);
	return !e && now.start == id.start;
}

struct err *proc_wait(struct proc_id id)
{
	cleanup_fd int pidfd = (int)syscall(SYS_pidfd_open, id.pid, 0);
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	if (pidfd < 0 && errno != ESRCH)
		return err_errno(errno, "process %d", (int)id.pid);
	while (pidfd >= 0 && proc_alive(id) && poll(&p, 1, -1) < 0) /* asked after the descriptor is there: it is of this process then */
		if (errno != EINTR)
			return err_errno(errno, "process %d", (int)id.pid);
	return NULL;
}

char *proc_id_format(struct proc_id id)
{
	return str_fmt("%d %" PRIu64, (int)id.pid, id.start);
}

struct err *proc_id_parse(const char *text, struct proc_id *ret_id)
{
	cleanup_strv struct strv part = {};
	uint64_t pid, start;
	strv_split(&part, text, " ");
	if (part.n != 2)
		return err_new("\"%s\" is not a process (PID START)", text);
	TRY(num_parse(part.v[0], 1 << 22, &pid)); /* PID_MAX_LIMIT, include/linux/threads.h */
	TRY(num_parse(part.v[1], UINT64_MAX, &start));
	*ret_id = (struct proc_id){ (pid_t)pid, start };
	return NULL;
}
