/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * child: everything slow or able to hang runs in a child process with a time limit. No shell, ever.
 * Also the identity of a process: its pid alone may be reused, pid and start time are not.
 */
#pragma once
#include <stdint.h>
#include <sys/types.h>
#include "launcher/base/err.h"
#include "launcher/base/root.h"
#include "launcher/base/str.h"

/*
 * What `qlaunch stop` sends to a launcher, with a number: 1 power button, 2 quit, 3 kill. A real-time signal is queued (signal(7)); a
 * SIGTERM is lost where one waits already.
 */
#define STOP_SIGNAL SIGRTMIN
/* SIGINT, SIGTERM, SIGHUP and STOP_SIGNAL: who sends one wants this process to end. */
sigset_t end_signals(void);

/*
 * Runs fn(data) in a forked child and returns its error (text, remedy and errno come back through a pipe). After `limit_ms` the child is
 * sent SIGKILL and ETIMEDOUT is returned, even if the child is stuck in the kernel and does not die. What fn changes in memory is lost.
 */
struct err *child_call(struct err *(*fn)(void *data), void *data, int limit_ms);

/* root_write() for attributes that the kernel may never answer (a device's lock is held): in a child, ETIMEDOUT after the limit. */
extern int child_write_limit_ms; /* 10 s; tests shorten it */
struct err *child_write(struct root *root, const char *path, const char *value);
/* root_read() likewise, for short attributes (one page): the kernel takes the same lock to read some of them, driver_override for one. On
 * any root but the host's it reads at once. */
struct err *child_read(struct root *root, const char *path, char **ret_text);

/*
 * Runs a program (argv[0] is a path, or is looked up in PATH) with no standard input and returns what it wrote to standard output, at most
 * 1 MiB. A status other than 0 is an error that quotes the "Error: " of its standard error, or its last line. Same time limit as above.
 */
struct err *child_output(const char *const argv[], int limit_ms, char **ret_output);

/* For those who fork by themselves. In the child: every signal at its default, none blocked. */
void child_signals(void);
/*
 * The same, and without the terminal, in a session of its own: Ctrl-C is for the launcher, which knows what it has begun, and not for nft(8)
 * on the way back. What becomes the user then has no terminal of root's, either.
 */
void child_apart(void);
/* An error through a pipe: written in the child, and made an error again from all that was read. */
void child_send_err(int fd, const struct err *e);
struct err *child_receive_err(const struct sb *sb);

/* Where a program is: PATH, then /usr/sbin and /usr/libexec; NULL if it is nowhere. Owned by the caller. */
char *child_find(const char *program);

/* A process by pid and start time (clock ticks since boot, field 22 of /proc/PID/stat). */
struct proc_id {
	pid_t pid;
	uint64_t start;
};
struct err *proc_id_of(pid_t pid, struct proc_id *ret_id); /* ESRCH if there is none, or it is a zombie */
bool proc_alive(struct proc_id id);                        /* the same process still exists and is no zombie */
struct err *proc_wait(struct proc_id id);                  /* until it has ended, for ever if need be */
char *proc_id_format(struct proc_id id);                   /* "PID START"; owned by the caller */
struct err *proc_id_parse(const char *text, struct proc_id *ret_id);
