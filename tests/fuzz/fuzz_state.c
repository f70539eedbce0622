/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as what a machine keeps: the first one says whether they are VARS (raw, qcow2) or a TPM's state. */
#include <stdint.h>
#include "ovmf/tpm.h"
#include "ovmf/vars.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	const uint8_t *rest = data + 1;
	cleanup_err struct err *e =
		*data % 3 == 2 ? tpm_check(rest, size - 1, NULL) : vars_check(rest, size - 1, rest, size - 1, *data % 3 == 1);
	return 0;
}
