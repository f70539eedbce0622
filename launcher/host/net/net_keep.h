/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_keep: the host's own network on a card that a guest gets. With the card its interface goes, with that its addresses and routes; when
 * the card is back, they are put back, or it is said which are missing.
 *
 * Reads sysfs and the kernel's lists by ip(8); changes an interface by ip(8) alone, on the way back, and only one that is behind that card.
 */
#pragma once
#include "launcher/step/step.h"

/*
 * "0000:05:00.0"; "none", or what each interface behind the function has, an item each, parted by ", ": "enp5s0 up", "enp5s0 master br0",
 * "enp5s0 upper enp5s0.10", "enp5s0 addr 192.168.1.5/24 dynamic", "enp5s0 route default via 192.168.1.1 proto dhcp metric 100", "… route6
 * …". What the kernel makes by itself (link-local addresses, their routes, what a router advertises) is none of them. Applied before the
 * card is taken, it changes nothing: the record is what counts.
 */
extern const struct step_kind net_keep_kind;

/* What an interface may take to come back, and then NetworkManager or networkd for addresses of their own; tests make it short. */
extern int net_keep_limit_ms;

/* A step for the function where an interface is behind it. To come before the step that takes its driver. */
void net_keep_step(struct steps *out, struct root *root, const char *function);

/* What of `before` is not in `now`, both as above; a lease counts by its interface, a route by where it leads to. Owned by the caller;
 * NULL: nothing. */
char *net_keep_missing(const char *before, const char *now);
