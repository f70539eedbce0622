/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot: see boot.h. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/tr.h"
#include "launcher/host/boot/boot.h"

#define GRUB_FILE "/etc/default/grub"
#define CMDLINE_FILE "/etc/kernel/cmdline"
/* Boot Loader Interface (systemd.io/BOOT_LOADER_INTERFACE): the loader that started this kernel, in UTF-16 */
#define LOADER_INFO "/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

/* Whether the firmware's variable says that systemd-boot started this kernel. Its bytes: every other one is 0. */
static bool started_by_systemd_boot(struct root *root)
{
	static const char name[] = "systemd-boot";
	char text[256];
	cleanup_fd int fd = -1;
	cleanup_err struct err *e = root_open_fd(root, LOADER_INFO, O_RDONLY, &fd);
	ssize_t n = e ? 0 : read(fd, text, sizeof(text));
	size_t at = 4, k = 0; /* the variable's attributes come first */
	for (; k < sizeof(name) - 1 && (ssize_t)(at + 1) < n; k++, at += 2)
		if (text[at] != name[k])
			return false;
	return k == sizeof(name) - 1;
}

/* Entries of the Boot Loader Specification, type 1, on any of the usual mount points of the ESP. */
static void find_entries(struct root *root, struct strv *ret_files)
{
	static const char *const dirs[] = { "/boot/loader/entries", "/efi/loader/entries", "/boot/efi/loader/entries" };
	for (size_t i = 0; i < ARRAY_SIZE(dirs) && !ret_files->n; i++) {
		cleanup_strv struct strv names = {};
		err_free(root_list(root, dirs[i], &names));
		for (size_t k = 0; k < names.n; k++)
			if (str_ends(names.v[k], ".conf"))
				strv_addf(ret_files, "%s/%s", dirs[i], names.v[k]);
	}
}

static bool has_program(struct root *root, const char *name)
{
	static const char *const dirs[] = { "/usr/sbin", "/usr/bin", "/usr/local/sbin" };
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		cleanup_free char *path = str_fmt("%s/%s", dirs[i], name);
		if (root_exists(root, path))
			return true;
	}
	return false;
}

/* Debian has a script of its own; where entries lie beside GRUB's menu (Fedora), both are written anew. */
static const char *grub_command(struct root *root, bool grubby)
{
	if (has_program(root, "update-grub"))
		return "update-grub";
	if (grubby)
		return "grub2-mkconfig -o /boot/grub2/grub.cfg --update-bls-cmdline";
	return has_program(root, "grub2-mkconfig") ? "grub2-mkconfig -o /boot/grub2/grub.cfg"
						   : "grub-mkconfig -o /boot/grub/grub.cfg";
}

/* What makes the boot entries out of /etc/kernel/cmdline; Debian's and Arch's builders of initial RAM disks do it, too. */
static const char *entries_command(struct root *root)
{
	if (has_program(root, "mkinitcpio"))
		return "mkinitcpio -P";
	return has_program(root, "update-initramfs") ? "update-initramfs -u -k all" : "kernel-install add-all";
}

static void find_loader(struct root *root, struct boot_facts *f)
{
	bool grub = root_exists(root, GRUB_FILE), cmdline = root_exists(root, CMDLINE_FILE);
	struct strv entries = {};
	find_entries(root, &entries);
	if (grub && !started_by_systemd_boot(root)) {
		cleanup_free char *text = root_read_or(root, GRUB_FILE, "");
		f->loader = BOOT_GRUB;
		f->variable = strstr(text, "GRUB_CMDLINE_LINUX_DEFAULT=") ? "GRUB_CMDLINE_LINUX_DEFAULT" : "GRUB_CMDLINE_LINUX";
		f->grubby = has_program(root, "grubby");
		f->apply = grub_command(root, f->grubby);
		strv_add(&f->files, GRUB_FILE);
	} else if (cmdline) {
		f->loader = BOOT_KERNEL_CMDLINE;
		f->apply = entries_command(root);
		strv_add(&f->files, CMDLINE_FILE);
	} else if (entries.n) {
		f->loader = BOOT_ENTRIES;
		f->files = entries;
		entries = (struct strv){};
	}
	strv_free(&entries);
}

/* What is configured counts for more than what is merely installed; dracut may stand beside Debian's own. */
static void find_initramfs(struct root *root, struct boot_facts *f)
{
	static const struct {
		const char *program, *sign, *rebuild;
		enum boot_initramfs kind;
	} kinds[] = {
		{ "mkinitcpio", "/etc/mkinitcpio.conf", "mkinitcpio -P", INITRAMFS_MKINITCPIO },
		{ "update-initramfs", "/etc/initramfs-tools", "update-initramfs -u -k all", INITRAMFS_TOOLS },
		{ "dracut", "/etc/dracut.conf.d", "dracut --force --regenerate-all", INITRAMFS_DRACUT },
	};
	for (size_t i = 0; i < ARRAY_SIZE(kinds) && !f->initramfs; i++) {
		if (!has_program(root, kinds[i].program) || !root_exists(root, kinds[i].sign))
			continue;
		f->initramfs = kinds[i].kind;
		f->rebuild = kinds[i].rebuild;
	}
}

void boot_facts_read(struct root *root, struct boot_facts *ret_facts)
{
	struct boot_facts f = {};
	cleanup_free char *cmdline = root_read_or(root, "/proc/cmdline", "");
	strv_split(&f.parameters, cmdline, " ");
	find_loader(root, &f);
	find_initramfs(root, &f);
	*ret_facts = f;
}

void boot_facts_free(struct boot_facts *f)
{
	strv_free(&f->files);
	strv_free(&f->parameters);
	*f = (struct boot_facts){};
}

bool boot_has(const struct boot_facts *f, const char *parameter)
{
	return strv_has(&f->parameters, parameter);
}

const char *boot_loader_name(const struct boot_facts *f)
{
	static const char *const names[] = { [BOOT_UNKNOWN] = N_("not known"), [BOOT_GRUB] = "GRUB",
					     [BOOT_KERNEL_CMDLINE] = "kernel-install", [BOOT_ENTRIES] = "systemd-boot" };
	return tr(names[f->loader]);
}

char *boot_add_command(const struct boot_facts *f, const char *parameter)
{
	cleanup_free char *files = strv_join(&f->files, " ");
	switch (f->loader) {
	case BOOT_GRUB:
		if (f->grubby)
			return str_fmt("sudo grubby --update-kernel=ALL --args=%s", parameter);
		return str_fmt("sudo sed -i 's/^%s=./&%s /' %s && sudo %s", f->variable, parameter, files, f->apply);
	case BOOT_KERNEL_CMDLINE:
		return str_fmt("sudo sed -i '1s/$/ %s/' %s && sudo %s", parameter, files, f->apply);
	case BOOT_ENTRIES:
		return str_fmt("sudo sed -i '/^options/s/$/ %s/' %s", parameter, files);
	case BOOT_UNKNOWN:
		break;
	}
	return tr_fmt("add %s to the kernel's command line where your boot loader keeps it", parameter);
}
