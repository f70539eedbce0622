/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * claims: what each running machine has for itself (PCI devices, disks, CPUs, input devices), in a file beside its journal. A second
 * machine that wants the same is refused, by name. Read and written under one lock, so that of two that start at once one sees the other.
 */
#pragma once
#include "launcher/plan/plan.h"
#include "launcher/step/journal.h"

/*
 * Writes the claims of `p` beside the journal `j`, unless a running machine has one of them: EBUSY names the thing and the machine.
 * `base` as for journal_create.
 */
struct err *claims_take(struct root *root, const char *base, const struct journal *j, const struct plan *p);
/* For `check` and `plan`: a finding for each machine that runs and has something of p's; such disks and functions are marked `claimed`. */
void claims_check(struct step_env *env, const char *base, struct plan *p);
/* The running machine that claims it ("disk /images/win.qcow2"); NULL for none. Owned by the caller. */
char *claims_owner(struct root *root, const char *base, const char *thing);
