/* SPDX-License-Identifier: GPL-2.0-or-later */
/* line: see line.h. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "launcher/base/clock.h"
#include "launcher/base/progress.h"
#include "qmp/line.h"

void line_init(struct line_io *io, int fd, size_t max)
{
	*io = (struct line_io){ .fd = fd, .stop_fd = -1, .max = max };
}

void line_free(struct line_io *io)
{
	fd_closep(&io->fd);
	sb_free(&io->in);
	sb_free(&io->out);
}

/*
 * Moves what is not taken yet to the front: a line's bytes are moved at most once for each read that leaves it behind
 * others.
 */
static void compact(struct line_io *io)
{
	if (!io->start)
		return;
	io->in.len -= io->start;
	memmove(io->in.s, io->in.s + io->start, io->in.len);
	io->scanned -= io->start;
	io->start = 0;
}

struct err *line_fill(struct line_io *io)
{
	char buf[65536];
	if (io->eof)
		return NULL;
	ssize_t n = recv(io->fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return NULL;
	if (n == 0 || (n < 0 && errno == ECONNRESET)) {
		io->eof = true;
		return NULL;
	}
	if (n < 0)
		return err_errno(errno, "cannot read");
	compact(io);
	sb_addn(&io->in, buf, (size_t)n);
	return NULL;
}

struct err *line_take(struct line_io *io, char **ret_line, size_t *ret_len)
{
	if (!io->in.s) {
		*ret_line = NULL;
		return NULL;
	}
	char *line = io->in.s + io->start, *end = NULL;
	size_t len = io->in.len - io->start;
	if (io->scanned < io->in.len)
		end = memchr(io->in.s + io->scanned, '\n', io->in.len - io->scanned);
	if (end)
		len = (size_t)(end - line);
	io->scanned = end ? io->start + len + 1 : io->in.len;
	if (len && line[len - 1] == '\r')
		len--;
	if (len > io->max)
		return err_errno(EMSGSIZE, "a line of more than %zu bytes", io->max);
	if (!end && io->eof && io->start < io->in.len)
		return err_errno(EPROTO, "closed in the middle of a line");
	if (end) {
		line[len] = '\0';
		io->start = io->scanned;
		*ret_len = len;
	}
	*ret_line = end ? line : NULL;
	return NULL;
}

bool line_drop_through(struct line_io *io, unsigned char mark)
{
	size_t len = io->in.len - io->start;
	const char *found = len ? memrchr(io->in.s + io->start, mark, len) : NULL;
	io->start = io->scanned = found ? (size_t)(found - io->in.s) + 1 : io->in.len;
	return found;
}

struct err *line_put(struct line_io *io, const char *bytes, size_t n)
{
	if (io->out.len - io->sent + n > LINE_UNSENT_MAX)
		return err_errno(ENOBUFS, "the other end does not read");
	if (io->sent == io->out.len)
		io->sent = io->out.len = 0;
	sb_addn(&io->out, bytes, n);
	return NULL;
}

bool line_unsent(const struct line_io *io)
{
	return io->sent < io->out.len;
}

/* Sends once; `control` may carry a descriptor. */
static struct err *send_once(struct line_io *io, void *control, size_t control_len)
{
	struct iovec iov = { io->out.s + io->sent, io->out.len - io->sent };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = control_len };
	ssize_t n = sendmsg(io->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
		n = (ssize_t)iov.iov_len;
	if (n < 0)
		return err_errno(errno, "cannot write");
	io->sent += (size_t)n;
	return NULL;
}

struct err *line_flush(struct line_io *io)
{
	struct err *e = NULL;
	while (!e && line_unsent(io))
		e = send_once(io, NULL, 0);
	if (err_code(e) != EAGAIN && err_code(e) != EINTR)
		return e;
	err_free(e);
	return NULL;
}

struct err *line_flush_fd(struct line_io *io, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {};
	control.align = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
	memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
	TRY(send_once(io, control.bytes, sizeof(control.bytes)));
	return line_flush(io);
}

struct err *line_wait(const struct line_io *io, int64_t deadline)
{
	struct pollfd p[] = { { io->fd, (short)(POLLIN | (line_unsent(io) ? POLLOUT : 0)), 0 }, { io->stop_fd, POLLIN, 0 } };
	for (;;) {
		int64_t left = deadline - clock_ms();
		if (left <= 0)
			return err_errno(ETIMEDOUT, "no answer");
		int n = progress_poll(p, ARRAY_SIZE(p), left > INT_MAX ? INT_MAX : (int)left);
		if (n > 0)
			return p[1].revents ? err_errno(ECANCELED, "no answer") : NULL;
		if (n < 0 && errno != EINTR)
			return err_errno(errno, "cannot wait");
	}
}
