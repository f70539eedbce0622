/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * firmware: which UEFI firmware this host has, by the descriptors of QEMU's docs/interop/firmware.json: in /usr/share/qemu/firmware,
 * /etc/qemu/firmware and ~/.config/qemu/firmware, the later hiding files of the same name in the earlier, an empty one hiding for good;
 * sorted by file name over all three, the first that fits is taken.
 *
 * Reads only. Descriptors in a user's home are that user's: call it as them.
 */
#pragma once
#include "launcher/base/err.h"
#include "launcher/base/root.h"

struct firmware {
	char *descriptor;             /* path */
	char *code, *code_format;     /* "raw" or "qcow2" */
	char *template, *vars_format; /* the VARS that a VM's own are copied from */
	bool secure_boot, requires_smm, enrolled_keys;
};

/*
 * For an x86_64 q35 machine and flash. `secure_boot`: with the features secure-boot, requires-smm and enrolled-keys, as an operating system
 * expects it from a PC; else one without SMM and without keys. `config_home` is ~/.config, or NULL for no user's. ENOENT with what to
 * install, and why each that came near was not taken.
 */
struct err *firmware_find(struct root *root, const char *config_home, bool secure_boot, struct firmware *ret_firmware);
/*
 * One descriptor: an error if it is none; *ret_ours says whether it is of UEFI in flash for such a machine, and only then is ret_firmware
 * filled, all but `descriptor`.
 */
struct err *firmware_parse(const char *text, size_t len, bool *ret_ours, struct firmware *ret_firmware);
void firmware_free(struct firmware *f);
#define cleanup_firmware cleanup(firmware_free)
