/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_zone: firewalld, asked over D-Bus to take a bridge of ours into one of its zones for as long as it is there. Its runtime configuration
 * alone is changed, of no other interface, and it is never started by being asked. A part of net.
 */
#pragma once
#include "launcher/base/sd.h"
#include "launcher/host/net/net.h"

/*
 * Which zone the network's bridge is to be in, for the step: that of its configuration, else one made for guests (libvirt's, or
 * NetworkManager's for shared connections), which lets DHCP and DNS in and all through that goes on. None where firewalld does not run, or
 * somebody has given the bridge a zone already. Sets zone and zone_open; a zone that is not there is the network's problem.
 */
void net_zone_choose(struct root *root, struct net *n);

/*
 * Calls again(data), in the event loop, when firewalld has been reloaded or started anew: then it may know nothing of an interface that it
 * was given while it ran (1.3.3 forgets it at a reload). The watch ends with its event loop or net_zone_unwatch(), which takes NULL.
 */
struct zone_watch;
struct err *net_zone_watch(struct root *root, sd_event *event, void (*again)(void *data), void *data, struct zone_watch **ret_watch);
void net_zone_unwatch(struct zone_watch *w);
