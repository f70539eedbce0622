/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk_copy: convert and write. A copy is made beside its name and gets it when it is whole. A device that is written to
 * is held by the kernel's own exclusive open meanwhile: what has been mounted, or is mounted in between, cannot be hit.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/host/disk/image.h"
#include "launcher/tools/qemu_img.h"
#include "launcher/step/journal.h"
#include "launcher/verbs/verb_disk.h"
#include "launcher/verbs/pager.h"

/* A block device while it is copied. */
struct held {
	int fd;
	dev_t number; /* to be shown to qemu-img; 0: it opens the path */
	char *path;   /* under which qemu-img finds it */
};

static void held_free(struct held *h)
{
	fd_closep(&h->fd);
	free(h->path);
}

static struct err *hold(struct cli *cli, const struct disk *d, int flags, struct held *ret_held)
{
	struct stat st;
	cleanup_fd int fd = -1;
	struct err *e = root_open_fd(cli->root, d->real, flags | O_EXCL | O_CLOEXEC, &fd);
	if (err_code(e) == EBUSY)
		e = err_hint(e, "the kernel has it in use: unmount it, or stop what is built on it");
	if (err_code(e) == EACCES || err_code(e) == EPERM)
		e = err_hint(e, "sudo qlaunch disk …");
	TRY(err_exit(e, EXIT_HOST));
	if (fstat(fd, &st) < 0 || !S_ISBLK(st.st_mode))
		return err_exit(err_new("%s is no block device any more", d->real), EXIT_HOST);
	if (geteuid() == 0) {
		cleanup_free char *base = journal_base();
		TRY(root_mkdirs(cli->root, base, 0755));
		ret_held->number = st.st_rdev;
	}
	ret_held->path = ret_held->number ? qemu_img_device_path() : str_dup(d->real);
	ret_held->fd = fd_steal(&fd);
	return NULL;
}

/* What is copied from: whole, nobody's, and held if it is a device. `foreign`: it may be of a format that only qemu-img reads. */
static struct err *take_source(struct cli *cli, const char *word, const char *format, bool foreign, struct targets *t,
			       const struct disk **ret_disk)
{
	TRY(targets_find(cli, word, format, t));
	TRY(targets_one(t, ret_disk));
	if (!foreign || !(*ret_disk)->foreign)
		TRY(disk_whole(*ret_disk));
	return disk_idle(cli, *ret_disk, true);
}

/* ---- convert ---- */

struct placing {
	const char *part, *to;
	bool keep;
};

/* With the rights of the user: a name that is nobody's yet, for what is not whole. */
static struct err *reserve(void *data)
{
	const struct placing *p = data;
	cleanup_fd int fd = open(p->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	return fd < 0 ? err_errno(errno, "%s", p->part) : NULL;
}

/* With the rights of the user: the copy gets its name, or goes. */
static struct err *place(void *data)
{
	const struct placing *p = data;
	if (p->keep && renameat2(AT_FDCWD, p->part, AT_FDCWD, p->to, RENAME_NOREPLACE) < 0) {
		int why = errno;
		unlink(p->part);
		return err_errno(why, "%s", p->to);
	}
	if (!p->keep)
		unlink(p->part);
	return NULL;
}

static struct err *copy(struct cli *cli, const struct targets *from, const struct disk *src, const struct disk *dst, bool compress)
{
	cleanup(held_free) struct held held = { .fd = -1 };
	if (src->block)
		TRY(hold(cli, src, O_RDONLY, &held));
	cleanup_free char *part = str_fmt("%s.%d.part", dst->conf->path, (int)getpid()),
			  *what = tr_fmt("copying %s", str_base(src->conf->path));
	const char *argv[] = { "convert", "-p", "-f", src->foreign ? src->foreign : image_format_name(src->format), "-O", image_format_name(dst->format), "-o", QEMU_IMG_NOCOW, "-t", "writeback",
			       src->block ? held.path : src->conf->path, part, compress ? "-c" : NULL, NULL };
	struct qemu_img run = { .user = &from->user, .argv = argv, .what = what, .total = disk_guest_size(src), .device = held.number };
	struct placing p = { part, dst->conf->path, false };
	TRY(err_exit(user_visit(&from->user, reserve, &p), EXIT_HOST));
	struct err *e = qemu_img_run(&run, NULL);
	p.keep = !e;
	struct err *placed = user_visit(&from->user, place, &p);
	if (!e)
		return err_exit(placed, EXIT_HOST);
	err_free(placed);
	return e;
}

struct err *disk_convert(struct cli *cli, const struct verb_args *args)
{
	cleanup_targets struct targets from = {}, to = {};
	const struct disk *src, *dst;
	bool compress = verb_option(args, "compress");
	TRY(targets_find(cli, args->words.v[1], verb_option(args, "format"), &to));
	TRY(targets_one(&to, &dst));
	if (dst->block)
		return err_exit(err_hint(err_new("%s is a device", dst->conf->path), "qlaunch disk write %s %s", args->words.v[0], dst->conf->path),
				EXIT_USAGE);
	if (dst->kind != DISK_ABSENT)
		return err_exit(err_hint(err_new("%s is there already, and is not overwritten", dst->conf->path), "take another name"), EXIT_USAGE);
	if (compress && dst->format != FORMAT_QCOW2)
		return err_exit(err_hint(err_new("a raw image is not compressed"), "--format qcow2"), EXIT_USAGE);
	TRY(take_source(cli, args->words.v[0], verb_option(args, "from"), true, &from, &src));
	if (src->snapshots)
		log_warn("%s: its %u snapshot%s not copied, what is there now is", src->conf->path, src->snapshots, src->snapshots > 1 ? "s are" : " is");
	TRY(copy(cli, &from, src, dst, compress));
	cleanup_free char *size = src->foreign ? str_dup(src->foreign) : size_rounded(disk_guest_size(src));
	log_info("%s: a copy of %s, %s, %s", dst->conf->path, src->conf->path, image_format_name(dst->format), size);
	return NULL;
}

/* ---- write ---- */

/* "sdb1 ntfs \"Games\"": what udev has seen on a device or partition. */
static char *content_of(struct root *root, const char *block)
{
	cleanup_free char *dev = str_fmt("/sys/class/block/%s/dev", block), *number = root_read_or(root, dev, ""),
			  *db = str_fmt("/run/udev/data/b%s", number), *text = root_read_or(root, db, "");
	cleanup_strv struct strv lines = {};
	cleanup_sb struct sb sb = {};
	sb_add(&sb, block);
	strv_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.n; i++) {
		if (str_starts(lines.v[i], "E:ID_FS_TYPE="))
			sb_addf(&sb, " %s", lines.v[i] + strlen("E:ID_FS_TYPE="));
		if (str_starts(lines.v[i], "E:ID_FS_LABEL="))
			sb_addf(&sb, " \"%s\"", lines.v[i] + strlen("E:ID_FS_LABEL="));
	}
	return str_printable(sb.s);
}

static void show_device(struct root *root, const struct disk *d)
{
	cleanup_strv struct strv entries = {}, parts = {};
	cleanup_free char *dir = str_fmt("/sys/class/block/%s", d->block), *size = size_rounded(d->size),
			  *model_path = str_fmt("%s/device/model", dir), *model = root_read_or(root, model_path, ""), *clean = str_printable(model);
	err_free(root_list(root, dir, &entries));
	for (size_t i = 0; i < entries.n; i++) {
		cleanup_free char *mark = str_fmt("%s/%s/partition", dir, entries.v[i]),
				  *what = root_exists(root, mark) ? content_of(root, entries.v[i]) : NULL;
		if (what)
			strv_add(&parts, what);
	}
	cleanup_free char *whole = content_of(root, d->block), *list = parts.n ? strv_join(&parts, ", ") : str_dup(whole);
	printf("%s: %s %s%s%s\n", d->block, size, str_trim(clean), *clean ? " " : "", d->by_id ? d->by_id : "");
	page_wrap("    ", 4, list);
	printf("  %s\n", _("All that is on it will be lost."));
}

/* The name typed, or --yes. */
static struct err *confirm(struct cli *cli, const struct disk *d, bool yes)
{
	char answer[64] = "";
	if (yes)
		return NULL;
	if (!isatty(STDIN_FILENO))
		return err_exit(err_hint(err_new("nobody is there to say yes to overwriting %s", d->real), "--yes"), EXIT_USAGE);
	show_device(cli->root, d);
	printf(_("Type %s to go on: "), d->block);
	fflush(stdout);
	if (!fgets(answer, sizeof(answer), stdin) || !streq(str_trim(answer), d->block))
		return err_exit(err_new("nothing was written"), EXIT_USAGE);
	return NULL;
}

static struct err *check_device(struct cli *cli, const struct disk *d, const struct disk *src)
{
	cleanup_free char *ro_path = str_fmt("/sys/class/block/%s/ro", d->block ? d->block : ""), *ro = root_read_or(cli->root, ro_path, "0"),
			  *need = size_rounded(disk_guest_size(src)), *has = size_rounded(d->size);
	TRY(disk_whole(d));
	if (!d->block)
		return err_exit(err_hint(err_new("%s is no block device", d->conf->path), "qlaunch disk convert makes images"), EXIT_USAGE);
	if (streq(ro, "1"))
		return err_exit(err_new("%s is read-only", d->conf->path), EXIT_HOST);
	if (d->size < disk_guest_size(src))
		return err_exit(err_hint(err_new("%s is too small: it has %s, and the image %s", d->conf->path, has, need),
					 "a larger disk, or make the image smaller: qlaunch disk resize --shrink"), EXIT_HOST);
	return disk_idle(cli, d, true);
}

struct err *disk_write(struct cli *cli, const struct verb_args *args)
{
	cleanup_targets struct targets from = {}, to = {};
	cleanup(held_free) struct held held = { .fd = -1 };
	const struct disk *src, *dst;
	TRY(take_source(cli, args->words.v[0], verb_option(args, "format"), false, &from, &src));
	if (src->block)
		return err_exit(err_hint(err_new("%s is a device, not an image", src->conf->path), "qlaunch disk convert makes an image of it"),
				EXIT_USAGE);
	TRY(targets_find(cli, args->words.v[1], NULL, &to));
	TRY(targets_one(&to, &dst));
	TRY(check_device(cli, dst, src));
	TRY(confirm(cli, dst, verb_option(args, "yes")));
	TRY(hold(cli, dst, O_RDWR, &held)); /* it may have been mounted while somebody thought */
	cleanup_free char *what = tr_fmt("writing %s", dst->block), *size = size_rounded(disk_guest_size(src)),
			  *rest = size_rounded(dst->size - disk_guest_size(src));
	const char *argv[] = { "convert", "-p", "-n", "-f", image_format_name(src->format), "-O", "raw", "-t", "none", src->conf->path, held.path, NULL };
	struct qemu_img run = { .user = &from.user, .argv = argv, .what = what, .total = disk_guest_size(src), .device = held.number };
	struct err *e = qemu_img_run(&run, NULL);
	if (e)
		return err_wrap(e, "%s is half written, and of no use until it is written again", dst->real);
	/* its partitions are others now; one that has none, or is a partition itself, has nothing to be read again */
	(void)ioctl(held.fd, BLKRRPART, 0);
	log_info("%s: %s of %s%s%s%s", dst->real, size, src->conf->path, dst->size > disk_guest_size(src) ? "; " : "",
		 dst->size > disk_guest_size(src) ? rest : "", dst->size > disk_guest_size(src) ? _(" behind it are not used yet") : "");
	return NULL;
}
