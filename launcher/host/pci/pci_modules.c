/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci_modules: which modules [pci] unload takes away. A module counts as the device's when it is that of a driver of a function that is
 * passed, or builds upon one (nvidia_drm on nvidia_modeset on nvidia): so the key gives no power over anything but what the guest gets.
 * Reads /sys/module and the drivers' lists of devices.
 */
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/host/kind/module.h"
#include "launcher/host/pci/pci.h"

#define BUILDERS_MAX 64 /* modules that build upon one: nvidia has 4, drm some 30 */

/* As the kernel writes it in /sys/module. */
static char *kernel_name(const char *text)
{
	char *name = str_dup(text);
	for (char *p = name; *p; p++)
		if (*p == '-')
			*p = '_';
	return name;
}

static void builders(struct root *root, const char *module, struct strv *ret_names)
{
	cleanup_free char *dir = str_fmt("/sys/module/%s/holders", module);
	err_free(root_list(root, dir, ret_names));
}

/* The modules of the drivers of all that is passed, and what builds upon them. */
static void read_ours(struct root *root, const struct pci_facts *f, struct strv *ours)
{
	for (size_t i = 0; i < f->n_picks; i++)
		for (size_t k = 0; k < f->picks[i].n; k++) {
			cleanup_free char *link = pci_path(f->picks[i].v[k].addr, "driver/module"), *name = root_link_name(root, link);
			if (name && !strv_has(ours, name))
				strv_add(ours, name);
		}
	for (size_t i = 0; i < ours->n && ours->n < BUILDERS_MAX; i++) {
		cleanup_strv struct strv above = {};
		builders(root, ours->v[i], &above);
		for (size_t k = 0; k < above.n; k++)
			if (!strv_has(ours, above.v[k]))
				strv_add(ours, above.v[k]);
	}
}

/* Whether a device's way through /sys/devices leads through a function that is passed. */
static bool is_behind(const struct pci_facts *f, const char *real)
{
	cleanup_strv struct strv parts = {};
	strv_split(&parts, real, "/");
	for (size_t i = 0; i < parts.n; i++) {
		struct pci_addr addr;
		cleanup_err struct err *e = pci_addr_parse(parts.v[i], &addr);
		if (!e && pci_is_passed(f, addr))
			return true;
	}
	return false;
}

/* A device that the module drives, on whatever bus, and that stays with the host; NULL: none. Owned by the caller. */
static char *other_device(struct root *root, const struct pci_facts *f, const char *module)
{
	cleanup_strv struct strv drivers = {};
	cleanup_free char *dir = str_fmt("/sys/module/%s/drivers", module);
	err_free(root_list(root, dir, &drivers));
	for (size_t i = 0; i < drivers.n; i++) {
		cleanup_strv struct strv entries = {};
		cleanup_free char *driver = str_fmt("%s/%s", dir, drivers.v[i]);
		err_free(root_list(root, driver, &entries));
		for (size_t k = 0; k < entries.n; k++) {
			cleanup_free char *path = str_fmt("%s/%s", driver, entries.v[k]), *link = root_link(root, path);
			cleanup_free char *real = link && !streq(entries.v[k], "module") ? root_real(root, path) : NULL;
			if (real && !is_behind(f, real))
				return str_dup(entries.v[k]);
		}
	}
	return NULL;
}

/* `before`: those that go before it, and so do not use it any more by then. */
static struct pci_module module_read(struct root *root, const struct pci_facts *f, const struct strv *ours, const struct strv *before,
				     const char *text)
{
	struct pci_module m = { .name = kernel_name(text) };
	cleanup_strv struct strv above = {}, left = {};
	m.loaded = module_loaded(root, m.name);
	m.drives = strv_has(ours, m.name);
	m.other = other_device(root, f, m.name);
	m.count = module_users(root, m.name);
	builders(root, m.name, &above);
	m.count -= m.count < above.n ? m.count : (unsigned)above.n; /* each holds it once */
	for (size_t i = 0; i < above.n; i++)
		if (!strv_has(before, above.v[i]))
			strv_add(&left, above.v[i]);
	m.users = left.n ? strv_join(&left, " ") : NULL;
	return m;
}

void pci_modules_read(struct root *root, struct pci_facts *f)
{
	cleanup_strv struct strv ours = {}, before = {};
	bool any = false;
	for (size_t i = 0; i < f->n_picks; i++)
		any |= f->picks[i].conf->unload.n > 0;
	if (!any)
		return;
	read_ours(root, f, &ours);
	for (size_t i = 0; i < f->n_picks; i++) {
		struct pci_pick *pick = &f->picks[i];
		const struct strv *names = &pick->conf->unload;
		pick->modules = mem_new(names->n * sizeof(*pick->modules));
		for (size_t k = 0; k < names->n; k++) {
			pick->modules[pick->n_modules] = module_read(root, f, &ours, &before, names->v[k]);
			strv_add(&before, pick->modules[pick->n_modules++].name);
		}
	}
}

static bool goes(const struct pci_module *m)
{
	return m->loaded && m->drives && !m->other;
}

void pci_modules_steps(struct steps *out, const struct pci_facts *f)
{
	for (size_t i = 0; i < f->n_picks; i++)
		for (size_t k = 0; k < f->picks[i].n_modules; k++)
			if (goes(&f->picks[i].modules[k]))
				steps_add(out, &module_unload_kind, f->picks[i].modules[k].name, "absent",
					  "[pci] unload; it is loaded again when the guest has ended")
					->optional = true;
}

void pci_modules_findings(struct findings *out, const struct pci_facts *f)
{
	for (size_t i = 0; i < f->n_picks; i++) {
		const struct pci_pick *pick = &f->picks[i];
		for (size_t k = 0; k < pick->n_modules; k++) {
			const struct pci_module *m = &pick->modules[k];
			if (m->loaded && m->other)
				findings_add(out, FINDING_WARN, "module", tr_fmt("%s stays loaded: it drives %s, too", m->name, m->other),
					     tr_fmt("take it out of unload in [pci %s]; the card is taken from its driver without that",
						    pick->conf->name));
			else if (m->loaded && !m->drives)
				findings_add(out, FINDING_WARN, "module",
					     tr_fmt("%s stays loaded: it is no module of the driver that [pci %s] is taken from", m->name,
						    pick->conf->name),
					     tr_fmt("take it out of unload in [pci %s]", pick->conf->name));
			else if (goes(m) && m->users)
				findings_add(out, FINDING_WARN, "module",
					     tr_fmt("%s cannot be unloaded before %s, which is not", m->name, m->users),
					     tr_fmt("unload = %s %s in [pci %s]", m->users, m->name, pick->conf->name));
			else if (goes(m) && m->count)
				findings_add(out, FINDING_WARN, "module",
					     tr_fmt("%s is in use (%u): unless that ends with what the launch stops, it stays loaded",
						    m->name, m->count),
					     tr_dup("end what uses it, or name its service in [host] stop (nvidia-persistenced.service)"));
		}
	}
}
