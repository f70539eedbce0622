/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pci_virtual: virtual functions (SR-IOV), made for a guest and removed when nobody has one any more. Which address one will have is known
 * before it is there: PCI Express 5.0, 9.3.3.9 and 9.3.3.10, First VF Offset and VF Stride.
 *
 * The kernel makes and removes all of a device's virtual functions at once (sriov_numvfs, sysfs-bus-pci), and removing one that a guest has
 * waits for the guest's end. So a device that has some keeps them, and those that this launch made go only where none has a driver: with
 * sriov_drivers_autoprobe = 0 no driver of the host's takes one by itself, and each driver there is somebody's use. A machine that finds
 * some which another machine has made has a step for them, too: it makes nothing, and is undone like the other's, so that the last one to
 * end removes them.
 */
#include <stdio.h>
#include <stdlib.h>
#include "launcher/base/child.h"
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/host/kind/attr.h"
#include "launcher/host/pci/pci.h"

/* The routing id of PCI Express: bus, device and function in 16 bits. */
static struct pci_addr nth_virtual(struct pci_addr pf, unsigned offset, unsigned stride, unsigned nth)
{
	unsigned id = (unsigned)pf.bus << 8 | (unsigned)pf.dev << 3 | pf.fn;
	id += offset + stride * nth;
	return (struct pci_addr){ .domain = pf.domain, .bus = (uint8_t)(id >> 8), .dev = id >> 3 & 0x1f, .fn = id & 7 };
}

/* One that is there: by the link that the kernel made. */
static bool linked(struct root *root, struct pci_addr pf, unsigned nth, struct pci_addr *ret_addr)
{
	cleanup_free char *name = str_fmt("virtfn%u", nth), *path = pci_path(pf, name), *to = root_link_name(root, path);
	cleanup_err struct err *e = to ? pci_addr_parse(to, ret_addr) : NULL;
	return to && !e;
}

/* Why the function will not have that one; NULL: it would make `want`. Owned by the caller. */
static char *why_not(struct root *root, const struct pci_function *pf, unsigned nth, unsigned want, char **ret_remedy)
{
	struct pci_addr_text text = pci_addr_text(pf->addr);
	const char *at = text.s;
	long long total = pci_number(root, pf->addr, "sriov_totalvfs", 0);
	if (total <= 0) {
		*ret_remedy = tr_dup("some cards have them switched off in the firmware's setup, or by their maker's tool");
		return tr_fmt("%s has no virtual functions (SR-IOV)", at);
	}
	if (pf->vfs) {
		*ret_remedy =
			tr_fmt("another number; or, when nobody uses them any more: echo 0 > /sys/bus/pci/devices/%s/sriov_numvfs", at);
		return tr_fmt("%s has %u virtual functions, and none with the number %u", at, pf->vfs, nth);
	}
	if (want > total) {
		*ret_remedy = tr_fmt("virtual-function = %lld or less, and vfs with it", total - 1);
		return tr_fmt("%s can have %lld virtual functions, and not %u", at, total, want);
	}
	if (!pf->driver) {
		*ret_remedy = str_fmt("echo %s > /sys/bus/pci/drivers_probe", at);
		return tr_fmt("%s has no driver, which would make its virtual functions", at);
	}
	if (!pci_number(root, pf->addr, "sriov_offset", 0) || (nth && !pci_number(root, pf->addr, "sriov_stride", 0))) {
		*ret_remedy = tr_fmt("make them before the start: echo %u > /sys/bus/pci/devices/%s/sriov_numvfs", want, at);
		return tr_fmt("this kernel does not say where the virtual functions of %s will be", at);
	}
	return NULL;
}

static struct pci_function planned(struct root *root, const struct pci_function *pf, unsigned nth)
{
	unsigned offset = (unsigned)pci_number(root, pf->addr, "sriov_offset", 0),
		 stride = (unsigned)pci_number(root, pf->addr, "sriov_stride", 0);
	cleanup_free char *path = pci_path(pf->addr, "sriov_vf_device"), *device = root_read_or(root, path, "0");
	return (struct pci_function){
		.addr = nth_virtual(pf->addr, offset, stride, nth),
		.vendor = pf->vendor,
		.device = (uint16_t)strtoul(device, NULL, 16), /* without 0x, unlike the others */
		.class = pf->class,
		.group = -1,
		.numa_node = pf->numa_node,
		.is_vf = true,
		.is_planned = true,
	};
}

bool pci_virtual_find(struct root *root, struct pci_pick *pick, struct pci_function *ret_fn, char **ret_problem, char **ret_remedy)
{
	unsigned nth = pick->conf->vf, want = pick->conf->vfs ? pick->conf->vfs : nth + 1;
	struct pci_addr addr;
	struct pci_function pf;
	bool there = linked(root, pick->parent, nth, &addr);
	cleanup_err struct err *e = pci_function_read(root, there ? addr : pick->parent, &pf);
	char *problem = e ? str_dup(err_text(e)) : there ? NULL : why_not(root, &pf, nth, want, ret_remedy);
	if (problem)
		*ret_problem = problem;
	else if (there)
		*ret_fn = pf;
	else
		*ret_fn = planned(root, &pf, nth);
	pick->make = problem || there ? 0 : want;
	if (!e && !(there && !problem))
		pci_function_free(&pf);
	return !problem;
}

/* The first pick of those that have virtual functions of that device from another machine. */
static bool is_first_shared(const struct pci_facts *f, size_t pick)
{
	bool shared = f->picks[pick].shared && !f->picks[pick].make;
	for (size_t i = 0; shared && i < pick; i++)
		shared = !f->picks[i].shared || !pci_addr_equal(f->picks[i].parent, f->picks[pick].parent);
	return shared;
}

void pci_virtual_steps(struct steps *out, const struct pci_facts *f)
{
	for (size_t i = 0; i < f->n_picks; i++)
		if (is_first_shared(f, i))
			steps_add(out, &pci_virtual_kind, pci_addr_text(f->picks[i].parent).s, PCI_VIRTUAL_SHARED,
				  "another machine has made them; the last one to end removes them");
	for (size_t i = 0; i < f->n_picks; i++) {
		const struct pci_pick *pick = &f->picks[i];
		unsigned most = pick->make;
		bool told = !pick->make;
		for (size_t k = 0; k < f->n_picks; k++) {
			if (!f->picks[k].make || !pci_addr_equal(f->picks[k].parent, pick->parent))
				continue;
			told |= k < i;
			most = f->picks[k].make > most ? f->picks[k].make : most;
		}
		if (told)
			continue;
		cleanup_free char *autoprobe = pci_path(pick->parent, "sriov_drivers_autoprobe"), *want = str_fmt("%u", most);
		steps_add(out, &attr_kind, autoprobe, "0", "no driver of the host's takes the virtual functions");
		steps_add(out, &pci_virtual_kind, pci_addr_text(pick->parent).s, want, "the guest's virtual function is among them");
	}
}

static bool is_shared(const struct step *s)
{
	return streq(s->want, PCI_VIRTUAL_SHARED);
}

static char *describe(const struct step *s)
{
	if (is_shared(s))
		return tr_fmt("use the virtual functions of %s, and remove them once nobody does", s->target);
	return tr_fmt("have %s make %s virtual functions", s->target, s->want);
}

static struct err *probe(struct step_env *env, const struct step *s, char **ret_value)
{
	struct pci_addr pf;
	TRY(pci_addr_parse(s->target, &pf));
	cleanup_free char *path = pci_path(pf, "sriov_numvfs");
	if (root_exists(env->root, path)) /* the kernel takes the device's lock for it */
		return child_read(env->root, path, ret_value);
	*ret_value = str_dup("0"); /* the device is gone, and they with it */
	return NULL;
}

static struct err *set(struct root *root, const struct step *s, const char *number)
{
	struct pci_addr pf;
	unsigned n;
	char rest;
	TRY(pci_addr_parse(s->target, &pf));
	if (sscanf(number, "%u%c", &n, &rest) != 1) /* a journal's, which may be anything */
		return err_new("\"%s\" is no number of virtual functions", number);
	cleanup_free char *path = pci_path(pf, "sriov_numvfs");
	return child_write(root, path, number);
}

static struct err *apply(struct step_env *env, struct step *s)
{
	return is_shared(s) ? NULL : err_hint(set(env->root, s, s->want), "the kernel's log says why: dmesg | grep %s", s->target);
}

static struct err *verify(struct step_env *env, const struct step *s)
{
	cleanup_free char *now = NULL;
	TRY(probe(env, s, &now));
	return streq(now, is_shared(s) ? s->prior : s->want) ? NULL : err_new("it has %s of them", now);
}

static enum step_whose whose(const struct step *s, const char *now)
{
	if (streq(now, is_shared(s) ? "0" : s->prior))
		return STEP_PRIOR;
	return streq(now, is_shared(s) ? s->prior : s->want) ? STEP_WANTED : STEP_FOREIGN;
}

/* "0000:01:10.2 (vfio-pci)", …; NULL: nobody has one. Owned by the caller. */
static char *users(struct root *root, const char *target)
{
	cleanup_free char *dir = str_fmt("/sys/bus/pci/devices/%s", target);
	cleanup_strv struct strv names = {}, used = {};
	err_free(root_list(root, dir, &names));
	for (size_t i = 0; i < names.n; i++) {
		if (!str_starts(names.v[i], "virtfn"))
			continue;
		cleanup_free char *link = str_fmt("%s/%s", dir, names.v[i]), *addr = root_link_name(root, link);
		cleanup_free char *by = str_fmt("/sys/bus/pci/devices/%s/driver", addr ? addr : ""), *driver = root_link_name(root, by);
		if (driver)
			strv_addf(&used, "%s (%s)", addr, driver);
	}
	return used.n ? strv_join(&used, ", ") : NULL;
}

static struct err *undo(struct step_env *env, const struct step *s)
{
	cleanup_free char *used = users(env->root, s->target), *now = NULL;
	if (used) { /* another guest's, as a rule: they are not ours alone any more, and this is no failure */
		log_warn("the virtual functions of %s stay: in use is %s", s->target, used);
		return NULL;
	}
	const char *want = is_shared(s) ? "0" : s->prior;
	TRY(set(env->root, s, want));
	TRY(probe(env, s, &now));
	return streq(now, want) ? NULL : err_new("it has %s of them after %s was written", now, want);
}

const struct step_kind pci_virtual_kind = {
	.name = "virtual-functions",
	.describe = describe,
	.probe = probe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
	.whose = whose,
	.undo_reads_back = true,
};
