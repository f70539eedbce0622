/* SPDX-License-Identifier: GPL-2.0-or-later */
/* restore: undo what a dead launcher left, from its journal alone. Used by the verb, and by run before it begins. */
#pragma once
#include "launcher/step/engine.h"

/*
 * Takes the journal of `vm` below `base`, undoes every complete record and removes it. Says each residue; EXIT_RESIDUE if there is one, or
 * if lines were damaged (then the journal stays, unless `forget`). EBUSY: its launcher lives. ret_report may be NULL.
 */
struct err *restore_vm(struct step_env *env, const char *base, const char *vm, bool forget, struct undo_report *ret_report);

/*
 * The same once both its launcher and its guest have ended, however long that takes: for the unit that is woken by the launcher's death. A
 * guest that has lost its launcher goes on, and nobody's work is lost. Whoever else wants to restore meanwhile can.
 */
struct err *restore_after(struct step_env *env, const char *base, const char *vm, struct undo_report *ret_report);

/* The end of every run and restore: removes the journal if all was put back, else names what to do (EXIT_RESIDUE). */
struct err *restore_finish(struct journal *j, const char *vm, const struct undo_report *report);
