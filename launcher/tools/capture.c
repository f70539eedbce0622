/* SPDX-License-Identifier: GPL-2.0-or-later */
/* capture: see capture.h. */
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include "launcher/tools/capture.h"
#include "launcher/tools/capture_scrub.h"

#define BYTES_MAX (64u << 20) /* of all files; a host with 256 CPUs has a tenth of it */
#define HOPS_MAX 40           /* links on the way to one path, as in the kernel */
#define DEPTH_MAX 6           /* below a folder that a library reads by itself; cpuN/cache/indexN is three */

/* ---- what is never in it, and what of the rest has its content ---- */

static bool is_process(const char *path)
{
	return str_starts(path, "/proc/") && isdigit((unsigned char)path[strlen("/proc/")]);
}

/* The path itself, too. */
static bool is_below(const char *path, const char *pattern)
{
	return fnmatch(pattern, path, FNM_PATHNAME | FNM_LEADING_DIR) == 0;
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
	capture_scrub(c->root, &c->scrub, c->items, c->n);
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
