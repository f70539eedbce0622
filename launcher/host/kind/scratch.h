/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scratch: a file that QEMU makes as the user and leaves behind: SPICE's socket, Looking Glass's memory. Kind
 * "scratch": target its path, values "present" and "absent". Applying makes nothing; undoing removes what QEMU made.
 * One that was there before is somebody's and stays.
 *
 * It unlinks nothing but these two, and never opens, follows or writes them: their directory may be the user's.
 */
#pragma once
#include "launcher/step/step.h"

#define SCRATCH_SHARED "/dev/shm/looking-glass"
#define SCRATCH_SOCKET ".spice" /* the end of DIR/qlaunch-VM.spice, a socket */

extern const struct step_kind scratch_kind;
