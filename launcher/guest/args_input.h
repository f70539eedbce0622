/* SPDX-License-Identifier: GPL-2.0-or-later */
/* input: QEMU's arguments for keyboards and mice that host and guest share. Pure. */
#pragma once
#include "launcher/config/config.h"
#include "launcher/guest/args.h"
#include "launcher/host/input/input.h"

/*
 * An object "input-NAME" for each device that is there, and what the guest sees: one virtio keyboard and one virtio
 * mouse (a tablet too, where a device has a position), in slot 4 of the root bus. Those that are not there are added
 * when they come: see below.
 */
void guest_inputs(struct args *out, const struct input_facts *f);
/* The object itself, as object-add takes it. `i`: of f->v. Owned by the caller. */
json_t *guest_input_object(const struct input_facts *f, size_t i);
