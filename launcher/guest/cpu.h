/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
#include "launcher/guest/args.h"
#include "launcher/host/cpu_plan.h"
#include "launcher/host/qemu.h"
void guest_cpu(struct args *a, const struct config *c, const struct cpu_facts *f, const struct cpu_plan *p, const struct qemu_facts *q, enum accel accel);
