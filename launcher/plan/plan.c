/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan: see plan.h. In this order:
 *
 *  1. who: the user on whose behalf all of it runs; the config is read with that user's rights.
 *  2. facts: what each part of the host is. A part that the config does not use is not looked at.
 *  3. choices: KVM or TCG, CPUs, firmware. What cannot be chosen is a finding, and the plan goes on without it.
 *  4. steps, in the order in which they are applied; 5. arguments, a builder per part of the machine.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/base/tr.h"
#include "launcher/guest/args_audio.h"
#include "launcher/guest/args_cpu.h"
#include "launcher/guest/args_disk.h"
#include "launcher/guest/args_display.h"
#include "launcher/guest/args_input.h"
#include "launcher/guest/args_machine.h"
#include "launcher/guest/args_net.h"
#include "launcher/guest/args_pci.h"
#include "launcher/guest/args_mdev.h"
#include "launcher/guest/args_share.h"
#include "launcher/guest/args_usb.h"
#include "launcher/host/screen/monitor.h"
#include "launcher/host/kind/scratch.h"
#include "launcher/host/kind/unit.h"
#include "launcher/host/kind/vfio.h"
#include "launcher/host/net/net_keep.h"
#include "launcher/host/tuning/tuning.h"
#include "launcher/plan/install.h"
#include "launcher/plan/plan.h"
#include "launcher/plan/shared.h"
#include "launcher/step/journal.h"
#include "ovmf/tpm.h"
#include "ovmf/vars.h"

/* What the guest needs to lock beyond its RAM when a device is passed through: page tables, BARs, QEMU itself (about 1 GiB). */
#define MEMLOCK_EXTRA (UINT64_C(1) << 30)

/* The config says who (vm.user), and who says with whose rights the config is read: the caller first, then the one that it names. */
static struct err *who_and_what(struct cli *cli, const char *arg, struct plan *p)
{
	cleanup_user struct user caller = {};
	TRY(config_load_as_caller(arg, &cli->sets, &caller, &p->config));
	if (cli->install) {
		cleanup_free char *viewer = child_find("remote-viewer");
		install_amend(p->config, cli->install, cli->drivers, cli->answers, viewer ? DISPLAY_SPICE : DISPLAY_WINDOW);
	}
	return user_of_config(&caller, p->config->vm.user, &p->user);
}

static int gpu_node(const struct plan *p)
{
	for (size_t i = 0; i < p->pci.n_picks; i++)
		for (size_t k = 0; k < p->pci.picks[i].n; k++)
			if (pci_is_gpu(&p->pci.picks[i].v[k]))
				return p->pci.picks[i].v[k].numa_node;
	return -1;
}

/* KVM where it works; without it emulation, if the config allows that. */
static void choose_accel(struct plan *p)
{
	const struct cpu_facts *f = &p->cpu_facts;
	bool kvm = p->config->vm.accel == ACCEL_KVM || (p->config->vm.accel == ACCEL_AUTO && !f->kvm_problem);
	p->accel = kvm ? ACCEL_KVM : ACCEL_TCG;
	if (p->config->vm.accel == ACCEL_AUTO)
		p->accel_why = str_dup(f->kvm_problem);
}

/* The user's own image: what it is, only they know; it starts without SMM unless Secure Boot is wanted, and its variables are theirs. */
static void own_firmware(struct plan *p)
{
	const char *code = p->config->firmware.code, *format = str_ends(code, ".qcow2") ? "qcow2" : "raw";
	p->firmware = (struct firmware){ .code = str_dup(code),
					 .code_format = str_dup(format),
					 .vars_format = str_dup(format),
					 .template = str_dup(p->config->firmware.vars),
					 .secure_boot = p->config->firmware.secure_boot,
					 .requires_smm = p->config->firmware.secure_boot };
}

static struct err *find_firmware(void *data)
{
	struct plan *p = data;
	cleanup_root struct root *root = NULL;
	cleanup_free char *config_home = str_fmt("%s/.config", p->user.home);
	TRY(root_open("/", &root));
	return firmware_find(root, config_home, p->config->firmware.secure_boot, &p->firmware);
}

struct named {
	struct cli *cli;
	struct plan *p;
	const char *run_dir;
};

/* What the configuration names by a path. Root does not even look there: it could tell the user what is in others' directories. */
static struct err *read_named(void *data)
{
	struct named *n = data;
	TRY(disk_facts_read(n->cli->root, n->p->config, &n->p->disks));
	TRY(share_facts_read(n->cli->root, n->p->config, &n->p->user, qemu_has(&n->p->qemu_facts, "device:vhost-user-fs-pci"),
			     &n->p->shares));
	return input_facts_read(n->cli->root, n->p->config, n->run_dir, &n->p->inputs);
}

static struct err *read_facts(struct cli *cli, struct plan *p)
{
	const struct config *c = p->config;
	cleanup_free char *base = journal_base(), *run_dir = str_fmt("%s/%s", base, c->vm.name);
	struct named named = { cli, p, run_dir };
	TRY(cpu_facts_read(cli->root, &p->cpu_facts));
	TRY(pci_facts_read(cli->root, c, &p->pci));
	shared_virtual(&cli->env, base, &p->pci, c->vm.name);
	TRY(mdev_facts_read(cli->root, c, &p->mdevs));
	p->iommufd = (c->n_pci || c->n_mdevs) && vfio_by_iommufd(cli->root, c);
	dmi_facts_read(cli->root, c, &p->dmi);
	TRY(cgroup_facts_read(cli->root, c, &p->cgroup));
	TRY(console_facts_read(cli->root, c, &p->console));
	if (c->n_usb)
		TRY(usb_devices_read(cli->root, &p->usb));
	TRY(memory_facts_read(cli->root, c, &p->memory));
	TRY(qemu_facts_read(cli->root, c, &p->user, &p->qemu_facts));
	TRY(root_is_host(cli->root) ? user_visit(&p->user, read_named, &named) : read_named(&named));
	TRY(desktop_facts_read(cli->root, c, &p->user, qemu_has(&p->qemu_facts, "spice"), &p->desktop));
	return net_facts_read(cli->root, c, p->user.uid, qemu_has(&p->qemu_facts, "netdev:stream"), &p->net);
}

static char *machine_path(const struct plan *p)
{
	cleanup_free char *dir = vars_vm_dir(p->config, p->user.data_dir);
	return str_fmt("%s/machine", dir);
}

static struct err *read_machine(void *data)
{
	struct plan *p = data;
	cleanup_root struct root *root = NULL;
	cleanup_free char *path = machine_path(p);
	TRY(root_open("/", &root));
	p->machine = root_read_or(root, path, NULL);
	return NULL;
}

/* The board stays the same for years, whatever QEMU comes: the user's word, else what the first start had, else the newest now. */
static void choose_machine(struct cli *cli, struct plan *p)
{
	if (p->config->vm.machine)
		p->machine = str_dup(p->config->vm.machine);
	else if (root_is_host(cli->root))
		err_free(user_visit(&p->user, read_machine, p));
	if (p->machine && !streq(p->machine, "q35") && !str_starts(p->machine, "pc-q35-"))
		str_set(&p->machine, NULL);
	if (!p->machine) {
		p->machine = qemu_newest_machine(&p->qemu_facts);
		p->machine_is_new = p->machine != NULL;
	}
	if (p->machine && !qemu_has_machine(&p->qemu_facts, p->machine)) {
		cleanup_free char *newest = qemu_newest_machine(&p->qemu_facts);
		findings_add(&p->findings, FINDING_BAD, "machine", tr_fmt("this QEMU has no %s, the board of this machine", p->machine),
			     tr_fmt("vm.machine = %s, another board: Windows may want to be activated again", newest));
	}
}

/* Kept as the user, beside the machine's UEFI variables. */
static struct err *keep_machine(struct root *root, const struct plan *p)
{
	if (!p->machine_is_new)
		return NULL;
	cleanup_free char *dir = vars_vm_dir(p->config, p->user.data_dir), *path = machine_path(p), *text = str_fmt("%s\n", p->machine);
	TRY(root_mkdirs(root, dir, 0700));
	return root_put(root, path, text, 0600);
}

/* From here on the configuration says what it comes to on this host. */
static void choose_pages(struct plan *p)
{
	static const char *const words[] = { [HUGEPAGES_TRANSPARENT] = "transparent", [HUGEPAGES_2M] = "2M", [HUGEPAGES_1G] = "1G" };
	bool by_itself = p->config->memory.hugepages == HUGEPAGES_AUTO;
	cleanup_free char *why = NULL;
	p->config->memory.hugepages = memory_pages_choose(p->config, &p->memory, &p->cpu.guest, &why);
	if (by_itself)
		p->pages_why = tr_fmt("auto is %s here%s%s", words[p->config->memory.hugepages], why ? "; " : "", why ? why : "");
}

static struct err *choose(struct cli *cli, struct plan *p)
{
	const struct config *c = p->config;
	struct cpus taken = {}; /* by machines that run already */
	for (size_t i = 0; i < p->cgroup.n_others; i++)
		taken = cpus_or(&taken, &p->cgroup.others[i].cpus);
	choose_accel(p);
	choose_machine(cli, p);
	if (c->host.smt)
		cpu_facts_single(&p->cpu_facts);
	struct cpus avoid = cgroup_avoid(&p->cgroup, &p->cpu_facts.online);
	cpu_plan_make(c, &p->cpu_facts, gpu_node(p), &taken, c->cpu.isolate == ISOLATE_OFF ? NULL : &avoid, &p->cpu);
	cgroup_tell_left(&p->cgroup, &p->cpu.left, &p->cpu.warnings);
	choose_pages(p);
	TRY(power_facts_read(cli->root, c, &p->cpu.guest, &p->power));
	p->irqs_away = p->cpu.exclusive && c->cpu.isolate != ISOLATE_OFF && c->host.irqs == IRQS_AWAY;
	if (p->irqs_away) /* a file for each interrupt: only where it is used */
		TRY(irq_facts_read(cli->root, c, &p->irq));
	if (c->firmware.type == FIRMWARE_UEFI) {
		if (c->firmware.code)
			own_firmware(p);
		else
			findings_add_err(&p->findings, "firmware",
					 root_is_host(cli->root) ? user_visit(&p->user, find_firmware, p)
								 : firmware_find(cli->root, NULL, c->firmware.secure_boot, &p->firmware));
		p->vars_path = vars_path(c, p->user.data_dir, &p->firmware);
	}
	if (c->tpm.version == TPM_NONE)
		return NULL;
	p->tpm_dir = tpm_dir(c, p->user.data_dir);
	p->swtpm_path = child_find("swtpm");
	if (!p->swtpm_path)
		findings_add(&p->findings, FINDING_BAD, "swtpm", tr_dup("swtpm, the TPM emulator, is not installed"),
			     tr_dup("apt-get install swtpm, pacman -S swtpm or dnf install swtpm"));
	return NULL;
}

static void make_steps(const struct cli *cli, struct plan *p)
{
	const struct config *c = p->config;
	struct steps *s = &p->steps;
	bool nodes = !p->iommufd; /* QEMU opens the groups itself, as the user */
	if (geteuid() == 0)
		unit_guard_step(s, cli->root, c->vm.name);
	disk_unmount_steps(s, &p->disks);
	p->claim_step = s->n;
	disk_steps(s, &p->disks);
	net_steps(s, &p->net, p->user.uid);
	p->n_early_steps = s->n;
	power_smt_step(s, c, &p->power);
	console_steps(s, &p->console);
	tuning_stop_steps(s, c, cli->root);
	for (size_t i = 0; i < p->pci.n_picks; i++)
		for (size_t k = 0; k < p->pci.picks[i].n; k++)
			net_keep_step(s, cli->root, pci_addr_text(p->pci.picks[i].v[k].addr).s);
	pci_steps(s, c, &p->pci, nodes ? p->user.uid : 0, p->user.gid);
	mdev_steps(s, &p->mdevs, nodes ? p->user.uid : 0, p->user.gid);
	memory_steps(s, c, &p->memory, &p->cpu.guest);
	power_steps(s, c, &p->power);
	power_profile_step(s, c, cli->root, &p->profile);
	tuning_steps(s, c, cli->root);
	if (p->irqs_away)
		irq_steps(s, c, &p->irq, &p->cpu.guest, &p->cpu.host);
	desktop_steps(s, &p->desktop, p->user.uid, p->user.gid);
	cgroup_steps(s, c, &p->cgroup, &p->cpu.all, &p->cpu.host, p->held);
	input_steps(s, &p->inputs, &p->user);
	usb_steps(s, c, &p->usb);
	if (c->n_pci || c->n_mdevs) {
		cleanup_free char *bytes = str_fmt("%" PRIu64, c->memory.size + MEMLOCK_EXTRA);
		steps_add(s, &memlock_kind, "qemu", bytes,
			  "the passed-through device may write to all of the guest's memory: it is locked");
	}
	if (p->tpm_dir) {
		p->swtpm_step = s->n;
		steps_add(s, &process_kind, "swtpm", PROCESS_WANT, "the guest's TPM")->late = true;
	}
	p->share_step = s->n;
	for (size_t i = 0; i < p->shares.n; i++)
		steps_add(s, &process_kind, p->shares.v[i].helper, PROCESS_WANT, "the guest's requests to the folder")->late = true;
	p->qemu_step = s->n;
	steps_add(s, &process_kind, "qemu", PROCESS_WANT, "the guest, paused until every thread is pinned")->late = true;
	display_viewer(&p->viewer_argv, c, &p->desktop);
	if (p->viewer_argv.n) {
		p->viewer_step = s->n;
		struct step *viewer = steps_add(s, &process_kind, "viewer", PROCESS_WANT, "shows the guest's picture");
		viewer->late = viewer->optional = true;
	}
	p->monitor_step = s->n;
	for (size_t i = 0; i < c->n_monitors; i++)
		monitor_step(s, c->monitors[i].match, c->monitors[i].guest_input, c->monitors[i].host_input);
}

static void make_args(struct plan *p)
{
	const struct config *c = p->config;
	int fd = PLAN_FD_MORE, fd_tpm = p->tpm_dir ? fd++ : -1, fd_agent = guest_agent_listens(c) ? fd++ : -1, fd_acpi = fd;
	fd += (int)p->dmi.n_tables;
	for (size_t i = 0; i < p->pci.n_picks; i++)
		if (p->pci.picks[i].rom)
			p->pci.picks[i].rom->fd = fd++;
	struct guest_host h = {
		.accel = p->accel, .qemu = &p->qemu_facts, .firmware = &p->firmware, .vars_path = p->vars_path,
		.machine = p->machine, .dmi = p->dmi.fields, .pages_why = p->pages_why,
		.fd_qmp = PLAN_FD_QMP, .fd_monitor = PLAN_FD_MONITOR, .fd_tpm = fd_tpm, .fd_agent = fd_agent, .fd_acpi = fd_acpi,
		/* with one node there is nothing to choose, and a kernel without NUMA refuses to bind memory at all */
		.numa_node = p->memory.n_nodes > 1 ? p->cpu.numa_node : -1,
		.nodes = p->cpu.nodes, .n_nodes = p->memory.n_nodes > 1 ? p->cpu.n_nodes : 0, .n_vcpus = p->cpu.n_vcpus,
	};
	guest_machine(&p->qemu, c, &h);
	guest_cpu(&p->qemu, c, &p->cpu_facts, &p->cpu, &p->qemu_facts, p->accel);
	guest_memory(&p->qemu, c, &h);
	guest_firmware(&p->qemu, c, &h);
	guest_smbios(&p->qemu, c, &h);
	guest_tpm(&p->qemu, c, &h);
	int fd_net = fd;
	for (size_t i = 0; i < p->net.n; i++)
		fd += (int)net_fds(&p->net.v[i]);
	disk_args(&p->qemu, c, &p->disks, &p->qemu_facts, p->cpu.n_vcpus, (unsigned)cpus_count(&p->cpu.iothread), fd + (int)p->shares.n);
	guest_nets(&p->qemu, c, &p->net, fd_net);
	guest_shares(&p->qemu, &p->shares, fd);
	unsigned ports = pci_ports(&p->pci);
	int fd_vfio = fd + (int)p->shares.n + (int)disk_fds(&p->disks), fd_pci = p->iommufd ? fd_vfio + 1 : -1;
	if (p->iommufd)
		args_iommufd(&p->qemu, fd_vfio);
	pci_args(&p->qemu, c, &p->pci, ports + (unsigned)p->mdevs.n, fd_pci);
	guest_mdevs(&p->qemu, &p->mdevs, ports + 1, ports + (unsigned)p->mdevs.n, p->iommufd ? fd_pci + (int)pci_count(&p->pci) : -1);
	guest_inputs(&p->qemu, &p->inputs);
	guest_usb(&p->qemu, c);
	guest_display(&p->qemu, c, &p->desktop, &p->qemu_facts);
	guest_audio(&p->qemu, c, &p->desktop, &p->qemu_facts);
	guest_console(&p->qemu, c, &h);
	guest_extra(&p->qemu, c, &h);
	args_set(&p->qemu, &c->qemu.set);
	args_argv(&p->qemu, p->qemu_facts.binary, &p->qemu_argv);
	if (p->tpm_dir) {
		guest_swtpm(&p->swtpm, c, p->tpm_dir, PROCESS_FD);
		args_argv(&p->swtpm, p->swtpm_path ? p->swtpm_path : "swtpm", &p->swtpm_argv);
	}
	user_env(&p->user, &p->env);
	if (c->display.mode == DISPLAY_WINDOW) /* GTK would start a bus for it by fork, for which QEMU's sandbox ends QEMU */
		strv_add(&p->env, "NO_AT_BRIDGE=1");
}

struct err *plan_make(struct cli *cli, const char *config, struct plan *ret_plan)
{
	struct plan *p = ret_plan;
	TRY(who_and_what(cli, config, p));
	TRY(read_facts(cli, p));
	TRY(choose(cli, p));
	make_steps(cli, p);
	make_args(p);
	return NULL;
}

void plan_bind(struct plan *p, struct process *qemu, struct process *swtpm, struct process *viewer)
{
	struct process *all[] = { qemu, swtpm, viewer };
	static const char *const names[] = { "qemu", "swtpm", "viewer" };
	char *const *const argvs[] = { p->qemu_argv.v, p->swtpm_argv.v, p->viewer_argv.v };
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		all[i]->name = names[i];
		all[i]->argv = argvs[i];
		all[i]->env = p->env.v;
		all[i]->become = geteuid() == 0 ? user_become_data : NULL;
		all[i]->become_data = &p->user;
		for (size_t k = p->n_early_steps; k < p->steps.n; k++) {
			struct step *s = &p->steps.v[k];
			if ((s->kind == &process_kind || s->kind == &memlock_kind) && streq(s->target, names[i]))
				s->data = all[i];
		}
	}
	qemu->oom_score_adj = p->config->host.oom_score;
	qemu->terminal = streq(p->config->console.serial, "stdio");
}

struct err *plan_user_files(const struct plan *p)
{
	cleanup_root struct root *root = NULL;
	TRY(root_open("/", &root));
	/* who has no home has no record, but may have a machine */
	log_err(LOG_LEVEL_WARN,
		err_hint(err_wrap(keep_machine(root, p), "the next start may have a newer board"), "vm.machine = %s", p->machine));
	if (p->vars_path)
		TRY(vars_prepare(root, p->config, p->user.data_dir, &p->firmware));
	return p->tpm_dir ? tpm_prepare(root, p->config, p->user.data_dir) : NULL;
}

bool plan_needs_root(const struct plan *p)
{
	for (size_t i = 0; i < p->steps.n; i++)
		if (!p->steps.v[i].late && !p->steps.v[i].optional && p->steps.v[i].kind != &process_kind &&
		    p->steps.v[i].kind != &scratch_kind)
			return true;
	return false;
}

void plan_free(struct plan *p)
{
	config_free(p->config);
	user_free(&p->user);
	free(p->accel_why);
	pci_facts_free(&p->pci);
	mdev_facts_free(&p->mdevs);
	cpu_facts_free(&p->cpu_facts);
	cpu_plan_free(&p->cpu);
	cgroup_facts_free(&p->cgroup);
	console_facts_free(&p->console);
	disk_facts_free(&p->disks);
	input_facts_free(&p->inputs);
	usb_devices_free(&p->usb);
	memory_facts_free(&p->memory);
	power_facts_free(&p->power);
	if (p->profile)
		sd_bus_close_unref(p->profile);
	irq_facts_free(&p->irq);
	qemu_facts_free(&p->qemu_facts);
	net_facts_free(&p->net);
	share_facts_free(&p->shares);
	desktop_facts_free(&p->desktop);
	firmware_free(&p->firmware);
	free(p->vars_path);
	free(p->machine);
	free(p->pages_why);
	dmi_facts_free(&p->dmi);
	free(p->tpm_dir);
	free(p->swtpm_path);
	steps_free(&p->steps);
	args_free(&p->qemu);
	args_free(&p->swtpm);
	strv_free(&p->qemu_argv);
	strv_free(&p->swtpm_argv);
	strv_free(&p->viewer_argv);
	strv_free(&p->env);
	findings_free(&p->findings);
}
