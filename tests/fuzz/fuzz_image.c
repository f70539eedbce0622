/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as the beginning of a disk image, and as what qemu-img says of its progress. */
#include <stdlib.h>
#include "launcher/host/disk/image.h"
#include "launcher/tools/qemu_img.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_qcow2 struct qcow2 q = {};
	cleanup_free char *text = str_ndup(size ? (const char *)data : "", size);
	cleanup_err struct err *e = qcow2_parse(data, size, size, &q);
	if (e ? q.backing || q.backing_format || !*err_text(e) : q.version != 2 && q.version != 3)
		abort();
	double percent = qemu_img_percent(text);
	if (percent > 101 || (percent < 0 && percent != -1))
		abort();
	return 0;
}
