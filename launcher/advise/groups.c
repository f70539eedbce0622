/* SPDX-License-Identifier: GPL-2.0-or-later */
/* groups: see groups.h. */
#include <stdio.h>
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/advise/groups.h"
#include "launcher/host/disk/disk.h"

/* PCI Code and ID Assignment Specification; the first that fits is taken. */
static const struct {
	uint32_t class, mask;
	const char *word;
} classes[] = {
	{ 0x030000, 0xffff00, "VGA" },	    { 0x030200, 0xffff00, "3D" },	{ 0x030000, 0xff0000, "display" },
	{ 0x010800, 0xffff00, "NVMe" },	    { 0x010600, 0xffff00, "SATA" },	{ 0x010000, 0xff0000, "storage" },
	{ 0x020000, 0xffff00, "ethernet" }, { 0x028000, 0xffff00, "Wi-Fi" },	{ 0x020000, 0xff0000, "network" },
	{ 0x0c0300, 0xffff00, "USB" },	    { 0x0c0500, 0xffff00, "SMBus" },	{ 0x040000, 0xff0000, "audio" },
	{ 0x060100, 0xffff00, "ISA" },	    { 0x060000, 0xff0000, "bridge" },	{ 0x050000, 0xff0000, "memory" },
	{ 0x070000, 0xff0000, "serial" },   { 0x080000, 0xff0000, "system" },	{ 0x100000, 0xff0000, "crypto" },
	{ 0x110000, 0xff0000, "signal" },   { 0x120000, 0xff0000, "accel" },
};

const char *group_class_word(uint32_t class)
{
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		if ((class & classes[i].mask) == classes[i].class)
			return classes[i].word;
	return "other";
}

/* The vendors of pci.ids that leave no room for the device's name. */
static const struct {
	const char *of_ids, *word;
} vendors[] = {
	{ "Advanced Micro Devices, Inc. [AMD/ATI]", "AMD" },
	{ "Advanced Micro Devices, Inc. [AMD]", "AMD" },
	{ "NVIDIA Corporation", "NVIDIA" },
	{ "Intel Corporation", "Intel" },
	{ "Realtek Semiconductor Co., Ltd.", "Realtek" },
	{ "Samsung Electronics Co Ltd", "Samsung" },
	{ "ASMedia Technology Inc.", "ASMedia" },
	{ "Aquantia Corp.", "Aquantia" },
	{ "Red Hat, Inc.", "Red Hat" },
};

char *group_name(struct pci_names *names, const struct pci_function *fn)
{
	char *name = pci_names_get(names, fn->vendor, fn->device);
	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++) {
		if (!str_starts(name, vendors[i].of_ids))
			continue;
		char *shorter = str_fmt("%s%s", vendors[i].word, name + strlen(vendors[i].of_ids));
		free(name);
		return shorter;
	}
	return name;
}

static void judge_function(struct root *root, const struct groups *g, const struct pci_function *fn, struct strv *why)
{
	cleanup_strv struct strv uses = {};
	const struct pci_addr_text at = pci_addr_short(fn->addr);
	if (pci_is_bridge(fn) && !pci_driver_harmless(fn->driver))
		strv_addf(why, _("%s stays with the host (driver %s), and the group goes whole or not at all"), at.s, fn->driver);
	if (fn == g->host_gpu)
		strv_addf(why, _("the host's own screen is on %s"), at.s);
	if (fn->vfs)
		strv_addf(why, _("%s has %u virtual functions in use"), at.s, fn->vfs);
	for (size_t i = 0; i < fn->blocks.n; i++)
		disk_uses(root, fn->blocks.v[i], &uses);
	for (size_t i = 0; i < uses.n; i++)
		strv_add(why, uses.v[i]);
	pci_used(root, fn, why);
}

static bool one_slot(const struct group *x)
{
	const struct pci_function *first = NULL;
	for (size_t i = 0; i < x->n; i++) {
		const struct pci_function *fn = x->v[i];
		if (pci_is_bridge(fn))
			continue;
		first = first ? first : fn;
		if (!pci_same_slot(first->addr, fn->addr))
			return false;
	}
	return true;
}

static void judge(struct root *root, const struct groups *g, struct group *x)
{
	bool answers = true;
	for (size_t i = 0; i < x->n; i++)
		x->n_passed += !pci_is_bridge(x->v[i]);
	x->verdict = x->number < 0 || !x->n_passed ? GROUP_NONE : GROUP_FREE;
	if (x->verdict == GROUP_NONE)
		return;
	for (size_t i = 0; i < x->n; i++)
		judge_function(root, g, x->v[i], &x->why);
	if (pci_group_reserved(root, x->number))
		strv_add(&x->why, _("the firmware keeps memory of it for itself (RMRR): the kernel gives none of the group away"));
	if (x->verdict == GROUP_FREE && x->why.n)
		x->verdict = GROUP_HOST;
	x->only_screen = g->host_gpu && g->host_gpu->group == x->number && x->why.n == 1;
	for (size_t i = 0; i < x->n; i++) {
		if (pci_answers(root, x->v[i]->addr))
			continue;
		answers = false;
		strv_addf(&x->why, _("%s does not answer: it has fallen off the bus, or has no power"), pci_addr_short(x->v[i]->addr).s);
	}
	if (x->verdict == GROUP_FREE && !answers)
		x->verdict = GROUP_DEAD;
	if (x->verdict == GROUP_FREE && !one_slot(x))
		strv_add(&x->why, _("several devices: they go together or not at all"));
}

struct group *groups_of(const struct groups *g, const struct pci_function *fn)
{
	size_t i = 0;
	while (i + 1 < g->n && g->v[i].number != fn->group)
		i++;
	return &g->v[i];
}

/* A graphics card may have its functions in groups of their own: they go together all the same. */
static void judge_card(const struct groups *g, const struct pci_function *gpu)
{
	cleanup_strv struct strv mates = {}, used = {};
	for (size_t i = 0; i < g->n_functions; i++) {
		const struct pci_function *fn = &g->functions[i];
		if (fn == gpu || !pci_one_card(fn, gpu) || fn->group == gpu->group || groups_of(g, fn)->verdict == GROUP_NONE)
			continue;
		strv_addf(&mates, _("%s (group %d)"), pci_addr_short(fn->addr).s, fn->group);
		if (groups_of(g, fn)->verdict == GROUP_HOST)
			strv_addf(&used, _("%s (group %d)"), pci_addr_short(fn->addr).s, fn->group);
	}
	struct group *x = groups_of(g, gpu);
	cleanup_free char *all = strv_join(&mates, ", "), *host = strv_join(&used, ", ");
	if (x->verdict == GROUP_NONE || !mates.n)
		return;
	if (x->verdict == GROUP_FREE && used.n) {
		x->verdict = GROUP_HOST;
		strv_addf(&x->why, _("the host uses what is one card with it: %s"), host);
	} else if (x->verdict == GROUP_FREE) {
		strv_addf(&x->why, _("one card with %s: they go together"), all);
	} else if (used.n) {
		x->only_screen = false;
	}
	for (size_t i = 0; i < g->n_functions; i++) {
		struct group *y = groups_of(g, &g->functions[i]);
		if (y == x || !pci_one_card(&g->functions[i], gpu) || y->verdict != GROUP_FREE || x->verdict != GROUP_HOST)
			continue;
		y->verdict = GROUP_HOST;
		strv_addf(&y->why, _("one card with %s, which the host uses"), pci_addr_short(gpu->addr).s);
	}
}

/* The firmware's screen; where it names none (a headless start), or one that is a guest's by now, the first card that the host drives. */
static const struct pci_function *find_host_gpu(const struct groups *g)
{
	const struct pci_function *driven = NULL, *boot = NULL;
	for (size_t i = 0; i < g->n_functions; i++) {
		const struct pci_function *fn = &g->functions[i];
		if (!pci_is_gpu(fn))
			continue;
		if (fn->boot_vga && !boot)
			boot = fn;
		if (!driven && !fn->is_vf && !pci_driver_harmless(fn->driver))
			driven = fn;
	}
	return boot && (!driven || !boot->driver || !pci_driver_harmless(boot->driver)) ? boot : driven;
}

static void find_sounds(struct root *root, struct groups *g)
{
	struct pci_addr addr;
	for (size_t i = 0; i < g->n_functions; i++) {
		const struct pci_function *gpu = &g->functions[i];
		bool has = pci_card_audio(root, gpu, &addr);
		for (size_t k = 0; has && k < g->n_functions; k++) {
			if (!pci_addr_equal(g->functions[k].addr, addr))
				continue;
			g->sounds = mem_grow(g->sounds, g->n_sounds, sizeof(*g->sounds));
			g->sounds[g->n_sounds++] = (struct group_sound){ gpu, &g->functions[k] };
		}
	}
}

static int compare_groups(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	return (x->number > y->number) - (x->number < y->number);
}

static void add_to_group(struct groups *g, const struct pci_function *fn)
{
	size_t i = 0;
	while (i < g->n && g->v[i].number != fn->group)
		i++;
	if (i == g->n) {
		g->v = mem_grow(g->v, g->n, sizeof(*g->v));
		g->v[g->n++] = (struct group){ .number = fn->group };
	}
	struct group *x = &g->v[i];
	x->v = mem_grow(x->v, x->n, sizeof(const struct pci_function *));
	x->v[x->n++] = fn;
}

struct err *groups_read(struct root *root, struct groups *ret_groups)
{
	struct groups g = {};
	TRY(err_exit(err_wrap(pci_scan(root, &g.functions, &g.n_functions), "no PCI bus"), EXIT_HOST));
	for (size_t i = 0; i < g.n_functions; i++) {
		g.iommu |= g.functions[i].group >= 0;
		add_to_group(&g, &g.functions[i]);
	}
	if (g.n)
		qsort(g.v, g.n, sizeof(*g.v), compare_groups);
	g.host_gpu = find_host_gpu(&g);
	find_sounds(root, &g);
	for (size_t i = 0; i < g.n; i++)
		judge(root, &g, &g.v[i]);
	for (size_t i = 0; i < g.n_functions; i++)
		if (pci_is_gpu(&g.functions[i]))
			judge_card(&g, &g.functions[i]);
	*ret_groups = g;
	return NULL;
}

void groups_free(struct groups *g)
{
	for (size_t i = 0; i < g->n; i++) {
		free(g->v[i].v);
		strv_free(&g->v[i].why);
	}
	for (size_t i = 0; i < g->n_functions; i++)
		pci_function_free(&g->functions[i]);
	free(g->v);
	free(g->sounds);
	free(g->functions);
	*g = (struct groups){};
}

/* Itself, or of the graphics card that it is part of. */
static bool is_of(const struct groups *g, const struct pci_function *one, const struct pci_function *fn)
{
	if (fn == one)
		return true;
	for (size_t i = 0; pci_one_card(fn, one) && i < g->n_functions; i++)
		if (pci_is_gpu(&g->functions[i]) && pci_one_card(&g->functions[i], one))
			return true;
	return false;
}

bool groups_with(const struct groups *g, const struct pci_function *one, const struct pci_function *fn)
{
	for (size_t i = 0; !pci_is_bridge(fn) && i < g->n_functions; i++) {
		const struct pci_function *part = &g->functions[i];
		if (is_of(g, one, part) && (part == fn || (part->group >= 0 && part->group == fn->group)))
			return true;
	}
	return false;
}

const struct pci_function *groups_audio(const struct groups *g, const struct pci_function *gpu)
{
	for (size_t i = 0; i < g->n_sounds; i++)
		if (g->sounds[i].gpu == gpu && groups_of(g, g->sounds[i].audio)->verdict != GROUP_HOST)
			return g->sounds[i].audio;
	return NULL;
}

void groups_uses(struct root *root, const struct groups *g, const struct pci_function *fn, struct strv *why)
{
	judge_function(root, g, fn, why);
}

/* A processor's graphics are on the root's own bus (Intel), or share a slot with other things of the processor (AMD). */
static bool is_integrated(const struct groups *g, const struct pci_function *gpu)
{
	static const uint16_t boards[] = { 0x1a03, 0x102b }; /* ASPEED, Matrox: the picture of a server's remote console */
	for (size_t i = 0; i < ARRAY_SIZE(boards); i++)
		if (gpu->vendor == boards[i])
			return true;
	for (size_t i = 0; i < g->n_functions; i++)
		if (pci_same_slot(g->functions[i].addr, gpu->addr) && g->functions[i].vendor != gpu->vendor)
			return true;
	return gpu->addr.bus == 0;
}

bool groups_is_card(const struct groups *g, const struct pci_function *gpu)
{
	return pci_is_gpu(gpu) && !gpu->is_vf && !is_integrated(g, gpu);
}

const struct pci_function *groups_other_screen(const struct groups *g)
{
	if (!g->host_gpu || !groups_is_card(g, g->host_gpu))
		return NULL;
	for (size_t i = 0; i < g->n_functions; i++)
		if (pci_is_gpu(&g->functions[i]) && !g->functions[i].is_vf && is_integrated(g, &g->functions[i]))
			return &g->functions[i];
	return NULL;
}

bool groups_can_release(const struct groups *g)
{
	return g->host_gpu && (!g->iommu || groups_of(g, g->host_gpu)->only_screen);
}

static int rank(const struct groups *g, const struct pci_function *gpu)
{
	return gpu->is_vf ? 3 : is_integrated(g, gpu) ? 2 : !pci_has_outputs(gpu);
}

size_t groups_free_gpus(const struct groups *g, const struct pci_function ***ret_gpus)
{
	const struct pci_function **v = NULL;
	size_t n = 0;
	for (size_t i = 0; i < g->n_functions; i++) {
		const struct pci_function *fn = &g->functions[i];
		const struct group *x = groups_of(g, fn);
		if (!pci_is_gpu(fn) || fn == g->host_gpu || x->verdict != GROUP_FREE)
			continue;
		v = mem_grow(v, n, sizeof(const struct pci_function *));
		size_t at = n++;
		for (; at && rank(g, fn) < rank(g, v[at - 1]); at--)
			v[at] = v[at - 1];
		v[at] = fn;
	}
	*ret_gpus = v;
	return n;
}
