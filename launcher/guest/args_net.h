/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net: QEMU's arguments for networks. Pure. */
#pragma once
#include "launcher/config/config.h"
#include "launcher/guest/args.h"
#include "launcher/host/net/net.h"
#include "launcher/host/qemu/qemu.h"

/*
 * A netdev "net-NAME" and a virtio card "nic-NAME" each. `first_fd`: QEMU's number of the first descriptor for
 * networks; each takes net_fds() of them, in the order of the configuration.
 */
void guest_nets(struct args *out, const struct config *c, const struct net_facts *f, int first_fd);
/* Cards that this QEMU does not have. */
void guest_net_findings(struct findings *out, const struct config *c, const struct qemu_facts *q);
