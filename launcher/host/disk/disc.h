/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disc: whether a file is a disc that a drive can read, by its first sectors. The one test for [cdrom NAME] and `run --install`. Changes
 * nothing. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "launcher/base/err.h"
#include "launcher/base/str.h"

struct disc {
	char label[33]; /* of the volume, printable */
	char publisher[129], application[129];
	uint64_t size; /* bytes of the volume, by its own word; 0: it says none */
	bool udf;      /* Windows's are; Linux's are plain ISO 9660 */
};

/* Whether the file is a disc: ISO 9660 (ECMA-119) or UDF (ECMA-167). With the rights of the caller. */
struct err *disc_read(const char *path, struct disc *ret_disc);
