/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xml: controllers, and small devices that QEMU's own arguments carry over as libvirt writes them. See xml.h. */
#include <stdio.h>
#include <stdlib.h>
#include "launcher/import/xml.h"

static void read_emulator(struct xml_import *im, struct node *n)
{
	static const char *const stock[] = { "/usr/bin/qemu-system-x86_64", "/usr/bin/kvm", "/usr/bin/qemu-kvm", "/usr/libexec/qemu-kvm" };
	const char *path = node_text(n);
	for (size_t i = 0; i < ARRAY_SIZE(stock); i++)
		if (streq(path, stock[i]))
			return;
	draft_set(im->d, n->line, "qemu", "binary", path);
}

/* The bus of each device is qlaunch's own. A controller's queues and threads are those of its disks. */
static void read_controller(struct xml_import *im, struct node *n)
{
	static const char own[] = "pci usb sata ide virtio-serial scsi fdc";
	const char *type = node_attr(n, "type"), *model = node_attr(n, "model");
	struct node *hole = node_child(n, "pcihole64");
	uint64_t bytes = hole ? xml_size(im, hole, "KiB") : 0;
	if (!type || !str_has_word(own, type))
		draft_note(im->d, NOTE_MACHINE, n->line, "<controller type='%.20s'>: it is missing", type ? type : "");
	if (bytes && model && streq(model, "pcie-root")) {
		cleanup_free char *size = size_format(bytes);
		draft_set(im->d, hole->line, "vm", "pcihole64", size ? size : node_text(hole));
	}
}

static bool is_random(const char *path)
{
	return streq(path, "/dev/urandom") || streq(path, "/dev/random");
}

/* Each machine has random numbers of this host's kernel (launcher/guest/args_console.c): from there, it is the same. */
static void read_rng(struct xml_import *im, struct node *n)
{
	struct node *backend = node_child(n, "backend");
	const char *model = node_attr(backend, "model"), *path = node_text(backend), *device = node_attr(n, "model");
	bool kernel = model && (streq(model, "builtin") || (streq(model, "random") && (!*path || is_random(path))));
	if (device && streq(device, "virtio-transitional"))
		draft_note(im->d, NOTE_MINOR, n->line,
			   "<rng model='virtio-transitional'>: it has virtio's form of today alone, which the oldest systems do not know");
	if (!device || !str_starts(device, "virtio") || !kernel)
		draft_note(im->d, NOTE_MINOR, n->line, "<rng> from %.60s: the guest has the random numbers of the host's kernel instead",
			   *path   ? path
			   : model ? model
				   : "");
}

/* q35 has iTCO built in, which does nothing until it is let. */
static void read_watchdog(struct xml_import *im, struct node *n)
{
	const char *model = node_attr(n, "model"), *action = node_attr(n, "action");
	if (!model || !(streq(model, "itco") || streq(model, "i6300esb") || streq(model, "ib700"))) {
		draft_note(im->d, NOTE_MACHINE, n->line, "<watchdog model='%.20s'>: it is missing", model ? model : "");
		return;
	}
	if (streq(model, "itco"))
		xml_arg(im, n->line, "-global", "ICH9-LPC.noreboot=off");
	else
		xml_arg(im, n->line, "-device", "%s", model);
	if (action && streq(action, "dump"))
		draft_note(im->d, NOTE_MINOR, n->line, "<watchdog action='dump'>: the guest is held, and nothing dumped");
	xml_arg(im, n->line, "-action", "watchdog=%s", !action ? "reset" : streq(action, "dump") ? "pause" : action);
}

/* Each machine says when it crashes (pvpanic); what then happens is <on_crash>. */
static void read_panic(struct xml_import *im, struct node *n)
{
	const char *model = node_attr(n, "model");
	struct node *crash = node_child(im->root, "on_crash");
	const char *text = node_text(crash);
	if (model && streq(model, "hyperv"))
		xml_flag(im, n->line, "hv-crash=on");
	else if (model && !streq(model, "isa") && !streq(model, "pvpanic"))
		draft_note(im->d, NOTE_MINOR, n->line, "<panic model='%.20s'> is not of this board", model);
	if (streq(text, "preserve") || streq(text, "coredump-preserve"))
		xml_arg(im, crash->line, "-action", "panic=pause");
	if (str_starts(text, "restart") || str_starts(text, "coredump") || str_starts(text, "rename"))
		draft_note(im->d, NOTE_MINOR, crash->line,
			   "<on_crash> %.40s: a guest that panics ends the machine, with no dump and no restart", text);
}

static void read_vsock(struct xml_import *im, struct node *n)
{
	struct node *cid = node_child(n, "cid");
	const char *address = node_attr(cid, "address");
	draft_note(im->d, NOTE_MACHINE, n->line,
		   "<vsock>: it is missing; where /dev/vhost-vsock is the user's: -device vhost-vsock-pci,guest-cid=%.12s in [qemu] args",
		   address ? address : "3");
}

static void read_balloon(struct xml_import *im, struct node *n)
{
	static const char *const attrs[] = { "autodeflate", "freePageReporting" };
	for (size_t i = 0; i < ARRAY_SIZE(attrs); i++)
		if (node_is(n, attrs[i], "on"))
			draft_note(im->d, NOTE_MINOR, n->line,
				   "<memballoon %s='on'>: there is no balloon: the guest has all of its memory always", attrs[i]);
}

const struct xml_rule xml_other_rules[] = {
	{ "devices/emulator", read_emulator },
	{ "devices/controller", read_controller },
	{ "devices/rng", read_rng },
	{ "devices/watchdog", read_watchdog },
	{ "devices/panic", read_panic },
	{ "devices/vsock", read_vsock },
	{ "devices/memballoon", read_balloon },
	{},
};
