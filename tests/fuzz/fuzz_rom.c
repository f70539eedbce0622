/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a device's ROM, and as the firmware's table that has some: what is found in it is inside it. */
#include <stdint.h>
#include <stdlib.h>
#include "launcher/host/pci/rom_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct pci_addr addr = { .bus = 3 };
	size_t at = 0, n = 0;
	struct err *e = rom_in_vfct(data, size, addr, 0x1002, 0x73ff, &at, &n);
	if (e ? at || n || !*err_text(e) : at > size || n > size - at || !n)
		abort();
	err_free(e);
	e = rom_check(data + at, n ? n : size, 0x1002, 0x73ff);
	if (e && !*err_text(e))
		abort();
	err_free(e);
	return 0;
}
