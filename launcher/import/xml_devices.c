/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xml: the devices. Where the guest sees them is qlaunch's own choice, so that their guest addresses, aliases and
 * controllers are taken without a word. See xml.h. */
#include <stdio.h>
#include <stdlib.h>
#include "launcher/import/xml.h"

void xml_take_common(struct node *n)
{
	static const char *const names[] = { "alias", "address", "acpi" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct node *x = node_child(n, names[i]);
		if (x)
			node_take(x);
	}
}

/* The part of a title behind the blank: the section's name. */
static const char *name_of(const char *title)
{
	return strchr(title, ' ') + 1;
}

static void add_boot(struct xml_import *im, struct node *n, const char *kind, const char *title)
{
	struct node *boot = node_child(n, "boot");
	const char *order = node_attr(boot, "order");
	if (order)
		im->boot_line = boot->line;
	im->boot = mem_grow(im->boot, im->n_boot, sizeof(*im->boot));
	im->boot[im->n_boot++] = (struct boot_device){ order ? (unsigned)strtoul(order, NULL, 10) : 0, kind,
						       str_dup(name_of(title)) };
}

/* ---- disks ---- */

static void read_disk_driver(struct xml_import *im, struct node *driver, const char *title)
{
	static const char *const own[] = { "name", "io", "queues", "error_policy", "rerror_policy", "queue_size", "event_idx",
					   "ioeventfd", "iommu", "ats", "packed" };
	const char *type = node_attr(driver, "type"), *cache = node_attr(driver, "cache");
	const char *discard = node_attr(driver, "discard"), *iothread = node_attr(driver, "iothread");
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		node_attr(driver, own[i]);
	if (type && (streq(type, "raw") || streq(type, "qcow2")))
		draft_set(im->d, driver->line, title, "format", type);
	else if (type)
		draft_note(im->d, driver->line, "[%s] an image of type %.20s: convert it: qemu-img convert -O qcow2", title, type);
	if (cache && (streq(cache, "writeback") || streq(cache, "writethrough") || streq(cache, "unsafe")))
		draft_set(im->d, driver->line, title, "cache", "writeback");
	if (cache && (streq(cache, "writethrough") || streq(cache, "unsafe")))
		draft_note(im->d, driver->line, "[%s] cache = %s is writeback here", title, cache);
	if (discard)
		draft_set(im->d, driver->line, title, "discard", streq(discard, "unmap") ? "yes" : "no");
	if (iothread)
		draft_set(im->d, driver->line, title, "iothread", "yes");
}

static void read_disk_bus(struct xml_import *im, struct node *target, const char *title, bool cdrom)
{
	const char *bus = node_attr(target, "bus");
	bool scsi = bus && streq(bus, "scsi");
	static const char *const own[] = { "rotation_rate", "tray" };
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		node_attr(target, own[i]);
	if (cdrom) {
		draft_set(im->d, target->line, title, "bus", scsi ? "scsi" : "sata");
		return;
	}
	bool kept = bus && (scsi || streq(bus, "virtio") || streq(bus, "sata") || streq(bus, "nvme"));
	draft_set(im->d, target->line, title, "bus", kept ? bus : "sata");
	if (bus && !kept && !streq(bus, "ide"))
		draft_note(im->d, target->line, "[%s] bus %.20s is sata here", title, bus);
}

static void read_disk(struct xml_import *im, struct node *n)
{
	const char *device = node_attr(n, "device"), *type = node_attr(n, "type"), *path = NULL;
	bool cdrom = device && streq(device, "cdrom");
	struct node *source = node_child(n, "source"), *target = node_child(n, "target"), *driver = node_child(n, "driver");
	struct node *readonly = node_child(n, "readonly"), *backing = node_child(n, "backingStore");
	const char *dev = node_attr(target, "dev");
	node_attr(n, "snapshot");
	node_attr(n, "model");
	xml_take_common(n);
	if (backing && !backing->n_children)
		node_take(backing);
	if (source) {
		path = node_attr(source, "file");
		path = path ? path : node_attr(source, "dev");
		node_attr(source, "index");
		node_attr(source, "startupPolicy");
	}
	if (device && !streq(device, "disk") && !cdrom) {
		node_take(n);
		draft_note(im->d, n->line, "<disk device='%.20s'>", device);
		return;
	}
	if (!path) {
		node_take(n);
		if (cdrom)
			draft_note(im->d, n->line, "an empty CD-ROM drive");
		else
			draft_note(im->d, n->line, "<disk type='%.20s'>: files and block devices only", type ? type : "");
		return;
	}
	cleanup_free char *title = draft_title(im->d, cdrom ? "cdrom" : "disk", dev ? dev : "main");
	draft_set(im->d, source->line, title, "path", path);
	if (target)
		read_disk_bus(im, target, title, cdrom);
	if (driver && cdrom)
		node_take(driver);
	else if (driver)
		read_disk_driver(im, driver, title);
	if (readonly && !cdrom)
		draft_set(im->d, readonly->line, title, "readonly", "yes");
	add_boot(im, n, cdrom ? "cdrom" : "hd", title);
}

/* ---- networks ---- */

static void read_interface_source(struct xml_import *im, struct node *n, struct node *source, const char *type, const char *title)
{
	const char *network = node_attr(source, "network"), *dev = node_attr(source, "dev"), *mode = node_attr(source, "mode");
	const char *bridge = node_attr(source, "bridge");
	node_attr(source, "portid");
	if (bridge && (streq(type, "bridge") || (streq(type, "network") && !streq(bridge, "virbr0")))) {
		draft_set(im->d, n->line, title, "mode", "bridge");
		draft_set(im->d, n->line, title, "bridge", bridge);
	} else if (streq(type, "direct") && dev) {
		draft_set(im->d, n->line, title, "mode", "macvtap");
		draft_set(im->d, n->line, title, "bridge", dev);
		if (mode && !streq(mode, "bridge"))
			draft_note(im->d, n->line, "[%s] macvtap in mode %.20s is mode bridge here", title, mode);
	} else if (streq(type, "user")) {
		draft_set(im->d, n->line, title, "mode", "user");
	} else {
		draft_set(im->d, n->line, title, "mode", "nat");
		if (!streq(type, "network") || (network && !streq(network, "default")))
			draft_note(im->d, n->line, "[%s] <interface type='%.20s'%s%.60s> is a nat network of the machine's own here", title,
				   type, network ? " network " : "", network ? network : "");
	}
}

static void read_interface(struct xml_import *im, struct node *n)
{
	const char *type = node_attr(n, "type");
	struct node *source = node_child(n, "source"), *mac = node_child(n, "mac"), *model = node_child(n, "model");
	struct node *driver = node_child(n, "driver"), *target = node_child(n, "target"), *rom = node_child(n, "rom");
	struct node *backend = node_child(n, "backend");
	const char *address = node_attr(mac, "address"), *kind = node_attr(model, "type"), *queues = node_attr(driver, "queues");
	cleanup_free char *title = draft_title(im->d, "network", "lan");
	xml_take_common(n);
	if (target)
		node_take(target);
	if (rom)
		node_take(rom);
	if (backend)
		node_take(backend);
	node_attr(mac, "type");
	node_attr(driver, "name");
	node_attr(n, "trustGuestRxFilters");
	read_interface_source(im, n, source, type ? type : "user", title);
	if (address)
		draft_set(im->d, mac->line, title, "mac", address);
	if (queues)
		draft_set(im->d, driver->line, title, "queues", queues);
	if (kind && !str_starts(kind, "virtio"))
		draft_note(im->d, model->line, "[%s] the card %.20s is virtio here: Windows needs the driver of the virtio-win ISO", title,
			   kind);
	add_boot(im, n, "network", title);
}

static void read_filesystem(struct xml_import *im, struct node *n)
{
	struct node *source = node_child(n, "source"), *target = node_child(n, "target"), *driver = node_child(n, "driver");
	const char *dir = node_attr(source, "dir"), *tag = node_attr(target, "dir"), *type = node_attr(driver, "type");
	bool readonly = node_child(n, "readonly");
	node_take(n);
	if (!dir || !tag) {
		draft_note(im->d, n->line, "<filesystem> without folder or tag");
		return;
	}
	cleanup_free char *title = draft_title(im->d, "share", tag);
	draft_set(im->d, n->line, title, "path", dir);
	if (readonly)
		draft_set(im->d, n->line, title, "readonly", "yes");
	if (!streq(name_of(title), tag))
		draft_set(im->d, n->line, title, "tag", tag);
	if (!type || !streq(type, "virtiofs"))
		draft_note(im->d, n->line, "<filesystem> by 9p is virtiofs here: mount it as such");
}

/* ---- lines ---- */

static void read_controller(struct xml_import *im, struct node *n)
{
	static const char *const own[] = { "pci", "usb", "sata", "ide", "virtio-serial", "scsi", "fdc" };
	const char *type = node_attr(n, "type");
	node_take(n);
	for (size_t i = 0; type && i < ARRAY_SIZE(own); i++)
		if (streq(type, own[i]))
			return;
	draft_note(im->d, n->line, "<controller type='%.20s'>", type ? type : "");
}

static void read_emulator(struct xml_import *im, struct node *n)
{
	static const char *const stock[] = { "/usr/bin/qemu-system-x86_64", "/usr/bin/kvm", "/usr/bin/qemu-kvm", "/usr/libexec/qemu-kvm" };
	for (size_t i = 0; i < ARRAY_SIZE(stock); i++)
		if (streq(n->text, stock[i]))
			return;
	draft_set(im->d, n->line, "qemu", "binary", n->text);
}

static void read_watchdog(struct xml_import *im, struct node *n)
{
	const char *model = node_attr(n, "model");
	bool own = model && streq(model, "itco");
	node_take(n);
	if (!own)
		draft_note(im->d, n->line, "<watchdog model='%.20s'>", model ? model : "");
}

const struct xml_rule xml_device_rules[] = {
	{ "devices/emulator", read_emulator },
	{ "devices/disk", read_disk },
	{ "devices/controller", read_controller },
	{ "devices/interface", read_interface },
	{ "devices/filesystem", read_filesystem },
	{ "devices/watchdog", read_watchdog },
	{ "devices/memballoon", NULL },
	{ "devices/rng", NULL },
	{ "devices/panic", NULL },
	{ "devices/hub", NULL },
	{},
};
