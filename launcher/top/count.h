/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * count: what the kernel and QEMU have counted of a running machine, out of their own texts. Pure: text or JSON in, numbers out.
 * Counters only grow; what they mean per second is for rate.h.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "launcher/base/str.h"

#define COUNT_NONE UINT64_MAX /* this is not known here */

/* A vCPU's thread. */
struct vcpu_count {
	int vcpu, cpu; /* cpu: that it is pinned to, or -1 */
	pid_t thread;
	int ran_on;        /* the CPU it was on last, or -1 */
	uint64_t run_ns;   /* on a CPU */
	uint64_t delay_ns; /* ready to run, and waiting for one */
	uint64_t exits;    /* from guest to KVM */
};

/* Who interrupts a CPU. */
enum irq_class {
	IRQ_TIMER,  /* the CPU's own timer (LOC) */
	IRQ_IPI,    /* another CPU (RES, CAL, TLB) */
	IRQ_GUEST,  /* a device of the guest: lines "vfio…", and what the hardware posts to it (PIN, NPI, PIW) */
	IRQ_DEVICE, /* a device of the host: every other line with a number */
	IRQ_OTHER,
	IRQ_CLASSES
};
extern const char *const irq_class_names[IRQ_CLASSES];

/* A CPU of the host. */
struct cpu_count {
	uint64_t busy,
		steal; /* in ticks of 1/sysconf(_SC_CLK_TCK) s: running anything; taken by the host of a host that is virtual itself */
	uint64_t irqs[IRQ_CLASSES];
};

/* Why guests stop for KVM; the first is all of them. The rest are reasons of their own, not parts that add up to it. */
enum exit_kind { EXITS_ALL, EXITS_HALT, EXITS_IO, EXITS_MMIO, EXITS_IRQ, EXITS_HYPERCALL, EXITS_KINDS };
extern const struct exit_name {
	const char *name, *kvm; /* ours; KVM's statistic (virt/kvm, arch/x86/kvm/x86.c) */
} exit_names[EXITS_KINDS];

struct disk_count {
	char *name;
	uint64_t bytes[2], requests[2], ns[2]; /* read, written */
};
struct net_count {
	char *name, *link;             /* "lan", "qltap0a1b2c3d" */
	uint64_t bytes[2], packets[2]; /* to the guest, from it */
	uint64_t dropped;
};
enum { DISK_READ, DISK_WRITE };
enum { NET_IN, NET_OUT };

/* /proc/PID/task/TID/schedstat: "RUN DELAY SLICES". False where this kernel keeps none: it then says "0 0 0". */
bool count_schedstat(const char *text, struct vcpu_count *v);
/* /proc/PID/task/TID/stat: field 39, the CPU, and, where schedstat gave nothing, fields 14 and 15, the time, in ticks of 1/hz s. */
bool count_task_stat(const char *text, long hz, struct vcpu_count *v);
/* /proc/stat: into cpus[number] of those below n. Others stay as they are. */
void count_cpu_times(const char *text, struct cpu_count *cpus, size_t n);
/* /proc/interrupts, likewise; its first line says which CPUs its columns are. False where there is no such line. */
bool count_interrupts(const char *text, struct cpu_count *cpus, size_t n);
/*
 * What query-stats says of vCPUs, with query-cpus-fast to know which is which: exits of each vCPU and sums by kind. False where it has
 * none, as without KVM.
 */
bool count_exits(const json_t *stats, const json_t *cpus, struct vcpu_count *vcpus, size_t n, uint64_t sums[EXITS_KINDS]);
/* query-blockstats: the disks of the configuration, by the names that it gives them. Returns how many; owned by the caller. */
size_t count_disks(const json_t *blockstats, struct disk_count **ret_disks);
