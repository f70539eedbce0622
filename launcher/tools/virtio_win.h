/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio_win: the disc with the drivers that Windows lacks for a virtual machine's disks, network and display: where it is to be had, where it
 * lies on this host, and whether a file is it. Reads files with the rights of the caller; changes nothing.
 */
#pragma once
#include "launcher/base/user.h"

/* The stable one of the Fedora project, by the address that its makers publish (virtio-win/virtio-win-pkg-scripts, README.md): it leads to the
 * newest version. They publish no checksums; the drivers in it are signed each. */
#define VIRTIO_WIN_URL "https://fedorapeople.org/groups/virt/virtio-win/direct-downloads/stable-virtio/virtio-win.iso"

/* Whether the file is that disc, whole: by its label and its size. */
struct err *virtio_win_check(const char *path);
/* Where `qlaunch fetch virtio-win` puts it for that user. Owned by the caller. */
char *virtio_win_path(const struct user *u);
/* The one that is there: that, or a distribution's; NULL: none. Owned by the caller. */
char *virtio_win_find(const struct user *u);
