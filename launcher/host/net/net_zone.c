/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net_zone: see net_zone.h. The interface is firewalld.dbus(5). */
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include "launcher/base/tr.h"
#include "launcher/host/kind/bus.h"
#include "launcher/host/net/net_choose.h"
#include "launcher/host/net/net_zone.h"

#define SERVICE "org.fedoraproject.FirewallD1"
#define OBJECT "/org/fedoraproject/FirewallD1"
#define ZONES SERVICE ".zone"
#define NONE "no zone" /* it is treated as one of the default zone */
#define AGAIN_US (UINT64_C(1) * 1000000) /* one that starts answers nobody before its rules are made */
#define CALL_LIMIT_US (UINT64_C(20) * 1000000) /* it rewrites its rules before it answers, in Python */

/* Calls a method on zones that takes up to two texts (NULL: no more). EHOSTDOWN where firewalld does not run; it is not started. */
static struct err *call(sd_bus *bus, const char *method, const char *first, const char *second, sd_bus_message **ret_reply)
{
	cleanup_message sd_bus_message *m = NULL, *reply = NULL;
	cleanup_bus_error sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = sd_bus_message_new_method_call(bus, &m, SERVICE, OBJECT, ZONES, method);
	if (r >= 0)
		r = sd_bus_message_set_auto_start(m, 0);
	if (r >= 0 && first)
		r = sd_bus_message_append(m, "s", first);
	if (r >= 0 && second)
		r = sd_bus_message_append(m, "s", second);
	if (r >= 0)
		r = sd_bus_call(bus, m, CALL_LIMIT_US, &error, &reply);
	if (sd_bus_error_has_name(&error, "org.freedesktop.DBus.Error.ServiceUnknown") ||
	    sd_bus_error_has_name(&error, "org.freedesktop.DBus.Error.NameHasNoOwner"))
		return err_errno(EHOSTDOWN, "firewalld");
	if (r < 0)
		return err_wrap(bus_err(r, &error, method), "firewalld");
	if (ret_reply)
		*ret_reply = steal(reply);
	return NULL;
}

/* The zone that an interface is in, NONE where it is in none. */
static struct err *zone_of(sd_bus *bus, const char *link, char **ret_zone)
{
	cleanup_message sd_bus_message *reply = NULL;
	const char *zone = "";
	struct err *e = call(bus, "getZoneOfInterface", link, NULL, &reply);
	if (e && err_code(e) != EHOSTDOWN)
		return e;
	bool runs = !e;
	err_free(e);
	if (runs && sd_bus_message_read(reply, "s", &zone) < 0)
		return err_new("firewalld: its answer cannot be read");
	*ret_zone = str_dup(*zone ? zone : NONE);
	return NULL;
}

/* ---- which one ---- */

static void read_texts(sd_bus_message *m, struct strv *ret_texts)
{
	const char *text;
	if (sd_bus_message_enter_container(m, 'v', "as") < 0 || sd_bus_message_enter_container(m, 'a', "s") < 0)
		return;
	while (sd_bus_message_read(m, "s", &text) > 0)
		strv_add(ret_texts, text);
	sd_bus_message_exit_container(m);
	sd_bus_message_exit_container(m);
}

/*
 * Whether it lets a guest's DHCP, DNS and what it sends on through: it accepts what its rules do not refuse, and those have either no rule
 * at all or name the two services, which come before rules of its own.
 */
static bool is_open(sd_bus *bus, const char *zone)
{
	cleanup_message sd_bus_message *m = NULL;
	cleanup_strv struct strv services = {}, rules = {};
	cleanup_err struct err *e = call(bus, "getZoneSettings2", zone, NULL, &m);
	const char *key, *target = "";
	if (e || sd_bus_message_enter_container(m, 'a', "{sv}") < 0)
		return false;
	while (sd_bus_message_enter_container(m, 'e', "sv") > 0 && sd_bus_message_read(m, "s", &key) > 0) {
		if (streq(key, "target"))
			sd_bus_message_read(m, "v", "s", &target);
		else if (streq(key, "services") || streq(key, "rules_str"))
			read_texts(m, *key == 's' ? &services : &rules);
		else
			sd_bus_message_skip(m, "v");
		sd_bus_message_exit_container(m);
	}
	return streq(target, "ACCEPT") && (!rules.n || (strv_has(&services, "dhcp") && strv_has(&services, "dns")));
}

static struct err *choose(sd_bus *bus, struct net *n)
{
	static const char *const made_for_guests[] = { "libvirt", "nm-shared" };
	cleanup_message sd_bus_message *reply = NULL;
	cleanup_strv struct strv zones = {};
	cleanup_free char *now = NULL;
	const char *zone, *wanted = n->conf->zone;
	TRY(call(bus, "getZones", NULL, NULL, &reply));
	if (sd_bus_message_enter_container(reply, 'a', "s") < 0)
		return err_new("firewalld: its answer cannot be read");
	while (sd_bus_message_read(reply, "s", &zone) > 0)
		strv_add(&zones, zone);
	TRY(zone_of(bus, n->bridge, &now));
	if (!streq(now, NONE))
		return NULL;
	if (wanted && !strv_has(&zones, wanted)) {
		cleanup_free char *names = strv_join(&zones, ", ");
		n->problem = tr_fmt("firewalld has no zone %s", wanted);
		n->remedy = tr_fmt("zone of [network %s]: one of %s", n->conf->name, names);
		return NULL;
	}
	for (size_t i = 0; !wanted && i < ARRAY_SIZE(made_for_guests); i++)
		if (strv_has(&zones, made_for_guests[i]) && is_open(bus, made_for_guests[i]))
			wanted = made_for_guests[i];
	n->zone = str_dup(wanted);
	n->zone_open = wanted && is_open(bus, wanted);
	return NULL;
}

void net_zone_choose(struct root *root, struct net *n)
{
	cleanup_bus sd_bus *bus = NULL;
	if (!n->own || n->problem || !root_is_host(root) || streq(n->conf->zone, "off") ||
	    (!root_exists(root, "/usr/sbin/firewalld") && !root_exists(root, "/usr/bin/firewalld")))
		return;
	/* who may not ask, or gets no answer, is told of what the rules themselves do */
	struct err *e = bus_open_system(root, &bus);
	err_free(e ? e : choose(bus, n));
}

/* ---- the kind ---- */

static char *describe(const struct step *s)
{
	return tr_fmt("take bridge %s into firewalld's zone %s", s->target, s->want);
}

static struct err *probe(struct step_env *env, const struct step *s, char **ret_value)
{
	cleanup_bus sd_bus *bus = NULL;
	if (!root_is_host(env->root)) {
		*ret_value = str_dup(NONE);
		return NULL;
	}
	TRY(bus_open_system(env->root, &bus));
	return zone_of(bus, s->target, ret_value);
}

static struct err *move(struct root *root, const char *link, const char *from, const char *to)
{
	cleanup_bus sd_bus *bus = NULL;
	if (!str_starts(link, NET_BRIDGE_PREFIX))
		return err_new("%s is not ours to give a zone", link);
	TRY(bus_open_system(root, &bus));
	if (streq(to, NONE))
		return call(bus, "removeInterface", from, link, NULL);
	return call(bus, streq(from, NONE) ? "addInterface" : "changeZoneOfInterface", to, link, NULL);
}

static struct err *apply(struct step_env *env, struct step *s)
{
	return move(env->root, s->target, s->prior, s->want);
}

static struct err *undo(struct step_env *env, const struct step *s)
{
	return move(env->root, s->target, s->want, s->prior);
}

const struct step_kind net_zone_kind = {
	.name = "zone",
	.describe = describe,
	.probe = probe,
	.apply = apply,
	.undo = undo,
};

/* ---- what it forgets ---- */

struct zone_watch {
	sd_bus *bus;
	sd_event *event;
	sd_event_source *timer;
	void (*again)(void *data);
	void *data;
};

static int on_timer(sd_event_source *source, uint64_t usec, void *data)
{
	struct zone_watch *w = data;
	(void)source, (void)usec;
	w->timer = sd_event_source_disable_unref(w->timer);
	w->again(w->data);
	return 0;
}

static void begin_timer(struct zone_watch *w)
{
	w->timer = sd_event_source_disable_unref(w->timer);
	sd_event_add_time_relative(w->event, &w->timer, CLOCK_MONOTONIC, AGAIN_US, 0, on_timer, w);
}

static int on_reloaded(sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
	(void)m, (void)ret_error;
	begin_timer(data);
	return 0;
}

static int on_owner(sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
	const char *name, *before, *after;
	(void)ret_error;
	if (sd_bus_message_read(m, "sss", &name, &before, &after) >= 0 && streq(name, SERVICE) && *after)
		begin_timer(data);
	return 0;
}

struct err *net_zone_watch(struct root *root, sd_event *event, void (*again)(void *data), void *data, struct zone_watch **ret_watch)
{
	cleanup_bus sd_bus *bus = NULL;
	TRY(bus_open_system(root, &bus));
	struct zone_watch *w = mem_new(sizeof(*w));
	*w = (struct zone_watch){ .bus = bus, .event = event, .again = again, .data = data };
	int r = sd_bus_match_signal(bus, NULL, SERVICE, OBJECT, SERVICE, "Reloaded", on_reloaded, w);
	if (r >= 0)
		r = sd_bus_match_signal(bus, NULL, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
					"NameOwnerChanged", on_owner, w);
	if (r >= 0)
		r = sd_bus_attach_event(bus, event, SD_EVENT_PRIORITY_NORMAL);
	if (r < 0) {
		free(w);
		return bus_err(r, NULL, "firewalld");
	}
	bus = NULL; /* the watch's */
	*ret_watch = w;
	return NULL;
}

void net_zone_unwatch(struct zone_watch *w)
{
	if (!w)
		return;
	sd_event_source_disable_unref(w->timer);
	sd_bus_close_unref(w->bus);
	free(w);
}
