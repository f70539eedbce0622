/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disk_use: who else uses a disk. The kernel tells mounts, swap and holders (dm, LVM, md, bcache) by device;
 * multi-device file systems and ZFS tell less, so they are found by btrfs's own list and by what udev saw on the disk.
 */
#include <stdlib.h>
#include "launcher/base/opened.h"
#include "launcher/base/tr.h"
#include "launcher/host/disk/disk.h"
#include "launcher/host/disk/image.h"
#include "launcher/host/disk/windows.h"
#include "launcher/host/kind/block.h"

static char *read_of(struct root *root, const char *block, const char *attr)
{
	cleanup_free char *path = str_fmt("/sys/class/block/%s/%s", block, attr);
	return root_read_or(root, path, "");
}

void disk_family(struct root *root, const char *block, struct strv *ret_names)
{
	cleanup_strv struct strv entries = {};
	cleanup_free char *dir = str_fmt("/sys/class/block/%s", block);
	strv_add(ret_names, block);
	err_free(root_list(root, dir, &entries));
	for (size_t i = 0; i < entries.n; i++) {
		cleanup_free char *mark = str_fmt("%s/%s/partition", dir, entries.v[i]);
		if (str_starts(entries.v[i], block) && root_exists(root, mark))
			strv_add(ret_names, entries.v[i]);
	}
}

/* Whether a path of the host's ("/dev/nvme0n1p2", "/dev/mapper/x") is this block device. */
static bool is_device(struct root *root, const char *path, const char *block)
{
	cleanup_free char *real = str_starts(path, "/dev/") ? root_real(root, path) : NULL;
	return real && streq(str_base(real), block);
}

/*
 * mountinfo (proc_pid_mountinfo(5)): id, parent, major:minor, root, mount point, options … - type, source, options.
 * The number of a btrfs is anonymous, so its source counts, too.
 */
static void mounts(struct root *root, const char *block, const char *number, struct strv *uses)
{
	cleanup_free char *text = root_read_or(root, "/proc/self/mountinfo", "");
	cleanup_strv struct strv lines = {};
	strv_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.n; i++) {
		cleanup_strv struct strv word = {};
		strv_split(&word, lines.v[i], " ");
		size_t dash = 6;
		while (dash < word.n && !streq(word.v[dash], "-"))
			dash++;
		if (dash + 2 >= word.n || !(streq(word.v[2], number) || is_device(root, word.v[dash + 2], block)))
			continue;
		strv_addf(uses, _("%s is mounted on %s"), block, word.v[4]);
		return; /* one mount is reason enough */
	}
}

static void swaps(struct root *root, const char *block, struct strv *uses)
{
	cleanup_free char *text = root_read_or(root, "/proc/swaps", "");
	cleanup_strv struct strv lines = {};
	strv_split(&lines, text, "\n");
	for (size_t i = 1; i < lines.n; i++) {
		cleanup_free char *path = str_ndup(lines.v[i], strcspn(lines.v[i], " \t"));
		if (is_device(root, path, block))
			strv_addf(uses, _("%s is swap space"), block);
	}
}

/* dm-0 by its name and the program that made it (dm/uuid begins with it): "LVM-…", "CRYPT-LUKS2-…", "mpath-…". */
static void add_holder(struct root *root, const char *block, const char *holder, struct strv *uses)
{
	static const struct {
		const char *prefix, *what;
	} kinds[] = { { "LVM-", N_("LVM volume") },
		      { "CRYPT-", N_("encrypted volume") },
		      { "mpath-", N_("multipath device") },
		      { "", N_("device-mapper volume") } };
	cleanup_free char *name = read_of(root, holder, "dm/name"), *uuid = read_of(root, holder, "dm/uuid");
	if (!*name) {
		strv_addf(uses, _("%s is part of %s%s"), block, str_starts(holder, "md") ? _("the RAID array ") : "", holder);
		return;
	}
	size_t i = 0;
	while (!str_starts(uuid, kinds[i].prefix))
		i++;
	strv_addf(uses, _("%s is part of the %s %s"), block, tr(kinds[i].what), name);
}

static void holders(struct root *root, const char *block, struct strv *uses)
{
	cleanup_strv struct strv names = {};
	cleanup_free char *path = str_fmt("/sys/class/block/%s/holders", block);
	err_free(root_list(root, path, &names));
	for (size_t i = 0; i < names.n; i++)
		add_holder(root, block, names.v[i], uses);
}

/* A second device of a mounted btrfs is in no line of mountinfo. */
static void btrfs(struct root *root, const char *block, struct strv *uses)
{
	cleanup_strv struct strv ids = {};
	err_free(root_list(root, "/sys/fs/btrfs", &ids));
	for (size_t i = 0; i < ids.n; i++) {
		cleanup_free char *path = str_fmt("/sys/fs/btrfs/%s/devices/%s", ids.v[i], block);
		if (root_exists(root, path))
			strv_addf(uses, _("%s is part of the mounted btrfs %s"), block, ids.v[i]);
	}
}

/* What udev saw on it (ID_FS_TYPE of blkid). A pool that ZFS has imported shows nowhere else. */
static void zfs(struct root *root, const char *block, const char *number, struct strv *uses)
{
	cleanup_free char *path = str_fmt("/run/udev/data/b%s", number), *text = root_read_or(root, path, "");
	if (strstr(text, "E:ID_FS_TYPE=zfs_member") && root_exists(root, "/sys/module/zfs"))
		strv_addf(uses, _("%s is part of a ZFS pool"), block);
}

/* `mounted`: its file systems count; else those that are mounted by themselves do not. */
static void uses_of(struct root *root, const char *block, bool mounted, struct strv *ret_uses)
{
	cleanup_strv struct strv names = {};
	disk_family(root, block, &names);
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *number = read_of(root, names.v[i], "dev");
		if (mounted) {
			mounts(root, names.v[i], number, ret_uses);
			btrfs(root, names.v[i], ret_uses);
		}
		swaps(root, names.v[i], ret_uses);
		holders(root, names.v[i], ret_uses);
		zfs(root, names.v[i], number, ret_uses);
	}
	/* of a partition: what holds the disk as a whole holds it, too */
	cleanup_free char *mark = str_fmt("/sys/class/block/%s/partition", block), *real = NULL;
	cleanup_free char *dir = root_exists(root, mark) ? str_fmt("/sys/class/block/%s/..", block) : NULL;
	real = dir ? root_real(root, dir) : NULL;
	if (real)
		holders(root, str_base(real), ret_uses);
}

void disk_uses(struct root *root, const char *block, struct strv *ret_uses)
{
	uses_of(root, block, true, ret_uses);
}

/* A file: attached as a loop device, or swapped to. */
static void file_uses(struct root *root, const struct disk *d, struct strv *uses)
{
	cleanup_strv struct strv blocks = {};
	cleanup_free char *swap_text = root_read_or(root, "/proc/swaps", "");
	err_free(root_list(root, "/sys/block", &blocks));
	for (size_t i = 0; i < blocks.n; i++) {
		cleanup_free char *file =
			str_starts(blocks.v[i], "loop") ? read_of(root, blocks.v[i], "loop/backing_file") : NULL;
		if (file && streq(file, d->real))
			strv_addf(uses, _("it is attached as /dev/%s"), blocks.v[i]);
	}
	size_t n = strlen(d->real);
	for (const char *line = strchr(swap_text, '\n'); line; line = strchr(line, '\n')) {
		line++;
		if (strncmp(line, d->real, n) == 0 && strchr(" \t", line[n]))
			strv_add(uses, _("it is swap space"));
	}
}

static bool is_path(const void *data, const char *pid, const char *path)
{
	(void)pid;
	return streq(data, path);
}

static const char *label(const struct disk *d)
{
	return d->cdrom ? "cdrom" : "disk";
}

void disk_in_use(struct root *root, const struct disk *d, bool writers, struct strv *ret_uses)
{
	if (d->block)
		uses_of(root, d->block, d->n_mounts == 0, ret_uses);
	else
		file_uses(root, d, ret_uses);
	cleanup_free char *who = opened_by(root, is_path, d->real, writers);
	if (who)
		strv_addf(ret_uses, writers ? _("it is open for writing in %s") : _("it is open in %s"), who);
}

static void all_uses(struct root *root, const struct disk_facts *f, const struct disk *d, struct strv *uses)
{
	if (d->cdrom)
		return;
	for (const struct disk *e = f->v; e < d; e++)
		if (streq(e->real, d->real))
			strv_addf(uses, _("[%s %s] is the same"), label(e), e->conf->name);
	disk_in_use(root, d, true, uses);
}

/* What its header says, and whether it has room to grow. */
static void check_image(struct findings *out, const struct disk *d)
{
	uint64_t grows = d->guest_size > d->allocated ? d->guest_size - d->allocated : 0;
	cleanup_free char *more = size_rounded(grows), *room = size_rounded(d->room);
	if (d->problem)
		findings_add(out, FINDING_BAD, "disk", tr_fmt("[disk %s] %s", d->conf->name, d->problem), str_dup(d->remedy));
	else if (d->guessed)
		findings_add(out, FINDING_WARN, "disk",
			     tr_fmt("[disk %s] %s does not say of what format its backing file is", d->conf->name, d->conf->path),
			     tr_fmt("qemu-img rebase -u -F qcow2 -b '%s' '%s', or -F raw", d->backing, d->conf->path));
	if (!d->conf->readonly && grows > d->room)
		findings_add(out, FINDING_WARN, "disk",
			     tr_fmt("[disk %s] may grow by %s, and its file system has %s left%s", d->conf->name, more, room,
				     d->conf->bus == BUS_NVME ? _(": the guest will see errors when it is full")
							      : _(": the guest is paused when it is full")),
			     tr_dup("make room there, or move the image"));
}

/* The kernel's own answer, where what it shows in files tells of no use. True if it could not be asked; then *ret_why says why. */
static bool ask_kernel(struct root *root, const char *block, struct strv *uses, char **ret_why)
{
	*ret_why = NULL;
	if (uses->n || !root_is_host(root))
		return false;
	enum block_answer answer = block_ask(root, block, ret_why);
	if (answer == BLOCK_BUSY)
		strv_add(uses, *ret_why);
	return answer == BLOCK_UNASKED;
}

static void check_unasked(struct findings *out, const char *what, const char *why)
{
	findings_add(out, FINDING_WARN, "disk",
		     tr_fmt("%s: not in use as far as mounts, swap and holders tell; the kernel could not be asked: %s", what, why),
		     tr_dup("run the check as root: then the kernel is asked"));
}

static void check_free(struct findings *out, const struct disk *d, const struct strv *uses)
{
	cleanup_free char *size = d->guest_size ? size_rounded(d->guest_size) : size_format(d->size), *joined = strv_join(uses, "; ");
	if (!uses->n && d->n_mounts) /* the claim tells, once they are gone */
		return;
	if (!uses->n) {
		findings_add(out, FINDING_OK, "disk",
			     tr_fmt("[%s %s] %s: %s, not in use", label(d), d->conf->name, d->conf->path, size), NULL);
		return;
	}
	findings_add(
		out, FINDING_BAD, "disk",
		tr_fmt("[%s %s] %s is in use: %s", label(d), d->conf->name, d->conf->path, joined),
		tr_dup("two systems that write to one disk destroy it: unmount it, swapoff, or close what uses it"));
}

char *disk_absent_remedy(const struct disk *d, bool wanted)
{
	const char *path = d->conf->path, *slash = strrchr(path, '/');
	if (strpbrk(path, "$`\"'") || strstr(path, "/~")) /* a shell would take these away, or put something in their place */
		return tr_dup("the path is taken as it is written: without quotes, and $HOME is no variable here, ~/ is your home");
	if (str_starts(path, "/dev/"))
		return tr_dup("`ls -l /dev/disk/by-id` shows the disks of this host");
	if (!wanted)
		return tr_fmt("what there is: ls -l '%.*s'", slash && slash > path ? (int)(slash - path) : 1, slash ? path : ".");
	if (d->cdrom || str_ends(path, ".iso"))
		return tr_fmt("download it, or name where it is: ls -l '%.*s'", slash && slash > path ? (int)(slash - path) : 1, slash ? path : ".");
	return tr_fmt("make it: qlaunch disk create '%s' 64G%s", path, image_format_of(path) != FORMAT_AUTO ? ""
		      : d->format == FORMAT_QCOW2 ? _(" --format qcow2") : _(" --format raw"));
}

static void check_disk(struct findings *out, const struct config *c, const struct disk_facts *f, const struct disk *d,
		       struct root *root)
{
	cleanup_free char *section = str_fmt("%s %s", label(d), d->conf->name),
			  *where = config_where(c, section, "path");
	cleanup_strv struct strv uses = {};
	if (d->kind == DISK_ABSENT) {
		findings_add(out, FINDING_BAD, "disk", tr_fmt("%s: there is no %s", where, d->conf->path),
			     disk_absent_remedy(d, true));
		return;
	}
	if (d->kind == DISK_OTHER || !d->real || (d->kind == DISK_FILE && d->size == 0)) {
		findings_add(out, FINDING_BAD, "disk",
			     tr_fmt("%s: %s is %s", where, d->conf->path,
				     d->size || d->kind == DISK_OTHER ? _("neither a file nor a block device") : _("empty")),
			     tr_dup("name a disk image or a device of /dev/disk/by-id"));
		return;
	}
	if (d->conf->readonly && d->conf->bus == BUS_SATA && !d->cdrom)
		findings_add(out, FINDING_BAD, "disk", tr_fmt("%s: a SATA disk cannot be read-only", where),
			     tr_dup("bus = virtio, nvme or scsi"));
	if (d->buffered && disk_is_direct(d))
		findings_add(out, FINDING_BAD, "disk",
			     tr_fmt("%s: the file system of %s has no direct I/O, which cache = none needs", where, d->conf->path),
			     tr_dup("cache = auto"));
	all_uses(root, f, d, &uses);
	cleanup_free char *why = NULL, *what = str_fmt("[%s %s] %s", label(d), d->conf->name, d->conf->path);
	if (d->block && !d->cdrom && !d->claimed && !d->n_mounts && ask_kernel(root, d->block, &uses, &why))
		check_unasked(out, what, why);
	else if (!d->claimed)
		check_free(out, d, &uses);
	if (d->block && !d->cdrom) {
		cleanup_free char *whose = str_fmt("[disk %s]", d->conf->name);
		cleanup_strv struct strv family = {};
		disk_family(root, d->block, &family);
		windows_findings(out, root, &family, whose);
	}
	cleanup_free char *ro = d->block ? read_of(root, d->block, "ro") : NULL;
	if (streq(ro, "1") && !d->cdrom && !d->conf->readonly)
		findings_add(out, FINDING_BAD, "disk", tr_fmt("%s: %s is write-protected", where, d->conf->path),
			     tr_dup("readonly = yes, or take the protection off: blockdev --setrw"));
	if (d->kind == DISK_FILE && root_is_host(root) && !d->cdrom)
		check_image(out, d);
	if (d->cdrom && d->problem)
		findings_add(out, FINDING_BAD, "disk", tr_fmt("[cdrom %s] %s", d->conf->name, d->problem), str_dup(d->remedy));
	if (d->block && d->by_id && !str_starts(d->conf->path, "/dev/disk/"))
		findings_add(out, FINDING_WARN, "disk",
			     tr_fmt("%s: %s may be another disk after the next boot", where, d->conf->path),
			     tr_fmt("path = %s", d->by_id));
}

void disk_findings(struct findings *out, const struct config *c, const struct disk_facts *f, struct root *root)
{
	for (size_t i = 0; i < f->n; i++)
		check_disk(out, c, f, &f->v[i], root);
}

void disk_findings_behind(struct findings *out, struct root *root, const char *block, const char *whose)
{
	cleanup_strv struct strv uses = {}, family = {};
	disk_uses(root, block, &uses);
	disk_family(root, block, &family);
	cleanup_free char *why = NULL, *what = tr_fmt("%s behind %s", block, whose);
	if (ask_kernel(root, block, &uses, &why))
		check_unasked(out, what, why);
	windows_findings(out, root, &family, whose);
	cleanup_free char *joined = strv_join(&uses, "; ");
	if (uses.n)
		findings_add(out, FINDING_BAD, "disk", tr_fmt("the host uses %s behind %s: %s", block, whose, joined),
			     tr_dup("unmount it first; never pass a controller through that the host runs from"));
}
