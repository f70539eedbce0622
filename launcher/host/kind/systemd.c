/* SPDX-License-Identifier: GPL-2.0-or-later */
/* systemd: see systemd.h. The interface is org.freedesktop.systemd1(5). */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "launcher/base/clock.h"
#include "launcher/host/kind/bus.h"
#include "launcher/host/kind/systemd.h"

#define JOB_LIMIT_US (UINT64_C(10) * 1000000)
#define UNIT_LIMIT_US (UINT64_C(60) * 1000000)   /* a display manager ends whole sessions */
#define RELOAD_LIMIT_US (UINT64_C(60) * 1000000) /* every unit file is read again: slow on a slow disk */
#define STOP_LIMIT_US (UINT64_C(5) * 1000000)    /* SIGTERM to SIGKILL in our scope; below JOB_LIMIT_US */

#define SERVICE "org.freedesktop.systemd1"
#define OBJECT "/org/freedesktop/systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"
#define NO_SUCH_UNIT "org.freedesktop.systemd1.NoSuchUnit"
#define UNKNOWN_PROPERTY "org.freedesktop.DBus.Error.PropertyReadOnly" /* "Cannot set property NAME, or unknown property." */
#define MANAGER_CALL SERVICE, OBJECT, MANAGER

bool systemd_runs(struct root *root)
{
	return root_exists(root, "/run/systemd/system");
}

char *systemd_escape(const char *name)
{
	struct sb sb = {};
	for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
		if (isalnum(*p) || *p == '_' || (*p == '.' && p != (const unsigned char *)name))
			sb_addc(&sb, (char)*p);
		else
			sb_addf(&sb, "\\x%02x", *p);
	}
	return sb_steal(&sb);
}

char *systemd_unescape(const char *part)
{
	struct sb sb = {};
	while (*part) {
		unsigned byte;
		if (part[0] == '\\' && part[1] == 'x' && isxdigit((unsigned char)part[2]) && isxdigit((unsigned char)part[3]) &&
		    sscanf(part + 2, "%2x", &byte) == 1 && byte) {
			sb_addc(&sb, (char)byte);
			part += 4;
		} else {
			sb_addc(&sb, *part++);
		}
	}
	return sb_steal(&sb);
}

static struct err *open_bus(struct root *root, sd_bus **ret_bus)
{
	if (!root_is_host(root) || !systemd_runs(root))
		return err_errno(EOPNOTSUPP, "systemd does not run in %s", root_dir(root));
	return err_wrap(bus_open_system(root, ret_bus), "systemd");
}

static struct err *failed(int r, const sd_bus_error *error, const char *what)
{
	return err_wrap(bus_err(r, error, what), "systemd");
}

/* A job that is waited for. The signal may come before the answer that names the job: all that ended meanwhile are
 * kept. */
struct job_watch {
	struct strv ended; /* "PATH RESULT" */
};

static void watch_free(struct job_watch *w)
{
	strv_free(&w->ended);
}

static int on_job_removed(sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
	struct job_watch *w = data;
	const char *job, *unit, *result;
	uint32_t id;
	(void)ret_error;
	if (sd_bus_message_read(m, "uoss", &id, &job, &unit, &result) >= 0)
		strv_addf(&w->ended, "%s %s", job, result);
	return 0;
}

/* From here on the ends of jobs are heard: before the call that makes one. */
static struct err *jobs_watch(sd_bus *bus, struct job_watch *w)
{
	cleanup_bus_error sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = sd_bus_match_signal(bus, NULL, SERVICE, OBJECT, MANAGER, "JobRemoved", on_job_removed, w);
	if (r >= 0)
		r = sd_bus_call_method(bus, MANAGER_CALL, "Subscribe", &error, NULL, "");
	return r < 0 ? failed(r, &error, "Subscribe") : NULL;
}

static const char *job_result(const struct job_watch *w, const char *job)
{
	size_t len = strlen(job);
	for (size_t i = 0; i < w->ended.n; i++)
		if (str_starts(w->ended.v[i], job) && w->ended.v[i][len] == ' ')
			return w->ended.v[i] + len + 1;
	return NULL;
}

/* Waits for the job named in `reply`. */
static struct err *job_wait(sd_bus *bus, struct job_watch *w, sd_bus_message *reply, const char *what, uint64_t limit_us)
{
	const char *job, *result;
	int r = sd_bus_message_read(reply, "o", &job);
	uint64_t until = clock_us() + limit_us;
	while (r >= 0 && !(result = job_result(w, job)))
		r = bus_step(bus, until);
	if (r < 0)
		return failed(r, NULL, what);
	return streq(result, "done") ? NULL : err_new("systemd: %s: the job ended as \"%s\"", what, result);
}

/* AllowedCPUs is bytes, the lowest CPUs first, bit n of byte m for CPU 8m+n. */
static int append_cpus(sd_bus_message *m, const struct cpus *cpus)
{
	uint8_t bytes[CPUS_MAX / 8] = {};
	size_t len = 0;
	for (int cpu = cpus_next(cpus, -1); cpu >= 0; cpu = cpus_next(cpus, cpu)) {
		bytes[cpu / 8] |= (uint8_t)(1 << cpu % 8);
		len = (size_t)cpu / 8 + 1;
	}
	int r = sd_bus_message_open_container(m, 'r', "sv");
	if (r >= 0)
		r = sd_bus_message_append(m, "s", "AllowedCPUs");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'v', "ay");
	if (r >= 0)
		r = sd_bus_message_append_array(m, 'y', bytes, len);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

/* PIDs is an array of unsigned. */
static int append_pids(sd_bus_message *m, const pid_t *pids)
{
	int r = sd_bus_message_open_container(m, 'r', "sv");
	if (r >= 0)
		r = sd_bus_message_append(m, "s", "PIDs");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'v', "au");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "u");
	for (; r >= 0 && *pids; pids++)
		r = sd_bus_message_append(m, "u", (uint32_t)*pids);
	for (int i = 0; r >= 0 && i < 3; i++)
		r = sd_bus_message_close_container(m);
	return r;
}

/* The arguments of StartTransientUnit: name, mode, properties, and the slice as the one auxiliary unit. */
static int append_scope(sd_bus_message *m, const char *scope, const char *slice, const char *description, const pid_t *pids,
			const struct cpus *cpus)
{
	int r = sd_bus_message_append(m, "ss", scope, "fail");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(sv)");
	if (r >= 0)
		r = sd_bus_message_append(m, "(sv)(sv)(sv)(sv)", "Description", "s", description, "Slice", "s", slice, "CollectMode", "s",
					  "inactive-or-failed", "TimeoutStopUSec", "t", (uint64_t)STOP_LIMIT_US);
	if (r >= 0)
		r = append_pids(m, pids);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(sa(sv))");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'r', "sa(sv)");
	if (r >= 0)
		r = sd_bus_message_append(m, "s", slice);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(sv)");
	if (r >= 0)
		r = sd_bus_message_append(m, "(sv)(sv)(sv)", "Description", "s", description, "StopWhenUnneeded", "b", 1, "CollectMode",
					  "s", "inactive-or-failed");
	if (r >= 0)
		r = append_cpus(m, cpus);
	for (int i = 0; r >= 0 && i < 3; i++)
		r = sd_bus_message_close_container(m);
	return r;
}

struct err *systemd_scope_start(struct root *root, const char *scope, const char *slice, const char *description, const pid_t *pids,
				const struct cpus *cpus)
{
	cleanup_bus sd_bus *bus = NULL;
	cleanup_message sd_bus_message *m = NULL, *reply = NULL;
	cleanup_bus_error sd_bus_error error = SD_BUS_ERROR_NULL;
	cleanup(watch_free) struct job_watch watch = {};
	TRY(open_bus(root, &bus));
	TRY(jobs_watch(bus, &watch));
	int r = sd_bus_message_new_method_call(bus, &m, MANAGER_CALL, "StartTransientUnit");
	if (r >= 0)
		r = append_scope(m, scope, slice, description, pids, cpus);
	if (r >= 0)
		r = sd_bus_call(bus, m, BUS_CALL_LIMIT_US, &error, &reply);
	if (r < 0)
		return failed(r, &error, scope);
	return job_wait(bus, &watch, reply, scope, JOB_LIMIT_US);
}

static struct err *unit_job(struct root *root, const char *method, const char *unit)
{
	cleanup_bus sd_bus *bus = NULL;
	cleanup_message sd_bus_message *reply = NULL;
	cleanup_bus_error sd_bus_error error = SD_BUS_ERROR_NULL;
	cleanup(watch_free) struct job_watch watch = {};
	TRY(open_bus(root, &bus));
	TRY(jobs_watch(bus, &watch));
	int r = sd_bus_call_method(bus, MANAGER_CALL, method, &error, &reply, "ss", unit, "replace");
	if (r < 0 && streq(method, "StopUnit") && sd_bus_error_has_name(&error, NO_SUCH_UNIT))
		return NULL;
	if (r < 0)
		return failed(r, &error, unit);
	return job_wait(bus, &watch, reply, unit, UNIT_LIMIT_US);
}

struct err *systemd_unit_stop(struct root *root, const char *unit)
{
	return unit_job(root, "StopUnit", unit);
}

struct err *systemd_unit_start(struct root *root, const char *unit)
{
	return unit_job(root, "StartUnit", unit);
}

struct err *systemd_unit_state(struct root *root, const char *unit, char **ret_state)
{
	cleanup_bus sd_bus *bus = NULL;
	cleanup_message sd_bus_message *reply = NULL;
	cleanup_bus_error sd_bus_error error = SD_BUS_ERROR_NULL;
	cleanup_free char *state = NULL;
	const char *path;
	TRY(open_bus(root, &bus));
	int r = sd_bus_call_method(bus, MANAGER_CALL, "GetUnit", &error, &reply, "s", unit);
	if (r < 0 && sd_bus_error_has_name(&error, NO_SUCH_UNIT)) {
		*ret_state = str_dup("inactive");
		return NULL;
	}
	if (r >= 0)
		r = sd_bus_message_read(reply, "o", &path);
	if (r >= 0)
		r = sd_bus_get_property_string(bus, SERVICE, path, SERVICE ".Unit", "ActiveState", &error, &state);
	if (r < 0)
		return failed(r, &error, unit);
	*ret_state = steal(state);
	return NULL;
}

struct err *systemd_set_cpus(struct root *root, const char *unit, const struct cpus *cpus)
{
	cleanup_bus sd_bus *bus = NULL;
	cleanup_message sd_bus_message *m = NULL;
	cleanup_bus_error sd_bus_error error = SD_BUS_ERROR_NULL;
	TRY(open_bus(root, &bus));
	int r = sd_bus_message_new_method_call(bus, &m, MANAGER_CALL, "SetUnitProperties");
	if (r >= 0)
		r = sd_bus_message_append(m, "sb", unit, 1 /* runtime */);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(sv)");
	if (r >= 0)
		r = append_cpus(m, cpus);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	if (r >= 0)
		r = sd_bus_call(bus, m, BUS_CALL_LIMIT_US, &error, NULL);
	return r < 0 ? failed(r, &error, unit) : NULL;
}

struct err *systemd_set_partition(struct root *root, const char *unit, const char *type)
{
	cleanup_bus sd_bus *bus = NULL;
	cleanup_bus_error sd_bus_error error = SD_BUS_ERROR_NULL;
	TRY(open_bus(root, &bus));
	int r = sd_bus_call_method(bus, MANAGER_CALL, "SetUnitProperties", &error, NULL, "sba(sv)", unit, 1 /* runtime */, 1,
				   "CPUSetPartition", "s", type);
	if (r < 0 && (sd_bus_error_has_name(&error, UNKNOWN_PROPERTY) || sd_bus_error_has_name(&error, NO_SUCH_UNIT)))
		return NULL;
	return r < 0 ? failed(r, &error, unit) : NULL;
}

struct err *systemd_set_property(struct root *root, const char *unit, const char *name, const char *value)
{
	cleanup_bus sd_bus *bus = NULL;
	cleanup_bus_error sd_bus_error error = SD_BUS_ERROR_NULL;
	bool number = isdigit((unsigned char)*value);
	TRY(open_bus(root, &bus));
	int r = number ? sd_bus_call_method(bus, MANAGER_CALL, "SetUnitProperties", &error, NULL, "sba(sv)", unit, 1 /* runtime */, 1, name,
					    "t", (uint64_t)strtoull(value, NULL, 10))
		       : sd_bus_call_method(bus, MANAGER_CALL, "SetUnitProperties", &error, NULL, "sba(sv)", unit, 1, 1, name, "s", value);
	if (r < 0 && sd_bus_error_has_name(&error, UNKNOWN_PROPERTY))
		return err_errno(EOPNOTSUPP, "%s", name);
	return r < 0 ? failed(r, &error, unit) : NULL;
}

struct err *systemd_reload(struct root *root)
{
	cleanup_bus sd_bus *bus = NULL;
	cleanup_message sd_bus_message *m = NULL;
	cleanup_bus_error sd_bus_error error = SD_BUS_ERROR_NULL;
	TRY(open_bus(root, &bus));
	int r = sd_bus_message_new_method_call(bus, &m, MANAGER_CALL, "Reload");
	if (r >= 0)
		r = sd_bus_call(bus, m, RELOAD_LIMIT_US, &error, NULL);
	return r < 0 ? failed(r, &error, "daemon-reload") : NULL;
}
