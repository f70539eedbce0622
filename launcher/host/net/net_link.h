/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_link: what the kinds ask of rtnetlink and of nftables in the kernel, one request and its acknowledgement at a time, in this process' network
 * namespace. A part of net. Errors begin with the interface; the kernel's errno is kept.
 */
#pragma once
#include <netinet/in.h>
#include "launcher/base/err.h"

/* A bridge that is down and has no address yet. `mac` is its own: guests know a network by its router's. */
struct err *link_add_bridge(const char *name, const char *mac);
struct err *link_add_macvtap(const char *name, const char *lower, const char *mac);
/* Puts it into `master` (NULL: leaves that), gives it `mac` (NULL: leaves it) and sets it up. */
struct err *link_up(const char *name, const char *master, const char *mac);
struct err *link_add_address(const char *name, struct in_addr address, unsigned bits);
/* No error where it is gone. */
struct err *link_delete(const char *name);
/* Its first IPv4 address and prefix, "192.168.77.1/24"; NULL if it has none. Owned by the caller. */
char *link_address(const char *name);
/* Whether nftables has a table of family inet by that name. Needs CAP_NET_ADMIN. */
struct err *link_has_table(const char *table, bool *ret_there);
