/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vcpus: puts every thread of a QEMU on its CPUs and reads it back, before the guest's first instruction (-S) and for
 * threads that come later.
 *
 * Which thread is a vCPU or an iothread QEMU tells by QMP; all others (main, workers, vhost's since Linux 6.4) are the
 * emulator's. Changes the affinity of QEMU's threads, and their scheduler where asked; needs CAP_SYS_NICE unless QEMU
 * runs as ourselves.
 */
#pragma once
#include <sys/types.h>
#include "launcher/base/num.h"
#include "launcher/base/root.h"
#include "qmp/qmp.h"

struct vcpus_want {
	const int *cpus;                 /* cpus[n]: the CPU of vCPU n; -1 leaves it where it is */
	size_t n_cpus;                   /* as many as QEMU has */
	struct cpus emulator, iothreads; /* the empty set leaves them where they are */
	int limit_ms;      /* for the first answer: QEMU may still be making its machine, and take its memory for it; 0: that is done */
	bool no_iothreads; /* QEMU was given none: it need not be asked, which costs it a third of a millisecond */
	bool fifo;         /* vCPUs with SCHED_FIFO, priority 1 */
	bool unbalanced;   /* the CPUs are an isolated partition, where the kernel moves no thread: each gets one CPU of its set, in turn */
};

struct vcpu_thread {
	int vcpu;
	pid_t thread;
	int cpu; /* or -1 */
};
struct vcpus {
	struct root *root; /* borrowed */
	pid_t pid;
	struct vcpu_thread *v; /* by vCPU */
	size_t n;
	pid_t *iothreads;
	size_t n_iothreads;
	struct cpus emulator;
	bool unbalanced;
};

/* Which thread of `pid`, whose monitor is `q`, is what. */
struct err *vcpus_ask(struct root *root, struct qmp *q, pid_t pid, const struct vcpus_want *want, struct vcpus **ret_vcpus);
/*
 * Pins all of them. Each thread's Cpus_allowed_list was read back when it returns. Errors name the thread and its CPUs:
 * "thread 1234 (CPU 3/KVM), to CPU 11: …".
 */
struct err *vcpus_place(struct vcpus *v, const struct vcpus_want *want);
/*
 * Puts the emulator's threads that are elsewhere, because they are new, where they belong. One look at each thread:
 * cheap enough for every event. ret_moved (may be NULL) is how many were.
 */
struct err *vcpus_pin_rest(const struct vcpus *v, size_t *ret_moved);
void vcpus_free(struct vcpus *v);
void vcpus_freep(struct vcpus **v);
#define cleanup_vcpus cleanup(vcpus_freep)
