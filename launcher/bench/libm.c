/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libm: see libm.h. */
#include <stdlib.h>
#include "launcher/base/log.h"
#include "launcher/bench/libm.h"

const struct libm *libm(void)
{
	static const char *const names[] = LATE_NAMES(LIBM_FUNCTIONS);
	static struct libm table;
	struct err *e = table.ceil ? NULL : late_load("libm.so.6", names, &table);
	if (!e)
		return &table;
	log_err(LOG_LEVEL_ERROR, e);
	exit(EXIT_HOST);
}
