/* SPDX-License-Identifier: GPL-2.0-or-later */
/* survey: what the facts come to, a finding each with its remedy as a command. Opens nodes to see whether the user may;
 * changes nothing. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/advise/survey.h"
#include "launcher/host/kind/vfio.h"

#define LEAST_MEMORY (UINT64_C(8) << 30) /* below it a host has no half to give to Windows */

struct checking {
	struct findings *out;
	struct cli *cli;
	const struct survey *s;
	struct pci_names *names;
};

static void ok(const struct checking *k, const char *topic, char *text)
{
	findings_add(k->out, FINDING_OK, topic, text, NULL);
}

/* ---- may the user? ---- */

struct opening {
	struct root *root;
	const char *path;
};

static struct err *try_open(void *data)
{
	const struct opening *o = data;
	cleanup_fd int fd = -1;
	return root_open_fd(o->root, o->path, O_RDWR | O_NONBLOCK | O_NOCTTY, &fd);
}

/* Whether the user, not the root that may have called us, can open the node; only the host itself can tell. */
static bool may_open(const struct checking *k, const char *path)
{
	struct opening o = { k->cli->root, path };
	cleanup_err struct err *e = root_is_host(o.root) ? user_visit(&k->s->user, try_open, &o) : NULL;
	return !e;
}

static void check_kvm_access(const struct checking *k)
{
	if (k->s->cpu.kvm_problem || may_open(k, "/dev/kvm"))
		return;
	findings_add(k->out, FINDING_BAD, "kvm", tr_fmt("%s may not open /dev/kvm", k->s->user.name),
		     tr_fmt("sudo usermod -aG kvm %s, then log in again", k->s->user.name));
}

static void check_user(const struct checking *k)
{
	const struct user *u = &k->s->user;
	if (u->uid == 0)
		findings_add(k->out, FINDING_WARN, "user", tr_dup("QEMU would run as root, if without its capabilities"),
			     tr_dup("start qlaunch by sudo from your own account"));
	else
		ok(k, "user", tr_fmt("QEMU runs as %s; preparing the host needs sudo or pkexec", u->name));
}

/* ---- IOMMU and cards ---- */

static void check_iommu(const struct checking *k)
{
	const struct survey *s = k->s;
	static const char *const off[] = { "iommu=off", "amd_iommu=off", "intel_iommu=off" };
	bool intel = s->cpu.vendor == CPU_INTEL;
	if (s->groups.iommu) {
		ok(k, "iommu", tr_fmt("the IOMMU is on: %zu groups", s->groups.n));
		pci_remapping_check(k->out, pci_no_remapping(k->cli->root));
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(off); i++) {
		if (!boot_has(&s->boot, off[i]))
			continue;
		cleanup_free char *remedy = boot_take_out(&s->boot, off[i]);
		findings_add(k->out, FINDING_BAD, "iommu", tr_fmt("the kernel's command line switches the IOMMU off: %s", off[i]),
			     tr_fmt("%s # then reboot", remedy));
		return;
	}
	if (!s->iommu_table || !intel) {
		findings_add(k->out, FINDING_BAD, "iommu", tr_dup("the IOMMU is off in the firmware: no device can be passed"),
			     tr_dup(intel ? "switch VT-d on in the firmware's setup, then look here again"
					  : N_("switch IOMMU (AMD-Vi) on in the firmware's setup, \"Enabled\" rather than \"Auto\"; "
					       "Linux needs no parameter for it")));
		return;
	}
	cleanup_free char *remedy = boot_remedy(&s->boot, "intel_iommu=on");
	findings_add(k->out, FINDING_BAD, "iommu",
		     tr_fmt("there is an IOMMU, and the kernel does not use it (boot loader: %s)", boot_loader_name(&s->boot)),
		     tr_fmt("%s # then reboot", remedy));
}

static char *told(const struct checking *k, const struct pci_function *fn)
{
	cleanup_free char *name = group_name(k->names, fn);
	return str_fmt("%s %s, %s%s", pci_addr_short(fn->addr).s, name, fn->driver ? _("driver ") : _("no driver"),
		       fn->driver ? fn->driver : "");
}

static void check_group(const struct checking *k, const struct pci_function *gpu, const struct group *x)
{
	cleanup_strv struct strv others = {};
	cleanup_free char *card = told(k, gpu);
	for (size_t i = 0; i < k->s->groups.n_functions; i++) {
		const struct pci_function *fn = &k->s->groups.functions[i];
		if (fn != gpu && groups_with(&k->s->groups, gpu, fn))
			strv_addf(&others, "%s %s", pci_addr_short(fn->addr).s, group_class_word(fn->class));
	}
	cleanup_free char *with = strv_join(&others, ", "), *why = strv_join(&x->why, "; ");
	if (x->verdict == GROUP_FREE)
		ok(k, "gpu", tr_fmt("can be passed: %s; IOMMU group %d%s%s", card, x->number, others.n ? _(" with ") : "", with));
	else if (x->verdict == GROUP_DEAD)
		findings_add(k->out, FINDING_WARN, "gpu", tr_fmt("cannot be passed: %s; %s", card, why),
			     tr_dup("switch the machine off and on again; a reset or a reboot may not be enough"));
	else
		findings_add(k->out, FINDING_WARN, "gpu",
			     tr_fmt("%s shares IOMMU group %d with what the host uses: %s", card, x->number, why),
			     tr_dup("put the card into another slot; `qlaunch groups` shows the groups"));
}

/* The firmware's screen is on the card that a guest would want, while the processor could show the host. */
static void check_screen(const struct checking *k)
{
	const struct groups *g = &k->s->groups;
	const struct pci_function *other = groups_other_screen(g);
	cleanup_free char *name = other ? told(k, other) : NULL;
	if (other)
		findings_add(
			k->out, FINDING_WARN, "screen",
			tr_fmt("the host's screen is on the graphics card, although the processor has graphics of its own: %s", name),
			tr_dup("make these the primary display in the firmware's setup (\"iGPU\", \"IGD\") and plug the host's monitor in there; "
			       "otherwise the desktop ends while a guest has the card (release-console = yes in [host])"));
}

static void check_gpus(const struct checking *k)
{
	const struct groups *g = &k->s->groups;
	size_t others = 0;
	cleanup_free char *host = g->host_gpu ? told(k, g->host_gpu) : NULL;
	if (host)
		ok(k, "gpu", tr_fmt("the host's: %s", host));
	check_screen(k);
	for (size_t i = 0; i < g->n_functions; i++) {
		const struct pci_function *fn = &g->functions[i];
		if (!pci_is_gpu(fn) || fn == g->host_gpu || fn->is_vf)
			continue;
		others++;
		cleanup_free char *card = told(k, fn);
		if (fn->group >= 0)
			check_group(k, fn, groups_of(g, fn));
		else
			findings_add(k->out, FINDING_WARN, "gpu", tr_fmt("for the guest, once the IOMMU is on: %s", card), NULL);
	}
	if (!others)
		findings_add(
			k->out, FINDING_WARN, "gpu",
			tr_dup(host ? "there is no second graphics card for the guest" : N_("there is no graphics card")),
			tr_dup(host ? "qlaunch new --gpu ADDRESS: the guest gets the only one (`release-console = yes` in [host]), and the "
				      "desktop ends meanwhile"
				    : NULL));
}

static void check_vfio(const struct checking *k)
{
	const struct survey *s = k->s;
	const struct config none = {};
	if (s->vfio)
		ok(k, "vfio", tr_dup("the kernel has vfio-pci"));
	else
		findings_add(k->out, FINDING_BAD, "vfio", tr_fmt("the kernel %s has no vfio-pci", s->cpu.kernel),
			     tr_dup("use a kernel with CONFIG_VFIO_PCI; the distributions' own have it"));
	vfio_findings(k->out, &none, k->cli->root, qemu_has(&s->qemu, "device:vfio-pci.fd"));
}

/* ---- programs ---- */

static void check_firmware(const struct checking *k)
{
	const struct survey *s = k->s;
	if (s->secure.code)
		ok(k, "firmware", tr_fmt("UEFI with Secure Boot: %s", s->secure.code));
	else if (s->plain.code)
		findings_add(k->out, FINDING_WARN, "firmware",
			     tr_fmt("UEFI without Secure Boot only, which Windows 11 asks for: %s", s->plain.code),
			     str_dup(s->secure_remedy));
	else
		findings_add(k->out, FINDING_BAD, "firmware", str_dup(s->secure_problem), str_dup(s->secure_remedy));
	if (s->swtpm)
		ok(k, "swtpm", tr_dup("swtpm, the TPM emulator, is there"));
	else
		findings_add(k->out, FINDING_WARN, "swtpm",
			     tr_dup("swtpm, the TPM emulator, is not installed, and Windows 11 asks for a TPM"),
			     tr_dup("apt-get install swtpm, pacman -S swtpm or dnf install swtpm"));
}

static void check_kernel(const struct checking *k)
{
	const struct survey *s = k->s;
	if (!s->cpu.kernel)
		return;
	if (cpu_kernel_is(&s->cpu, 5, 15))
		ok(k, "kernel", tr_fmt("Linux %s; boot loader: %s", s->cpu.kernel, boot_loader_name(&s->boot)));
	else
		findings_add(k->out, FINDING_BAD, "kernel", tr_fmt("Linux %s is older than 5.15", s->cpu.kernel),
			     tr_dup("install a newer kernel of your distribution"));
}

/* ---- memory and CPUs ---- */

static void check_memory(const struct checking *k)
{
	const struct memory_facts *m = &k->s->memory;
	char *text = tr_fmt("%" PRIu64 " GiB, %" PRIu64 " of them available", m->total >> 30, m->available >> 30);
	if (m->total + (UINT64_C(1) << 30) >= LEAST_MEMORY)
		ok(k, "memory", text);
	else
		findings_add(k->out, FINDING_WARN, "memory", text, tr_dup("for Windows beside a desktop 16 GiB are the least"));
	bool sizes[MEMORY_SIZES] = {};
	for (size_t i = 0; i < m->n_nodes; i++)
		for (int size = 0; size < MEMORY_SIZES; size++)
			sizes[size] |= m->nodes[i].huge[size].there;
	if (sizes[MEMORY_1G] || sizes[MEMORY_2M])
		ok(k, "hugepages",
		   tr_fmt("pages of %s%s%s; a launch takes them and gives them back", sizes[MEMORY_1G] ? "1 GiB" : "",
			  sizes[MEMORY_1G] && sizes[MEMORY_2M] ? _(" and ") : "", sizes[MEMORY_2M] ? "2 MiB" : ""));
	else
		findings_add(k->out, FINDING_WARN, "hugepages", tr_dup("the kernel has no huge pages"),
			     tr_dup("machines run with `hugepages = transparent` in [memory], if slower"));
}

static void check_cgroup(const struct checking *k)
{
	const struct cgroup_facts *f = &k->s->cgroup;
	if (f->obstacle)
		findings_add(k->out, FINDING_WARN, "cgroup", tr_fmt("no CPUs can be set apart for a guest: %s", f->obstacle),
			     str_dup(f->remedy));
	else
		ok(k, "cgroup", tr_fmt("cgroup v2%s: CPUs can be set apart for a guest", f->systemd ? _(" under systemd") : ""));
}

/* ---- keyboard, mouse, monitor ---- */

static void check_inputs(const struct checking *k)
{
	const struct survey *s = k->s;
	size_t keyboards = input_count(&s->inputs, INPUT_KEYBOARD), mice = input_count(&s->inputs, INPUT_MOUSE);
	if (keyboards && mice)
		ok(k, "input", tr_fmt("to share with a guest: keyboards %zu, mice %zu", keyboards, mice));
	else
		findings_add(k->out, FINDING_WARN, "input",
			     tr_fmt("no %s that a guest could share", keyboards ? _("mouse") : _("keyboard")),
			     tr_dup("plug one in; qlaunch input lists what is there"));
	if (!root_exists(k->cli->root, "/dev/uinput"))
		findings_add(k->out, FINDING_WARN, "input", tr_dup("there is no /dev/uinput: unplugged devices are lost to the guest"),
			     str_dup("sudo modprobe uinput; echo uinput | sudo tee /etc/modules-load.d/uinput.conf"));
}

static void check_ddc(const struct checking *k)
{
	const struct survey *s = k->s;
	if (!s->i2c.n) {
		findings_add(k->out, FINDING_WARN, "ddc", tr_dup("no I2C buses in /dev: a monitor's input cannot be switched"),
			     str_dup("sudo modprobe i2c-dev; echo i2c-dev | sudo tee /etc/modules-load.d/i2c-dev.conf"));
		return;
	}
	if (may_open(k, s->i2c.v[0]))
		ok(k, "ddc", tr_fmt("I2C buses: %zu; a monitor's input can be switched", s->i2c.n));
	else
		findings_add(k->out, FINDING_WARN, "ddc", tr_fmt("%s may not open %s; a launch by sudo can", s->user.name, s->i2c.v[0]),
			     tr_fmt("sudo usermod -aG i2c %s, then log in again", s->user.name));
}

void survey_check(struct findings *out, struct cli *cli, const struct survey *s)
{
	cleanup_pci_names struct pci_names *names = pci_names_new();
	struct checking k = { out, cli, s, names };
	check_kernel(&k);
	cpu_check(out, NULL, &s->cpu);
	check_kvm_access(&k);
	check_user(&k);
	check_iommu(&k);
	check_gpus(&k);
	check_vfio(&k);
	qemu_findings(out, &s->qemu);
	check_firmware(&k);
	check_memory(&k);
	check_cgroup(&k);
	check_inputs(&k);
	check_ddc(&k);
}
