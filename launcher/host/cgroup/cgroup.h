/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup: the guest's CPUs for the guest alone (cgroup v2: Documentation/admin-guide/cgroup-v2.rst, "Cpuset").
 *
 * partition: a top-level group with exactly those CPUs, QEMU in it, and one write to its cpuset.cpus.partition: the
 *            kernel then takes them from every other group. The group is a systemd slice (with a scope in it), or made
 *            by hand where there is no systemd.
 * slices:    QEMU in a group of its own too, and systemd's system.slice, user.slice and init.scope limited to the
 *            other CPUs.
 *
 * With systemd the slice stops by itself when the last process in it is gone, and the kernel gives its CPUs back:
 * nobody needs to live. Writes cgroup files of our own groups only; what belongs to systemd is said to systemd
 * (systemd.h).
 */
#pragma once
#include <sys/types.h>
#include "launcher/base/num.h"
#include "launcher/config/config.h"
#include "launcher/step/finding.h"
#include "launcher/step/step.h"

#define CGROUP_MOUNT "/sys/fs/cgroup"

/* A group that lists CPUs now: another machine of ours, or one of the host's (a container with a cpuset, a slice with AllowedCPUs=). */
struct cgroup_owner {
	char *vm; /* of the host's: its directory, "system.slice/docker-3f2a.scope" */
	struct cpus cpus;
	bool below; /* not of the top level: the kernel takes its CPUs, and what runs in it goes to others */
};

struct cgroup_facts {
	char *obstacle;              /* why no CPUs can be set apart here (cgroup v1, no cpuset), NULL where they can */
	char *remedy;                /* what to do about it */
	bool systemd;                /* the group is made by systemd */
	bool narrowed;               /* system.slice has a limit of CPUs already */
	struct cgroup_owner *others; /* every machine of ours but this one, by name */
	size_t n_others;
	bool exclusive;              /* this kernel makes no partition of CPUs that another group of the top level lists */
	struct cgroup_owner *listed; /* of the host's, by name; one of every CPU, below the top level, is none */
	size_t n_listed;
};

/* What is there, and `obstacle` where a partition cannot be made; an error where the machines that run cannot be listed. Owned by the
 * caller. */
struct err *cgroup_facts_read(struct root *root, const struct config *c, struct cgroup_facts *ret_facts);
void cgroup_facts_free(struct cgroup_facts *f);
#define cleanup_cgroup_facts cleanup(cgroup_facts_free)

/*
 * The steps that cpu.isolate asks for. `guest`: all CPUs of the vCPUs, the emulator and the I/O threads; `host`: all
 * others that are online. What this host cannot do is in the steps' obstacle. `held` (ended by 0; borrowed, read when
 * the step is applied) are the processes to move: QEMU, held before it runs.
 */
void cgroup_steps(struct steps *out, const struct config *c, const struct cgroup_facts *f, const struct cpus *guest,
		  const struct cpus *host, const pid_t *held);
/* What is better left to those of the host that list it: all of it, unless a list is of every CPU there is. */
struct cpus cgroup_avoid(const struct cgroup_facts *f, const struct cpus *online);
/* To whom CPUs were left for that, a line each. */
void cgroup_tell_left(const struct cgroup_facts *f, const struct cpus *left, struct strv *out);
void cgroup_check(struct findings *out, const struct config *c, const struct cgroup_facts *f, const struct cpus *guest,
		  const struct cpus *host);

/*
 * "qlaunch_win11.scope", "absent" or "active 7-15,23-31": the scope with the held processes in its slice of the same
 * name. Undo stops both. Its data, and that of cgroup_kind, is the `held` of above.
 */
extern const struct step_kind scope_kind;
/* "/sys/fs/cgroup/qlaunch_win11", "absent" or "active 7-15,23-31": the same without systemd. */
extern const struct step_kind cgroup_kind;
/* "/sys/fs/cgroup/cgroup.subtree_control", "-cpuset" or "+cpuset": groups below the root may have CPUs of their own. */
extern const struct step_kind controller_kind;
/* "/sys/fs/cgroup/qlaunch_win11.slice", "absent" or "isolated 7-15,23-31": cpuset.cpus.partition and what it gave. */
extern const struct step_kind partition_kind;
/* "system.slice", "all" or "0-6,16-22 set", wanted as "0-6,16-22 of 0-31": AllowedCPUs of a unit of systemd's. */
extern const struct step_kind allowed_cpus_kind;

/* For the files of this module. */
#define CGROUP_WAIT_MS 10000
#define CGROUP_PREFIX "qlaunch_" /* of all groups, slices and scopes of ours */
/* "absent", "active", "active 7-15": is the directory there, and its cpuset.cpus. Owned by the caller. */
char *cgroup_value(struct root *root, const char *dir);
/* Waits (on the host only) until a directory has gone; ETIMEDOUT. */
struct err *cgroup_wait_gone(struct root *root, const char *dir, int limit_ms);
/* Splits "WORD LIST" ("isolated 7-15"); false where there is no list. */
bool cgroup_value_cpus(const char *value, struct cpus *ret_cpus);
/* The machine of ours, other than `vm`, that has one of `cpus` now; NULL if there is none. Owned by the caller. */
char *cgroup_conflict(struct root *root, const char *group, const struct cpus *cpus);
