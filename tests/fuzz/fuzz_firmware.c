/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a firmware descriptor. */
#include <stdint.h>
#include <stdlib.h>
#include "ovmf/firmware.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_firmware struct firmware f = {};
	bool ours = false;
	cleanup_err struct err *e = firmware_parse(size ? (const char *)data : "", size, &ours, &f);
	if (ours && (e || !f.code || *f.code != '/' || !f.template || *f.template != '/' || !f.code_format || !f.vars_format))
		abort();
	if (!ours && (f.code || f.template))
		abort();
	return 0;
}
