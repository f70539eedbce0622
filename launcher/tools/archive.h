/* SPDX-License-Identifier: GPL-2.0-or-later */
/* archive: a tar of made entries (pax, as GNU tar and bsdtar read it), by libarchive, loaded when it is needed. Opens and writes no file. */
#pragma once
#include <sys/types.h>
#include "launcher/base/err.h"
#include "launcher/base/str.h"

struct archive_item {
	char *path;    /* below the archive's top, no slash in front */
	mode_t mode;   /* S_IFDIR, S_IFREG or S_IFLNK, and permissions */
	char *data;    /* content of a file, where a link leads; NULL: none */
	size_t len;    /* of a file's data */
	uint64_t size; /* of a file without data: it becomes a hole of so many bytes */
};

/* Whether the name's end says how to pack: .tar, .tar.gz, .tgz, .tar.xz, .tar.zst. */
bool archive_name_is_known(const char *name);
/*
 * The whole archive in memory, by root, at the epoch: the same entries give the same bytes. `name`: only its end counts. Error: EXIT_HOST
 * where the library is missing or was built without that packing.
 */
struct err *archive_make(const char *name, const struct archive_item *items, size_t n, struct sb *ret_bytes);
