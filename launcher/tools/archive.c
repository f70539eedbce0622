/* SPDX-License-Identifier: GPL-2.0-or-later */
/* archive: see archive.h. The only file that knows libarchive. */
#include <archive.h>
#include <archive_entry.h>
#include "launcher/base/late.h"
#include "launcher/tools/archive.h"

#define ARCHIVE_FUNCTIONS(X) \
	X(archive_write_new) X(archive_write_free) X(archive_write_set_format_pax_restricted) X(archive_write_add_filter_none) \
	X(archive_write_add_filter_gzip) X(archive_write_add_filter_xz) X(archive_write_add_filter_zstd) X(archive_write_open2) \
	X(archive_write_header) X(archive_write_data) X(archive_write_close) X(archive_write_set_filter_option) X(archive_write_set_bytes_in_last_block) \
	X(archive_error_string) X(archive_entry_new) X(archive_entry_clear) X(archive_entry_free) X(archive_entry_set_pathname) \
	X(archive_entry_set_mode) X(archive_entry_set_size) X(archive_entry_set_symlink) X(archive_entry_set_uname) \
	X(archive_entry_set_gname) X(archive_entry_set_mtime) X(archive_entry_sparse_add_entry)

static struct LATE_TABLE(ARCHIVE_FUNCTIONS) lib;

enum packing { PACK_NONE, PACK_GZIP, PACK_XZ, PACK_ZSTD };
static const struct {
	const char *end;
	enum packing packing;
} ends[] = { { ".tar", PACK_NONE }, { ".tar.gz", PACK_GZIP }, { ".tgz", PACK_GZIP }, { ".tar.xz", PACK_XZ }, { ".tar.zst", PACK_ZSTD } };

static size_t end_of(const char *name)
{
	size_t i = 0;
	while (i < ARRAY_SIZE(ends) && !str_ends(name, ends[i].end))
		i++;
	return i;
}

bool archive_name_is_known(const char *name)
{
	return end_of(name) < ARRAY_SIZE(ends);
}

static la_ssize_t take(struct archive *a, void *out, const void *bytes, size_t n)
{
	(void)a;
	sb_addn(out, bytes, n);
	return (la_ssize_t)n;
}

static struct err *failed(struct archive *a)
{
	const char *text = lib.archive_error_string(a);
	return err_exit(err_new("libarchive: %s", text ? text : "?"), EXIT_HOST);
}

static void pack(struct archive *a, enum packing packing)
{
	lib.archive_write_set_format_pax_restricted(a);
	lib.archive_write_set_bytes_in_last_block(a, 1); /* nothing behind what is packed: zstd(1) takes it for damage */
	if (packing == PACK_GZIP) {
		lib.archive_write_add_filter_gzip(a);
		lib.archive_write_set_filter_option(a, "gzip", "timestamp", NULL);
	} else if (packing == PACK_XZ) {
		lib.archive_write_add_filter_xz(a);
	} else if (packing == PACK_ZSTD) {
		lib.archive_write_add_filter_zstd(a);
	} else {
		lib.archive_write_add_filter_none(a);
	}
}

/* The library is given every byte of a hole, and keeps none. */
static bool put_hole(struct archive *a, uint64_t size)
{
	enum { BLOCK = 1 << 20 };
	cleanup_free char *zeros = mem_new(BLOCK);
	for (uint64_t left = size, n; left; left -= n) {
		n = left < BLOCK ? left : BLOCK;
		if (lib.archive_write_data(a, zeros, n) != (la_ssize_t)n)
			return false;
	}
	return true;
}

static bool put(struct archive *a, struct archive_entry *e, const struct archive_item *item)
{
	bool hole = S_ISREG(item->mode) && !item->data && item->size;
	lib.archive_entry_clear(e);
	lib.archive_entry_set_pathname(e, item->path);
	lib.archive_entry_set_mode(e, item->mode);
	lib.archive_entry_set_mtime(e, 0, 0);
	lib.archive_entry_set_uname(e, "root");
	lib.archive_entry_set_gname(e, "root");
	if (S_ISLNK(item->mode))
		lib.archive_entry_set_symlink(e, item->data);
	lib.archive_entry_set_size(e, S_ISREG(item->mode) ? (la_int64_t)(hole ? item->size : item->len) : 0);
	if (hole) /* GNU tar wants some data in such a file */
		lib.archive_entry_sparse_add_entry(e, 0, 1);
	if (lib.archive_write_header(a, e) < ARCHIVE_WARN)
		return false;
	if (hole)
		return put_hole(a, item->size);
	return !S_ISREG(item->mode) || !item->len || lib.archive_write_data(a, item->data, item->len) == (la_ssize_t)item->len;
}

struct err *archive_make(const char *name, const struct archive_item *items, size_t n, struct sb *ret_bytes)
{
	static const char *const functions[] = LATE_NAMES(ARCHIVE_FUNCTIONS);
	TRY(late_load("libarchive.so.13", functions, &lib));
	cleanup_sb struct sb bytes = {};
	struct archive *a = lib.archive_write_new();
	struct archive_entry *e = lib.archive_entry_new();
	pack(a, ends[end_of(name)].packing);
	bool good = lib.archive_write_open2(a, &bytes, NULL, take, NULL, NULL) == ARCHIVE_OK;
	for (size_t i = 0; good && i < n; i++)
		good = put(a, e, &items[i]);
	good = good && lib.archive_write_close(a) == ARCHIVE_OK;
	struct err *bad = good ? NULL : failed(a);
	lib.archive_entry_free(e);
	lib.archive_write_free(a);
	TRY(bad);
	*ret_bytes = bytes;
	bytes = (struct sb){};
	return NULL;
}
