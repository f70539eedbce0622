/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xml: disks, CD-ROM drives and folders. See xml.h. */
#include <stdio.h>
#include <stdlib.h>
#include "launcher/config/keys.h"
#include "launcher/import/xml.h"

static void read_cache(struct xml_import *im, struct node *driver, const char *title)
{
	const char *cache = node_attr(driver, "cache");
	if (!cache || streq(cache, "default"))
		return;
	bool none = streq(cache, "none") || streq(cache, "directsync");
	draft_set(im->d, driver->line, title, "cache", none ? "none" : "writeback");
	if (streq(cache, "directsync") || streq(cache, "writethrough"))
		draft_note(im->d, NOTE_MINOR, driver->line,
			   "[%s] cache = %s: the disk has a write cache here; a guest that flushes it, as all today's do, loses nothing",
			   title, cache);
	else if (streq(cache, "unsafe"))
		draft_note(im->d, NOTE_MINOR, driver->line, "[%s] cache = unsafe is writeback here: what the guest flushes is written",
			   title);
}

static void read_disk_driver(struct xml_import *im, struct node *driver, const char *title)
{
	const char *type = node_attr(driver, "type"), *discard = node_attr(driver, "discard"), *policy = node_attr(driver, "error_policy");
	const char *queues;
	if (type && (streq(type, "raw") || streq(type, "qcow2")))
		draft_set(im->d, driver->line, title, "format", type);
	else if (type)
		draft_note(im->d, NOTE_FATAL, driver->line, "[%s] an image of type %.20s: convert it: qemu-img convert -O qcow2", title,
			   type);
	read_cache(im, driver, title);
	draft_set(im->d, driver->line, title, "discard", discard && streq(discard, "unmap") ? "yes" : "no");
	if (node_attr(driver, "iothread"))
		draft_set(im->d, driver->line, title, "iothread", "yes");
	if (policy && !streq(policy, "stop") && !streq(policy, "enospace"))
		draft_note(im->d, NOTE_MINOR, driver->line,
			   "[%s] error_policy='%.20s': the guest is held when its image cannot grow, and told of other errors", title,
			   policy);
	if ((queues = node_attr(driver, "queues")) && !xml_key(im, driver->line, title, "queues", queues))
		draft_note(im->d, NOTE_MINOR, driver->line, "[%s] queues='%.20s': as many as there are vCPUs here", title, queues);
}

/* The controller that carries it, by its type and index; NULL where libvirt makes one. */
static struct node *controller(struct xml_import *im, const char *type, const char *index)
{
	struct node *devices = node_child(im->root, "devices");
	for (size_t i = 0; devices && i < devices->n_children; i++) {
		struct node *c = devices->children[i];
		if (streq(c->name, "controller") && node_is(c, "type", type)) {
			const char *have = node_attr(c, "index");
			if (!have || streq(have, index))
				return c;
		}
	}
	return NULL;
}

static void check_scsi(struct xml_import *im, struct node *disk, const char *title)
{
	const char *index = node_attr(node_child(disk, "address"), "controller");
	struct node *c = im->whole ? controller(im, "scsi", index ? index : "0") : NULL;
	const char *model = node_attr(c, "model");
	if (im->whole && !(model && str_starts(model, "virtio")))
		draft_note(
			im->d, NOTE_FATAL, c ? c->line : disk->line,
			"[%s] its SCSI controller (%.20s) is virtio-scsi here: Windows needs the driver vioscsi of the virtio-win ISO first",
			title, model ? model : "lsilogic");
}

static void read_disk_bus(struct xml_import *im, struct node *disk, struct node *target, const char *title, bool cdrom)
{
	const char *bus = node_attr(target, "bus"), *dev = node_attr(target, "dev");
	if (!bus && dev)
		bus = str_starts(dev, "vd") ? "virtio" : str_starts(dev, "sd") ? "scsi" : str_starts(dev, "hd") ? "ide" : NULL;
	bool kept = bus && (streq(bus, "scsi") || streq(bus, "sata") || (!cdrom && (streq(bus, "virtio") || streq(bus, "nvme"))));
	draft_set(im->d, target->line, title, "bus", kept ? bus : "sata");
	if (bus && !kept)
		draft_note(im->d, NOTE_MACHINE, target->line, "[%s] bus %.20s is sata here", title, bus);
	const char *rate = conf_key_find("disk", "rotation") && !cdrom ? node_attr(target, "rotation_rate") : NULL;
	if (rate)
		draft_set(im->d, target->line, title, "rotation", rate);
	if (bus && streq(bus, "scsi"))
		check_scsi(im, disk, title);
}

static void read_blockio(struct xml_import *im, struct node *n, const char *title)
{
	const char *logical = node_attr(n, "logical_block_size"), *physical = node_attr(n, "physical_block_size");
	if (logical && !streq(logical, "512"))
		draft_note(im->d, NOTE_FATAL, n->line,
			   "[%s] sectors of %.20s bytes: an image has 512 here, and a file system made on larger ones is not found", title,
			   logical);
	else if (physical && !streq(physical, "512"))
		draft_note(im->d, NOTE_MINOR, n->line,
			   "[%s] physical_block_size='%.20s': a guest that is partitioned anew is not told of it", title, physical);
}

/* Its folder of backing files names itself in the image. */
static void read_disk_extras(struct xml_import *im, struct node *n, const char *title)
{
	struct node *blockio = node_child(n, "blockio"), *serial = node_child(n, "serial"), *readonly = node_child(n, "readonly");
	if (readonly)
		draft_set(im->d, readonly->line, title, "readonly", "yes");
	if (blockio)
		read_blockio(im, blockio, title);
	if (serial && !xml_key(im, serial->line, title, "serial", node_text(serial)))
		draft_note(im->d, NOTE_MACHINE, serial->line, "[%s] <serial> %.40s: it is the section's name here", title,
			   node_text(serial));
}

static void read_no_source(struct xml_import *im, struct node *n, const char *type, bool cdrom)
{
	if (cdrom && !node_child(n, "source"))
		draft_note(im->d, NOTE_MINOR, n->line, "an empty CD-ROM drive");
	else
		draft_note(im->d, NOTE_FATAL, n->line, "<disk type='%.20s'>: this disk is missing: files and block devices only",
			   type ? type : "");
	node_take(n);
}

/* libvirt's own driver gives the guest one namespace of it, by a bus of any kind; here the guest has the drive. */
static void read_nvme(struct xml_import *im, struct node *n)
{
	struct node *source = node_child(n, "source"), *target = node_child(n, "target");
	const char *space = node_attr(source, "namespace"), *bus = node_attr(target, "bus"), *dev = node_attr(target, "dev");
	struct pci_addr addr;
	bool found = xml_address(node_child(source, "address"), &addr);
	cleanup_free char *title = found ? xml_pci(im, n->line, addr, xml_name(n, dev ? dev : "ssd"), "ssd") : NULL;
	if (!found)
		draft_note(im->d, NOTE_FATAL, n->line, "<disk type='nvme'> without an address: this disk is missing");
	if (!title)
		return;
	draft_note(
		im->d, NOTE_MACHINE, n->line,
		"[%s] <disk type='nvme'> on the bus %.20s, namespace %.10s: the guest gets the whole drive, and finds it as the NVMe that it is",
		title, bus ? bus : "virtio", space ? space : "1");
	node_attr(source, "managed");
	node_attr(source, "type");
	node_child(n, "driver");
	xml_boot(im, n, "hd", title);
}

static void read_disk(struct xml_import *im, struct node *n)
{
	const char *device = node_attr(n, "device"), *type = node_attr(n, "type");
	bool cdrom = device && streq(device, "cdrom");
	struct node *source = node_child(n, "source"), *target = node_child(n, "target"), *driver = node_child(n, "driver");
	const char *dev = node_attr(target, "dev"), *file = node_attr(source, "file"), *block = node_attr(source, "dev");
	const char *path = file ? file : block, *startup;
	if (device && !streq(device, "disk") && !cdrom) {
		node_take(n);
		draft_note(im->d, streq(device, "floppy") ? NOTE_MINOR : NOTE_FATAL, n->line,
			   "<disk device='%.20s'>: disks and CD-ROM drives only; it is missing", device);
		return;
	}
	if (type && streq(type, "nvme")) {
		read_nvme(im, n);
		return;
	}
	if (!path || !*path) {
		read_no_source(im, n, type, cdrom);
		return;
	}
	cleanup_free char *title = draft_title(im->d, cdrom ? "cdrom" : "disk", xml_name(n, dev ? dev : "main"));
	draft_set(im->d, source->line, title, "path", path);
	if ((startup = node_attr(source, "startupPolicy")) && !streq(startup, "mandatory"))
		draft_note(im->d, NOTE_MINOR, source->line, "[%s] startupPolicy='%.20s': the file must be there when the machine starts",
			   title, startup);
	if (target)
		read_disk_bus(im, n, target, title, cdrom);
	if (driver && cdrom) {
		const char *format = node_attr(driver, "type");
		if (format && !streq(format, "raw"))
			draft_note(im->d, NOTE_FATAL, driver->line, "[%s] an image of type %.20s: only raw discs can be carried over",
				   title, format);
		node_take(driver); /* nothing is written to it: how is of no matter */
	} else if (driver) {
		read_disk_driver(im, driver, title);
	}
	if (!cdrom)
		read_disk_extras(im, n, title);
	else
		node_child(n, "readonly");
	xml_boot(im, n, cdrom ? "cdrom" : "hd", title);
}

/* The guest mounts it otherwise, so it is not the same to it. */
static void read_filesystem(struct xml_import *im, struct node *n)
{
	struct node *source = node_child(n, "source"), *target = node_child(n, "target"), *driver = node_child(n, "driver");
	const char *dir = node_attr(source, "dir"), *tag = node_attr(target, "dir"), *type = node_attr(driver, "type"), *mode;
	struct node *readonly = node_child(n, "readonly");
	if (!dir || !tag) {
		node_take(n);
		draft_note(im->d, NOTE_MACHINE, n->line, "<filesystem> without a folder and a name for it: it is missing");
		return;
	}
	cleanup_free char *title = draft_title(im->d, "share", xml_name(n, tag));
	draft_set(im->d, n->line, title, "path", dir);
	if (readonly)
		draft_set(im->d, n->line, title, "readonly", "yes");
	if (!streq(strchr(title, ' ') + 1, tag))
		draft_set(im->d, n->line, title, "tag", tag);
	if (!type || !streq(type, "virtiofs"))
		draft_note(im->d, NOTE_MACHINE, n->line, "[%s] <filesystem> by 9p is virtiofs here: mount -t virtiofs %.60s", title, tag);
	if ((mode = node_attr(n, "accessmode")) && !streq(mode, "passthrough"))
		draft_note(im->d, NOTE_MINOR, n->line, "[%s] accessmode='%.20s': what the guest makes there is the user's on the host",
			   title, mode);
}

const struct xml_rule xml_disk_rules[] = {
	{ "devices/disk", read_disk },
	{ "devices/filesystem", read_filesystem },
	{},
};
