/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * plan: what a launch would do. Config and facts in; steps, arguments and findings out. Reads this host (or the one of --root), changes
 * nothing, starts nothing but the questions to QEMU's binary that are cached.
 *
 * There is always a plan, also for a host that cannot run it: what is impossible is in a step's obstacle or in a finding.
 */
#pragma once
#include "launcher/cli.h"
#include "launcher/config/config.h"
#include "launcher/guest/args.h"
#include "launcher/host/cgroup/cgroup.h"
#include "launcher/host/framebuffer/framebuffer.h"
#include "launcher/host/cpu/cpu.h"
#include "launcher/host/cpu/cpu_plan.h"
#include "launcher/host/desktop/desktop.h"
#include "launcher/host/disk/disk.h"
#include "launcher/host/dmi/dmi.h"
#include "launcher/host/input/input.h"
#include "launcher/host/irq/irq.h"
#include "launcher/host/mdev/mdev.h"
#include "launcher/host/memory/memory.h"
#include "launcher/host/net/net.h"
#include "launcher/host/pci/pci.h"
#include "launcher/host/power/power.h"
#include "launcher/host/kind/process.h"
#include "launcher/host/qemu/qemu.h"
#include "launcher/host/share/share.h"
#include "launcher/host/usb/usb.h"
#include "launcher/base/user.h"
#include "launcher/step/finding.h"
#include "launcher/step/step.h"
#include "ovmf/firmware.h"

/* The descriptors that the arguments count on (process.h: fds[i] is descriptor PROCESS_FD + i). */
#define PLAN_FD_QMP PROCESS_FD
#define PLAN_FD_MONITOR (PROCESS_FD + 1)
#define PLAN_FD_MORE (PROCESS_FD + 2) /* as many as there are: the TPM's, the agent's, those of acpi.host, of devices' ROMs, of the networks, of the shares, of the disks; then, late, of passed devices */

struct plan {
	struct config *config;
	struct user user;
	enum accel accel; /* KVM or TCG: decided */
	char *accel_why;  /* why not KVM, where auto chose TCG; NULL otherwise */

	struct pci_facts pci;
	struct mdev_facts mdevs;
	bool iommufd; /* both are handed over by descriptors, not by their groups */
	struct cpu_facts cpu_facts;
	struct cpu_plan cpu;
	struct cgroup_facts cgroup;
	struct console_facts console;
	struct disk_facts disks;
	struct input_facts inputs;
	struct usb_devices usb; /* empty where the machine has no [usb NAME] */
	struct memory_facts memory;
	struct power_facts power;
	sd_bus *profile;      /* holds the power profile; NULL: nothing does */
	struct irq_facts irq; /* empty unless irqs_away */
	bool irqs_away;       /* interrupts are kept off the guest's CPUs */
	struct qemu_facts qemu_facts;
	struct net_facts net;
	struct share_facts shares;
	struct desktop_facts desktop;
	struct firmware firmware;
	char *machine;       /* the board: QEMU's type; NULL where QEMU names none */
	bool machine_is_new; /* nobody chose it: it is to be kept */
	char *pages_why;     /* what memory.hugepages = auto came to; NULL for another word */
	struct dmi_facts dmi;
	char *vars_path, *tpm_dir, *swtpm_path; /* NULL where the machine has none */

	struct steps steps;
	size_t n_early_steps; /* the first of them, applied before QEMU is forked, which inherits what they open: disks and networks */
	size_t claim_step;    /* the first of them; one for each block device, among the early ones */
	size_t share_step;    /* the first of them; one for each [share] */
	size_t swtpm_step, qemu_step; /* of the steps that let them go; swtpm_step only where the machine has a TPM */
	struct args qemu, swtpm;
	size_t monitor_step; /* the first of them; one for each [monitor] */
	size_t viewer_step;  /* only where viewer_argv has words */
	struct strv qemu_argv, swtpm_argv, viewer_argv, env;
	struct findings findings;
	pid_t held[2]; /* QEMU while it is held back, then 0: what the scope is made of */
};

/* Loads the config as the user, reads the facts, makes the plan. */
struct err *plan_make(struct cli *cli, const char *config, struct plan *ret_plan);
void plan_free(struct plan *p);
#define cleanup_plan cleanup(plan_free)

/*
 * Adds everything that would make a start refuse (plan_check.c): `check`, `plan` and `run` all ask for it, and `run` is check, then acting.
 * A new refusal goes to the thing that it is about: X_findings of a part, or `check` of a kind of step (step.h).
 */
void plan_check(struct cli *cli, struct plan *p);

/* Gives the steps the processes of this launch. */
void plan_bind(struct plan *p, struct process *qemu, struct process *swtpm, struct process *viewer);

/* The user's own files of this VM: variables and TPM state are there, whole, and copied. To be called as the user. */
struct err *plan_user_files(const struct plan *p);

/* Whether something in it needs root. */
bool plan_needs_root(const struct plan *p);
