/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disk: QEMU's arguments for disks and CD-ROMs. Pure. All of them JSON, so that any path arrives as it is. */
#pragma once
#include "launcher/config/config.h"
#include "launcher/guest/args.h"
#include "launcher/host/disk/disk.h"
#include "launcher/host/qemu/qemu.h"

/*
 * Node "disk-NAME" or "cdrom-NAME" and a device of the same id each; an iothread "io-NAME" for those that get one, or,
 * where this QEMU can share a virtio disk's queues out among several, "io-NAME-0" to at most `iothreads` of them (CPUs of QEMU's own).
 * A block device is descriptor `fd` + its number (disk_fdset) of QEMU, in a set of its own: -add-fd, /dev/fdset/N.
 */
void disk_args(struct args *out, const struct config *c, const struct disk_facts *f, const struct qemu_facts *q, unsigned vcpus,
	       unsigned iothreads, int fd);
/* Whether the disk gets an I/O thread of its own: virtio and scsi can. */
bool disk_has_iothread(const struct conf_disk *d);
/* "disk-NAME", shortened where QEMU has no room for it. Owned by the caller. */
char *disk_node_name(const struct disk *d);
