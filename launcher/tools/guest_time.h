/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guest_time: the guest's clock set by its agent (guest-set-time, QEMU docs/interop/qemu-ga-ref) to what the host's says, after the guest or
 * the host stood still. Says nothing where there is no agent: most guests set their clocks by themselves, in time.
 */
#pragma once
#include "launcher/cli.h"

/* Of a machine by its name, in a child with a limit of some seconds; no error where it has no agent. */
struct err *guest_time_set_of(struct cli *cli, const char *vm);
