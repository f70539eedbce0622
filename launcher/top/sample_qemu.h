/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sample_qemu: the part of a sample that QEMU tells. For sample_take.c alone. */
#pragma once
#include "launcher/top/sample.h"

/* Notes that `what` is not known, and why; each once. Takes the error over. */
void sample_miss(struct sample *s, const char *what, struct err *why);
/* What QEMU counts: exits, disks, the guest's memory. */
void sample_qemu(const struct top_machine *m, int limit_ms, struct sample *s);
