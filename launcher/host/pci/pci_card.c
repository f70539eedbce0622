/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci_card: which functions are one card, whatever IOMMU groups they are in. Reads sysfs through the root; changes nothing. */
#include "launcher/host/pci/pci.h"

#define DEVICES "/sys/bus/pci/devices"

void pci_slot(struct root *root, struct pci_addr addr, struct strv *ret_names)
{
	for (addr.fn = 0; addr.fn < 8; addr.fn++) {
		cleanup_free char *path = pci_path(addr, "vendor");
		if (root_exists(root, path))
			strv_add(ret_names, pci_addr_text(addr).s);
	}
}

static bool is_vf(struct root *root, struct pci_addr addr)
{
	cleanup_free char *path = pci_path(addr, "physfn");
	return root_exists(root, path);
}

void pci_card(struct root *root, const struct pci_function *fn, struct strv *ret_names)
{
	cleanup_strv struct strv slot = {}, card = {};
	bool picture = false;
	if (fn->is_vf)
		return;
	pci_slot(root, fn->addr, &slot);
	for (size_t i = 0; i < slot.n; i++) {
		struct pci_addr addr;
		cleanup_err struct err *e = pci_addr_parse(slot.v[i], &addr);
		if (e || pci_number(root, addr, "vendor", 0) != fn->vendor || is_vf(root, addr))
			continue;
		picture |= pci_number(root, addr, "class", 0) >> 16 == 0x03;
		if (!pci_addr_equal(addr, fn->addr))
			strv_add(&card, slot.v[i]);
	}
	for (size_t i = 0; picture && i < card.n; i++)
		strv_add(ret_names, card.v[i]);
}

/* The bridges above a function, from the root port down: what stands before it in its way through /sys/devices. */
static void bridges_above(struct root *root, struct pci_addr addr, struct strv *ret_names)
{
	cleanup_free char *path = str_fmt(DEVICES "/%s", pci_addr_text(addr).s), *real = root_real(root, path);
	cleanup_strv struct strv parts = {};
	if (real)
		strv_split(&parts, real, "/");
	for (size_t i = 0; i + 1 < parts.n; i++) {
		struct pci_addr bridge;
		cleanup_err struct err *e = pci_addr_parse(parts.v[i], &bridge);
		if (!e)
			strv_add(ret_names, parts.v[i]);
	}
}

/* Behind one switch: two bridges of the way in common, its port towards the processor and the root port above that. */
static bool same_switch(struct root *root, const struct strv *above, struct pci_addr addr)
{
	cleanup_strv struct strv other = {};
	bridges_above(root, addr, &other);
	return above->n >= 3 && other.n >= 3 && streq(above->v[0], other.v[0]) && streq(above->v[1], other.v[1]);
}

bool pci_card_audio(struct root *root, const struct pci_function *fn, struct pci_addr *ret_addr)
{
	cleanup_strv struct strv names = {}, above = {};
	if (!pci_is_gpu(fn))
		return false;
	bridges_above(root, fn->addr, &above);
	err_free(above.n >= 3 ? root_list(root, DEVICES, &names) : NULL);
	for (size_t i = 0; i < names.n; i++) {
		struct pci_addr addr;
		cleanup_err struct err *e = pci_addr_parse(names.v[i], &addr);
		if (e || pci_same_slot(addr, fn->addr) || pci_number(root, addr, "vendor", 0) != fn->vendor ||
		    pci_number(root, addr, "class", 0) >> 8 != 0x0403 || !same_switch(root, &above, addr))
			continue;
		*ret_addr = addr;
		return true;
	}
	return false;
}

bool pci_same_slot(struct pci_addr a, struct pci_addr b)
{
	a.fn = b.fn = 0;
	return pci_addr_equal(a, b);
}

bool pci_one_card(const struct pci_function *a, const struct pci_function *b)
{
	return pci_same_slot(a->addr, b->addr) && a->vendor == b->vendor && !a->is_vf && !b->is_vf;
}

bool pci_resets_alone(const struct pci_function *fn)
{
	static const char *const words[] = { "device_specific", "acpi", "flr", "af_flr", "pm" }; /* drivers/pci/pci.c: pci_reset_fn_methods */
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_has_word(fn->reset_method, words[i]))
			return true;
	return !fn->reset_method;
}
