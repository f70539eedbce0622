/* SPDX-License-Identifier: GPL-2.0-or-later */
/* capture: see capture.h. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include "launcher/tools/capture.h"

#define BYTES_MAX (64u << 20) /* of all files; a host with 256 CPUs has a tenth of it */
#define HOPS_MAX 40           /* links on the way to one path, as in the kernel */
#define DEPTH_MAX 6           /* below a folder that a library reads by itself; cpuN/cache/indexN is three */

/* ---- what is never in it, and what of the rest has its content ---- */

static bool is_process(const char *path)
{
	return str_starts(path, "/proc/") && isdigit((unsigned char)path[strlen("/proc/")]);
}

/* One part of a path may be anything: "*". */
static bool is_below(const char *path, const char *pattern)
{
	for (; *pattern; path++, pattern++) {
		if (*pattern == '*') {
			path += strcspn(path, "/") - 1;
			continue;
		}
		if (*path != *pattern)
			return false;
	}
	return !*path || *path == '/';
}

static bool is_left_out(const char *path)
{
	static const char *const folders[] = { "/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow", "/run/qlaunch", "/run/user/*/qlaunch",
					       "/proc/self/fd", "/proc/self/environ", "/dev/disk/by-label", "/dev/disk/by-partlabel" };
	const char *base = str_base(path);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (is_below(path, folders[i]))
			return true;
	return is_process(path) || streq(base, "edid") || str_starts(base, "vpd_pg");
}

static bool has_content(const char *path)
{
	static const char *const folders[] = { "/proc", "/sys", "/etc", "/run", "/boot", "/efi", "/usr", "/lib", "/lib64", "/var/cache/qlaunch" };
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (is_below(path, folders[i]))
			return true;
	return false;
}

/* ---- the tree ---- */

static void add(struct capture *c, const char *path, mode_t mode, char *data, size_t len, uint64_t size)
{
	if (!path[1])
		return;
	c->items = mem_grow(c->items, c->n, sizeof(*c->items));
	c->items[c->n++] = (struct archive_item){ str_dup(path + 1), mode, data, len, size };
}

/* Processes have each their own: captured, it is a folder. */
static bool is_self(const char *path)
{
	return streq(path, "/proc/self") || streq(path, "/proc/thread-self");
}

static bool is_folder(struct root *root, const char *path)
{
	struct stat st;
	cleanup_err struct err *none = root_stat(root, path, &st);
	return !none && S_ISDIR(st.st_mode);
}

/*
 * Adds the links and folders on the way to a path, and its last part where that is a link; returns where all of them lead. NULL: in a
 * circle, or to what is left out. What is not there has a way, too: a link may lead to nothing.
 */
static char *walk(struct capture *c, const char *path)
{
	cleanup_free char *rest = str_dup(path), *at = str_dup("");
	char *next = rest;
	for (int hops = 0; hops < HOPS_MAX;) {
		next += strspn(next, "/");
		if (!*next)
			return *at ? steal(at) : str_dup("/");
		size_t n = strcspn(next, "/");
		cleanup_free char *part = str_ndup(next, n), *here = str_fmt("%s/%s", at, part);
		next += n;
		if (streq(part, ".") || is_left_out(here)) {
			if (!streq(part, "."))
				return NULL;
			continue;
		}
		if (streq(part, "..")) {
			char *slash = strrchr(at, '/');
			*(slash ? slash : at) = '\0';
			continue;
		}
		char *target = is_self(here) ? NULL : root_link(c->root, here);
		if (target) {
			hops++;
			add(c, here, S_IFLNK | 0777, target, 0, 0);
			char *longer = str_fmt("%s%s", target, next);
			if (*target == '/')
				*at = '\0';
			free(rest);
			next = rest = longer;
			continue;
		}
		if (next[strspn(next, "/")] && is_folder(c->root, here))
			add(c, here, S_IFDIR | 0755, NULL, 0, 0);
		free(at);
		at = steal(here);
	}
	return NULL;
}

static bool is_text(const char *bytes, size_t len)
{
	return !memchr(bytes, 0, len);
}

/* A file, a folder, or what stands for a node: an empty file. `content`: somebody has read it. */
static void take(struct capture *c, const char *path, bool content)
{
	struct stat st;
	cleanup_free char *real = walk(c, path);
	cleanup_err struct err *gone = real ? root_stat(c->root, real, &st) : NULL;
	if (!real || gone)
		return;
	if (S_ISDIR(st.st_mode)) {
		add(c, real, S_IFDIR | 0755, NULL, 0, 0);
		return;
	}
	char *data = NULL;
	size_t len = 0;
	uint64_t size = S_ISREG(st.st_mode) && !has_content(real) && !is_below(real, "/dev") ? (uint64_t)st.st_size : 0;
	mode_t mode = S_IFREG | (st.st_mode & 0111 ? 0755 : 0644);
	cleanup_err struct err *unread = NULL;
	if (content && S_ISREG(st.st_mode) && has_content(real))
		unread = root_read_bytes(c->root, real, &data, &len);
	if (unread) /* it answers so to who replays it, too; root aside */
		mode = S_IFREG;
	if (data && !is_text(data, len)) {
		free(data);
		data = NULL;
		len = 0;
	}
	c->bytes += len;
	add(c, real, mode, data, len, data ? 0 : size);
}

/* The names, each as the kind of thing that it is. */
static void take_list(struct capture *c, const char *path)
{
	cleanup_strv struct strv names = {};
	cleanup_free char *real = walk(c, path);
	cleanup_err struct err *none = real ? root_list(c->root, real, &names) : NULL;
	if (!real || none || (!has_content(real) && !is_below(real, "/dev")))
		return;
	add(c, real, S_IFDIR | 0755, NULL, 0, 0);
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *below = str_fmt("%s/%s", streq(real, "/") ? "" : real, names.v[i]);
		char *link = is_left_out(below) || is_self(below) ? NULL : root_link(c->root, below);
		if (link)
			add(c, below, S_IFLNK | 0777, link, 0, 0);
		else if (!is_left_out(below))
			take(c, below, false);
	}
}

static void take_below(struct capture *c, const char *path, int depth)
{
	cleanup_strv struct strv names = {};
	cleanup_err struct err *none = root_list(c->root, path, &names);
	if (none) {
		take(c, path, true);
		return;
	}
	for (size_t i = 0; i < names.n && depth < DEPTH_MAX; i++) {
		cleanup_free char *below = str_fmt("%s/%s", path, names.v[i]), *link = root_link(c->root, below);
		if (!link)
			take_below(c, below, depth + 1);
	}
}

/* ---- what is personal ---- */

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
static void tell_files(struct capture *c, const char *folder, const char *const files[], size_t n)
{
	cleanup_strv struct strv names = {};
	err_free(root_list(c->root, folder, &names));
	for (size_t i = 0; i < names.n; i++)
		for (size_t k = 0; k < n; k++) {
			cleanup_free char *path = str_fmt("%s/%s/%s", folder, names.v[i], files[k]), *text = root_read_or(c->root, path, "");
			scrub_tell(&c->scrub, SCRUB_SERIAL, str_trim(text), NULL);
		}
}

static void tell_numbers(struct capture *c)
{
	static const char *const usb[] = { "serial" }, *const input[] = { "device/uniq" },
				 *const dmi[] = { "product_serial",  "product_uuid",     "board_serial",
						  "board_asset_tag", "chassis_serial",   "chassis_asset_tag" },
				 *const block[] = { "device/serial", "device/wwid", "wwid", "nguid", "eui", "uuid", "device/model_serial" };
	static const char *const by[] = { "/dev/disk/by-id", "/dev/input/by-id", "/dev/disk/by-uuid", "/dev/disk/by-partuuid" };
	tell_files(c, "/sys/bus/usb/devices", usb, ARRAY_SIZE(usb));
	tell_files(c, "/sys/class/input", input, ARRAY_SIZE(input));
	tell_files(c, "/sys/class/dmi", dmi, ARRAY_SIZE(dmi));
	tell_files(c, "/sys/class/block", block, ARRAY_SIZE(block));
	for (size_t b = 0; b < ARRAY_SIZE(by); b++) {
		cleanup_strv struct strv names = {};
		err_free(root_list(c->root, by[b], &names));
		for (size_t i = 0; i < names.n; i++)
			if (b < 2)
				scrub_tell_by_id(&c->scrub, names.v[i], b == 0);
			else
				scrub_tell(&c->scrub, SCRUB_UUID, names.v[i], NULL);
	}
	cleanup_free char *machine = root_read_or(c->root, "/etc/machine-id", "");
	scrub_tell(&c->scrub, SCRUB_UUID, machine, NULL);
}

/* A host that is called as its distribution is says nothing. */
static void tell_name(struct capture *c, enum scrub_kind kind, const char *name)
{
	cleanup_free char *release = root_read_or(c->root, "/etc/os-release", ""), *id = str_fmt("ID=%s\n", name), *line = strstr(release, id) ? NULL
														       : str_dup(name);
	if (line && !streq(name, "root"))
		scrub_tell(&c->scrub, kind, name, NULL);
}

static void tell_names(struct capture *c)
{
	static const char *const files[] = { "/proc/sys/kernel/hostname", "/etc/hostname" };
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		cleanup_free char *name = root_read_or(c->root, files[i], ""), *first = str_ndup(name, strcspn(name, ".\n"));
		tell_name(c, SCRUB_HOST, name);
		tell_name(c, SCRUB_HOST, first);
	}
	cleanup_free char *users = root_read_or(c->root, "/etc/passwd", "");
	cleanup_strv struct strv lines = {};
	strv_split(&lines, users, "\n");
	for (size_t i = 0; i < lines.n; i++) { /* passwd(5): accounts of people begin at 1000 (login.defs(5), UID_MIN) */
		cleanup_strv struct strv word = {};
		strv_split(&word, lines.v[i], ":");
		long uid = word.n > 2 ? strtol(word.v[2], NULL, 10) : 0;
		if (uid >= 1000 && uid < 60000)
			tell_name(c, SCRUB_USER, word.v[0]);
	}
}

/* A mount point of somebody's own: its first folder says enough. */
static void tell_place(struct capture *c, const char *path)
{
	const char *second = strchr(path + 1, '/');
	cleanup_free char *stand_in = str_fmt("%.*s/place%zu", second ? (int)(second - path) : 0, path, c->scrub.count[SCRUB_PLACE] + 1);
	scrub_tell(&c->scrub, SCRUB_PLACE, path, stand_in);
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
static void tell_places(struct capture *c)
{
	static const char *const usual[] = { "/boot", "/efi", "/home", "/usr", "/var", "/tmp", "/run", "/dev", "/sys", "/proc", "/opt", "/srv",
					     "/root", "/etc", "/snap", "/nix", "/gnu", "/ostree", "/sysroot" };
	cleanup_free char *text = root_read_or(c->root, "/proc/self/mountinfo", "");
	cleanup_strv struct strv lines = {};
	strv_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.n; i++) {
		cleanup_strv struct strv word = {};
		strv_split(&word, lines.v[i], " ");
		bool own = word.n > 4 && word.v[4][1];
		for (size_t k = 0; own && k < ARRAY_SIZE(usual); k++)
			own = !is_below(word.v[4], usual[k]);
		if (own)
			tell_place(c, word.v[4]);
		cleanup_free char *plain = own ? without_escapes(word.v[4]) : NULL;
		if (own && !streq(plain, word.v[4]))
			tell_place(c, plain);
		for (size_t k = 6; k + 1 < word.n; k++)
			if (strstr(word.v[k], ":/") || str_starts(word.v[k], "//"))
				scrub_tell(&c->scrub, SCRUB_PLACE, word.v[k], NULL);
	}
}

/* NAME=value and "name = value" of what numbers things; the same file may have it in quotes. */
static void tell_values(struct capture *c, const char *text)
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
				scrub_tell(&c->scrub, SCRUB_SERIAL, secret, NULL);
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

static void scrub_item(struct capture *c, struct archive_item *item)
{
	bool kernel = str_starts(item->path, "sys/") || str_starts(item->path, "usr/") || str_starts(item->path, "lib");
	enum scrub_where where = kernel ? SCRUB_KERNEL : SCRUB_TEXT;
	if (item->data && S_ISREG(item->mode)) {
		bool routes = streq(item->path, "proc/net/route");
		cleanup_free char *text = routes		? without_gateways(item->data)
					  : where == SCRUB_TEXT ? without_words(item->data)
								: str_dup(item->data);
		char *now = scrub_text(&c->scrub, text, where);
		free(item->data);
		item->data = now;
		item->len = strlen(now);
	} else if (item->data) {
		char *now = scrub_text(&c->scrub, item->data, where);
		free(item->data);
		item->data = now;
	}
	cleanup_free char *whole = str_fmt("/%s", item->path), *path = scrub_text(&c->scrub, whole, where);
	str_set(&item->path, path + 1);
}

/* dm/uuid begins with who made it, which is to stay: "LVM-", "CRYPT-LUKS2-". */
static void tell_content(struct capture *c, const struct archive_item *item)
{
	cleanup_free char *copy = str_dup(item->data);
	const char *value = str_trim(copy);
	bool mapped = str_ends(item->path, "dm/uuid");
	for (int dashes = !mapped ? 0 : str_starts(value, "CRYPT-") ? 2 : 1; dashes && strchr(value, '-'); dashes--)
		value = strchr(value, '-') + 1;
	if (is_secret_file(item->path))
		scrub_tell(&c->scrub, SCRUB_SERIAL, value, NULL);
	if (!str_starts(item->path, "sys/") && !str_starts(item->path, "usr/"))
		tell_values(c, item->data);
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

/* ---- all of it ---- */

static void asked(void *data, enum root_look how, const char *path)
{
	struct capture *c = data;
	if (is_left_out(path))
		return;
	if (how == ROOT_BELOW) {
		root_watch(c->root, NULL, NULL);
		take_below(c, path, 0);
		root_watch(c->root, asked, c);
		return;
	}
	strv_add(how == ROOT_READ ? &c->read : how == ROOT_LIST ? &c->list : &c->there, path);
}

void capture_begin(struct capture *c, struct root *root)
{
	*c = (struct capture){ .root = root };
	root_watch(root, asked, c);
}

void capture_add(struct capture *c, const char *name, const char *text)
{
	cleanup_free char *path = str_fmt("/%s", name);
	add(c, path, S_IFREG | 0644, str_dup(text), strlen(text), 0);
	c->items[c->n - 1].mode |= 0200;
}

/* Of several of one path the one that says most comes first: a link, content, a size, a folder. */
static int says(const struct archive_item *i)
{
	return S_ISLNK(i->mode) ? 0 : i->data ? 1 : i->size ? 2 : S_ISDIR(i->mode) ? 3 : 4;
}

static int by_path(const void *a, const void *b)
{
	const struct archive_item *x = a, *y = b;
	int order = strcmp(x->path, y->path);
	return order ? order : says(x) - says(y);
}

static void each(struct strv *paths, struct capture *c, void (*fn)(struct capture *c, const char *path))
{
	strv_sort(paths);
	for (size_t i = 0; i < paths->n; i++)
		if (!i || !streq(paths->v[i], paths->v[i - 1]))
			fn(c, paths->v[i]);
}

static void take_read(struct capture *c, const char *path)
{
	take(c, path, true);
}

static void take_there(struct capture *c, const char *path)
{
	take(c, path, false);
}

static void item_free(struct archive_item *item)
{
	free(item->path);
	free(item->data);
}

static void once_each(struct capture *c)
{
	size_t kept = 0;
	if (c->n)
		qsort(c->items, c->n, sizeof(*c->items), by_path);
	for (size_t i = 0; i < c->n; i++) {
		if (kept && streq(c->items[i].path, c->items[kept - 1].path))
			item_free(&c->items[i]);
		else
			c->items[kept++] = c->items[i];
	}
	c->n = kept;
}

struct err *capture_end(struct capture *c)
{
	root_watch(c->root, NULL, NULL);
	each(&c->read, c, take_read);
	each(&c->list, c, take_list);
	each(&c->there, c, take_there);
	once_each(c);
	if (c->bytes > BYTES_MAX)
		return err_coded(EFBIG, "what is read of this host is more than %u MiB", BYTES_MAX >> 20);
	tell_names(c);
	tell_places(c);
	tell_numbers(c);
	for (size_t i = 0; i < c->n; i++)
		if (c->items[i].data && S_ISREG(c->items[i].mode))
			tell_content(c, &c->items[i]);
	for (size_t i = 0; i < c->n; i++) {
		struct archive_item *item = &c->items[i];
		cleanup_free char *before = is_secret_file(item->path) && item->data && S_ISREG(item->mode) ? str_dup(item->data) : NULL;
		scrub_item(c, item);
		if (before)
			blank_short(item, before);
	}
	once_each(c);
	return NULL;
}

void capture_free(struct capture *c)
{
	for (size_t i = 0; i < c->n; i++)
		item_free(&c->items[i]);
	free(c->items);
	strv_free(&c->there);
	strv_free(&c->list);
	strv_free(&c->read);
	scrub_free(&c->scrub);
	*c = (struct capture){};
}
