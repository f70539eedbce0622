/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xml: network cards. See xml.h. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include "launcher/config/keys.h"
#include "launcher/import/xml.h"

#define FORWARDS_MAX 64 /* ports of one card: more is another kind of network */

/* libvirt's own bridges are its networks: with libvirt away they are gone, or lead nowhere. */
static bool is_libvirts(const char *bridge)
{
	return str_starts(bridge, "virbr") && isdigit((unsigned char)bridge[5]);
}

static void read_network(struct xml_import *im, struct node *n, const char *network, const char *title)
{
	draft_set(im->d, n->line, title, "mode", "nat");
	if (!network || !streq(network, "default"))
		draft_note(im->d, NOTE_MACHINE, n->line, "[%s] libvirt's network %.60s is a nat network of the machine's own here", title,
			   network ? network : "");
}

static void read_source(struct xml_import *im, struct node *n, struct node *source, const char *type, const char *title)
{
	const char *bridge = node_attr(source, "bridge"), *dev, *mode;
	if (bridge && streq(type, "bridge") && !is_libvirts(bridge)) {
		draft_set(im->d, n->line, title, "mode", "bridge");
		draft_set(im->d, n->line, title, "bridge", bridge);
	} else if (streq(type, "network") || (streq(type, "bridge") && bridge)) {
		const char *network = node_attr(source, "network");
		read_network(im, n, !network && streq(bridge, "virbr0") ? "default" : network ? network : bridge, title);
	} else if (streq(type, "direct") && (dev = node_attr(source, "dev"))) {
		mode = node_attr(source, "mode");
		draft_set(im->d, n->line, title, "mode", "macvtap");
		draft_set(im->d, n->line, title, "bridge", dev);
		if (!streq(mode, "bridge")) /* libvirt's own is vepa */
			draft_note(im->d, NOTE_MACHINE, source->line, "[%s] macvtap in mode %.20s is mode bridge here", title,
				   mode ? mode : "vepa");
	} else if (streq(type, "user")) {
		draft_set(im->d, n->line, title, "mode", "user");
	} else {
		draft_set(im->d, n->line, title, "mode", "nat");
		draft_note(im->d, NOTE_MACHINE, n->line, "[%s] <interface type='%.20s'> is a nat network of the machine's own here", title,
			   type);
	}
}

static void read_model(struct xml_import *im, struct node *n, struct node *model, const char *title)
{
	const char *kind = node_attr(model, "type");
	unsigned line = model ? model->line : n->line;
	if (!kind && !im->whole)
		return;
	kind = kind ? kind : "rtl8139"; /* libvirt's own; with q35 its e1000e where QEMU has it */
	if (streq(kind, "virtio") || streq(kind, "virtio-non-transitional"))
		return;
	if (conf_key_takes("network", "model", kind) && xml_key(im, line, title, "model", kind))
		return;
	if (str_starts(kind, "virtio"))
		draft_note(im->d, NOTE_MINOR, line, "[%s] the card %.30s is virtio of today's form here", title, kind);
	else
		draft_note(im->d, NOTE_MACHINE, line,
			   "[%s] the card %.20s is virtio here: Windows has no network until it has the driver of the virtio-win ISO",
			   title, kind);
}

/* A virtual function, or any card of the host: the guest gets the device itself. */
static void read_passed(struct xml_import *im, struct node *n, struct node *source, struct node *mac)
{
	struct pci_addr addr;
	if (!xml_address(node_child(source, "address"), &addr)) {
		draft_note(im->d, NOTE_MACHINE, n->line,
			   "<interface type='hostdev'> without an address of the host's: the card is missing");
		return;
	}
	cleanup_free char *title = xml_pci(im, n->line, addr, xml_name(n, NULL), "nic");
	const char *address = node_attr(mac, "address");
	if (title && address)
		draft_note(im->d, NOTE_MACHINE, mac->line,
			   "[%s] <mac address='%.20s'>: the card keeps its own; a virtual function has a random one until "
			   "`ip link set DEVICE vf N mac …`",
			   title, address);
	if (title)
		xml_boot(im, n, "", title);
}

/* passt's: a port, or a range of them, of all addresses or of one. */
static void read_range(struct xml_import *im, struct node *forward, struct node *range, struct strv *forwards)
{
	const char *proto = node_attr(forward, "proto"), *address = node_attr(forward, "address");
	const char *start = node_attr(range, "start"), *end = node_attr(range, "end"), *to = node_attr(range, "to");
	unsigned long first, last, guest;
	range->used = true;
	bool known = start && xml_decimal(start, 65535, &first) && xml_decimal(end ? end : start, 65535, &last) &&
		     xml_decimal(to ? to : start, 65535, &guest) && last >= first && forwards->n + (last - first) < FORWARDS_MAX;
	if (!known || node_is(range, "exclude", "yes") || node_attr(forward, "dev") || (address && strchr(address, ':'))) {
		draft_note(im->d, NOTE_MACHINE, forward->line, "<range start='%.10s'>: say it by forward in its section: tcp:2222:22",
			   start ? start : "");
		return;
	}
	for (unsigned long i = 0; i <= last - first; i++)
		strv_addf(forwards, "%s:%s:%lu:%lu", proto ? proto : "tcp", address ? address : "0.0.0.0", first + i, guest + i);
}

static void read_forwards(struct xml_import *im, struct node *n, const char *title)
{
	cleanup_strv struct strv forwards = {};
	for (size_t i = 0; i < n->n_children; i++) {
		struct node *forward = n->children[i];
		if (!streq(forward->name, "portForward") || !forward->n_children) /* all of its ports: nobody reads it, so it is told */
			continue;
		forward->used = true;
		for (size_t k = 0; k < forward->n_children; k++)
			if (streq(forward->children[k]->name, "range"))
				read_range(im, forward, forward->children[k], &forwards);
	}
	cleanup_free char *joined = strv_join(&forwards, " ");
	if (forwards.n)
		draft_set(im->d, n->line, title, "forward", joined);
}

static void read_interface(struct xml_import *im, struct node *n)
{
	const char *type = node_attr(n, "type"), *queues;
	struct node *source = node_child(n, "source"), *mac = node_child(n, "mac"), *driver = node_child(n, "driver");
	if (type && streq(type, "hostdev")) {
		read_passed(im, n, source, mac);
		return;
	}
	cleanup_free char *title = draft_title(im->d, "network", xml_name(n, "lan"));
	read_source(im, n, source, type ? type : "user", title);
	if (node_attr(mac, "address"))
		draft_set(im->d, mac->line, title, "mac", node_attr(mac, "address"));
	if ((queues = node_attr(driver, "queues")))
		draft_set(im->d, driver->line, title, "queues", queues);
	read_forwards(im, n, title);
	read_model(im, n, node_child(n, "model"), title);
	xml_boot(im, n, "network", title);
}

const struct xml_rule xml_net_rules[] = {
	{ "devices/interface", read_interface },
	{},
};
