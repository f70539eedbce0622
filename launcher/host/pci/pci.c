/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci: facts. See pci.h. Reads /sys and /proc/cpuinfo through the root; changes nothing. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/tr.h"
#include "launcher/host/pci/pci.h"

#define DEVICES "/sys/bus/pci/devices"

char *pci_path(struct pci_addr addr, const char *attr)
{
	return str_fmt(DEVICES "/%s/%s", pci_addr_text(addr).s, attr);
}

bool pci_is_bridge(const struct pci_function *fn)
{
	return fn->class >> 16 == 0x06;
}

bool pci_is_gpu(const struct pci_function *fn)
{
	return fn->class >> 16 == 0x03;
}

bool pci_is_storage(const struct pci_function *fn)
{
	return fn->class >> 16 == 0x01;
}

bool pci_driver_harmless(const char *driver)
{
	/* the drivers that leave DMA to user space (driver_managed_dma in the kernel) */
	static const char *const names[] = { "vfio-pci", "pci-stub", "pcieport", "shpchp" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (streq(driver, names[i]))
			return true;
	return !driver;
}

static char *read_attr(struct root *root, struct pci_addr addr, const char *attr)
{
	cleanup_free char *path = pci_path(addr, attr);
	return root_read_or(root, path, NULL);
}

static long long read_number(struct root *root, struct pci_addr addr, const char *attr, long long otherwise)
{
	cleanup_free char *text = read_attr(root, addr, attr);
	return text && *text ? strtoll(text, NULL, 0) : otherwise;
}

/* `resource`: a line a resource, "start end flags" in hexadecimal; the first six are the BARs. */
static void read_bars(struct root *root, struct pci_function *fn)
{
	cleanup_free char *text = read_attr(root, fn->addr, "resource");
	const char *line = text;
	for (int i = 0; i < PCI_BARS && line; i++) {
		unsigned long long start, end;
		if (sscanf(line, "%llx %llx", &start, &end) == 2 && end > start)
			fn->bar[i] = end - start + 1;
		cleanup_free char *name = str_fmt("resource%d_resize", i);
		cleanup_free char *can = fn->bar[i] ? read_attr(root, fn->addr, name) : NULL;
		fn->bar_can[i] = can ? strtoull(can, NULL, 16) : 0;
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
}

/* With native multipath, the controller's own "nvme0c1n1" is part of the disk "nvme0n1". */
static char *nvme_disk(const char *name)
{
	const char *c = str_starts(name, "nvme") ? strchr(name, 'c') : NULL, *n = c ? strchr(c, 'n') : NULL;
	return n ? str_fmt("%.*s%s", (int)(c - name), name, n) : str_dup(name);
}

/* The block devices behind a storage or USB controller. */
static void read_blocks(struct root *root, struct pci_function *fn)
{
	if (fn->class >> 16 != 0x01 && fn->class >> 8 != 0x0c03)
		return;
	cleanup_strv struct strv blocks = {}, controllers = {};
	cleanup_free char *part = str_fmt("/%s/", pci_addr_text(fn->addr).s);
	err_free(root_list(root, "/sys/block", &blocks));
	for (size_t i = 0; i < blocks.n; i++) {
		cleanup_free char *path = str_fmt("/sys/block/%s", blocks.v[i]);
		cleanup_free char *target = root_link(root, path);
		if (target && strstr(target, part) && !strv_has(&fn->blocks, blocks.v[i]))
			strv_add(&fn->blocks, blocks.v[i]);
	}
	cleanup_free char *nvme = pci_path(fn->addr, "nvme");
	err_free(root_list(root, nvme, &controllers));
	for (size_t i = 0; i < controllers.n; i++) {
		cleanup_strv struct strv names = {};
		cleanup_free char *path = str_fmt("%s/%s", nvme, controllers.v[i]);
		err_free(root_list(root, path, &names));
		for (size_t k = 0; k < names.n; k++) {
			cleanup_free char *disk = nvme_disk(names.v[k]);
			if (str_starts(disk, "nvme") && strchr(disk + 4, 'n') && !strv_has(&fn->blocks, disk))
				strv_add(&fn->blocks, disk);
		}
	}
}

struct err *pci_function_read(struct root *root, struct pci_addr addr, struct pci_function *ret_fn)
{
	cleanup_free char *vendor = read_attr(root, addr, "vendor");
	if (!vendor)
		return err_new("there is no PCI device %s", pci_addr_text(addr).s);
	struct pci_function fn = { .addr = addr };
	fn.vendor = (uint16_t)strtoul(vendor, NULL, 0);
	fn.device = (uint16_t)read_number(root, addr, "device", 0);
	fn.sub_vendor = (uint16_t)read_number(root, addr, "subsystem_vendor", 0);
	fn.sub_device = (uint16_t)read_number(root, addr, "subsystem_device", 0);
	fn.class = (uint32_t)read_number(root, addr, "class", 0);
	fn.numa_node = (int)read_number(root, addr, "numa_node", -1);
	fn.boot_vga = read_number(root, addr, "boot_vga", 0) == 1;
	fn.vfs = (unsigned)read_number(root, addr, "sriov_numvfs", 0);
	cleanup_free char *physfn = pci_path(addr, "physfn"), *driver = pci_path(addr, "driver"), *group = pci_path(addr, "iommu_group");
	fn.is_vf = root_exists(root, physfn);
	fn.driver = root_link_name(root, driver);
	cleanup_free char *number = root_link_name(root, group);
	fn.group = number ? atoi(number) : -1;
	fn.reset_method = read_attr(root, addr, "reset_method");
	fn.d3cold_allowed = read_attr(root, addr, "d3cold_allowed");
	fn.power_control = read_attr(root, addr, "power/control");
	read_bars(root, &fn);
	read_blocks(root, &fn);
	*ret_fn = fn;
	return NULL;
}

bool pci_answers(struct root *root, struct pci_addr addr)
{
	cleanup_fd int fd = -1;
	uint32_t ids = 0;
	cleanup_free char *path = pci_path(addr, "config");
	cleanup_err struct err *e = root_open_fd(root, path, O_RDONLY | O_CLOEXEC, &fd);
	return e || read(fd, &ids, sizeof(ids)) != sizeof(ids) || ids != UINT32_MAX;
}

void pci_function_free(struct pci_function *fn)
{
	free(fn->driver);
	free(fn->reset_method);
	free(fn->d3cold_allowed);
	free(fn->power_control);
	strv_free(&fn->blocks);
	*fn = (struct pci_function){};
}

struct err *pci_scan(struct root *root, struct pci_function **ret_v, size_t *ret_n)
{
	cleanup_strv struct strv names = {};
	TRY(root_list(root, DEVICES, &names));
	struct pci_function *v = NULL;
	size_t n = 0;
	for (size_t i = 0; i < names.n; i++) {
		struct pci_addr addr;
		cleanup_err struct err *e = pci_addr_parse(names.v[i], &addr);
		v = mem_grow(v, n, sizeof(*v));
		if (!e)
			e = pci_function_read(root, addr, &v[n]);
		n += !e;
	}
	*ret_v = v;
	*ret_n = n;
	return NULL;
}

static bool is_picked(const struct pci_facts *f, struct pci_addr addr)
{
	for (size_t i = 0; i < f->n_picks; i++)
		for (size_t k = 0; k < f->picks[i].n; k++)
			if (pci_addr_equal(f->picks[i].v[k].addr, addr))
				return true;
	return false;
}

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

/* Other functions that go with the named one: of its group, or of its slot only. */
static void pick_expand(struct root *root, struct pci_facts *f, struct pci_pick *pick)
{
	struct pci_function *named = &pick->v[pick->named];
	struct pci_addr addr = named->addr;
	cleanup_strv struct strv names = {};
	if (pick->conf->functions == FUNCTIONS_GROUP && named->group >= 0)
		group_members(root, named->group, &names);
	else
		for (unsigned fn = 0; fn < 8; fn++)
			strv_addf(&names, "%04x:%02x:%02x.%x", addr.domain, addr.bus, addr.dev, fn);
	for (size_t i = 0; i < names.n; i++) {
		struct pci_function fn;
		cleanup_err struct err *e = pci_addr_parse(names.v[i], &addr);
		if (e || is_picked(f, addr))
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
		if (e || is_picked(f, addr) || is_rest(f, addr))
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
	bool found = pci_find(root, conf, &addr, &problem, &pick->remedy);
	if (found && is_picked(f, addr)) {
		pick->problem = tr_fmt("%s: %s is named by another [pci] section already", where, pci_addr_text(addr).s);
		pick->remedy = tr_dup("remove one of the two sections");
		return;
	}
	cleanup_err struct err *e = found ? pci_function_read(root, addr, &fn) : NULL;
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
		for (size_t k = 0; k < f.picks[i].n; k++)
			if (f.picks[i].v[k].group >= 0)
				read_rest(root, &f, f.picks[i].v[k].group);
	*ret_facts = f;
	return NULL;
}

void pci_facts_free(struct pci_facts *f)
{
	for (size_t i = 0; i < f->n_picks; i++) {
		for (size_t k = 0; k < f->picks[i].n; k++)
			pci_function_free(&f->picks[i].v[k]);
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
