/* SPDX-License-Identifier: GPL-2.0-or-later */
/* engine: see engine.h. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include "launcher/base/log.h"
#include "launcher/base/progress.h"
#include "launcher/base/tr.h"
#include "launcher/step/engine.h"

/* Reads back: what a kernel took is not yet what it made of it. */
static struct err *verified(struct step_env *env, const struct step *s)
{
	if (s->kind->verify)
		return s->kind->verify(env, s);
	cleanup_free char *now = NULL;
	TRY(s->kind->probe(env, s, &now));
	if (step_whose(s, now) == STEP_WANTED)
		return NULL;
	return err_new("it is \"%s\" after \"%s\" was written", now, s->want);
}

static struct err *apply(struct engine *en, struct step *s)
{
	free(s->prior);
	s->prior = NULL;
	TRY(s->kind->probe(en->env, s, &s->prior));
	if (streq(s->prior, s->want)) {
		s->state = STEP_SKIPPED;
		return NULL;
	}
	if (s->kind->prepare)
		TRY(s->kind->prepare(en->env, s));
	TRY(err_wrap(journal_append(en->journal, s), "journal"));
	s->state = STEP_FAILED; /* until it has been read back */
	TRY(s->kind->apply(en->env, s));
	TRY(verified(en->env, s));
	s->state = STEP_DONE;
	return NULL;
}

struct err *engine_apply_one(struct engine *en, struct step *s)
{
	cleanup_free char *what = s->kind->describe(s);
	struct err *e = err_wrap(apply(en, s), "%s", what);
	if (!e) {
		log_debug("%s: %s", what, s->state == STEP_SKIPPED ? _("is so already") : _("done"));
		return NULL;
	}
	if (!s->optional)
		return err_exit(e, EXIT_HOST);
	log_err(LOG_LEVEL_WARN, e);
	return NULL;
}

struct err *engine_renew(struct engine *en, struct step *s)
{
	cleanup_free char *what = s->kind->describe(s);
	struct err *e = s->kind->apply(en->env, s);
	if (!e)
		e = verified(en->env, s);
	if (!e)
		log_debug("%s: %s", what, _("done"));
	return err_wrap(e, "%s", what);
}

struct err *engine_stopped(void)
{
	return err_exit(err_coded(ECANCELED, "stopped before the guest began"), EXIT_GUEST);
}

struct err *engine_apply(struct engine *en, struct steps *steps)
{
	for (size_t i = 0; i < steps->n; i++) {
		if (steps->v[i].late)
			continue;
		if (en->cancelled && en->cancelled(en->data))
			return engine_stopped();
		cleanup_free char *what = steps->v[i].kind->describe(&steps->v[i]);
		progress_update(i, steps->n, what);
		TRY(engine_apply_one(en, &steps->v[i]));
	}
	return NULL;
}

/* Some drivers finish their probing after the write that asked for it has returned. How often to look again, and how long apart. */
#define SETTLE_LOOKS 20
#define SETTLE_MS 100

/* Whether it is as before, by now or soon; *ret_now is what it is. A captured tree does not change by itself. */
static struct err *is_back(struct step_env *env, const struct step *s, bool *ret_back, char **ret_now)
{
	for (int look = 0;; look++) {
		cleanup_free char *now = NULL;
		TRY(s->kind->probe(env, s, &now));
		*ret_back = step_whose(s, now) == STEP_PRIOR;
		if (*ret_back || look == SETTLE_LOOKS || !root_is_host(env->root)) {
			*ret_now = steal(now);
			return NULL;
		}
		progress_poll(NULL, 0, SETTLE_MS);
	}
}

/* Undoes what is ours. *ret_whose says what was found before. */
static struct err *undo(struct step_env *env, struct step *s, enum step_whose *ret_whose)
{
	cleanup_free char *now = NULL, *after = NULL;
	TRY(s->kind->probe(env, s, &now));
	*ret_whose = step_whose(s, now);
	if (*ret_whose == STEP_PRIOR)
		return NULL;
	if (*ret_whose == STEP_FOREIGN) {
		cleanup_free char *what = s->kind->describe(s);
		log_warn("%s: is \"%s\" now, changed by somebody else meanwhile: left so (it was \"%s\" before)", what, now, s->prior);
		return NULL;
	}
	TRY(s->kind->undo(env, s));
	if (s->kind->undo_reads_back)
		return NULL;
	bool back = false;
	TRY(is_back(env, s, &back, &after));
	if (!back)
		return err_new("it is \"%s\" after \"%s\" was put back", after, s->prior);
	return NULL;
}

void engine_undo_one(struct step_env *env, struct step *s, struct undo_report *report)
{
	enum step_whose whose = STEP_PRIOR;
	struct err *e = undo(env, s, &whose);
	if (e) {
		cleanup_free char *what = s->kind->describe(s);
		log_err(LOG_LEVEL_ERROR, err_wrap(e, "not put back: %s", what));
		s->state = STEP_RESIDUE;
		report->residue++;
	} else if (whose == STEP_FOREIGN) {
		s->state = STEP_LEFT;
		report->left++;
	} else {
		s->state = STEP_UNDONE;
		report->undone++;
	}
}

struct undo_report engine_undo(struct step_env *env, struct steps *steps)
{
	struct undo_report report = {};
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = steps->n; i-- > 0;) {
			struct step *s = &steps->v[i];
			if ((s->state != STEP_DONE && s->state != STEP_FAILED) || s->kind->ends_first != (pass == 0))
				continue;
			cleanup_free char *what = s->kind->describe(s), *undoing = str_fmt("undoing: %s", what);
			progress_update(0, 0, undoing);
			engine_undo_one(env, s, &report);
		}
	}
	return report;
}
