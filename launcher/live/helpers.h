/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * helpers: the programs that serve one kind of thing beside QEMU, one for each network or shared folder. They are begun and ended by their
 * steps; here they are watched while the guest runs, and let go of.
 */
#pragma once
#include "launcher/base/sd.h"
#include "launcher/host/kind/process.h"

struct helpers {
	struct process *v; /* those that do not run have no pidfd */
	size_t n;
	const char *without; /* what it means to the guest when one ends, for a person; static */
};

/* n of PROCESS_INIT. */
void helpers_new(struct helpers *h, size_t n, const char *without);
/* QEMU has inherited the other end, or will not: closes the socket that a helper inherits. */
void helper_close_socket(struct process *helper);
/* From now on what they say is read, and that one has ended is said. Negative errno, as sd_event_add_io. */
int helpers_watch(struct helpers *h, sd_event *event);
/* Says which of them have ended by now, and why. */
void helpers_tell(struct helpers *h);
/* Lets go of what belongs to them here. */
void helpers_close(struct helpers *h);
