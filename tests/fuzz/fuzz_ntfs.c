/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as an NTFS volume. Of the first byte, bit 0 has the records sealed here (the ends of their sectors are as their update sequence
 * wants them), which no change at random would come to. It ends within a bounded number of reads, and none is wider than a record.
 */
#include <stdint.h>
#include <stdlib.h>
#include "launcher/host/disk/ntfs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define READS_MAX 100000

struct volume {
	uint8_t *bytes;
	size_t size;
	unsigned reads;
};

static bool read_at(void *data, uint64_t offset, void *buf, size_t n)
{
	struct volume *v = data;
	if (++v->reads > READS_MAX || n > 4096 || offset > INT64_MAX)
		abort();
	if (offset > v->size || n > v->size - offset)
		return false;
	memcpy(buf, v->bytes + offset, n);
	return true;
}

static void seal(uint8_t *record, size_t room)
{
	size_t at = (size_t)record[4] | (size_t)record[5] << 8, n = (size_t)record[6] | (size_t)record[7] << 8;
	for (size_t i = 1; i < n && i * 512 <= room && at + 2 <= room; i++)
		memcpy(record + i * 512 - 2, record + at, 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool sleeps = false;
	if (!size)
		return 0;
	struct volume v = { .bytes = malloc(size), .size = size - 1 };
	if (!v.bytes)
		return 0;
	memcpy(v.bytes, data + 1, v.size);
	for (size_t i = 0; *data & 1 && i + 512 <= v.size; i += 512)
		if (memcmp(v.bytes + i, "FILE", 4) == 0 || memcmp(v.bytes + i, "INDX", 4) == 0)
			seal(v.bytes + i, v.size - i);
	struct err *e = ntfs_sleeps(read_at, &v, &sleeps);
	if (e && !*err_text(e))
		abort();
	err_free(e);
	free(v.bytes);
	return 0;
}
