/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * machine: QEMU's arguments for the machine itself: chipset, clock, memory, firmware, TPM, monitors, console, what is booted. CPUs, disks
 * and PCI devices have builders of their own. Pure: config and facts in, arguments out; every option with its reason.
 */
#pragma once
#include "launcher/config/config.h"
#include "launcher/guest/args.h"
#include "launcher/host/cpu/cpu_plan.h"
#include "launcher/host/qemu/qemu.h"
#include "ovmf/firmware.h"

/* What the host and the plan give to this machine. */
struct guest_host {
	enum accel accel; /* KVM or TCG: decided */
	const struct qemu_facts *qemu;
	const struct firmware *firmware; /* all NULL where none was found */
	const char *vars_path;
	const char *machine;            /* its type with the version; NULL: QEMU's newest q35 */
	const char *pages_why;          /* why the pages are of that size, NULL where the user said so */
	char *const *dmi;               /* SMBIOS_FIELDS fields of the host, NULL each where it has none or none are wanted */
	int fd_qmp, fd_monitor, fd_tpm; /* numbers in QEMU: a connected socket, a listening one, swtpm's control channel */
	int fd_agent;                   /* a listening one, where guest_agent_listens */
	int fd_acpi;                    /* the first of acpi.host's tables, one descriptor each */
	unsigned n_vcpus;
	int numa_node;                     /* that the guest's CPUs are on; -1: several, or this host has no more than one */
	const struct cpu_plan_node *nodes; /* where they are on several: the guest is told */
	size_t n_nodes;
};

/* One part of the machine each, appended to `a`: -machine and -name, memory, pflash, the TPM's socket, serial console. */
void guest_machine(struct args *a, const struct config *c, const struct guest_host *h);
void guest_memory(struct args *a, const struct config *c, const struct guest_host *h);
void guest_firmware(struct args *a, const struct config *c, const struct guest_host *h);
/* What the guest reads of its system, and tables of its firmware. */
void guest_smbios(struct args *a, const struct config *c, const struct guest_host *h);
void guest_tpm(struct args *a, const struct config *c, const struct guest_host *h);
void guest_console(struct args *a, const struct config *c, const struct guest_host *h);
/* What is booted without a disk, small devices, the channel of the guest's agent, and at last qemu.args. */
void guest_extra(struct args *a, const struct config *c, const struct guest_host *h);
/* Whether QEMU is given a socket to listen on for the agent. */
bool guest_agent_listens(const struct config *c);

/* swtpm's arguments: its state in `dir`, its control channel a connected socket that it has as descriptor `fd`. */
void guest_swtpm(struct args *a, const struct config *c, const char *dir, int fd);
