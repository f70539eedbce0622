/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio: by which of the kernel's two ways QEMU gets a device: by its IOMMU group, /dev/vfio/N, which is given to the user; or by descriptors
 * of /dev/iommu and /dev/vfio/devices/vfioN (Linux 6.6, QEMU 9.0), which the launcher opens and hands on, so that no node need be the user's.
 * The kernel may have one, the other, or both (Documentation/userspace-api/iommufd.rst; VFIO_GROUP, VFIO_DEVICE_CDEV, IOMMUFD).
 */
#pragma once
#include "launcher/config/config.h"
#include "launcher/step/finding.h"
#include "launcher/base/root.h"

/* Which way: the configuration's word, else groups wherever the kernel has them. */
bool vfio_by_iommufd(struct root *root, const struct config *c);
/* Which of the two this host has, and whether that goes with what is wanted; `qemu`: QEMU can be handed descriptors. */
void vfio_findings(struct findings *out, const struct config *c, struct root *root, bool qemu);

/* The descriptors, once the devices are bound: /dev/iommu, and the device at `sys` ("/sys/bus/pci/devices/0000:01:00.0"). */
struct err *vfio_open_iommu(struct root *root, int *ret_fd);
struct err *vfio_open_device(struct root *root, const char *sys, int *ret_fd);
