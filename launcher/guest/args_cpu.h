/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu: the guest's processor as QEMU's arguments: model, flags, Hyper-V interfaces, shape. Pure. */
#pragma once
#include "launcher/config/config.h"
#include "launcher/guest/args.h"
#include "launcher/host/cpu/cpu.h"
#include "launcher/host/cpu/cpu_plan.h"
#include "launcher/host/qemu/qemu.h"

/* Appends -cpu, -smp and what goes with them. `accel`: ACCEL_KVM or ACCEL_TCG, decided. A flag that this QEMU or this
 * kernel has not got is left out: QEMU would not start. */
void guest_cpu(struct args *a, const struct config *c, const struct cpu_facts *f, const struct cpu_plan *p, const struct qemu_facts *q,
	       enum accel accel);
