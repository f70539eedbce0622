/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qlaunch pause, resume, reset, reboot VM: one command of QEMU's monitor each, or of the guest's agent. */
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/tools/guest_time.h"
#include "launcher/verbs/running.h"

/* query-status of QEMU: "running", "paused", "io-error", … Owned by the caller. */
static struct err *state_of(struct qmp *qmp, char **ret_state)
{
	json_t *value = NULL;
	TRY(qmp_call(qmp, "query-status", NULL, RUNNING_LIMIT_MS, &value));
	const char *state = json_string_value(json_object_get(value, "status"));
	*ret_state = str_dup(state ? state : "?");
	json_decref(value);
	return NULL;
}

struct err *verb_pause(struct cli *cli, const struct verb_args *args)
{
	cleanup_qmp struct qmp *qmp = NULL;
	cleanup_free char *state = NULL;
	TRY(verb_words(args, 1, 1, "pause VM"));
	const char *vm = args->words.v[0];
	TRY(running_monitor(cli, vm, "pause", &qmp));
	TRY(err_exit(state_of(qmp, &state), EXIT_GUEST));
	if (!streq(state, "running")) {
		log_info("%s stands still already: %s", vm, state);
		return NULL;
	}
	TRY(err_exit(qmp_call(qmp, "stop", NULL, RUNNING_LIMIT_MS, NULL), EXIT_GUEST));
	log_info("%s: paused; on it goes by: qlaunch resume %s", vm, vm);
	return NULL;
}

struct err *verb_resume(struct cli *cli, const struct verb_args *args)
{
	cleanup_qmp struct qmp *qmp = NULL;
	cleanup_free char *before = NULL, *after = NULL;
	TRY(verb_words(args, 1, 1, "resume VM"));
	const char *vm = args->words.v[0];
	TRY(running_monitor(cli, vm, "resume", &qmp));
	TRY(err_exit(state_of(qmp, &before), EXIT_GUEST));
	if (streq(before, "running")) {
		log_info("%s: runs already", vm);
		return NULL;
	}
	/* a guest that sleeps is woken, which no cont does */
	TRY(err_exit(qmp_call(qmp, streq(before, "suspended") ? "system_wakeup" : "cont", NULL, RUNNING_LIMIT_MS, NULL), EXIT_GUEST));
	TRY(err_exit(state_of(qmp, &after), EXIT_GUEST));
	log_err(LOG_LEVEL_WARN, err_wrap(guest_time_set_of(cli, vm), "%s: its clock", vm));
	log_info("%s: %s", vm, streq(after, "running") ? _("goes on") : after);
	return NULL;
}

struct err *verb_reset(struct cli *cli, const struct verb_args *args)
{
	cleanup_qmp struct qmp *qmp = NULL;
	TRY(verb_words(args, 1, 1, "reset VM"));
	const char *vm = args->words.v[0];
	TRY(running_monitor(cli, vm, "reset", &qmp));
	TRY(err_exit(qmp_call(qmp, "system_reset", NULL, RUNNING_LIMIT_MS, NULL), EXIT_GUEST));
	log_info("%s: reset, as by the button of that name", vm);
	return NULL;
}

struct err *verb_reboot(struct cli *cli, const struct verb_args *args)
{
	cleanup_agent struct agent *agent = NULL;
	TRY(verb_words(args, 1, 1, "reboot VM"));
	const char *vm = args->words.v[0];
	struct err *e = running_agent(cli, vm, "reboot", &agent);
	if (e && err_status(e) == EXIT_GUEST) /* no button says that */
		log_info("without an agent: qlaunch key %s ctrl-alt-delete, or, losing what was not saved: qlaunch reset %s", vm, vm);
	TRY(e);
	TRY(running_shutdown(agent, "reboot"));
	log_info("%s: its guest reboots", vm);
	return NULL;
}
