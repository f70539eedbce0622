/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk: what stands behind [disk NAME] and [cdrom NAME], and whether the host or anybody else uses it: then it is
 * refused, for two systems that write to one file system destroy it. Of what the configuration names only image files
 * are opened, by their user: to read their header, and to see whether direct I/O works; all else is looked at (stat,
 * sysfs, /proc).
 */
#pragma once
#include "launcher/config/config.h"
#include "launcher/step/finding.h"
#include "launcher/step/step.h"

/* A file system of a disk that the host has mounted, where it goes for a guest (`unmount`). */
struct disk_mount {
	char *point;            /* where; without the escapes of mountinfo */
	char *was;              /* a value of the kind "unmount" */
	char *problem, *remedy; /* why it stays, and so the disk with it; NULL: it goes */
	bool harmless;          /* nosuid and nodev: what the guest writes into it makes nobody root */
};

enum disk_kind { DISK_ABSENT, DISK_FILE, DISK_BLOCK, DISK_OTHER };

struct disk {
	const struct conf_disk *conf; /* borrowed */
	bool cdrom;
	enum disk_kind kind;
	char *real;              /* the path with every link resolved; NULL if absent */
	char *block;             /* the kernel's name of a block device, "nvme0n1p2"; NULL otherwise */
	char *by_id;             /* its name that does not change with the order of discovery; NULL if it has none */
	uint64_t size;           /* bytes */
	unsigned sector;         /* logical block size of a block device; 0 otherwise */
	enum disk_format format; /* never FORMAT_AUTO: by the name alone, for a raw disk's content belongs to its guest */
	bool buffered;           /* an image on a file system without direct I/O (tmpfs) */
	uid_t uid;
	gid_t gid;
	/* of an image file on this host: */
	uint64_t guest_size;       /* bytes that the guest sees */
	uint64_t allocated, room;  /* bytes it takes of its file system; bytes that are left there */
	unsigned snapshots;        /* within it */
	char *backing;             /* as written in it; NULL: none */
	struct strv below;         /* the files that it is built upon, one below the other */
	bool guessed;              /* its header does not say of what format its backing file is: QEMU would guess */
	const char *foreign;       /* it is of a format that only qemu-img reads: its word for that (and a problem); NULL: it is not */
	char *problem, *remedy;    /* why it cannot be used; NULL if it can */
	struct disk_mount *mounts; /* with `unmount`: in the order in which they go */
	size_t n_mounts;
	bool claimed; /* a machine that runs has it: its holders are that one's, which the claim names; set by the plan */
};
/* Whether it is read and written past the host's page cache. */
bool disk_is_direct(const struct disk *d);
struct disk_facts {
	struct disk *v; /* the disks, then the CD-ROMs, in the order of the configuration */
	size_t n, n_disks;
	bool io_uring; /* the kernel lets users have it */
};

/* To be called with the rights of the user, who named the files. */
struct err *disk_facts_read(struct root *root, const struct config *c, struct disk_facts *ret_facts);
void disk_facts_free(struct disk_facts *f);
#define cleanup_disk_facts cleanup(disk_facts_free)

/*
 * Kind "unmount": target a mount point, want "none", values "TYPE SOURCE OPTIONS SUPER" as mountinfo has them, escapes too, or "none". Undo mounts
 * the same source there again, by mount(2), with the same type, flags and options; it makes the folder where a desktop has taken it away.
 */
extern const struct step_kind unmount_kind;
/* What the host has mounted of the block device and its partitions, the last first. */
void disk_mounts_read(struct root *root, struct disk *d);
/* To come before the claims. */
void disk_unmount_steps(struct steps *out, const struct disk_facts *f);
/*
 * What of it stays in the way. `user`: on whose behalf; NULL where it is root's own affair. `roots_own`: the configuration is a file that root
 * alone can write, and no word of the command line asks for it.
 */
void disk_unmount_findings(struct findings *out, const struct disk_facts *f, const char *user, bool roots_own);

/*
 * A claim on each block device (kind "claim"), in the order of disk_fdset; QEMU inherits the descriptor, so that no node changes its owner.
 * Files the user of QEMU must be able to open himself. Their `data` is for the launch to set.
 */
void disk_steps(struct steps *out, const struct disk_facts *f);
/* The number of d's descriptor among those of the block devices, which is its set's, too (/dev/fdset/N); -1: it is none. */
int disk_fdset(const struct disk_facts *f, const struct disk *d);
/* How many block devices there are. */
size_t disk_fds(const struct disk_facts *f);

/* Another running machine of ours is not seen here but by the descriptors it holds: what machines claim is compared
 * elsewhere. */
void disk_findings(struct findings *out, const struct config *c, const struct disk_facts *f, struct root *root);
/* The same for a block device behind a controller that is passed through; `whose` is its PCI address. Adds nothing if
 * it is free. */
void disk_findings_behind(struct findings *out, struct root *root, const char *block, const char *whose);

/* What to do where it is absent, by what it is to be: an image is made where one is `wanted` (else it was to be there: to be copied, resized), a
 * disc is fetched, a device is plugged in. Owned by the caller. */
char *disk_absent_remedy(const struct disk *d, bool wanted);

/* Who uses it now, a line a use, added to ret_uses: the host, or a process that has it open (`writers`: for writing). */
void disk_in_use(struct root *root, const struct disk *d, bool writers, struct strv *ret_uses);
/* The names of a disk and its partitions; of a partition its own. Added to ret_names. */
void disk_family(struct root *root, const char *block, struct strv *ret_names);
/* How the host uses a block device or a partition of it, a line a use: "nvme0n1p2 is mounted on /". Added to ret_uses.
 */
void disk_uses(struct root *root, const char *block, struct strv *ret_uses);
