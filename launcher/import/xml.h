/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xml: what the files that read libvirt's domain XML (formatdomain.html) share.
 *
 * Each element and attribute ends in one of three places, and that by construction: a reader marks what it read by reading it (xml_node.h),
 * and carries it over or notes what becomes of it; what nobody read is without effect by the table of xml_known.c, with the reason; and
 * all else is a note with its line. A reader never marks what it does not look at.
 */
#pragma once
#include <stdint.h>
#include "launcher/import/import.h"
#include "launcher/import/xml_node.h"
#include "launcher/import/xml_num.h"

/* A device that the firmware boots from, by <boot order=>, or by <boot dev=> in <os>. */
struct boot_device {
	unsigned order;   /* 0: none of its own */
	const char *kind; /* "hd", "cdrom", "network"; "" where <boot dev=> does not reach it */
	char *name;
};

struct xml_import {
	struct draft *d;
	const struct import_host *host; /* or NULL */
	bool whole;                     /* a <domain>, not a part of one */
	struct node *root;
	struct cpus pinned, emulator; /* vcpupin; emulatorpin and iothreadpin */
	struct cpus all_threads;      /* <vcpu cpuset=>: of each thread that has no pin of its own */
	unsigned pin_line, emulator_line, vcpus;
	struct cpus fifo; /* vCPUs of <vcpusched> */
	unsigned fifo_line;
	bool own_pins; /* a <vcpupin>, which outdoes <vcpu cpuset=> */
	struct boot_device *boot;
	size_t n_boot;
	struct strv boot_kinds; /* of <os>, in order */
	unsigned boot_line;
	struct strv args; /* for [qemu] args */
	unsigned args_line;
	struct strv flags, sets; /* for [cpu] flags: "hv-spinlocks=0x1fff", "-hypervisor"; for [qemu] set */
	unsigned flags_line, sets_line;
	bool firmware; /* <os firmware='efi'> or a loader of flash */
	bool usb_args; /* an argument of the user's wants a USB controller */
	bool passed;   /* a device of the host, by [pci] */
};

/* What reads an element at its place below <domain>. */
struct xml_rule {
	const char *path; /* "devices/disk" */
	void (*read)(struct xml_import *im, struct node *n);
};
/* They end with a NULL path. */
extern const struct xml_rule xml_machine_rules[], xml_feature_rules[], xml_cpu_rules[], xml_disk_rules[], xml_net_rules[], xml_host_rules[],
	xml_desk_rules[], xml_other_rules[], xml_qemu_rules[];

/* What is known of an element or attribute that no reader has read. */
struct xml_known {
	const char *path;   // "devices/disk/driver@io"; a star is any one name; two at its end: the element and all that is in it
	const char *values; /* "yes|on": these alone; NULL: any, or none */
	int weight;         /* enum draft_weight, or XML_INERT */
	const char *why;    /* XML_INERT: why nobody misses it, for who reads the table; else what it means for the user */
};
#define XML_INERT (-1)
/* The first that fits, NULL where nothing is known. `value`: of the attribute, or the element's text. */
const struct xml_known *xml_known_find(const char *path, const char *value);

/* What libvirt gives a domain that says nothing of it: its clock, its CPU, no ACPI. After all readers. */
void xml_machine_defaults(struct xml_import *im);
/* The size of an element with an attribute "unit" in bytes; 0 and a note where it is none. `unit`: where it has none. */
uint64_t xml_size(struct xml_import *im, struct node *n, const char *unit);
/* Two words for QEMU's command line. */
__attribute__((format(printf, 4, 5))) void xml_arg(struct xml_import *im, unsigned line, const char *option, const char *fmt, ...);
/* Whether qlaunch.conf has the key; then it is set. */
bool xml_key(struct xml_import *im, unsigned line, const char *section, const char *key, const char *value);
/* A flag of the CPU, in QEMU's words: "hv-spinlocks=0x1fff", "hypervisor=off". */
__attribute__((format(printf, 3, 4))) void xml_flag(struct xml_import *im, unsigned line, const char *fmt, ...);
/* The name of its section: <alias name='ua-NAME'>, which is the user's own, else `otherwise`. Owned by the device. */
const char *xml_name(struct node *n, const char *otherwise);
/* The host's PCI address in <address>; false where it is none. */
bool xml_address(struct node *address, struct pci_addr *ret_addr);
/* Its place in the order of booting; `title`: of its section. */
void xml_boot(struct xml_import *im, struct node *n, const char *kind, const char *title);
/* A device of the host as a section of [pci]; NULL where it has one already. It is called by `name`, which is the user's own, else by what the
 * host says that it is, else by `guess`, else by what its place tells; each may be NULL. Title, owned by the caller. */
char *xml_pci(struct xml_import *im, unsigned line, struct pci_addr addr, const char *name, const char *guess);
/* The section of [pci] with that address; NULL. */
struct draft_section *xml_pci_section(struct xml_import *im, struct pci_addr addr);
