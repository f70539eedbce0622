/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci_holders: which processes hold a card's device nodes open. Reads /sys and /proc; looks at links only, opens none
 * of the files. */
#include <ctype.h>
#include <stdlib.h>
#include "launcher/base/opened.h"
#include "launcher/host/pci/pci.h"

static void add_dir(struct root *root, struct pci_addr addr, const char *attr, const char *prefix, struct strv *nodes)
{
	cleanup_free char *path = pci_path(addr, attr);
	cleanup_strv struct strv names = {};
	err_free(root_list(root, path, &names));
	for (size_t i = 0; i < names.n; i++)
		strv_addf(nodes, "%s%s", prefix, names.v[i]);
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

/* The nodes of a function: /dev/dri/card0, /dev/snd/…C1…, /dev/nvidia0, its disks, /dev/vfio/GROUP. */
static void card_nodes(struct root *root, struct pci_addr addr, struct strv *ret_nodes)
{
	struct pci_function fn;
	cleanup_err struct err *e = pci_function_read(root, addr, &fn);
	if (e)
		return;
	add_dir(root, addr, "drm", "/dev/dri/", ret_nodes);
	add_dir(root, addr, "sound", "/dev/snd/", ret_nodes);
	add_nvidia(root, addr, ret_nodes);
	for (size_t i = 0; i < fn.blocks.n; i++)
		strv_addf(ret_nodes, "/dev/%s", fn.blocks.v[i]);
	if (streq(fn.driver, "vfio-pci"))
		strv_addf(ret_nodes, "/dev/vfio/%d", fn.group);
	pci_function_free(&fn);
}

/* "/dev/snd/card1" stands for the nodes of card 1: controlC1, pcmC1D0p, hwC1D0, midiC1D0. */
static bool is_sound_of(const char *card, const char *path)
{
	if (!str_starts(card, "/dev/snd/card") || !str_starts(path, "/dev/snd/"))
		return false;
	const char *number = card + strlen("/dev/snd/card"), *c = strchr(path, 'C');
	size_t len = strlen(number);
	return c && strncmp(c + 1, number, len) == 0 && !isdigit((unsigned char)c[1 + len]);
}

static bool is_node(const void *data, const char *path)
{
	const struct strv *nodes = data;
	for (size_t i = 0; i < nodes->n; i++)
		if (streq(nodes->v[i], path) || is_sound_of(nodes->v[i], path))
			return true;
	return false;
}

char *pci_holders(struct root *root, struct pci_addr addr)
{
	cleanup_strv struct strv nodes = {};
	card_nodes(root, addr, &nodes);
	return nodes.n ? opened_by(root, is_node, &nodes, false) : NULL;
}
