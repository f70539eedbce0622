/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rom_image: expansion ROMs as bytes: whether one is whole and a device's own, and where the firmware's table has one. Pure, and trusts no
 * byte: a firmware, a driver and a card made them.
 *
 * Of an image: PCI Firmware Specification 3.3, 5.1 (header, PCI data structure, device list); NVIDIA's own data behind it: Linux,
 * drivers/gpu/drm/nouveau/nvkm/subdev/bios. Of the table VFCT, where AMD's firmware leaves the video BIOS of cards without a ROM chip: Linux,
 * drivers/gpu/drm/amd/include/atombios.h (UEFI_ACPI_VFCT, VFCT_IMAGE_HEADER).
 */
#pragma once
#include "launcher/base/err.h"
#include "launcher/base/num.h"

/* An error, in words to follow the name of where it is from: it is none, cut, of another device, or changed (its checksum). */
struct err *rom_check(const void *bytes, size_t n, uint16_t vendor, uint16_t device);
/*
 * The image that the table has for the function: by its address and ids; where buses were numbered anew since the firmware made the table, the
 * only one of these ids. Error: ENOENT there is none; else the table is cut, or has another device's at that address.
 */
struct err *rom_in_vfct(const void *table, size_t n, struct pci_addr addr, uint16_t vendor, uint16_t device, size_t *ret_at, size_t *ret_n);
