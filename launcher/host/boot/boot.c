/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot: see boot.h. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/tr.h"
#include "launcher/host/boot/boot.h"

/* Boot Loader Interface (systemd.io/BOOT_LOADER_INTERFACE): the loader that started this kernel, in UTF-16 behind four bytes of
 * attributes */
#define LOADER_INFO "/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
/* and its entry: the name of a file of the Boot Loader Specification, or of the loader's own making */
#define LOADER_ENTRY "/sys/firmware/efi/efivars/LoaderEntrySelected-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

static char *loader_says(struct root *root, const char *variable)
{
	struct sb out = {};
	char text[1024];
	cleanup_fd int fd = -1;
	cleanup_err struct err *e = root_open_fd(root, variable, O_RDONLY, &fd);
	ssize_t n = e ? 0 : read(fd, text, sizeof(text));
	for (ssize_t at = 4; at + 1 < n && text[at] && !text[at + 1]; at += 2)
		sb_addc(&out, text[at]);
	return sb_steal(&out);
}

static bool text_holds(const char *text, const char *what)
{
	if (*what == '!')
		return !text_holds(text, what + 1);
	if (*what != '^')
		return strstr(text, what);
	for (const char *at = text; (at = strstr(at, what + 1)); at++)
		if (at == text || at[-1] == '\n')
			return true;
	return false;
}

static bool sign_is_there(struct root *root, const struct boot_sign *sign)
{
	bool absent = *sign->path == '!', holds = !sign->holds;
	cleanup_strv struct strv files = {};
	boot_glob(root, sign->path + absent, &files);
	for (size_t i = 0; i < files.n && !holds; i++) {
		cleanup_free char *text = root_read_or(root, files.v[i], "");
		holds = text_holds(text, sign->holds);
	}
	return holds && (files.n > 0) != absent;
}

static bool signs_are_there(struct root *root, const struct boot_sign *signs, size_t n)
{
	for (size_t i = 0; i < n && signs[i].path; i++)
		if (!sign_is_there(root, &signs[i]))
			return false;
	return true;
}

/* Of entries, those that start a Linux kernel: neither another system (efi), nor memtest, nor a recovery. */
static bool is_kernel_entry(struct root *root, const char *path)
{
	cleanup_free char *text = root_read_or(root, path, "");
	cleanup_strv struct strv lines = {};
	bool linux_line = false;
	strv_split(&lines, text, "\r\n");
	for (size_t i = 0; i < lines.n; i++) {
		const char *line = lines.v[i] + strspn(lines.v[i], " \t");
		linux_line |= str_starts(line, "linux ") || str_starts(line, "linux\t");
		if (str_starts(line, "title") &&
		    (strcasestr(line, "recovery") || strcasestr(line, "rescue") || strcasestr(line, "memtest")))
			return false;
	}
	return linux_line && !strcasestr(path, "recovery") && !strcasestr(path, "rescue");
}

/* The files that a way would write: of entries those of a Linux kernel. */
static void find_files(struct root *root, const struct boot_way *way, struct strv *ret_files)
{
	cleanup_strv struct strv all = {};
	if (way->file)
		boot_glob(root, way->file, &all);
	for (size_t i = 0; i < all.n; i++)
		if (way->form != BOOT_OPTIONS || is_kernel_entry(root, all.v[i]))
			strv_add(ret_files, all.v[i]);
	if (way->from_running)
		strv_add(ret_files, way->file);
}

/* A folder for entries in which no kernel has one: what is started here has its command line elsewhere. */
static bool has_no_entry(struct root *root, const struct boot_way *way)
{
	cleanup_strv struct strv files = {};
	if (way->form == BOOT_OPTIONS)
		find_files(root, way, &files);
	return way->form == BOOT_OPTIONS && !files.n;
}

/* A loader that the table does not know the name of (an older GRUB tells none) speaks against no row. */
static bool is_known_loader(const char *info)
{
	for (const struct boot_way *way = boot_ways; way->form != BOOT_UNKNOWN; way++)
		if (way->started && str_starts(info, way->started))
			return true;
	return false;
}

static const struct boot_way *find_way(struct root *root)
{
	cleanup_free char *info = loader_says(root, LOADER_INFO);
	bool known = is_known_loader(info);
	const struct boot_way *way = boot_ways;
	for (; way->form != BOOT_UNKNOWN; way++)
		if ((!known || !way->started || str_starts(info, way->started)) &&
		    signs_are_there(root, way->signs, ARRAY_SIZE(way->signs)) && !has_no_entry(root, way))
			break;
	return way;
}

static const struct boot_image *find_image(struct root *root)
{
	const struct boot_image *image = boot_images;
	while (!signs_are_there(root, image->signs, ARRAY_SIZE(image->signs)))
		image++; /* the last has no signs */
	return image;
}

void boot_glob(struct root *root, const char *patterns, struct strv *ret_files)
{
	cleanup_strv struct strv all = {};
	strv_split(&all, patterns, " ");
	for (size_t i = 0; i < all.n; i++) {
		char *star = strstr(all.v[i], "/*");
		if (!star) {
			if (root_exists(root, all.v[i]))
				strv_add(ret_files, all.v[i]);
			continue;
		}
		cleanup_strv struct strv names = {};
		*star = '\0';
		err_free(root_list(root, all.v[i], &names));
		for (size_t k = 0; k < names.n; k++)
			if (str_ends(names.v[k], star + 2))
				strv_addf(ret_files, "%s/%s", all.v[i], names.v[k]);
	}
}

char *boot_fill(const char *template, const char *word)
{
	const char *at = strstr(template, "%s");
	return at ? str_fmt("%.*s%s%s", (int)(at - template), template, word, at + 2) : str_dup(template);
}

char *boot_take_out(const struct boot_facts *f, const char *word)
{
	cleanup_free char *command = f->way->remove ? boot_fill(f->way->remove, word) : NULL;
	if (command)
		return str_fmt("sudo %s", command);
	return tr_fmt("take %s out of %s", word, f->files.n ? f->files.v[0] : _("the kernel's command line"));
}

const char *boot_rebuild(const struct boot_facts *f)
{
	return f->way->images == BOOT_BUILDS_IMAGES && f->image->kind != INITRAMFS_UNKNOWN ? f->way->apply : f->image->rebuild;
}

/* Where a kernel's own image lies: beside its modules (Fedora, Arch, Debian from 14 on), or in /boot. */
static char *kernel_image(struct root *root, const char *version)
{
	char *beside = str_fmt("/lib/modules/%s/vmlinuz", version);
	if (root_exists(root, beside))
		return beside;
	free(beside);
	return str_fmt("/boot/vmlinuz-%s", version);
}

void boot_commands(struct root *root, const char *command, struct strv *ret_commands)
{
	cleanup_strv struct strv versions = {};
	if (!strstr(command, "%k")) {
		strv_add(ret_commands, command);
		return;
	}
	err_free(root_list(root, "/lib/modules", &versions));
	for (size_t i = 0; i < versions.n; i++) {
		cleanup_free char *image = kernel_image(root, versions.v[i]);
		struct sb out = {};
		if (!root_exists(root, image)) /* modules that a removed kernel left */
			continue;
		for (const char *p = command; *p; p++) {
			bool word = p[0] == '%' && (p[1] == 'k' || p[1] == 'i');
			if (word)
				sb_add(&out, *++p == 'k' ? versions.v[i] : image);
			else
				sb_addc(&out, *p);
		}
		cleanup_free char *one = sb_steal(&out);
		strv_add(ret_commands, one);
	}
}

static char *find_selected(struct root *root)
{
	cleanup_free char *name = loader_says(root, LOADER_ENTRY), *end = str_fmt("/%s", name);
	cleanup_strv struct strv all = {};
	boot_glob(root, boot_entries, &all);
	for (size_t i = 0; *name && i < all.n; i++)
		if (str_ends(all.v[i], end) && (str_ends(end, ".efi") || is_kernel_entry(root, all.v[i])))
			return str_dup(all.v[i]);
	return NULL;
}

void boot_facts_read(struct root *root, struct boot_facts *ret_facts)
{
	struct boot_facts f = { .way = find_way(root), .image = find_image(root), .selected = find_selected(root) };
	cleanup_free char *cmdline = root_read_or(root, "/proc/cmdline", "");
	strv_split(&f.parameters, cmdline, " \n");
	if (f.way->drop_in) {
		cleanup_free char *reader = root_read_or(root, f.way->drop_in_reader ? f.way->drop_in_reader : "/", "");
		f.drop_in = !f.way->drop_in_reader || strstr(reader, f.way->drop_in_word);
	}
	find_files(root, f.way, &f.files);
	*ret_facts = f;
}

void boot_facts_free(struct boot_facts *f)
{
	strv_free(&f->files);
	strv_free(&f->parameters);
	free(f->selected);
	*f = (struct boot_facts){};
}

bool boot_has(const struct boot_facts *f, const char *parameter)
{
	return strv_has(&f->parameters, parameter);
}

const char *boot_loader_name(const struct boot_facts *f)
{
	return tr(f->way->name);
}

char *boot_remedy(const struct boot_facts *f, const char *words)
{
	if (f->way->hand) {
		struct sb out = {}; /* the table's text has one %s, and %% */
		for (const char *p = tr(f->way->hand); *p; p++) {
			if (p[0] == '%' && p[1] == 's')
				sb_add(&out, words);
			else
				sb_addc(&out, *p);
			p += *p == '%';
		}
		return sb_steal(&out);
	}
	return str_fmt("sudo qlaunch setup --gpu none");
}
