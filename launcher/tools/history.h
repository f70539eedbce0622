/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * history: what a machine's last runs did and said, for `qlaunch log` and `list`: ~/.local/share/qlaunch/VM/log/000017, the highest number the
 * newest, HISTORY_RUNS of them. A line a record, each a JSON object:
 *
 *     {"begun": "2026-11-30T13:15:00+0100", "vm": "win11", "config": "/home/me/…", "plan": ["bind 0000:0c:00.0 to vfio-pci", …]}
 *     {"level": "warning", "text": "…"}            as many as were said, HISTORY_LINES at most
 *     {"qemu": "…"}                                QEMU's own last words
 *     {"ended": "…", "status": 0, "seconds": 12.5, "text": "why it failed"}
 *
 * While the machine runs it is the file `log` beside the journal, so that a launcher that is killed leaves it there: then there is no last
 * line. It is kept in memory, and goes into the user's folder at the end, as the user. It is a courtesy: nothing fails where it cannot be
 * written.
 */
#pragma once
#include <jansson.h>
#include <sys/types.h>
#include "launcher/base/root.h"
#include "launcher/base/user.h"
#include "launcher/step/step.h"

#define HISTORY_RUNS 10
#define HISTORY_LINES 400
#define HISTORY_FILE "log" /* beside the journal */

/* From now on all that is logged is kept. One at a time. */
void history_begin(void);
/* What is to run, for whom; the texts are borrowed until the end. `home`: ~/.local/share/qlaunch/VM. Without it nothing is written. */
void history_plan(const char *vm, const char *config, const char *home, const struct user *user, const struct steps *steps);
/* From now on it is in `dir`, the journal's, too. */
void history_beside(struct root *root, const char *dir);
/* QEMU's last words; may be empty. */
void history_qemu(const char *words);
/* The end: writes it into the user's folder. `e`: why it failed, or NULL; borrowed. `seconds` that the guest ran; 0: it did not. */
void history_end(const struct err *e, double seconds);

/* What a dead launcher left beside its journal goes into the folder of the user `uid`, who ran it. Before the journal is removed. */
void history_rescue(struct root *root, const char *dir, uid_t uid);

/*
 * An array with an array of records for each run below `home`, the oldest first; empty where there is none. Text that is no record is left
 * out. As the user. Owned by the caller.
 */
json_t *history_read(struct root *root, const char *home);
/* The records of one file's text. Owned by the caller. */
json_t *history_parse(const char *text);
/* What its first record says ("begun", "vm", "config", "plan"), or its last ("ended", "status", "seconds", "text"); NULL where it does not,
 * as of a run that goes on. Borrowed. */
const json_t *history_head(const json_t *run, const char *key);
const json_t *history_last(const json_t *run, const char *key);
