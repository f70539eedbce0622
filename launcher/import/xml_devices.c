/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xml: the devices. Where the guest sees them is qlaunch's own choice, so that their guest addresses, aliases and
 * controllers are taken without a word. See xml.h. */
#include <stdio.h>
#include <stdlib.h>
#include "launcher/import/xml.h"

#define MIB (UINT64_C(1) << 20)

/* What every device may have, and what qlaunch decides by itself. */
static void take_common(struct node *n)
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
	take_common(n);
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
	take_common(n);
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

/* ---- devices of the host ---- */

static bool read_address(struct node *address, struct pci_addr *ret_addr)
{
	static const char *const parts[] = { "domain", "bus", "slot", "function" };
	static const unsigned long most[] = { 0xffffffff, 0xff, 0x1f, 7 };
	unsigned long v[4];
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		const char *text = node_attr(address, parts[i]);
		char *end = NULL;
		v[i] = text ? strtoul(text, &end, 0) : 0;
		if ((!text && i > 0 && i < 3) || (text && (*end || end == text)) || v[i] > most[i])
			return false;
	}
	*ret_addr = (struct pci_addr){ (uint32_t)v[0], (uint8_t)v[1], (uint8_t)v[2], (uint8_t)v[3] };
	return true;
}

static void read_rom(struct xml_import *im, struct node *rom, const char *title)
{
	const char *file = node_attr(rom, "file"), *bar = node_attr(rom, "bar");
	if (file)
		draft_set(im->d, rom->line, title, "rom", file);
	if (bar && streq(bar, "off"))
		draft_note(im->d, rom->line, "[%s] <rom bar='off'>", title);
}

static void read_host_pci(struct xml_import *im, struct node *n)
{
	struct node *source = node_child(n, "source"), *address = node_child(source, "address"), *rom = node_child(n, "rom");
	struct node *driver = node_child(n, "driver"), *boot = node_child(n, "boot");
	const char *managed = node_attr(n, "managed");
	struct pci_addr addr;
	take_common(n);
	if (driver)
		node_take(driver);
	if (boot) {
		node_take(boot);
		draft_note(im->d, boot->line, "<boot> from a passed device");
	}
	if (managed && streq(managed, "no"))
		draft_note(im->d, n->line, "<hostdev managed='no'>: qlaunch binds it to vfio-pci, and back");
	if (!address || !read_address(address, &addr)) {
		draft_note(im->d, n->line, "<hostdev type='pci'> without an address");
		return;
	}
	/* the functions of a card go together: its group brings them */
	cleanup_free char *slot = str_fmt("%04x:%02x:%02x", addr.domain, addr.bus, addr.dev);
	cleanup_free char *title = draft_title(im->d, "pci", im->slots.n ? "device" : "gpu");
	if (strv_has(&im->slots, slot)) {
		if (rom && node_attr(rom, "file"))
			draft_note(im->d, rom->line, "<rom file=> of a second function");
		if (rom)
			node_take(rom);
		return;
	}
	strv_add(&im->slots, slot);
	draft_set(im->d, n->line, title, "address", pci_addr_text(addr).s);
	if (rom)
		read_rom(im, rom, title);
}

static void read_host_usb(struct xml_import *im, struct node *n)
{
	struct node *source = node_child(n, "source");
	const char *vendor = node_attr(node_child(source, "vendor"), "id"), *product = node_attr(node_child(source, "product"), "id");
	struct node *address = source ? node_child(source, "address") : NULL;
	node_attr(n, "managed");
	node_attr(source, "startupPolicy");
	take_common(n);
	if (address)
		node_take(address);
	if (!vendor || !product) {
		draft_note(im->d, n->line, "<hostdev type='usb'> by bus and device, which change: name it by id or port in [usb]");
		return;
	}
	cleanup_free char *title = draft_title(im->d, "usb", "device");
	draft_setf(im->d, n->line, title, "id", "%04lx:%04lx", strtoul(vendor, NULL, 16) & 0xffff, strtoul(product, NULL, 16) & 0xffff);
}

static void read_hostdev(struct xml_import *im, struct node *n)
{
	const char *mode = node_attr(n, "mode"), *type = node_attr(n, "type");
	if (type && streq(type, "pci")) {
		read_host_pci(im, n);
	} else if (type && streq(type, "usb")) {
		read_host_usb(im, n);
	} else {
		node_take(n);
		draft_note(im->d, n->line, "<hostdev mode='%.20s' type='%.20s'>", mode ? mode : "", type ? type : "");
	}
}

static void read_input(struct xml_import *im, struct node *n)
{
	const char *type = node_attr(n, "type"), *bus = node_attr(n, "bus");
	struct node *source = node_child(n, "source");
	const char *dev = node_attr(source, "dev"), *grab = node_attr(source, "grab"), *toggle = node_attr(source, "grabToggle");
	take_common(n);
	(void)bus;
	node_attr(source, "repeat");
	if (type && streq(type, "passthrough"))
		draft_note(im->d, n->line, "<input type='passthrough'>: it is shared by its toggle keys here");
	else if (!type || !streq(type, "evdev")) /* qlaunch has a keyboard and a mouse of its own for the evdev ones */
		return;
	bool all = grab && streq(grab, "all"), keyboard = all || (dev && strstr(dev, "kbd")) || (dev && strstr(dev, "keyboard"));
	cleanup_free char *title = draft_title(im->d, "input", keyboard ? "keyboard" : "mouse");
	if (dev)
		draft_set(im->d, source->line, title, "device", dev);
	else
		draft_note(im->d, n->line, "<input type='%.20s'> without a device", type);
	if (dev)
		draft_set(im->d, source->line, title, "grab", all ? "yes" : "no");
	if (dev && toggle)
		draft_set(im->d, source->line, title, "toggle", toggle);
}

/* ---- TPM, picture, sound ---- */

static void read_tpm(struct xml_import *im, struct node *n)
{
	const char *model = node_attr(n, "model");
	struct node *backend = node_child(n, "backend");
	const char *type = node_attr(backend, "type"), *version = node_attr(backend, "version");
	static const char *const own[] = { "persistent_state", "debug" };
	take_common(n);
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		node_attr(backend, own[i]);
	if (type && !streq(type, "emulator")) {
		node_take(n);
		draft_note(im->d, n->line, "<tpm> of type %.20s: qlaunch has an emulated one", type);
		return;
	}
	if (version && !streq(version, "2.0"))
		draft_note(im->d, n->line, "<tpm> version %.20s is 2.0 here", version);
	draft_set(im->d, n->line, "tpm", "version", "2.0");
	draft_set(im->d, n->line, "tpm", "model", model && streq(model, "tpm-crb") ? "crb" : "tis");
	draft_note(im->d, n->line, "<tpm>: its state stays with libvirt (/var/lib/libvirt/swtpm): BitLocker will ask for the recovery key");
}

static void read_graphics(struct xml_import *im, struct node *n)
{
	const char *type = node_attr(n, "type");
	struct node *gl = node_child(n, "gl");
	bool on = gl && streq(node_attr(gl, "enable"), "yes");
	node_take(n);
	bool window = type && (streq(type, "sdl") || streq(type, "gtk"));
	if (type && !window && !streq(type, "spice"))
		draft_note(im->d, n->line, "<graphics type='%.20s'> is spice here", type);
	draft_set(im->d, n->line, "display", "mode", window ? "window" : "spice");
	if (on)
		draft_set(im->d, gl->line, "display", "gl", "yes");
}

static void read_video(struct xml_import *im, struct node *n)
{
	struct node *model = node_child(n, "model"), *accel = node_child(model, "acceleration");
	const char *type = node_attr(model, "type");
	bool accel3d = accel && streq(node_attr(accel, "accel3d"), "yes");
	node_take(n);
	bool kept = type && (streq(type, "virtio") || streq(type, "qxl") || streq(type, "none"));
	if (!kept)
		draft_note(im->d, n->line, "<video> of type %.20s is virtio here", type ? type : "");
	draft_set(im->d, n->line, "display", "video", kept ? type : "virtio");
	if (accel3d)
		draft_set(im->d, accel->line, "display", "gl", "yes");
}

static void read_sound(struct xml_import *im, struct node *n)
{
	const char *model = node_attr(n, "model"), *multichannel = node_attr(n, "multichannel");
	node_take(n);
	(void)multichannel;
	if (model && !str_starts(model, "ich") && !streq(model, "usb"))
		draft_note(im->d, n->line, "<sound model='%.20s'> is hda here", model);
	draft_set(im->d, n->line, "audio", "model", model && streq(model, "usb") ? "usb" : "hda");
}

static void read_audio(struct xml_import *im, struct node *n)
{
	static const struct {
		const char *type, *backend;
	} backends[] = { { "pipewire", "pipewire" }, { "pulseaudio", "pa" }, { "spice", "spice" }, { "none", "none" } };
	const char *type = node_attr(n, "type");
	node_attr(n, "id");
	node_attr(n, "serverName");
	node_attr(n, "runtimeDir");
	for (size_t i = 0; type && i < ARRAY_SIZE(backends); i++)
		if (streq(type, backends[i].type)) {
			draft_set(im->d, n->line, "audio", "backend", backends[i].backend);
			return;
		}
	draft_note(im->d, n->line, "<audio type='%.20s'>: qlaunch chooses", type ? type : "");
}

/* Looking Glass: its memory is sized by the picture, so that the size tells the largest picture. */
static void read_shmem(struct xml_import *im, struct node *n)
{
	static const struct {
		uint64_t bytes;
		const char *resolution;
	} sizes[] = { { 32 * MIB, "1920x1080" }, { 64 * MIB, "2560x1440" }, { 128 * MIB, "3840x2160" } };
	const char *name = node_attr(n, "name");
	struct node *size = node_child(n, "size");
	uint64_t bytes = size ? xml_size(im, size, "MiB") : 0;
	node_take(n);
	for (size_t i = 0; name && streq(name, "looking-glass") && i < ARRAY_SIZE(sizes); i++) {
		if (bytes != sizes[i].bytes)
			continue;
		draft_set(im->d, n->line, "display", "resolution", sizes[i].resolution);
		if (!draft_get(im->d, "display", "mode"))
			draft_set(im->d, n->line, "display", "mode", "looking-glass");
		else
			draft_note(im->d, n->line, "<shmem name='looking-glass'>: set `mode = looking-glass` in [display]");
		return;
	}
	draft_note(im->d, n->line, "<shmem name='%.40s'>", name ? name : "");
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

static void read_serial(struct xml_import *im, struct node *n)
{
	const char *type = node_attr(n, "type"), *path = node_attr(node_child(n, "source"), "path");
	bool console = streq(n->name, "console");
	node_take(n);
	if (console || draft_get(im->d, "console", "serial"))
		return; /* the same line again, as libvirt writes it, or a second one that PCs rarely have */
	if (type && streq(type, "pty"))
		draft_set(im->d, n->line, "console", "serial", "pty");
	else if (type && streq(type, "file") && path && *path == '/')
		draft_set(im->d, n->line, "console", "serial", path);
	else
		draft_note(im->d, n->line, "<serial type='%.20s'>", type ? type : "");
}

/* The guest agent's line is there always; spice's comes with spice. */
static void read_channel(struct xml_import *im, struct node *n)
{
	const char *name = node_attr(node_child(n, "target"), "name");
	bool own = name && (str_starts(name, "org.qemu.guest_agent") || streq(name, "com.redhat.spice.0"));
	node_take(n);
	if (!own)
		draft_note(im->d, n->line, "<channel> %.60s", name ? name : "");
}

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
	{ "devices/hostdev", read_hostdev },
	{ "devices/input", read_input },
	{ "devices/tpm", read_tpm },
	{ "devices/graphics", read_graphics },
	{ "devices/video", read_video },
	{ "devices/sound", read_sound },
	{ "devices/audio", read_audio },
	{ "devices/shmem", read_shmem },
	{ "devices/filesystem", read_filesystem },
	{ "devices/serial", read_serial },
	{ "devices/console", read_serial },
	{ "devices/channel", read_channel },
	{ "devices/watchdog", read_watchdog },
	{ "devices/memballoon", NULL },
	{ "devices/rng", NULL },
	{ "devices/panic", NULL },
	{ "devices/hub", NULL },
	{},
};
