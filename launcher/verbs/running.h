/* SPDX-License-Identifier: GPL-2.0-or-later */
/* running: a machine that runs, for the commands that speak with it: its monitor and its guest's agent, or why there is none. */
#pragma once
#include <jansson.h>
#include "launcher/cli.h"
#include "qmp/agent.h"
#include "qmp/qmp.h"

#define RUNNING_LIMIT_MS 10000     /* for the monitor to answer a command */
#define RUNNING_AGENT_LIMIT_MS 3000 /* for an agent that is there */

/* That it runs, and is the caller's: what `status --json` says of it. `command` is this one, for the remedy where root runs it. Owned. */
struct err *running_find(struct cli *cli, const char *vm, const char *command, json_t **ret_status);
/* The same, and its monitor. */
struct err *running_monitor(struct cli *cli, const char *vm, const char *command, struct qmp **ret_qmp);
/* The same, and its guest's agent, which has answered. EXIT_GUEST with what is missing. */
struct err *running_agent(struct cli *cli, const char *vm, const char *command, struct agent **ret_agent);
/* guest-shutdown, `mode` "powerdown" or "reboot": no answer, or the line's end, is what one that works comes to. EXIT_GUEST. */
struct err *running_shutdown(struct agent *agent, const char *mode);
