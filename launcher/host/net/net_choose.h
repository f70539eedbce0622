/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net_choose: names, addresses and programs of a VM's networks, from the configuration and what is on the host. Pure. A
 * part of net. */
#pragma once
#include "launcher/host/net/net.h"

#define NET_BRIDGE_PREFIX "qlbr"

struct net_route {
	char link[IFNAMSIZ];
	struct net_subnet to;
};

/* The hash that names and addresses come from (FNV-1a, 64 bits). */
uint64_t net_hash(const char *vm, const char *network);
/* The address of a card whose configuration gives none: of the names, so the same each time. */
void net_default_mac(const char *vm, const char *network, char ret_mac[NET_MAC_TEXT]);
bool net_overlap(struct net_subnet a, struct net_subnet b);
char *net_subnet_text(struct net_subnet s); /* "192.168.77.0/24"; owned by the caller */
struct err *net_subnet_parse(const char *text, struct net_subnet *ret_subnet);
/* "192.168.77.1": the `host`th address of it. */
void net_address(struct net_subnet s, uint32_t host, char ret_text[16]);
/* Fills in a network that has its conf; `uid` and `stream` as in net_facts_read. Networks before `i` are chosen
 * already. */
void net_choose(const struct config *c, struct net_facts *f, size_t i, uid_t uid, bool stream);
