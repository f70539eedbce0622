/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clock: see clock.h. */
#include <time.h>
#include "launcher/base/clock.h"

uint64_t clock_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

uint64_t clock_us(void)
{
	return clock_ns() / 1000;
}

int64_t clock_ms(void)
{
	return (int64_t)(clock_us() / 1000);
}
