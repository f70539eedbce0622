/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control: the second monitor of a machine that runs, the socket beside its journal, for commands other than `run`. */
#pragma once
#include "launcher/cli.h"
#include "qmp/qmp.h"

/* Connects, and waits for QEMU's greeting. It serves one at a time: ETIMEDOUT when somebody else is there. */
struct err *control_open(struct cli *cli, const char *vm, struct qmp **ret_qmp);
