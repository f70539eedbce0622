/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine: the only caller of apply and undo.
 *
 * apply: probe; as wanted already → skipped, not owned. Else record (kind, target, prior, want), fdatasync, act, read back.
 * undo, last to first, done or not: now == prior → nothing to do; now is ours → restore and read back; anything else → somebody changed
 * it meanwhile: left, and said. Never stops early.
 */
#pragma once
#include "launcher/step/journal.h"
#include "launcher/step/step.h"

struct engine {
	struct step_env *env;
	struct journal *journal;
	/* Asked between steps; true ends the launch (a signal came). May be NULL. */
	bool (*cancelled)(void *data);
	void *data;
};

/* Applies one step. On failure the step is FAILED and must be undone with the rest. An optional step's failure is logged, not returned. */
struct err *engine_apply_one(struct engine *en, struct step *s);
/* Applies all that are not `late`, in order, until one fails. */
struct err *engine_apply(struct engine *en, struct steps *steps);

/* Makes a done step what it was meant to be again, where the host lost it by itself. No new record: the first has all that undo needs. */
struct err *engine_renew(struct engine *en, struct step *s);

/* What a launch ends with that somebody did not want any more: ECANCELED, EXIT_GUEST. */
struct err *engine_stopped(void);

struct undo_report {
	size_t undone, left, residue;
};
/* Undoes one step; logs what is left and why. */
void engine_undo_one(struct step_env *env, struct step *s, struct undo_report *report);
/* Undoes all that were recorded, last to first; the processes among them before the rest, of which some was done while they ran. */
struct undo_report engine_undo(struct step_env *env, struct steps *steps);
