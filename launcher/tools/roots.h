/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * roots: the machines of a user that root runs, by sudo, pkexec or a service, for commands that this user gives without root. By what their
 * launchers say of them in status.json, which all may read; their journals are not for users. Looks only.
 */
#pragma once
#include <jansson.h>
#include "launcher/cli.h"

/* An array of status.json's objects, each with "vm": those of the calling user that run. Empty for root, and under --root. Owned. */
json_t *roots_machines(struct cli *cli);
/* The one of that name, for an error: "it runs as root's", with the command that works; NULL if there is none. */
struct err *roots_machine_error(struct cli *cli, const char *vm, const char *command);
