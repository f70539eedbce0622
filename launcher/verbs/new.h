/* SPDX-License-Identifier: GPL-2.0-or-later */
/* new: the questions of `qlaunch new` on a terminal. Each has its default, which an empty line takes. */
#pragma once
#include "launcher/advise/propose.h"

/* The disc that a word of the person's names, and what it installs: `--iso`, or the answer to the question. EXIT_USAGE. */
struct err *new_iso(const struct survey *s, const char *word, struct proposal *p);
/* What only the user can know, the card if `which_gpu`. Listens to input devices and tries monitors' inputs; each trial is taken back. */
struct err *new_ask(struct cli *cli, const struct survey *s, bool which_gpu, struct proposal *p);
