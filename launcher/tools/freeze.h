/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * freeze: a guest's file systems written out and at rest, by its agent, for the moment that a snapshot takes
 * (guest-fsfreeze-freeze and -thaw, QEMU docs/interop/qemu-ga-ref).
 *
 * A guest that stays frozen hangs. So from freeze_begin to freeze_end the signals that end this process wait, and freeze_end thaws whatever
 * has happened in between. One that is killed there leaves the guest as it is: Windows goes on by itself after 10 s, Linux does not; the
 * next freeze_begin thaws it first. Between the two: as little as can be.
 */
#pragma once
#include <jansson.h>
#include <signal.h>
#include "launcher/base/err.h"
#include "qmp/agent.h"

struct freeze {
	struct agent *agent; /* NULL: nothing is frozen */
	json_int_t count;    /* of file systems, 1 or more */
	sigset_t before;     /* the signals that were blocked before */
};

/*
 * Takes over `fd`, which is connected with the agent. An error: nothing is frozen, and `ret_freeze` is as it was. Its text says why,
 * without the machine's name. ECANCELED: a signal wants this process to end and did not end it. EXIT_RESIDUE: the guest may be frozen
 * nevertheless.
 */
struct err *freeze_begin(int fd, struct freeze *ret_freeze);
/*
 * Thaws; no error where nothing is frozen. ESTALE: thawed, but already before (or the machine has ended): what was written meanwhile is in
 * the snapshot in parts. Any other: the guest may be frozen still, EXIT_RESIDUE. A signal that came meanwhile ends this process here.
 */
struct err *freeze_end(struct freeze *f);
