/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroup, the kinds that are writes to cgroupfs: cgroup_kind, controller_kind and partition_kind of cgroup.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/host/cgroup/cgroup.h"
#include "launcher/host/kind/systemd.h"

static struct err *write_in(struct step_env *env, const char *dir, const char *file, const char *value)
{
	cleanup_free char *path = str_fmt("%s/%s", dir, file);
	return root_write(env->root, path, value);
}

/* A group made by hand. */

static char *group_describe(const struct step *s)
{
	const char *cpus = strchr(s->want, ' ');
	return tr_fmt("put QEMU into %s on CPUs%s", s->target, cpus ? cpus : "");
}

static struct err *group_probe(struct step_env *env, const struct step *s, char **ret_value)
{
	cleanup_free char *value = cgroup_value(env->root, s->target);
	if (!s->prior && !streq(value, "absent"))
		return err_hint(err_errno(EEXIST, "%s", s->target),
				"the machine runs already, or its end is not over: qlaunch status; or rmdir '%s'", s->target);
	*ret_value = steal(value);
	return NULL;
}

static struct err *group_apply(struct step_env *env, struct step *s)
{
	const pid_t *held = s->data;
	struct cpus cpus;
	if (!held || !*held || !cgroup_value_cpus(s->want, &cpus))
		return err_new("no process to put in");
	cleanup_free char *other = cgroup_conflict(env->root, s->target + strlen(CGROUP_MOUNT "/"), &cpus), *list = cpus_format(&cpus);
	if (other)
		return err_new("the machine \"%s\" has some of these CPUs now", other);
	TRY(root_mkdir(env->root, s->target, 0755));
	TRY(write_in(env, s->target, "cpuset.cpus", list));
	for (; *held; held++) {
		cleanup_free char *pid = str_fmt("%d", (int)*held);
		TRY(write_in(env, s->target, "cgroup.procs", pid));
	}
	return NULL;
}

/* Waits until no process is left in it: the kernel wakes pollers of cgroup.events when that changes. */
static struct err *wait_empty(struct step_env *env, const char *dir)
{
	cleanup_free char *path = str_fmt("%s/cgroup.events", dir);
	for (int left = CGROUP_WAIT_MS / 1000;; left--) {
		cleanup_fd int fd = -1;
		char text[256] = "";
		TRY(root_open_fd(env->root, path, O_RDONLY, &fd));
		ssize_t n = read(fd, text, sizeof(text) - 1);
		if (n < 0)
			return err_errno(errno, "%s", path);
		if (!strstr(text, "populated 1"))
			return NULL;
		struct pollfd p = { .fd = fd, .events = POLLPRI };
		if (left == 0 || !root_is_host(env->root))
			break;
		if (poll(&p, 1, 1000) < 0 && errno != EINTR)
			return err_errno(errno, "%s", path);
	}
	cleanup_free char *procs_path = str_fmt("%s/cgroup.procs", dir), *procs = root_read_or(env->root, procs_path, "");
	cleanup_strv struct strv pids = {};
	strv_split(&pids, procs, "\n");
	cleanup_free char *list = strv_join(&pids, ", ");
	return err_hint(err_errno(EBUSY, "%s: still holds the processes %s", dir, list), "end them, then: qlaunch restore");
}

static struct err *group_undo(struct step_env *env, const struct step *s)
{
	TRY(wait_empty(env, s->target));
	return root_rmdir(env->root, s->target);
}

static enum step_whose group_whose(const struct step *s, const char *now)
{
	return streq(now, "absent") ? STEP_PRIOR : streq(now, s->want) ? STEP_WANTED : STEP_BETWEEN;
}

const struct step_kind cgroup_kind = {
	.name = "cgroup",
	.describe = group_describe,
	.probe = group_probe,
	.apply = group_apply,
	.undo = group_undo,
	.whose = group_whose,
};

/*
 * The root's subtree_control. "+cpuset in use": another machine of ours lives on it; then it stays on.
 */

#define IN_USE "+cpuset in use"

static char *controller_describe(const struct step *s)
{
	return tr_fmt("write %s to %s", s->want, s->target);
}

static struct err *controller_probe(struct step_env *env, const struct step *s, char **ret_value)
{
	cleanup_free char *text = NULL;
	cleanup_strv struct strv words = {}, dirs = {};
	TRY(root_read(env->root, s->target, &text));
	strv_split(&words, text, " \n");
	const char *value = strv_has(&words, "cpuset") ? "+cpuset" : "-cpuset";
	TRY(root_list(env->root, CGROUP_MOUNT, &dirs));
	for (size_t i = 0; i < dirs.n && *value == '+'; i++)
		if (str_starts(dirs.v[i], "qlaunch_"))
			value = IN_USE;
	*ret_value = str_dup(value);
	return NULL;
}

static struct err *controller_apply(struct step_env *env, struct step *s)
{
	return root_write(env->root, s->target, s->want);
}

static struct err *controller_verify(struct step_env *env, const struct step *s)
{
	cleanup_free char *now = NULL;
	TRY(controller_probe(env, s, &now));
	return str_starts(now, s->want) ? NULL : err_new("cpuset is off after it was switched on");
}

static struct err *controller_undo(struct step_env *env, const struct step *s)
{
	return root_write(env->root, s->target, s->prior);
}

static enum step_whose controller_whose(const struct step *s, const char *now)
{
	if (*now == *s->prior) /* on before is on now, whoever uses it */
		return STEP_PRIOR;
	return streq(now, s->want) ? STEP_WANTED : STEP_FOREIGN;
}

const struct step_kind controller_kind = {
	.name = "controller",
	.describe = controller_describe,
	.probe = controller_probe,
	.apply = controller_apply,
	.verify = controller_verify,
	.undo = controller_undo,
	.whose = controller_whose,
};

/* The partition. The kernel may take the write and say "isolated invalid (reason)": only what reads back counts. */

static char *partition_describe(const struct step *s)
{
	const char *cpus = strchr(s->want, ' ');
	return tr_fmt("make %s the %.*s partition of CPUs%s", s->target, (int)strcspn(s->want, " "), s->want, cpus ? cpus : "");
}

/* "TYPE CPUS" where it is valid, else the kernel's words: "isolated invalid (Cpu list in cpuset.cpus not exclusive)". */
static struct err *partition_probe(struct step_env *env, const struct step *s, char **ret_value)
{
	cleanup_free char *type_path = str_fmt("%s/cpuset.cpus.partition", s->target), *type = NULL;
	cleanup_free char *cpus_path = str_fmt("%s/cpuset.cpus.effective", s->target), *text = root_read_or(env->root, cpus_path, "");
	struct cpus cpus = {};
	struct err *e = root_read(env->root, type_path, &type);
	if (e && (err_code(e) == ENOENT || err_code(e) == ENODEV)) {
		err_free(e);
		*ret_value = str_dup("absent");
		return NULL;
	}
	TRY(e);
	if (strchr(type, ' ')) {
		*ret_value = steal(type);
		return NULL;
	}
	TRY(cpus_parse(text, &cpus));
	cleanup_free char *list = cpus_format(&cpus);
	*ret_value = str_fmt("%s %s", type, list);
	return NULL;
}

/* The kernel has the last word, and it has been asked; systemd 261 and later is told what the slice is, so that its own writes agree. It
 * forgets that as the slice ends (scope_undo in cgroup_units.c). */
static void tell_systemd(struct step_env *env, const struct step *s, const char *type)
{
	if (!str_ends(s->target, ".slice") || !root_is_host(env->root) || !systemd_runs(env->root))
		return;
	struct err *e = systemd_set_partition(env->root, s->target + strlen(CGROUP_MOUNT "/"), type);
	log_err(LOG_LEVEL_WARN, err_wrap(e, "systemd does not take the partition over"));
}

static struct err *partition_apply(struct step_env *env, struct step *s)
{
	cleanup_free char *type = str_ndup(s->want, strcspn(s->want, " "));
	struct err *e = write_in(env, s->target, "cpuset.cpus.partition", type);
	if (err_code(e) == EINVAL)
		return err_hint(e, "cpu.partition = root needs Linux 5.0, isolated Linux 6.1; cpu.isolate = slices neither");
	if (!e)
		tell_systemd(env, s, type);
	return e;
}

static struct err *partition_verify(struct step_env *env, const struct step *s)
{
	cleanup_free char *now = NULL;
	TRY(partition_probe(env, s, &now));
	if (streq(now, s->want))
		return NULL;
	if (strstr(now, "invalid"))
		return err_hint(err_new("the kernel says: %s", now), "see who holds these CPUs: grep . %s/*/cpuset.cpus", CGROUP_MOUNT);
	return err_new("it is \"%s\" after \"%s\" was asked for", now, s->want);
}

static struct err *partition_undo(struct step_env *env, const struct step *s)
{
	struct err *e = write_in(env, s->target, "cpuset.cpus.partition", "member");
	if (err_code(e) != ENOENT && err_code(e) != ENODEV)
		return e;
	err_free(e); /* it went by itself meanwhile */
	return NULL;
}

static enum step_whose partition_whose(const struct step *s, const char *now)
{
	if (streq(now, "absent") || str_starts(now, "member"))
		return STEP_PRIOR;
	return streq(now, s->want) ? STEP_WANTED : STEP_BETWEEN;
}

const struct step_kind partition_kind = {
	.name = "partition",
	.describe = partition_describe,
	.probe = partition_probe,
	.apply = partition_apply,
	.verify = partition_verify,
	.undo = partition_undo,
	.whose = partition_whose,
};
