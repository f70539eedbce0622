/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xml: devices of the host: PCI, USB, mediated ones, keyboards and mice. See xml.h. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include "launcher/config/keys.h"
#include "launcher/import/xml.h"

static void read_rom(struct xml_import *im, struct node *rom, const char *title)
{
	const char *file = node_attr(rom, "file"), *bar = node_attr(rom, "bar"), *enabled = node_attr(rom, "enabled");
	bool off = (bar && streq(bar, "off")) || (enabled && streq(enabled, "no"));
	bool none = enabled && streq(enabled, "no");
	if (off && !xml_key(im, rom->line, title, none && conf_key_find("pci", "rom-bar") ? "rom" : "rom-bar", none ? "off" : "no"))
		draft_note(im->d, NOTE_MACHINE, rom->line, "[%s] <rom bar='off'>: the guest sees the card's own video BIOS here", title);
	if (file && !none)
		draft_set(im->d, rom->line, title, "rom", file);
}

static void read_host_pci(struct xml_import *im, struct node *n)
{
	struct node *source = node_child(n, "source"), *rom = node_child(n, "rom"), *driver = node_child(n, "driver");
	const char *managed = node_attr(n, "managed"), *name = node_attr(driver, "name");
	struct pci_addr addr;
	if (!xml_address(node_child(source, "address"), &addr)) {
		draft_note(im->d, NOTE_FATAL, n->line, "<hostdev type='pci'> without an address: the device is missing");
		return;
	}
	cleanup_free char *title = xml_pci(im, n->line, addr, xml_name(n, NULL), rom && node_attr(rom, "file") ? "gpu" : NULL);
	if (!title)
		return;
	if (!managed || !streq(managed, "yes"))
		draft_note(im->d, NOTE_MINOR, n->line, "[%s] managed='no': qlaunch binds it to vfio-pci, and back", title);
	if (name && !streq(name, "vfio"))
		draft_note(im->d, NOTE_MACHINE, driver->line, "[%s] <driver name='%.20s'>: by vfio-pci here", title, name);
	if (rom)
		read_rom(im, rom, title);
	xml_boot(im, n, "", title);
}

/* An id is hexadecimal with 0x before it, else decimal: as libvirt reads it. */
static bool usb_id(struct node *n, unsigned long *ret_id)
{
	return xml_uint(node_attr(n, "id"), 0xffff, ret_id);
}

static void read_host_usb(struct xml_import *im, struct node *n)
{
	struct node *source = node_child(n, "source"), *vendor = node_child(source, "vendor"), *product = node_child(source, "product");
	struct node *address = node_child(source, "address");
	const char *bus = node_attr(address, "bus"), *device = node_attr(address, "device");
	unsigned long v, p;
	if (!usb_id(vendor, &v) || !usb_id(product, &p)) {
		draft_note(
			im->d, NOTE_MACHINE, n->line,
			"<hostdev type='usb'> by bus %.10s and device %.10s, which change with each plugging: name it by id or port in [usb]",
			bus ? bus : "?", device ? device : "?");
		return;
	}
	if (bus)
		draft_note(im->d, NOTE_MINOR, address->line,
			   "<hostdev type='usb'> %04lx:%04lx is told by its id alone, wherever it is plugged in", v, p);
	cleanup_free char *title = draft_title(im->d, "usb", xml_name(n, "device"));
	draft_setf(im->d, n->line, title, "id", "%04lx:%04lx", v, p);
}

static void read_mediated(struct xml_import *im, struct node *n)
{
	struct node *address = node_child(node_child(n, "source"), "address");
	const char *uuid = node_attr(address, "uuid"), *model = node_attr(n, "model");
	if (!uuid || (model && !streq(model, "vfio-pci"))) {
		draft_note(im->d, NOTE_FATAL, n->line, "<hostdev type='mdev' model='%.20s'>: this device of the host is missing",
			   model ? model : "");
		return;
	}
	cleanup_free char *title = draft_title(im->d, "mdev", xml_name(n, "vgpu"));
	cleanup_free char *lower = str_dup(uuid);
	for (char *p = lower; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	draft_set(im->d, address->line, title, "uuid", lower);
	if (node_is(n, "display", "on"))
		draft_set(im->d, n->line, title, "display", "yes");
	node_attr(n, "ramfb");
	draft_note(im->d, NOTE_MINOR, n->line,
		   "[%s] somebody must make it before each start, as for libvirt; with parent and type qlaunch makes it, and removes it",
		   title);
}

static void read_hostdev(struct xml_import *im, struct node *n)
{
	const char *mode = node_attr(n, "mode"), *type = node_attr(n, "type");
	if (type && streq(type, "pci")) {
		read_host_pci(im, n);
	} else if (type && streq(type, "usb")) {
		read_host_usb(im, n);
	} else if (type && streq(type, "mdev")) {
		read_mediated(im, n);
	} else {
		node_take(n);
		draft_note(im->d, NOTE_FATAL, n->line, "<hostdev mode='%.20s' type='%.20s'>: this device of the host is missing",
			   mode ? mode : "", type ? type : "");
	}
}

static void read_evdev(struct xml_import *im, struct node *n, struct node *source)
{
	const char *dev = node_attr(source, "dev"), *toggle = node_attr(source, "grabToggle");
	bool all = node_is(source, "grab", "all"), keyboard = all || (dev && (strstr(dev, "kbd") || strstr(dev, "keyboard")));
	cleanup_free char *title = draft_title(im->d, "input", xml_name(n, keyboard ? "keyboard" : "mouse"));
	if (!dev) {
		draft_note(im->d, NOTE_MACHINE, n->line, "<input> without a device of the host's: it is missing");
		return;
	}
	draft_set(im->d, source->line, title, "device", dev);
	draft_set(im->d, source->line, title, "grab", all ? "yes" : "no");
	if (toggle)
		draft_set(im->d, source->line, title, "toggle", toggle);
	if (node_is(source, "repeat", "off"))
		draft_note(im->d, NOTE_MINOR, source->line, "[%s] repeat='off': a key that is held repeats here", title);
}

/* Keyboard, mouse and tablet are there as the picture and [input] need them. */
static void read_input(struct xml_import *im, struct node *n)
{
	static const char own[] = "keyboard mouse tablet";
	const char *type = node_attr(n, "type"), *bus = node_attr(n, "bus");
	struct node *source = node_child(n, "source");
	if (type && streq(type, "passthrough")) {
		draft_note(im->d, NOTE_MINOR, n->line, "<input type='passthrough'>: it is shared by its toggle keys here");
		const char *evdev = node_attr(source, "evdev");
		cleanup_free char *title = draft_title(im->d, "input", "device");
		if (evdev)
			draft_set(im->d, source->line, title, "device", evdev);
	} else if (type && streq(type, "evdev")) {
		read_evdev(im, n, source);
	} else if (!type || !str_has_word(own, type)) {
		draft_note(im->d, NOTE_MACHINE, n->line, "<input type='%.20s' bus='%.20s'>: it is missing", type ? type : "",
			   bus ? bus : "");
	}
}

static void read_tpm(struct xml_import *im, struct node *n)
{
	const char *model = node_attr(n, "model");
	struct node *backend = node_child(n, "backend");
	const char *type = node_attr(backend, "type"), *version = node_attr(backend, "version");
	if (type && !streq(type, "emulator")) {
		node_take(n);
		draft_note(im->d, NOTE_FATAL, n->line,
			   "<tpm> of type %.20s: an emulated one there is; what this one keeps (BitLocker's keys) is not in it", type);
		return;
	}
	if (version && !streq(version, "2.0"))
		draft_note(im->d, NOTE_MACHINE, n->line, "<tpm> version %.20s is 2.0 here", version);
	draft_set(im->d, n->line, "tpm", "version", "2.0");
	draft_set(im->d, n->line, "tpm", "model", model && streq(model, "tpm-crb") ? "crb" : "tis");
	if (model && !streq(model, "tpm-crb") && !streq(model, "tpm-tis"))
		draft_note(im->d, NOTE_MACHINE, n->line, "<tpm model='%.20s'> is tpm-tis here", model);
	struct node *id = node_child(im->root, "uuid");
	const char *uuid = id && !strchr(id->text, '/') ? id->text : "UUID";
	im->d->tpm_line = n->line;
	strv_addf(&im->d->tpm, "/var/lib/libvirt/swtpm/%.60s/tpm2/tpm2-00.permall", uuid);
	strv_addf(&im->d->tpm, "~/.config/libvirt/qemu/swtpm/%.60s/tpm2/tpm2-00.permall", uuid);
}

const struct xml_rule xml_host_rules[] = {
	{ "devices/hostdev", read_hostdev },
	{ "devices/input", read_input },
	{ "devices/tpm", read_tpm },
	{},
};
