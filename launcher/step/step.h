/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * step: one reversible change of the host. What a step is, and what each kind of step must be able to do.
 * Everything that outlives the process is a step; nothing else may change the host. Only the engine calls apply and undo.
 *
 * Values (now, prior, want) are short texts that each kind defines ("vfio-pci", "performance", "8-15"); "" is a value too. They are all
 * that a later `qlaunch restore`, in another process, knows: a kind undoes from target, prior and want alone.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "launcher/base/err.h"
#include "launcher/base/root.h"

struct step;
struct findings;
struct sd_bus;

/* What the kinds work with. */
struct step_env {
	struct root *root;
	const struct step_kind *const *kinds; /* NULL-terminated: every kind there is, to find one by its name in a journal */
};

/* Whose a value is that undo finds: what was there before, what we wanted, on our way between the two, or somebody else's. */
enum step_whose { STEP_PRIOR, STEP_WANTED, STEP_BETWEEN, STEP_FOREIGN };

struct step_kind {
	const char *name; /* in the journal and in `plan --json`: a contract */
	/* One line for people, in the imperative: "bind 0000:01:00.0 to vfio-pci". */
	char *(*describe)(const struct step *s);
	/* Reads the value as it is now; changes nothing. */
	struct err *(*probe)(struct step_env *env, const struct step *s, char **ret_value);
	/* Optional: called before the record is written; may complete s->want (a child is forked, held back, and its pid becomes known). */
	struct err *(*prepare)(struct step_env *env, struct step *s);
	/* Makes it s->want. May fail half-way: undo follows. */
	struct err *(*apply)(struct step_env *env, struct step *s);
	/* Optional: whether it is now s->want; where there is none, the engine probes and compares. */
	struct err *(*verify)(struct step_env *env, const struct step *s);
	/* Makes it s->prior again, from s->want or any state between. Called only when whose() says WANTED or BETWEEN. */
	struct err *(*undo)(struct step_env *env, const struct step *s);
	bool ends_first;      /* a process of ours: undone before all that is none, for it may still use that */
	bool undo_reads_back; /* undo itself says whether it worked: others may have a part in the value */
	/* Optional; where there is none, texts are compared and nothing is BETWEEN. */
	enum step_whose (*whose)(const struct step *s, const char *now); /*
	 * Optional: what would keep apply from succeeding, asked without changing anything: a finding FINDING_BAD for each. `check`, `plan` and
	 * `run` all ask it (plan_check), so a refusal that can be known before the first change belongs here, not into apply alone.
	 */
	void (*check)(struct step_env *env, const struct step *s, struct findings *out);
};

enum step_state {
	STEP_PLANNED, /* not touched yet */
	STEP_SKIPPED, /* was as wanted already: not ours, never undone */
	STEP_DONE,    /* applied by us, recorded */
	STEP_FAILED,  /* recorded, but apply or verify failed: undone like the done ones */
	STEP_UNDONE,
	STEP_LEFT,    /* found changed by somebody else at undo: left as it is */
	STEP_RESIDUE, /* undo failed */
};

struct step {
	const struct step_kind *kind;
	char *target; /* what: "0000:01:00.0", "/sys/…/scaling_governor", "qlaunch_win11.slice" */
	char *want;
	char *why;      /* one line, for `plan` */
	char *now;      /* as probed for the plan; NULL where it could not be read */
	char *prior;    /* as probed just before it was applied */
	char *obstacle; /* why this host cannot do it, for `plan` and `check`; NULL where nothing is in the way */
	bool optional;  /* a failure is a warning and the launch goes on */
	bool late;      /* not applied by the launch itself but when the guest drives the device */
	enum step_state state;
	void *data; /* the kind's own, for this process only: never journaled, borrowed */
};

struct steps {
	struct step *v;
	size_t n;
};

/* Appends a step with copies of the texts; returns it (valid until the next one is added). */
struct step *steps_add(struct steps *steps, const struct step_kind *kind, const char *target, const char *want, const char *why);
void steps_free(struct steps *steps);
#define cleanup_steps cleanup(steps_free)
/* Fills in `now` of every step by probing; what cannot be read becomes the step's obstacle. */
void steps_probe(struct step_env *env, struct steps *steps);
/* What stands in the way of each step that a launch cannot do without: its kind's check, and its obstacle where no finding says so
 * already. */
void steps_check(struct step_env *env, const struct steps *steps, struct findings *out);
/* By the name in a record; NULL if there is none of that name. */
const struct step_kind *step_kind_find(const struct step_env *env, const char *name);
enum step_whose step_whose(const struct step *s, const char *now);
