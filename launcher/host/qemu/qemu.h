/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qemu: what this host's QEMU is and can do. Asked once by running it, as the user whose machine it will run, and kept
 * as JSON: $XDG_CACHE_HOME/qlaunch for a user, /var/cache/qlaunch for root (root reads and writes no file in a user's
 * directory). The file holds for one binary (path, size, time of change, and those of the directories of its modules);
 * a stale, torn or foreign one is as none.
 *
 * Under `--root DIR` nothing is run: /var/cache/qlaunch/qemu.json of the tree tells. Where nobody tells, the set of
 * QEMU 7.2 is assumed.
 */
#pragma once
#include "launcher/base/root.h"
#include "launcher/base/user.h"
#include "launcher/config/config.h"
#include "launcher/step/finding.h"

struct qemu_facts {
	char *binary;  /* a path; the bare name where it is nowhere */
	char *version; /* "7.2.22" */
	int major, minor;
	bool assumed;    /* it did not answer: version and names are what a QEMU 7.2 has */
	char *problem;   /* why it did not, where that is this host's fault; one line */
	char *has;       /* words; see qemu_has. Not a list: nothing that is read at every start is taken apart without need */
	bool no_seccomp; /* the kernel filters no system calls: QEMU does not even know -sandbox there */
};

/*
 * Fails for no reason that is the host's: what is wrong with QEMU is in `problem`. `user`: as whom it is run to be
 * asked.
 */
struct err *qemu_facts_read(struct root *root, const struct config *c, const struct user *user, struct qemu_facts *ret_facts);
void qemu_facts_free(struct qemu_facts *f);
#define cleanup_qemu_facts cleanup(qemu_facts_free)

/*
 * Whether it has something. One of
 *   device:TYPE  device:TYPE.PROPERTY  object:TYPE  object:TYPE.PROPERTY  option:NAME  option:NAME.PARAMETER
 *   cpu:FLAG (of -cpu max or host)  machine:PROPERTY (of q35)  accel:kvm|tcg
 *   type:MACHINE (of q35)  aio:NAME  blockdev:DRIVER  audiodev:NAME  display:NAME  netdev:NAME
 * A name without a colon is an option ("sandbox"). Only what stands in qemu_names.c has been asked for; anything else
 * is false, except that of audiodevs, displays and netdevs all are known.
 */
bool qemu_has(const struct qemu_facts *f, const char *what);
/* Its newest q35, "pc-q35-7.2"; NULL where it did not say. Owned by the caller. */
char *qemu_newest_machine(const struct qemu_facts *f);
/* Whether it has that machine: "pc-q35-7.2". True where it did not say which it has. */
bool qemu_has_machine(const struct qemu_facts *f, const char *type);
/* At least this version. */
bool qemu_is(const struct qemu_facts *f, int major, int minor);

/* For `check`: there, new enough (7.2), able to answer, and in its sandbox. */
void qemu_findings(struct findings *out, const struct qemu_facts *f);
