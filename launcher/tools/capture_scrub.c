/* SPDX-License-Identifier: GPL-2.0-or-later */
/* capture_scrub: see capture_scrub.h. */
#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include "launcher/tools/capture_scrub.h"

struct host {
	struct root *root;
	struct scrub *scrub;
	struct archive_item *items;
	size_t n;
};

static bool is_secret_file(const char *path)
{
	static const char *const names[] = { "serial", "wwid", "nguid", "eui", "uuid", "uniq", "product_serial", "product_uuid", "board_serial",
					     "chassis_serial", "board_asset_tag", "chassis_asset_tag", "serial_number", "unique_id", "machine-id" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (streq(str_base(path), names[i]))
			return true;
	return false;
}

/* What the kernel, udev and the firmware number things by, whether anybody has read it or not: what has it in its name is read. */
static void tell_files(struct host *h, const char *folder, const char *const files[], size_t n)
{
	cleanup_strv struct strv names = {};
	err_free(root_list(h->root, folder, &names));
	for (size_t i = 0; i < names.n; i++)
		for (size_t k = 0; k < n; k++) {
			cleanup_free char *path = str_fmt("%s/%s/%s", folder, names.v[i], files[k]), *text = root_read_or(h->root, path, "");
			scrub_tell(h->scrub, SCRUB_SERIAL, str_trim(text), NULL);
		}
}

static void tell_numbers(struct host *h)
{
	static const char *const usb[] = { "serial" }, *const input[] = { "device/uniq" },
				 *const dmi[] = { "product_serial",  "product_uuid",     "board_serial",
						  "board_asset_tag", "chassis_serial",   "chassis_asset_tag" },
				 *const block[] = { "device/serial", "device/wwid", "wwid", "nguid", "eui", "uuid", "device/model_serial" };
	static const char *const by[] = { "/dev/disk/by-id", "/dev/input/by-id", "/dev/disk/by-uuid", "/dev/disk/by-partuuid" };
	tell_files(h, "/sys/bus/usb/devices", usb, ARRAY_SIZE(usb));
	tell_files(h, "/sys/class/input", input, ARRAY_SIZE(input));
	tell_files(h, "/sys/class/dmi", dmi, ARRAY_SIZE(dmi));
	tell_files(h, "/sys/class/block", block, ARRAY_SIZE(block));
	for (size_t b = 0; b < ARRAY_SIZE(by); b++) {
		cleanup_strv struct strv names = {};
		err_free(root_list(h->root, by[b], &names));
		for (size_t i = 0; i < names.n; i++)
			if (b < 2)
				scrub_tell_by_id(h->scrub, names.v[i], b == 0);
			else
				scrub_tell(h->scrub, SCRUB_UUID, names.v[i], NULL);
	}
	cleanup_free char *machine = root_read_or(h->root, "/etc/machine-id", "");
	scrub_tell(h->scrub, SCRUB_UUID, machine, NULL);
}

/* A host that is called as its distribution is says nothing. */
static void tell_name(struct host *h, enum scrub_kind kind, const char *name)
{
	cleanup_free char *release = root_read_or(h->root, "/etc/os-release", ""), *id = str_fmt("ID=%s\n", name), *line = strstr(release, id) ? NULL
														       : str_dup(name);
	if (line && !streq(name, "root"))
		scrub_tell(h->scrub, kind, name, NULL);
}

static void tell_names(struct host *h)
{
	static const char *const files[] = { "/proc/sys/kernel/hostname", "/etc/hostname" };
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		cleanup_free char *name = root_read_or(h->root, files[i], ""), *first = str_ndup(name, strcspn(name, ".\n"));
		tell_name(h, SCRUB_HOST, name);
		tell_name(h, SCRUB_HOST, first);
	}
	cleanup_free char *users = root_read_or(h->root, "/etc/passwd", "");
	cleanup_strv struct strv lines = {};
	strv_split(&lines, users, "\n");
	for (size_t i = 0; i < lines.n; i++) { /* passwd(5): accounts of people begin at 1000 (login.defs(5), UID_MIN) */
		cleanup_strv struct strv word = {};
		strv_split(&word, lines.v[i], ":");
		long uid = word.n > 2 ? strtol(word.v[2], NULL, 10) : 0;
		if (uid >= 1000 && uid < 60000)
			tell_name(h, SCRUB_USER, word.v[0]);
	}
}

/* A mount point of somebody's own: its first folder says enough. */
static void tell_place(struct host *h, const char *path)
{
	const char *second = strchr(path + 1, '/');
	cleanup_free char *stand_in = str_fmt("%.*s/place%zu", second ? (int)(second - path) : 0, path, h->scrub->count[SCRUB_PLACE] + 1);
	scrub_tell(h->scrub, SCRUB_PLACE, path, stand_in);
}

/* "\\040" is a blank, as whoever names the folder writes it. */
static char *without_escapes(const char *text)
{
	struct sb out = {};
	for (; *text; text++) {
		bool blank = str_starts(text, "\\040");
		sb_addc(&out, blank ? ' ' : *text);
		text += blank ? 3 : 0;
	}
	return sb_steal(&out);
}

/* Where a person has put things, and whose server it is: mountinfo(5), the fifth word and the source behind the dash. */
static void tell_places(struct host *h)
{
	static const char *const usual[] = { "/boot", "/efi", "/home", "/usr", "/var", "/tmp", "/run", "/dev", "/sys", "/proc", "/opt", "/srv",
					     "/root", "/etc", "/snap", "/nix", "/gnu", "/ostree", "/sysroot" };
	cleanup_free char *text = root_read_or(h->root, "/proc/self/mountinfo", "");
	cleanup_strv struct strv lines = {};
	strv_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.n; i++) {
		cleanup_strv struct strv word = {};
		strv_split(&word, lines.v[i], " ");
		bool own = word.n > 4 && word.v[4][1];
		for (size_t k = 0; own && k < ARRAY_SIZE(usual); k++)
			own = fnmatch(usual[k], word.v[4], FNM_PATHNAME | FNM_LEADING_DIR) != 0;
		if (own)
			tell_place(h, word.v[4]);
		cleanup_free char *plain = own ? without_escapes(word.v[4]) : NULL;
		if (own && !streq(plain, word.v[4]))
			tell_place(h, plain);
		for (size_t k = 6; k + 1 < word.n; k++)
			if (strstr(word.v[k], ":/") || str_starts(word.v[k], "//"))
				scrub_tell(h->scrub, SCRUB_PLACE, word.v[k], NULL);
	}
}

/* NAME=value and "name = value" of what numbers things; the same file may have it in quotes. */
static void tell_values(struct host *h, const char *text)
{
	static const char *const names[] = { "UUID", "PARTUUID", "SERIAL", "SERIAL_SHORT", "ID_WWN", "UNIQ", "uuid", "serial" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		for (const char *at = text; (at = strstr(at, names[i]));) {
			bool begins = at == text || !isalnum((unsigned char)at[-1]);
			at += strlen(names[i]);
			const char *value = at + strspn(at, " \t");
			if (!begins || *value != '=')
				continue;
			value += 1 + strspn(value + 1, " \t\"'");
			cleanup_free char *secret = str_ndup(value, strcspn(value, " \t\n\"',;&"));
			if (!strchr(secret, '/') && !strchr(secret, '$'))
				scrub_tell(h->scrub, SCRUB_SERIAL, secret, NULL);
		}
}

/* A table of routes has its addresses as numbers: Iface Destination Gateway … (proc(5)). Whether there is a way out is all that counts. */
static char *without_gateways(const char *text)
{
	cleanup_strv struct strv lines = {};
	struct sb out = {};
	strv_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.n; i++) {
		cleanup_strv struct strv word = {};
		strv_split(&word, lines.v[i], "\t ");
		for (size_t k = 0; k < word.n; k++)
			sb_addf(&out, "%s%s", k ? "\t" : "", k == 2 && i && !streq(word.v[k], "00000000") ? "010200C0" : word.v[k]);
		sb_addc(&out, '\n');
	}
	return sb_steal(&out);
}

/* Without lines that have a password's hash or say where one stands; and without the labels of file systems, which are words. */
static char *without_words(const char *text)
{
	struct sb out = {};
	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n"), label;
		cleanup_free char *one = str_ndup(line, n);
		bool password = strcasestr(one, "password") || strcasestr(one, "passphrase");
		const char *from = password ? "# (left out)" : one;
		for (const char *at; (at = strstr(from, "LABEL=")); from = at + label) {
			at += strlen("LABEL=");
			label = strcspn(at, " \t\"',;");
			sb_addn(&out, from, (size_t)(at - from));
			sb_add(&out, label ? "place" : "");
		}
		sb_add(&out, from);
		line += n;
		if (*line)
			sb_addc(&out, *line++);
	}
	return sb_steal(&out);
}

static void scrub_item(struct host *h, struct archive_item *item)
{
	bool kernel = str_starts(item->path, "sys/") || str_starts(item->path, "usr/") || str_starts(item->path, "lib");
	enum scrub_where where = kernel ? SCRUB_KERNEL : SCRUB_TEXT;
	if (item->data && S_ISREG(item->mode)) {
		bool routes = streq(item->path, "proc/net/route");
		cleanup_free char *text = routes		? without_gateways(item->data)
					  : where == SCRUB_TEXT ? without_words(item->data)
								: str_dup(item->data);
		char *now = scrub_text(h->scrub, text, where);
		free(item->data);
		item->data = now;
		item->len = strlen(now);
	} else if (item->data) {
		char *now = scrub_text(h->scrub, item->data, where);
		free(item->data);
		item->data = now;
	}
	cleanup_free char *whole = str_fmt("/%s", item->path), *path = scrub_text(h->scrub, whole, where);
	str_set(&item->path, path + 1);
}

/* dm/uuid begins with who made it, which is to stay: "LVM-", "CRYPT-LUKS2-". */
static void tell_content(struct host *h, const struct archive_item *item)
{
	cleanup_free char *copy = str_dup(item->data);
	const char *value = str_trim(copy);
	bool mapped = str_ends(item->path, "dm/uuid");
	for (int dashes = !mapped ? 0 : str_starts(value, "CRYPT-") ? 2 : 1; dashes && strchr(value, '-'); dashes--)
		value = strchr(value, '-') + 1;
	if (is_secret_file(item->path))
		scrub_tell(h->scrub, SCRUB_SERIAL, value, NULL);
	if (!str_starts(item->path, "sys/") && !str_starts(item->path, "usr/"))
		tell_values(h, item->data);
}

/* A number that is too short to be looked for elsewhere. */
static void blank_short(struct archive_item *item, const char *before)
{
	cleanup_free char *copy = str_dup(before);
	if (!streq(before, item->data) || scrub_says_nothing(str_trim(copy)))
		return;
	*item->data = '\0';
	item->len = 0;
}

void capture_scrub(struct root *root, struct scrub *scrub, struct archive_item *items, size_t n)
{
	struct host host = { root, scrub, items, n }, *h = &host;
	tell_names(h);
	tell_places(h);
	tell_numbers(h);
	for (size_t i = 0; i < h->n; i++)
		if (h->items[i].data && S_ISREG(h->items[i].mode))
			tell_content(h, &h->items[i]);
	for (size_t i = 0; i < h->n; i++) {
		struct archive_item *item = &h->items[i];
		cleanup_free char *before = is_secret_file(item->path) && item->data && S_ISREG(item->mode) ? str_dup(item->data) : NULL;
		scrub_item(h, item);
		if (before)
			blank_short(item, before);
	}
}
