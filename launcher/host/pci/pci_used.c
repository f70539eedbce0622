/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci_used: what the host would miss of a function: its network, the keyboards behind it, the board's own bus. Reads /sys and /proc. */
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/host/pci/pci.h"

#define STACKED_MAX 8 /* a VLAN on a bridge on a bond, and some more */

/* Whether a device of /sys/class lies behind the function: the link says it by the way it takes. */
static bool is_behind(struct root *root, const char *link, const struct pci_function *fn)
{
	cleanup_free char *target = root_link(root, link), *part = str_fmt("/%s/", pci_addr_text(fn->addr).s);
	return target && strstr(target, part);
}

/* The cards that carry an interface: those below a bridge, bond or VLAN instead of that. */
static void add_carriers(struct root *root, const char *link, unsigned depth, struct strv *ret_cards)
{
	cleanup_free char *dir = str_fmt("/sys/class/net/%s", link), *brif = str_fmt("%s/brif", dir);
	cleanup_strv struct strv entries = {}, below = {};
	err_free(root_list(root, brif, &below));
	err_free(root_list(root, dir, &entries));
	for (size_t i = 0; i < entries.n; i++)
		if (str_starts(entries.v[i], "lower_") && !strv_has(&below, entries.v[i] + strlen("lower_")))
			strv_add(&below, entries.v[i] + strlen("lower_"));
	for (size_t i = 0; i < below.n && depth < STACKED_MAX; i++)
		add_carriers(root, below.v[i], depth + 1, ret_cards);
	if (!below.n && !strv_has(ret_cards, link))
		strv_add(ret_cards, link);
}

/* The interfaces with a default route, by both of the kernel's lists (proc(5)): of IPv4 the name comes first, of IPv6 last. */
static void default_links(struct root *root, struct strv *ret_links)
{
	static const struct {
		const char *file, *nowhere; /* the destination of a default route */
		size_t destination;         /* its column */
	} lists[] = {
		{ "/proc/net/route", "00000000", 1 },
		{ "/proc/net/ipv6_route", "00000000000000000000000000000000", 0 },
	};
	for (size_t l = 0; l < ARRAY_SIZE(lists); l++) {
		cleanup_free char *text = root_read_or(root, lists[l].file, "");
		cleanup_strv struct strv lines = {};
		strv_split(&lines, text, "\n");
		for (size_t i = 0; i < lines.n; i++) {
			cleanup_strv struct strv word = {};
			strv_split(&word, lines.v[i], " \t");
			if (word.n < 8 || !streq(word.v[lists[l].destination], lists[l].nowhere) || (l == 1 && !streq(word.v[1], "00")))
				continue;
			const char *link = word.v[l == 0 ? 0 : word.n - 1];
			if (!streq(link, "lo"))
				add_carriers(root, link, 0, ret_links);
		}
	}
}

static void network(struct root *root, const struct pci_function *fn, struct strv *ret_why)
{
	cleanup_strv struct strv links = {};
	if (fn->class >> 16 == 0x02 || fn->class >> 8 == 0x0c03) /* a network card, or what one is plugged into */
		default_links(root, &links);
	for (size_t i = 0; i < links.n; i++) {
		cleanup_free char *link = str_fmt("/sys/class/net/%s", links.v[i]), *name = str_printable(links.v[i]);
		if (is_behind(root, link, fn))
			strv_addf(ret_why, _("the host's network goes over %s (%s)"), pci_addr_short(fn->addr).s, name);
	}
}

static void inputs(struct root *root, const struct pci_function *fn, struct strv *ret_why)
{
	cleanup_strv struct strv names = {}, inputs = {};
	if (fn->class >> 8 != 0x0c03)
		return;
	err_free(root_list(root, "/sys/class/input", &names));
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *link = str_fmt("/sys/class/input/%s", names.v[i]);
		if (!str_starts(names.v[i], "event") || !is_behind(root, link, fn))
			continue;
		cleanup_free char *path = str_fmt("%s/device/name", link), *name = root_read_or(root, path, names.v[i]);
		cleanup_free char *clean = str_printable(name);
		if (!strv_has(&inputs, clean))
			strv_add(&inputs, clean);
	}
	cleanup_free char *joined = strv_join(&inputs, ", ");
	if (inputs.n)
		strv_addf(ret_why, _("input devices are plugged into %s: %s"), pci_addr_short(fn->addr).s, joined);
}

/* Who is paired with an adapter: keyboards that BlueZ makes of what it hears (uhid) have no way in sysfs to it. */
static void bluetooth(struct root *root, const struct pci_function *fn, struct strv *ret_why)
{
	enum { BUS_BLUETOOTH = 5 }; /* linux/input.h */
	cleanup_strv struct strv adapters = {}, events = {}, names = {};
	const char *behind = NULL;
	err_free(fn->class >> 8 == 0x0c03 || fn->class >> 16 == 0x0d ? root_list(root, "/sys/class/bluetooth", &adapters) : NULL);
	for (size_t i = 0; i < adapters.n; i++) {
		cleanup_free char *link = str_fmt("/sys/class/bluetooth/%s", adapters.v[i]);
		if (!strchr(adapters.v[i], ':') && is_behind(root, link, fn)) /* "hci0:256" is a connection */
			behind = adapters.v[i];
	}
	err_free(behind ? root_list(root, "/sys/class/input", &events) : NULL);
	for (size_t i = 0; i < events.n; i++) {
		cleanup_free char *link = str_fmt("/sys/class/input/%s", events.v[i]), *target = root_link(root, link);
		cleanup_free char *bus = str_fmt("%s/device/id/bustype", link), *number = root_read_or(root, bus, "");
		if (!str_starts(events.v[i], "event") || !target || !strstr(target, "/uhid/") || strtoul(number, NULL, 16) != BUS_BLUETOOTH)
			continue;
		cleanup_free char *path = str_fmt("%s/device/name", link), *name = root_read_or(root, path, events.v[i]);
		cleanup_free char *clean = str_printable(name);
		if (!strv_has(&names, clean))
			strv_add(&names, clean);
	}
	cleanup_free char *joined = strv_join(&names, ", ");
	if (names.n)
		strv_addf(ret_why, _("the Bluetooth adapter %s is behind %s, and speaks to %s"), behind, pci_addr_short(fn->addr).s,
			  joined);
}

void pci_used(struct root *root, const struct pci_function *fn, struct strv *ret_why)
{
	if (fn->class >> 8 == 0x0c05)
		strv_addf(ret_why, _("%s is the board's own (sensors, memory modules)"), pci_addr_short(fn->addr).s);
	network(root, fn, ret_why);
	inputs(root, fn, ret_why);
	bluetooth(root, fn, ret_why);
}

struct pci_addr_text pci_addr_short(struct pci_addr addr)
{
	struct pci_addr_text text = pci_addr_text(addr);
	if (addr.domain == 0)
		memmove(text.s, text.s + strlen("0000:"), strlen(text.s) + 1 - strlen("0000:"));
	return text;
}
