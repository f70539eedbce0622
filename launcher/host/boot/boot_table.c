/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * boot: who makes a parameter or an initial RAM disk effective, per distribution. See boot.h. A new distribution is a row here and a file
 * in tests/layouts. The order counts: what is described elsewhere first, then wrappers, then the tools that they wrap.
 */
#include "launcher/base/tr.h"
#include "launcher/host/boot/boot.h"

/* Entries of the Boot Loader Specification and unified images, on the usual mount points of the ESP and of XBOOTLDR. */
#define ENTRIES "/boot/loader/entries/*.conf /efi/loader/entries/*.conf /boot/efi/loader/entries/*.conf"
#define UNIFIED "/boot/EFI/Linux/*.efi /efi/EFI/Linux/*.efi /boot/efi/EFI/Linux/*.efi"
#define LIMINE_CONF "/boot/limine.conf /boot/limine/limine.conf /boot/EFI/limine/limine.conf /efi/limine.conf /boot/efi/limine.conf"
#define KERNEL_INSTALL_BUILDS "/usr/lib/kernel/install.d/50-dracut.install /usr/lib/kernel/install.d/50-mkinitcpio.install"
#define LIMINE_SETS "/etc/limine-entry-tool.conf /etc/limine-entry-tool.d/*.conf /etc/default/limine"
#define LIMINE_VARIABLE BOOT_SHELL, .file = "/etc/default/limine", .variable = "KERNEL_CMDLINE[default]", \
			.line = "KERNEL_CMDLINE[default]+=\" %s\"", .read = LIMINE_CONF " " UNIFIED
#define LIMINE_CMDLINE BOOT_LINE, .file = "/etc/kernel/cmdline", .read = LIMINE_CONF " " UNIFIED
#define DRACUT_CONF "/etc/dracut.conf /etc/dracut.conf.d/*.conf"
#define DRACUT_CMDLINE BOOT_SHELL, .file = "/etc/dracut.conf", .drop_in = "/etc/dracut.conf.d/zz-qlaunch-cmdline.conf", \
			.variable = "kernel_cmdline", .line = "kernel_cmdline+=\" %s \"", .apply = "dracut --force --regenerate-all", \
			.images = BOOT_BUILDS_IMAGES, .read = UNIFIED
#define GRUB_LINE "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT %s\""
#define GRUB_FILE .form = BOOT_SHELL, .file = "/etc/default/grub", .variable = "GRUB_CMDLINE_LINUX_DEFAULT", .line = GRUB_LINE
#define GRUB_DROP_IN(reader) .drop_in = "/etc/default/grub.d/zz-qlaunch.cfg", .drop_in_reader = reader, .drop_in_word = "default/grub.d"
#define NO_CMDLINE "!/etc/kernel/cmdline /usr/lib/kernel/cmdline"
#define BY_CMDLINE .form = BOOT_LINE, .file = "/etc/kernel/cmdline", .read = ENTRIES " " UNIFIED

const char boot_entries[] = ENTRIES " " UNIFIED;

const struct boot_way boot_ways[] = {
	/* NixOS manual, "Linux kernel": the whole host is built from configuration.nix */
	{ "NixOS", NULL, { { "/etc/NIXOS", NULL } }, BOOT_REFUSED,
	  .hand = N_("in /etc/nixos/configuration.nix: boot.kernelParams = lib.splitString \" \" \"%s\"; boot.initrd.kernelModules = [ \"vfio_pci\" ]; and for the card "
		     "boot.extraModprobeConfig; then: nixos-rebuild boot") },
	/* GNU Guix manual, "operating-system Reference": kernel-arguments */
	{ "Guix", NULL, { { "/run/current-system/profile", NULL }, { "/gnu/store", NULL } }, BOOT_REFUSED,
	  .hand = N_("in the operating-system declaration: (kernel-arguments (append (string-split \"%s\" #\\space) %%default-kernel-arguments)) and (initrd-modules "
		     "(cons \"vfio-pci\" %%base-initrd-modules)); then: guix system reconfigure") },
	{ "SteamOS", NULL, { { "/etc/os-release", "ID=steamos" } }, BOOT_REFUSED,
	  .hand = N_("the system is an image that every update replaces, setup's files with it; the kernel's parameters are "
		     "GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub (%s), then: update-grub, after every update again") },
	/* Unraid: the root is in memory, /boot is the stick (documentation, "VM setup: passthrough") */
	{ "Unraid", NULL, { { "/etc/unraid-version", NULL } }, BOOT_REFUSED,
	  .hand = N_("the root is in memory: put the words (%s) behind \"append\" in /boot/syslinux/syslinux.cfg, and bind cards under "
		     "Tools, System Devices (/boot/config/vfio-pci.cfg)") },
	/* ZFSBootMenu starts the kernel itself, and reads neither GRUB's file nor entries (zfsbootmenu(7), zbm-kcl(8)) */
	{ "ZFSBootMenu", NULL, { { "/etc/zfsbootmenu/config.yaml", NULL } }, BOOT_BY_HAND,
	  .hand = N_("ZFSBootMenu reads the property org.zfsbootmenu:commandline of the file system that is /: add %s to it (sudo zbm-kcl -e)") },
	/* its partitions are not mounted: the entries cannot be looked at (Proxmox VE Administration Guide, "Host Bootloader") */
	{ "proxmox-boot-tool", NULL, { { "/etc/kernel/proxmox-boot-uuids", NULL } }, BOOT_BY_HAND,
	  .hand = N_("add %s to /etc/kernel/cmdline (systemd-boot) or to GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub (GRUB), then: sudo "
		     "proxmox-boot-tool refresh") },
	/* Solus: its entries are its own, and kernel-install beside it makes others (clr-boot-manager(1)) */
	{ "clr-boot-manager", NULL, { { "/usr/bin/clr-boot-manager", NULL } }, BOOT_BY_HAND,
	  .hand = N_("write %s into /etc/kernel/cmdline.d/qlaunch.conf, then: sudo clr-boot-manager update") },
	/* rpm-ostree(1), "kargs": without words it prints those of the deployment that is booted next */
	{ "rpm-ostree", NULL, { { "/run/ostree-booted", NULL }, { "/usr/bin/rpm-ostree", NULL } }, BOOT_PROGRAM,
	  .add = "rpm-ostree kargs --append-if-missing=%s", .remove = "rpm-ostree kargs --delete-if-present=%s", .read = "$ rpm-ostree kargs" },
	{ "ostree", NULL, { { "/run/ostree-booted", NULL } }, BOOT_BY_HAND, .hand = N_("ostree admin kargs edit-in-place --append-if-missing=%s") },
	/* kernelstub 3.1 (application.py, main): each word once; writes Pop_OS-current.conf itself, Recovery is another program's. -d takes
	 * the word out of a set, so the order of all others is by chance afterwards; a kernel that it does not find is an exit of 0, and
	 * the words are read back */
	{ "kernelstub", NULL, { { "/usr/bin/kernelstub", NULL }, { "/etc/kernelstub/configuration", NULL } }, BOOT_PROGRAM,
	  .file = "/etc/kernelstub/configuration", .add = "kernelstub -a %s", .remove = "kernelstub -d %s",
	  .read = "/boot/efi/loader/entries/Pop_OS-current.conf" },
	/* CachyOS and Manjaro: it reads its file as bash and writes every entry anew */
	{ "systemd-boot (sdboot-manage)", "systemd-boot", { { "/usr/bin/sdboot-manage", NULL }, { "/etc/sdboot-manage.conf", NULL } }, BOOT_SHELL,
	  .file = "/etc/sdboot-manage.conf", .variable = "LINUX_OPTIONS", .line = "LINUX_OPTIONS=\"$LINUX_OPTIONS %s\"",
	  .apply = "sdboot-manage gen", .read = ENTRIES },
	/* limine-entry-tool (limine-entry-tool.conf): /etc/default/limine goes over the folder of drop-ins; where none of them sets the
	 * variable, /etc/kernel/cmdline is read, else /proc/cmdline, and a "+=" alone would come in their place */
	{ "limine", "Limine", { { "/usr/bin/limine-mkinitcpio", NULL }, { LIMINE_SETS, "^KERNEL_CMDLINE[default]" } }, LIMINE_VARIABLE,
	  .apply = "limine-mkinitcpio" },
	{ "limine", "Limine", { { "/usr/bin/limine-update", NULL }, { LIMINE_SETS, "^KERNEL_CMDLINE[default]" } }, LIMINE_VARIABLE,
	  .apply = "limine-update" },
	{ "limine", "Limine", { { "/usr/bin/limine-mkinitcpio", NULL }, { "/etc/kernel/cmdline", NULL } }, LIMINE_CMDLINE,
	  .apply = "limine-mkinitcpio" },
	{ "limine", "Limine", { { "/usr/bin/limine-update", NULL }, { "/etc/kernel/cmdline", NULL } }, LIMINE_CMDLINE,
	  .apply = "limine-update" },
	{ "limine", "Limine", { { "/usr/bin/limine-mkinitcpio /usr/bin/limine-update", NULL } }, BOOT_BY_HAND,
	  .hand = N_("limine's entries are made of /proc/cmdline: write that line and %s behind it into /etc/kernel/cmdline, then again: "
		     "qlaunch setup") },
	{ "limine", "Limine", { { "/boot/limine.conf", NULL }, { "!/etc/default/grub", NULL } }, BOOT_BY_HAND,
	  .hand = N_("add %s to the lines \"cmdline:\" of Linux in /boot/limine.conf") },
	/* openSUSE: GRUB2-BLS and systemd-boot alike (sdbootutil 2026, create_boot_options: lines that begin with # are none of it) */
	{ "sdbootutil", NULL, { { "/usr/bin/sdbootutil", NULL }, { "/etc/kernel/cmdline", NULL } }, BY_CMDLINE,
	  .apply = "sdbootutil update-all-entries" },
	/* Fedora, Nobara: grubby keeps what single kernels have of their own (grubby 8.40, grubby-bls, update_args: --args takes all words of
	 * that key away before it adds its own; --remove-args with a "=" that word alone) */
	{ "GRUB (grubby)", "GRUB", { { "/usr/sbin/grubby", NULL }, { "/etc/default/grub", "GRUB_ENABLE_BLSCFG=true" } }, BOOT_PROGRAM,
	  .file = "/etc/default/grub", .add = "grubby --update-kernel=ALL --args=%s", .remove = "grubby --update-kernel=ALL --remove-args=%s",
	  .replaces = true, .read = "$ grubby --info=ALL" },
	{ "GRUB (grubby)", "GRUB", { { "/usr/bin/grubby", NULL }, { "/etc/default/grub", "GRUB_ENABLE_BLSCFG=true" } }, BOOT_PROGRAM,
	  .file = "/etc/default/grub", .add = "grubby --update-kernel=ALL --args=%s", .remove = "grubby --update-kernel=ALL --remove-args=%s",
	  .replaces = true, .read = "$ grubby --info=ALL" },
	/* its grub2-mkconfig makes a menu that reads the entries as they are, and with --update-bls-cmdline gives all of them one command line,
	 * over what single kernels have of their own */
	{ "GRUB (BLS)", "GRUB", { { "/etc/default/grub", "^GRUB_ENABLE_BLSCFG=true" }, { "/usr/sbin/grub2-mkconfig", NULL } }, BOOT_BY_HAND,
	  .hand = N_("grubby, which keeps %s for every kernel, is not here: install it, then again: qlaunch setup") },
	/* Debian's and its children's grub-mkconfig reads grub.d; update-grub is theirs, and Manjaro's */
	{ "GRUB", "GRUB", { { "/etc/default/grub", NULL }, { "/usr/sbin/update-grub", NULL } }, GRUB_FILE, GRUB_DROP_IN("/usr/sbin/grub-mkconfig"),
	  .scratch = "grub-mkconfig -o %s", .apply = "update-grub", .read = "/boot/grub/grub.cfg" },
	{ "GRUB", "GRUB", { { "/etc/default/grub", NULL }, { "/usr/bin/update-grub", NULL } }, GRUB_FILE, GRUB_DROP_IN("/usr/bin/grub-mkconfig"),
	  .scratch = "grub-mkconfig -o %s", .apply = "update-grub", .read = "/boot/grub/grub.cfg" },
	{ "GRUB", "GRUB", { { "/etc/default/grub", NULL }, { "/usr/sbin/grub2-mkconfig", NULL } }, GRUB_FILE,
	  GRUB_DROP_IN("/usr/sbin/grub2-mkconfig"), .scratch = "grub2-mkconfig -o %s", .apply = "grub2-mkconfig -o /boot/grub2/grub.cfg",
	  .read = "/boot/grub2/grub.cfg" },
	{ "GRUB", "GRUB", { { "/etc/default/grub", NULL }, { "/usr/bin/grub-mkconfig", NULL } }, GRUB_FILE, GRUB_DROP_IN("/usr/bin/grub-mkconfig"),
	  .scratch = "grub-mkconfig -o %s", .apply = "grub-mkconfig -o /boot/grub/grub.cfg", .read = "/boot/grub/grub.cfg" },
	{ "GRUB", "GRUB", { { "/etc/default/grub", NULL }, { "/usr/sbin/grub-mkconfig", NULL } }, GRUB_FILE, GRUB_DROP_IN("/usr/sbin/grub-mkconfig"),
	  .scratch = "grub-mkconfig -o %s", .apply = "grub-mkconfig -o /boot/grub/grub.cfg", .read = "/boot/grub/grub.cfg" },
	{ "GRUB", "GRUB", { { "/etc/default/grub", NULL } }, BOOT_BY_HAND,
	  .hand = N_("add %s to GRUB_CMDLINE_LINUX_DEFAULT in /etc/default/grub and make GRUB's menu anew: no grub-mkconfig is here") },
	/* EndeavourOS: kernel-install-for-dracut */
	{ "systemd-boot (reinstall-kernels)", "systemd-boot", { { "/etc/kernel/cmdline", NULL }, { "/usr/bin/reinstall-kernels", NULL } }, BY_CMDLINE,
	  .apply = "reinstall-kernels" },
	/* mkinitcpio's unified images: /etc/kernel/cmdline and /etc/cmdline.d together, or a preset's own file (mkinitcpio 41,
	 * build_uki) */
	{ "unified kernel images (mkinitcpio)", NULL,
	  { { "/etc/kernel/cmdline", NULL }, { "/usr/bin/mkinitcpio", NULL }, { "/etc/mkinitcpio.d/*.preset", NULL } }, BY_CMDLINE,
	  .apply = "mkinitcpio -P" },
	{ "unified kernel images (mkinitcpio)", NULL, { { "/etc/cmdline.d", NULL }, { "/usr/bin/mkinitcpio", NULL } }, BOOT_SHELL,
	  .file = "/etc/cmdline.d", .drop_in = "/etc/cmdline.d/zz-qlaunch.conf", .line = "%s", .apply = "mkinitcpio -P", .read = UNIFIED },
	/* dracut's unified images have it from dracut's own configuration (dracut.conf(5), uefi, kernel_cmdline) */
	{ "unified kernel images (dracut)", NULL, { { DRACUT_CONF, "^kernel_cmdline" }, { DRACUT_CONF, "^uefi=\"yes\"" } }, DRACUT_CMDLINE },
	{ "unified kernel images (dracut)", NULL, { { DRACUT_CONF, "^kernel_cmdline" }, { DRACUT_CONF, "^uefi=yes" } }, DRACUT_CMDLINE },
	/* ukify, which kernel-install calls, has it from its own configuration; that may name /etc/kernel/cmdline (ukify(1), Cmdline=) */
	{ "unified kernel images (ukify)", NULL,
	  { { "/etc/kernel/install.conf", "^layout=uki" }, { "/etc/kernel/uki.conf", "^Cmdline=" }, { "/etc/kernel/uki.conf", "!^Cmdline=@" } },
	  BOOT_BY_HAND, .images = BOOT_BUILDS_IMAGES,
	  .hand = N_("add %s to Cmdline= in /etc/kernel/uki.conf, then build the images anew: sudo kernel-install add-all") },
	/* u-boot-update 4.2 has its words from there where U_BOOT_PARAMETERS is empty */
	{ "extlinux", NULL, { { "/etc/kernel/cmdline", NULL }, { "/usr/sbin/u-boot-update", NULL }, { "/boot/extlinux/extlinux.conf", NULL } },
	  BOOT_LINE, .file = "/etc/kernel/cmdline", .apply = "u-boot-update", .read = "/boot/extlinux/extlinux.conf" },
	/* Debian with systemd-boot: the hooks of its initramfs run kernel-install (systemd-boot 252, /etc/initramfs/post-update.d) */
	{ "systemd-boot (kernel-install)", NULL, { { "/etc/kernel/cmdline", NULL }, { "/usr/sbin/update-initramfs", NULL } }, BY_CMDLINE,
	  .apply = "update-initramfs -u -k all" },
	/* the same hooks without that file, which no package makes: each entry is of /proc/cmdline then (systemd 252, 90-loaderentry.install) */
	{ "systemd-boot (kernel-install)", "systemd-boot",
	  { { "/etc/initramfs/post-update.d/systemd-boot", NULL }, { NO_CMDLINE, NULL }, { "!/etc/kernel/postinst.d/dracut", NULL } },
	  BY_CMDLINE, .from_running = true, .apply = "update-initramfs -u -k all" },
	{ "kernel-install", "systemd-boot", { { "/etc/kernel/postinst.d/zz-systemd-boot", NULL }, { NO_CMDLINE, NULL } }, BY_CMDLINE,
	  .from_running = true, .apply = "kernel-install add %k %i", .images = BOOT_COPIES_IMAGES },
	/* kernel-install(8): "add" for each kernel. "add-all" (256 and later) is that for those whose image lies beside their modules, which
	 * Debian's do from 14 on. It builds the image that the entry names where dracut or mkinitcpio bring a plug-in, and Debian's takes
	 * /boot/initrd.img-VERSION (systemd 252 and 257, 85- and 55-initrd.install) */
	{ "kernel-install", NULL,
	  { { "/etc/kernel/cmdline", NULL }, { "/usr/bin/kernel-install", NULL }, { KERNEL_INSTALL_BUILDS, NULL }, { "!/etc/kernel/postinst.d/dracut", NULL } },
	  BY_CMDLINE, .apply = "kernel-install add %k %i", .images = BOOT_BUILDS_IMAGES },
	{ "kernel-install", NULL, { { "/etc/kernel/cmdline", NULL }, { "/usr/bin/kernel-install", NULL } }, BY_CMDLINE,
	  .apply = "kernel-install add %k %i", .images = BOOT_COPIES_IMAGES },
	{ "systemd-boot", "systemd-boot", { { "/boot/loader/entries", NULL } }, BOOT_OPTIONS, .file = ENTRIES, .read = ENTRIES },
	{ "systemd-boot", "systemd-boot", { { "/efi/loader/entries", NULL } }, BOOT_OPTIONS, .file = ENTRIES, .read = ENTRIES },
	{ "systemd-boot", "systemd-boot", { { "/boot/efi/loader/entries", NULL } }, BOOT_OPTIONS, .file = ENTRIES, .read = ENTRIES },
	{ "rEFInd", "rEFInd", { { "/boot/refind_linux.conf", NULL } }, BOOT_BY_HAND,
	  .hand = N_("add %s inside the second quotes of each line of /boot/refind_linux.conf") },
	/* Alpine's update-extlinux reads its file as a shell does */
	{ "extlinux", NULL, { { "/etc/update-extlinux.conf", NULL }, { "/sbin/update-extlinux", NULL } }, BOOT_SHELL,
	  .file = "/etc/update-extlinux.conf", .variable = "default_kernel_opts", .line = "default_kernel_opts=\"$default_kernel_opts %s\"",
	  .apply = "update-extlinux", .read = "/boot/extlinux.conf" },
	/* Debian's u-boot-update 4.2: "ro quiet" where the variable is empty; its folder of fragments comes last */
	{ "extlinux", NULL, { { "/etc/default/u-boot", NULL }, { "/usr/sbin/u-boot-update", NULL } }, BOOT_SHELL, .file = "/etc/default/u-boot",
	  .drop_in = "/etc/u-boot-menu/conf.d/zz-qlaunch.conf", .drop_in_reader = "/usr/sbin/u-boot-update", .drop_in_word = "u-boot-menu/conf.d",
	  .variable = "U_BOOT_PARAMETERS", .line = "U_BOOT_PARAMETERS=\"${U_BOOT_PARAMETERS:-ro quiet} %s\"", .apply = "u-boot-update",
	  .read = "/boot/extlinux/extlinux.conf" },
	{ "extlinux", NULL, { { "/boot/extlinux/extlinux.conf", NULL } }, BOOT_BY_HAND,
	  .hand = N_("add %s to the lines \"append\" of /boot/extlinux/extlinux.conf") },
	{ "extlinux", NULL, { { "/boot/syslinux/syslinux.cfg", NULL } }, BOOT_BY_HAND,
	  .hand = N_("add %s to the lines \"append\" of /boot/syslinux/syslinux.cfg") },
	{ "unified kernel images", NULL, { { UNIFIED, NULL } }, BOOT_BY_HAND,
	  .hand = N_("the command line is inside the unified kernel image: add %s where its builder reads it, and build it anew") },
	{ N_("not known"), NULL, {}, BOOT_UNKNOWN,
	  .hand = N_("no known boot loader: add `%s` to the kernel's command line where it is kept (EFI stub: efibootmgr --unicode)") },
};

const struct boot_image boot_images[] = {
	/* rpm-ostree(1), "initramfs": dracut on the host that is to be booted, with this one's /etc */
	{ "rpm-ostree", { { "/run/ostree-booted", NULL }, { "/usr/bin/rpm-ostree", NULL } }, INITRAMFS_OSTREE },
	{ "dracut (sdbootutil)", { { "/usr/bin/sdbootutil", NULL }, { "/etc/kernel/cmdline", NULL } }, INITRAMFS_DRACUT, "sdbootutil mkinitrd",
	  "lsinitrd %s" },
	{ "dracut (dracut-rebuild)", { { "/usr/bin/dracut-rebuild", NULL } }, INITRAMFS_DRACUT, "dracut-rebuild", "lsinitrd %s" },
	{ "dracut (reinstall-kernels)", { { "/usr/bin/reinstall-kernels", NULL }, { "/usr/bin/dracut", NULL } }, INITRAMFS_DRACUT, "reinstall-kernels",
	  "lsinitrd %s" },
	{ "dracut (limine)", { { "/usr/bin/limine-dracut", NULL } }, INITRAMFS_DRACUT, "limine-dracut", "lsinitrd %s" },
	{ "mkinitcpio (limine)", { { "/usr/bin/limine-mkinitcpio", NULL }, { "/etc/mkinitcpio.conf", NULL } }, INITRAMFS_MKINITCPIO,
	  "limine-mkinitcpio", "lsinitcpio %s" },
	{ "mkinitcpio", { { "/usr/bin/mkinitcpio", NULL }, { "/etc/mkinitcpio.conf", NULL } }, INITRAMFS_MKINITCPIO, "mkinitcpio -P", "lsinitcpio %s" },
	/* Debian and Ubuntu: the hook that runs after a kernel's installation is the builder; the other may be there beside it. As it calls
	 * dracut (dracut 059 and 106): with systemd-boot --regenerate-all writes elsewhere, where nothing boots from */
	{ "dracut", { { "/etc/kernel/postinst.d/dracut", NULL } }, INITRAMFS_DRACUT, "dracut --force /boot/initrd.img-%k %k", "lsinitrd %s" },
	{ "initramfs-tools", { { "/usr/sbin/update-initramfs", NULL }, { "/etc/initramfs-tools", NULL } }, INITRAMFS_TOOLS,
	  "update-initramfs -u -k all", "lsinitramfs %s" },
	{ "dracut", { { "/usr/bin/dracut", NULL } }, INITRAMFS_DRACUT, "dracut --force --regenerate-all", "lsinitrd %s" },
	{ "dracut", { { "/usr/sbin/dracut", NULL } }, INITRAMFS_DRACUT, "dracut --force --regenerate-all", "lsinitrd %s" },
	{ "booster", { { "/etc/booster.yaml", NULL } }, INITRAMFS_UNKNOWN,
	  .hand = N_("booster: in /etc/booster.yaml, modules_force_load: vfio_pci, then /usr/lib/booster/regenerate_images; it reads no modprobe.d") },
	{ "mkinitfs", { { "/etc/mkinitfs/mkinitfs.conf", NULL } }, INITRAMFS_UNKNOWN,
	  .hand = N_("mkinitfs: no graphics driver is in its images unless \"kms\" stands in features= of /etc/mkinitfs/mkinitfs.conf; take it out, "
		     "then: mkinitfs") },
	{ N_("not known"), {}, INITRAMFS_UNKNOWN,
	  .hand = N_("no known builder of initial RAM disks: a driver that is in there may take the card first") },
};
