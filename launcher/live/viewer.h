/* SPDX-License-Identifier: GPL-2.0-or-later */
/* viewer: the window in which the user sees the guest: begun once it runs, and not begun again when it is closed. */
#pragma once
#include "launcher/live/machine.h"

/* Nothing where the machine has none. One that does not start is a warning: a guest that nobody sees still runs. */
void viewer_begin(struct machine *m);
