/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci: one function, as sysfs shows it. See pci.h. Reads through the root; changes nothing. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/child.h"
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

bool pci_has_outputs(const struct pci_function *fn)
{
	return fn->class >> 8 != 0x0302;
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

long long pci_number(struct root *root, struct pci_addr addr, const char *attr, long long otherwise)
{
	cleanup_free char *text = read_attr(root, addr, attr);
	return text && *text ? strtoll(text, NULL, 0) : otherwise;
}

/* For this one the kernel takes the lock of the device, which an unbinding that hangs has: in a child, and only where it is. Late: none. */
static unsigned read_vfs(struct root *root, struct pci_addr addr)
{
	cleanup_free char *path = pci_path(addr, "sriov_numvfs"), *text = NULL;
	err_free(root_exists(root, path) ? child_read(root, path, &text) : NULL);
	return text ? (unsigned)strtoul(text, NULL, 10) : 0;
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
	fn.device = (uint16_t)pci_number(root, addr, "device", 0);
	fn.sub_vendor = (uint16_t)pci_number(root, addr, "subsystem_vendor", 0);
	fn.sub_device = (uint16_t)pci_number(root, addr, "subsystem_device", 0);
	fn.class = (uint32_t)pci_number(root, addr, "class", 0);
	fn.numa_node = (int)pci_number(root, addr, "numa_node", -1);
	fn.boot_vga = pci_number(root, addr, "boot_vga", 0) == 1;
	fn.vfs = read_vfs(root, addr);
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
	uint32_t head[3] = {}; /* ids, command and status, class and revision */
	cleanup_free char *path = pci_path(addr, "config");
	cleanup_err struct err *e = root_open_fd(root, path, O_RDONLY | O_CLOEXEC, &fd);
	ssize_t n = e ? 0 : read(fd, head, sizeof(head));
	return n < (ssize_t)sizeof(head[0]) || head[0] != UINT32_MAX || (n == sizeof(head) && head[2] != UINT32_MAX);
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

bool pci_is_passed(const struct pci_facts *f, struct pci_addr addr)
{
	for (size_t i = 0; i < f->n_picks; i++)
		for (size_t k = 0; k < f->picks[i].n; k++)
			if (pci_addr_equal(f->picks[i].v[k].addr, addr))
				return true;
	return false;
}
