/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qlaunch disk: images and disks of machines, over qemu-img, and over the monitor where the machine runs. A table of
 * commands; those that are short are here.
 */
#include <inttypes.h>
#include <stdlib.h>
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/tools/control.h"
#include "launcher/host/disk/image.h"
#include "launcher/tools/qemu_img.h"
#include "launcher/verbs/verb_disk.h"

#define LIMIT_MS 60000

static const struct {
	const char *name, *usage;
	size_t least, most;
	struct err *(*run)(struct cli *cli, const struct verb_args *args);
} commands[] = {
	{ "create", "IMAGE [SIZE] [--format F] [--backing IMAGE] [--full]", 1, 2, disk_create },
	{ "list", "DISK…", 1, 64, disk_list },
	{ "snapshot", "DISK [NAME]", 1, 2, disk_snapshot },
	{ "revert", "DISK NAME [--drop]", 2, 2, disk_revert },
	{ "delete", "DISK NAME", 2, 2, disk_delete },
	{ "resize", "DISK [+]SIZE [--shrink]", 2, 2, disk_resize },
	{ "convert", "DISK IMAGE [--from F] [--format F] [--compress]", 2, 2, disk_convert },
	{ "write", "IMAGE DEVICE [--yes]", 2, 2, disk_write },
};

struct err *verb_disk(struct cli *cli, const struct verb_args *args)
{
	cleanup_strv struct strv names = {};
	const char *word = args->words.n ? args->words.v[0] : "";
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		strv_add(&names, commands[i].name);
		if (!streq(commands[i].name, word))
			continue;
		/* borrowed from args, all but the command's own word */
		struct verb_args rest = { { args->words.v + 1, args->words.n - 1 }, args->options };
		cleanup_free char *usage = str_fmt("disk %s %s", word, commands[i].usage);
		TRY(verb_words(&rest, commands[i].least, commands[i].most, usage));
		return root_is_host(cli->root) ? commands[i].run(cli, &rest)
					       : err_exit(err_new("disks are those of this host only, not of --root"), EXIT_USAGE);
	}
	cleanup_free char *all = strv_join(&names, "|");
	const char *near = *word ? str_nearest(word, (const char *const *)names.v) : NULL;
	struct err *e = *word ? err_new("disk has no \"%s\"", word) : err_new("what is to be done with which disk?");
	return err_exit(near ? err_hint(e, "did you mean %s?", near) : err_hint(e, "qlaunch disk %s", all), EXIT_USAGE);
}

/* ---- create ---- */

/* What it begins with: the words `-b FILE -F FORMAT`. */
static struct err *add_backing(struct cli *cli, const char *word, uint64_t *size, struct strv *argv)
{
	cleanup_targets struct targets t = {};
	const struct disk *d;
	TRY(targets_find(cli, word, NULL, &t));
	TRY(targets_one(&t, &d));
	TRY(disk_whole(d));
	if (d->block)
		return err_exit(err_new("%s is a device: a backing file is an image", d->conf->path), EXIT_USAGE);
	if (!*size)
		*size = disk_guest_size(d);
	strv_add(argv, "-b");
	strv_add(argv, d->real);
	strv_add(argv, "-F");
	strv_add(argv, image_format_name(d->format));
	return NULL;
}

struct err *disk_create(struct cli *cli, const struct verb_args *args)
{
	cleanup_targets struct targets t = {};
	cleanup_strv struct strv argv = {};
	const struct disk *d;
	uint64_t size = 0;
	const char *backing = verb_option(args, "backing");
	if (args->words.n > 1)
		TRY(err_exit(size_parse(args->words.v[1], &size), EXIT_USAGE));
	TRY(targets_find(cli, args->words.v[0], verb_option(args, "format"), &t));
	TRY(targets_one(&t, &d));
	if (d->kind != DISK_ABSENT)
		return err_exit(err_hint(err_new("%s is there already, and is not overwritten", d->conf->path), "take another name"),
				EXIT_USAGE);
	if (backing && d->format != FORMAT_QCOW2)
		return err_exit(err_hint(err_new("a raw image has no backing file"), "--format qcow2"), EXIT_USAGE);
	static const char *const begin[] = { "create", "-q", "-f" };
	for (size_t i = 0; i < ARRAY_SIZE(begin); i++)
		strv_add(&argv, begin[i]);
	strv_add(&argv, image_format_name(d->format));
	if (backing)
		TRY(add_backing(cli, backing, &size, &argv));
	if (!size)
		return err_exit(err_hint(err_new("how large?"), "qlaunch disk create %s 64G", args->words.v[0]), EXIT_USAGE);
	strv_add(&argv, "-o");
	strv_add(&argv, verb_option(args, "full") ? QEMU_IMG_NOCOW ",preallocation=falloc" : QEMU_IMG_NOCOW);
	strv_add(&argv, d->conf->path);
	strv_addf(&argv, "%" PRIu64, size);
	TRY(qemu_img_run(&(struct qemu_img){ .user = &t.user, .argv = (const char *const *)argv.v }, NULL));
	cleanup_free char *text = size_format(size);
	log_info("%s: %s, %s", d->conf->path, image_format_name(d->format), text);
	return NULL;
}

/* ---- resize ---- */

static struct err *resize_live(struct cli *cli, const char *vm, const struct targets *t, const struct disk *d, uint64_t size)
{
	cleanup_qmp struct qmp *qmp = NULL;
	cleanup_free char *node = NULL;
	TRY(control_open(cli, vm, &qmp));
	TRY(disk_live_node(qmp, &t->user, d, &node));
	struct err *e = qmp_call(qmp, "block_resize", json_pack("{s:s, s:I}", "node-name", node, "size", (json_int_t)size), LIMIT_MS, NULL);
	if (!e || !strstr(err_text(e), "Permission conflict"))
		return e;
	err_free(e); /* QEMU's NVMe drives do not share that right */
	return err_hint(err_new("%s: a drive on its bus cannot grow while %s runs", d->conf->path, vm),
			"qlaunch stop %s, or bus = virtio, sata or scsi", vm);
}

static struct err *resize_idle(struct cli *cli, const struct targets *t, const struct disk *d, uint64_t size, bool shrink)
{
	cleanup_free char *bytes = str_fmt("%" PRIu64, size);
	const char *grow[] = { "resize", "-q", "-f", image_format_name(d->format), d->conf->path, bytes, NULL };
	const char *less[] = { "resize", "-q", "--shrink", "-f", image_format_name(d->format), d->conf->path, bytes, NULL };
	TRY(disk_idle(cli, d, false));
	return qemu_img_run(&(struct qemu_img){ .user = &t->user, .argv = shrink ? less : grow }, NULL);
}

struct err *disk_resize(struct cli *cli, const struct verb_args *args)
{
	cleanup_targets struct targets t = {};
	const struct disk *d;
	uint64_t size;
	const char *word = args->words.v[1];
	TRY(err_exit(size_parse(word + (*word == '+'), &size), EXIT_USAGE));
	TRY(targets_find(cli, args->words.v[0], verb_option(args, "format"), &t));
	TRY(targets_one(&t, &d));
	TRY(disk_whole(d));
	if (d->block)
		return err_exit(err_new("%s is a device, which has the size it has", d->conf->path), EXIT_USAGE);
	uint64_t old = disk_guest_size(d);
	size += *word == '+' ? old : 0;
	size = (size + 511) & ~UINT64_C(511);
	cleanup_free char *was = size_format(old), *is = size_format(size), *owner = disk_owner(cli, d);
	bool shrink = size < old;
	if (shrink && (owner || !verb_option(args, "shrink")))
		return err_exit(err_hint(err_new("%s has %s: what lies beyond %s would be lost", d->conf->path, was, is),
					 "make the file systems in it smaller first, end its machine, then: --shrink"),
				EXIT_USAGE);
	TRY(err_exit(owner ? resize_live(cli, owner, &t, d, size) : resize_idle(cli, &t, d, size, shrink), EXIT_HOST));
	log_info("%s: %s → %s%s", d->conf->path, was, is,
		 shrink  ? ""
		 : owner ? _("; the guest sees it now, its partitions stay as they are")
			 : _("; the guest's partitions stay as they are"));
	return NULL;
}
