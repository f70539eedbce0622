/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scratch: a file that a machine leaves behind: SPICE's socket, Looking Glass's memory. Kind "scratch": target its path; undoing removes
 * it. One that was there before is somebody's and stays.
 *
 * The socket is made by QEMU, in a folder of the user's own; its values are "present" and "absent". The memory lies where everybody may put
 * a file: whoever has made the one of that name would see the guest's screen, and a link of theirs would have QEMU write what it leads to.
 * So it is made here, new and empty, for the user alone; its values are "absent", "owner UID", "open" of a file that everybody may read or write,
 * and "foreign" of a link or anything else.
 *
 * It unlinks nothing but these two, and never opens, follows or writes them: their directory may be the user's.
 */
#pragma once
#include "launcher/step/step.h"

#define SCRATCH_SHARED "/dev/shm/looking-glass"
#define SCRATCH_SOCKET ".spice" /* the end of DIR/qlaunch-VM.spice, a socket */

extern const struct step_kind scratch_kind;
/* Looking Glass's memory for that user. A file of the user's or of root's that is there is taken as it is; of anybody else's, or
 * open to everybody: a finding of `check`. */
void scratch_shared_step(struct steps *out, uid_t uid, const char *why);
