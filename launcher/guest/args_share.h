/* SPDX-License-Identifier: GPL-2.0-or-later */
/* share: QEMU's arguments for shared folders. Pure. */
#pragma once
#include "launcher/guest/args.h"
#include "launcher/host/share/share.h"

/* A character device "share-N" and a virtio-fs device each, in the order of the configuration. `first_fd`: QEMU's number of the socket to
 * the first virtiofsd; each has one. The guest's RAM must be shared memory (guest_memory sees to that). */
void guest_shares(struct args *out, const struct share_facts *f, int first_fd);
