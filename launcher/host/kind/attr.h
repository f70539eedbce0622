/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attr: a kernel attribute (sysfs, /proc/sys) that gets another value for a while: a governor, power/control, a
 * cpumask. Kind "attr": target is the attribute's path, values are its text.
 *
 * Read back, a choice such as "[performance] powersave" is the word in brackets, and white space at the ends does not
 * count. "absent" is an attribute that is not there: its CPU is offline or its device is gone, and there is nothing to
 * put back.
 */
#pragma once
#include "launcher/step/step.h"

extern const struct step_kind attr_kind;

/* The value of an attribute's text, as above; owned by the caller. */
char *attr_value(const char *text);
