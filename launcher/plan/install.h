/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * install: a machine for one run, with an installer's disc in it: `run --install ISO [--drivers ISO]`. Both discs are in
 * SATA drives, the picture is on this host, the disc is booted first, and no monitor is switched away. The
 * configuration's file stays as it is.
 *
 * Changes nothing; what the discs are is disc.h's.
 */
#pragma once
#include "launcher/config/config.h"
#include "launcher/host/disk/disc.h"

/* `drivers` and `answers` may be NULL. `mode`: what shows the picture where the configuration has nothing that does. */
void install_amend(struct config *c, const char *disc, const char *drivers, const char *answers, enum display_mode mode);
/* What the person must do, on standard error. */
void install_say(const struct config *c, const struct disc *disc, bool drivers, bool answers);
