/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libm: what bench needs of the C library's mathematics, loaded when it is first used: no launch needs it. See base/late.h. */
#pragma once
#include <math.h>
#include "launcher/base/late.h"

#define LIBM_FUNCTIONS(X) X(ceil) X(exp) X(floor) X(fmax) X(fmin) X(log) X(log10) X(pow) X(sqrt)

struct libm LATE_TABLE(LIBM_FUNCTIONS);
/* Ends the program, with a word, where the C library lacks it. */
const struct libm *libm(void);
