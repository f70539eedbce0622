/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control: the second monitor of a machine that runs, and the line to its guest's agent: sockets beside its journal, for commands other
 * than `run`.
 */
#pragma once
#include "launcher/cli.h"
#include "qmp/qmp.h"

/* Connects, and waits for QEMU's greeting. It serves one at a time: ETIMEDOUT when somebody else is there. */
struct err *control_open(struct cli *cli, const char *vm, struct qmp **ret_qmp);
/*
 * Connects with the guest's agent (qmp/agent.h). QEMU serves one at a time there too: who else is there shows in an agent that is silent.
 * ENOENT where the machine has no such line, EAGAIN where many wait. Never waits.
 */
struct err *control_agent(struct cli *cli, const char *vm, int *ret_fd);
