/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci_check: what `check` says of the devices, and the last look at their groups before QEMU starts. Changes nothing.
 */
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/tr.h"
#include "launcher/host/kind/sessions.h"
#include "launcher/host/pci/pci.h"

/* "0000:01:00.0 NVIDIA Corporation GA102 [GeForce RTX 3090] (driver nouveau)" */
static char *told(struct pci_names *names, const struct pci_function *fn)
{
	cleanup_free char *name = pci_names_get(names, fn->vendor, fn->device);
	return str_fmt("%s %s (%s%s)", pci_addr_text(fn->addr).s, name, fn->driver ? _("driver ") : _("no driver"),
		       fn->driver ? fn->driver : "");
}

void pci_remapping_check(struct findings *out, bool no_remapping)
{
	if (no_remapping)
		findings_add(
			out, FINDING_BAD, "interrupts",
			tr_dup("interrupts are not remapped: a guest's device could send any of them to the host, and vfio refuses it"),
			tr_dup("take intremap=off or nointremap out of the kernel's command line, switch x2APIC on in the firmware's setup, or a newer "
			       "firmware; on a board that cannot: vfio_iommu_type1.allow_unsafe_interrupts=1"));
}

static void check_iommu(struct findings *out, const struct pci_facts *f)
{
	if (f->iommu) {
		findings_add(out, FINDING_OK, "iommu", tr_dup("the IOMMU is on"), NULL);
		pci_remapping_check(out, f->no_remapping);
		return;
	}
	const char *remedy = f->iommu_disabled
				     ? _("take iommu=off, intel_iommu=off or amd_iommu=off out of the kernel's command line, reboot")
			     : f->intel ? _("switch VT-d on in the firmware setup, add intel_iommu=on to the kernel's command line "
					    "(GRUB_CMDLINE_LINUX in /etc/default/grub, then update-grub), reboot")
					: _("switch IOMMU (AMD-Vi) and SVM on in the firmware setup; Linux needs no parameter for it");
	findings_add(out, FINDING_BAD, "iommu", tr_dup("the IOMMU is off: no device can be passed through"), str_dup(remedy));
}

static bool is_accepted(const struct conf_pci *conf, struct pci_addr addr)
{
	for (size_t i = 0; i < conf->accept.n; i++) {
		struct pci_addr accepted;
		cleanup_err struct err *e = pci_addr_parse(conf->accept.v[i], &accepted);
		if (!e && pci_addr_equal(addr, accepted))
			return true;
	}
	return false;
}

/* A driver waits for ever for those that it cannot do without. Who ends with a desktop that is stopped before is none of them. */
static void check_holders(struct findings *out, const struct config *c, const struct pci_function *fn, struct root *root)
{
	cleanup_free char *manager = c->host.release_console ? session_manager(root) : NULL;
	cleanup_free char *blocking = NULL, *all = NULL;
	cleanup_err struct err *e = pci_holders(root, fn->addr, true, manager, &blocking);
	if (!e && !blocking)
		e = pci_holders(root, fn->addr, false, NULL, &all);
	if (e)
		findings_add(out, FINDING_BAD, "holders", str_dup(err_text(e)),
			     tr_dup("an unbinding that hangs, maybe: `dmesg`, then a reboot"));
	else if (blocking || all)
		findings_add(out, blocking ? FINDING_BAD : FINDING_WARN, "holders",
			     tr_fmt("%s is held open by %s", pci_addr_text(fn->addr).s, blocking ? blocking : all),
			     tr_dup(blocking ? "end them before the launch: unbinding would wait for them for ever"
					     : N_("they lose the card at the launch")));
}

/* pci.ids is big: a name is looked up where somebody reads it. */
static void check_there(struct findings *out, const struct pci_function *fn, struct pci_names *names, struct root *root)
{
	bool answers = fn->is_planned || pci_answers(root, fn->addr);
	if (answers && out->terse)
		return;
	cleanup_free char *who = told(names, fn);
	if (fn->is_planned)
		findings_add(out, FINDING_OK, "device", tr_fmt("%s will be a virtual function, made at the start", who), NULL);
	else if (answers)
		findings_add(out, FINDING_OK, "device", steal(who), NULL);
	else
		findings_add(out, FINDING_BAD, "device", tr_fmt("%s does not answer: it has fallen off the bus, or has no power", who),
			     tr_dup("switch the machine off and on again; a reset or a reboot may not be enough"));
}

static void check_function(struct findings *out, const struct config *c, const struct pci_function *fn, struct pci_names *names,
			   struct root *root)
{
	struct pci_addr_text text = pci_addr_text(fn->addr);
	const char *addr = text.s;
	check_there(out, fn, names, root);
	if (fn->is_planned)
		return;
	if (fn->group < 0)
		findings_add(out, FINDING_BAD, "group", tr_fmt("%s is in no IOMMU group", addr),
			     tr_dup("without a group it cannot be passed through; is the IOMMU on?"));
	if (fn->vfs)
		findings_add(out, FINDING_BAD, "sriov", tr_fmt("%s has %u virtual functions in use", addr, fn->vfs),
			     tr_fmt("pass one of them, or end them: echo 0 > /sys/bus/pci/devices/%s/sriov_numvfs", addr));
	if (fn->boot_vga && !c->host.release_console)
		findings_add(out, FINDING_WARN, "console", tr_fmt("the host's own screen is on %s", addr),
			     tr_dup("a single card: release-console = yes in [host]; two: make the other one the "
				    "primary display in the firmware setup"));
	if (pci_is_gpu(fn) && !pci_has_outputs(fn) && c->display.mode == DISPLAY_NONE)
		findings_add(
			out, FINDING_WARN, "display", tr_fmt("no picture comes out of %s: it is a 3D controller, without outputs", addr),
			tr_dup("mode = looking-glass in [display], with a virtual display's driver in the guest; or mode = window, and the "
			       "card computes only"));
	if (!fn->claimed)
		check_holders(out, c, fn, root);
}

/* Without a reset of its own a function is reset with its bus, which vfio does where it has every function of the slot. */
static void check_reset(struct findings *out, const struct pci_facts *f, const struct pci_pick *pick, size_t k, struct root *root)
{
	const struct pci_function *fn = &pick->v[k];
	cleanup_strv struct strv slot = {}, left = {};
	bool bus = fn->addr.bus != 0; /* on the root's own bus there is none to reset */
	if (pci_resets_alone(fn))
		return;
	pci_slot(root, fn->addr, &slot);
	for (size_t i = 0; i < slot.n; i++) {
		struct pci_addr addr;
		cleanup_err struct err *e = pci_addr_parse(slot.v[i], &addr);
		if (!e && !pci_is_passed(f, addr))
			strv_add(&left, pci_addr_short(addr).s);
	}
	cleanup_free char *others = strv_join(&left, ", ");
	struct pci_addr_text text = pci_addr_short(fn->addr);
	const char *addr = text.s;
	if (!bus)
		findings_add(out, FINDING_WARN, "reset",
			     tr_fmt("nothing can reset %s: it may serve one guest only until the host is started again", addr), NULL);
	else if (left.n)
		findings_add(
			out, FINDING_WARN, "reset",
			tr_fmt("%s has no reset of its own, and its bus can be reset with all functions of its slot only: %s stays with the host",
			       addr, others),
			tr_fmt("functions = slot in [pci %s]", pick->conf->name));
	else if (k == pick->named)
		findings_add(out, FINDING_OK, "reset",
			     tr_fmt("%s has no reset of its own: its bus is reset, all functions of the slot go to the guest", addr), NULL);
}

/* The card's sound is in another slot: with the group alone it would stay with the host. */
static void check_card_audio(struct findings *out, const struct pci_facts *f, const struct pci_pick *pick, struct root *root)
{
	struct pci_addr audio;
	for (size_t k = 0; k < pick->n; k++)
		if (pci_card_audio(root, &pick->v[k], &audio) && !pci_is_passed(f, audio))
			findings_add(out, FINDING_WARN, "audio",
				     tr_fmt("the sound of %s, %s, is a device of its own behind the same switch and stays with the host",
					    pci_addr_short(pick->v[k].addr).s, pci_addr_short(audio).s),
				     tr_fmt("[pci %s-audio] with address = %s", pick->conf->name, pci_addr_short(audio).s));
}

/* What goes to the guest only because it is of the same group or slot, and the host would miss: refused, unless the section accepts it.
 * What the section names itself is meant. */
static void check_used(struct findings *out, const struct config *c, const struct pci_pick *pick, size_t k, struct root *root)
{
	const struct pci_function *fn = &pick->v[k];
	cleanup_strv struct strv why = {};
	pci_used(root, fn, &why);
	if (fn->boot_vga && !c->host.release_console && k != pick->named)
		strv_addf(&why, _("the host's own screen is on %s"), pci_addr_short(fn->addr).s);
	for (size_t i = 0; i < why.n; i++) {
		if (k == pick->named || is_accepted(pick->conf, fn->addr))
			findings_add(out, FINDING_WARN, "used", tr_fmt("the guest gets what this host uses: %s", why.v[i]),
				     tr_dup("the host is without it until the guest ends"));
		else
			findings_add(
				out, FINDING_BAD, "used",
				tr_fmt("%s would come along with [pci %s]: %s", pci_addr_short(fn->addr).s, pick->conf->name, why.v[i]),
				tr_fmt("another slot for the card; or, if you mean it, accept = %s in [pci %s]", pci_addr_short(fn->addr).s,
				       pick->conf->name));
	}
}

static void check_group(struct findings *out, const struct pci_facts *f, int group, struct pci_names *names)
{
	cleanup_strv struct strv others = {};
	size_t passed = 0;
	for (size_t i = 0; i < f->n_picks; i++)
		for (size_t k = 0; k < f->picks[i].n; k++)
			passed += f->picks[i].v[k].group == group;
	for (size_t i = 0; i < f->n_rest; i++) {
		if (f->rest[i].group != group || pci_driver_harmless(f->rest[i].driver))
			continue;
		cleanup_free char *who = told(names, &f->rest[i]);
		strv_add(&others, who);
	}
	for (size_t i = 0; i < f->strangers.n; i++)
		strv_add(&others, f->strangers.v[i]);
	if (!others.n) {
		findings_add(out, FINDING_OK, "group",
			     tr_fmt("IOMMU group %d: all its %zu functions go to the guest or have no driver", group, passed), NULL);
		return;
	}
	cleanup_free char *joined = strv_join(&others, "; ");
	findings_add(out, FINDING_BAD, "group", tr_fmt("IOMMU group %d is shared with %s", group, joined),
		     tr_dup("pass all of it (functions = group), put the card into another slot, or unbind what the host "
			    "does not need"));
}

static bool seen_group(const struct pci_facts *f, size_t pick, size_t fn)
{
	for (size_t i = 0; i <= pick; i++)
		for (size_t k = 0; k < (i == pick ? fn : f->picks[i].n); k++)
			if (f->picks[i].v[k].group == f->picks[pick].v[fn].group)
				return true;
	return false;
}

void pci_findings(struct findings *out, const struct config *c, const struct pci_facts *f, struct root *root)
{
	if (!f->n_picks)
		return;
	cleanup_pci_names struct pci_names *names = pci_names_new();
	check_iommu(out, f);
	findings_add(out, FINDING_OK, "vfio",
		     tr_dup(f->vfio ? "vfio-pci is loaded" : N_("vfio-pci is not loaded yet: the launch loads it")), NULL);
	for (size_t i = 0; i < f->n_picks; i++) {
		const struct pci_pick *pick = &f->picks[i];
		if (pick->problem) {
			findings_add(out, FINDING_BAD, "device", str_dup(pick->problem), str_dup(pick->remedy));
			continue;
		}
		for (size_t k = 0; k < pick->n; k++) {
			check_function(out, c, &pick->v[k], names, root);
			check_used(out, c, pick, k, root);
			check_reset(out, f, pick, k, root);
		}
		check_card_audio(out, f, pick, root);
		pci_rom_findings(out, pick);
		for (size_t k = 0; k < pick->n; k++) {
			if (pick->v[k].group < 0 || seen_group(f, i, k))
				continue;
			check_group(out, f, pick->v[k].group, names);
			if (pci_group_reserved(root, pick->v[k].group))
				findings_add(
					out, FINDING_BAD, "reserved",
					tr_fmt("the firmware keeps memory of IOMMU group %d for itself (RMRR): the kernel gives none of it to a guest",
					       pick->v[k].group),
					tr_dup("a newer firmware, or its setting that ends this (HP: \"shared memory\" of the slot); no setting of Linux does"));
		}
	}
	pci_modules_findings(out, f);
	if (geteuid() != 0)
		findings_add(out, FINDING_WARN, "holders", tr_dup("who holds the devices open was looked up among your own processes only"),
			     tr_dup("run the check as root to see all of them"));
}

static struct err *check_members(struct root *root, const struct pci_facts *f, int group)
{
	cleanup_strv struct strv names = {};
	cleanup_free char *path = str_fmt("/sys/kernel/iommu_groups/%d/devices", group);
	TRY(root_list(root, path, &names));
	for (size_t i = 0; i < names.n; i++) {
		struct pci_addr addr;
		cleanup_free char *link = str_fmt("%s/%s/driver", path, names.v[i]), *driver = root_link_name(root, link);
		cleanup_err struct err *e = pci_addr_parse(names.v[i], &addr);
		if (!e && pci_is_passed(f, addr) && !streq(driver, "vfio-pci"))
			return err_hint(err_new("%s is on %s, not on vfio-pci", names.v[i], driver ? driver : _("no driver")),
					"somebody took it back meanwhile: start again");
		if (!pci_driver_harmless(driver))
			return err_hint(err_new("%s in IOMMU group %d has got the driver %s", names.v[i], group, driver),
					"unbind it, or `qlaunch check` again");
	}
	return NULL;
}

static struct err *check_made(struct root *root, const struct pci_facts *f, const struct pci_function *fn)
{
	cleanup_free char *path = pci_path(fn->addr, "iommu_group"), *group = root_link_name(root, path);
	if (!group)
		return err_new("the virtual function %s is in no IOMMU group", pci_addr_text(fn->addr).s);
	return check_members(root, f, atoi(group));
}

struct err *pci_groups_check(struct root *root, const struct pci_facts *f)
{
	for (size_t i = 0; i < f->n_picks; i++)
		for (size_t k = 0; k < f->picks[i].n; k++)
			if (f->picks[i].v[k].is_planned) /* it is there by now */
				TRY(err_exit(check_made(root, f, &f->picks[i].v[k]), EXIT_HOST));
			else if (!seen_group(f, i, k))
				TRY(err_exit(check_members(root, f, f->picks[i].v[k].group), EXIT_HOST));
	return NULL;
}
