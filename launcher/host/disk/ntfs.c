/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ntfs: see ntfs.h. */
#include <ctype.h>
#include <endian.h>
#include <stdlib.h>
#include "launcher/host/disk/ntfs.h"

#define SECTOR 512       /* of the update sequence, whatever the disk's is */
#define RECORD_MAX 4096u /* bytes of a record or a block of an index; mkntfs and Windows make 1024 and 4096 */
#define CLUSTER_MAX (2u << 20)
#define INDEX_MAX (4u << 20) /* of a root directory: some ten thousand names */
#define RUNS_MAX 4096

enum { ROOT_RECORD = 5, MFT_RECORD = 0 };
enum { DATA = 0x80, INDEX_ROOT = 0x90, INDEX_ALLOCATION = 0xa0, ATTRIBUTES_END = -1 };
enum { ENTRY_LAST = 2, ENTRY_NAME = 16 + 0x40 };

struct run {
	uint64_t from, count, lcn; /* clusters */
};
struct runs {
	struct run *v;
	size_t n;
};

struct volume {
	ntfs_read *read;
	void *data;
	uint32_t cluster, record, block; /* bytes */
	struct runs mft;
};

static void runs_free(struct runs *r)
{
	free(r->v);
}

static void volume_free(struct volume *v)
{
	runs_free(&v->mft);
}

static uint64_t le(const unsigned char *p, size_t n)
{
	uint64_t value = 0;
	while (n)
		value = value << 8 | p[--n];
	return value;
}

/* "8 clusters", or as a negative power of two: bytes. 0: neither. */
static uint32_t sized(unsigned char stated, uint32_t cluster)
{
	int8_t v = (int8_t)stated;
	uint64_t bytes = v > 0 ? (uint64_t)v * cluster : v > -31 ? UINT64_C(1) << -v : 0;
	return bytes >= SECTOR && bytes <= RECORD_MAX && bytes % SECTOR == 0 ? (uint32_t)bytes : 0;
}

bool ntfs_is(const void *boot)
{
	return memcmp((const char *)boot + 3, "NTFS    ", 8) == 0;
}

/* The last two bytes of each sector stand in the update sequence; what stands there instead tells a half written record. */
static bool mend(unsigned char *b, size_t size, const char *magic)
{
	size_t at = le(b + 4, 2), n = le(b + 6, 2);
	if (memcmp(b, magic, 4) != 0 || n != size / SECTOR + 1 || at < 8 || at + n * 2 > size)
		return false;
	for (size_t i = 1; i < n; i++) {
		unsigned char *end = b + i * SECTOR - 2;
		if (memcmp(end, b + at, 2) != 0)
			return false;
		memcpy(end, b + at + i * 2, 2);
	}
	return true;
}

/* ---- where the content of an attribute is ---- */

/* The first attribute of a type in a record; NULL for none. What it says of its own size holds. */
static const unsigned char *attribute(const unsigned char *record, size_t size, uint32_t type, uint32_t *ret_length)
{
	size_t at = le(record + 0x14, 2);
	while (at + 0x18 <= size) {
		uint32_t found = (uint32_t)le(record + at, 4), length = (uint32_t)le(record + at + 4, 4);
		if (found == (uint32_t)ATTRIBUTES_END || length < 0x18 || length > size - at)
			return NULL;
		*ret_length = length;
		if (found == type)
			return record + at;
		at += length;
	}
	return NULL;
}

/* A list of runs: a byte with two lengths, how many clusters, and where relative to the one before; 0 ends it. Sparse ones are left out. */
static bool runs_read(const unsigned char *a, uint32_t length, struct runs *ret)
{
	size_t at = length >= 0x40 && a[8] ? le(a + 0x20, 2) : length;
	uint64_t vcn = 0, lcn = 0;
	while (at < length && a[at] && ret->n < RUNS_MAX) {
		size_t counts = a[at] & 15, offsets = a[at] >> 4;
		if (!counts || counts > 8 || offsets > 8 || at + 1 + counts + offsets > length)
			return false;
		uint64_t count = le(a + at + 1, counts), by = le(a + at + 1 + counts, offsets);
		if (offsets && offsets < 8 && a[at + counts + offsets] & 0x80)
			by |= ~UINT64_C(0) << (offsets * 8);
		lcn += by;
		if (offsets) {
			ret->v = mem_grow(ret->v, ret->n, sizeof(*ret->v));
			ret->v[ret->n++] = (struct run){ vcn, count, lcn };
		}
		vcn += count;
		at += 1 + counts + offsets;
	}
	return ret->n > 0;
}

/* Bytes of an attribute's content, across its runs. */
static bool content(struct volume *v, const struct runs *runs, uint64_t offset, unsigned char *buf, size_t n)
{
	while (n) {
		uint64_t vcn = offset / v->cluster, within = offset % v->cluster;
		const struct run *r = runs->v, *end = runs->v + runs->n;
		while (r < end && (vcn < r->from || vcn - r->from >= r->count))
			r++;
		size_t part = n < v->cluster - within ? n : (size_t)(v->cluster - within);
		uint64_t lcn;
		if (r == end || __builtin_add_overflow(r->lcn, vcn - r->from, &lcn) || lcn > INT64_MAX / CLUSTER_MAX ||
		    !v->read(v->data, lcn * v->cluster + within, buf, part))
			return false;
		offset += part;
		buf += part;
		n -= part;
	}
	return true;
}

static bool record_read(struct volume *v, uint64_t number, unsigned char record[RECORD_MAX])
{
	return number <= UINT32_MAX && content(v, &v->mft, number * v->record, record, v->record) && mend(record, v->record, "FILE");
}

/* ---- the name in the root directory ---- */

/* Whether the entry's key is a file name that is this one, in any case. */
static bool is_named(const unsigned char *entry, size_t length, const char *name)
{
	size_t n = strlen(name);
	if (length < ENTRY_NAME + 2 + n * 2 || entry[ENTRY_NAME] != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (entry[ENTRY_NAME + 3 + i * 2] || tolower(entry[ENTRY_NAME + 2 + i * 2]) != name[i])
			return false;
	return true;
}

/* Entries behind an index header; the record that the name belongs to, or 0. */
static uint64_t look_up(const unsigned char *header, size_t size, const char *name)
{
	if (size < 16)
		return 0;
	size_t at = le(header, 4), end = le(header + 4, 4);
	while (end <= size && at + 16 <= end) {
		size_t length = le(header + at + 8, 2);
		if (length < 16 || length > end - at || le(header + at + 12, 2) & ENTRY_LAST)
			return 0;
		if (is_named(header + at, length, name))
			return le(header + at, 6);
		at += length;
	}
	return 0;
}

/* All blocks of the directory, in the order in which they lie: there is one name to be found, once. */
static uint64_t look_through(struct volume *v, const struct runs *runs, const char *name)
{
	unsigned char block[RECORD_MAX];
	uint64_t found = 0;
	for (uint64_t at = 0; !found && at < INDEX_MAX && content(v, runs, at, block, v->block); at += v->block)
		if (mend(block, v->block, "INDX")) /* one that is free is not */
			found = look_up(block + 0x18, v->block - 0x18, name);
	return found;
}

static struct err *find(struct volume *v, const char *name, uint64_t *ret_record)
{
	unsigned char record[RECORD_MAX];
	cleanup(runs_free) struct runs runs = {};
	uint32_t length = 0;
	if (!record_read(v, ROOT_RECORD, record))
		return err_new("its root directory cannot be read");
	const unsigned char *a = attribute(record, v->record, INDEX_ROOT, &length);
	size_t value = a && !a[8] ? le(a + 0x14, 2) : 0;
	if (!value || value + 32 > length)
		return err_new("its root directory is damaged, or too scattered");
	*ret_record = look_up(a + value + 16, length - value - 16, name);
	a = *ret_record ? NULL : attribute(record, v->record, INDEX_ALLOCATION, &length);
	if (a && runs_read(a, length, &runs))
		*ret_record = look_through(v, &runs, name);
	return NULL;
}

static struct err *begin(struct volume *v)
{
	unsigned char boot[NTFS_BOOT_SIZE], record[RECORD_MAX];
	uint32_t length = 0;
	if (!v->read(v->data, 0, boot, sizeof(boot)) || !ntfs_is(boot))
		return err_new("it is no NTFS");
	uint64_t sector = le(boot + 0x0b, 2), sectors = boot[0x0d] > 0x80 ? UINT64_C(1) << ((256 - boot[0x0d]) & 31) : boot[0x0d];
	uint64_t cluster = sector * sectors, mft = le(boot + 0x30, 8);
	if (cluster < SECTOR || cluster > CLUSTER_MAX || cluster & (cluster - 1) || mft > INT64_MAX / CLUSTER_MAX)
		return err_new("its boot sector is damaged");
	v->cluster = (uint32_t)cluster;
	v->record = sized(boot[0x40], v->cluster);
	v->block = sized(boot[0x44], v->cluster);
	if (!v->record || !v->block)
		return err_new("its boot sector is damaged");
	if (!v->read(v->data, mft * cluster, record, v->record) || !mend(record, v->record, "FILE"))
		return err_new("its table of files cannot be read");
	const unsigned char *a = attribute(record, v->record, DATA, &length);
	return a && runs_read(a, length, &v->mft) ? NULL : err_new("its table of files is damaged");
}

struct err *ntfs_sleeps(ntfs_read *read, void *data, bool *ret_sleeps)
{
	cleanup(volume_free) struct volume v = { .read = read, .data = data };
	cleanup(runs_free) struct runs runs = {};
	unsigned char record[RECORD_MAX], first[4] = {};
	uint64_t number = 0;
	uint32_t length = 0;
	TRY(begin(&v));
	TRY(find(&v, "hiberfil.sys", &number));
	*ret_sleeps = false;
	if (!number)
		return NULL;
	if (!record_read(&v, number, record))
		return err_new("hiberfil.sys cannot be read");
	const unsigned char *a = attribute(record, v.record, DATA, &length);
	size_t value = a && !a[8] ? le(a + 0x14, 2) : 0;
	if (a && value && le(a + 0x10, 4) >= sizeof(first) && value + sizeof(first) <= length) /* so small that it is in its record */
		memcpy(first, a + value, sizeof(first));
	else if (a && a[8] && (!runs_read(a, length, &runs) || !content(&v, &runs, 0, first, sizeof(first))))
		return err_new("hiberfil.sys cannot be read");
	*ret_sleeps = memcmp(first, "hibr", 4) == 0 || memcmp(first, "HIBR", 4) == 0;
	return NULL;
}
