/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attr: see attr.h. */
#include <errno.h>
#include <stdlib.h>
#include "launcher/base/child.h"
#include "launcher/base/tr.h"
#include "launcher/host/kind/attr.h"

#define ABSENT "absent"

char *attr_value(const char *text)
{
	const char *open = strchr(text, '['), *close = open ? strchr(open, ']') : NULL;
	cleanup_free char *copy = close ? str_ndup(open + 1, (size_t)(close - open) - 1) : str_dup(text);
	return str_dup(str_trim(copy));
}

static char *describe(const struct step *s)
{
	return tr_fmt("write \"%s\" to %s", s->want, s->target);
}

static struct err *probe(struct step_env *env, const struct step *s, char **ret_value)
{
	cleanup_free char *text = NULL;
	struct err *e = root_read(env->root, s->target, &text);
	if (err_code(e) == ENOENT || err_code(e) == ENODEV) {
		err_free(e);
		text = str_dup(ABSENT);
		e = NULL;
	}
	if (!e)
		*ret_value = attr_value(text);
	return e;
}

/* Waking a device that does not answer can take the kernel for ever; a CPU's attribute cannot, and there are many of
 * them. */
static struct err *set(struct root *root, const char *path, const char *value)
{
	if (!*value)
		value = "\n"; /* a write of no bytes would not reach the kernel's function */
	bool device = str_starts(path, "/sys/bus/") || str_starts(path, "/sys/class/vtconsole/");
	return device ? child_write(root, path, value) : root_write(root, path, value);
}

static struct err *apply(struct step_env *env, struct step *s)
{
	return set(env->root, s->target, s->want);
}

static struct err *undo(struct step_env *env, const struct step *s)
{
	return set(env->root, s->target, s->prior);
}

static enum step_whose whose(const struct step *s, const char *now)
{
	if (streq(now, s->prior) || streq(now, ABSENT))
		return STEP_PRIOR;
	return streq(now, s->want) ? STEP_WANTED : STEP_FOREIGN;
}

const struct step_kind attr_kind = {
	.name = "attr",
	.describe = describe,
	.probe = probe,
	.apply = apply,
	.undo = undo,
	.whose = whose,
};
