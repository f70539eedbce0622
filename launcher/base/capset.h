/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * capset: the capability sets of the calling process (capabilities(7)); it changes nothing else of it. A set is bit 1 << CAP_x. Not by what
 * libcap-ng reads of /proc/PID/status: on the way to a guest that costs as much as all the rest of giving them up.
 */
#pragma once
#include <stdint.h>
#include "launcher/base/err.h"

/* All bits where that cannot be read. */
uint64_t capset_permitted(void);
/* Drops all but `keep` from the bounding set: no program that is run gets more. Where we may not (SETPCAP) it stays as it is. */
struct err *capset_bound(uint64_t keep);
/* Effective and permitted become `keep`, which must be permitted; inheritable and ambient become empty. For good. */
struct err *capset_keep(uint64_t keep);
