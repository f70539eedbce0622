/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run: one launch of a plan, there and back. See run.c for the order of things. */
#pragma once
#include "launcher/cli.h"
#include "launcher/plan/plan.h"

/* Runs the machine until it ends. On return, with or without an error, the host is as before, or the residue was named (EXIT_RESIDUE).
 * *ret_seconds, also with an error: how long the guest ran. */
struct err *run_machine(struct cli *cli, struct plan *plan, double *ret_seconds);
