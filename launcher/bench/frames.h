/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frames: the times of one swap chain's frames → what players look at. Pure. */
#pragma once
#include <jansson.h>
#include "launcher/base/err.h"

/*
 * Adds to `metrics`, of frame times in ms, in their order (n > 0), which it takes over:
 *
 *	NAME.fps                     frames by time
 *	NAME.fps-low-1%.percentile   the rate that 99 % of frames reach, of their times' 99th percentile; and 0.1%
 *	NAME.fps-low-1%.mean         of the mean of the longest 1 % of frames
 *	NAME.fps-low-1%.integral     of the frame at which the longest ones fill 1 % of the time
 *	NAME.fps-low-1%.mangohud     as MangoHud counts: of the frame that is the n/100th longest, whole numbers
 *	NAME.stutter                 per cent of the time in frames longer than 2.5 times the median of the 21 around them
 *	NAME.frame                   the times themselves, of which p50, p99, p99.9 and max are compared
 */
struct err *frames_metrics(const char *name, json_t *times, json_t *metrics);
