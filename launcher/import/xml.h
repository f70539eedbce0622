/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xml: what the files that read libvirt's domain XML (formatdomain.html) share. */
#pragma once
#include <stdint.h>
#include "launcher/base/num.h"
#include "launcher/import/draft.h"
#include "launcher/import/xml_node.h"

/* A device that the firmware boots from, by <boot order=>, or by <boot dev=> in <os>. */
struct boot_device {
	unsigned order; /* 0: none of its own */
	const char *kind; /* "hd", "cdrom", "network" */
	char *name;
};

struct xml_import {
	struct draft *d;
	struct cpus pinned, emulator; /* vcpupin; emulatorpin and iothreadpin */
	unsigned pin_line, emulator_line, vcpus;
	struct boot_device *boot;
	size_t n_boot;
	struct strv boot_kinds;       /* of <os>, in order */
	unsigned boot_line;
	struct strv args;             /* of qemu:commandline */
	unsigned args_line;
	bool firmware;                /* <os firmware='efi'> or a loader of flash */
	struct strv slots;            /* of [pci] sections: "0000:01:00" */
};

/* What becomes of an element at its place below <domain>. */
struct xml_rule {
	const char *path; /* "devices/disk" */
	void (*read)(struct xml_import *im, struct node *n); /* marks what it takes; NULL: qlaunch does it by itself */
};
extern const struct xml_rule xml_machine_rules[], xml_cpu_rules[], xml_device_rules[], xml_desk_rules[]; /* end with a NULL path */

/* The size of an element with an attribute "unit" in bytes; 0 and a note where it is none. `unit`: where it has none. */
uint64_t xml_size(struct xml_import *im, struct node *n, const char *unit);
/* What every device may have, and what qlaunch decides by itself. */
void xml_take_common(struct node *n);
