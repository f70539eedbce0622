/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bus: D-Bus connections that never hold the launcher: what does not answer within a time limit is an error. Blocking;
 * for the modules that talk to systemd, logind and the user's session. Uses no bus but the host's own.
 */
#pragma once
#include <stdint.h>
#include <sys/types.h>
#include "launcher/base/root.h"
#include "launcher/base/sd.h"

#define BUS_CALL_LIMIT_US (UINT64_C(5) * 1000000)

/* The system's bus, greeted and ready. EOPNOTSUPP where `root` is not the host. */
struct err *bus_open_system(struct root *root, sd_bus **ret_bus);
/*
 * The bus of a user's session: DBUS_SESSION_BUS_ADDRESS where `uid` is ours, else /run/user/UID/bus, as that user: a
 * session's bus takes nobody else, root included. ENOENT where there is no session.
 */
struct err *bus_open_session(struct root *root, uid_t uid, gid_t gid, sd_bus **ret_bus);
bool bus_has_session(struct root *root, uid_t uid); /* whether it is worth a try */
/*
 * Handles one message, or waits for one until `until_us` (CLOCK_MONOTONIC). Negative errno: -ETIMEDOUT after that, and
 * whatever ends the connection.
 */
int bus_step(sd_bus *bus, uint64_t until_us);
/* An error of a call: what the peer said in words, else the errno `r` (negative). */
struct err *bus_err(int r, const sd_bus_error *error, const char *what);

/* Without a flush, which would wait for a bus that does not answer: all calls here have had their answers. */
#define cleanup_bus cleanup(bus_closep)
#define cleanup_message cleanup(bus_message_freep)
#define cleanup_bus_error cleanup(bus_error_free)

static inline void bus_closep(sd_bus **bus)
{
	if (*bus)
		sd_bus_close_unref(*bus);
}

static inline void bus_message_freep(sd_bus_message **m)
{
	if (*m)
		sd_bus_message_unref(*m);
}

static inline void bus_error_free(sd_bus_error *e)
{
	if (e->name)
		sd_bus_error_free(e);
}
