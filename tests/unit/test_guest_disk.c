/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The arguments for disks, given to a real QEMU that is then asked what it made of them. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "launcher/base/child.h"
#include "launcher/guest/args_disk.h"
#include "qmp/qmp.h"

#define QMP_MS 60000

/* What a path may hold and option strings choke on; and the longest names. */
static const char *const nasty[] = {
	"plain",       "a,b,,c",           "with space", "quote\"d", "apostrophe's",      "per%cent%s", "new\nline",
	"back\\slash", "id=x,readonly=on", "json:{}",    "nbd:unix", "\xc3\xa9t\xc3\xa9", "tab\there",  "$HOME;`id`",
};
#define N ARRAY_SIZE(nasty)

struct fixture {
	char dir[64];
	struct root *root;
	struct config config;
	struct conf_disk disks[N + 2], cdroms[2];
	struct disk_facts facts;
	struct args args;
	char *argv0;
	pid_t qemu;
	struct qmp *qmp;
};

static void must(struct err *e)
{
	if (e)
		fail_msg("%s", err_text(e));
}

static char *make_image(struct fixture *f, const char *name)
{
	char *path = str_fmt("%s/%s", f->dir, name);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && ftruncate(fd, 1 << 20) == 0);
	close(fd);
	return path;
}

static void setup(struct fixture *f)
{
	*f = (struct fixture){ .dir = "/tmp/qlaunch-disk-XXXXXX" };
	assert_non_null(mkdtemp(f->dir));
	must(root_open("/", &f->root));
	f->config = (struct config){ .path = (char *)"vm.conf", .disks = f->disks, .cdroms = f->cdroms };
}

static void add_disk(struct fixture *f, const char *file, enum disk_bus bus, const char *name)
{
	f->disks[f->config.n_disks++] =
		(struct conf_disk){ .name = str_dup(name), .path = make_image(f, file), .bus = bus, .discard = true, .iothread = true };
}

static void add_cdrom(struct fixture *f, const char *file, enum disk_bus bus, const char *name)
{
	f->cdroms[f->config.n_cdroms++] = (struct conf_disk){ .name = str_dup(name), .path = make_image(f, file), .bus = bus };
}

static void build(struct fixture *f)
{
	struct qemu_facts qemu = { .major = 7, .minor = 2, .has = (char[]){ "aio:io_uring" } };
	must(disk_facts_read(f->root, &f->config, &f->facts));
	disk_args(&f->args, &f->config, &f->facts, &qemu, 4, 2, 10);
}

/* Starts QEMU, stopped, with a monitor on a socket pair. */
static void start(struct fixture *f)
{
	int ends[2];
	cleanup_strv struct strv argv = {};
	cleanup_free char *binary = child_find("qemu-system-x86_64");
	assert_non_null(binary);
	args_argv(&f->args, binary, &argv);
	static const char *const fixed[] = { "-machine",
					     "q35,accel=tcg",
					     "-m",
					     "64",
					     "-nodefaults",
					     "-no-user-config",
					     "-display",
					     "none",
					     "-S",
					     "-chardev",
					     "socket,id=mon,fd=3",
					     "-qmp",
					     "chardev:mon" };
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		strv_add(&argv, fixed[i]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	f->qemu = fork();
	if (f->qemu == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (dup2(ends[1], 3) < 0 || (ends[1] == 3 && fcntl(3, F_SETFD, 0) < 0))
			_exit(126);
		execv(binary, argv.v);
		_exit(127);
	}
	close(ends[1]);
	f->qmp = qmp_new(ends[0]);
	must(qmp_handshake(f->qmp, QMP_MS));
}

static json_t *ask(struct fixture *f, const char *command, json_t *args)
{
	json_t *value = NULL;
	must(qmp_call(f->qmp, command, args, QMP_MS, &value));
	return value;
}

static void teardown(struct fixture *f)
{
	if (f->qemu) {
		kill(f->qemu, SIGKILL);
		waitpid(f->qemu, NULL, 0);
	}
	qmp_free(f->qmp);
	for (size_t i = 0; i < f->config.n_disks + f->config.n_cdroms; i++) {
		struct conf_disk *d = i < f->config.n_disks ? &f->disks[i] : &f->cdroms[i - f->config.n_disks];
		unlink(d->path);
		free(d->path);
		free(d->name);
	}
	disk_facts_free(&f->facts);
	args_free(&f->args);
	root_close(f->root);
	assert_int_equal(rmdir(f->dir), 0);
}

/* Every path arrives byte for byte. */
static void test_paths(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	for (size_t i = 0; i < N; i++) {
		cleanup_free char *name = str_fmt("d%zu", i);
		add_disk(&f, nasty[i], BUS_VIRTIO, name);
	}
	f.disks[0].iothread = false;
	build(&f);
	start(&f);
	json_t *nodes = ask(&f, "query-named-block-nodes", NULL), *node;
	size_t i, found = 0;
	json_array_foreach(nodes, i, node)
	{
		if (!streq(json_string_value(json_object_get(node, "drv")), "file"))
			continue;
		const char *file = json_string_value(json_object_get(node, "file"));
		for (size_t k = 0; k < N; k++)
			found += streq(file, f.disks[k].path);
	}
	json_decref(nodes);
	assert_int_equal(found, N);
	json_t *threads = ask(&f, "query-iothreads", NULL);
	assert_int_equal(json_array_size(threads), N - 1);
	json_decref(threads);
	teardown(&f);
}

/* By the name of its node: what query-block says of a disk; borrowed. */
static json_t *block(json_t *blocks, const char *node)
{
	json_t *b;
	size_t i;
	json_array_foreach(blocks, i, b)
	{
		json_t *inserted = json_object_get(b, "inserted");
		if (streq(json_string_value(json_object_get(inserted, "node-name")), node))
			return inserted;
	}
	fail_msg("no node %s", node);
	return NULL;
}

static long long qom_number(struct fixture *f, const char *device, const char *property)
{
	cleanup_free char *path = str_fmt("/machine/peripheral/%s", device);
	json_t *value = ask(f, "qom-get", json_pack("{s:s, s:s}", "path", path, "property", property));
	long long n = json_integer_value(value);
	json_decref(value);
	return n;
}

/* All buses at once, more SATA devices than the built-in controller has ports. */
static void test_buses(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	static const char longest[] = "a-name-of-thirty-two-characters.";
	add_disk(&f, "virtio", BUS_VIRTIO, longest);
	add_disk(&f, "nvme", BUS_NVME, "games");
	add_disk(&f, "scsi0", BUS_SCSI, "first");
	add_disk(&f, "scsi1", BUS_SCSI, "second");
	for (int i = 0; i < 7; i++) {
		cleanup_free char *name = str_fmt("sata%d", i);
		add_disk(&f, name, BUS_SATA, name);
	}
	add_cdrom(&f, "iso", BUS_SATA, "setup");
	add_cdrom(&f, "iso2", BUS_SCSI, "drivers");
	f.disks[1].readonly = true;
	f.disks[1].cache = CACHE_WRITEBACK;
	strv_add(&f.config.boot.order, "setup");
	strv_add(&f.config.boot.order, "games");
	build(&f);
	start(&f);
	json_t *blocks = ask(&f, "query-block", NULL);
	assert_int_equal(json_array_size(blocks), f.config.n_disks + f.config.n_cdroms);
	json_t *games = block(blocks, "disk-games"), *first = block(blocks, "disk-first");
	assert_true(json_is_true(json_object_get(games, "ro")));
	assert_true(json_is_false(json_object_get(json_object_get(games, "cache"), "direct")));
	assert_true(json_is_true(json_object_get(json_object_get(first, "cache"), "direct")));
	assert_true(json_is_true(json_object_get(block(blocks, "cdrom-setup"), "ro")));
	json_decref(blocks);
	assert_int_equal(qom_number(&f, "cdrom-setup", "bootindex"), 1);
	assert_int_equal(qom_number(&f, "disk-games", "bootindex"), 2);
	assert_int_equal(qom_number(&f, "disk-first", "bootindex"), -1);
	json_t *threads = ask(&f, "query-iothreads", NULL);
	assert_int_equal(json_array_size(threads), 2); /* the virtio disk's, the SCSI controller's */
	json_decref(threads);
	strv_free(&f.config.boot.order);
	teardown(&f);
}

/* The last -device's value as JSON; owned by the caller. */
static json_t *last_device(const struct args *a)
{
	for (size_t i = a->n; i-- > 0;)
		if (streq(a->v[i].option, "-device"))
			return json_loads(a->v[i].value, 0, NULL);
	fail_msg("no -device");
	return NULL;
}

static void test_block_device(void **state)
{
	(void)state;
	struct conf_disk conf = { .name = (char *)"system", .path = (char *)"/dev/x", .bus = BUS_VIRTIO };
	struct config config = { .disks = &conf, .n_disks = 1 };
	struct disk disk = { .conf = &conf, .kind = DISK_BLOCK, .sector = 4096, .format = FORMAT_RAW };
	struct disk_facts facts = { .v = &disk, .n = 1, .n_disks = 1 };
	struct qemu_facts qemu = { .major = 7, .minor = 2 };
	cleanup_args struct args args = {};
	disk_args(&args, &config, &facts, &qemu, 40, 4, 10);
	assert_string_equal(args.v[0].option, "-add-fd"); /* opened and claimed by the launcher */
	assert_string_equal(args.v[0].value, "fd=10,set=0");
	json_t *node = json_loads(args.v[1].value, 0, NULL), *file = json_object_get(node, "file");
	assert_string_equal(json_string_value(json_object_get(file, "driver")), "host_device");
	assert_string_equal(json_string_value(json_object_get(file, "filename")), "/dev/fdset/0");
	assert_string_equal(json_string_value(json_object_get(file, "aio")),
			    "threads"); /* this QEMU has nothing better */
	json_decref(node);
	json_t *device = last_device(&args);
	assert_int_equal(json_integer_value(json_object_get(device, "logical_block_size")), 4096);
	assert_int_equal(json_integer_value(json_object_get(device, "num-queues")), 16);
	assert_int_equal(json_integer_value(json_object_get(device, "bootindex")), 1);
	assert_string_equal(json_string_value(json_object_get(device, "serial")), "system");
	assert_null(json_object_get(device, "iothread"));
	json_decref(device);
}

/* A thread for each CPU of QEMU's own, where QEMU is new enough; not more than there are queues. */
static void test_queue_mapping(void **state)
{
	static const struct {
		const char *has;
		unsigned queues, threads;
	} cases[] = { { "device:virtio-blk-pci.iothread-vq-mapping", 0, 4 },
		      { "device:virtio-blk-pci.iothread-vq-mapping", 3, 3 },
		      { "device:virtio-blk-pci.iothread-vq-mapping", 1, 0 },
		      { "", 0, 0 } };
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct conf_disk conf = {
			.name = (char *)"x", .path = (char *)"x.img", .bus = BUS_VIRTIO, .iothread = true, .queues = cases[i].queues
		};
		struct config config = { .disks = &conf, .n_disks = 1 };
		struct disk disk = { .conf = &conf, .kind = DISK_FILE, .sector = 512, .format = FORMAT_RAW };
		struct disk_facts facts = { .v = &disk, .n = 1, .n_disks = 1 };
		struct qemu_facts qemu = { .major = 9, .has = (char *)cases[i].has };
		cleanup_args struct args args = {};
		disk_args(&args, &config, &facts, &qemu, 8, 4, 10);
		size_t objects = 0;
		for (size_t k = 0; k < args.n; k++)
			objects += streq(args.v[k].option, "-object");
		assert_int_equal(objects, cases[i].threads ? cases[i].threads : 1);
		json_t *device = last_device(&args);
		assert_int_equal(json_array_size(json_object_get(device, "iothread-vq-mapping")), cases[i].threads);
		assert_int_equal(json_object_get(device, "iothread") == NULL, cases[i].threads > 0);
		json_decref(device);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_paths), cmocka_unit_test(test_buses),
					    cmocka_unit_test(test_block_device), cmocka_unit_test(test_queue_mapping) };
	return cmocka_run_group_tests_name("guest_disk", tests, NULL, NULL);
}
