/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * meeting: a directory that the machine's user alone can enter, and in it the socket that QEMU connects to the guest's agent. It is locked
 * as long as its process lives, so what one that was killed has left is known, and removed by the next. SIGINT, SIGTERM and SIGHUP end the
 * process with it removed.
 */
#pragma once
#include "launcher/base/root.h"
#include "launcher/base/user.h"

struct meeting {
	struct root *root;
	char *dir, *path; /* the directory, its socket */
	int lock, fd;     /* of the directory; listens */
};
#define MEETING_INIT(r) { .root = (r), .lock = -1, .fd = -1 }

/* As root, QEMU runs as `user`: the directory is given to that one. One at a time in a process. EXIT_HOST, with a remedy,
 * where there is no folder for it that is one's own. `name`: "bench-PID". */
struct err *meeting_begin(struct meeting *m, const struct user *user, const char *name);
void meeting_end(struct meeting *m);
#define cleanup_meeting cleanup(meeting_end)

/* Where they are made: /run for root, else the runtime directory of `user`; NULL where there is none, and nobody meets. Borrowed. */
const char *meeting_base(const struct user *user);
/* Removes those in `base` (nothing where that is NULL, or others could write to it) whose process is dead. What cannot be removed stays,
 * and nothing is said. */
void meeting_sweep(struct root *root, const char *base);
