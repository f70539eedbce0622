/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rom_made: see rom_made.h. */
#include <stdio.h>
#include <stdlib.h>
#include "tests/unit/rom_made.h"

#define PCIR 0x40

static void put(unsigned char *p, uint32_t value, size_t n)
{
	for (size_t i = 0; i < n; i++, value >>= 8)
		p[i] = (unsigned char)value;
}

void rom_made_image(struct sb *out, uint16_t vendor, uint16_t device, unsigned char code, size_t units, bool last)
{
	size_t n = units * 512;
	unsigned char *b = mem_new(n), sum = 0;
	put(b, 0xaa55, 2);
	b[2] = (unsigned char)units;
	put(b + 0x18, PCIR, 2);
	memcpy(b + PCIR, "PCIR", 4);
	put(b + PCIR + 4, vendor, 2);
	put(b + PCIR + 6, device, 2);
	put(b + PCIR + 0x0a, 0x18, 2);
	put(b + PCIR + 0x10, (uint32_t)units, 2);
	b[PCIR + 0x14] = code;
	b[PCIR + 0x15] = last ? 0x80 : 0;
	for (size_t i = 0; i < n; i++)
		sum = (unsigned char)(sum + b[i]);
	b[n - 1] = (unsigned char)-sum;
	sb_addn(out, (const char *)b, n);
	free(b);
}

void rom_made_vfct(struct sb *out)
{
	unsigned char b[76] = "VFCT";
	put(b + 52, sizeof(b), 4);
	sb_addn(out, (const char *)b, sizeof(b));
}

void rom_made_vfct_add(struct sb *out, uint8_t bus, uint16_t vendor, uint16_t device, const void *image, size_t n)
{
	unsigned char b[28] = {};
	put(b, bus, 4);
	put(b + 12, vendor, 2);
	put(b + 14, device, 2);
	put(b + 24, (uint32_t)n, 4);
	sb_addn(out, (const char *)b, sizeof(b));
	sb_addn(out, image, n);
}

void rom_made_file(struct fake *f, const char *path, const struct sb *bytes)
{
	fake_file(f, path, "");
	cleanup_free char *real = fake_path(f, path);
	FILE *to = fopen(real, "we");
	if (!to || fwrite(bytes->s, 1, bytes->len, to) != bytes->len || fclose(to) != 0)
		abort();
}
