/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sample: all counters of a running machine at one moment. Reads /proc and /sys through root, and asks QEMU over the machine's second
 * monitor socket, which it holds no longer than that takes: others may want it. Changes nothing.
 */
#pragma once
#include "launcher/base/err.h"
#include "launcher/base/root.h"
#include "launcher/top/count.h"

/* The machine, as status.json and the journal say. */
struct top_machine {
	struct root *root; /* borrowed */
	char *vm, *dir;    /* dir: where its monitor is */
	char *accel;       /* "kvm", "tcg" */
	pid_t qemu;
	struct vcpu_count *vcpus; /* vcpu, cpu and thread of each; the rest is empty */
	size_t n_vcpus;
	struct strv links; /* its taps and macvtaps, and */
	struct strv taps;  /* those of them that are taps: there, "received" is what the guest sent */
};
void top_machine_free(struct top_machine *m);
#define cleanup_top_machine cleanup(top_machine_free)
/* Takes it out of a status.json; EPROTO where that is not one. */
struct err *top_machine_parse(struct root *root, const char *vm, const char *dir, const json_t *status, struct top_machine *ret_machine);

struct pool {                       /* huge pages of one size, of the whole host */
	uint64_t size, pages, free; /* size in bytes */
};

struct sample {
	uint64_t at_ns, qemu_at_ns; /* CLOCK_MONOTONIC: when the kernel, and when QEMU was asked */
	struct vcpu_count *vcpus;
	size_t n_vcpus;
	struct cpu_count *cpus; /* by number */
	size_t n_cpus;
	uint64_t exits[EXITS_KINDS];          /* of the whole machine */
	uint64_t guest, hugetlb, transparent; /* bytes: the guest's memory; of QEMU's, in pages of a pool, in transparent huge pages */
	uint64_t rollup_ns;                   /* when `transparent` was looked at: seldom, for it walks all of QEMU's page tables */
	struct pool *pools;
	size_t n_pools;
	struct disk_count *disks;
	size_t n_disks;
	bool has_disks; /* QEMU has answered: no disks means that there are none */
	struct net_count *nets;
	size_t n_nets;
	struct strv missing; /* "VM exits: only KVM counts them": what is not here, and why */
};
void sample_free(struct sample *s);
#define cleanup_sample cleanup(sample_free)

/* Never fails: what cannot be had is COUNT_NONE and named in `missing`. `before` may be NULL; limit_ms: how long QEMU may take for each
 * answer. */
void sample_take(const struct top_machine *m, const struct sample *before, int limit_ms, struct sample *ret_sample);
