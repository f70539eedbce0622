/* SPDX-License-Identifier: GPL-2.0-or-later */
/* irq: an interrupt's affinity: how it is read, and affinity_kind, which sets it. See irq.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/host/irq/irq.h"

#define ABSENT "absent"

bool irq_affinity_read(struct root *root, unsigned irq, struct cpus *ret)
{
	cleanup_free char *path = str_fmt("/proc/irq/%u/smp_affinity_list", irq), *text = root_read_or(root, path, NULL);
	cleanup_err struct err *e = text ? cpus_parse(text, ret) : NULL;
	return text && !e;
}

static bool is_mask(const char *path)
{
	return !str_ends(path, "_list");
}

static char *describe(const struct step *s)
{
	unsigned irq;
	if (sscanf(s->target, "/proc/irq/%u/", &irq) == 1)
		return tr_fmt("move interrupt %u to CPUs %s", irq, s->want);
	return tr_fmt("set %s to CPUs %s", s->target, s->want);
}

static bool has_gone(const struct err *e)
{
	return err_code(e) == ENOENT || err_code(e) == ENODEV;
}

static struct err *probe(struct step_env *env, const struct step *s, char **ret_value)
{
	cleanup_free char *text = NULL;
	struct cpus cpus;
	struct err *e = root_read(env->root, s->target, &text);
	if (has_gone(e)) {
		err_free(e);
		*ret_value = str_dup(ABSENT);
		return NULL;
	}
	TRY(e);
	TRY(is_mask(s->target) ? cpus_parse_mask(text, &cpus) : cpus_parse(text, &cpus));
	*ret_value = cpus_format(&cpus);
	return NULL;
}

static struct err *set(struct step_env *env, const char *path, const char *value)
{
	struct cpus cpus;
	cleanup_free char *list = str_ndup(value, strcspn(value, " "));
	TRY(cpus_parse(list, &cpus));
	cleanup_free char *mask = cpus_format_mask(&cpus);
	return root_write(env->root, path, is_mask(path) ? mask : list);
}

static bool as_wanted(const struct step *s, const char *now)
{
	cleanup_free char *list = str_ndup(s->want, strcspn(s->want, " "));
	struct cpus want, has;
	if (streq(now, list))
		return true;
	cleanup_err struct err *e = cpus_parse(list, &want), *absent = cpus_parse(now, &has);
	return str_ends(s->want, IRQ_OR_LESS) && !e && !absent && cpus_subset(&has, &want);
}

bool irq_stays(const struct err *e)
{
	return !e || has_gone(e) || err_code(e) == EIO || err_code(e) == EPERM;
}

static struct err *apply(struct step_env *env, struct step *s)
{
	struct err *e = set(env, s->target, s->want);
	if (irq_stays(e)) {
		err_free(e);
		return NULL;
	}
	return e;
}

/* As wanted, or not moved at all. */
static struct err *verify(struct step_env *env, const struct step *s)
{
	cleanup_free char *now = NULL;
	TRY(probe(env, s, &now));
	if (as_wanted(s, now) || streq(now, s->prior) || streq(now, ABSENT))
		return NULL;
	return err_new("it is on CPUs %s after %s was written", now, s->want);
}

static struct err *undo(struct step_env *env, const struct step *s)
{
	return streq(s->prior, ABSENT) ? NULL : set(env, s->target, s->prior);
}

/* One that was not there before goes with QEMU; until then there is nothing to put back. */
static enum step_whose whose(const struct step *s, const char *now)
{
	if (streq(now, s->prior) || streq(now, ABSENT) || streq(s->prior, ABSENT))
		return STEP_PRIOR;
	return as_wanted(s, now) ? STEP_WANTED : STEP_FOREIGN;
}

const struct step_kind affinity_kind = {
	.name = "affinity",
	.describe = describe,
	.probe = probe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
	.whose = whose,
};
