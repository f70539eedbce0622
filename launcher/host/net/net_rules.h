/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net_rules: a network's value of kind "nft" (net.h) as the text that nft takes. Pure. A part of net. */
#pragma once

/* One table, "qlaunch_BRIDGE"; NULL where the value is none. Owned by the caller. */
char *net_rules(const char *bridge, const char *want);
