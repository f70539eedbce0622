/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: cards that vfio-pci has first, in every image and later; nodes for the user. See setup.h. */
#include <jansson.h>
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/advise/setup/setup.h"

/* The modules that could come first: by vendor and class, and that of the driver that has the device now, which may have another name
 * (bochs-drm is of bochs). */
static void find_drivers(struct root *root, const struct pci_function *const *devices, size_t n, struct strv *ret_drivers)
{
	static const struct {
		uint16_t vendor;
		uint32_t base;
		const char *drivers;
	} known[] = { { 0x10de, 0x03, "nouveau nvidia nvidia_drm nvidia_modeset nvidia_uvm nova_core" }, { 0x1002, 0x03, "amdgpu radeon" },
		      { 0x8086, 0x03, "i915 xe" }, { 0, 0x04, "snd_hda_intel" }, { 0, 0x0c, "xhci_pci i2c_nvidia_gpu" } };
	cleanup_strv struct strv drivers = {};
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < ARRAY_SIZE(known); k++)
			if (devices[i]->class >> 16 == known[k].base && (!known[k].vendor || known[k].vendor == devices[i]->vendor))
				strv_split(&drivers, known[k].drivers, " ");
		if (!devices[i]->driver || pci_driver_harmless(devices[i]->driver))
			continue;
		cleanup_free char *link = str_fmt("/sys/bus/pci/drivers/%s/module", devices[i]->driver), *module = root_link_name(root, link);
		strv_add(&drivers, module ? module : devices[i]->driver);
	}
	for (size_t i = 0; i < drivers.n; i++)
		if (!strv_has(ret_drivers, drivers.v[i]))
			strv_add(ret_drivers, drivers.v[i]);
}

static char *modprobe_conf(const struct strv *drivers)
{
	struct sb out = {};
	sb_add(&out, SETUP_MARK "# vfio-pci comes before every driver that could take the devices.\n");
	for (size_t i = 0; i < drivers->n; i++)
		sb_addf(&out, "softdep %s pre: vfio-pci\n", drivers->v[i]);
	sb_add(&out, "install vfio-pci " SETUP_EARLY "\n");
	return sb_steal(&out);
}

/* Where vfio-pci is built in nothing loads it, so the first device of such a class calls the script, before a driver is loaded for it. */
static char *udev_rules(const struct pci_function *const *devices, size_t n)
{
	struct sb out = {};
	bool seen[256] = {};
	sb_add(&out, SETUP_MARK);
	for (size_t i = 0; i < n; i++) {
		unsigned base = devices[i]->class >> 16 & 0xff;
		if (!seen[base])
			sb_addf(&out, "ACTION==\"add\", SUBSYSTEM==\"pci\", ATTR{class}==\"0x%02x*\", RUN+=\"" SETUP_EARLY "\"\n", base);
		seen[base] = true;
	}
	return sb_steal(&out);
}

#define IN_IMAGE SETUP_EARLY " " SETUP_MODPROBE " " SETUP_RULES

#define DRACUT_OWN "/etc/dracut.conf.d/qlaunch.conf"
static const char dracut_lines[] = "force_drivers+=\" vfio-pci \"\ninstall_items+=\" " IN_IMAGE " \"\n";

#define MKINITCPIO_OWN "/etc/mkinitcpio.conf.d/zz-qlaunch.conf"
/* In bash, that mkinitcpio reads it as; MODULES and FILES may be strings or arrays, and += means another thing for each. */
static const char mkinitcpio_lines[] = "[[ ${MODULES@a} == *a* ]] || MODULES=(${MODULES:-})\n"
				       "[[ ${FILES@a} == *a* ]] || FILES=(${FILES:-})\n"
				       "MODULES+=(vfio_pci)\n"
				       "FILES+=(" IN_IMAGE ")\n";

/* The configurations that presets name: with those mkinitcpio reads no drop-ins. *ret_default: one names none. */
static void preset_configs(struct root *root, struct strv *ret_files, bool *ret_default)
{
	static const char *const keys[] = { "ALL_config", "default_config", "fallback_config" };
	cleanup_strv struct strv presets = {};
	boot_glob(root, "/etc/mkinitcpio.d/*.preset", &presets);
	*ret_default = !presets.n;
	for (size_t i = 0; i < presets.n; i++) {
		cleanup_free char *text = root_read_or(root, presets.v[i], "");
		const char *open;
		bool named = false;
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
			cleanup_free char *file = setup_shell_value(text, keys[k], &open);
			named |= *file && k < 2;
			if (*file == '/' && !strv_has(ret_files, file) && root_exists(root, file))
				strv_add(ret_files, file);
		}
		*ret_default |= !named;
	}
}

/* Which of the card's drivers this list of modules loads early. */
static void note_early(const char *modules, const char *where, const struct strv *drivers, struct setup *setup)
{
	cleanup_strv struct strv early = {};
	for (size_t i = 0; i < drivers->n; i++)
		if (setup_has_word(modules, drivers->v[i]))
			strv_add(&early, drivers->v[i]);
	cleanup_free char *joined = strv_join(&early, ", ");
	if (early.n)
		strv_addf(&setup->notes, _("%s loads %s early: vfio-pci comes before it; if the host's screen stays dark or the card is not free, "
					   "take it out"), where, joined);
}

/* What of mkinitcpio's configuration loads them early: its files are read one after the other, and the last one to set a list is named. */
static void note_mkinitcpio(struct root *root, const char *patterns, const struct strv *drivers, struct setup *setup)
{
	static const char *const lists[] = { "MODULES", "HOOKS" };
	cleanup_strv struct strv files = {};
	boot_glob(root, patterns, &files);
	for (size_t k = 0; k < ARRAY_SIZE(lists); k++) {
		cleanup_sb struct sb all = {};
		cleanup_free char *where = NULL;
		const char *open;
		for (size_t i = 0; i < files.n; i++) {
			cleanup_free char *text = streq(files.v[i], MKINITCPIO_OWN) ? NULL : root_read_or(root, files.v[i], "");
			cleanup_free char *own = setup_shell_value(text ? text : "", lists[k], &open);
			sb_addf(&all, "%s\n", text ? text : "");
			if (*own) {
				free(where);
				where = str_fmt(k ? "%s: %s: kms" : "%s: %s", files.v[i], lists[k]);
			}
		}
		cleanup_free char *value = setup_shell_value(all.s ? all.s : "", lists[k], &open);
		if (where && (!k || setup_has_word(value, "kms")))
			note_early(k ? "nouveau amdgpu radeon i915 xe" : value, where, drivers, setup);
	}
}

static struct err *plan_mkinitcpio(struct root *root, const struct strv *drivers, struct setup *setup)
{
	cleanup_free char *program = root_read_or(root, "/usr/bin/mkinitcpio", "");
	bool reads_folder = strstr(program, "_d_config") || strstr(program, "mkinitcpio.conf.d"), by_default;
	cleanup_strv struct strv files = {};
	note_mkinitcpio(root, reads_folder ? "/etc/mkinitcpio.conf /etc/mkinitcpio.conf.d/*.conf" : "/etc/mkinitcpio.conf", drivers, setup);
	preset_configs(root, &files, &by_default);
	if (by_default && reads_folder) {
		TRY(setup_check_later(root, MKINITCPIO_OWN, mkinitcpio_lines, "MODULES", "vfio_pci"));
		TRY(setup_check_later(root, MKINITCPIO_OWN, mkinitcpio_lines, "FILES", IN_IMAGE));
		TRY(setup_own(root, setup, MKINITCPIO_OWN, 0644, str_fmt("\n" SETUP_MARK "%s", mkinitcpio_lines)));
	} else if (by_default && !strv_has(&files, "/etc/mkinitcpio.conf")) {
		strv_add(&files, "/etc/mkinitcpio.conf");
	}
	for (size_t i = 0; i < files.n; i++)
		TRY(setup_block_in(root, setup, files.v[i], mkinitcpio_lines));
	return NULL;
}

static struct err *plan_dracut(struct root *root, const struct strv *drivers, struct setup *setup)
{
	cleanup_strv struct strv files = {};
	const char *open;
	boot_glob(root, "/etc/dracut.conf /etc/dracut.conf.d/*.conf", &files);
	for (size_t i = 0; i < files.n; i++) {
		cleanup_free char *text = root_read_or(root, files.v[i], ""), *modules = setup_shell_value(text, "force_drivers", &open);
		cleanup_free char *where = str_fmt("%s: force_drivers", files.v[i]);
		note_early(modules, where, drivers, setup);
	}
	TRY(setup_check_later(root, DRACUT_OWN, dracut_lines, "force_drivers", "vfio-pci"));
	TRY(setup_check_later(root, DRACUT_OWN, dracut_lines, "install_items", IN_IMAGE));
	return setup_own(root, setup, DRACUT_OWN, 0644, str_fmt(SETUP_MARK "%s", dracut_lines));
}

static struct err *plan_tools(struct root *root, const struct strv *drivers, struct setup *setup)
{
	static const char hook[] = "#!/bin/sh\n" SETUP_MARK "[ \"$1\" = prereqs ] && exit 0\n. /usr/share/initramfs-tools/hook-functions\n"
				   "manual_add_modules vfio-pci\nfor f in " IN_IMAGE "; do\n\tmkdir -p \"$DESTDIR${f%/*}\"\n"
				   "\tcp -p \"$f\" \"$DESTDIR$f\"\ndone\n";
	static const char top[] = "#!/bin/sh\n" SETUP_MARK "[ \"$1\" = prereqs ] && exit 0\n" SETUP_EARLY "\nexit 0\n";
	static const char list[] = "/etc/initramfs-tools/modules";
	cleanup_free char *text = root_read_or(root, list, "");
	cleanup_strv struct strv lines = {};
	strv_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.n; i++)
		if (lines.v[i][strspn(lines.v[i], " \t")] != '#')
			note_early(lines.v[i], list, drivers, setup);
	TRY(setup_own(root, setup, "/etc/initramfs-tools/hooks/qlaunch", 0755, str_dup(hook)));
	return setup_own(root, setup, "/etc/initramfs-tools/scripts/init-top/qlaunch", 0755, str_dup(top));
}

/* The arguments that the images of the deployment that is booted next are built with: as its own program tells, first of all deployments. */
static bool ostree_told(struct root *root, bool *ret_enabled, struct strv *ret_args)
{
	cleanup_free char *said = NULL;
	cleanup_err struct err *e = setup_command(root, "rpm-ostree status --json", &said);
	json_t *all = e ? NULL : json_loads(said, 0, NULL);
	const json_t *next = json_array_get(json_object_get(all, "deployments"), 0), *args = json_object_get(next, "initramfs-args");
	bool told = next;
	*ret_enabled = json_is_true(json_object_get(next, "regenerate-initramfs"));
	for (size_t i = 0; *ret_enabled && i < json_array_size(args); i++)
		if (json_is_string(json_array_get(args, i)))
			strv_add(ret_args, json_string_value(json_array_get(args, i)));
	json_decref(all);
	return told;
}

/* The same of deployments' origins, where nothing can be asked: lines of theirs, between ";". */
static bool ostree_arguments(struct root *root, struct strv *ret_args)
{
	cleanup_strv struct strv systems = {}, origins = {};
	bool enabled = false;
	if (ostree_told(root, &enabled, ret_args))
		return enabled;
	err_free(root_list(root, "/ostree/deploy", &systems));
	for (size_t i = 0; i < systems.n; i++) {
		cleanup_free char *all = str_fmt("/ostree/deploy/%s/deploy/*.origin", systems.v[i]);
		boot_glob(root, all, &origins);
	}
	for (size_t i = 0; i < origins.n; i++) {
		cleanup_free char *text = root_read_or(root, origins.v[i], "");
		const char *line = strstr(text, "\ninitramfs-args=");
		enabled |= strstr(text, "regenerate-initramfs=true") != NULL;
		if (!line || ret_args->n)
			continue;
		cleanup_free char *value = str_ndup(line + 16, strcspn(line + 16, "\n"));
		strv_split(ret_args, value, ";");
	}
	return enabled;
}

static struct err *plan_ostree(struct root *root, const struct strv *drivers, struct setup *setup)
{
	cleanup_strv struct strv args = {};
	cleanup_sb struct sb run = {}, back = {};
	bool enabled = ostree_arguments(root, &args);
	TRY(plan_dracut(root, drivers, setup));
	sb_add(&run, "rpm-ostree initramfs --enable --arg=--force-drivers --arg=vfio-pci");
	sb_add(&back, enabled ? "rpm-ostree initramfs --enable" : "rpm-ostree initramfs --disable");
	for (size_t i = 0; i < args.n; i++) {
		sb_addf(&run, " --arg=%s", args.v[i]);
		if (enabled)
			sb_addf(&back, " --arg=%s", args.v[i]);
	}
	if (setup_has_run(root, run.s) || strv_has(&args, "vfio-pci"))
		return NULL;
	strv_add(&setup->run, run.s);
	strv_add(&setup->back, back.s);
	return NULL;
}

static struct err *plan_initramfs(struct root *root, const struct survey *s, const struct strv *drivers, struct setup *setup)
{
	switch (s->boot.image->kind) {
	case INITRAMFS_TOOLS:
		return plan_tools(root, drivers, setup);
	case INITRAMFS_DRACUT:
		return plan_dracut(root, drivers, setup);
	case INITRAMFS_MKINITCPIO:
		return plan_mkinitcpio(root, drivers, setup);
	case INITRAMFS_OSTREE:
		return plan_ostree(root, drivers, setup);
	case INITRAMFS_UNKNOWN:
		break;
	}
	strv_add(&setup->notes, tr(s->boot.image->hand));
	return NULL;
}

static struct err *plan_binding(struct root *root, const struct survey *s, const struct pci_function *const *devices, size_t n,
				struct setup *setup)
{
	cleanup_strv struct strv drivers = {};
	size_t before = setup->n;
	if (!n && setup_is_made(root) && root_exists(root, SETUP_EARLY))
		return err_exit(err_hint(err_new(_("a setup was made before, and it binds a card")), _("qlaunch setup --undo, then again")),
				EXIT_USAGE);
	if (!n) {
		strv_add(&setup->notes, _("no card is bound early: this host has none to give away, or none was named"));
		return NULL;
	}
	find_drivers(root, devices, n, &drivers);
	TRY(setup_own(root, setup, SETUP_EARLY, 0755, setup_early_script(&s->groups, devices, n)));
	TRY(setup_own(root, setup, SETUP_MODPROBE, 0644, modprobe_conf(&drivers)));
	TRY(setup_own(root, setup, SETUP_RULES, 0644, udev_rules(devices, n)));
	TRY(plan_initramfs(root, s, &drivers, setup));
	setup->binds = setup->n > before && boot_rebuild(&s->boot);
	return NULL;
}

/* Nodes for whoever sits at the screen (uaccess); input devices not: every program of theirs could read every key. What a distribution
 * opened wider stays so: tags only, no group and no mode. */
static struct err *plan_nodes(struct root *root, struct setup *setup)
{
	static const char rules[] = SETUP_MARK "KERNEL==\"kvm\", TAG+=\"uaccess\"\n"
				    "# the inputs of monitors: buses of graphics cards alone\n"
				    "SUBSYSTEM==\"i2c-dev\", ATTRS{class}==\"0x03*\", TAG+=\"uaccess\"\n"
				    "# keyboards and mice stay root's: a launch hands over those that it needs\n"
				    "KERNEL==\"uinput\", OPTIONS+=\"static_node=uinput\"\n";
	static const char modules[] = SETUP_MARK "i2c-dev\nuinput\n";
	TRY(setup_own(root, setup, "/etc/udev/rules.d/70-qlaunch.rules", 0644, str_dup(rules)));
	return setup_own(root, setup, "/etc/modules-load.d/qlaunch.conf", 0644, str_dup(modules));
}

/* Images first: what makes the parameters effective may copy them to where they are booted from. */
static void plan_commands(const struct boot_facts *boot, struct setup *setup)
{
	const char *rebuild = setup->binds ? boot_rebuild(boot) : NULL;
	bool apply = setup->applies || (setup->binds && boot->way->images == BOOT_COPIES_IMAGES);
	if (rebuild)
		strv_add(&setup->commands, rebuild);
	if (apply && !streq(rebuild, boot->way->apply))
		strv_add(&setup->commands, boot->way->apply);
}

struct err *setup_plan(struct root *root, const struct survey *s, const struct pci_function *const *devices, size_t n_devices,
		       struct setup *ret_setup)
{
	cleanup_setup struct setup setup = {};
	if (s->boot.way->form == BOOT_REFUSED) {
		cleanup_free char *remedy = boot_remedy(&s->boot, s->cpu.vendor == CPU_INTEL ? "intel_iommu=on iommu=pt" : "iommu=pt");
		return err_hint(err_new(_("%s: what is written here would not last, so nothing was written"), s->boot.way->name), "%s", remedy);
	}
	TRY(setup_plan_parameters(root, s, &setup));
	TRY(plan_binding(root, s, devices, n_devices, &setup));
	TRY(plan_nodes(root, &setup));
	plan_commands(&s->boot, &setup);
	*ret_setup = setup;
	setup = (struct setup){};
	return NULL;
}
