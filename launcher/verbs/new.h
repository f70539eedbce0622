/* SPDX-License-Identifier: GPL-2.0-or-later */
/* new: the questions of `qlaunch new` on a terminal. Each has its default, which an empty line takes. */
#pragma once
#include "launcher/advise/propose.h"

/* What only the user can know, the card if `which_gpu`. Listens to input devices and tries monitors' inputs; each trial is taken back. */
struct err *new_ask(struct cli *cli, const struct survey *s, bool which_gpu, struct proposal *p);
