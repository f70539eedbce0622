/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * program: a program that runs for minutes and is listened to meanwhile. It ends with us: SIGTERM when this process is gone.
 * The time limit is the caller's: every wait here has one.
 */
#pragma once
#include <stdint.h>
#include <sys/types.h>
#include "launcher/base/err.h"
#include "launcher/base/str.h"
#include "launcher/base/user.h"

struct program {
	bool launcher;    /* it is qlaunch itself: runs as root where that is what we are, else as the user that is visited */
	const char *name; /* argv[0], borrowed */
	pid_t pid;
	int pidfd, out, err;
	struct sb said, complaint; /* standard output and standard error so far */
	bool ended;
	int status; /* wait(2) status, once ended */
};
#define PROGRAM_INIT { .pid = -1, .pidfd = -1, .out = -1, .err = -1 }

/* As whom all programs run that are no launcher; NULL: as who we are. Borrowed. In a visit (base/user.h) there must be one. */
void program_user(const struct user *user);
/* The folder in which the machines of that user keep their state; borrowed. NULL before program_user. */
const char *program_data_dir(void);
/* Starts it, without standard input. argv[0] is a path, or is looked up in PATH. */
struct err *program_start(struct program *p, const char *const argv[]);
/*
 * Waits until it says something, it ends, `fd` (-1: none) can be read, or `until` (clock_ms's milliseconds): whatever comes first, for the
 * progress line to go on in a fraction of a second. Takes in what it said. Returns whether `fd` can be read.
 */
bool program_wait(struct program *p, int fd, int64_t until);
/* Waits for its end until then. False: it runs on. */
bool program_wait_end(struct program *p, int64_t until);
/* NULL, or how it failed: with what it complained of last. Only once it has ended. */
struct err *program_result(const struct program *p);
/* SIGTERM, `grace_ms`, SIGKILL; whether it ended by itself. Nothing to one that has ended. */
bool program_stop(struct program *p, int grace_ms);
/* The same without grace, and frees everything. */
void program_close(struct program *p);
#define cleanup_program cleanup(program_close)
