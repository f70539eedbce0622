/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * irq: interrupts and kernel workers off the guest's CPUs, the guest's own interrupts onto them
 * (Documentation/core-api/irq/irq-affinity.rst, workqueue.rst). All steps are optional: what the kernel does not move
 * (managed interrupts of multi-queue devices, timers) stays, silently.
 *
 * The guest's interrupts ("vfio-msix[0](0000:01:00.0)" in /proc/interrupts) are there only once its drivers have asked
 * for them, and the kernel tells nobody. So /proc/interrupts is looked at after irq_watch_delay() seconds, a few times
 * while the guest boots, and then no more; and anew when the host has slept. For that the kernel takes every CPU but the first offline, and
 * an interrupt that may go to none of the others is let go to all that are left, for good (irq_migrate_all_off_this_cpu).
 *
 * Writes affinities; tells a running irqbalance, over its socket, which CPUs it is not to use.
 */
#pragma once
#include "launcher/base/num.h"
#include "launcher/config/config.h"
#include "launcher/step/step.h"

struct irq_line {
	unsigned irq;
	char *name; /* "nvme0q1", "vfio-msix[0](0000:01:00.0)": the last part of the line */
	struct cpus affinity;
};
struct irq_facts {
	struct irq_line *lines; /* of devices: those with a number, and an affinity that can be read */
	size_t n_lines;
	char *balancer;     /* the path of irqbalance's socket, NULL where it does not run */
	struct cpus banned; /* what irqbalance keeps off already */
	bool workqueue;     /* the CPUs of unbound workqueues can be set */
};

/* A file is read for each interrupt: only where they are to be moved. Owned by the caller. */
struct err *irq_facts_read(struct root *root, const struct config *c, struct irq_facts *ret_facts);
void irq_facts_free(struct irq_facts *f);
#define cleanup_irq_facts cleanup(irq_facts_free)

/* Everything off `guest`, for host.irqs = away; `host` takes what had no other CPU. irqbalance first. */
void irq_steps(struct steps *out, const struct config *c, const struct irq_facts *f, const struct cpus *guest, const struct cpus *host);
/*
 * The interrupts of the passed devices onto `vcpus`: late steps, for those that are not within them yet. Called again
 * it adds what is new. Returns how many were added.
 */
size_t irq_vfio_steps(struct steps *out, const struct irq_facts *f, const struct pci_addr *devices, size_t n, const struct cpus *vcpus);
/* Whether the kernel has taken the interrupt of this done step off all CPUs that it was given to, or it is where it was before: asked for
 * anew. */
bool irq_strayed(const struct irq_facts *f, const struct step *s);
/* Seconds from the guest's start, or the last look, to look number `round` (from 0); -1: no more looks. */
int irq_watch_delay(unsigned round);

/* The path of an affinity, a list of CPUs: smp_affinity_list, and the masks default_smp_affinity and cpumask. */
extern const struct step_kind affinity_kind;
/* irqbalance's socket, the list of CPUs it keeps off. Undo takes ours out again; what others added stays. */
extern const struct step_kind irqbalance_kind;
/* "/proc/irq", the CPUs on which new interrupts begin. Undo gives those that came meanwhile every CPU (irq_born.c). */
extern const struct step_kind irq_born_kind;

/* For the files of this module. */
#define IRQ_DEFAULT_AFFINITY "/proc/irq/default_smp_affinity"
#define IRQ_OR_LESS " or less" /* ends a want within which irqbalance may move the interrupt about */
/* False where it is gone. */
bool irq_affinity_read(struct root *root, unsigned irq, struct cpus *ret);
/* Whether a write's error (or NULL) is the way of such a thing: EIO, EPERM: managed, or it cannot move; or it is gone with its driver. */
bool irq_stays(const struct err *e);
/* Asks irqbalance over its socket. */
struct err *irqbalance_read(struct root *root, const char *path, struct cpus *ret_banned);
