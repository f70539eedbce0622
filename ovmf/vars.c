/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vars: see vars.h. */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "launcher/base/tr.h"
#include "ovmf/keep.h"
#include "ovmf/vars.h"

#define VARS_MAX (64u << 20) /* the largest flash that q35 maps is 8 MiB (hw/i386/pc_sysfw.c); qcow2 adds tables */
#define BLANK 0xff           /* erased flash */

/* Bytes of the volume header. */
enum { VOLUME_GUID = 16, VOLUME_LENGTH = 32, VOLUME_SIGNATURE = 40, VOLUME_HEADER_LENGTH = 48, VOLUME_HEADER_MIN = 72 };
/* Bytes of the variable store that follows it. */
enum { STORE_SIZE = 16, STORE_FORMAT = 20, STORE_STATE = 21, STORE_HEADER = 28 };
#define STORE_FORMATTED 0x5a
#define STORE_HEALTHY 0xfe
/* Bytes of a variable, authenticated as Secure Boot has it; name and data follow, the next one at a multiple of 4. */
enum { VARIABLE_NAME_SIZE = 36, VARIABLE_DATA_SIZE = 40, VARIABLE_HEADER = 60 };
#define VARIABLE_START 0x55aa
/* gEfiAuthenticatedVariableGuid, aaf32c78-947b-439a-a180-2e144ec37792. */
static const uint8_t authenticated[16] = { 0x78, 0x2c, 0xf3, 0xaa, 0x7b, 0x94, 0x9a, 0x43, 0xa1, 0x80, 0x2e, 0x14, 0x4e, 0xc3, 0x77, 0x92 };
/* gEfiSystemNvDataFvGuid, fff12b8d-7696-4c8b-a985-2747075b4f50. */
static const uint8_t nvram[16] = { 0x8d, 0x2b, 0xf1, 0xff, 0x96, 0x76, 0x8b, 0x4c, 0xa9, 0x85, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50 };
/* Bytes of a qcow2 header. */
enum { QCOW2_VERSION = 4, QCOW2_SIZE = 24, QCOW2_L1_ENTRIES = 36, QCOW2_L1_OFFSET = 40, QCOW2_INCOMPATIBLE = 72, QCOW2_HEADER = 104 };
#define QCOW2_CORRUPT 2
#define QCOW2_OFFSET UINT64_C(0x00fffffffffffe00) /* of an entry of the first table: where its second one is */

static uint16_t le16_at(const uint8_t *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof(v));
	return le16toh(v);
}

static uint32_t le32_at(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

static uint64_t le64_at(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static uint64_t be64_at(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof(v));
	return be64toh(v);
}

/* Follows the variables to where the store is blank: a header that leads nowhere is one that was half written. */
static struct err *check_chain(const uint8_t *store, size_t size)
{
	size_t at = STORE_HEADER;
	while (at + VARIABLE_HEADER <= size && le16_at(store + at) == VARIABLE_START) {
		uint32_t name = le32_at(store + at + VARIABLE_NAME_SIZE), data = le32_at(store + at + VARIABLE_DATA_SIZE);
		if (name == UINT32_MAX || data == UINT32_MAX) /* a header whose sizes were not written yet: the firmware starts over here */
			return NULL;
		uint64_t end = (uint64_t)at + VARIABLE_HEADER + name + data;
		if (end > size)
			return err_new("a variable at %#zx is longer than the store", at);
		at = (size_t)((end + 3) & ~UINT64_C(3));
	}
	for (size_t i = at; i < at + 2 && i < size; i++)
		if (store[i] != BLANK)
			return err_new("neither a variable nor blank at %#zx", at);
	return NULL;
}

static struct err *check_store(const uint8_t *store, size_t size)
{
	if (store[STORE_FORMAT] != STORE_FORMATTED || store[STORE_STATE] != STORE_HEALTHY)
		return err_new("the variable store is not formatted");
	uint32_t stated = le32_at(store + STORE_SIZE);
	if (stated < STORE_HEADER || stated > size)
		return err_new("the variable store says it has %u bytes", stated);
	return memcmp(store, authenticated, sizeof(authenticated)) == 0 ? check_chain(store, stated) : NULL;
}

/* A whole volume of its own. */
static struct err *check_volume(const uint8_t *p, size_t len)
{
	if (len < VOLUME_HEADER_MIN + STORE_HEADER || memcmp(p + VOLUME_SIGNATURE, "_FVH", 4) != 0)
		return err_new("no firmware volume");
	uint16_t header = le16_at(p + VOLUME_HEADER_LENGTH), sum = 0;
	if (header < VOLUME_HEADER_MIN || header % 4 || header > len - STORE_HEADER)
		return err_new("the header says it has %u bytes", header);
	for (size_t i = 0; i < header; i += 2)
		sum = (uint16_t)(sum + le16_at(p + i));
	if (sum)
		return err_new("the header's checksum is wrong");
	if (memcmp(p + VOLUME_GUID, nvram, sizeof(nvram)) != 0)
		return err_new("a firmware volume of another kind");
	if (le64_at(p + VOLUME_LENGTH) != len)
		return err_new("%zu bytes, and the header says %llu", len, (unsigned long long)le64_at(p + VOLUME_LENGTH));
	return check_store(p + header, len - header);
}

/* One that is good, and of another size, belongs to another image: that is no damage, and a remedy against damage would lose it. */
static struct err *check_raw(const uint8_t *p, size_t len, size_t template_len)
{
	cleanup_err struct err *e = check_volume(p, len);
	if (len == template_len)
		return steal(e);
	if (e)
		return err_new("%zu bytes, and the firmware's are %zu", len, template_len);
	return err_hint(
		err_coded(EMEDIUMTYPE, "%zu bytes, and the firmware's are %zu: they are good, and of another image", len, template_len),
		"name that image by code in [firmware]: Debian's OVMF_CODE.fd has 131072 bytes of them, OVMF_CODE_4M.fd 540672");
}

static struct err *check_qcow2(const uint8_t *p, size_t len, const uint8_t *template, size_t template_len)
{
	if (len < QCOW2_HEADER || template_len < QCOW2_HEADER || memcmp(p, "QFI\xfb", 4) != 0)
		return err_new("not a qcow2 image");
	if (be64_at(p + QCOW2_SIZE) != be64_at(template + QCOW2_SIZE))
		return err_new("%llu bytes, and the firmware's are %llu", (unsigned long long)be64_at(p + QCOW2_SIZE),
			       (unsigned long long)be64_at(template + QCOW2_SIZE));
	if (p[QCOW2_VERSION + 3] >= 3 && be64_at(p + QCOW2_INCOMPATIBLE) & QCOW2_CORRUPT)
		return err_new("marked as corrupt");
	uint64_t table = be64_at(p + QCOW2_L1_OFFSET), entries = be64_at(p + QCOW2_L1_ENTRIES) >> 32;
	if (table > len || entries > (len - table) / 8)
		return err_new("it ends within its tables");
	for (uint64_t i = 0; i < entries; i++)
		if ((be64_at(p + table + i * 8) & QCOW2_OFFSET) >= len)
			return err_new("it ends within its tables");
	return NULL;
}

struct err *vars_check(const void *data, size_t len, const void *template, size_t template_len, bool qcow2)
{
	return qcow2 ? check_qcow2(data, len, template, template_len) : check_raw(data, len, template_len);
}

char *vars_vm_dir(const struct config *c, const char *data_dir)
{
	return str_fmt("%s/qlaunch/%s", data_dir, c->vm.name);
}

char *vars_path(const struct config *c, const char *data_dir, const struct firmware *f)
{
	if (c->firmware.vars)
		return str_dup(c->firmware.vars);
	cleanup_free char *dir = vars_vm_dir(c, data_dir);
	return str_fmt("%s/VARS.%s", dir, streq(f->vars_format, "qcow2") ? "qcow2" : "fd");
}

struct reference {
	const struct sb *template;
	bool qcow2;
};

static struct err *check_kept(const void *data, size_t len, const void *reference)
{
	const struct reference *r = reference;
	return vars_check(data, len, r->template->s ? r->template->s : "", r->template->len, r->qcow2);
}

static struct err *make(struct root *root, const char *path, const struct sb *template)
{
	cleanup_free char *dir = str_dir(path);
	if (*dir)
		TRY(root_mkdirs(root, dir, 0700));
	return root_put_new(root, path, template->s, template->len, 0600);
}

/* Whether it can be made: in the nearest directory that is there, or that would be made on the way. */
static struct err *can_make(const char *path)
{
	cleanup_free char *dir = str_dup(path);
	do
		*strrchr(dir, '/') = '\0';
	while (*dir && faccessat(AT_FDCWD, dir, F_OK, AT_EACCESS) < 0 && errno == ENOENT);
	const char *at = *dir ? dir : "/";
	return faccessat(AT_FDCWD, at, W_OK | X_OK, AT_EACCESS) < 0 ? err_errno(errno, "%s", at) : NULL;
}

/* Looks, and with `make_it` makes and copies, too. */
static struct err *prepare(struct root *root, const struct config *c, const char *data_dir, const struct firmware *f, bool make_it)
{
	cleanup_sb struct sb template = {};
	struct reference reference = { .template = &template, .qcow2 = streq(f->vars_format, "qcow2") };
	cleanup_free char *path = vars_path(c, data_dir, f), *dir = vars_vm_dir(c, data_dir);
	cleanup_free char *copies = str_fmt("%s/VARS.copies", dir);
	struct keep keep = { .what = N_("the UEFI variables"), .path = path, .copies = copies, .max = VARS_MAX, .check = check_kept,
			     .reference = &reference, .anew = N_("boot entries and keys that were added are lost") };
	bool missing;
	TRY(err_exit(err_wrap(keep_read(root, f->template, VARS_MAX, &template), "the firmware's VARS template"), EXIT_HOST));
	struct err *e = check_kept(template.s ? template.s : "", template.len, &reference);
	if (e)
		return err_exit(err_hint(err_wrap(e, "the firmware's VARS template %s", f->template), "install the firmware's package again"),
				EXIT_HOST);
	TRY(make_it ? keep_copy(root, &keep, &missing) : keep_look(root, &keep, &missing));
	if (!missing)
		return NULL;
	e = err_wrap(make_it ? make(root, path, &template) : can_make(path), "the UEFI variables cannot be made");
	TRY(err_exit(err_hint(e, "choose another place: `vars = PATH` in [firmware]"), EXIT_HOST));
	return make_it ? keep_copy(root, &keep, &missing) : NULL;
}

struct err *vars_prepare(struct root *root, const struct config *c, const char *data_dir, const struct firmware *f)
{
	return prepare(root, c, data_dir, f, true);
}

struct err *vars_look(struct root *root, const struct config *c, const char *data_dir, const struct firmware *f)
{
	return prepare(root, c, data_dir, f, false);
}
