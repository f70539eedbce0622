/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: which files, what they become, and the way there and back. See setup.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/tr.h"
#include "launcher/advise/setup.h"

#define EARLY "/etc/qlaunch/vfio-early"
#define MODPROBE "/etc/modprobe.d/qlaunch.conf"
#define MANIFEST SETUP_DIR "/manifest"
#define MARK "# Written by `qlaunch setup`; `qlaunch setup --undo` takes it away.\n"

/* ---- reading ---- */

struct err *setup_read(struct root *root, const char *path, char **ret_text, mode_t *ret_mode)
{
	cleanup_fd int fd = -1;
	cleanup_sb struct sb sb = {};
	char buf[16384];
	ssize_t n;
	struct stat st;
	struct err *e = root_open_fd(root, path, O_RDONLY, &fd);
	if (err_code(e) == ENOENT) {
		err_free(e);
		*ret_text = NULL;
		return NULL;
	}
	TRY(e);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > (off_t)ROOT_TEXT_MAX)
		return err_new("%s: not a text file", path);
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		sb_addn(&sb, buf, (size_t)n);
	if (n < 0)
		return err_errno(errno, "%s", path);
	if (sb.s && strlen(sb.s) != sb.len)
		return err_new("%s: not a text file", path);
	*ret_mode = st.st_mode & 07777;
	*ret_text = sb_steal(&sb);
	return NULL;
}

/* A change, unless the file is so already. Takes over `text`. A link stays one: what it points to is changed. */
static struct err *change(struct root *root, struct setup *s, const char *path, mode_t mode, char *text)
{
	cleanup_free char *real = root_real(root, path), *old = NULL, *new = text;
	path = real ? real : path;
	TRY(setup_read(root, path, &old, &mode));
	if (streq(old, new))
		return NULL;
	s->v = mem_grow(s->v, s->n, sizeof(*s->v));
	s->v[s->n++] = (struct setup_change){ str_dup(path), steal(old), steal(new), mode };
	return NULL;
}

/* ---- what is wanted ---- */

static struct err *plan_parameters(struct root *root, const struct survey *s, struct setup *setup)
{
	cleanup_strv struct strv words = {};
	if (s->cpu.vendor == CPU_INTEL)
		strv_add(&words, "intel_iommu=on");
	strv_add(&words, "iommu=pt"); /* the host's own devices go past the IOMMU, at full speed */
	size_t before = setup->n;
	if (s->boot.loader == BOOT_UNKNOWN) {
		cleanup_free char *joined = strv_join(&words, " ");
		strv_addf(&setup->notes, _("no known boot loader: add `%s` to the kernel's command line by hand"), joined);
	}
	for (size_t i = 0; i < s->boot.files.n; i++) {
		cleanup_free char *old = NULL;
		mode_t mode = 0;
		TRY(setup_read(root, s->boot.files.v[i], &old, &mode));
		char *new = s->boot.loader == BOOT_GRUB		   ? setup_grub(old ? old : "", s->boot.variable, &words)
			    : s->boot.loader == BOOT_KERNEL_CMDLINE ? setup_cmdline(old ? old : "", &words)
								   : setup_entry(old ? old : "", &words);
		TRY(change(root, setup, s->boot.files.v[i], 0644, new));
	}
	if (setup->n > before && s->boot.apply)
		strv_add(&setup->commands, s->boot.apply);
	return NULL;
}

/* Runs whenever vfio-pci is to be loaded, in the initial RAM disk and later. */
static char *early_script(const struct pci_function *const *devices, size_t n)
{
	struct sb out = {};
	sb_add(&out, "#!/bin/sh\n" MARK "# These devices are vfio-pci's before any other driver sees them: by address.\nfor a in");
	for (size_t i = 0; i < n; i++)
		sb_addf(&out, " %s", pci_addr_text(devices[i]->addr).s);
	sb_add(&out, "; do\n\t[ -e /sys/bus/pci/devices/$a ] && echo vfio-pci >/sys/bus/pci/devices/$a/driver_override\ndone\n"
		     "exec modprobe -i vfio-pci\n");
	return sb_steal(&out);
}

/* The drivers that could come first: by vendor and class, and the one that has the device now. */
static char *modprobe_conf(const struct pci_function *const *devices, size_t n)
{
	static const struct {
		uint16_t vendor;
		uint32_t base;
		const char *drivers;
	} known[] = { { 0x10de, 0x03, "nouveau nvidia nvidia_drm nvidia_modeset nvidia_uvm" }, { 0x1002, 0x03, "amdgpu radeon" },
		      { 0x8086, 0x03, "i915 xe" }, { 0, 0x04, "snd_hda_intel" }, { 0, 0x0c, "xhci_pci i2c_nvidia_gpu" } };
	cleanup_strv struct strv drivers = {};
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < ARRAY_SIZE(known); k++)
			if (devices[i]->class >> 16 == known[k].base && (!known[k].vendor || known[k].vendor == devices[i]->vendor))
				strv_split(&drivers, known[k].drivers, " ");
		if (devices[i]->driver && !pci_driver_harmless(devices[i]->driver))
			strv_add(&drivers, devices[i]->driver);
	}
	cleanup_strv struct strv seen = {};
	struct sb out = {};
	sb_add(&out, MARK "# vfio-pci comes before every driver that could take the devices.\n");
	for (size_t i = 0; i < drivers.n; i++) {
		if (strv_has(&seen, drivers.v[i]))
			continue;
		strv_add(&seen, drivers.v[i]);
		sb_addf(&out, "softdep %s pre: vfio-pci\n", drivers.v[i]);
	}
	sb_add(&out, "install vfio-pci " EARLY "\n");
	return sb_steal(&out);
}

static struct err *plan_initramfs(struct root *root, const struct survey *s, struct setup *setup)
{
	static const char hook[] = "#!/bin/sh\n" MARK "[ \"$1\" = prereqs ] && exit 0\n. /usr/share/initramfs-tools/hook-functions\n"
				   "manual_add_modules vfio-pci\ncopy_exec " EARLY "\n";
	static const char top[] = "#!/bin/sh\n" MARK "[ \"$1\" = prereqs ] && exit 0\nexec " EARLY "\n";
	static const char dracut[] = MARK "force_drivers+=\" vfio-pci \"\ninstall_items+=\" " EARLY " " MODPROBE " \"\n";
	cleanup_free char *old = NULL, *list = NULL;
	mode_t mode = 0;
	switch (s->boot.initramfs) {
	case INITRAMFS_TOOLS:
		TRY(change(root, setup, "/etc/initramfs-tools/hooks/qlaunch", 0755, str_dup(hook)));
		return change(root, setup, "/etc/initramfs-tools/scripts/init-top/qlaunch", 0755, str_dup(top));
	case INITRAMFS_DRACUT:
		return change(root, setup, "/etc/dracut.conf.d/qlaunch.conf", 0644, str_dup(dracut));
	case INITRAMFS_MKINITCPIO:
		TRY(setup_read(root, "/etc/mkinitcpio.conf", &old, &mode));
		list = setup_list(old ? old : "", "MODULES", "vfio_pci");
		return change(root, setup, "/etc/mkinitcpio.conf", mode, setup_list(list, "FILES", EARLY));
	case INITRAMFS_UNKNOWN:
		break;
	}
	strv_add(&setup->notes, _("no known builder of initial RAM disks: a driver that is in there may take the card first"));
	return NULL;
}

static struct err *plan_binding(struct root *root, const struct survey *s, const struct pci_function *const *devices, size_t n,
				struct setup *setup)
{
	size_t before = setup->n;
	if (!n) {
		strv_add(&setup->notes, _("no card is bound early: this host has none to give away, or none was named"));
		return NULL;
	}
	TRY(change(root, setup, EARLY, 0755, early_script(devices, n)));
	TRY(change(root, setup, MODPROBE, 0644, modprobe_conf(devices, n)));
	TRY(plan_initramfs(root, s, setup));
	if (setup->n > before && s->boot.rebuild && !strv_has(&setup->commands, s->boot.rebuild))
		strv_add(&setup->commands, s->boot.rebuild);
	return NULL;
}

/* Nodes for whoever sits at the screen (uaccess); input devices not: every program of theirs could read every key. */
static struct err *plan_nodes(struct root *root, struct setup *setup)
{
	static const char rules[] = MARK "KERNEL==\"kvm\", GROUP=\"kvm\", MODE=\"0660\", TAG+=\"uaccess\"\n"
				    "# the inputs of monitors\nSUBSYSTEM==\"i2c-dev\", TAG+=\"uaccess\"\n"
				    "# keyboards and mice stay root's: a launch hands over those that it needs\n"
				    "KERNEL==\"uinput\", OPTIONS+=\"static_node=uinput\"\n";
	static const char modules[] = MARK "i2c-dev\nuinput\n";
	TRY(change(root, setup, "/etc/udev/rules.d/70-qlaunch.rules", 0644, str_dup(rules)));
	return change(root, setup, "/etc/modules-load.d/qlaunch.conf", 0644, str_dup(modules));
}

struct err *setup_plan(struct root *root, const struct survey *s, const struct pci_function *const *devices, size_t n_devices,
		       struct setup *ret_setup)
{
	cleanup_setup struct setup setup = {};
	TRY(plan_parameters(root, s, &setup));
	TRY(plan_binding(root, s, devices, n_devices, &setup));
	TRY(plan_nodes(root, &setup));
	*ret_setup = setup;
	setup = (struct setup){};
	return NULL;
}

/* ---- there ---- */

bool setup_is_made(struct root *root)
{
	return root_exists(root, MANIFEST);
}

static struct err *make_parent(struct root *root, const char *path)
{
	cleanup_free char *dir = str_ndup(path, (size_t)(strrchr(path, '/') - path));
	return *dir ? root_mkdirs(root, dir, 0755) : NULL;
}

/* The manifest first, with all old and new texts beside it: from then on everything can be put back. A line of it: the
 * mode, "changed" or "created", the path; the texts are N.old and N.new. */
struct err *setup_apply(struct root *root, const struct setup *setup)
{
	cleanup_sb struct sb manifest = {};
	TRY(root_mkdirs(root, SETUP_DIR, 0700));
	for (size_t i = 0; i < setup->n; i++) {
		const struct setup_change *c = &setup->v[i];
		cleanup_free char *old = str_fmt(SETUP_DIR "/%zu.old", i), *new = str_fmt(SETUP_DIR "/%zu.new", i);
		if (c->old)
			TRY(root_put(root, old, c->old, 0600));
		TRY(root_put(root, new, c->new, 0600));
		sb_addf(&manifest, "%04o %s %s\n", c->mode, c->old ? "changed" : "created", c->path);
	}
	TRY(root_put(root, MANIFEST, manifest.s ? manifest.s : "", 0600));
	for (size_t i = 0; i < setup->n; i++) {
		TRY(make_parent(root, setup->v[i].path));
		TRY(root_put(root, setup->v[i].path, setup->v[i].new, setup->v[i].mode));
	}
	return NULL;
}

/* ---- and back ---- */

static struct err *plan_back(struct root *root, size_t i, const char *line, struct setup *setup)
{
	unsigned mode = 0;
	int at = 0;
	mode_t unused = 0;
	char what[16] = "";
	if (sscanf(line, "%o %15s %n", &mode, what, &at) != 2 || !at || line[at] != '/')
		return err_new(MANIFEST ": \"%s\"", line);
	cleanup_free char *old_path = str_fmt(SETUP_DIR "/%zu.old", i), *new_path = str_fmt(SETUP_DIR "/%zu.new", i);
	cleanup_free char *old = NULL, *new = NULL, *now = NULL;
	TRY(setup_read(root, new_path, &new, &unused));
	TRY(setup_read(root, old_path, &old, &unused));
	TRY(setup_read(root, line + at, &now, &unused));
	if (streq(what, "created") == (old != NULL))
		return err_new(MANIFEST ": the text of %s is missing", line + at);
	if (streq(now, old))
		return NULL;
	if (!streq(now, new)) {
		strv_addf(&setup->notes, _("%s was changed since and stays as it is; as it was: %s"), line + at, old ? old_path : _("no file"));
		return NULL;
	}
	setup->v = mem_grow(setup->v, setup->n, sizeof(*setup->v));
	setup->v[setup->n++] = (struct setup_change){ str_dup(line + at), steal(now), steal(old), mode };
	return NULL;
}

struct err *setup_plan_undo(struct root *root, const struct survey *s, struct setup *ret_setup)
{
	cleanup_setup struct setup setup = {};
	cleanup_strv struct strv lines = {};
	cleanup_free char *manifest = NULL;
	TRY(root_read(root, MANIFEST, &manifest));
	strv_split(&lines, manifest, "\n");
	for (size_t i = 0; i < lines.n; i++)
		TRY(plan_back(root, i, lines.v[i], &setup));
	if (setup.n && s->boot.apply)
		strv_add(&setup.commands, s->boot.apply);
	if (setup.n && s->boot.rebuild && !strv_has(&setup.commands, s->boot.rebuild))
		strv_add(&setup.commands, s->boot.rebuild);
	*ret_setup = setup;
	setup = (struct setup){};
	return NULL;
}

/* What is kept goes last, and only where nothing is left that somebody else changed. */
static struct err *forget(struct root *root)
{
	cleanup_strv struct strv names = {};
	TRY(root_unlink(root, MANIFEST));
	TRY(root_list(root, SETUP_DIR, &names));
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *path = str_fmt(SETUP_DIR "/%s", names.v[i]);
		TRY(root_unlink(root, path));
	}
	return root_rmdir(root, SETUP_DIR);
}

struct err *setup_undo(struct root *root, const struct setup *setup)
{
	for (size_t i = setup->n; i-- > 0;) {
		const struct setup_change *c = &setup->v[i];
		TRY(c->new ? root_put(root, c->path, c->new, c->mode) : root_unlink(root, c->path));
	}
	err_free(root_rmdir(root, "/etc/qlaunch")); /* stays where there are configurations in it */
	return setup->notes.n ? NULL : forget(root);
}

void setup_free(struct setup *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].path);
		free(s->v[i].old);
		free(s->v[i].new);
	}
	free(s->v);
	strv_free(&s->commands);
	strv_free(&s->notes);
	*s = (struct setup){};
}
