/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image: what the header of a disk image says (QEMU, docs/interop/qcow2.txt). QEMU is never left to guess a format: a
 * guest writes what it likes into a raw disk, the header of a qcow2 image over any file of its user's among it. So the
 * name or its owner says what an image is, and the header must agree.
 */
#pragma once
#include "launcher/base/root.h"
#include "launcher/config/config.h"

struct qcow2 {
	unsigned version;               /* 2 or 3 */
	unsigned snapshots;             /* internal ones */
	uint64_t size;                  /* bytes that its guest sees */
	char *backing, *backing_format; /* as written in it; NULL: none. A format that is not there is one that QEMU guesses */
	struct strv below;              /* by image_read: the files that it is built upon, one below the other */
	bool corrupt;                   /* QEMU has found it damaged, and has said so in it */
	bool encrypted;
};
void qcow2_free(struct qcow2 *q);
#define cleanup_qcow2 cleanup(qcow2_free)

#define QCOW2_HEADER_MAX 65536u /* more than any header with its extensions and the backing file's name */
/* Whether `n` bytes from a file's beginning are a qcow2 image's (QEMU's docs/interop/qcow2.txt). */
bool qcow2_magic(const void *bytes, size_t n);
/* The first `n` bytes of a file of `file_size` bytes. Errors say what is wrong with it, in words to follow its name. */
struct err *qcow2_parse(const void *bytes, size_t n, uint64_t file_size, struct qcow2 *ret_header);

/* What the name says: *.qcow2, or *.img, *.raw and *.iso; FORMAT_AUTO for any other. */
enum disk_format image_format_of(const char *path);
const char *image_format_name(enum disk_format format); /* "qcow2", "raw" */

/*
 * What a file is that is no disk image of ours, by how it begins (or, VHD of a fixed size, ends). A guest that had it as raw would destroy
 * it with its first write.
 */
struct image_foreign {
	const char *what;   /* "a VMware image (vmdk)"; translated by its user */
	const char *driver; /* qemu-img's word for it, to convert it; NULL where it cannot */
	const char *unpack; /* the command that unpacks it, to be followed by its path; NULL where none does */
};
/* NULL if it is none of those, or cannot be read. With the rights of the file's user. */
const struct image_foreign *image_foreign(struct root *root, const char *path);

/*
 * Reads the header of an image file as its user: to be called with that user's rights. `format` is not FORMAT_AUTO; a
 * raw image that begins as a qcow2 one does is an error unless `stated` (its owner says raw). Of a qcow2 image all
 * backing files must be there, too. ret_header is empty for a raw image. Errors begin with the path and have a remedy.
 */
struct err *image_read(struct root *root, const char *path, enum disk_format format, bool stated, struct qcow2 *ret_header);
