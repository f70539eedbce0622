/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bus: see bus.h. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/base/clock.h"
#include "launcher/host/kind/bus.h"

struct err *bus_err(int r, const sd_bus_error *error, const char *what)
{
	if (sd_bus_error_is_set(error) && error->message)
		return err_errno(sd_bus_error_get_errno(error), "%s: %s", what, error->message);
	return err_errno(-r, "%s", what);
}

int bus_step(sd_bus *bus, uint64_t until_us)
{
	uint64_t now = clock_us();
	if (now >= until_us)
		return -ETIMEDOUT;
	int r = sd_bus_process(bus, NULL);
	if (r == 0)
		r = sd_bus_wait(bus, until_us - now);
	return r == -EINTR ? 0 : r;
}

/* A bus that accepts and says nothing would hold us for sd-bus' own 90 s. */
static int greet(sd_bus *bus)
{
	uint64_t until = clock_us() + BUS_CALL_LIMIT_US;
	int r;
	while ((r = sd_bus_is_ready(bus)) == 0 && (r = bus_step(bus, until)) >= 0)
		;
	return r < 0 ? r : sd_bus_set_method_call_timeout(bus, BUS_CALL_LIMIT_US);
}

struct err *bus_open_system(struct root *root, sd_bus **ret_bus)
{
	if (!root_is_host(root))
		return err_errno(EOPNOTSUPP, "D-Bus of %s", root_dir(root));
	cleanup_bus sd_bus *bus = NULL;
	int r = sd_bus_open_system(&bus);
	if (r >= 0)
		r = greet(bus);
	if (r < 0)
		return err_hint(err_errno(-r, "the system's D-Bus"), "systemctl status dbus");
	*ret_bus = steal(bus);
	return NULL;
}

/* Connects as the user: the kernel hands our effective ids to the bus. */
static int connect_as(sd_bus *bus, uid_t uid, gid_t gid)
{
	uid_t own_uid = geteuid();
	gid_t own_gid = getegid();
	if (own_uid == uid)
		return sd_bus_start(bus);
	int r = setegid(gid) < 0 || seteuid(uid) < 0 ? -errno : sd_bus_start(bus);
	if (r >= 0)
		r = greet(bus);
	if (seteuid(own_uid) < 0 || setegid(own_gid) < 0)
		abort(); /* what follows must not run as somebody else */
	return r;
}

/* Owned by the caller; NULL where there is no session. Into the directory only its user can look: root has given away the right to. */
static char *session_address(struct root *root, uid_t uid)
{
	cleanup_free char *dir = str_fmt("/run/user/%u", uid);
	const char *named = uid == getuid() ? getenv("DBUS_SESSION_BUS_ADDRESS") : NULL;
	if (!root_is_host(root) || (!named && !root_exists(root, dir)))
		return NULL;
	return named ? str_dup(named) : str_fmt("unix:path=%s/bus", dir);
}

bool bus_has_session(struct root *root, uid_t uid)
{
	cleanup_free char *address = session_address(root, uid);
	return address;
}

struct err *bus_open_session(struct root *root, uid_t uid, gid_t gid, sd_bus **ret_bus)
{
	cleanup_free char *address = session_address(root, uid);
	if (!address)
		return err_errno(ENOENT, "the D-Bus of the session");
	cleanup_bus sd_bus *bus = NULL;
	int r = sd_bus_new(&bus);
	if (r >= 0)
		r = sd_bus_set_address(bus, address);
	if (r >= 0)
		r = sd_bus_set_bus_client(bus, 1);
	if (r >= 0)
		r = connect_as(bus, uid, gid);
	if (r >= 0)
		r = greet(bus);
	if (r < 0)
		return err_errno(-r, "the D-Bus of the session");
	*ret_bus = steal(bus);
	return NULL;
}
