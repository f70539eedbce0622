/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host_sleep: the host's sleep under a running guest: it is held off or the guest is paused for it (host.sleep), and what a sleep undoes
 * behind our back (interrupts' affinities) is looked after once it has woken.
 */
#pragma once
#include "launcher/live/machine.h"

struct host_sleep;

/* What cannot be done is a warning. NULL under --root. */
struct host_sleep *host_sleep_begin(struct machine *m);
void host_sleep_end(struct host_sleep *s); /* NULL is fine */
