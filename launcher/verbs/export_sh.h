/* SPDX-License-Identifier: GPL-2.0-or-later */
/* export_sh: a plan as a shell script that starts the same QEMU by hand. Pure but for the plan that it is given. */
#pragma once
#include "launcher/plan/plan.h"

/* Sockets in a folder of the user's take the place of the descriptors that a launch hands on, QEMU's own user network that of taps, and
 * qlaunch's steps on the host are told in comments. Owned by the caller. */
char *export_sh(const struct plan *p);
