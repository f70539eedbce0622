/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xml: the devices of the host, and the person's side of the machine: input, picture, sound, serial ports. See xml.h. */
#include <stdio.h>
#include <stdlib.h>
#include "launcher/import/xml.h"

#define MIB (UINT64_C(1) << 20)

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
	xml_take_common(n);
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
	xml_take_common(n);
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
	xml_take_common(n);
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
	xml_take_common(n);
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

/* Spice's line comes with spice. */
static void read_channel(struct xml_import *im, struct node *n)
{
	const char *name = node_attr(node_child(n, "target"), "name");
	node_take(n);
	if (name && str_starts(name, "org.qemu.guest_agent"))
		draft_set(im->d, n->line, "console", "agent", "yes");
	else if (!name || !streq(name, "com.redhat.spice.0"))
		draft_note(im->d, n->line, "<channel> %.60s", name ? name : "");
}

const struct xml_rule xml_desk_rules[] = {
	{ "devices/hostdev", read_hostdev },
	{ "devices/input", read_input },
	{ "devices/tpm", read_tpm },
	{ "devices/graphics", read_graphics },
	{ "devices/video", read_video },
	{ "devices/sound", read_sound },
	{ "devices/audio", read_audio },
	{ "devices/shmem", read_shmem },
	{ "devices/serial", read_serial },
	{ "devices/console", read_serial },
	{ "devices/channel", read_channel },
	{},
};
