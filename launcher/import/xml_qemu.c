/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xml: QEMU's own arguments in a domain. They stay as they are, but for those that take a device of the host or that speak of libvirt's
 * names for things, which would stop QEMU: these become keys where there are such, and are left out and told where not. See xml.h.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include "launcher/config/keys.h"
#include "launcher/import/xml.h"

/* "ioh3420,bus=pcie.0,id=root.1" */
struct option {
	const char *driver;
	struct strv parts;
};

static void option_free(struct option *o)
{
	strv_free(&o->parts);
}

static struct option option_split(const char *text)
{
	struct option o = {};
	strv_split(&o.parts, text, ",");
	o.driver = o.parts.n ? o.parts.v[0] : "";
	return o;
}

static const char *option_get(const struct option *o, const char *key)
{
	size_t n = strlen(key);
	for (size_t i = 0; i < o->parts.n; i++)
		if (strncmp(o->parts.v[i], key, n) == 0 && o->parts.v[i][n] == '=')
			return o->parts.v[i] + n + 1;
	return NULL;
}

/* The word behind arguments[i], or NULL. */
static struct node *following(struct node *n, size_t i)
{
	struct node *next = i + 1 < n->n_children ? n->children[i + 1] : NULL;
	return next && streq(next->name, "qemu:arg") && node_attr(next, "value") ? next : NULL;
}

/* The older way to share a keyboard: "input-linux,id=kbd,evdev=/dev/…,grab_all=on,repeat=on". */
static bool take_input(struct xml_import *im, const char *value, unsigned line)
{
	cleanup(option_free) struct option o = option_split(value);
	const char *device = option_get(&o, "evdev"), *toggle = option_get(&o, "grab-toggle"), *grab = option_get(&o, "grab_all");
	if (!streq(o.driver, "input-linux") || strstr(value, ",,") || !device)
		return false;
	for (size_t i = 1; i < o.parts.n; i++)
		if (!str_starts(o.parts.v[i], "id=") && !str_starts(o.parts.v[i], "repeat=") && !str_starts(o.parts.v[i], "evdev=") &&
		    !str_starts(o.parts.v[i], "grab-toggle=") && !str_starts(o.parts.v[i], "grab_all="))
			return false;
	bool all = grab && (streq(grab, "on") || streq(grab, "yes") || streq(grab, "true"));
	cleanup_free char *title = draft_title(im->d, "input", all ? "keyboard" : "device");
	draft_set(im->d, line, title, "device", device);
	draft_set(im->d, line, title, "grab", all ? "yes" : "no");
	if (toggle)
		draft_set(im->d, line, title, "toggle", toggle);
	return true;
}

/* A card that is passed by hand: its place in the guest is qlaunch's own. */
static bool take_vfio(struct xml_import *im, const char *value, unsigned line)
{
	static const char own[] = "host bus addr multifunction id romfile";
	cleanup(option_free) struct option o = option_split(value);
	const char *host = option_get(&o, "host"), *rom = option_get(&o, "romfile");
	struct pci_addr addr;
	cleanup_err struct err *e = host ? pci_addr_parse(host, &addr) : NULL;
	if (!streq(o.driver, "vfio-pci") || !host || e)
		return false;
	cleanup_free char *title = xml_pci(im, line, addr, NULL, (rom && *rom) || option_get(&o, "x-vga") ? "gpu" : NULL);
	if (title && rom && *rom)
		draft_set(im->d, line, title, "rom", rom);
	for (size_t i = 1; i < o.parts.n; i++) {
		cleanup_free char *key = str_ndup(o.parts.v[i], strcspn(o.parts.v[i], "="));
		if (!str_has_word(own, key))
			draft_note(im->d, streq(key, "x-vga") ? NOTE_MINOR : NOTE_MACHINE, line, "%.60s of a passed device: it is left out",
				   o.parts.v[i]);
	}
	return true;
}

/* A root port that only a passed card hangs on. */
static bool is_port_of_vfio(struct node *n, const char *value)
{
	cleanup(option_free) struct option o = option_split(value);
	const char *id = option_get(&o, "id");
	bool port = streq(o.driver, "ioh3420") || streq(o.driver, "pcie-root-port") || streq(o.driver, "x3130-upstream");
	for (size_t i = 0; port && id && i < n->n_children; i++) {
		const char *other = node_attr(n->children[i], "value");
		cleanup(option_free) struct option d = option_split(other ? other : "");
		if (streq(d.driver, "vfio-pci") && option_get(&d, "host") && streq(option_get(&d, "bus"), id))
			return true;
	}
	return false;
}

/* libvirt's names of buses, and of what it makes besides devices. */
static bool speaks_of_libvirt(const char *value)
{
	static const char *const names[] = { "bus=pci.", "bus=scsi", "bus=virtio-serial", "netdev=hostnet", "chardev=char", "drive=libvirt-", "drive=drive-",
					     "audiodev=audio", "bus=ide" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *at = strstr(value, names[i]);
		if (at && (at == value || at[-1] == ','))
			return true;
	}
	return false;
}

/* libvirt's hostdevN: the cards that are passed as network cards count first (virDomainDefParseXML). NULL where it is no section of [pci]. */
static const char *hostdev_name(struct xml_import *im, unsigned long number)
{
	struct node *devices = node_child(im->root, "devices");
	for (int pass = 0; devices && pass < 2; pass++)
		for (size_t i = 0; i < devices->n_children; i++) {
			struct node *n = devices->children[i];
			bool counts = pass ? streq(n->name, "hostdev") : streq(n->name, "interface") && node_is(n, "type", "hostdev");
			struct pci_addr addr;
			if (!counts || number-- > 0)
				continue;
			if (pass && !node_is(n, "type", "pci"))
				return NULL;
			bool has = xml_address(node_child(node_child(n, "source"), "address"), &addr);
			struct draft_section *s = has ? xml_pci_section(im, addr) : NULL;
			return s ? strchr(s->title, ' ') + 1 : NULL;
		}
	return NULL;
}

/* netN: those that are passed have no such name. */
static const char *net_name(struct xml_import *im, unsigned long number)
{
	for (size_t i = 0; i < im->d->n; i++)
		if (str_starts(im->d->v[i].title, "network ") && number-- == 0)
			return strchr(im->d->v[i].title, ' ') + 1;
	return NULL;
}

/* The id of the device that libvirt calls "hostdev0", by launcher/guest; NULL where there is none. Owned by the caller. */
static char *device_id(struct xml_import *im, const char *alias)
{
	static const char digits[] = "0123456789";
	size_t n = strcspn(alias, digits);
	unsigned long number;
	const char *name = NULL;
	if (!xml_decimal(alias + n, 255, &number))
		return NULL;
	cleanup_free char *kind = str_ndup(alias, n);
	if (streq(kind, "hostdev"))
		return (name = hostdev_name(im, number)) ? str_fmt("pci-%s", name) : NULL;
	if (streq(kind, "net"))
		return (name = net_name(im, number)) ? str_fmt("nic-%s", name) : NULL;
	if (streq(kind, "video") && !number && draft_get(im->d, "display", "video"))
		return str_dup("video");
	return streq(kind, "sound") && !number && draft_get(im->d, "audio", "model") ? str_dup("sound") : NULL;
}

/* "device.video0.vgamem_mb=64" */
static bool take_set(struct xml_import *im, const char *value, unsigned line)
{
	const char *alias = value + strlen("device."), *dot = str_starts(value, "device.") ? strchr(alias, '.') : NULL;
	cleanup_free char *own = dot ? str_ndup(alias, (size_t)(dot - alias)) : NULL, *id = own ? device_id(im, own) : NULL;
	if (id) {
		strv_addf(&im->sets, "%s%s", id, dot);
		im->sets_line = im->sets_line ? im->sets_line : line;
	} else {
		draft_note(im->d, NOTE_MACHINE, line, "-set %.100s is left out: it names a device by libvirt's own id, which is not here", value);
	}
	return true;
}

/* QEMU plugs a device into the first free port that there is; without a picture, [usb] or such a card there is none. */
static void add_usb_controller(struct xml_import *im, unsigned line)
{
	struct node *devices = node_child(im->root, "devices");
	bool has = false;
	for (size_t i = 0; devices && i < devices->n_children; i++) {
		struct node *n = devices->children[i];
		has |= streq(n->name, "graphics") || (streq(n->name, "hostdev") && node_is(n, "type", "usb")) ||
		       (streq(n->name, "sound") && node_is(n, "model", "usb"));
	}
	if (!has)
		xml_arg(im, line, "-device", "qemu-xhci,id=usb-args");
}

/* Whether the pair is dealt with. */
static bool take_pair(struct xml_import *im, struct node *list, const char *option, const char *value, unsigned line)
{
	if (streq(option, "-set"))
		return take_set(im, value, line);
	if (streq(option, "-object") && take_input(im, value, line))
		return true;
	if (streq(option, "-device") && (take_vfio(im, value, line) || is_port_of_vfio(list, value)))
		return true;
	if (*option == '-' && speaks_of_libvirt(value)) {
		draft_note(im->d, NOTE_FATAL, line, "%.20s %.160s is left out: it speaks of libvirt's own buses and ids, which are not here", option, value);
		return true;
	}
	if (streq(option, "-device") && str_starts(value, "usb-") && !strstr(value, ",bus=") && !im->usb_args) {
		im->usb_args = true;
		add_usb_controller(im, line);
	}
	if (streq(option, "-cpu"))
		draft_note(im->d, NOTE_MINOR, line, "-cpu %.60s takes the place of all that is said of the CPU above", value);
	return false;
}

static void read_env(struct xml_import *im, struct node *n)
{
	const char *name = node_attr(n, "name"), *value = node_attr(n, "value");
	draft_note(im->d, NOTE_MACHINE, n->line, "<qemu:env> %.60s=%.60s: QEMU does not get it", name ? name : "", value ? value : "");
}

static void read_commandline(struct xml_import *im, struct node *n)
{
	for (size_t i = 0; i < n->n_children; i++) {
		struct node *arg = n->children[i], *next = following(n, i);
		const char *value = streq(arg->name, "qemu:arg") ? node_attr(arg, "value") : NULL;
		arg->used |= streq(arg->name, "qemu:arg") || streq(arg->name, "qemu:env");
		if (streq(arg->name, "qemu:env"))
			read_env(im, arg);
		if (!value)
			continue;
		if (next && take_pair(im, n, value, node_attr(next, "value"), arg->line)) {
			n->children[++i]->used = true;
			continue;
		}
		strv_add(&im->args, value);
		im->args_line = im->args_line ? im->args_line : arg->line;
	}
}

/* Properties of libvirt's devices, by their aliases. */
static void read_override(struct xml_import *im, struct node *n)
{
	for (size_t i = 0; i < n->n_children; i++) {
		struct node *device = n->children[i], *frontend = node_child(device, "frontend");
		const char *alias = streq(device->name, "qemu:device") ? node_attr(device, "alias") : NULL;
		frontend = frontend ? frontend : node_child(device, "qemu:frontend");
		if (!alias || !frontend)
			continue;
		device->used = true;
		for (size_t k = 0; k < frontend->n_children; k++) {
			struct node *p = frontend->children[k];
			const char *name = node_attr(p, "name"), *value = node_attr(p, "value");
			p->used = true;
			node_attr(p, "type");
			cleanup_free char *set = str_fmt("device.%s.%s=%s", alias, name ? name : "", value ? value : "");
			take_set(im, set, p->line);
		}
	}
}

const struct xml_rule xml_qemu_rules[] = {
	{ "qemu:commandline", read_commandline },
	{ "qemu:override", read_override },
	{},
};
