/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * survey: the whole host, before there is a machine: the facts that `check` without a configuration judges, and that
 * `new` proposes a machine from. Reads this host (or the one of --root), changes nothing.
 */
#pragma once
#include "launcher/base/user.h"
#include "launcher/cli.h"
#include "launcher/advise/groups.h"
#include "launcher/host/boot/boot.h"
#include "launcher/host/cgroup/cgroup.h"
#include "launcher/host/cpu/cpu.h"
#include "launcher/host/input/input.h"
#include "launcher/host/memory/memory.h"
#include "launcher/host/qemu/qemu.h"
#include "launcher/step/finding.h"
#include "ovmf/firmware.h"

struct survey {
	struct user user;       /* on whose behalf a machine would run */
	struct config *nothing; /* a machine of defaults: what the facts are read for */
	struct groups groups;
	struct boot_facts boot;
	struct cpu_facts cpu;
	struct cgroup_facts cgroup;
	struct memory_facts memory;
	struct qemu_facts qemu;
	struct firmware secure, plain; /* with Secure Boot and keys, and without; code is NULL where there is none */
	char *secure_problem, *secure_remedy, *plain_problem, *plain_remedy;
	bool swtpm;
	bool iommu_table; /* the firmware tells of an IOMMU (ACPI DMAR or IVRS) */
	bool performance; /* the kernel has that governor of CPU frequency */
	bool battery;     /* a laptop's (not a mouse's) */
	bool vfio;        /* the kernel has vfio-pci, loaded or as a module */
	struct strv i2c;  /* nodes of buses: "/dev/i2c-4" */
	struct input_devices inputs;
};

/* What of it cannot be read is told by its own obstacle; an error only where nothing can be said. Owned by the caller. */
struct err *survey_read(struct cli *cli, struct survey *ret_survey);
void survey_free(struct survey *s);
#define cleanup_survey cleanup(survey_free)

/* Every judgement, in the order in which one would set the host up. */
void survey_check(struct findings *out, struct cli *cli, const struct survey *s);
