/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rom_made: expansion ROMs and tables VFCT of our own making, for tests of what reads them. */
#pragma once
#include <stdint.h>
#include "launcher/base/str.h"
#include "tests/unit/fakekernel.h"

/* An image that is whole and adds up: one of a PC's firmware (CODE 0), or of UEFI's (3); the last of its ROM, or not. */
void rom_made_image(struct sb *out, uint16_t vendor, uint16_t device, unsigned char code, size_t units, bool last);
/* A table; then its images, each by the address's parts and ids, with `n` bytes of an image. */
void rom_made_vfct(struct sb *out);
void rom_made_vfct_add(struct sb *out, uint8_t bus, uint16_t vendor, uint16_t device, const void *image, size_t n);
/* A file with these bytes in the tree. */
void rom_made_file(struct fake *f, const char *path, const struct sb *bytes);
