/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_zone: firewalld, asked over D-Bus to take a bridge of ours into one of its zones for as long as it is there. Its runtime configuration
 * alone is changed, of no other interface, and it is never started by being asked. A part of net.
 */
#pragma once
#include "launcher/host/net/net.h"

/*
 * Which zone the network's bridge is to be in, for the step: that of its configuration, else one made for guests (libvirt's, or
 * NetworkManager's for shared connections), which lets DHCP and DNS in and all through that goes on. None where firewalld does not run, or
 * somebody has given the bridge a zone already. Sets zone and zone_open; a zone that is not there is the network's problem.
 */
void net_zone_choose(struct root *root, struct net *n);
