/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit: see unit.h. */
#include <errno.h>
#include "launcher/base/tr.h"
#include "launcher/host/kind/systemd.h"
#include "launcher/host/kind/unit.h"

#define GUARD "qlaunch-restore@"

static char *describe(const struct step *s)
{
	return streq(s->want, "active") ? tr_fmt("start %s", s->target) : tr_fmt("stop %s", s->target);
}

static struct err *probe(struct step_env *env, const struct step *s, char **ret_value)
{
	cleanup_free char *state = NULL;
	if (!root_is_host(env->root)) {
		*ret_value = str_dup("unknown");
		return NULL;
	}
	TRY(systemd_unit_state(env->root, s->target, &state));
	/* a unit that failed does not run, and one that begins or reloads is to run: systemd.unit(5), "Description" */
	if (streq(state, "failed"))
		str_set(&state, "inactive");
	else if (streq(state, "activating") || streq(state, "reloading"))
		str_set(&state, "active");
	*ret_value = steal(state);
	return NULL;
}

static struct err *set(struct root *root, const char *unit, const char *value)
{
	return streq(value, "active") ? systemd_unit_start(root, unit) : systemd_unit_stop(root, unit);
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
	if (streq(now, s->prior))
		return STEP_PRIOR;
	return streq(now, s->want) ? STEP_WANTED : STEP_BETWEEN; /* there is no third state that somebody could want */
}

const struct step_kind unit_kind = {
	.name = "unit",
	.describe = describe,
	.probe = probe,
	.apply = apply,
	.undo = undo,
	.whose = whose,
};

/* ---- a property ---- */

static char *property_describe(const struct step *s)
{
	return tr_fmt("set %s of %s", s->want, s->target);
}

/* The unit is ours, made a moment ago: as it was made. */
static struct err *property_probe(struct step_env *env, const struct step *s, char **ret_value)
{
	(void)env, (void)s;
	*ret_value = str_dup("");
	return NULL;
}

static struct err *property_apply(struct step_env *env, struct step *s)
{
	const char *equals = strchr(s->want, '=');
	cleanup_free char *name = str_ndup(s->want, equals ? (size_t)(equals - s->want) : 0);
	if (!equals)
		return err_new("\"%s\" is no property", s->want);
	struct err *e = systemd_set_property(env->root, s->target, name, equals + 1);
	if (err_code(e) != EOPNOTSUPP || !systemd_runs(env->root))
		return e;
	err_free(e);
	return NULL;
}

static struct err *property_verify(struct step_env *env, const struct step *s)
{
	(void)env, (void)s;
	return NULL; /* systemd has said yes; what the kernel makes of it is systemd's */
}

static struct err *property_undo(struct step_env *env, const struct step *s)
{
	(void)env, (void)s;
	return NULL;
}

static enum step_whose property_whose(const struct step *s, const char *now)
{
	(void)s, (void)now;
	return STEP_PRIOR;
}

const struct step_kind unit_property_kind = {
	.name = "unit-property",
	.describe = property_describe,
	.probe = property_probe,
	.apply = property_apply,
	.verify = property_verify,
	.undo = property_undo,
	.whose = property_whose,
};

/* Where units are looked for, of those that an installation writes to (systemd.unit(5), "Unit File Load Path"). */
static bool installed(struct root *root, const char *unit)
{
	static const char *const dirs[] = { "/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system" };
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		cleanup_free char *path = str_fmt("%s/%s", dirs[i], unit);
		if (root_exists(root, path))
			return true;
	}
	return false;
}

void unit_guard_step(struct steps *out, struct root *root, const char *vm)
{
	if (!systemd_runs(root) || !installed(root, GUARD ".path"))
		return;
	cleanup_free char *name = systemd_escape(vm), *unit = str_fmt(GUARD "%s.path", name);
	steps_add(out, &unit_kind, unit, "active", "should the launcher die, all of this is undone as soon as the guest has ended")
		->optional = true;
}
