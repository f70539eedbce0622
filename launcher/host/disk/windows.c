/* SPDX-License-Identifier: GPL-2.0-or-later */
/* windows: see windows.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "launcher/base/child.h"
#include "launcher/base/tr.h"
#include "launcher/host/disk/disk.h"
#include "launcher/host/disk/ntfs.h"
#include "launcher/host/disk/windows.h"
#include "launcher/host/kind/block.h"

#define LIMIT_MS 5000 /* a disk that has to spin up; one that is dying takes longer */
#define EFI_PARTITION "c12a7328-f81f-11d2-ba4b-00a0c93ec93b" /* UEFI 2.10, 5.3.3 */
#define BITLOCKER "-FVE-FS-" /* where NTFS has its name (libbde's documentation of the format) */

/* ---- what is on it ---- */

/* What udev saw: "E:ID_FS_TYPE=ntfs" of its record; "" where it saw nothing. Owned by the caller. */
static char *seen(const char *record, const char *name)
{
	cleanup_free char *key = str_fmt("E:%s=", name);
	for (const char *at = record; (at = strstr(at, key)); at++)
		if (at == record || at[-1] == '\n')
			return str_ndup(at + strlen(key), strcspn(at + strlen(key), "\n"));
	return str_dup("");
}

struct looking {
	struct root *root;
	const char *block;
	struct found {
		bool bitlocker, ntfs, sleeps;
	} * found; /* shared with the child */
};

static bool read_at(void *data, uint64_t offset, void *buf, size_t n)
{
	const int *fd = data;
	return pread(*fd, buf, n, (off_t)offset) == (ssize_t)n;
}

static struct err *look(void *data)
{
	const struct looking *l = data;
	unsigned char boot[NTFS_BOOT_SIZE];
	cleanup_fd int fd = -1;
	TRY(block_open(l->root, l->block, &fd));
	if (!read_at(&fd, 0, boot, sizeof(boot)))
		return NULL;
	l->found->bitlocker = memcmp(boot + 3, BITLOCKER, strlen(BITLOCKER)) == 0;
	l->found->ntfs = ntfs_is(boot);
	return l->found->ntfs ? ntfs_sleeps(read_at, &fd, &l->found->sleeps) : NULL;
}

/* The error says why it could not be looked into. */
static struct err *look_into(struct root *root, const char *block, struct found *ret_found)
{
	struct found *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return err_errno(errno, "mmap");
	struct looking l = { root, block, shared };
	struct err *e = child_call(look, &l, LIMIT_MS);
	*ret_found = *shared;
	munmap(shared, sizeof(*shared));
	return e;
}

/* ---- what it means ---- */

static void check_sleep(struct findings *out, struct root *root, const char *block, const char *whose, bool ntfs)
{
	struct found found = {};
	cleanup_err struct err *e = look_into(root, block, &found);
	if (found.sleeps)
		findings_add(
			out, FINDING_BAD, "windows",
			tr_fmt("%s: the Windows on %s sleeps: hibernated, or shut down with fast startup. It would wake up on other hardware, "
			       "and what it had open is lost",
			       whose, block),
			tr_fmt("start it on the bare machine once, and there: powercfg /h off, then shut down. Or give up what it had open: "
			       "mount -t ntfs-3g -o remove_hiberfile /dev/%s /mnt; umount /mnt",
			       block));
	else if (e && (ntfs || found.ntfs) && root_is_host(root))
		findings_add(
			out, FINDING_WARN, "windows",
			tr_fmt("%s: whether the Windows on %s sleeps (fast startup) could not be looked up: %s", whose, block, err_text(e)),
			err_code(e) == EACCES || err_code(e) == EPERM ? tr_dup("run the check as root") : NULL);
	if (found.bitlocker)
		findings_add(
			out, FINDING_WARN, "windows",
			tr_fmt("%s: %s is encrypted by BitLocker, and its key is in this computer's TPM, which the guest has not: it asks for "
			       "the recovery key",
			       whose, block),
			tr_dup("have the 48 digits at hand (aka.ms/myrecoverykey). To be asked on neither side: in Windows `manage-bde "
			       "-protectors -add C: -Password`, or decrypt it: `manage-bde -off C:`"));
}

/* Where the host has it: mounted now, or by its fstab(5). NULL: nowhere. */
static char *mounted_where(struct root *root, const char *block, const char *number, const char *record)
{
	cleanup_free char *mounts = root_read_or(root, "/proc/self/mountinfo", ""), *table = root_read_or(root, "/etc/fstab", "");
	cleanup_free char *uuid = seen(record, "ID_FS_UUID"), *part = seen(record, "ID_PART_ENTRY_UUID"),
			  *label = seen(record, "ID_FS_LABEL");
	const struct {
		const char *key, *value;
	} names[] = { { "UUID=", uuid },  { "PARTUUID=", part },          { "LABEL=", label },
		      { "/dev/", block }, { "/dev/disk/by-uuid/", uuid }, { "/dev/disk/by-partuuid/", part } };
	cleanup_strv struct strv lines = {};
	strv_split(&lines, mounts, "\n");
	size_t n_mounts = lines.n;
	strv_split(&lines, table, "\n");
	for (size_t i = 0; i < lines.n; i++) {
		cleanup_strv struct strv word = {};
		strv_split(&word, lines.v[i], " \t");
		if (i < n_mounts && word.n > 4 && streq(word.v[2], number))
			return str_dup(word.v[4]);
		for (size_t k = 0; i >= n_mounts && word.n > 1 && *word.v[0] != '#' && k < ARRAY_SIZE(names); k++) {
			cleanup_free char *name = str_fmt("%s%s", names[k].key, names[k].value), *bare = str_dup(word.v[0]);
			char *from = bare, *to = bare; /* quotes are allowed there */
			for (; *from; from++)
				if (*from != '"')
					*to++ = *from;
			*to = '\0';
			if (*names[k].value && strcasecmp(bare, name) == 0)
				return str_dup(word.v[1]);
		}
	}
	return NULL;
}

static void check_boot(struct findings *out, struct root *root, const char *block, const char *whose, const char *number,
		       const char *record)
{
	cleanup_free char *type = seen(record, "ID_PART_ENTRY_TYPE"), *where = NULL;
	if (strcasecmp(type, EFI_PARTITION) == 0)
		where = mounted_where(root, block, number, record);
	if (where)
		findings_add(
			out, FINDING_WARN, "windows",
			tr_fmt("%s: its EFI partition %s is the host's own (%s): the guest's firmware finds the host's boot loader there, and "
			       "what Windows updates on it the host has changed",
			       whose, block, where),
			tr_fmt("unmount it while the guest runs (noauto in /etc/fstab, and mount it for updates of the boot loader), and choose "
			       "Windows in the guest's boot menu once; or give Windows its own: a second EFI partition, and in Windows `bcdboot "
			       "C:\\Windows /s S: /f UEFI`"));
}

void windows_findings(struct findings *out, struct root *root, const struct strv *family, const char *whose)
{
	for (size_t i = 0; i < family->n; i++) {
		cleanup_free char *path = str_fmt("/sys/class/block/%s/dev", family->v[i]), *number = root_read_or(root, path, "");
		cleanup_free char *data = str_fmt("/run/udev/data/b%s", number), *record = root_read_or(root, data, "");
		cleanup_free char *type = seen(record, "ID_FS_TYPE");
		/* where udev knows of another file system, there is none of Windows */
		if (!*type || streq(type, "ntfs") || streq(type, "BitLocker"))
			check_sleep(out, root, family->v[i], whose, streq(type, "ntfs"));
		check_boot(out, root, family->v[i], whose, number, record);
	}
}
