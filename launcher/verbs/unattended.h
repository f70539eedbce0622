/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unattended: `run --install ISO --unattended`: what is asked of the person beforehand, so that nothing is asked later; and the disc of answers. */
#pragma once
#include "launcher/cli.h"
#include "launcher/tools/identify.h"

/*
 * Makes the machine's disc of answers for what `disc` installs: *ret_path; who calls it removes it when the run has ended, by *ret_home and
 * *ret_user. Nothing is made where the machine's disk is not the only one and empty, or `--yes` was said.
 */
struct err *unattended_make(struct cli *cli, const struct verb_args *args, const char *iso, struct user *ret_user, char **ret_home,
			    char **ret_path);
