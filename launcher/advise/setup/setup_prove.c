/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup: the distribution's own programs, and what they made of it: the words in what the boot loader will give to the kernel, the script
 * and the module in every image that was built. See setup.h. On another root than the host's nothing runs and nothing is proven.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "launcher/base/child.h"
#include "launcher/base/tr.h"
#include "launcher/advise/setup/setup.h"

#define COMMAND_LIMIT_MS 600000 /* initial RAM disks of several kernels, on a slow machine */
#define SCRATCH SETUP_DIR "/scratch"
#define DEPTH 5 /* /boot/efi/MACHINE-ID/VERSION/initrd */

struct err *setup_command(struct root *root, const char *command, char **ret_output)
{
	cleanup_strv struct strv argv = {};
	if (!root_is_host(root)) {
		*ret_output = str_dup("");
		return NULL;
	}
	strv_split(&argv, command, " ");
	return child_output((const char *const *)argv.v, COMMAND_LIMIT_MS,
			    ret_output); /* who asks a question there reads the end of a file */
}

/* ---- parameters ---- */

static bool line_has(const char *line, const struct strv *words)
{
	for (size_t i = 0; i < words->n; i++) {
		cleanup_strv struct strv all = {};
		strv_split(&all, line, " \t\r\"'");
		if (!strv_has(&all, words->v[i]))
			return false;
	}
	return true;
}

/* All the words, and still the root where the kernel that runs was given one: words that came instead of a command line would leave a host
 * that does not start. */
static bool line_starts(const char *line, const struct boot_facts *boot, const struct strv *words)
{
	bool root_given = false;
	for (size_t i = 0; i < boot->parameters.n; i++)
		root_given |= str_starts(boot->parameters.v[i], "root=");
	return line_has(line, words) && (!root_given || strstr(line, "root="));
}

/* A line of a boot loader's file that starts Linux so. */
static bool text_has(const char *text, const struct boot_facts *boot, const struct strv *words)
{
	static const char *const starts[] = { "linux", "options", "cmdline", "kernel_cmdline", "append", "APPEND" };
	cleanup_strv struct strv lines = {};
	strv_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.n; i++) {
		const char *line = lines.v[i] + strspn(lines.v[i], " \t");
		for (size_t k = 0; k < ARRAY_SIZE(starts); k++)
			if (str_starts(line, starts[k]) && line_starts(line, boot, words))
				return true;
	}
	return false;
}

static uint32_t le(const uint8_t *p, int n)
{
	uint32_t v = 0;
	while (n--)
		v = v << 8 | p[n];
	return v;
}

/* The section .cmdline of a unified kernel image (UAPI.5), which is a PE file (Microsoft's PE format: the header's place at 0x3c, sections of
 * 40 bytes behind the optional header); NULL where there is none. */
static char *pe_command_line(const uint8_t *file, size_t size)
{
	size_t pe = size >= 0x40 && !memcmp(file, "MZ", 2) ? le(file + 0x3c, 4) : size;
	if (size < 24 || pe > size - 24 || memcmp(file + pe, "PE\0", 4) != 0)
		return NULL;
	size_t table = pe + 24 + le(file + pe + 20, 2), n = le(file + pe + 6, 2);
	for (size_t at = table; n-- && size >= 40 && at <= size - 40; at += 40) {
		size_t length = le(file + at + 8, 4), raw = le(file + at + 16, 4), start = le(file + at + 20, 4);
		if (memcmp(file + at, ".cmdline", 8) != 0 || start > size)
			continue;
		length = length < raw ? length : raw;
		return str_ndup((const char *)file + start, length < size - start ? length : size - start);
	}
	return NULL;
}

static bool image_has(struct root *root, const char *path, const struct boot_facts *boot, const struct strv *words)
{
	cleanup_fd int fd = -1;
	cleanup_err struct err *e = root_open_fd(root, path, O_RDONLY, &fd);
	struct stat st;
	if (e || fstat(fd, &st) < 0 || st.st_size <= 0)
		return false;
	void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return false;
	cleanup_free char *line = pe_command_line(bytes, (size_t)st.st_size);
	munmap(bytes, (size_t)st.st_size);
	return line && line_starts(line, boot, words);
}

static struct err *prove_words(struct root *root, const struct boot_facts *boot, const struct strv *words)
{
	const char *read = boot->way->read;
	cleanup_free char *joined = strv_join(words, " ");
	cleanup_strv struct strv files = {};
	if (!read)
		return NULL;
	if (str_starts(read, "$ ")) {
		cleanup_free char *said = NULL;
		TRY(setup_command(root, read + 2, &said));
		for (char *p = said; *p; p++)
			*p = *p == '\n' ? ' ' : *p;
		return line_has(said, words) ? NULL : err_new(_("`%s` does not tell of: %s"), read + 2, joined);
	}
	boot_glob(root, read, &files);
	if (boot->selected && strstr(read, "/loader/")) { /* others may be of another system, or of yesterday */
		strv_free(&files);
		strv_add(&files, boot->selected);
		read = boot->selected;
	}
	for (size_t i = 0; i < files.n; i++) {
		cleanup_free char *text = str_ends(files.v[i], ".efi") ? NULL : root_read_or(root, files.v[i], "");
		if (text ? text_has(text, boot, words) : image_has(root, files.v[i], boot, words))
			return NULL;
	}
	return err_hint(err_new(_("what will be booted does not have: %s (looked for in %s)"), joined, read),
			_("add them by hand, reboot, and then again: qlaunch setup"));
}

struct err *setup_try(struct root *root, const struct boot_facts *boot, const struct setup *setup)
{
	for (size_t i = 0; root_is_host(root) && i < setup->scratch.n; i++) {
		cleanup_free char *said = NULL;
		cleanup_free char *command = boot_fill(setup->scratch.v[i], SCRATCH);
		struct err *e = setup_command(root, command, &said);
		cleanup_free char *text = e ? NULL : root_read_or(root, SCRATCH, "");
		err_free(root_unlink(root, SCRATCH));
		TRY(e);
		if (!text_has(text, boot, &setup->words))
			return err_new(_("`%s` makes a menu without the words"), command);
	}
	return NULL;
}

/* ---- initial RAM disks ---- */

static bool is_new(struct root *root, const char *path, time_t since)
{
	struct stat st;
	cleanup_err struct err *e = root_stat(root, path, &st);
	return !e && S_ISREG(st.st_mode) && st.st_mtime >= since - 2; /* FAT tells even seconds */
}

/* Images below a folder that were made since then. */
static void find_new(struct root *root, const char *dir, int depth, time_t since, struct strv *ret_files)
{
	cleanup_strv struct strv names = {};
	err_free(root_list(root, dir, &names));
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *path = str_fmt("%s/%s", dir, names.v[i]);
		struct stat st;
		cleanup_err struct err *e = root_stat(root, path, &st);
		if (e)
			continue;
		if (S_ISDIR(st.st_mode) && depth)
			find_new(root, path, depth - 1, since, ret_files);
		bool image = str_starts(names.v[i], "initr") || (str_ends(names.v[i], ".efi") && strstr(path, "/EFI/Linux/"));
		if (image && is_new(root, path, since) && !strv_has(ret_files, path))
			strv_add(ret_files, path);
	}
}

static bool is_built_in(struct root *root)
{
	cleanup_strv struct strv versions = {};
	err_free(root_list(root, "/lib/modules", &versions));
	for (size_t i = 0; i < versions.n; i++) {
		cleanup_free char *path = str_fmt("/lib/modules/%s/modules.builtin", versions.v[i]), *text = root_read_or(root, path, "");
		if (strstr(text, "/vfio-pci.ko"))
			return true;
	}
	return false;
}

/* The script and the module are in it. */
static struct err *prove_image(struct root *root, const struct boot_image *image, const char *path, bool built_in)
{
	cleanup_free char *said = NULL, *command = boot_fill(image->list, path);
	TRY(setup_command(root, command, &said));
	if (!strstr(said, &SETUP_EARLY[1]))
		return err_new(_("%s does not hold %s"), path, SETUP_EARLY);
	if (!built_in && !strstr(said, "/vfio-pci.ko"))
		return err_new(_("%s does not hold the module vfio-pci"), path);
	return NULL;
}

/* The images that the selected entry names; a path there begins where the entry's file system does (UAPI.1). Of a unified one, it. */
static void selected_images(struct root *root, const struct boot_facts *boot, struct strv *ret_files)
{
	static const char *const tops[] = { "", "/boot", "/efi", "/boot/efi" };
	cleanup_strv struct strv lines = {};
	if (str_ends(boot->selected, ".efi")) {
		strv_add(ret_files, boot->selected);
		return;
	}
	const char *entries = strstr(boot->selected, "/loader/entries/");
	cleanup_free char *text = root_read_or(root, boot->selected, "");
	strv_split(&lines, text, "\r\n");
	for (size_t i = 0; i < lines.n; i++) {
		const char *line = lines.v[i] + strspn(lines.v[i], " \t");
		if (!str_starts(line, "initrd ") && !str_starts(line, "initrd\t"))
			continue;
		line += 6 + strspn(line + 6, " \t");
		cleanup_free char *path = str_fmt("%.*s%s", (int)(entries - boot->selected), boot->selected, line);
		for (size_t k = 0; k < ARRAY_SIZE(tops) && !root_exists(root, path); k++) {
			free(path);
			path = str_fmt("%s%s", tops[k], line);
		}
		if (root_exists(root, path))
			strv_add(ret_files, path);
	}
}

/* One of those that this host was started with is new, else what was built lies where nothing boots from. A processor's microcode beside
 * it is as it was. */
static struct err *prove_selected(struct root *root, const struct boot_facts *boot, time_t since, bool built_in)
{
	cleanup_strv struct strv files = {};
	bool any = false;
	if (boot->selected)
		selected_images(root, boot, &files);
	for (size_t i = 0; i < files.n; i++) {
		if (!is_new(root, files.v[i], since))
			continue;
		any = true;
		TRY(prove_image(root, boot->image, files.v[i], built_in));
	}
	cleanup_free char *all = strv_join(&files, " ");
	return any || !files.n ? NULL : err_new(_("what this host is started with was not built anew: %s"), all);
}

static struct err *prove_images(struct root *root, const struct boot_facts *boot, time_t since)
{
	cleanup_strv struct strv files = {};
	bool built_in = is_built_in(root);
	find_new(root, "/boot", DEPTH, since, &files);
	find_new(root, "/efi", DEPTH, since, &files);
	if (!files.n) {
		cleanup_strv struct strv each = {};
		boot_commands(root, boot_rebuild(boot), &each);
		cleanup_free char *commands = strv_join(&each, "; ");
		return err_new(_("`%s` ended well and built no initial RAM disk below /boot or /efi"), commands);
	}
	for (size_t i = 0; i < files.n; i++)
		TRY(prove_image(root, boot->image, files.v[i], built_in));
	return prove_selected(root, boot, since, built_in);
}

struct err *setup_prove(struct root *root, const struct boot_facts *boot, const struct setup *setup, time_t since)
{
	if (!root_is_host(root))
		return NULL;
	if (setup->writes_words)
		TRY(prove_words(root, boot, &setup->words));
	if (setup->binds && boot->image->list)
		TRY(prove_images(root, boot, since));
	return NULL;
}
