/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clock: the time that only goes forwards (CLOCK_MONOTONIC, clock_gettime(2)): the same on every process of this host. */
#pragma once
#include <stdint.h>

/* Since an unspecified moment, the boot on Linux. */
uint64_t clock_ns(void);
uint64_t clock_us(void);
int64_t clock_ms(void);
