/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rom_image: see rom_image.h. */
#include <errno.h>
#include "launcher/base/str.h"
#include "launcher/host/pci/rom_image.h"

#define UNIT       512u /* of all lengths in an image */
#define IMAGES_MAX 32
#define DEVICES_MAX 256 /* of a device list */

enum { HEADER_SIZE = 0x1a, PCIR_SIZE = 0x18, CODE_X86 = 0 };
enum { VFCT_SIZE = 76, VFCT_FIRST = 52, VFCT_IMAGE_SIZE = 28 };

static uint32_t le(const unsigned char *p, size_t n)
{
	uint32_t value = 0;
	while (n)
		value = value << 8 | p[--n];
	return value;
}

/* One image of those that follow each other in a ROM. */
struct image {
	const unsigned char *pcir; /* its PCI data structure, PCIR_SIZE bytes at least */
	size_t size;
	bool last;
};

/* NVIDIA's images beyond the first have marks of its own, and what counts is behind the standard's structure. */
static bool is_marked(const unsigned char *p, bool first)
{
	uint32_t mark = le(p, 2);
	return mark == 0xaa55 || (!first && (mark == 0xbb77 || mark == 0x4e56));
}

static bool is_structure(const unsigned char *p, bool first)
{
	return memcmp(p, "PCIR", 4) == 0 || (!first && (memcmp(p, "NPDS", 4) == 0 || memcmp(p, "RGIS", 4) == 0));
}

/* The image at `at`; false where there is none that is whole. */
static bool image_read(const unsigned char *b, size_t n, size_t at, struct image *ret)
{
	if (n - at < HEADER_SIZE || !is_marked(b + at, at == 0))
		return false;
	size_t pcir = at + le(b + at + 0x18, 2);
	if (pcir > n || n - pcir < PCIR_SIZE || !is_structure(b + pcir, at == 0))
		return false;
	*ret = (struct image){ b + pcir, (size_t)le(b + pcir + 0x10, 2) * UNIT, b[pcir + 0x15] & 0x80 };
	size_t own = (pcir + le(b + pcir + 0x0a, 2) + 15) & ~(size_t)15;
	if (own + 12 <= n && memcmp(b + own, "NPDE", 4) == 0) {
		ret->size = (size_t)le(b + own + 8, 2) * UNIT;
		ret->last = b[own + 10] & 0x80;
	}
	return ret->size > 0;
}

/* The ids of the structure, or of the list of more devices that revision 3 may name. */
static bool is_for(const unsigned char *b, size_t n, const unsigned char *pcir, uint16_t vendor, uint16_t device)
{
	size_t list = (size_t)(pcir - b) + le(pcir + 8, 2);
	if (le(pcir + 4, 2) != vendor)
		return false;
	if (le(pcir + 6, 2) == device)
		return true;
	for (size_t i = 0; pcir[0x0c] >= 3 && le(pcir + 8, 2) && i < DEVICES_MAX && list + 2 <= n && le(b + list, 2); i++, list += 2)
		if (le(b + list, 2) == device)
			return true;
	return false;
}

/* What a PC's firmware runs adds up to nothing. */
static bool adds_up(const unsigned char *b, size_t size)
{
	unsigned char sum = 0;
	for (size_t i = 0; i < size; i++)
		sum = (unsigned char)(sum + b[i]);
	return sum == 0;
}

struct err *rom_check(const void *bytes, size_t n, uint16_t vendor, uint16_t device)
{
	const unsigned char *b = bytes;
	struct image image;
	size_t at = 0;
	if (n < 2 || !is_marked(b, true))
		return err_new("it is no ROM of a device: it begins without 55 AA");
	for (int i = 0; i < IMAGES_MAX && at < n; i++, at += image.size) {
		if (!image_read(b, n, at, &image)) {
			if (at) /* a firmware keeps the images that it needs: what follows the last one is padding */
				return NULL;
			return err_new("it is no whole ROM of a device: its PCI data structure is missing");
		}
		if (image.size > n - at)
			return err_new("it is cut: %zu bytes are missing", image.size - (n - at));
		if (at == 0 && !is_for(b, n, image.pcir, vendor, device))
			return err_new("it is of another device: %04x:%04x, and not %04x:%04x", le(image.pcir + 4, 2),
				       le(image.pcir + 6, 2), vendor, device);
		size_t run = (size_t)b[at + 2] * UNIT;
		if (image.pcir[0x14] == CODE_X86 && is_marked(b + at, true) &&
		    !adds_up(b + at, run && run <= image.size ? run : image.size))
			return err_new("its checksum is wrong: it was changed, or badly read");
		if (image.last)
			return NULL;
	}
	return NULL;
}

struct err *rom_in_vfct(const void *table, size_t n, struct pci_addr addr, uint16_t vendor, uint16_t device, size_t *ret_at, size_t *ret_n)
{
	const unsigned char *b = table, *found = NULL, *alike = NULL, *other = NULL;
	size_t at = n >= VFCT_SIZE ? le(b + VFCT_FIRST, 4) : 0, same = 0;
	if (n < VFCT_SIZE || memcmp(b, "VFCT", 4) != 0 || at < VFCT_SIZE)
		return err_new("it is no whole table VFCT");
	while (!found && at < n) {
		const unsigned char *h = b + at;
		if (n - at < VFCT_IMAGE_SIZE || le(h + 24, 4) > n - at - VFCT_IMAGE_SIZE)
			return err_new("it is cut: an image in it goes beyond its end");
		bool here = addr.domain == 0 && le(h, 4) == addr.bus && le(h + 4, 4) == addr.dev && le(h + 8, 4) == addr.fn;
		bool of_it = le(h + 12, 2) == vendor && le(h + 14, 2) == device, empty = !le(h + 24, 4);
		found = here && of_it && !empty ? h : NULL;
		alike = of_it && !empty ? h : alike;
		same += of_it && !empty;
		other = here && !of_it && !empty ? h : other;
		at += VFCT_IMAGE_SIZE + le(h + 24, 4);
	}
	if (!found && other)
		return err_new("what it has for that address is of another device: %04x:%04x, and not %04x:%04x", le(other + 12, 2),
			       le(other + 14, 2), vendor, device);
	if (!found && same != 1)
		return err_coded(ENOENT, "it has none for that device");
	found = found ? found : alike;
	*ret_at = (size_t)(found - b) + VFCT_IMAGE_SIZE;
	*ret_n = le(found + 24, 4);
	return NULL;
}
