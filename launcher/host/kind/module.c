/* SPDX-License-Identifier: GPL-2.0-or-later */
/* module: see module.h. Loads by modprobe and unloads by the kernel's call, with a time limit, and only on the real host. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "launcher/base/child.h"
#include "launcher/base/tr.h"
#include "launcher/host/kind/module.h"
#include "launcher/step/finding.h"

#define LIMIT_MS 20000

bool module_loaded(struct root *root, const char *name)
{
	cleanup_free char *path = str_fmt("/sys/module/%s", name);
	for (char *p = path; *p; p++)
		if (*p == '-') /* as the kernel names them there */
			*p = '_';
	return root_exists(root, path);
}

static char *describe(const struct step *s)
{
	return tr_fmt("load the module %s (it stays)", s->target);
}

static struct err *probe(struct step_env *env, const struct step *s, char **ret_value)
{
	*ret_value = str_dup(module_loaded(env->root, s->target) ? "loaded" : "absent");
	return NULL;
}

static struct err *load(struct root *root, const char *name)
{
	cleanup_free char *output = NULL;
	if (!root_is_host(root))
		return err_new("modules are loaded on the running host only");
	return child_output((const char *const[]){ "modprobe", "--", name, NULL }, LIMIT_MS, &output);
}

static struct err *apply(struct step_env *env, struct step *s)
{
	return load(env->root, s->target);
}

static struct err *verify(struct step_env *env, const struct step *s)
{
	return module_loaded(env->root, s->target) ? NULL : err_new("modprobe ended well, but the module is not there");
}

static struct err *undo(struct step_env *env, const struct step *s)
{
	(void)env;
	(void)s;
	return NULL;
}

/* Whether the running kernel's list of modules has it (depmod(8): modules.dep, and modules.builtin of what is in the kernel itself). */
static bool is_listed(struct root *root, const char *name)
{
	static const char *const lists[] = { "modules.dep", "modules.builtin" };
	cleanup_free char *file = str_fmt("/%s.ko", name);
	struct utsname kernel;
	uname(&kernel);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		cleanup_free char *path = str_fmt("/lib/modules/%s/%s", kernel.release, lists[i]), *list = root_read_or(root, path, "");
		if (strstr(list, file))
			return true;
	}
	return false;
}

/* Where the list does not say, modprobe is asked what it would do, for it knows of other places. A kernel without /proc/modules loads none. */
static bool is_known(struct root *root, const char *name)
{
	const char *argv[] = { "modprobe", "-n", "-q", "--", name, NULL };
	cleanup_free char *output = NULL;
	if (is_listed(root, name))
		return true;
	if (!root_exists(root, "/proc/modules"))
		return false;
	cleanup_err struct err *e = child_output(argv, LIMIT_MS, &output);
	return !e || err_code(e) == ENOENT; /* a user's PATH may lack it: then nobody can tell */
}

/* This kernel may be built without it, or its modules may be gone with an update. */
static void check(struct step_env *env, const struct step *s, struct findings *out)
{
	if (root_is_host(env->root) && !module_loaded(env->root, s->target) && !is_known(env->root, s->target))
		findings_add(out, FINDING_BAD, "module", tr_fmt("this kernel has no module %s", s->target),
			     tr_dup("after an update of the kernel: reboot; else one that has it"));
}

static enum step_whose whose(const struct step *s, const char *now)
{
	(void)s;
	(void)now;
	return STEP_PRIOR; /* nothing to give back */
}

const struct step_kind module_kind = {
	.name = "module",
	.describe = describe,
	.probe = probe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
	.whose = whose,
	.check = check,
};

/* ---- one that goes for a while ---- */

unsigned module_users(struct root *root, const char *name)
{
	cleanup_free char *path = str_fmt("/sys/module/%s/refcnt", name), *text = root_read_or(root, path, "0");
	return (unsigned)strtoul(text, NULL, 10);
}

static char *unload_describe(const struct step *s)
{
	return tr_fmt("unload the module %s", s->target);
}

/* delete_module(2). In a child: its driver lets go of its devices then, which can take for ever. */
static struct err *delete_module(void *data)
{
	const char *name = data;
	return syscall(SYS_delete_module, name, O_NONBLOCK) == 0 ? NULL : err_errno(errno, "%s", name);
}

static struct err *unload_apply(struct step_env *env, struct step *s)
{
	unsigned users = module_users(env->root, s->target);
	if (!root_is_host(env->root))
		return err_new("modules are unloaded on the running host only");
	if (users)
		return err_hint(err_coded(EBUSY, "it is in use (%u)", users), "end what uses it; `lsmod` tells of other modules");
	return child_call(delete_module, s->target, LIMIT_MS);
}

static struct err *unload_undo(struct step_env *env, const struct step *s)
{
	return err_hint(load(env->root, s->target), "modprobe %s", s->target);
}

const struct step_kind module_unload_kind = {
	.name = "module-unload",
	.describe = unload_describe,
	.probe = probe,
	.apply = unload_apply,
	.undo = unload_undo,
};
