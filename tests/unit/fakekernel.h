/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fakekernel: a host in a temporary directory that answers to writes as the kernel does, for tests: PCI drivers,
 * cgroups, huge pages, attributes. Also where faults come from: the Nth change fails, hangs, or is the last thing that
 * a process does.
 *
 * All of its state is in the tree (who is bound is a link), so that changes made by child processes count. What cannot
 * be in a tree (the counter) is in shared memory.
 */
#pragma once
#include <signal.h>
#include <sys/types.h>
#include "launcher/base/root.h"

#define FAKE_HANGS SIGUSR1 /* to the victim, while its child hangs */

enum fake_fault { FAKE_NONE, FAKE_FAIL, FAKE_HANG, FAKE_KILL_BEFORE, FAKE_KILL_AFTER };

struct fake_shared {
	long count; /* changes so far, of all processes */
	long at;    /* the change that the fault hits, from 1; 0: none */
	enum fake_fault fault;
	int errnum;     /* for FAKE_FAIL */
	pid_t victim;   /* the launcher: killed, or told of the hanging, also when a child of it makes the change */
	char last[256]; /* the change that the fault hit: "write /sys/… ← value" */
	long huge_max;  /* nr_hugepages is never more */
};

struct fake {
	char dir[64];
	struct root *root;
	struct root_hook hook;
	struct fake_shared *shared;
	struct {
		char driver[32], addr[16];
		int errnum; /* of a probe: the kernel binds nothing and says nothing; of `bind`: this errno */
		bool hang;  /* unbind and bind never return */
	} trouble[4];
};

struct fake *fake_new(void);
void fake_free(struct fake *f);

/* Building. Parent directories are made; paths are those of the host. */
void fake_file(struct fake *f, const char *path, const char *text);
void fake_link(struct fake *f, const char *path, const char *target);
void fake_dir(struct fake *f, const char *path);
/*
 * A PCI function: class as sysfs writes it ("0x030000"), in a group (-1: none), with the drivers that fit it in the
 * order in which the kernel tries them ("nouveau nvidia"); the first is bound, unless `bound` is false.
 */
void fake_pci(struct fake *f, const char *addr, const char *id, const char *class, int group, const char *drivers, bool bound);
void fake_driver(struct fake *f, const char *name);
/* Makes the function one that can have up to `total` virtual functions: 0:10.0, 0:10.2, … of its bus, with the driver igbvf. */
void fake_sriov(struct fake *f, const char *addr, unsigned total);
/* Has the function share out parts of one type (mediated devices), `left` of them by now. */
void fake_mdev_type(struct fake *f, const char *addr, const char *type, int left);
/* Takes a directory away with all that is in it. */
void fake_remove(struct fake *f, const char *path);
/* The host most tests want: an IOMMU, GPU + sound in group 13 (0000:01:00.0 and .1), a bridge, NVMe in group 14,
 * vfio-pci loaded, four CPUs with governors, a cgroup v2 tree, huge pages. */
void fake_host(struct fake *f);
/* A process as /proc shows it: its name, and what its descriptors are links to (NULL-terminated). */
void fake_process(struct fake *f, int pid, const char *comm, const char *const *open);

/* From now on the `at`th change (from 1) meets the fault. */
void fake_fault(struct fake *f, enum fake_fault fault, long at, int errnum);
/* The tree as text: a line an entry with its mode, owner and content, sorted. Owned by the caller. */
char *fake_snapshot(struct fake *f);
/* The first line in which two snapshots differ: "- …\n+ …\n"; NULL if they do not. Owned by the caller. */
char *fake_difference(const char *before, const char *after);

/* fakekernel_react.c: what the kernel refuses (an errno, or 0), and what it makes of a change. */
int fake_refuses(struct fake *f, const char *what, const char *path, const char *value);
void fake_reacts(struct fake *f, const char *what, const char *path, const char *value);
char *fake_path(const struct fake *f, const char *path); /* where it really is */
char *fake_read(const struct fake *f, const char *path); /* "" where it is not; without the last newline */
