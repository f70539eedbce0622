/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fingerprint: what must be alike for two runs to be comparable. Of the machine: kernel, processor, microcode, governor, command line,
 * CPUs. Of one run: what its variant really got while it ran: cpuset, the CPUs of the vCPU threads, huge pages that back its RAM, governor,
 * the hash of its configuration; and how much of the time was stolen, which is a measurement itself and is never compared.
 */
#pragma once
#include <jansson.h>
#include <sys/types.h>
#include "launcher/base/root.h"

/* Strings by name. Never fails: "?" is what cannot be read. Owned. */
json_t *fingerprint_machine(struct root *root);
/* Of a run that QEMU makes, while it runs: called as often as there is news, the last look counts. pid 0: natively. Owned. */
json_t *fingerprint_run(struct root *root, pid_t qemu);
/* FNV-1a of a text, 16 hexadecimal digits. */
char *fingerprint_hash(const char *text);

/* CPU time of the whole machine until now, in clock ticks: /proc/stat. */
struct fingerprint_ticks {
	double all, stolen;
};
struct fingerprint_ticks fingerprint_ticks(struct root *root);
/* Per cent of the time in between that a hypervisor below took away. */
double fingerprint_steal(struct fingerprint_ticks before, struct fingerprint_ticks after);

/* How often the processors were too hot until now, all of them together: the thermal_throttle counters of x86; 0 where there are none. */
unsigned long fingerprint_throttled(struct root *root);
