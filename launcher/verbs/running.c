/* SPDX-License-Identifier: GPL-2.0-or-later */
/* running: see running.h. */
#include <errno.h>
#include "launcher/live/machine.h"
#include "launcher/tools/control.h"
#include "launcher/tools/roots.h"
#include "launcher/verbs/running.h"

#define SHUTDOWN_LIMIT_MS 2000 /* it does not answer when it does it */

struct err *running_find(struct cli *cli, const char *vm, const char *command, json_t **ret_status)
{
	json_t *status = NULL;
	if (!root_is_host(cli->root))
		return err_exit(err_new("a machine runs on this host only, not under --root"), EXIT_USAGE);
	struct err *e = machine_find(cli, vm, &status);
	if (e && err_code(e) != EPERM) {
		struct err *roots = roots_machine_error(cli, vm, command);
		if (roots) {
			err_free(e);
			return roots;
		}
	}
	TRY(e);
	*ret_status = status;
	return NULL;
}

struct err *running_monitor(struct cli *cli, const char *vm, const char *command, struct qmp **ret_qmp)
{
	json_t *status = NULL;
	TRY(running_find(cli, vm, command, &status));
	json_decref(status);
	return err_exit(control_open(cli, vm, ret_qmp), EXIT_GUEST);
}

struct err *running_agent(struct cli *cli, const char *vm, const char *command, struct agent **ret_agent)
{
	json_t *status = NULL;
	int fd = -1;
	TRY(running_find(cli, vm, command, &status));
	json_decref(status);
	struct err *e = control_agent(cli, vm, &fd);
	if (err_code(e) == ENOENT) {
		err_free(e);
		return err_exit(
			err_hint(err_new("%s has no line to its guest's agent", vm), "agent = yes in its [console], and start it anew"),
			EXIT_GUEST);
	}
	TRY(err_exit(e, EXIT_GUEST));
	cleanup_agent struct agent *agent = agent_new(fd);
	e = agent_ping(agent, RUNNING_AGENT_LIMIT_MS);
	if (err_code(e) == ETIMEDOUT) {
		err_free(e);
		return err_exit(err_hint(err_new("%s: no agent answers in the guest", vm),
					 "install and start qemu-guest-agent there; in Windows: virtio-win-guest-tools"),
				EXIT_GUEST);
	}
	TRY(err_exit(err_wrap(e, "%s", vm), EXIT_GUEST));
	*ret_agent = steal(agent);
	return NULL;
}

struct err *running_shutdown(struct agent *agent, const char *mode)
{
	static const int silent[] = { ETIMEDOUT, ECONNRESET, EPIPE, ENOTCONN, EPROTO };
	struct err *e = agent_call(agent, "guest-shutdown", json_pack("{s:s}", "mode", mode), SHUTDOWN_LIMIT_MS, NULL);
	for (size_t i = 0; e && i < ARRAY_SIZE(silent); i++)
		if (err_code(e) == silent[i]) {
			err_free(e);
			return NULL;
		}
	return err_exit(e, EXIT_GUEST);
}
