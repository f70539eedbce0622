/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci_steps: from facts to the steps that give the guest its devices. Pure. */
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/host/kind/attr.h"
#include "launcher/host/kind/module.h"
#include "launcher/host/kind/node.h"
#include "launcher/host/pci/pci.h"

#define VENDOR_AMD 0x1002

/* Why this function cannot go to a guest on this host; NULL where nothing is in the way. Owned by the caller. */
static char *obstacle(const struct pci_facts *f, const struct pci_pick *pick, const struct pci_function *fn)
{
	if (pick->problem)
		return str_dup(pick->problem);
	if (!f->iommu)
		return tr_dup("the IOMMU is off");
	if (fn->group < 0 && !fn->is_planned)
		return tr_dup("it is in no IOMMU group");
	if (fn->vfs)
		return tr_fmt("%u virtual functions of it are in use", fn->vfs);
	return NULL;
}

static void add_attr(struct steps *out, const struct pci_function *fn, const char *attr, const char *now, const char *want, const char *why)
{
	cleanup_free char *path = pci_path(fn->addr, attr);
	if (now)
		steps_add(out, &attr_kind, path, want, why);
}

/* The BAR to resize: of those that can be, the largest. -1: none can. */
static int resizable(const struct pci_function *fn)
{
	int best = -1;
	for (int i = 0; i < PCI_BARS; i++)
		if (fn->bar_can[i] && (best < 0 || fn->bar[i] > fn->bar[best]))
			best = i;
	return best;
}

static void add_bar(struct steps *out, const struct pci_function *fn, uint64_t bytes)
{
	int bar = resizable(fn);
	cleanup_free char *size = size_format(bytes);
	cleanup_free char *target = str_fmt("%s/resource%d_resize", pci_addr_text(fn->addr).s, bar < 0 ? 0 : bar);
	struct step *s = steps_add(out, &pci_bar_kind, target, size, "rebar: the guest's driver reaches the card's memory in one piece");
	bool power = bytes >= 1 << 20 && (bytes & (bytes - 1)) == 0;
	if (bar < 0)
		s->obstacle = tr_dup("none of its BARs can be resized");
	else if (!power || !(fn->bar_can[bar] >> (__builtin_ctzll(bytes) - 20) & 1))
		s->obstacle = tr_fmt("BAR %d cannot be %s large (it is %llu MiB)", bar, size, (unsigned long long)fn->bar[bar] >> 20);
}

static void add_rescan(struct steps *out, const struct pci_function *fn)
{
	struct step *s =
		steps_add(out, &pci_rescan_kind, pci_addr_text(fn->addr).s, "again", "rescan: it begins as after the host's own start");
	if (fn->is_vf)
		s->obstacle = tr_dup("a virtual function is found on no bus");
}

static void add_function(struct steps *out, const struct pci_facts *f, const struct pci_pick *pick, size_t i)
{
	const struct pci_function *fn = &pick->v[i];
	if (f->vendor_reset && fn->vendor == VENDOR_AMD && pci_is_gpu(fn))
		add_attr(out, fn, "reset_method", fn->reset_method, "device_specific", "vendor-reset: a card that can start a second time");
	add_attr(out, fn, "d3cold_allowed", fn->d3cold_allowed, "0", "cards wedge when they are powered off between host and guest");
	add_attr(out, fn, "power/control", fn->power_control, "on", "awake while it changes hands");
	if (i == pick->named)
		pci_rom_step(out, pick); /* awake, and its driver has not let go of it yet */
	cleanup_free char *why = i == pick->named ? str_fmt("[pci %s]", pick->conf->name)
				 : pci_same_slot(fn->addr, pick->v[pick->named].addr)
					 ? tr_fmt("[pci %s]: same slot", pick->conf->name)
					 : tr_fmt("[pci %s]: same IOMMU group", pick->conf->name);
	steps_add(out, &pci_driver_kind, pci_addr_text(fn->addr).s, "vfio-pci", why)->obstacle = obstacle(f, pick, fn);
	if (pick->conf->rescan)
		add_rescan(out, fn);
	if (i == pick->named && pick->conf->rebar)
		add_bar(out, fn, pick->conf->rebar);
}

/* By the group; of a function that is not there yet, by the function. */
static void add_node(struct steps *out, const struct pci_function *fn, uid_t uid, gid_t gid)
{
	cleanup_free char *path = fn->is_planned ? pci_path(fn->addr, "iommu_group") : str_fmt("/dev/vfio/%d", fn->group);
	for (size_t i = 0; i < out->n; i++)
		if (out->v[i].kind == &node_kind && streq(out->v[i].target, path))
			return;
	node_step(out, path, uid, gid, "QEMU runs as the user and opens it");
}

void pci_steps(struct steps *out, const struct config *c, const struct pci_facts *f, uid_t uid, gid_t gid)
{
	if (f->n_picks && !f->vfio)
		steps_add(out, &module_kind, "vfio-pci", "loaded", "the driver that hands devices to a guest");
	pci_virtual_steps(out, f);
	pci_modules_steps(out, f);
	for (size_t i = 0; i < f->n_picks; i++) {
		const struct pci_pick *pick = &f->picks[i];
		for (size_t k = 0; k < pick->n; k++)
			add_function(out, f, pick, k);
		if (pick->n)
			continue;
		const char *target = pick->conf->match ? pick->conf->match : pick->conf->id ? pick->conf->id : c->pci[i].name;
		steps_add(out, &pci_driver_kind, target, "vfio-pci", "no device that it could mean")->obstacle = str_dup(pick->problem);
	}
	for (size_t i = 0; i < f->n_picks && uid != 0; i++)
		for (size_t k = 0; k < f->picks[i].n; k++)
			if (f->picks[i].v[k].group >= 0 || f->picks[i].v[k].is_planned)
				add_node(out, &f->picks[i].v[k], uid, gid);
}
