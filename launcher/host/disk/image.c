/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image: see image.h. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/tr.h"
#include "launcher/host/disk/image.h"

#define EXT_BACKING_FORMAT 0xe2792acau
#define EXT_END            0u
#define INCOMPATIBLE_CORRUPT (1u << 1)
#define CHAIN_MAX 64 /* of backing files: a ring ends here */

static uint32_t be32(const unsigned char *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return be32toh(v);
}

static uint64_t be64(const unsigned char *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof(v));
	return be64toh(v);
}

void qcow2_free(struct qcow2 *q)
{
	free(q->backing);
	free(q->backing_format);
	strv_free(&q->below);
	*q = (struct qcow2){};
}

bool qcow2_magic(const void *bytes, size_t n)
{
	return n >= 4 && memcmp(bytes, "QFI\xfb", 4) == 0;
}

/* Extensions: type and length, 32 bits each, then the data, padded to 8 bytes. */
static void read_extensions(const unsigned char *b, size_t n, size_t at, struct qcow2 *q)
{
	while (at + 8 <= n) {
		uint32_t type = be32(b + at), len = be32(b + at + 4);
		at += 8;
		if (type == EXT_END || len > n - at)
			return;
		if (type == EXT_BACKING_FORMAT && !q->backing_format)
			q->backing_format = str_ndup((const char *)b + at, len);
		at += (len + 7u) & ~7u;
	}
}

struct err *qcow2_parse(const void *bytes, size_t n, uint64_t file_size, struct qcow2 *ret_header)
{
	const unsigned char *b = bytes;
	cleanup_qcow2 struct qcow2 q = {};
	if (!qcow2_magic(b, n))
		return err_new("does not begin as a qcow2 image does");
	if (n < 72)
		return err_new("is cut off: it ends within its header");
	q.version = be32(b + 4);
	if (q.version != 2 && q.version != 3)
		return err_new("is of the unknown qcow2 version %u", q.version);
	if (q.version == 3 && n < 104)
		return err_new("is cut off: it ends within its header");
	uint64_t backing = be64(b + 8), l1 = be64(b + 40), l1_bytes = 8 * (uint64_t)be32(b + 36), refcounts = be64(b + 48);
	uint32_t backing_size = be32(b + 16), cluster_bits = be32(b + 20), header = q.version == 3 ? be32(b + 100) : 72;
	q.size = be64(b + 24);
	q.encrypted = be32(b + 32) != 0;
	q.snapshots = be32(b + 60);
	q.corrupt = q.version == 3 && be64(b + 72) & INCOMPATIBLE_CORRUPT;
	/* limits of the format: clusters of 512 bytes to 2 MiB, names of 1023 bytes */
	if (cluster_bits < 9 || cluster_bits > 21 || header < 72 || header > n || backing_size > 1023 ||
	    (backing && (backing > n || backing_size > n - backing)))
		return err_new("has a damaged header");
	if (l1 > file_size || l1_bytes > file_size - l1 || refcounts >= file_size)
		return err_new("is cut off: its tables lie beyond its end");
	read_extensions(b, backing && backing < n ? backing : n, header, &q);
	if (backing && backing_size)
		q.backing = str_ndup((const char *)b + backing, backing_size);
	*ret_header = q;
	q = (struct qcow2){};
	return NULL;
}

enum disk_format image_format_of(const char *path)
{
	static const struct {
		const char *ending;
		enum disk_format format;
	} endings[] = { { ".qcow2", FORMAT_QCOW2 }, { ".img", FORMAT_RAW }, { ".raw", FORMAT_RAW }, { ".iso", FORMAT_RAW } };
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
		if (str_ends(path, endings[i].ending))
			return endings[i].format;
	return FORMAT_AUTO;
}

const char *image_format_name(enum disk_format format)
{
	return format == FORMAT_QCOW2 ? "qcow2" : "raw";
}

static struct err *read_head(struct root *root, const char *path, unsigned char **ret_bytes, size_t *ret_n, uint64_t *ret_size)
{
	cleanup_fd int fd = -1;
	struct stat st;
	TRY(root_open_fd(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, &fd));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_new("%s is no file", path);
	cleanup_free unsigned char *bytes = mem_new(QCOW2_HEADER_MAX);
	size_t n = 0;
	ssize_t got;
	while (n < QCOW2_HEADER_MAX && (got = read(fd, bytes + n, QCOW2_HEADER_MAX - n)) != 0) {
		if (got < 0 && errno != EINTR)
			return err_errno(errno, "%s", path);
		n += got > 0 ? (size_t)got : 0;
	}
	*ret_n = n;
	*ret_size = (uint64_t)st.st_size;
	*ret_bytes = steal(bytes);
	return NULL;
}

#define VHD_FOOTER 512 /* Virtual Hard Disk Image Format Specification: the last bytes of the file */

static const struct {
	struct image_foreign is;
	size_t at;
	const char *magic;
	size_t n;
} foreigners[] = {
#define MAGIC(text) text, sizeof(text) - 1
	{ { N_("a VMware image (vmdk)"), "vmdk", NULL }, 0, MAGIC("KDMV") },
	{ { N_("a VMware image (vmdk)"), "vmdk", NULL }, 0, MAGIC("COWD") },
	{ { N_("a VMware image (vmdk)"), "vmdk", NULL }, 0, MAGIC("# Disk DescriptorFile") },
	{ { N_("a VirtualBox image (vdi)"), "vdi", NULL }, 64, MAGIC("\x7f\x10\xda\xbe") },
	{ { N_("a Hyper-V image (vhdx)"), "vhdx", NULL }, 0, MAGIC("vhdxfile") },
	{ { N_("a Virtual PC image (vhd)"), "vpc", NULL }, 0, MAGIC("conectix") },
	{ { N_("a Parallels image (hdd)"), "parallels", NULL }, 0, MAGIC("WithoutFreeSpace") },
	{ { N_("a Parallels image (hdd)"), "parallels", NULL }, 0, MAGIC("WithouFreSpacExt") },
	{ { N_("a QED image"), "qed", NULL }, 0, MAGIC("QED\0") },
	{ { N_("an encrypted volume (LUKS)"), NULL, NULL }, 0,
	  MAGIC("LUKS\xba\xbe") },
	{ { N_("compressed (gzip)"), NULL, "gunzip -k" }, 0, MAGIC("\x1f\x8b\x08") },
	{ { N_("compressed (xz)"), NULL, "xz -dk" }, 0, MAGIC("\xfd" "7zXZ\0") },
	{ { N_("compressed (zstd)"), NULL, "zstd -d" }, 0, MAGIC("\x28\xb5\x2f\xfd") },
	{ { N_("compressed (bzip2)"), NULL, "bunzip2 -k" }, 0, MAGIC("BZh") },
	{ { N_("an archive (zip)"), NULL, "unzip" }, 0, MAGIC("PK\x03\x04") },
	{ { N_("an archive (7z)"), NULL, "7z x" }, 0, MAGIC("7z\xbc\xaf\x27\x1c") },
	{ { N_("an archive (rar)"), NULL, "7z x" }, 0, MAGIC("Rar!\x1a\x07") },
	{ { N_("an archive (tar), as an appliance (ova) is one"), NULL, "tar xf" }, 257, MAGIC("ustar") },
#undef MAGIC
};

/* The last bytes of a file that is a VHD of a fixed size. */
static bool is_fixed_vhd(struct root *root, const char *path, uint64_t size)
{
	cleanup_fd int fd = -1;
	char end[8];
	cleanup_err struct err *e = size > VHD_FOOTER ? root_open_fd(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, &fd) : NULL;
	return !e && fd >= 0 && pread(fd, end, sizeof(end), (off_t)(size - VHD_FOOTER)) == sizeof(end) &&
	       memcmp(end, "conectix", sizeof(end)) == 0;
}

const struct image_foreign *image_foreign(struct root *root, const char *path)
{
	static const struct image_foreign fixed_vhd = { N_("a Virtual PC image (vhd)"), "vpc", NULL };
	cleanup_free unsigned char *bytes = NULL;
	size_t n = 0;
	uint64_t size = 0;
	cleanup_err struct err *e = read_head(root, path, &bytes, &n, &size);
	for (size_t i = 0; !e && i < ARRAY_SIZE(foreigners); i++)
		if (n >= foreigners[i].at + foreigners[i].n && memcmp(bytes + foreigners[i].at, foreigners[i].magic, foreigners[i].n) == 0)
			return &foreigners[i].is;
	return !e && is_fixed_vhd(root, path, size) ? &fixed_vhd : NULL;
}

static struct err *judge(const char *path, const struct qcow2 *q)
{
	if (q->corrupt)
		return err_hint(err_new("%s is damaged: QEMU has marked it as corrupt", path),
				"a copy first, then: qemu-img check -r all -f qcow2 '%s'", path);
	return q->encrypted
		       ? err_hint(err_new("%s is encrypted, which is not supported", path), "an image without, on an encrypted file system")
		       : NULL;
}

static struct err *read_one(struct root *root, const char *path, enum disk_format format, bool stated, struct qcow2 *ret_header)
{
	cleanup_free unsigned char *bytes = NULL;
	size_t n;
	uint64_t size;
	struct qcow2 q = {};
	TRY(read_head(root, path, &bytes, &n, &size));
	if (format == FORMAT_RAW && !stated && qcow2_magic(bytes, n))
		return err_hint(err_new("%s begins as a qcow2 image does, and is to be raw", path),
				"say which: format qcow2, or format raw if its guest wrote that");
	if (format == FORMAT_RAW)
		return NULL;
	struct err *e = qcow2_parse(bytes, n, size, &q);
	if (e) {
		struct err *with_path = err_new("%s %s", path, err_text(e));
		err_free(e);
		return err_hint(with_path, "format raw if it is none; else bring it back from a copy");
	}
	e = judge(path, &q);
	if (e)
		qcow2_free(&q);
	else
		*ret_header = q;
	return e;
}

/* One link of the chain: `*at` becomes the next image, `q` its header. */
static struct err *follow(struct root *root, char **at, struct qcow2 *q)
{
	const char *slash = *q->backing == '/' ? NULL : strrchr(*at, '/');
	cleanup_free char *next = str_fmt("%.*s%s", slash ? (int)(slash + 1 - *at) : 0, *at, q->backing),
			  *format = str_dup(q->backing_format);
	qcow2_free(q);
	struct err *e = read_one(root, next, streq(format, "qcow2") ? FORMAT_QCOW2 : FORMAT_RAW,
				 format != NULL /* of any other format, QEMU opens it as that */, q);
	if (err_code(e) == ENOENT) {
		err_free(e);
		e = err_hint(err_coded(ENOENT, "%s has no backing file any more: there is no %s", *at, next),
			     "bring it back; moved: qemu-img rebase -u -F %s -b FILE '%s'", format ? format : "FORMAT", *at);
	} else {
		e = err_wrap(e, "the backing file of %s", *at);
	}
	str_set(at, next);
	return e;
}

struct err *image_read(struct root *root, const char *path, enum disk_format format, bool stated, struct qcow2 *ret_header)
{
	cleanup_qcow2 struct qcow2 first = {}, q = {};
	cleanup_free char *at = str_dup(path);
	TRY(read_one(root, path, format, stated, &first));
	q.backing = str_dup(first.backing);
	q.backing_format = str_dup(first.backing_format);
	for (int i = 0; q.backing && strcspn(q.backing, ":") >= strcspn(q.backing, "/"); i++) { /* no "nbd://…" (QEMU, path_has_protocol) */
		if (i == CHAIN_MAX)
			return err_new("%s: its backing files lead round in a ring", path);
		TRY(follow(root, &at, &q));
		strv_add(&first.below, at);
	}
	*ret_header = first;
	first = (struct qcow2){};
	return NULL;
}
