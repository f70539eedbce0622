/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci_find: which function a [pci NAME] section means. By address nothing is searched; by id or name all devices are
 * looked through, by name with pci.ids. Two that fit are refused, both named; none that fits gives the nearest.
 */
#include <stdio.h>
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/host/pci/pci.h"

#define NEAR_MAX 5

/* What the search needs of each device: cheaper than all its facts. */
struct entry {
	struct pci_addr addr;
	uint16_t vendor, device;
	uint32_t class;
	char *name; /* NULL until asked for */
};
struct entries {
	struct entry *v;
	size_t n;
	struct pci_names *names;
};

static void entries_free(struct entries *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->v[i].name);
	free(list->v);
	pci_names_freep(&list->names);
}

static void entries_read(struct root *root, struct entries *list)
{
	cleanup_strv struct strv names = {};
	err_free(root_list(root, "/sys/bus/pci/devices", &names));
	for (size_t i = 0; i < names.n; i++) {
		struct entry e = {};
		cleanup_err struct err *bad = pci_addr_parse(names.v[i], &e.addr);
		if (bad)
			continue;
		e.vendor = (uint16_t)pci_number(root, e.addr, "vendor", 0);
		e.device = (uint16_t)pci_number(root, e.addr, "device", 0);
		e.class = (uint32_t)pci_number(root, e.addr, "class", 0);
		list->v = mem_grow(list->v, list->n, sizeof(*list->v));
		list->v[list->n++] = e;
	}
	list->names = pci_names_new();
}

static const char *name_of(struct entries *list, struct entry *e)
{
	if (!e->name)
		e->name = pci_names_get(list->names, e->vendor, e->device);
	return e->name;
}

static bool fits(struct entries *list, struct entry *e, const struct conf_pci *conf)
{
	if (conf->match)
		return strcasestr(name_of(list, e), conf->match) != NULL;
	char id[16];
	snprintf(id, sizeof(id), "%04x:%04x", e->vendor, e->device);
	return strcasecmp(id, conf->id) == 0;
}

/* Whether a device is worth naming where none fits: a word of the match in its name, the same vendor, an address one
 * key away. */
static bool near(struct entries *list, struct entry *e, const struct conf_pci *conf)
{
	if (e->class >> 16 == 0x06)
		return false;
	if (conf->has_address)
		return str_distance(pci_addr_text(e->addr).s, pci_addr_text(conf->address).s) == 1;
	if (conf->id)
		return strtoul(conf->id, NULL, 16) == e->vendor;
	cleanup_strv struct strv words = {};
	strv_split(&words, conf->match, " ");
	for (size_t i = 0; i < words.n; i++)
		if (strlen(words.v[i]) > 2 && strcasestr(name_of(list, e), words.v[i]))
			return true;
	return false;
}

static void add_named(struct entries *list, struct entry *e, struct strv *out)
{
	if (out->n < NEAR_MAX)
		strv_addf(out, "%s %s (%04x:%04x)", pci_addr_text(e->addr).s, name_of(list, e), e->vendor, e->device);
}

static char *nearest(struct entries *list, const struct conf_pci *conf)
{
	cleanup_strv struct strv out = {};
	for (size_t i = 0; i < list->n; i++)
		if (near(list, &list->v[i], conf))
			add_named(list, &list->v[i], &out);
	for (size_t i = 0; out.n == 0 && i < list->n; i++) /* nothing is: then the cards that people mean */
		if (list->v[i].class >> 16 == 0x03)
			add_named(list, &list->v[i], &out);
	cleanup_free char *joined = strv_join(&out, "; ");
	return out.n ? tr_fmt("this host has %s", joined) : tr_dup("`lspci -nn` shows what this host has");
}

static bool same_slot(struct pci_addr a, struct pci_addr b)
{
	a.fn = b.fn = 0;
	return pci_addr_equal(a, b);
}

/* By id or name: one device, whose lowest function that fits is meant. */
static bool search(struct entries *list, const struct conf_pci *conf, struct pci_addr *ret_addr, char **ret_problem, char **ret_remedy)
{
	const char *what = conf->match ? conf->match : conf->id;
	struct entry *found = NULL;
	bool several = false;
	cleanup_strv struct strv candidates = {};
	for (size_t i = 0; i < list->n; i++) {
		struct entry *e = &list->v[i];
		if (!fits(list, e, conf))
			continue;
		add_named(list, e, &candidates);
		several |= found && !same_slot(found->addr, e->addr);
		found = found ? found : e;
	}
	if (found && !several) {
		*ret_addr = found->addr;
		return true;
	}
	if (several) {
		cleanup_free char *joined = strv_join(&candidates, "; ");
		*ret_problem = tr_fmt("\"%s\" fits more than one device: %s", what, joined);
		*ret_remedy = tr_fmt("name one: address = %s", pci_addr_text(found->addr).s);
	} else {
		*ret_problem = tr_fmt("no device here %s \"%s\"", conf->match ? _("has a name with") : _("is"), what);
		*ret_remedy = nearest(list, conf);
	}
	return false;
}

bool pci_find(struct root *root, const struct conf_pci *conf, struct pci_addr *ret_addr, char **ret_problem, char **ret_remedy)
{
	__attribute__((__cleanup__(entries_free))) struct entries list = {};
	cleanup_free char *path = conf->has_address ? pci_path(conf->address, "vendor") : NULL;
	if (path && root_exists(root, path)) {
		*ret_addr = conf->address;
		return true;
	}
	entries_read(root, &list);
	if (!conf->has_address)
		return search(&list, conf, ret_addr, ret_problem, ret_remedy);
	*ret_problem = tr_fmt("there is no PCI device %s", pci_addr_text(conf->address).s);
	*ret_remedy = nearest(&list, conf);
	return false;
}
