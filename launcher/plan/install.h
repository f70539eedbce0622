/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * install: a machine for one run, with an installer's disc in it: `run --install ISO [--drivers ISO]`. Both discs are in
 * SATA drives, the picture is on this host, the disc is booted first, and no monitor is switched away. The
 * configuration's file stays as it is.
 *
 * Reads the first sectors of both files; changes nothing.
 */
#pragma once
#include "launcher/config/config.h"

struct disc {
	char label[33]; /* of the volume, printable */
	bool udf;	/* Windows's are; Linux's are plain ISO 9660 */
};

/* Whether the file is a disc: ISO 9660 (ECMA-119) or UDF (ECMA-167). With the rights of the caller. */
struct err *disc_read(const char *path, struct disc *ret_disc);
/* `drivers` may be NULL. `mode`: what shows the picture where the configuration has nothing that does. */
void install_amend(struct config *c, const char *disc, const char *drivers, enum display_mode mode);
/* What the person must do, on standard error. */
void install_say(const struct config *c, const struct disc *disc, bool drivers);
