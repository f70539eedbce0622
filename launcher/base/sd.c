/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sd: see sd.h. */
#include <errno.h>
#include <string.h>
#include "launcher/base/log.h"
#include "launcher/base/sd.h"
#include "launcher/base/str.h"

/* Stands for each function of a library that is not there. All that are used return an int, or a pointer that nobody reads. */
static long missing(void)
{
	return -ELIBACC;
}

const struct sd_functions *sd_functions(void)
{
	static const char *const names[] = LATE_NAMES(SD_FUNCTIONS);
	static union {
		struct sd_functions table;
		long (*each[sizeof(struct sd_functions) / sizeof(void *)])(void);
	} sd;
	struct err *e = sd.each[0] ? NULL : late_load("libsystemd.so.0", names, &sd);
	for (size_t i = 0; e && i < ARRAY_SIZE(sd.each); i++)
		sd.each[i] = missing;
	log_err(LOG_LEVEL_ERROR, e);
	return &sd.table;
}
