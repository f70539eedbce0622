/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disk: what the commands of `qlaunch disk` share: which disk a word means, and whether it may be touched. */
#pragma once
#include "launcher/base/user.h"
#include "launcher/cli.h"
#include "launcher/config/config.h"
#include "launcher/host/disk/disk.h"
#include "qmp/qmp.h"

/*
 * What one word of the command line means: a path of an image or a block device, MACHINE:DISK (its configuration's name
 * or file, and the section's name), or MACHINE: all of its disks. A word with a slash before any colon is a path, unless
 * that part ends in .conf; so is the name of a file that is there.
 */
struct targets {
	const char *word;
	struct user user;      /* on whose behalf: qemu-img runs as this user */
	struct config *config; /* owned; made up for a path */
	struct disk_facts facts;
	const struct disk **v; /* those that are meant, of facts */
	size_t n;
	char *machine; /* its name; NULL for a path */
};
/* `format` is the value of --format, or NULL; it is for paths only. Absent images are no error here. EXIT_USAGE. */
struct err *targets_find(struct cli *cli, const char *word, const char *format, struct targets *ret_targets);
void targets_free(struct targets *t);
#define cleanup_targets cleanup(targets_free)
/* Exactly one, or the names to choose from. */
struct err *targets_one(const struct targets *t, const struct disk **ret_disk);
struct err *format_parse(const char *text, enum disk_format *ret_format);

/* It is there, and its header is well. */
struct err *disk_whole(const struct disk *d);
/* The running machine that has it for itself; NULL: none. Owned by the caller. */
char *disk_owner(struct cli *cli, const struct disk *d);
/* No machine runs with it, the host does not use it, nobody has it open (`writers`: for writing). Else EXIT_HOST. */
struct err *disk_idle(struct cli *cli, const struct disk *d, bool writers);
/* Its node in a machine that runs, by the path. Owned by the caller. */
struct err *disk_live_node(struct qmp *qmp, const struct user *user, const struct disk *d, char **ret_node);

/* "64G for the guest": what the guest sees, whatever the file's size. */
uint64_t disk_guest_size(const struct disk *d);

/* For `check`: looks through the tables of each qcow2 image that nobody has open. */
void disk_check_images(struct findings *out, struct root *root, const struct user *user, const struct disk_facts *f);

/* The commands: `args` has the words after theirs. */
struct err *disk_create(struct cli *cli, const struct verb_args *args);
struct err *disk_list(struct cli *cli, const struct verb_args *args);
struct err *disk_resize(struct cli *cli, const struct verb_args *args);
struct err *disk_snapshot(struct cli *cli, const struct verb_args *args);
struct err *disk_revert(struct cli *cli, const struct verb_args *args);
struct err *disk_delete(struct cli *cli, const struct verb_args *args);
struct err *disk_convert(struct cli *cli, const struct verb_args *args);
struct err *disk_write(struct cli *cli, const struct verb_args *args);

/* What `qemu-img info` says of an image, as JSON; also while it is in use. Owned by the caller. */
struct err *disk_info(const struct user *user, const struct disk *d, json_t **ret_info);
