/* SPDX-License-Identifier: GPL-2.0-or-later */
/* process, the step kinds: process_kind and memlock_kind of process.h. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include "launcher/base/num.h"
#include "launcher/base/progress.h"
#include "launcher/base/tr.h"
#include "launcher/host/kind/process.h"

#define GRACE_MS 10000       /* what QEMU may take to flush its disks */
#define READY_LIMIT_MS 10000 /* what a server may take to say that it serves */

static char *process_describe(const struct step *s)
{
	return tr_fmt("start %s", s->target);
}

/* Our own child is known by its pidfd: /proc may hide it from a launcher that has given up its capabilities. */
static bool runs(struct process *p, const char *want)
{
	struct proc_id id;
	if (p && p->id.pid)
		return p->release_fd < 0 && !process_ended(p); /* one that is held does not run yet */
	cleanup_err struct err *e = proc_id_parse(want, &id);
	return !e && proc_alive(id);
}

static struct err *process_probe(struct step_env *env, const struct step *s, char **ret_value)
{
	*ret_value = str_dup(root_is_host(env->root) && runs(s->data, s->want) ? s->want : "");
	return NULL;
}

static struct err *process_prepare(struct step_env *env, struct step *s)
{
	struct process *p = s->data;
	if (!root_is_host(env->root))
		return err_new("programs run on this host only, not under %s", root_dir(env->root));
	if (p->release_fd < 0)
		TRY(process_fork(p));
	free(s->want);
	s->want = proc_id_format(p->id);
	return NULL;
}

static struct err *process_apply(struct step_env *env, struct step *s)
{
	(void)env;
	return process_release(s->data);
}

/* Until it has said that it serves, has ended, or has closed its standard error, which is the end of most. */
static struct err *await_ready(struct process *p)
{
	struct pollfd poller = { .fd = p->stderr_fd, .events = POLLIN };
	while (p->ready && !(p->said.s && strstr(p->said.s, p->ready))) {
		int n = progress_poll(&poller, 1, READY_LIMIT_MS);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_errno(n ? errno : ETIMEDOUT, "%s does not say that it serves", p->name);
		if (!process_listen(p)) {
			process_await(p, READY_LIMIT_MS, -1);
			break;
		}
	}
	return NULL;
}

/* It may have ended by now, with what it had to say: that is the error to show. */
static struct err *process_verify(struct step_env *env, const struct step *s)
{
	(void)env;
	struct process *p = s->data;
	TRY(await_ready(p));
	if (!process_ended(p))
		return NULL;
	process_listen(p);
	cleanup_free char *status = process_status_text(p->status), *words = process_last_words(p, 3);
	return err_new("%s ended at once with %s%s%s", s->target, status, *words ? ": " : "", words);
}

static struct err *process_undo(struct step_env *env, const struct step *s)
{
	(void)env;
	struct process *p = s->data;
	struct proc_id id;
	if (p && p->pidfd >= 0)
		return process_end(p, GRACE_MS);
	TRY(proc_id_parse(s->want, &id));
	return process_stop(id, GRACE_MS);
}

const struct step_kind process_kind = {
	.name = "process",
	.ends_first = true,
	.describe = process_describe,
	.probe = process_probe,
	.prepare = process_prepare,
	.apply = process_apply,
	.verify = process_verify,
	.undo = process_undo,
};

static char *memlock_describe(const struct step *s)
{
	uint64_t bytes;
	cleanup_err struct err *e = num_parse(s->want, UINT64_MAX, &bytes);
	cleanup_free char *size = e ? str_dup(s->want) : size_format(bytes);
	return tr_fmt("let %s lock %s of memory", s->target, size);
}

/* In a plan there is no process yet: it would get the limit that we have. One that has ended locks nothing. */
static struct err *memlock_probe(struct step_env *env, const struct step *s, char **ret_value)
{
	const struct process *p = s->data;
	uint64_t want;
	struct rlimit now;
	TRY(num_parse(s->want, UINT64_MAX, &want));
	if (!root_is_host(env->root) || (p && prlimit(p->id.pid, RLIMIT_MEMLOCK, NULL, &now) < 0)) {
		*ret_value = str_dup("");
		return NULL;
	}
	if (!p && getrlimit(RLIMIT_MEMLOCK, &now) < 0)
		return err_errno(errno, "RLIMIT_MEMLOCK");
	*ret_value = now.rlim_cur >= want ? str_dup(s->want) : str_fmt("%" PRIu64, (uint64_t)now.rlim_cur);
	return NULL;
}

static struct err *memlock_apply(struct step_env *env, struct step *s)
{
	(void)env;
	const struct process *p = s->data;
	uint64_t want;
	struct rlimit limit;
	TRY(num_parse(s->want, UINT64_MAX, &want));
	if (prlimit(p->id.pid, RLIMIT_MEMLOCK, NULL, &limit) == 0) {
		limit.rlim_cur = want;
		if (limit.rlim_max < want)
			limit.rlim_max = want;
		if (prlimit(p->id.pid, RLIMIT_MEMLOCK, &limit, NULL) == 0)
			return NULL;
	}
	return err_hint(err_errno(errno, "RLIMIT_MEMLOCK of %s", s->target),
			"run as root, or raise \"memlock\" for this user in /etc/security/limits.conf and log in again");
}

static struct err *memlock_verify(struct step_env *env, const struct step *s)
{
	cleanup_free char *now = NULL;
	TRY(memlock_probe(env, s, &now));
	return streq(now, s->want) ? NULL : err_new("the limit is %s bytes", now);
}

static struct err *memlock_undo(struct step_env *env, const struct step *s)
{
	(void)env;
	(void)s;
	return NULL;
}

/* The limit is the process's own and ends with it: nothing is ever to be undone. */
static enum step_whose memlock_whose(const struct step *s, const char *now)
{
	(void)s;
	(void)now;
	return STEP_PRIOR;
}

const struct step_kind memlock_kind = {
	.name = "memlock",
	.describe = memlock_describe,
	.probe = memlock_probe,
	.apply = memlock_apply,
	.verify = memlock_verify,
	.undo = memlock_undo,
	.whose = memlock_whose,
};
