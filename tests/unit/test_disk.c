/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks: what stands behind a path, and every way in which somebody uses it already. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include "launcher/host/disk/disk.h"
#include "launcher/host/kind/block.h"
#include "tests/unit/fakekernel.h"

#define BY_ID "/dev/disk/by-id/nvme-Samsung_970"

struct fixture {
	struct fake *fake;
	struct config config;
	struct conf_disk disk[2], cdrom;
	struct disk_facts facts;
};

static void must(struct err *e)
{
	if (e)
		fail_msg("%s", err_text(e));
}

/* nvme0n1 with two partitions, its names by id, and an image file. */
static void setup(struct fixture *f)
{
	static const char *const files[][2] = {
		{ "/sys/class/block/nvme0n1/size", "2097152\n" },
		{ "/sys/class/block/nvme0n1/dev", "259:0\n" },
		{ "/sys/class/block/nvme0n1/queue/logical_block_size", "4096\n" },
		{ "/sys/class/block/nvme0n1/nvme0n1p1/partition", "1\n" },
		{ "/sys/class/block/nvme0n1/nvme0n1p1/dev", "259:1\n" },
		{ "/sys/class/block/nvme0n1/nvme0n1p2/partition", "2\n" },
		{ "/sys/class/block/nvme0n1/nvme0n1p2/dev", "259:2\n" },
		{ "/dev/nvme0n1", "" },
		{ "/dev/nvme0n1p2", "" },
		{ "/proc/self/mountinfo", "22 1 8:2 / / rw - ext4 /dev/sda2 rw\n" },
		{ "/proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n/dev/sda3  partition 1 0 -2\n" },
		{ "/images/win.qcow2", "QFI" },
		{ "/images/win.iso", "CD001" },
	};
	*f = (struct fixture){ .fake = fake_new() };
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		fake_file(f->fake, files[i][0], files[i][1]);
	fake_link(f->fake, "/sys/class/block/nvme0n1p1", "nvme0n1/nvme0n1p1");
	fake_link(f->fake, "/sys/class/block/nvme0n1p2", "nvme0n1/nvme0n1p2");
	fake_link(f->fake, "/dev/disk/by-id/nvme-eui.0025385", "../../nvme0n1");
	fake_link(f->fake, BY_ID, "../../nvme0n1");
	f->config = (struct config){ .path = (char *)"vm.conf", .disks = f->disk, .n_disks = 1, .cdroms = &f->cdrom };
	f->disk[0] = (struct conf_disk){ .name = (char *)"system", .path = (char *)BY_ID };
}

static void teardown(struct fixture *f)
{
	disk_facts_free(&f->facts);
	fake_free(f->fake);
}

/* The verdict for the first disk, and that its text or remedy has `part`. */
static void expect(struct fixture *f, enum verdict verdict, const char *part)
{
	struct findings found = {};
	disk_facts_free(&f->facts);
	must(disk_facts_read(f->fake->root, &f->config, &f->facts));
	disk_findings(&found, &f->config, &f->facts, f->fake->root);
	bool has = false;
	struct sb all = {};
	for (size_t i = 0; i < found.n; i++) {
		sb_addf(&all, "%d %s (%s)\n", found.v[i].verdict, found.v[i].text, found.v[i].remedy ? found.v[i].remedy : "");
		has |= found.v[i].verdict == verdict &&
		       (strstr(found.v[i].text, part) || (found.v[i].remedy && strstr(found.v[i].remedy, part)));
	}
	if (!has)
		fail_msg("no \"%s\" in: %s", part, all.s);
	sb_free(&all);
	findings_free(&found);
}

static void test_facts(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	f.disk[1] = (struct conf_disk){ .name = (char *)"data", .path = (char *)"/images/win.qcow2" };
	f.cdrom = (struct conf_disk){ .name = (char *)"setup", .path = (char *)"/images/win.iso" };
	f.config.n_disks = 2;
	f.config.n_cdroms = 1;
	expect(&f, FINDING_OK, "1G, not in use");
	const struct disk *d = &f.facts.v[0];
	assert_int_equal(d->kind, DISK_BLOCK);
	assert_string_equal(d->block, "nvme0n1");
	assert_string_equal(d->real, "/dev/nvme0n1");
	assert_string_equal(d->by_id, BY_ID);
	assert_int_equal(d->size, 1 << 30);
	assert_int_equal(d->sector, 4096);
	assert_int_equal(d->format, FORMAT_RAW);
	assert_int_equal(f.facts.v[1].format, FORMAT_QCOW2);
	assert_int_equal(f.facts.v[1].kind, DISK_FILE);
	assert_true(f.facts.v[2].cdrom);
	struct steps steps = {};
	disk_steps(&steps, &f.facts);
	assert_int_equal(steps.n, 1); /* files are the user's own affair */
	assert_ptr_equal(steps.v[0].kind, &claim_kind);
	assert_string_equal(steps.v[0].target, "/dev/nvme0n1");
	assert_string_equal(steps.v[0].want, "rw direct");
	steps_free(&steps);
	teardown(&f);
}

static void test_mounted(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	fake_file(f.fake, "/proc/self/mountinfo", "30 22 259:2 / /home rw,noatime shared:5 - ext4 /dev/x rw\n");
	expect(&f, FINDING_BAD, "nvme0n1p2 is mounted on /home");
	fake_file(f.fake, "/proc/self/mountinfo", "30 22 0:31 /@ /srv rw - btrfs /dev/nvme0n1p2 rw\n"); /* no optional field */
	expect(&f, FINDING_BAD, "nvme0n1p2 is mounted on /srv");
	fake_file(f.fake, "/proc/self/mountinfo", "30 22 259:20 / /srv rw - ext4 /dev/nvme0n1p20 rw\n30 22\n");
	expect(&f, FINDING_OK, "not in use");
	f.disk[0].path = (char *)"/dev/nvme0n1p2";
	fake_file(f.fake, "/proc/self/mountinfo", "30 22 259:1 / /boot rw - vfat /dev/nvme0n1p1 rw\n"); /* its neighbour */
	expect(&f, FINDING_OK, "not in use");
	teardown(&f);
}

static void mounted(struct fixture *f, const char *lines)
{
	cleanup_free char *text = str_fmt("22 1 8:2 / / rw - ext4 /dev/sda2 rw\n%s\n", lines);
	fake_file(f->fake, "/proc/self/mountinfo", text);
	f->disk[0].unmount = true;
	disk_facts_free(&f->facts);
	must(disk_facts_read(f->fake->root, &f->config, &f->facts));
}

/* The worst of what is said of its mounts, and that a text of that verdict has `part`. */
static void unmounts(struct fixture *f, const char *user, bool roots_own, enum verdict verdict, const char *part)
{
	struct findings found = {};
	bool has = false;
	disk_unmount_findings(&found, &f->facts, user, roots_own);
	assert_int_equal(findings_worst(&found), verdict);
	for (size_t i = 0; i < found.n; i++)
		has |= found.v[i].verdict == verdict && strstr(found.v[i].text, part);
	assert_true(has);
	findings_free(&found);
}

#define SAFE "rw,nosuid,nodev,relatime"

static void test_unmount(void **state)
{
	(void)state;
	struct fixture f;
	struct steps steps = {};
	setup(&f);
	mounted(&f, "30 22 259:1 / /mnt/a\\040b " SAFE " - ext4 /dev/nvme0n1p1 rw\n"
		    "31 22 259:2 / /mnt/games rw,noatime - xfs /dev/nvme0n1p2 rw,attr2\n"
		    "32 30 259:2 / /mnt/a\\040b/more rw - xfs /dev/nvme0n1p2 rw,attr2");
	disk_unmount_steps(&steps, &f.facts);
	assert_int_equal(steps.n, 3); /* the last that was mounted goes first */
	assert_string_equal(steps.v[0].target, "/mnt/a b/more");
	assert_string_equal(steps.v[1].target, "/mnt/games");
	assert_string_equal(steps.v[2].target, "/mnt/a b");
	assert_ptr_equal(steps.v[0].kind, &unmount_kind);
	for (size_t i = 0; i < steps.n; i++)
		assert_null(steps.v[i].obstacle);
	unmounts(&f, NULL, true, FINDING_OK, "/mnt/games is unmounted");
	struct findings found = {};
	disk_findings(&found, &f.config, &f.facts, f.fake->root);
	assert_int_not_equal(findings_worst(&found), FINDING_BAD); /* what goes is no use */
	findings_free(&found);
	steps_free(&steps);
	teardown(&f);
}

static void test_unmount_refused(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "30 22 259:1 / /home " SAFE " - ext4 /dev/nvme0n1p1 rw", "/home is the host's own" },
		{ "30 22 259:1 / /home/ann " SAFE " - ext4 /dev/nvme0n1p1 rw", "/home/ann is the host's own" },
		{ "30 22 259:1 / /boot/efi rw - vfat /dev/nvme0n1p1 rw", "/boot/efi is the host's own" },
		{ "30 22 259:1 / /mnt/win " SAFE " - fuseblk /dev/nvme0n1p1 rw", "by a program (fuseblk)" },
		{ "30 22 259:1 /sub /mnt/sub " SAFE " - ext4 /dev/nvme0n1p1 rw", "a bind mount" },
		{ "30 22 259:1 / /mnt/a " SAFE " - ext4 /dev/nvme0n1p1 rw\n31 30 0:50 / /mnt/a/t rw - tmpfs tmpfs rw", "/mnt/a/t is mounted below" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture f;
		struct steps steps = {};
		setup(&f);
		mounted(&f, cases[i][0]);
		unmounts(&f, NULL, true, FINDING_BAD, cases[i][1]);
		disk_unmount_steps(&steps, &f.facts);
		assert_non_null(steps.v[0].obstacle);
		steps_free(&steps);
		teardown(&f);
	}
}

/* A user's file has the user's own mounts unmounted, and nothing comes back by which what a guest wrote would make anybody root. */
static void test_unmount_for_a_user(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	mounted(&f, "30 22 259:1 / /run/media/ann/GAMES " SAFE " - ext4 /dev/nvme0n1p1 rw");
	unmounts(&f, "ann", false, FINDING_OK, "/run/media/ann/GAMES is unmounted");
	unmounts(&f, "bob", false, FINDING_BAD, "only what the desktop of bob mounted");
	mounted(&f, "30 22 259:1 / /mnt/games " SAFE " - ext4 /dev/nvme0n1p1 rw");
	unmounts(&f, "ann", false, FINDING_BAD, "only what the desktop of ann mounted");
	unmounts(&f, "ann", true, FINDING_OK, "/mnt/games");
	mounted(&f, "30 22 259:1 / /mnt/games rw,nodev,relatime - ext4 /dev/nvme0n1p1 rw");
	unmounts(&f, "ann", true, FINDING_BAD, "programs of root's too");
	unmounts(&f, NULL, true, FINDING_OK, "/mnt/games");
	f.disk[0].readonly = true;
	unmounts(&f, "ann", true, FINDING_OK, "/mnt/games");
	teardown(&f);
}

/* What is open there is told before the launch. */
static void test_unmount_busy(void **state)
{
	(void)state;
	struct fixture f;
	struct steps steps = {};
	struct findings found = {};
	setup(&f);
	mounted(&f, "30 22 259:1 / /mnt/games " SAFE " - ext4 /dev/nvme0n1p1 rw");
	fake_process(f.fake, 4711, "steam", (const char *const[]){ "/mnt/games2/x", "/mnt/games/save", NULL });
	fake_process(f.fake, 4712, "other", (const char *const[]){ "/mnt/games2/x", NULL });
	disk_unmount_steps(&steps, &f.facts);
	struct step_env env = { .root = f.fake->root };
	steps_check(&env, &steps, &found);
	assert_int_equal(found.n, 1);
	assert_int_equal(found.v[0].verdict, FINDING_BAD);
	assert_non_null(strstr(found.v[0].text, "open in steam (4711)"));
	findings_free(&found);
	steps_free(&steps);
	teardown(&f);
}

static void test_swap(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	fake_file(f.fake, "/proc/swaps", "Filename\tType\n/dev/nvme0n1p2  partition\t1\t0\t-2\n");
	expect(&f, FINDING_BAD, "nvme0n1p2 is swap space");
	f.disk[0].path = (char *)"/images/win.qcow2";
	expect(&f, FINDING_OK, "not in use");
	fake_file(f.fake, "/proc/swaps", "Filename\tType\n/images/win.qcow2  file\t1\t0\t-2\n");
	expect(&f, FINDING_BAD, "it is swap space");
	teardown(&f);
}

static void test_holders(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	fake_file(f.fake, "/sys/class/block/dm-3/dm/name", "vg-root\n");
	fake_file(f.fake, "/sys/class/block/dm-3/dm/uuid", "LVM-abc\n");
	fake_link(f.fake, "/sys/class/block/nvme0n1/nvme0n1p1/holders/dm-3", "../../../dm-3");
	expect(&f, FINDING_BAD, "nvme0n1p1 is part of the LVM volume vg-root");
	fake_file(f.fake, "/sys/class/block/dm-3/dm/uuid", "CRYPT-LUKS2-abc\n");
	expect(&f, FINDING_BAD, "encrypted volume vg-root");
	teardown(&f);
	setup(&f);
	fake_dir(f.fake, "/sys/class/block/nvme0n1/holders/md127");
	expect(&f, FINDING_BAD, "nvme0n1 is part of the RAID array md127");
	f.disk[0].path = (char *)"/dev/nvme0n1p2"; /* the array takes the whole disk, so the partition, too */
	expect(&f, FINDING_BAD, "nvme0n1 is part of the RAID array md127");
	teardown(&f);
}

static void test_pools(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	fake_file(f.fake, "/run/udev/data/b259:1", "E:ID_FS_TYPE=zfs_member\n");
	expect(&f, FINDING_OK, "not in use"); /* ZFS is not even loaded */
	fake_dir(f.fake, "/sys/module/zfs");
	expect(&f, FINDING_BAD, "nvme0n1p1 is part of a ZFS pool");
	fake_dir(f.fake, "/sys/fs/btrfs/1234/devices/nvme0n1p2");
	expect(&f, FINDING_BAD, "nvme0n1p2 is part of the mounted btrfs 1234");
	teardown(&f);
}

static void test_others(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	f.disk[0].path = (char *)"/images/win.qcow2";
	fake_process(f.fake, 70, "qemu-img", (const char *const[]){ "/images/win.qcow2", NULL });
	fake_file(f.fake, "/proc/70/fdinfo/0", "pos:\t0\nflags:\t0100000\n");
	expect(&f, FINDING_OK, "not in use"); /* only reads */
	fake_file(f.fake, "/proc/70/fdinfo/0", "pos:\t0\nflags:\t0100002\n");
	expect(&f, FINDING_BAD, "open for writing in qemu-img (70)");
	fake_file(f.fake, "/sys/class/block/loop3/loop/backing_file", "/images/win.qcow2\n");
	fake_link(f.fake, "/sys/block/loop3", "../class/block/loop3");
	expect(&f, FINDING_BAD, "attached as /dev/loop3");
	f.disk[1] = f.disk[0];
	f.config.n_disks = 2;
	expect(&f, FINDING_BAD, "[disk system] is the same");
	teardown(&f);
}

static void test_wrong_paths(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	expect(&f, FINDING_OK, "not in use");
	f.disk[0].path = (char *)"/dev/nvme0n1";
	expect(&f, FINDING_WARN, "path = " BY_ID);
	f.disk[0].path = (char *)"/images/new.qcow2";
	expect(&f, FINDING_BAD, "qlaunch disk create '/images/new.qcow2' 64G");
	f.disk[0].path = (char *)"/images";
	expect(&f, FINDING_BAD, "neither a file nor a block device");
	fake_file(f.fake, "/images/empty.img", "");
	f.disk[0].path = (char *)"/images/empty.img";
	expect(&f, FINDING_BAD, "is empty");
	teardown(&f);
}

static void test_behind_a_controller(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	struct findings found = {};
	disk_findings_behind(&found, f.fake->root, "nvme0n1", "0000:02:00.0");
	assert_int_equal(found.n, 0);
	fake_file(f.fake, "/proc/self/mountinfo", "30 22 259:2 / / rw - ext4 /dev/root rw\n");
	disk_findings_behind(&found, f.fake->root, "nvme0n1", "0000:02:00.0");
	assert_int_equal(found.n, 1);
	assert_string_equal(found.v[0].text, "the host uses nvme0n1 behind 0000:02:00.0: nvme0n1p2 is mounted on /");
	findings_free(&found);
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_facts),       cmocka_unit_test(test_mounted),
		cmocka_unit_test(test_unmount), cmocka_unit_test(test_unmount_refused),
		cmocka_unit_test(test_unmount_for_a_user), cmocka_unit_test(test_unmount_busy),
		cmocka_unit_test(test_swap),        cmocka_unit_test(test_holders),
		cmocka_unit_test(test_pools),       cmocka_unit_test(test_others),
		cmocka_unit_test(test_wrong_paths), cmocka_unit_test(test_behind_a_controller),
	};
	return cmocka_run_group_tests_name("disk", tests, NULL, NULL);
}
