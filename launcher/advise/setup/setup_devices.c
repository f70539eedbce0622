/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: which devices may be bound early, and the script that does it. See setup.h. */
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/advise/setup/setup.h"

/* The device and what goes with it. */
static void with_company(const struct groups *g, const struct pci_function *one, const struct pci_function ***ret_v, size_t *ret_n)
{
	for (size_t i = 0; i < g->n_functions; i++) {
		const struct pci_function *fn = &g->functions[i];
		if (!groups_with(g, one, fn) && fn != groups_audio(g, one))
			continue;
		*ret_v = mem_grow(*ret_v, *ret_n, sizeof(const struct pci_function *));
		(*ret_v)[(*ret_n)++] = fn;
	}
}

/* What the host has of the device and its company, the same sentences as in `groups` and `check`; "" where nothing. */
static char *host_uses(struct root *root, const struct groups *g, const struct pci_function *one)
{
	cleanup_strv struct strv why = {};
	const struct pci_function **v = NULL;
	size_t n = 0;
	const struct group *x = one->group >= 0 ? groups_of(g, one) : NULL;
	if (x && x->verdict != GROUP_FREE)
		return strv_join(&x->why, "; ");
	with_company(g, one, &v, &n);
	for (size_t i = 0; i < n; i++)
		groups_uses(root, g, v[i], &why);
	free(v);
	return strv_join(&why, "; ");
}

/* "ADDRESS" or "ADDRESS,ADDRESS" */
static struct err *find_wanted(const struct groups *g, const char *wanted, bool *ret_twice, const struct pci_function **ret_fn)
{
	cleanup_strv struct strv words = {};
	struct pci_addr first, second;
	strv_split(&words, wanted, ",");
	if (words.n < 1 || words.n > 2)
		return err_exit(err_new(_("\"%s\" is no PCI address"), wanted), EXIT_USAGE);
	TRY(err_exit(pci_addr_parse(words.v[0], &first), EXIT_USAGE));
	TRY(err_exit(pci_addr_parse(words.v[words.n - 1], &second), EXIT_USAGE));
	if (!pci_addr_equal(first, second))
		return err_exit(err_new(_("%s and %s are two devices: one is bound with all that is in its group"), words.v[0], words.v[1]),
				EXIT_USAGE);
	*ret_twice = words.n == 2;
	for (size_t i = 0; i < g->n_functions; i++) {
		if (!pci_addr_equal(g->functions[i].addr, first))
			continue;
		*ret_fn = &g->functions[i];
		return NULL;
	}
	return err_exit(err_hint(err_new(_("there is no PCI device %s"), words.v[0]), "qlaunch groups"), EXIT_USAGE);
}

static struct err *judge_wanted(struct root *root, const struct groups *g, const struct pci_function *fn, bool twice)
{
	struct pci_addr_text at = pci_addr_short(fn->addr);
	cleanup_free char *why = host_uses(root, g, fn);
	if (fn == g->host_gpu)
		return err_new(_("%s has the host's own screen: bound early, the host would start without a picture"), at.s);
	if (pci_is_bridge(fn))
		return err_new(_("%s is a bridge: it stays with the host"), at.s);
	if (*why)
		return err_hint(err_new(_("%s stays with the host: %s"), at.s, why), "qlaunch groups");
	if (!pci_is_gpu(fn) && !twice)
		return err_hint(
			err_new(_("%s is no graphics card (%s): the host would never see it again"), at.s, group_class_word(fn->class)),
			_("if that is meant: --gpu %s,%s"), at.s, at.s);
	return NULL;
}

struct err *setup_devices(struct root *root, const struct survey *s, const char *wanted, const struct pci_function ***ret_v, size_t *ret_n)
{
	const struct groups *g = &s->groups;
	const struct pci_function *found = NULL;
	bool twice = false;
	*ret_v = NULL;
	*ret_n = 0;
	if (streq(wanted, "none"))
		return NULL;
	if (wanted) {
		TRY(find_wanted(g, wanted, &twice, &found));
		if (found)
			TRY(err_exit(judge_wanted(root, g, found, twice), EXIT_HOST));
	}
	for (size_t i = 0; g->functions && i < g->n_functions && !found; i++) {
		cleanup_err struct err *e =
			groups_is_card(g, &g->functions[i]) ? judge_wanted(root, g, &g->functions[i], false) : err_new("no card");
		found = e ? NULL : &g->functions[i];
	}
	if (found)
		with_company(g, found, ret_v, ret_n);
	return NULL;
}

/* ---- the script ---- */

static char *identity(const struct pci_function *fn)
{
	return str_fmt("0x%04x 0x%04x 0x%04x 0x%04x 0x%06x", fn->vendor, fn->device, fn->sub_vendor, fn->sub_device, fn->class);
}

/*
 * Runs in the initial RAM disk and later: as vfio-pci is loaded (modprobe.d), as the first device of such a class appears (udev), and from
 * initramfs-tools' init-top; the last two also where vfio-pci is built into the kernel. Only a shell's own words, modprobe apart: there is
 * little else in an initial RAM disk.
 *
 * An address alone is no device: a card more or fewer, or a firmware's update, renumbers buses, and the root's controller may stand where
 * the card was. So what stands there must look as before; and as many things of that look must stand at the very same addresses, else of
 * two equal ones (drives above all) the host's own could be meant. What a driver has already, or the firmware's screen is on, stays.
 */
char *setup_early_script(const struct groups *g, const struct pci_function *const *devices, size_t n)
{
	struct sb out = {};
	sb_add(&out, "#!/bin/sh\n" SETUP_MARK
		     "# vfio-pci has these devices before any other driver sees them, as long as they are what and where they were.\n"
		     "export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin\n"
		     "devices=/sys/bus/pci/devices\n"
		     "taken=\n"
		     "look() { # DEVICE: what it is, in $look\n"
		     "\tlook=\n"
		     "\tfor f in vendor device subsystem_vendor subsystem_device class; do\n"
		     "\t\tread -r x <\"$1/$f\" || return 1\n"
		     "\t\tlook=\"$look${look:+ }$x\"\n"
		     "\tdone\n"
		     "} 2>/dev/null\n"
		     "leave() { # ADDRESS WHY\n"
		     "\techo \"qlaunch: $1 $2, so it stays with the host\" >/dev/kmsg\n"
		     "} 2>/dev/null\n"
		     "take() { # ADDRESS WHAT-IT-IS ADDRESSES-OF-ALL-THAT-ARE-SUCH\n"
		     "\tlook \"$devices/$1\" && [ \"$look\" = \"$2\" ] || { leave \"$1\" \"is another device now\"; return; }\n"
		     "\tall=\n"
		     "\tfor d in \"$devices\"/*; do look \"$d\" && [ \"$look\" = \"$2\" ] && all=\"$all${all:+ }${d##*/}\"; done\n"
		     "\t[ \"$all\" = \"$3\" ] || { leave \"$1\" \"has another look-alike than before\"; return; }\n"
		     "\tif [ -e \"$devices/$1/boot_vga\" ]; then read -r x <\"$devices/$1/boot_vga\"; else x=0; fi\n"
		     "\t[ \"$x\" != 1 ] || { leave \"$1\" \"has the screen\"; return; }\n"
		     "\t[ ! -e \"$devices/$1/driver\" ] || return\n"
		     "\techo vfio-pci >\"$devices/$1/driver_override\" && taken=\"$taken $1\"\n"
		     "}\n");
	for (size_t i = 0; i < n; i++) {
		cleanup_free char *what = identity(devices[i]);
		sb_addf(&out, "take %s '%s' '", pci_addr_text(devices[i]->addr).s, what);
		const char *blank = "";
		for (size_t k = 0; k < g->n_functions; k++) { /* by address, as the shell's * is */
			cleanup_free char *other = identity(&g->functions[k]);
			if (!streq(what, other))
				continue;
			sb_addf(&out, "%s%s", blank, pci_addr_text(g->functions[k].addr).s);
			blank = " ";
		}
		sb_add(&out, "'\n");
	}
	sb_add(&out, "# by its path: busybox, which may be the shell here, has a modprobe of its own that knows no -i\n"
		     "for d in /sbin /usr/sbin /bin /usr/bin; do [ ! -x \"$d/modprobe\" ] || break; done\n"
		     "\"$d/modprobe\" -i vfio-pci\n"
		     "status=$?\n"
		     "for a in $taken; do # built in, it was there before they were its own\n"
		     "\t[ -e \"$devices/$a/driver\" ] || echo \"$a\" >/sys/bus/pci/drivers_probe\n"
		     "done\n"
		     "exit $status\n");
	return sb_steal(&out);
}
