/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci_holders: which processes hold a card's device nodes open. Reads /sys and /proc; looks at links only, opens none
 * of the files. */
#include <stdlib.h>
#include <sys/stat.h>
#include "launcher/base/opened.h"
#include "launcher/host/pci/pci.h"

#define DEPTH_MAX 12 /* below a function: usb/hub/port/interface/hid/input/event is the deepest that is known */

/* The nodes of a directory of /sys/devices and of all below it: each device there names its own (DEVNAME in its uevent). Links are left alone:
 * they lead to other devices. */
static void add_nodes(struct root *root, const char *dir, unsigned depth, struct strv *nodes)
{
	static const char mark[] = "DEVNAME=";
	cleanup_free char *path = str_fmt("%s/uevent", dir), *text = root_read_or(root, path, "");
	cleanup_strv struct strv names = {}, lines = {};
	strv_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.n; i++)
		if (str_starts(lines.v[i], mark))
			strv_addf(nodes, "/dev/%s", lines.v[i] + strlen(mark));
	if (depth == DEPTH_MAX)
		return;
	err_free(root_list(root, dir, &names));
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *child = str_fmt("%s/%s", dir, names.v[i]), *link = root_link(root, child);
		struct stat st;
		cleanup_err struct err *e = link ? NULL : root_stat(root, child, &st);
		if (!link && !e && S_ISDIR(st.st_mode))
			add_nodes(root, child, depth + 1, nodes);
	}
}

/* NVIDIA's own driver makes no drm nodes of its own number: it tells the minor in /proc. */
static void add_nvidia(struct root *root, struct pci_addr addr, struct strv *nodes)
{
	cleanup_free char *path = str_fmt("/proc/driver/nvidia/gpus/%s/information", pci_addr_text(addr).s);
	cleanup_free char *text = root_read_or(root, path, "");
	const char *minor = strstr(text, "Device Minor:");
	if (minor)
		strv_addf(nodes, "/dev/nvidia%d", atoi(minor + strlen("Device Minor:")));
}

/*
 * What a driver does not wait for when its device goes: these nodes answer ENODEV from then on. All others it does, for ever if need be: an
 * i2c adapter for whoever has it open (i2c_del_adapter), a card for its screens, vfio for its machine.
 */
static const char *const letting_go[] = { "/dev/snd/", "/dev/input/", "/dev/hidraw", "/dev/usb/", "/dev/bus/usb/", "/dev/iio:" };

static bool lets_go(const char *node)
{
	for (size_t i = 0; i < ARRAY_SIZE(letting_go); i++)
		if (str_starts(node, letting_go[i]))
			return true;
	return false;
}

static bool is_node(const void *data, const char *path)
{
	return strv_has(data, path);
}

char *pci_holders(struct root *root, struct pci_addr addr, bool blocking)
{
	cleanup_strv struct strv nodes = {}, asked = {};
	cleanup_free char *link = str_fmt("/sys/bus/pci/devices/%s", pci_addr_text(addr).s), *dir = root_real(root, link);
	struct pci_function fn;
	cleanup_err struct err *e = pci_function_read(root, addr, &fn);
	if (e || !dir)
		return NULL;
	add_nodes(root, dir, 0, &nodes);
	add_nvidia(root, addr, &nodes);
	if (streq(fn.driver, "vfio-pci"))
		strv_addf(&nodes, "/dev/vfio/%d", fn.group);
	pci_function_free(&fn);
	for (size_t i = 0; i < nodes.n; i++)
		if (!blocking || !lets_go(nodes.v[i]))
			strv_add(&asked, nodes.v[i]);
	return asked.n ? opened_by(root, is_node, &asked, false) : NULL;
}
