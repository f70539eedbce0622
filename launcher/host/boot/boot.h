/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * boot: how this host starts: its boot loader, where a kernel parameter is written, what builds its initial RAM disk,
 * and with which commands a change takes effect. Facts from files below /etc, /boot and the firmware's variables;
 * reads only.
 */
#pragma once
#include "launcher/base/root.h"
#include "launcher/base/str.h"

enum boot_loader {
	BOOT_UNKNOWN,
	BOOT_GRUB,         /* GRUB_CMDLINE_LINUX_DEFAULT or GRUB_CMDLINE_LINUX in /etc/default/grub */
	BOOT_KERNEL_CMDLINE, /* /etc/kernel/cmdline, from which kernel-install makes entries or unified images */
	BOOT_ENTRIES,      /* systemd-boot's own entries: the line "options" of each */
};

enum boot_initramfs { INITRAMFS_UNKNOWN, INITRAMFS_TOOLS, INITRAMFS_DRACUT, INITRAMFS_MKINITCPIO };

struct boot_facts {
	enum boot_loader loader;
	enum boot_initramfs initramfs;
	struct strv files;           /* that hold kernel parameters; none with BOOT_UNKNOWN */
	const char *variable;        /* of BOOT_GRUB: the line's variable */
	const char *apply;           /* the command after a change of `files`; NULL where none is needed or known */
	bool grubby;                 /* entries of their own beside GRUB's menu (Fedora) */
	const char *rebuild;         /* the command that builds the initial RAM disks anew; NULL if it is not known */
	struct strv parameters;      /* of the kernel that runs */
};

/* Never fails: what cannot be read is BOOT_UNKNOWN, INITRAMFS_UNKNOWN or empty. Freed by boot_facts_free(). */
void boot_facts_read(struct root *root, struct boot_facts *ret_facts);
void boot_facts_free(struct boot_facts *f);
#define cleanup_boot_facts cleanup(boot_facts_free)

/* Whether the kernel that runs was given this parameter ("intel_iommu=on"). */
bool boot_has(const struct boot_facts *f, const char *parameter);
/* "GRUB", "systemd-boot", "kernel-install", "not known". */
const char *boot_loader_name(const struct boot_facts *f);
/* What to type to add a parameter for good, by hand, on this very host: a line. Owned by the caller. */
char *boot_add_command(const struct boot_facts *f, const char *parameter);
