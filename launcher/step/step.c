/* SPDX-License-Identifier: GPL-2.0-or-later */
/* step: see step.h. Memory only; probing goes through the kinds. */
#include <stdlib.h>
#include "launcher/step/finding.h"
#include "launcher/step/step.h"

struct step *steps_add(struct steps *steps, const struct step_kind *kind, const char *target, const char *want, const char *why)
{
	steps->v = mem_grow(steps->v, steps->n, sizeof(*steps->v));
	struct step *s = &steps->v[steps->n++];
	*s = (struct step){ .kind = kind, .target = str_dup(target), .want = str_dup(want), .why = str_dup(why) };
	return s;
}

void steps_free(struct steps *steps)
{
	for (size_t i = 0; i < steps->n; i++) {
		struct step *s = &steps->v[i];
		free(s->target);
		free(s->want);
		free(s->why);
		free(s->now);
		free(s->prior);
		free(s->obstacle);
	}
	free(steps->v);
	*steps = (struct steps){};
}

void steps_probe(struct step_env *env, struct steps *steps)
{
	for (size_t i = 0; i < steps->n; i++) {
		struct step *s = &steps->v[i];
		char *now = NULL;
		cleanup_err struct err *e = s->kind->probe(env, s, &now);
		if (e && !s->obstacle)
			s->obstacle = str_dup(err_text(e));
		free(s->now);
		s->now = now;
	}
}

void steps_check(struct step_env *env, const struct steps *steps, struct findings *out)
{
	for (size_t i = 0; i < steps->n; i++) {
		const struct step *s = &steps->v[i];
		if (s->optional || s->late) /* what comes later does not keep the guest from running */
			continue;
		if (s->kind->check)
			s->kind->check(env, s, out);
		if (!s->obstacle || findings_worst(out) == FINDING_BAD)
			continue; /* one thing may be in the way of many steps: where something is said already, that comes first */
		cleanup_free char *what = s->kind->describe(s);
		findings_add(out, FINDING_BAD, "step", str_fmt("%s: %s", what, s->obstacle), NULL);
	}
}

const struct step_kind *step_kind_find(const struct step_env *env, const char *name)
{
	for (const struct step_kind *const *k = env->kinds; *k; k++)
		if (streq((*k)->name, name))
			return *k;
	return NULL;
}

enum step_whose step_whose(const struct step *s, const char *now)
{
	if (s->kind->whose)
		return s->kind->whose(s, now);
	return streq(now, s->prior) ? STEP_PRIOR : streq(now, s->want) ? STEP_WANTED : STEP_FOREIGN;
}

void findings_add(struct findings *f, enum verdict verdict, const char *topic, char *text, char *remedy)
{
	if (f->terse && verdict == FINDING_OK) {
		free(text);
		free(remedy);
		return;
	}
	f->v = mem_grow(f->v, f->n, sizeof(*f->v));
	f->v[f->n++] = (struct finding){ verdict, str_dup(topic), text, remedy };
}

void findings_add_err(struct findings *f, const char *topic, struct err *e)
{
	if (e)
		findings_add(f, FINDING_BAD, topic, str_dup(err_text(e)), str_dup(err_remedy(e)));
	err_free(e);
}

enum verdict findings_worst(const struct findings *f)
{
	enum verdict worst = FINDING_OK;
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].verdict > worst)
			worst = f->v[i].verdict;
	return worst;
}

void findings_free(struct findings *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].topic);
		free(f->v[i].text);
		free(f->v[i].remedy);
	}
	free(f->v);
	*f = (struct findings){};
}
