/* SPDX-License-Identifier: GPL-2.0-or-later */
/* restore: see restore.h. */
#include <errno.h>
#include <stdlib.h>
#include "launcher/base/sd.h"
#include "launcher/base/tr.h"
#include "launcher/base/log.h"
#include "launcher/host/kind/process.h"
#include "launcher/live/restore.h"
#include "launcher/tools/history.h"

struct err *restore_finish(struct journal *j, const char *vm, const struct undo_report *report)
{
	if (!report->residue)
		return journal_remove(j);
	struct err *e = err_new(tr_n("%s: %zu step could not be put back", "%s: %zu steps could not be put back", report->residue), vm,
				report->residue);
	return err_exit(err_hint(e, "mend what is named above, then: qlaunch restore %s", vm), EXIT_RESIDUE);
}

/* Nothing can be undone: only its user's word is wanted that it may go. */
static struct err *give_up(struct step_env *env, const char *base, const char *vm, struct err *why)
{
	cleanup_journal struct journal *j = NULL;
	log_err(LOG_LEVEL_WARN, err_wrap(why, "%s: given up, nothing of it is undone", vm));
	TRY(err_wrap(journal_seize(env->root, base, vm, &j), "%s", vm));
	return journal_remove(j);
}

static struct err *undo(struct step_env *env, const char *vm, struct steps *steps, const struct journal_info *info, struct undo_report *ret)
{
	if (info->other_boot)
		log_info("%s: left before the last boot; the kernel has forgotten it since", vm);
	else
		*ret = engine_undo(env, steps);
	if (info->torn)
		log_warn("%s: the journal's last line is torn: its step had not begun", vm);
	if (!info->damaged)
		return NULL;
	struct err *e = err_new(tr_n("%s: line %s of %s/journal is damaged: what it did is not undone",
				     "%s: lines %s of %s/journal are damaged: what they did is not undone", info->damaged),
				vm, info->damaged_lines, info->dir);
	return err_exit(err_hint(e, "look at the file, put that back by hand, then: qlaunch restore --forget %s", vm), EXIT_RESIDUE);
}

struct err *restore_vm(struct step_env *env, const char *base, const char *vm, bool forget, struct undo_report *ret_report)
{
	cleanup_journal struct journal *j = NULL;
	cleanup_steps struct steps steps = {};
	cleanup_journal_info struct journal_info info = {};
	struct undo_report report = {};
	struct err *e = err_wrap(journal_open(env, base, vm, &j, &steps, &info), "%s", vm);
	if (e && forget && err_code(e) != EBUSY)
		return give_up(env, base, vm, e);
	TRY(e);
	TRY(journal_is_callers(&info));
	e = undo(env, vm, &steps, &info, &report);
	if (ret_report)
		*ret_report = report;
	if (e && !forget)
		return e;
	log_err(LOG_LEVEL_WARN, e);
	if (forget)
		report.residue = 0;
	if (!report.residue && root_is_host(env->root)) /* else the journal stays, and this run's log with it */
		history_rescue(env->root, info.dir, info.user);
	return restore_finish(j, vm, &report);
}

/*
 * As a service's ExecStopPost= this is given TimeoutStopSec=, but a guest plays for hours: systemd is asked not to count. Where nobody
 * listens it is told nobody. (sd_notify(3); ten years, in microseconds.)
 */
static void ask_for_time(void)
{
	if (getenv("NOTIFY_SOCKET"))
		sd_notify(0, "EXTEND_TIMEOUT_USEC=315360000000000");
}

/* Waits for the guest that a dead launcher left. */
static struct err *wait_for_guest(struct step_env *env, const char *base, const char *vm)
{
	cleanup_steps struct steps steps = {};
	cleanup_journal_info struct journal_info info = {};
	TRY(journal_read(env, base, vm, &steps, &info));
	for (size_t i = steps.n; i-- > 0;) {
		struct proc_id id;
		if (info.other_boot || steps.v[i].kind != &process_kind || !streq(steps.v[i].target, "qemu"))
			continue;
		TRY(proc_id_parse(steps.v[i].want, &id));
		TRY(proc_wait(id));
	}
	return NULL;
}

struct err *restore_after(struct step_env *env, const char *base, const char *vm, struct undo_report *ret_report)
{
	cleanup_free char *path = str_fmt("%s/%s/journal", base, vm);
	if (root_exists(env->root, path))
		ask_for_time();
	for (;;) {
		TRY(journal_wait(env->root, base, vm));
		if (!root_exists(env->root, path))
			return NULL; /* its launcher ended well, or somebody else has restored it */
		TRY(err_wrap(wait_for_guest(env, base, vm), "%s", vm));
		struct err *e = restore_vm(env, base, vm, false, ret_report);
		if (err_code(e) != EBUSY && err_code(e) != ENOENT)
			return e;
		err_free(e); /* somebody was faster */
	}
}
