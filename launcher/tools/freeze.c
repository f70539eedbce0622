/* SPDX-License-Identifier: GPL-2.0-or-later */
/* freeze: see freeze.h. */
#include <errno.h>
#include "launcher/base/child.h"
#include "launcher/base/log.h"
#include "launcher/tools/freeze.h"

#define PING_LIMIT_MS 2000 /* an agent that is there answers at once */
#define STATUS_LIMIT_MS 5000
/*
 * Windows asks every program that takes part in its shadow copies to finish first: the agent waits 60 s for that (VSS_TIMEOUT_FREEZE_MSEC,
 * QEMU qga/vss-win32/requester.cpp). Writes are held only after it, for 10 s at most. Linux writes out what is dirty, which takes as long
 * as the disk.
 */
#define FREEZE_LIMIT_MS 65000
/* It does one thing after another: a freeze that was given up may come before. */
#define THAW_LIMIT_MS 65000
#define THAW_ATTEMPTS 2

static struct err *ask_frozen(struct agent *a, bool *ret_frozen)
{
	json_t *value = NULL;
	TRY(agent_call(a, "guest-fsfreeze-status", NULL, STATUS_LIMIT_MS, &value));
	*ret_frozen = streq(json_string_value(value), "frozen");
	json_decref(value);
	return NULL;
}

/* Windows answers with an error where its time was up before, though nothing is frozen any more: so what is asked in the end is the
 * state. */
static struct err *thaw(struct agent *a, json_int_t count)
{
	struct err *e = NULL;
	for (int i = 0; i < THAW_ATTEMPTS; i++) {
		json_t *value = NULL;
		bool frozen = true;
		err_free(e);
		e = agent_call(a, "guest-fsfreeze-thaw", NULL, THAW_LIMIT_MS, &value);
		json_int_t thawed = json_integer_value(value);
		json_decref(value);
		if (!e)
			return thawed >= count ? NULL : err_coded(ESTALE, "the guest thawed them before");
		if (err_code(e) == ENOTCONN) {
			err_free(e);
			return err_coded(ESTALE, "the machine has ended");
		}
		struct err *unknown = ask_frozen(a, &frozen);
		if (!unknown && !frozen) {
			struct err *early = err_coded(ESTALE, "the guest thawed them before: %s", err_text(e));
			err_free(e);
			return early;
		}
		err_free(unknown);
	}
	return err_exit(err_hint(err_wrap(e, "the guest's file systems may still be frozen"),
				 "once more: a snapshot thaws them first; or Alt+SysRq+j in a Linux guest"),
			EXIT_RESIDUE);
}

/* What somebody has left who was killed: the line serves one at a time, so nobody else needs it frozen. */
static struct err *thaw_leftover(struct agent *a)
{
	bool frozen = false;
	TRY(ask_frozen(a, &frozen));
	if (!frozen)
		return NULL;
	struct err *e = thaw(a, 0);
	if (err_code(e) != ESTALE)
		TRY(e);
	err_free(e);
	log_warn("the guest's file systems had been left frozen by a command that was killed: thawed");
	return NULL;
}

static bool wants_end(void)
{
	sigset_t ends = end_signals(), pending;
	sigpending(&pending);
	for (int sig = 1; sig < NSIG; sig++) {
		struct sigaction now;
		if (sigismember(&ends, sig) == 1 && sigismember(&pending, sig) == 1 && sigaction(sig, NULL, &now) == 0 &&
		    now.sa_handler != SIG_IGN)
			return true;
	}
	return false;
}

/* An error that the agent itself came back with has left nothing frozen, by its promise; it is asked all the same. */
static struct err *freeze(struct agent *a, json_int_t *ret_count)
{
	json_t *value = NULL;
	struct err *e = agent_call(a, "guest-fsfreeze-freeze", NULL, FREEZE_LIMIT_MS, &value);
	json_int_t count = json_integer_value(value);
	json_decref(value);
	if (!e && count <= 0)
		e = err_new("the guest has no file system that can be frozen");
	if (!e && wants_end())
		e = err_coded(ECANCELED, "interrupted");
	if (!e) {
		*ret_count = count;
		return NULL;
	}
	struct err *left = thaw(a, 0);
	if (!left || err_code(left) == ESTALE) {
		err_free(left);
		return e;
	}
	err_free(e);
	return left;
}

struct err *freeze_begin(int fd, struct freeze *ret_freeze)
{
	cleanup_agent struct agent *a = agent_new(fd);
	struct err *e = agent_ping(a, PING_LIMIT_MS);
	if (err_code(e) == ETIMEDOUT) {
		err_free(e);
		return err_coded(ETIMEDOUT, "no agent answered");
	}
	TRY(e);
	TRY(thaw_leftover(a));
	sigset_t ends = end_signals(), before;
	json_int_t count = 0;
	sigprocmask(SIG_BLOCK, &ends, &before);
	e = freeze(a, &count);
	if (e) {
		sigprocmask(SIG_SETMASK, &before, NULL);
		return e;
	}
	*ret_freeze = (struct freeze){ steal(a), count, before };
	return NULL;
}

struct err *freeze_end(struct freeze *f)
{
	if (!f->agent)
		return NULL;
	struct err *e = thaw(f->agent, f->count);
	agent_free(steal(f->agent));
	sigprocmask(SIG_SETMASK, &f->before, NULL);
	return e;
}
