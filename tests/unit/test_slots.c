/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every combination of what a machine can have: each PCI device has a place of its own, the same one in all of them, where a guest finds
 * it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "launcher/guest/args_audio.h"
#include "launcher/guest/args_disk.h"
#include "launcher/guest/args_display.h"
#include "launcher/guest/args_input.h"
#include "launcher/guest/args_machine.h"
#include "launcher/guest/args_net.h"
#include "launcher/guest/args_pci.h"
#include "launcher/guest/args_share.h"
#include "launcher/guest/args_usb.h"
#include "launcher/guest/slots.h"

enum has {
	VIDEO = 1 << 0,
	SOUND = 1 << 1,
	USB = 1 << 2,
	INPUT = 1 << 3,
	NETS = 1 << 4,
	DISKS = 1 << 5,
	SCSI = 1 << 6,
	SATA = 1 << 7,
	PORTS = 1 << 8,
	SHARES = 1 << 9,
	AGENT = 1 << 10,
	SPICE = 1 << 11,
	MEMORY = 1 << 12,
	ALL = (1 << 13) - 1,
};
#define MOST 88

static struct {
	struct conf_disk disk[MOST * 2];
	struct conf_network network[MOST];
	struct conf_share share[MOST];
	struct conf_pci pci;
	struct conf_usb usb;
	struct conf_input input;
	struct disk disks[MOST * 2];
	struct net nets[MOST];
	struct share shares[MOST];
	struct pci_function function[MOST];
	struct input_device pointer;
	char names[MOST * 2][8];
} m;

/* How many there are of each kind: few, one more than a row of slots holds, or all that there is room for. */
struct counts {
	unsigned nets, disks, sata, ports, shares;
};

static void make(enum has has, const struct counts *n, struct args *out)
{
	struct config c = { .vm.name = (char *)"vm", .disks = m.disk, .networks = m.network, .shares = m.share };
	struct disk_facts disks = { .v = m.disks };
	struct net_facts nets = { .v = m.nets, .n = has & NETS ? n->nets : 0 };
	struct share_facts shares = { .v = m.shares, .n = has & SHARES ? n->shares : 0 };
	struct pci_pick pick = { .conf = &m.pci, .v = m.function, .n = n->ports };
	struct pci_facts pci = { .picks = &pick, .n_picks = has & PORTS ? 1 : 0 };
	struct input input = { .conf = &m.input, .device = &m.pointer, .evdev = (char *)"/dev/input/event1", .is = INPUT_POINTER };
	struct input_facts inputs = { .v = &input, .n = has & INPUT ? 1 : 0 };
	struct desktop_facts desktop = { .spice = has & SPICE ? (char *)"/run/spice" : NULL, .shared = (char *)"/dev/shm/lg", .shared_size = 1 << 20 };
	struct qemu_facts qemu = {};
	struct guest_host host = { .qemu = &qemu };
	unsigned virtio = has & DISKS ? n->disks : 0, scsi = has & SCSI ? 2 : 0, sata = has & SATA ? n->sata : 0;
	for (unsigned i = 0; i < virtio + scsi + sata; i++, disks.n++, disks.n_disks++, c.n_disks++)
		m.disk[i].bus = i >= virtio + scsi ? BUS_SATA : i >= virtio ? BUS_SCSI : i % 2 ? BUS_NVME : BUS_VIRTIO;
	c.display.mode = has & MEMORY ? DISPLAY_LOOKING_GLASS : has & SPICE ? DISPLAY_SPICE : DISPLAY_NONE;
	c.display.video = has & VIDEO ? VIDEO_VIRTIO : VIDEO_NONE;
	c.audio.model = has & SOUND ? AUDIO_HDA : AUDIO_NONE;
	c.audio.backend = AUDIO_SILENT;
	c.usb = &m.usb;
	c.n_usb = !!(has & USB);
	c.console.agent = has & AGENT ? (char *)"yes" : NULL;
	disk_args(out, &c, &disks, &qemu, 4, 1, 10);
	guest_nets(out, &c, &nets, 10);
	guest_shares(out, &shares, 10);
	pci_args(out, &c, &pci, pci_ports(&pci), -1);
	guest_inputs(out, &inputs);
	guest_usb(out, &c);
	guest_display(out, &c, &desktop, &qemu);
	guest_audio(out, &c, &desktop, &qemu);
	guest_extra(out, &c, &host);
}

/* Whether a device of that driver stands on the PCI bus itself; its place otherwise is its own bus's affair. */
static bool is_pci(const char *driver)
{
	static const char *const others[] = { "usb-", "ide-", "scsi-", "hda-", "virtserialport", "pvpanic", "vfio-pci", "isa-" };
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (str_starts(driver, others[i]))
			return false;
	return true;
}

struct spot {
	char who[64];
	bool multi;
};

static void look(const struct args *a, struct spot bus[32][8])
{
	for (size_t i = 0; i < a->n; i++) {
		unsigned slot, function;
		json_t *o = streq(a->v[i].option, "-device") ? json_loads(a->v[i].value, 0, NULL) : NULL;
		const char *driver = o ? json_string_value(json_object_get(o, "driver")) : NULL,
			   *id = o ? json_string_value(json_object_get(o, "id")) : NULL,
			   *addr = o ? json_string_value(json_object_get(o, "addr")) : NULL;
		if (!driver || !is_pci(driver)) {
			json_decref(o);
			continue;
		}
		if (!addr || !streq(json_string_value(json_object_get(o, "bus")), "pcie.0") || sscanf(addr, "%x.%u", &slot, &function) != 2)
			fail_msg("%s has no place", driver);
		assert_true(slot > 0 && slot < 0x1f && function < 8);
		if (*bus[slot][function].who)
			fail_msg("%s: %s and %s", addr, bus[slot][function].who, driver);
		snprintf(bus[slot][function].who, sizeof(bus[slot][function].who), "%s", id ? id : driver);
		bus[slot][function].multi = json_is_true(json_object_get(o, "multifunction"));
		json_decref(o);
	}
	for (unsigned slot = 0; slot < 32; slot++)
		for (unsigned function = 1; function < 8; function++)
			if (*bus[slot][function].who && !bus[slot][0].multi)
				fail_msg("%s is behind a function 0 that tells of no others", bus[slot][function].who);
}

static void test_every_combination(void **state)
{
	(void)state;
	static const struct counts counts[] = { { 1, 1, 1, 1, 1 }, { 4, 9, 8, 12, 3 }, { 24, 64, 36, 88, 8 } };
	for (size_t k = 0; k < ARRAY_SIZE(counts); k++) {
		struct spot all[32][8] = {};
		for (unsigned has = ALL + 1; has-- > 0;) { /* first the one with everything */
			/* with many of each, all, and all but one or two kinds */
			if (k && __builtin_popcount(ALL & ~has) > 2)
				continue;
			cleanup_args struct args a = {};
			struct spot bus[32][8] = {};
			make(has, &counts[k], &a);
			look(&a, bus);
			if (has == ALL)
				memcpy(all, bus, sizeof(all));
			for (unsigned i = 0; i < 32 * 8; i++)
				if (*bus[i / 8][i % 8].who && has != ALL)
					assert_string_equal(bus[i / 8][i % 8].who, all[i / 8][i % 8].who);
		}
	}
	assert_int_equal(counts[2].nets, slot_room(SLOT_NET));
	assert_int_equal(counts[2].disks, slot_room(SLOT_DISK));
	assert_int_equal(counts[2].sata, AHCI_PORTS * (1 + slot_room(SLOT_SATA)));
	assert_int_equal(counts[2].ports, slot_room(SLOT_PORT));
	assert_int_equal(counts[2].shares, slot_room(SLOT_SHARE));
}

static void test_no_room(void **state)
{
	(void)state;
	cleanup_findings struct findings found = {};
	struct config c = { .n_networks = 24, .networks = m.network };
	slot_findings(&found, &c, 0);
	assert_int_equal(found.n, 0);
	c.n_networks++;
	slot_findings(&found, &c, 0);
	assert_int_equal(found.n, 1);
	assert_int_equal(found.v[0].verdict, FINDING_BAD);
	assert_string_equal(found.v[0].text, "[network NAME]: 25, and its board has room for 24");
}

int main(void)
{
	for (unsigned i = 0; i < MOST * 2; i++) {
		snprintf(m.names[i], sizeof(m.names[i]), "n%u", i);
		m.disk[i].name = m.names[i];
		m.disk[i].path = (char *)"/x.img";
		m.disks[i] = (struct disk){ .conf = &m.disk[i], .kind = DISK_FILE, .real = (char *)"/x.img", .format = FORMAT_RAW };
	}
	for (unsigned i = 0; i < MOST; i++) {
		m.network[i].name = m.share[i].name = m.names[i];
		m.network[i].mode = NET_USER;
		m.nets[i] = (struct net){ .conf = &m.network[i], .mac = "52:54:00:00:00:01" };
		m.shares[i] = (struct share){ .conf = &m.share[i] };

		m.function[i].addr.bus = (uint8_t)(i + 1);
	}
	m.pci.name = m.input.name = m.usb.name = (char *)"x";
	m.pointer.name = (char *)"pointer";
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_combination),
		cmocka_unit_test(test_no_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
