/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disk: facts and steps. See disk.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "launcher/base/tr.h"
#include "launcher/host/disk/disc.h"
#include "launcher/host/disk/disk.h"
#include "launcher/host/disk/image.h"
#include "launcher/host/kind/block.h"

#define SECTOR 512 /* /sys/class/block/X/size counts these, whatever the device's own */

static uint64_t read_number(struct root *root, const char *block, const char *attr)
{
	cleanup_free char *path = str_fmt("/sys/class/block/%s/%s", block, attr), *text = root_read_or(root, path, "0");
	return strtoull(text, NULL, 10);
}

/*
 * The kernel's name of a device. By its number on a host; in a captured tree nodes are plain files, so by the name of
 * the node. NULL if it is no block device.
 */
static char *block_name(struct root *root, const struct stat *st, const char *real)
{
	if (S_ISBLK(st->st_mode)) {
		cleanup_free char *link = str_fmt("/sys/dev/block/%u:%u", major(st->st_rdev), minor(st->st_rdev));
		return root_link_name(root, link);
	}
	const char *name = str_starts(real, "/dev/") ? strrchr(real, '/') + 1 : NULL;
	cleanup_free char *sys = name ? str_fmt("/sys/class/block/%s", name) : NULL;
	return sys && !root_is_host(root) && root_exists(root, sys) ? str_dup(name) : NULL;
}

/* The name below /dev/disk/by-id that says most: not the bare numbers of a WWN or EUI. */
static char *find_by_id(struct root *root, const char *block)
{
	cleanup_strv struct strv names = {};
	const char *best = NULL;
	err_free(root_list(root, "/dev/disk/by-id", &names));
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *path = str_fmt("/dev/disk/by-id/%s", names.v[i]), *name = root_link_name(root, path);
		bool bare = str_starts(names.v[i], "wwn-") || str_starts(names.v[i], "nvme-eui.") || str_starts(names.v[i], "nvme-nvme.");
		if (streq(name, block) && (!best || !bare))
			best = names.v[i];
		if (best == names.v[i] && !bare)
			break;
	}
	return best ? str_fmt("/dev/disk/by-id/%s", best) : NULL;
}

static void read_block(struct root *root, struct disk *d)
{
	d->kind = DISK_BLOCK;
	d->size = read_number(root, d->block, "size") * SECTOR;
	d->sector = (unsigned)read_number(root, d->block, "queue/logical_block_size");
	if (!d->sector) /* a partition has its disk's */
		d->sector = (unsigned)read_number(root, d->block, "../queue/logical_block_size");
	d->by_id = find_by_id(root, d->block);
}

/* open(2): EINVAL is a file system that does not have O_DIRECT. */
static bool is_buffered(struct root *root, const char *path)
{
	cleanup_fd int fd = -1;
	cleanup_err struct err *e = root_is_host(root) ? root_open_fd(root, path, O_RDONLY | O_DIRECT | O_NONBLOCK, &fd) : NULL;
	return err_code(e) == EINVAL;
}

bool disk_is_direct(const struct disk *d)
{
	return !d->cdrom && (d->conf->cache == CACHE_NONE || (d->conf->cache == CACHE_AUTO && !d->buffered));
}

/* "win.vmdk" becomes "win.qcow2" beside it. */
static char *foreign_remedy(const struct image_foreign *foreign, const char *path)
{
	if (foreign->unpack)
		return str_fmt("%s '%s'", foreign->unpack, path);
	if (!foreign->driver)
		return tr_dup("format = raw if its guest itself has encrypted the whole disk; else unlock it first");
	const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
	return tr_fmt("qlaunch disk convert '%s' '%.*s.qcow2', and name that one", path, (int)(dot ? (size_t)(dot - path) : strlen(path)),
		      path);
}

/* A [cdrom] is a disc, or it is not what it was taken for: a download that broke off, an archive. */
static void read_disc(struct root *root, struct disk *d)
{
	struct disc disc;
	cleanup_err struct err *e = root_is_host(root) ? disc_read(d->conf->path, &disc) : NULL;
	const struct image_foreign *foreign = e ? image_foreign(root, d->conf->path) : NULL;
	if (!e)
		return;
	d->problem = foreign ? tr_fmt("%s is %s", d->conf->path, _(foreign->what)) : str_dup(err_text(e));
	d->remedy = foreign && foreign->unpack ? str_fmt("%s '%s'", foreign->unpack, d->conf->path) : str_dup(err_remedy(e));
}

/* In a captured tree images are empty. */
static void read_image(struct root *root, struct disk *d, const struct stat *st)
{
	cleanup_qcow2 struct qcow2 q = {};
	struct statvfs fs;
	d->guest_size = d->size;
	if (!root_is_host(root))
		return;
	d->allocated = (uint64_t)st->st_blocks * SECTOR;
	d->room = statvfs(d->conf->path, &fs) == 0 ? (uint64_t)fs.f_bavail * fs.f_frsize : UINT64_MAX;
	bool stated = d->conf->format != FORMAT_AUTO;
	const struct image_foreign *foreign = stated || d->format != FORMAT_RAW ? NULL : image_foreign(root, d->conf->path);
	if (foreign) {
		d->foreign = foreign->driver;
		d->problem = tr_fmt("%s is %s", d->conf->path, _(foreign->what));
		d->remedy = foreign_remedy(foreign, d->conf->path);
		return;
	}
	cleanup_err struct err *e = image_read(root, d->conf->path, d->format, stated, &q);
	d->problem = e ? str_dup(err_text(e)) : NULL;
	d->remedy = str_dup(err_remedy(e));
	if (d->format == FORMAT_QCOW2 && !e)
		d->guest_size = q.size;
	d->snapshots = q.snapshots;
	d->guessed = q.backing && !q.backing_format;
	d->backing = steal(q.backing);
	d->below = q.below;
	q.below = (struct strv){};
}

static void disk_read(struct root *root, const struct conf_disk *conf, bool cdrom, struct disk *d)
{
	struct stat st;
	*d = (struct disk){ .conf = conf, .cdrom = cdrom, .format = conf->format };
	cleanup_err struct err *e = root_stat(root, conf->path, &st);
	if (!e) {
		d->real = root_real(root, conf->path);
		d->block = block_name(root, &st, d->real ? d->real : conf->path);
		d->kind = S_ISREG(st.st_mode) ? DISK_FILE : DISK_OTHER;
		d->size = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
		d->uid = st.st_uid;
		d->gid = st.st_gid;
		if (d->block)
			read_block(root, d);
		if (d->block && conf->unmount)
			disk_mounts_read(root, d);
		d->buffered = d->kind == DISK_FILE && is_buffered(root, conf->path);
	}
	if (cdrom)
		d->format = FORMAT_RAW;
	if (d->format == FORMAT_AUTO)
		d->format = !d->block && str_ends(conf->path, ".qcow2") ? FORMAT_QCOW2 : FORMAT_RAW;
	if (d->kind == DISK_FILE && !cdrom && d->size)
		read_image(root, d, &st);
	if (d->kind == DISK_FILE && cdrom && d->size)
		read_disc(root, d);
}

/* It can be forbidden by sysctl (since Linux 6.6: 1, but for one group; 2, for all) or, in a container, by seccomp. */
static bool has_io_uring(struct root *root)
{
	struct io_uring_params params = {};
	cleanup_free char *disabled = root_read_or(root, "/proc/sys/kernel/io_uring_disabled", "0");
	if (!streq(disabled, "0") || !root_is_host(root))
		return streq(disabled, "0");
	cleanup_fd int fd = (int)syscall(SYS_io_uring_setup, 1, &params);
	return fd >= 0;
}

struct err *disk_facts_read(struct root *root, const struct config *c, struct disk_facts *ret_facts)
{
	struct disk_facts f = { .n = c->n_disks + c->n_cdroms, .n_disks = c->n_disks };
	f.io_uring = f.n && has_io_uring(root);
	f.v = mem_new(f.n * sizeof(*f.v));
	for (size_t i = 0; i < f.n; i++) {
		bool cdrom = i >= c->n_disks;
		disk_read(root, cdrom ? &c->cdroms[i - c->n_disks] : &c->disks[i], cdrom, &f.v[i]);
	}
	*ret_facts = f;
	return NULL;
}

void disk_facts_free(struct disk_facts *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].real);
		free(f->v[i].block);
		free(f->v[i].by_id);
		free(f->v[i].backing);
		strv_free(&f->v[i].below);
		free(f->v[i].problem);
		free(f->v[i].remedy);
		for (size_t k = 0; k < f->v[i].n_mounts; k++) {
			free(f->v[i].mounts[k].point);
			free(f->v[i].mounts[k].was);
			free(f->v[i].mounts[k].problem);
			free(f->v[i].mounts[k].remedy);
		}
		free(f->v[i].mounts);
	}
	free(f->v);
	*f = (struct disk_facts){};
}

size_t disk_fds(const struct disk_facts *f)
{
	size_t n = 0;
	for (size_t i = 0; i < f->n; i++)
		n += f->v[i].kind == DISK_BLOCK;
	return n;
}

int disk_fdset(const struct disk_facts *f, const struct disk *d)
{
	int n = 0;
	for (const struct disk *e = f->v; e < d; e++)
		n += e->kind == DISK_BLOCK;
	return d->kind == DISK_BLOCK ? n : -1;
}

/* With the flags that QEMU would open it with. Drives with a disc are anybody's who only reads. */
void disk_steps(struct steps *out, const struct disk_facts *f)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct disk *d = &f->v[i];
		if (d->kind != DISK_BLOCK)
			continue;
		cleanup_free char *how = str_fmt("%s%s%s", d->cdrom || d->conf->readonly ? BLOCK_RO : BLOCK_RW,
						 disk_is_direct(d) ? " " BLOCK_DIRECT : "", d->cdrom ? " " BLOCK_SHARED : "");
		claim_step(out, d->real, how,
			   d->cdrom ? "QEMU runs as the user and inherits the drive" : "nobody else mounts or uses it while QEMU lives");
	}
}
