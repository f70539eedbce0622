/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci: the facts of a machine's [pci] sections: what each comes to, and who else is in its groups. See pci.h. */
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/host/pci/pci.h"

static bool is_rest(const struct pci_facts *f, struct pci_addr addr)
{
	for (size_t i = 0; i < f->n_rest; i++)
		if (pci_addr_equal(f->rest[i].addr, addr))
			return true;
	return false;
}

/* Adds a function to a pick, kept sorted by address; `named` stays with its function. */
static void pick_add(struct pci_pick *pick, struct pci_function fn)
{
	pick->v = mem_grow(pick->v, pick->n, sizeof(*pick->v));
	size_t at = pick->n++;
	for (; at > 0 && pci_addr_compare(fn.addr, pick->v[at - 1].addr) < 0; at--)
		pick->v[at] = pick->v[at - 1];
	pick->v[at] = fn;
	if (pick->n > 1 && at <= pick->named)
		pick->named++;
}

static void group_members(struct root *root, int group, struct strv *ret_names)
{
	cleanup_free char *path = str_fmt("/sys/kernel/iommu_groups/%d/devices", group);
	err_free(root_list(root, path, ret_names));
}

/* What goes with the named function: of its slot only; or of its card, or slot, and then whatever is in a group with any of these. */
static void with_named(struct root *root, const struct pci_pick *pick, struct strv *ret_names)
{
	const struct pci_function *named = &pick->v[pick->named];
	cleanup_strv struct strv card = {};
	strv_add(&card, pci_addr_text(named->addr).s);
	if (pick->conf->functions == FUNCTIONS_GROUP)
		pci_card(root, named, &card);
	else if (!named->is_vf) /* others in its slot are others' virtual functions */
		pci_slot(root, named->addr, &card);
	for (size_t i = 0; i < card.n; i++) {
		strv_add(ret_names, card.v[i]);
		cleanup_free char *path = str_fmt("/sys/bus/pci/devices/%s/iommu_group", card.v[i]), *group = root_link_name(root, path);
		cleanup_strv struct strv members = {};
		if (group && pick->conf->functions != FUNCTIONS_OWN)
			group_members(root, atoi(group), &members);
		for (size_t k = 0; k < members.n; k++)
			strv_add(ret_names, members.v[k]);
	}
}

static void pick_expand(struct root *root, struct pci_facts *f, struct pci_pick *pick)
{
	cleanup_strv struct strv names = {};
	with_named(root, pick, &names);
	for (size_t i = 0; i < names.n; i++) {
		struct pci_addr addr;
		struct pci_function fn;
		cleanup_err struct err *e = pci_addr_parse(names.v[i], &addr);
		if (e || pci_is_passed(f, addr))
			continue;
		e = pci_function_read(root, addr, &fn);
		if (e)
			continue;
		if (pci_is_bridge(&fn))
			pci_function_free(&fn);
		else
			pick_add(pick, fn);
	}
}

/* Who else is in the groups: read once all sections have what they name. */
static void read_rest(struct root *root, struct pci_facts *f, int group)
{
	cleanup_strv struct strv names = {};
	group_members(root, group, &names);
	for (size_t i = 0; i < names.n; i++) {
		struct pci_addr addr;
		cleanup_err struct err *e = pci_addr_parse(names.v[i], &addr);
		if (e && !strv_has(&f->strangers, names.v[i]))
			strv_add(&f->strangers, names.v[i]);
		if (e || pci_is_passed(f, addr) || is_rest(f, addr))
			continue;
		f->rest = mem_grow(f->rest, f->n_rest, sizeof(*f->rest));
		e = pci_function_read(root, addr, &f->rest[f->n_rest]);
		if (!e)
			f->n_rest++;
	}
}

/* The function that the section names, or why there is none. */
static void pick_read(struct root *root, const struct config *c, struct pci_facts *f, struct pci_pick *pick)
{
	const struct conf_pci *conf = pick->conf;
	cleanup_free char *section = str_fmt("pci %s", conf->name), *problem = NULL;
	cleanup_free char *where = config_where(c, section, conf->match ? "match" : conf->id ? "id" : "address");
	struct pci_addr addr = conf->address;
	struct pci_function fn = { .group = -1, .numa_node = -1 };
	bool found = pci_find(root, conf, &addr, &problem, &pick->remedy), read = false;
	if (found && conf->has_vf) {
		pick->parent = addr;
		found = read = pci_virtual_find(root, pick, &fn, &problem, &pick->remedy);
		addr = found ? fn.addr : addr;
	}
	if (found && pci_is_passed(f, addr)) {
		if (read)
			pci_function_free(&fn);
		pick->problem = tr_fmt("%s: %s is named by another [pci] section already", where, pci_addr_text(addr).s);
		pick->remedy = tr_dup("remove one of the two sections");
		return;
	}
	cleanup_err struct err *e = found && !read ? pci_function_read(root, addr, &fn) : NULL;
	if (!found || e)
		pick->problem = str_fmt("%s: %s", where, e ? err_text(e) : problem);
	fn.addr = addr;
	if ((found && !e) || conf->has_address) /* a plan shows an absent card, too */
		pick_add(pick, fn);
}

static void read_host(struct root *root, struct pci_facts *f)
{
	cleanup_strv struct strv groups = {};
	err_free(root_list(root, "/sys/kernel/iommu_groups", &groups));
	f->iommu = groups.n > 0;
	f->vfio = root_exists(root, "/sys/bus/pci/drivers/vfio-pci");
	f->no_remapping = f->iommu && pci_no_remapping(root);
	f->vendor_reset = root_exists(root, "/sys/module/vendor_reset");
	cleanup_free char *cpuinfo = root_read_or(root, "/proc/cpuinfo", ""), *cmdline = root_read_or(root, "/proc/cmdline", "");
	f->intel = strstr(cpuinfo, "GenuineIntel") != NULL;
	cleanup_strv struct strv words = {};
	strv_split(&words, cmdline, " ");
	f->iommu_disabled = strv_has(&words, "iommu=off") || strv_has(&words, "amd_iommu=off") || strv_has(&words, "intel_iommu=off");
}

struct err *pci_facts_read(struct root *root, const struct config *c, struct pci_facts *ret_facts)
{
	struct pci_facts f = { .n_picks = c->n_pci, .picks = mem_new(c->n_pci * sizeof(struct pci_pick)) };
	if (c->n_pci)
		read_host(root, &f);
	for (size_t i = 0; i < c->n_pci; i++) {
		f.picks[i].conf = &c->pci[i];
		pick_read(root, c, &f, &f.picks[i]);
	}
	for (size_t i = 0; i < f.n_picks; i++)
		if (!f.picks[i].problem)
			pick_expand(root, &f, &f.picks[i]);
	for (size_t i = 0; i < f.n_picks; i++)
		if (!f.picks[i].problem && streq(f.picks[i].conf->rom, "host"))
			f.picks[i].rom = pci_rom_read(root, &f.picks[i].v[f.picks[i].named]);
	for (size_t i = 0; i < f.n_picks; i++)
		for (size_t k = 0; k < f.picks[i].n; k++)
			if (f.picks[i].v[k].group >= 0)
				read_rest(root, &f, f.picks[i].v[k].group);
	pci_modules_read(root, &f);
	*ret_facts = f;
	return NULL;
}

void pci_facts_free(struct pci_facts *f)
{
	for (size_t i = 0; i < f->n_picks; i++) {
		for (size_t k = 0; k < f->picks[i].n; k++)
			pci_function_free(&f->picks[i].v[k]);
		for (size_t k = 0; k < f->picks[i].n_modules; k++) {
			free(f->picks[i].modules[k].name);
			free(f->picks[i].modules[k].other);
			free(f->picks[i].modules[k].users);
		}
		free(f->picks[i].modules);
		pci_rom_free(f->picks[i].rom);
		free(f->picks[i].v);
		free(f->picks[i].problem);
		free(f->picks[i].remedy);
	}
	for (size_t i = 0; i < f->n_rest; i++)
		pci_function_free(&f->rest[i]);
	free(f->picks);
	free(f->rest);
	strv_free(&f->strangers);
	*f = (struct pci_facts){};
}
