/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup: the distribution's own programs, and what they made of it: the words in what the boot loader will give to the kernel, the script
 * and the module in every image that was built. See setup.h. On another root than the host's nothing runs and nothing is proven.
 */
#include <fcntl.h>
#include <stdio.h>
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

/* A line of a boot loader's file that starts Linux and has all the words, and still names the root where the kernel that runs was given
 * one: words that came instead of a command line would leave a host that does not start. */
static bool text_has(const char *text, const struct boot_facts *boot, const struct strv *words)
{
	static const char *const starts[] = { "linux", "options", "cmdline", "kernel_cmdline", "append", "APPEND" };
	cleanup_strv struct strv lines = {};
	bool root_given = false;
	for (size_t i = 0; i < boot->parameters.n; i++)
		root_given |= str_starts(boot->parameters.v[i], "root=");
	strv_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.n; i++) {
		const char *line = lines.v[i] + strspn(lines.v[i], " \t");
		for (size_t k = 0; k < ARRAY_SIZE(starts); k++)
			if (str_starts(line, starts[k]) && line_has(line, words) && (!root_given || strstr(line, "root=")))
				return true;
	}
	return false;
}

/* A unified image has the command line as a section, in plain bytes. */
static bool image_has(struct root *root, const char *path, const struct strv *words)
{
	cleanup_fd int fd = -1;
	cleanup_err struct err *e = root_open_fd(root, path, O_RDONLY, &fd);
	struct stat st;
	if (e || fstat(fd, &st) < 0 || st.st_size <= 0)
		return false;
	void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (bytes == MAP_FAILED)
		return false;
	bool all = true;
	for (size_t i = 0; i < words->n && all; i++)
		all = memmem(bytes, (size_t)st.st_size, words->v[i], strlen(words->v[i]));
	munmap(bytes, (size_t)st.st_size);
	return all;
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
	for (size_t i = 0; i < files.n; i++) {
		cleanup_free char *text = str_ends(files.v[i], ".efi") ? NULL : root_read_or(root, files.v[i], "");
		if (text ? text_has(text, boot, words) : image_has(root, files.v[i], words))
			return NULL;
	}
	return err_new(_("what will be booted does not have: %s (looked for in %s)"), joined, read);
}

struct err *setup_try(struct root *root, const struct boot_facts *boot, const struct setup *setup)
{
	for (size_t i = 0; root_is_host(root) && i < setup->scratch.n; i++) {
		cleanup_free char *said = NULL;
		const char *template = setup->scratch.v[i], *at = strstr(template, "%s");
		cleanup_free char *command = str_fmt("%.*s" SCRATCH, (int)(at - template), template);
		struct err *e = setup_command(root, command, &said);
		cleanup_free char *text = e ? NULL : root_read_or(root, SCRATCH, "");
		err_free(root_unlink(root, SCRATCH));
		TRY(e);
		if (!text_has(text, boot, &setup->words))
			return err_new(_("`%s` makes a menu without the words"), template);
	}
	return NULL;
}

/* ---- initial RAM disks ---- */

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
		if (S_ISREG(st.st_mode) && image && st.st_mtime >= since - 2 && !strv_has(ret_files, path)) /* FAT tells even seconds */
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

static struct err *prove_images(struct root *root, const struct boot_image *image, time_t since)
{
	cleanup_strv struct strv files = {};
	bool built_in = is_built_in(root);
	find_new(root, "/boot", DEPTH, since, &files);
	find_new(root, "/efi", DEPTH, since, &files);
	if (!files.n)
		return err_new(_("`%s` ended well and built no initial RAM disk below /boot or /efi"), image->rebuild);
	for (size_t i = 0; i < files.n; i++) {
		cleanup_free char *said = NULL;
		cleanup_free char *command = str_fmt("%.*s%s", (int)(strstr(image->list, "%s") - image->list), image->list, files.v[i]);
		TRY(setup_command(root, command, &said));
		if (!strstr(said, &SETUP_EARLY[1]))
			return err_new(_("%s does not hold %s"), files.v[i], SETUP_EARLY);
		if (!built_in && !strstr(said, "/vfio-pci.ko"))
			return err_new(_("%s does not hold the module vfio-pci"), files.v[i]);
	}
	return NULL;
}

struct err *setup_prove(struct root *root, const struct boot_facts *boot, const struct setup *setup, time_t since)
{
	if (!root_is_host(root))
		return NULL;
	if (setup->writes_words)
		TRY(prove_words(root, boot, &setup->words));
	if (setup->binds && boot->image->list)
		TRY(prove_images(root, boot->image, since));
	return NULL;
}
