/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_firewall: which packets a network lives by, what the host's rules do to them, and what to say to the firewall that refuses one, in its
 * own words. Pure. A part of net.
 */
#pragma once
#include "launcher/host/net/net.h"
#include "launcher/host/net/net_filter.h"

/*
 * Adds what the rules mean for a network that is the VM's own (nat, isolated), or for a bridge of the host's that it joins where the host's
 * rules see what that carries. `uplink` is the interface of the default route; NULL: it is not known.
 */
void firewall_findings(struct findings *out, const struct net *n, const struct filter *rules, const char *uplink);
