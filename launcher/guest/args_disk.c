/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disk: see disk.h. */
#include <inttypes.h>
#include <stdio.h>
#include "launcher/base/tr.h"
#include "launcher/guest/args_boot.h"
#include "launcher/guest/args_disk.h"
#include "launcher/guest/slots.h"

#define QUEUES_MAX 16u
#define NODE_MAX   31u /* bytes of a node-name: BlockDriverState.node_name[32] */
#define SERIAL_MAX 20u /* bytes: VIRTIO_BLK_ID_BYTES, ATA IDENTIFY words 10-19, NVMe Identify Controller SN */

struct builder {
	struct args *out;
	const struct config *c;
	const struct disk_facts *f;
	const struct qemu_facts *q;
	int fd;                                     /* of the first block device */
	unsigned vcpus, iothreads, pci, sata, scsi; /* pci, sata, scsi: so many have their place */
	unsigned n_pci, n_sata;                     /* of so many */
	bool scsi_controller;
};

bool disk_has_iothread(const struct conf_disk *d)
{
	return d->iothread && (d->bus == BUS_VIRTIO || d->bus == BUS_SCSI);
}

static bool disk_is_pci(const struct conf_disk *d)
{
	return d->bus == BUS_VIRTIO || d->bus == BUS_NVME;
}

/* Puts a value that may be NULL ("leave it out") into an object. */
static void put(json_t *object, const char *key, json_t *value)
{
	if (value)
		json_object_set_new(object, key, value);
}

/* As it is where it fits; else cut, and ending in its hash (FNV-1a, 32 bits), so that two that begin alike stay two. */
static char *shortened(const char *name, size_t most)
{
	uint32_t hash = UINT32_C(2166136261);
	if (strlen(name) <= most)
		return str_dup(name);
	for (const char *p = name; *p; p++)
		hash = (hash ^ (unsigned char)*p) * UINT32_C(16777619);
	return str_fmt("%.*s-%08" PRIx32, (int)most - 9, name, hash);
}

char *disk_node_name(const struct disk *d)
{
	cleanup_free char *name = str_fmt("%s-%s", d->cdrom ? "cdrom" : "disk", d->conf->name);
	return shortened(name, NODE_MAX);
}

/* How requests reach the host: io_uring where QEMU and kernel have it; else native, which needs O_DIRECT; else threads.
 */
static const char *aio(const struct builder *b, bool direct)
{
	if (b->f->io_uring && qemu_has(b->q, "aio:io_uring"))
		return "io_uring";
	return direct && qemu_has(b->q, "aio:native") ? "native" : "threads";
}

/* What QEMU does with the host's file: one chain of format and protocol. */
static void add_blockdev(struct builder *b, const struct disk *d)
{
	bool direct = disk_is_direct(d), readonly = d->cdrom || d->conf->readonly;
	const char *discard = d->conf->discard && !readonly ? "unmap" : "ignore";
	cleanup_free char *name = disk_node_name(d);
	const char *protocol = d->kind == DISK_BLOCK ? (d->cdrom ? "host_cdrom" : "host_device") : "file";
	int set = disk_fdset(b->f, d);
	cleanup_free char *filename = set < 0 ? str_dup(d->conf->path) : str_fmt("/dev/fdset/%d", set);
	if (set >= 0) {
		cleanup_free char *given = str_fmt("fd=%d,set=%d", b->fd + set, set);
		args_add(b->out, "-add-fd", given, "opened, and claimed, by qlaunch");
	}
	json_t *file = json_pack("{s:s, s:s, s:s, s:s, s:{s:b, s:b}}", "driver", protocol, "filename", filename, "aio", aio(b, direct),
				 "discard", discard, "cache", "direct", direct, "no-flush", 0);
	if (set >= 0) /* else QEMU opens it read-only first, and again once somebody writes: of each set there is one */
		json_object_set_new(file, "auto-read-only", json_false());
	json_t *node =
		json_pack("{s:s, s:s, s:b, s:s, s:{s:b, s:b}, s:o}", "driver", d->format == FORMAT_QCOW2 ? "qcow2" : "raw", "node-name",
			  name, "read-only", readonly, "discard", discard, "cache", "direct", direct, "no-flush", 0, "file", file);
	cleanup_free char *why =
		str_fmt("[%s %s] %s%s", d->cdrom ? "cdrom" : "disk", d->conf->name, d->format == FORMAT_QCOW2 ? "qcow2" : "raw",
			direct ? _(", past the host's page cache: the guest has its own") : "");
	args_json(b->out, "-blockdev", node, why);
}

/* The device's part that all buses share. */
static json_t *device(struct builder *b, const struct disk *d, const char *driver)
{
	/* the guest knows its disk by the serial, and Windows ties licences and drive letters to it: by the name alone,
	 * so that it stays */
	cleanup_free char *name = disk_node_name(d), *serial = shortened(d->conf->serial ? d->conf->serial : d->conf->name, SERIAL_MAX);
	int boot = boot_index(b->c, d->cdrom ? "cdrom" : "disk", d->conf->name);
	json_t *o = json_pack("{s:s, s:s, s:s, s:s}", "driver", driver, "id", name, "drive", name, "serial", serial);
	put(o, "bootindex", boot ? json_integer(boot) : NULL);
	/* an image that cannot grow: the guest waits instead of losing what it wrote. QEMU's NVMe drives cannot */
	if (d->kind == DISK_FILE && !d->cdrom && !d->conf->readonly && d->conf->bus != BUS_NVME)
		put(o, "werror", json_string("stop"));
	if (d->sector > 512) { /* a file system made on 4096-byte sectors cannot be read by 512-byte ones */
		put(o, "logical_block_size", json_integer(d->sector));
		put(o, "physical_block_size", json_integer(d->sector));
	}
	return o;
}

static unsigned queues(const struct builder *b, unsigned wanted)
{
	if (wanted)
		return wanted;
	return b->vcpus < 1 ? 1 : b->vcpus < QUEUES_MAX ? b->vcpus : QUEUES_MAX;
}

static char *add_iothread(struct builder *b, const struct disk *d)
{
	if (!disk_has_iothread(d->conf))
		return NULL;
	char *id = str_fmt("io-%s", d->conf->name);
	args_json(b->out, "-object", json_pack("{s:s, s:s}", "qom-type", "iothread", "id", id),
		  "its requests are served by a thread that no vCPU waits for");
	return id;
}

/* From QEMU 9.0 on a disk's queues can be shared out among several threads, in turns (qapi/virtio.json, IOThreadVirtQueueMapping). */
static void put_iothreads(struct builder *b, const struct disk *d, json_t *o)
{
	unsigned wanted = queues(b, d->conf->queues);
	unsigned n = wanted < b->iothreads ? wanted : b->iothreads;
	if (n < 2 || !disk_has_iothread(d->conf) || !qemu_has(b->q, "device:virtio-blk-pci.iothread-vq-mapping")) {
		cleanup_free char *io = add_iothread(b, d);
		put(o, "iothread", io ? json_string(io) : NULL);
		return;
	}
	json_t *mapping = json_array();
	for (unsigned i = 0; i < n; i++) {
		cleanup_free char *id = str_fmt("io-%s-%u", d->conf->name, i);
		args_json(b->out, "-object", json_pack("{s:s, s:s}", "qom-type", "iothread", "id", id),
			  i ? NULL : "its requests are served by threads that no vCPU waits for, one for each CPU of QEMU's own");
		json_array_append_new(mapping, json_pack("{s:s}", "iothread", id));
	}
	put(o, "iothread-vq-mapping", mapping);
}

static void add_virtio(struct builder *b, const struct disk *d)
{
	json_t *o = device(b, d, "virtio-blk-pci");
	put(o, "disable-legacy", json_string("on"));
	put(o, "num-queues", json_integer(queues(b, d->conf->queues)));
	put_iothreads(b, d, o);
	slot_put(o, SLOT_DISK, b->pci++, b->n_pci);
	args_json(b->out, "-device", o, "virtio: the fastest, a queue for each vCPU");
}

/* OVMF's driver makes two pairs of queues, and gives a drive up that has one alone (edk2, NvmExpressHci.c): it could not be booted. */
static void add_nvme(struct builder *b, const struct disk *d)
{
	json_t *o = device(b, d, "nvme");
	unsigned pairs = queues(b, d->conf->queues);
	put(o, "max_ioqpairs", json_integer(pairs < 2 ? 2 : pairs));
	slot_put(o, SLOT_DISK, b->pci++, b->n_pci);
	args_json(b->out, "-device", o, "NVMe: Windows has its driver");
}

static void add_sata(struct builder *b, const struct disk *d)
{
	unsigned controller = b->sata / AHCI_PORTS, port = b->sata % AHCI_PORTS;
	b->sata++;
	if (controller && port == 0) {
		json_t *more = json_pack("{s:s, s:o}", "driver", "ich9-ahci", "id", json_sprintf("ahci%u", controller));
		slot_put(more, SLOT_SATA, controller - 1, (b->n_sata - 1) / AHCI_PORTS);
		args_json(b->out, "-device", more, "the built-in SATA controller is full");
	}
	json_t *o = device(b, d, d->cdrom ? "ide-cd" : "ide-hd");
	put(o, "bus", controller ? json_sprintf("ahci%u.%u", controller, port) : json_sprintf("ide.%u", port));
	put(o, "rotation_rate", d->cdrom ? NULL : json_integer(d->conf->rotation ? d->conf->rotation : 1)); /* 1: no rotating medium */
	args_json(b->out, "-device", o, NULL);
}

/* One controller for all SCSI disks; its I/O thread is that of the first disk that has one. */
static void add_scsi_controller(struct builder *b)
{
	cleanup_free char *io = NULL;
	b->scsi_controller = true;
	unsigned wanted = 0;
	for (size_t i = 0; i < b->f->n_disks; i++) {
		if (b->f->v[i].conf->bus != BUS_SCSI)
			continue;
		io = io ? io : add_iothread(b, &b->f->v[i]);
		wanted = b->f->v[i].conf->queues > wanted ? b->f->v[i].conf->queues : wanted;
	}
	json_t *o = json_pack("{s:s, s:s, s:i}", "driver", "virtio-scsi-pci", "id", "scsi", "num_queues", (int)queues(b, wanted));
	put(o, "iothread", io ? json_string(io) : NULL);
	slot_put(o, SLOT_SCSI, 0, 1);
	args_json(b->out, "-device", o, "the controller of the SCSI disks");
}

static void add_scsi(struct builder *b, const struct disk *d)
{
	if (!b->scsi_controller)
		add_scsi_controller(b);
	json_t *o = device(b, d, d->cdrom ? "scsi-cd" : "scsi-hd");
	put(o, "bus", json_string("scsi.0"));
	put(o, "scsi-id", json_integer(b->scsi++));
	put(o, "lun", json_integer(0));
	put(o, "rotation_rate", d->cdrom ? NULL : json_integer(d->conf->rotation ? d->conf->rotation : 1));
	args_json(b->out, "-device", o, NULL);
}

void disk_args(struct args *out, const struct config *c, const struct disk_facts *f, const struct qemu_facts *q, unsigned vcpus,
	       unsigned iothreads, int fd)
{
	static void (*const add[])(struct builder *, const struct disk *) = {
		[BUS_VIRTIO] = add_virtio,
		[BUS_NVME] = add_nvme,
		[BUS_SATA] = add_sata,
		[BUS_SCSI] = add_scsi,
	};
	struct builder b = { .out = out, .c = c, .f = f, .q = q, .vcpus = vcpus, .iothreads = iothreads, .fd = fd };
	for (size_t i = 0; i < f->n; i++) {
		b.n_pci += disk_is_pci(f->v[i].conf);
		b.n_sata += f->v[i].conf->bus == BUS_SATA;
	}
	for (size_t i = 0; i < f->n; i++) {
		add_blockdev(&b, &f->v[i]);
		add[f->v[i].conf->bus](&b, &f->v[i]);
	}
}
