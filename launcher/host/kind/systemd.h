/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * systemd: the few things systemd must be told, over D-Bus: our transient scope and slice, AllowedCPUs of a unit, stop
 * and start of a unit. May use the system bus, on the host itself only. Each call opens its own connection and closes
 * it, so a bus that dies and comes back between two calls does no harm. Every call has a time limit and waits for its
 * job's end. Reads and writes no file of systemd's.
 */
#pragma once
#include <sys/types.h>
#include "launcher/base/num.h"
#include "launcher/base/root.h"

/* systemd is the init system there (sd_booted(3): /run/systemd/system exists). */
bool systemd_runs(struct root *root);

/*
 * `name` as one part of a unit's name: all but letters, digits, "_" and "." as \xNN (systemd.unit(5), "String
 * escaping"), so that no dash nests a slice. Owned by the caller. systemd_unescape() is the way back.
 */
char *systemd_escape(const char *name);
char *systemd_unescape(const char *part);

/*
 * Starts `scope` with the processes `pids` (ended by 0) below `slice`, a top-level slice limited to `cpus` that systemd
 * stops by itself once the scope has ended. EEXIST: a unit of that name is there already.
 */
struct err *systemd_scope_start(struct root *root, const char *scope, const char *slice, const char *description, const pid_t *pids,
				const struct cpus *cpus);
/* Stops or starts a unit and waits for the end of the job. Stopping a unit that is not loaded is no error. */
struct err *systemd_unit_stop(struct root *root, const char *unit);
struct err *systemd_unit_start(struct root *root, const char *unit);
/* ActiveState (systemd.unit(5)): "active", "inactive", "failed", "deactivating", …; a unit that is not loaded is inactive. */
struct err *systemd_unit_state(struct root *root, const char *unit, char **ret_state);
/* Sets AllowedCPUs of a unit, until the next boot. */
struct err *systemd_set_cpus(struct root *root, const char *unit, const struct cpus *cpus);
/*
 * Tells systemd what the unit's cpuset.cpus.partition is (CPUSetPartition= of systemd 261 and later), until the next boot: "isolated",
 * "root", or "member", which ends it; an empty value would leave the kernel's as it is. A systemd that does not know the property is no
 * error.
 */
struct err *systemd_set_partition(struct root *root, const char *unit, const char *type);
/* Sets a property of a unit, until the next boot; a number as in decimal. One that this systemd does not know is EOPNOTSUPP. */
struct err *systemd_set_property(struct root *root, const char *unit, const char *name, const char *value);
/* systemctl daemon-reload. */
struct err *systemd_reload(struct root *root);
