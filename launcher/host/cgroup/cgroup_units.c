/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroup, what systemd carries out: scope_kind and allowed_cpus_kind of cgroup.h. What is so is read from cgroupfs. */
#include <errno.h>
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/host/cgroup/cgroup.h"
#include "launcher/host/kind/systemd.h"

/* "qlaunch_win11.slice" of "qlaunch_win11.scope". */
static char *scope_slice(const struct step *s)
{
	return str_fmt("%.*s.slice", (int)(strlen(s->target) - strlen(".scope")), s->target);
}

static char *scope_describe(const struct step *s)
{
	const char *cpus = strchr(s->want, ' ');
	return tr_fmt("put QEMU into %s on CPUs%s", s->target, cpus ? cpus : "");
}

static struct err *scope_probe(struct step_env *env, const struct step *s, char **ret_value)
{
	cleanup_free char *slice = scope_slice(s), *dir = str_fmt(CGROUP_MOUNT "/%s", slice), *value = cgroup_value(env->root, dir);
	/* what is there before we begin is not ours: never "as wanted already" */
	if (!s->prior && !streq(value, "absent"))
		return err_hint(err_errno(EEXIST, "%s", slice),
				"the machine runs already, or its end is not over: qlaunch status; or systemctl stop '%s'", slice);
	*ret_value = steal(value);
	return NULL;
}

static struct err *scope_apply(struct step_env *env, struct step *s)
{
	const pid_t *held = s->data;
	struct cpus cpus;
	if (!held || !*held || !cgroup_value_cpus(s->want, &cpus))
		return err_new("no process to put in");
	cleanup_free char *slice = scope_slice(s), *other = cgroup_conflict(env->root, slice, &cpus);
	if (other)
		return err_new("the machine \"%s\" has some of these CPUs now", other);
	return systemd_scope_start(env->root, s->target, slice, "qlaunch: a virtual machine", held, &cpus);
}

static struct err *scope_verify(struct step_env *env, const struct step *s)
{
	cleanup_free char *slice = scope_slice(s), *dir = str_fmt(CGROUP_MOUNT "/%s", slice), *value = cgroup_value(env->root, dir);
	cleanup_free char *path = str_fmt("%s/%s/cgroup.procs", dir, s->target), *procs = NULL;
	if (!streq(value, s->want))
		return err_new("%s is \"%s\" instead of \"%s\"", slice, value, s->want);
	TRY(root_read(env->root, path, &procs));
	cleanup_strv struct strv pids = {};
	strv_split(&pids, procs, "\n");
	for (const pid_t *p = s->data; p && *p; p++) {
		cleanup_free char *pid = str_fmt("%d", (int)*p);
		if (!strv_has(&pids, pid))
			return err_new("process %s is not in %s", pid, s->target);
	}
	return NULL;
}

static struct err *scope_undo(struct step_env *env, const struct step *s)
{
	cleanup_free char *slice = scope_slice(s), *dir = str_fmt(CGROUP_MOUNT "/%s", slice);
	cleanup_err struct err *stop = systemd_unit_stop(env->root, slice);
	/* without D-Bus too: systemd stops the slice by itself when QEMU has ended */
	struct err *e = cgroup_wait_gone(env->root, dir, CGROUP_WAIT_MS);
	if (e && stop)
		e = err_wrap(e, "%s", err_text(stop));
	else if (
		e) /* a process that cannot end is in there: the host keeps its CPUs. Told of a slice that has gone, systemd would make it anew */
		err_free(systemd_set_partition(env->root, slice, "member"));
	return err_hint(e, "systemctl stop '%s'", slice);
}

static enum step_whose scope_whose(const struct step *s, const char *now)
{
	return streq(now, "absent") ? STEP_PRIOR : streq(now, s->want) ? STEP_WANTED : STEP_BETWEEN;
}

const struct step_kind scope_kind = {
	.name = "scope",
	.describe = scope_describe,
	.probe = scope_probe,
	.apply = scope_apply,
	.verify = scope_verify,
	.undo = scope_undo,
	.whose = scope_whose,
};

/*
 * AllowedCPUs. `want` is "HOST of ALL". What systemd and the kernel make of it (systemd 252, Linux 6.1):
 * - the property taken away, the group stays narrow (systemd#43846): undo writes ALL first;
 * - the kernel refuses to empty the cpuset.cpus of a group with processes: ALL stays there for as long as another unit
 * needs cpuset, which is the same to every process as no limit. What tells it from our own ALL is the file where
 * systemd keeps the property until the next boot.
 */

#define DROPIN "50-AllowedCPUs.conf" /* src/core/unit.c, unit_write_setting() */
#define SET " set"                   /* ends a value whose property is in that file */

struct wanted {
	struct cpus host, all;
};

static struct err *wanted_parse(const struct step *s, struct wanted *ret)
{
	const char *of = strstr(s->want, " of ");
	if (!of)
		return err_new("\"%s\" is not \"CPUS of CPUS\"", s->want);
	cleanup_free char *host = str_ndup(s->want, (size_t)(of - s->want));
	TRY(cpus_parse(host, &ret->host));
	return cpus_parse(of + strlen(" of "), &ret->all);
}

/* The CPUs of a value; false for "all" and for what is none. */
static bool value_parse(const char *value, struct cpus *ret)
{
	cleanup_free char *list = str_ndup(value, strcspn(value, " "));
	cleanup_err struct err *e = cpus_parse(list, ret);
	return !e;
}

/* The directory of the property's file, NULL where there is none. Units made by systemd itself (init.scope) have it
 * with the transient ones. */
static char *dropin_dir(struct root *root, const char *unit)
{
	static const char *const dirs[] = { "/run/systemd/system.control", "/run/systemd/transient" };
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		cleanup_free char *dir = str_fmt("%s/%s.d", dirs[i], unit), *path = str_fmt("%s/" DROPIN, dir);
		if (root_exists(root, path))
			return steal(dir);
	}
	return NULL;
}

static char *allowed_describe(const struct step *s)
{
	const char *of = strstr(s->want, " of ");
	return tr_fmt("limit %s to CPUs %.*s", s->target, (int)(of ? of - s->want : 0), s->want);
}

static struct err *allowed_probe(struct step_env *env, const struct step *s, char **ret_value)
{
	struct cpus cpus;
	cleanup_free char *dir = str_fmt(CGROUP_MOUNT "/%s", s->target), *value = cgroup_value(env->root, dir);
	cleanup_free char *dropin = dropin_dir(env->root, s->target);
	cleanup_free char *list = cgroup_value_cpus(value, &cpus) ? cpus_format(&cpus) : str_dup("all");
	*ret_value = str_fmt("%s%s", list, dropin ? SET : "");
	return NULL;
}

static struct err *allowed_apply(struct step_env *env, struct step *s)
{
	struct wanted w;
	TRY(wanted_parse(s, &w));
	return systemd_set_cpus(env->root, s->target, &w.host);
}

/* Takes the property away, and nothing else: `systemctl revert` would take what the administrator has set too. */
static struct err *dropin_remove(struct step_env *env, const char *unit)
{
	cleanup_free char *dir = dropin_dir(env->root, unit), *path = dir ? str_fmt("%s/" DROPIN, dir) : NULL;
	if (!dir)
		return NULL;
	TRY(root_unlink(env->root, path));
	err_free(root_rmdir(env->root, dir)); /* other properties may be there */
	return systemd_reload(env->root);
}

static struct err *allowed_undo(struct step_env *env, const struct step *s)
{
	struct wanted w;
	struct cpus prior;
	TRY(wanted_parse(s, &w));
	bool limited = value_parse(s->prior, &prior);
	TRY(systemd_set_cpus(env->root, s->target, limited ? &prior : &w.all));
	if (str_ends(s->prior, SET))
		return NULL;
	TRY(dropin_remove(env, s->target));
	cleanup_free char *path = str_fmt(CGROUP_MOUNT "/%s/cpuset.cpus.effective", s->target), *text = root_read_or(env->root, path, "");
	struct cpus now;
	TRY(cpus_parse(text, &now));
	return *text && cpus_equal(&now, &w.host) ? err_new("%s has CPUs %s only, still", s->target, text) : NULL;
}

static enum step_whose allowed_whose(const struct step *s, const char *now)
{
	struct wanted w;
	struct cpus cpus;
	cleanup_err struct err *bad = wanted_parse(s, &w);
	if (streq(now, s->prior))
		return STEP_PRIOR;
	if (bad || !value_parse(now, &cpus))
		return STEP_FOREIGN;
	if (cpus_equal(&cpus, &w.host))
		return STEP_WANTED;
	if (!cpus_equal(&cpus, &w.all))
		return STEP_FOREIGN;
	return streq(s->prior, "all") && !str_ends(now, SET) ? STEP_PRIOR : STEP_BETWEEN;
}

const struct step_kind allowed_cpus_kind = {
	.name = "allowed-cpus",
	.describe = allowed_describe,
	.probe = allowed_probe,
	.apply = allowed_apply,
	.undo = allowed_undo,
	.whose = allowed_whose,
};
