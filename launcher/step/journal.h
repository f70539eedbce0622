/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal: what has been done to the host, on a file that lives exactly as long as the kernel state it describes.
 *
 * DIR/VM/journal: a header line, then a line a step, each "CRC32 JSON\n", appended and fdatasynced before the step acts: a last line
 * that has no newline is a step that was never done. DIR/VM/lock: held by the launcher, so that a journal without a holder is a dead
 * launcher's; by fcntl, since that lock is the process's own: a child that hangs does not keep it. (So: never open one's own lock file a
 * second time.) DIR is /run/qlaunch for root and $XDG_RUNTIME_DIR/qlaunch, or /run/user/UID/qlaunch, for others. It is used only where
 * nobody else could put a name into it or above it (base/trust.h): what lies in it is of one's own making then. It is opened once, by a
 * walk along its path that follows no link, and is used by that descriptor; a VM is a name in it, never a path. Only names that qlaunch
 * makes are removed from it.
 */
#pragma once
#include "launcher/base/child.h"
#include "launcher/step/step.h"

struct journal;

struct journal_info {
	char *vm, *dir;          /* dir: DIR/VM */
	struct proc_id launcher; /* who wrote it; where the first line is damaged, who holds the lock, pid 0 for nobody */
	uid_t user;              /* on whose behalf; -1 where the first line is damaged */
	char *config;            /* the configuration's file; NULL where the first line is damaged */
	bool alive;              /* the lock is held */
	bool other_boot;         /* written before the last boot: the state it describes is gone */
	size_t damaged;          /* lines that do not fit their checksum, the torn last one not counted */
	char *damaged_lines;     /* their numbers: "1, 7"; NULL for none */
	bool torn;               /* the last line is incomplete: its step was not done */
};
void journal_info_free(struct journal_info *info);
#define cleanup_journal_info cleanup(journal_info_free)

/* The directory that holds one directory per VM, for this user. */
char *journal_base(void);
/* NULL if `base` may be used, or there is none. EPERM: somebody else could have put something there; it says who, and what to do. */
struct err *journal_base_check(struct root *root, const char *base);
/*
 * Takes the lock of DIR/VM and begins an empty journal. EBUSY: the VM runs, its launcher's pid is named. EEXIST: a dead launcher's journal
 * is there: undo it first. `user` and `config`: on whose behalf, from which file. On failure nothing is left that was not there.
 */
struct err *journal_create(struct root *root, const char *base, const char *vm, uid_t user, const char *config,
			   struct journal **ret_journal);
/* Takes the lock of an existing journal and reads its steps. Unknown kinds and damaged lines are counted in ret_info->damaged. */
struct err *journal_open(struct step_env *env, const char *base, const char *vm, struct journal **ret_journal, struct steps *ret_steps,
			 struct journal_info *ret_info);
/* The same without reading: for one that cannot be read. */
struct err *journal_seize(struct root *root, const char *base, const char *vm, struct journal **ret_journal);
/* A machine is its user's: EPERM for a root that acts for somebody else, who gets it neither read, nor stopped, nor undone. */
struct err *journal_is_callers(const struct journal_info *info);
/* Reads without the lock: for status. */
struct err *journal_read(struct step_env *env, const char *base, const char *vm, struct steps *ret_steps, struct journal_info *ret_info);
/* Whether a launcher of this VM lives. Not for the launcher itself to ask. */
bool journal_alive(struct root *root, const char *base, const char *vm);
/* Waits, for ever if need be, until no launcher or `restore` has this VM's lock. Not for one that has it itself. */
struct err *journal_wait(struct root *root, const char *base, const char *vm);
/* Removes the directories of launchers that died before they had a journal: they changed nothing. */
struct err *journal_sweep(struct root *root, const char *base);
/* The VMs that have a journal below `base`, sorted. */
struct err *journal_list(struct root *root, const char *base, struct strv *ret_vms);
struct err *journal_append(struct journal *j, const struct step *s);
const char *journal_dir(const struct journal *j); /* DIR/VM: for the sockets and state files that live as long */
/* Nothing is left to undo: removes the journal and what else qlaunch has made in its directory, and that, if it is empty then. */
struct err *journal_remove(struct journal *j);
/* Lets the lock go; the files stay. */
void journal_close(struct journal *j);
void journal_closep(struct journal **j);
#define cleanup_journal cleanup(journal_closep)
