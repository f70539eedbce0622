/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disc: see disc.h. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "launcher/host/disk/disc.h"

#define SECTOR 2048
#define FIRST 16 /* the descriptors begin there, in both formats */
#define DESCRIPTORS 32

/* `size` bytes and a NUL: printable, without the blanks that fill it up. */
static void take_text(char *to, const char *from, size_t size)
{
	memcpy(to, from, size);
	to[size] = '\0';
	for (char *c = to; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	const char *text = str_trim(to);
	memmove(to, text, strlen(text) + 1);
}

/* The primary volume descriptor: ECMA-119, 8.4. */
static void take_volume(const char *sector, struct disc *d)
{
	const unsigned char *blocks = (const unsigned char *)sector + 80, *each = (const unsigned char *)sector + 128;
	take_text(d->label, sector + 40, sizeof(d->label) - 1);
	take_text(d->publisher, sector + 318, sizeof(d->publisher) - 1);
	take_text(d->application, sector + 574, sizeof(d->application) - 1);
	d->size = (blocks[0] | (uint64_t)blocks[1] << 8 | (uint64_t)blocks[2] << 16 | (uint64_t)blocks[3] << 24) *
		  (each[0] | (uint64_t)each[1] << 8);
}

struct err *disc_read(const char *path, struct disc *ret_disc)
{
	struct disc d = {};
	struct stat st;
	bool iso = false;
	/* not blocking: it may be a pipe */
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(errno, "%s", path);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_new("%s is no file", path);
	for (int i = 0; i < DESCRIPTORS; i++) {
		char sector[SECTOR];
		if (pread(fd, sector, SECTOR, (FIRST + i) * SECTOR) != SECTOR)
			break;
		if (memcmp(sector + 1, "CD001", 5) == 0 && sector[0] == 1 && !iso) {
			take_volume(sector, &d);
			iso = true;
		}
		d.udf |= memcmp(sector + 1, "NSR02", 5) == 0 || memcmp(sector + 1, "NSR03", 5) == 0;
	}
	if (!iso && !d.udf)
		return err_hint(err_new("%s is no disc: neither ISO 9660 nor UDF", path),
				"a download that broke off? compare its size and checksum with the site's");
	*ret_disc = d;
	return NULL;
}
