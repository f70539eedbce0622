/* SPDX-License-Identifier: GPL-2.0-or-later */
/* slots: see slots.h. */
#include "launcher/base/tr.h"
#include "launcher/guest/slots.h"

#define FUNCTIONS 8u

static const struct {
	const char *what;             /* as the configuration calls it; NULL: there is one at most */
	unsigned first, slots;        /* from this slot on, so many */
	unsigned function, functions; /* in each of them, from this function on, so many */
	bool multi;                   /* function 0 of a slot in which other kinds have theirs */
} table[SLOT_KINDS] = {
	[SLOT_VIDEO] = { NULL, 0x01, 1, 0, 1, false },
	[SLOT_SOUND] = { NULL, 0x02, 1, 0, 1, false },
	[SLOT_USB] = { NULL, 0x03, 1, 0, 1, false },
	[SLOT_INPUT] = { NULL, 0x04, 1, 0, FUNCTIONS, false },
	[SLOT_NET] = { "[network NAME]", 0x05, 3, 0, FUNCTIONS, false },
	[SLOT_DISK] = { N_("disks on virtio and nvme"), 0x08, 8, 0, FUNCTIONS, false },
	[SLOT_PORT] = { N_("slots of the host by [pci NAME], and [mdev NAME]"), 0x10, 11, 0, FUNCTIONS, false },
	[SLOT_SHARE] = { NULL, 0x1b, 1, 0, FUNCTIONS, false },
	[SLOT_RNG] = { NULL, 0x1c, 1, 0, 1, true },
	[SLOT_AGENT] = { NULL, 0x1c, 1, 1, 1, false },
	[SLOT_SCSI] = { NULL, 0x1c, 1, 2, 1, false },
	[SLOT_SATA] = { N_("disks on sata"), 0x1c, 1, 3, FUNCTIONS - 3, false },
	[SLOT_CLIPBOARD] = { NULL, 0x1d, 1, 0, 1, false },
	[SLOT_MEMORY] = { NULL, 0x1e, 1, 0, 1, false },
};

void slot_put(json_t *device, enum slot kind, unsigned nth, unsigned n)
{
	unsigned slots = table[kind].slots, function = table[kind].function + nth / slots;
	json_object_set_new(device, "bus", json_string("pcie.0"));
	json_object_set_new(device, "addr", json_sprintf("%02x.%u", table[kind].first + nth % slots, function));
	if (function == 0 && (table[kind].multi || nth + slots < n))
		json_object_set_new(device, "multifunction", json_true());
}

json_t *slot_port(unsigned n, unsigned ports)
{
	json_t *o = json_pack("{s:s, s:o, s:i, s:i}", "driver", "pcie-root-port", "id", json_sprintf("port%u", n), "chassis", (int)n,
			      "slot", (int)n);
	slot_put(o, SLOT_PORT, n - 1, ports);
	return o;
}

unsigned slot_room(enum slot kind)
{
	return table[kind].slots * table[kind].functions;
}

static void room_for(struct findings *out, enum slot kind, size_t n, unsigned room)
{
	if (n > room)
		findings_add(out, FINDING_BAD, "guest", tr_fmt("%s: %zu, and its board has room for %u", tr(table[kind].what), n, room),
			     NULL);
}

void slot_findings(struct findings *out, const struct config *c, unsigned ports)
{
	size_t n_pci = 0, n_sata = 0;
	for (size_t i = 0; i < c->n_disks + c->n_cdroms; i++) {
		enum disk_bus bus = (i < c->n_disks ? &c->disks[i] : &c->cdroms[i - c->n_disks])->bus;
		n_pci += bus == BUS_VIRTIO || bus == BUS_NVME;
		n_sata += bus == BUS_SATA;
	}
	room_for(out, SLOT_NET, c->n_networks, slot_room(SLOT_NET));
	room_for(out, SLOT_DISK, n_pci, slot_room(SLOT_DISK));
	room_for(out, SLOT_SATA, n_sata, AHCI_PORTS * (1 + slot_room(SLOT_SATA))); /* the board has one controller of its own */
	room_for(out, SLOT_PORT, ports, slot_room(SLOT_PORT));
}
