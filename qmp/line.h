/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * line: lines in and out of a stream socket without waiting, for QMP and the guest agent. Bounded in both directions:
 * what the other end says is not trusted, and one that does not read must not make us grow. Owns the descriptor and two
 * buffers, nothing else.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "launcher/base/err.h"
#include "launcher/base/str.h"

/* At most this much waits to be sent: many times the longest command we have. */
#define LINE_UNSENT_MAX ((size_t)8 << 20)

struct line_io {
	int fd;
	int stop_fd;    /* who waits stops waiting when this can be read; -1: none */
	size_t max;     /* the longest line that is taken, in bytes without its end */
	struct sb in;   /* read and not yet dropped */
	size_t start;   /* of `in`: where the next line begins */
	size_t scanned; /* of `in`: no newline between start and here */
	bool eof;
	struct sb out;
	size_t sent; /* of `out` */
};

void line_init(struct line_io *io, int fd, size_t max); /* takes over `fd` */
void line_free(struct line_io *io);

/* Reads once, at most 64 KiB, if anything is there. A connection that was closed or reset sets io->eof. */
struct err *line_fill(struct line_io *io);
/*
 * The next whole line without its \n or \r\n, terminated by NUL, in io's own buffer until the next line_fill; NULL when
 * there is none yet. Errors: EMSGSIZE for a line longer than io->max, EPROTO when the stream ended in the middle of
 * one.
 */
struct err *line_take(struct line_io *io, char **ret_line, size_t *ret_len);

/*
 * Drops what was read up to and with the last byte `mark`, or all of it where there is none; returns whether there was
 * one. What is dropped need not be lines.
 */
bool line_drop_through(struct line_io *io, unsigned char mark);

/* Queues bytes for sending; ENOBUFS, and nothing queued, when LINE_UNSENT_MAX is exceeded. */
struct err *line_put(struct line_io *io, const char *bytes, size_t n);
/*
 * Sends what the socket takes. To a closed one nothing is sent and nothing is said: reading meets the end of it in its
 * order.
 */
struct err *line_flush(struct line_io *io);
/* Sends at least the first queued byte, and `fd` with it (SCM_RIGHTS). EAGAIN when the socket takes nothing. */
struct err *line_flush_fd(struct line_io *io, int fd);
bool line_unsent(const struct line_io *io);

/*
 * Waits until something can be read, or sent if there is any to send. ETIMEDOUT when the clock reaches `deadline`, ECANCELED when
 * io->stop_fd can be read.
 */
struct err *line_wait(const struct line_io *io, int64_t deadline);
