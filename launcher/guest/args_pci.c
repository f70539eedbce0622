/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci: see pci.h. */
#include <stdio.h>
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/guest/args_boot.h"
#include "launcher/guest/args_pci.h"
#include "launcher/guest/slots.h"

#define WINDOW_MIB UINT64_C(65536)
#define IOMMUFD    "iommufd0"

struct builder {
	struct args *out;
	const struct config *c;
	unsigned ports, n_ports;
	int fd; /* of the first function; -1: by groups */
	const struct pci_facts *f;
};

/* Which of all functions it is, as they stand in the facts: pci_open() opens them in that order. */
static int number_of(const struct pci_facts *f, const struct pci_function *fn)
{
	int n = 0;
	for (size_t i = 0; i < f->n_picks; n += (int)f->picks[i++].n)
		if (fn >= f->picks[i].v && fn < f->picks[i].v + f->picks[i].n)
			return n + (int)(fn - f->picks[i].v);
	return n;
}

void args_iommufd(struct args *out, int fd)
{
	args_json(out, "-object", json_pack("{s:s, s:s, s:o}", "qom-type", "iommufd", "id", IOMMUFD, "fd", json_sprintf("%d", fd)),
		  "the host's IOMMU, for the devices that are handed over by descriptors");
}

void args_vfio_fd(json_t *device, int fd)
{
	json_object_set_new(device, "fd", json_sprintf("%d", fd)); /* a text: QEMU takes names of its monitor's here, too */
	json_object_set_new(device, "iommufd", json_string(IOMMUFD));
}

unsigned pci_ports(const struct pci_facts *f)
{
	unsigned n = 0;
	for (size_t i = 0; i < f->n_picks; i++)
		for (size_t k = 0; k < f->picks[i].n; k++)
			n += k == 0 || !pci_same_slot(f->picks[i].v[k - 1].addr, f->picks[i].v[k].addr);
	return n;
}

static void add_port(struct builder *b, const struct pci_pick *pick)
{
	json_t *o = slot_port(++b->ports, b->n_ports);
	cleanup_free char *why = tr_fmt("[pci %s] a slot of PCI Express, as the drivers expect", pick->conf->name);
	args_json(b->out, "-device", o, why);
}

static void add_function(struct builder *b, const struct pci_pick *pick, size_t i, unsigned fn, bool multi)
{
	const struct pci_function *f = &pick->v[i];
	/* by its section's name alone, so that [qemu] set can name it wherever it is plugged */
	json_t *id = i == pick->named ? json_sprintf("pci-%s", pick->conf->name) : json_sprintf("fn-%u-%u", b->ports, fn);
	json_t *o = json_pack("{s:s, s:o}", "driver", "vfio-pci", "id", id);
	if (b->fd < 0)
		json_object_set_new(o, "host", json_string(pci_addr_text(f->addr).s));
	else
		args_vfio_fd(o, b->fd + number_of(b->f, f));
	json_object_set_new(o, "bus", json_sprintf("port%u", b->ports));
	json_object_set_new(o, "addr", json_sprintf("00.%u", fn));
	if (multi && fn == 0)
		json_object_set_new(o, "multifunction", json_true());
	if (i == pick->named && pick->rom)
		json_object_set_new(o, "romfile", json_sprintf("/proc/self/fd/%d", pick->rom->fd));
	else if (i == pick->named && pick->conf->rom && !streq(pick->conf->rom, "host"))
		json_object_set_new(o, "romfile", json_string(streq(pick->conf->rom, "off") ? "" : pick->conf->rom));
	if (i == pick->named && !pick->conf->rom_bar)
		json_object_set_new(o, "rombar", json_integer(0));
	/* a disk controller takes part by itself where anything else does: see boot_index */
	bool boots = i == pick->named && (b->c->boot.order.n || (pci_is_storage(f) && (b->c->n_disks || b->c->n_cdroms)));
	int boot = boots ? boot_index(b->c, "pci", pick->conf->name) : 0;
	if (boot)
		json_object_set_new(o, "bootindex", json_integer(boot));
	/* SeaBIOS shows its text through the VGA ports of the old days, which QEMU then hands to the card */
	if (b->c->firmware.type == FIRMWARE_BIOS && !b->c->boot.kernel && f->class >> 8 == 0x0300 && b->c->display.video == VIDEO_NONE)
		json_object_set_new(o, "x-vga", json_true());
	cleanup_free char *why = tr_fmt("%s of the host", i == pick->named ? _("the device itself") : _("goes with it"));
	args_json(b->out, "-device", o, why);
}

static void add_pick(struct builder *b, const struct pci_pick *pick)
{
	for (size_t i = 0, end; i < pick->n; i = end) {
		for (end = i + 1; end < pick->n && pci_same_slot(pick->v[i].addr, pick->v[end].addr);)
			end++;
		bool keep = pick->v[i].addr.fn == 0; /* without function 0 a guest would not look for the others */
		add_port(b, pick);
		for (size_t k = i; k < end; k++)
			add_function(b, pick, k, keep ? pick->v[k].addr.fn : (unsigned)(k - i), end - i > 1);
	}
}

static bool has_gpu(const struct pci_pick *pick)
{
	for (size_t i = 0; i < pick->n; i++)
		if (pci_is_gpu(&pick->v[i]))
			return true;
	return false;
}

/* MiB that the BARs of all functions need, with the size that a resized one will have; doubled, for they are aligned to
 * their size. */
static uint64_t window(const struct pci_facts *f)
{
	uint64_t bytes = 0, mib = WINDOW_MIB;
	for (size_t i = 0; i < f->n_picks; i++) {
		bytes += f->picks[i].conf->rebar;
		for (size_t k = 0; k < f->picks[i].n; k++)
			for (int bar = 0; bar < PCI_BARS; bar++)
				bytes += f->picks[i].v[k].bar[bar];
	}
	while (mib < bytes >> 19 && mib < WINDOW_MIB << 8)
		mib *= 2;
	return mib;
}

void pci_args(struct args *out, const struct config *c, const struct pci_facts *f, unsigned ports, int fd)
{
	struct builder b = { .out = out, .c = c, .n_ports = ports, .fd = fd, .f = f };
	bool gpu = false;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < f->n_picks; i++)
			if (has_gpu(&f->picks[i]) == (pass == 0)) {
				add_pick(&b, &f->picks[i]);
				gpu |= pass == 0;
			}
	if (!gpu || c->firmware.type != FIRMWARE_UEFI)
		return;
	cleanup_free char *size = str_fmt("%llu", (unsigned long long)window(f));
	args_opts(out, "-fw_cfg", "room above 4 GiB for the card's memory, in MiB (OVMF)", "", "name", "opt/ovmf/X-PciMmio64Mb", "string",
		  size, NULL);
}
