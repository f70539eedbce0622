/* SPDX-License-Identifier: GPL-2.0-or-later */
/* firmware: see firmware.h. */
#include <errno.h>
#include <fnmatch.h>
#include <jansson.h>
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "ovmf/firmware.h"

#define DESCRIPTOR_MAX 65536 /* those that exist are below 2 KiB */
#define MACHINE "pc-q35-7.2" /* descriptors name versioned machines by patterns; ours is a q35 of any version */

/* One file of the sorted list: the most specific of its name. */
struct entry {
	char *name, *path;
};

static const char *const features_wanted[] = { "secure-boot", "requires-smm", "enrolled-keys" };

void firmware_free(struct firmware *f)
{
	free(f->descriptor);
	free(f->code);
	free(f->code_format);
	free(f->template);
	free(f->vars_format);
	*f = (struct firmware){};
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

/* Adds the descriptors of a directory; those of the same name are replaced. No directory, no descriptors. */
static void add_dir(struct root *root, const char *dir, struct entry **list, size_t *n)
{
	cleanup_strv struct strv names = {};
	err_free(root_list(root, dir, &names));
	for (size_t i = 0; i < names.n; i++) {
		if (!str_ends(names.v[i], ".json"))
			continue;
		size_t at = 0;
		while (at < *n && !streq((*list)[at].name, names.v[i]))
			at++;
		if (at == *n) {
			*list = mem_grow(*list, *n, sizeof(**list));
			(*list)[(*n)++].name = str_dup(names.v[i]);
		}
		free((*list)[at].path);
		(*list)[at].path = str_fmt("%s/%s", dir, names.v[i]);
	}
}

static bool array_has(const json_t *array, const char *word)
{
	size_t i;
	json_t *item;
	json_array_foreach (array, i, item)
		if (streq(json_string_value(item), word))
			return true;
	return false;
}

static bool targets_us(const json_t *targets)
{
	size_t i, k;
	json_t *target, *machine;
	json_array_foreach (targets, i, target) {
		if (!streq(json_string_value(json_object_get(target, "architecture")), "x86_64"))
			continue;
		json_array_foreach (json_object_get(target, "machines"), k, machine) {
			const char *pattern = json_string_value(machine);
			if (pattern && (fnmatch(pattern, MACHINE, 0) == 0 || streq(pattern, "q35")))
				return true;
		}
	}
	return false;
}

/* A file of the mapping: an absolute path, in a format that QEMU can have as flash. */
static bool flash_file(const json_t *flash, const char *key, char **ret_path, char **ret_format)
{
	const json_t *file = json_object_get(flash, key);
	const char *path = json_string_value(json_object_get(file, "filename"));
	const char *format = json_string_value(json_object_get(file, "format"));
	if (!path || *path != '/' || !format || !(streq(format, "raw") || streq(format, "qcow2")))
		return false;
	*ret_path = str_dup(path);
	*ret_format = str_dup(format);
	return true;
}

/* What a descriptor says; false if it is not of the kind that we can use at all. */
static bool describes(const json_t *d, struct firmware *f)
{
	const json_t *flash = json_object_get(d, "mapping"), *features = json_object_get(d, "features");
	const char *mode = json_string_value(json_object_get(flash, "mode"));
	if (!array_has(json_object_get(d, "interface-types"), "uefi") || !targets_us(json_object_get(d, "targets")) ||
	    !streq(json_string_value(json_object_get(flash, "device")), "flash") || (mode && !streq(mode, "split")))
		return false;
	f->secure_boot = array_has(features, "secure-boot");
	f->requires_smm = array_has(features, "requires-smm");
	f->enrolled_keys = array_has(features, "enrolled-keys");
	return flash_file(flash, "executable", &f->code, &f->code_format) &&
	       flash_file(flash, "nvram-template", &f->template, &f->vars_format);
}

struct err *firmware_parse(const char *text, size_t len, bool *ret_ours, struct firmware *ret_firmware)
{
	cleanup_firmware struct firmware f = {};
	json_t *json = len > DESCRIPTOR_MAX ? NULL : json_loadb(text, len, 0, NULL);
	if (!json_is_object(json)) {
		json_decref(json);
		return err_new("is no firmware descriptor");
	}
	*ret_ours = describes(json, &f);
	json_decref(json);
	if (*ret_ours) {
		*ret_firmware = f;
		f = (struct firmware){};
	}
	return NULL;
}

/* Why this one does not fit, in words, or NULL if it does. */
static char *misfit(struct root *root, const struct firmware *f, bool secure_boot)
{
	const bool has[] = { f->secure_boot, f->requires_smm, f->enrolled_keys };
	for (size_t i = 0; secure_boot && i < ARRAY_SIZE(has); i++)
		if (!has[i])
			return tr_fmt("is without %s", features_wanted[i]);
	if (!secure_boot && f->requires_smm)
		return tr_dup("is for Secure Boot");
	if (!secure_boot && f->enrolled_keys)
		return tr_dup("has keys enrolled");
	const char *files[] = { f->code, f->template };
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (!root_exists(root, files[i]))
			return tr_fmt("names %s, which is not there", files[i]);
	return NULL;
}

/* Takes the descriptor if it fits; else adds to `why` what was wrong with it, where that is worth a word. */
static bool consider(struct root *root, const char *path, bool secure_boot, struct sb *why, struct firmware *ret_firmware)
{
	cleanup_firmware struct firmware f = {};
	bool ours = false;
	cleanup_free char *text = root_read_or(root, path, "");
	if (!*text) /* hides the one of the less specific directory */
		return false;
	cleanup_err struct err *e = firmware_parse(text, strlen(text), &ours, &f);
	cleanup_free char *reason = e ? str_dup(err_text(e)) : ours ? misfit(root, &f, secure_boot) : NULL;
	if (reason)
		sb_addf(why, "; %s %s", path, reason);
	if (!ours || reason)
		return false;
	f.descriptor = str_dup(path);
	*ret_firmware = f;
	f = (struct firmware){};
	return true;
}

struct err *firmware_find(struct root *root, const char *config_home, bool secure_boot, struct firmware *ret_firmware)
{
	struct entry *list = NULL;
	size_t n = 0;
	bool found = false;
	cleanup_sb struct sb why = {};
	add_dir(root, "/usr/share/qemu/firmware", &list, &n);
	add_dir(root, "/etc/qemu/firmware", &list, &n);
	if (config_home) {
		cleanup_free char *dir = str_fmt("%s/qemu/firmware", config_home);
		add_dir(root, dir, &list, &n);
	}
	if (n)
		qsort(list, n, sizeof(*list), by_name);
	for (size_t i = 0; i < n; i++) {
		found = found || consider(root, list[i].path, secure_boot, &why, ret_firmware);
		free(list[i].name);
		free(list[i].path);
	}
	free(list);
	if (found)
		return NULL;
	return err_exit(
		err_hint(
			err_coded(ENOENT, "no UEFI firmware%s for q35 is described in /usr/share/qemu/firmware%s",
				  secure_boot ? _(" with Secure Boot and enrolled keys") : "", why.s ? why.s : ""),
			"install it: `apt install ovmf`, `pacman -S edk2-ovmf` or `dnf install edk2-ovmf`%s",
			secure_boot
				? _("; where it comes without keys, enroll them with virt-fw-vars, or set `secure-boot = no` in [firmware]")
				: ""),
		EXIT_HOST);
}
