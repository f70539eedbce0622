/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * node: who owns a device node, so that QEMU can open it as the user. Kind "node": target a path below /dev, or the
 * link /sys/bus/…/iommu_group of a device whose group nobody knows before the device is made: its /dev/vfio/N. Values
 * "UID:GID", or "absent" for a node that is not there: /dev/vfio/N appears with the binding and goes with it, and what
 * is gone needs no owner back.
 */
#pragma once
#include "launcher/step/step.h"

extern const struct step_kind node_kind;

/* Appends a step that gives the node `path` to uid:gid; returns it for what else it needs. Borrowed: valid until the next is added. */
struct step *node_step(struct steps *out, const char *path, uid_t uid, gid_t gid, const char *why);
