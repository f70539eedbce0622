/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * import_state: what an imported machine kept elsewhere: UEFI variables, the TPM's state, its disks. Copied as the user, where the user
 * may read it, into the machine's own folder; the original is never written, and nothing is written over.
 */
#pragma once
#include "launcher/base/user.h"
#include "launcher/import/draft.h"

/* With `copy`, takes it along and sets the keys that name it; without, notes what stays behind. Drops quickemu's public folder where the
 * user has none. */
struct err *import_state(struct draft *d, const struct user *u, bool copy);
