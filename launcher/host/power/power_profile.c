/* SPDX-License-Identifier: GPL-2.0-or-later */
/* power_profile: see power.h. The interfaces of power-profiles-daemon (its D-Bus reference: HoldProfile) and of tuned (com.redhat.tuned.control). */
#include <errno.h>
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/host/kind/bus.h"
#include "launcher/host/power/power.h"

#define PPD_LONG "org.freedesktop.UPower.PowerProfiles"
#define PPD_OLD  "net.hadess.PowerProfiles"
#define TUNED    "com.redhat.tuned"
#define CONTROL  "com.redhat.tuned.control"

/* The first that runs has it. tuned as such is the last: what speaks for it as power-profiles-daemon does (tuned-ppd) knows the desktop's choice. */
static const struct service {
	const char *name, *path;
	bool holds;
	const char *words[PROFILE_POWER_SAVER + 1]; /* what it calls the profiles of the configuration */
} services[] = {
	{ PPD_LONG, "/org/freedesktop/UPower/PowerProfiles", true, { NULL, "performance", "power-saver" } },
	{ PPD_OLD, "/net/hadess/PowerProfiles", true, { NULL, "performance", "power-saver" } },
	{ TUNED, "/Tuned", false, { NULL, "throughput-performance", "powersave" } },
};

static const struct service *by_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(services); i++)
		if (streq(services[i].name, name))
			return &services[i];
	return NULL;
}

/* Whether somebody has the name now; nobody is started. */
static bool runs(sd_bus *bus, const char *name)
{
	cleanup_message sd_bus_message *reply = NULL;
	int has = 0;
	int r = sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameHasOwner", NULL,
				   &reply, "s", name);
	return r >= 0 && sd_bus_message_read(reply, "b", &has) >= 0 && has;
}

/* NULL where none runs, or there is no bus to ask. */
static const struct service *find(struct root *root)
{
	cleanup_bus sd_bus *bus = NULL;
	cleanup_err struct err *e = bus_open_system(root, &bus);
	for (size_t i = 0; !e && i < ARRAY_SIZE(services); i++)
		if (runs(bus, services[i].name))
			return &services[i];
	return NULL;
}

void power_profile_step(struct steps *out, const struct config *c, struct root *root, sd_bus **bus)
{
	const struct service *service = c->host.profile == PROFILE_KEPT ? NULL : find(root);
	if (!service)
		return;
	struct step *s = steps_add(out, &power_profile_kind, service->name, service->words[c->host.profile],
				   "[host] profile: the host's own choice is back afterwards");
	s->optional = true;
	s->data = bus;
}

void power_profile_findings(struct findings *out, const struct config *c, struct root *root)
{
	if (c->host.profile != PROFILE_KEPT && !find(root))
		findings_add(out, FINDING_WARN, "power",
			     tr_dup("neither power-profiles-daemon nor tuned runs here: the power profile stays as it is"),
			     tr_dup("systemctl start power-profiles-daemon; or governor = performance in [host]"));
}

static char *describe(const struct step *s)
{
	const struct service *service = by_name(s->target);
	return service && service->holds ? tr_fmt("hold the power profile %s", s->want) : tr_fmt("set the power profile %s", s->want);
}

static struct err *failed(int r, const sd_bus_error *error, const char *what)
{
	return err_wrap(bus_err(r, error, what), "power profile");
}

static struct err *active(sd_bus *bus, const struct service *service, char **ret_profile)
{
	cleanup_bus_error sd_bus_error error = SD_BUS_ERROR_NULL;
	cleanup_message sd_bus_message *reply = NULL;
	const char *text = NULL;
	if (service->holds) {
		int r = sd_bus_get_property_string(bus, service->name, service->path, service->name, "ActiveProfile", &error, ret_profile);
		return r < 0 ? failed(r, &error, "ActiveProfile") : NULL;
	}
	int r = sd_bus_call_method(bus, service->name, service->path, CONTROL, "active_profile", &error, &reply, "");
	if (r >= 0)
		r = sd_bus_message_read(reply, "s", &text);
	if (r < 0)
		return failed(r, &error, "active_profile");
	*ret_profile = str_dup(text);
	return NULL;
}

static struct err *probe(struct step_env *env, const struct step *s, char **ret_value)
{
	cleanup_bus sd_bus *bus = NULL;
	const struct service *service = by_name(s->target);
	if (!service)
		return err_new("\"%s\" has no power profiles", s->target);
	TRY(bus_open_system(env->root, &bus));
	if (!runs(bus, service->name)) { /* gone meanwhile, and what it held with it */
		*ret_value = str_dup("none");
		return NULL;
	}
	return active(bus, service, ret_value);
}

/* switch_profile answers with whether it did, and with words. */
static struct err *set_tuned(struct root *root, const struct service *service, const char *profile)
{
	cleanup_bus sd_bus *bus = NULL;
	cleanup_bus_error sd_bus_error error = SD_BUS_ERROR_NULL;
	cleanup_message sd_bus_message *reply = NULL;
	const char *words = "";
	int done = 0;
	TRY(bus_open_system(root, &bus));
	int r = sd_bus_call_method(bus, service->name, service->path, CONTROL, "switch_profile", &error, &reply, "s", profile);
	if (r >= 0)
		r = sd_bus_message_read(reply, "(bs)", &done, &words);
	if (r < 0)
		return failed(r, &error, "switch_profile");
	return done ? NULL : err_new("tuned: %s", words);
}

static struct err *hold(struct root *root, const struct service *service, const char *profile, sd_bus **ret_bus)
{
	cleanup_bus sd_bus *bus = NULL;
	cleanup_bus_error sd_bus_error error = SD_BUS_ERROR_NULL;
	TRY(bus_open_system(root, &bus));
	int r = sd_bus_call_method(bus, service->name, service->path, service->name, "HoldProfile", &error, NULL, "sss", profile,
				   "a virtual machine runs", "qlaunch");
	if (r < 0)
		return failed(r, &error, "HoldProfile");
	*ret_bus = steal(bus);
	return NULL;
}

static struct err *apply(struct step_env *env, struct step *s)
{
	const struct service *service = by_name(s->target);
	return service->holds ? hold(env->root, service, s->want, s->data) : set_tuned(env->root, service, s->want);
}

/* What was held ended with the connection: of a launcher that is dead, long ago. */
static struct err *undo(struct step_env *env, const struct step *s)
{
	const struct service *service = by_name(s->target);
	sd_bus **held = s->data;
	if (!service->holds)
		return set_tuned(env->root, service, s->prior);
	if (held && *held) {
		sd_bus_close_unref(*held);
		*held = NULL;
	}
	return NULL;
}

static enum step_whose whose(const struct step *s, const char *now)
{
	if (streq(now, s->prior) || streq(now, "none"))
		return STEP_PRIOR;
	return streq(now, s->want) ? STEP_WANTED : STEP_FOREIGN;
}

const struct step_kind power_profile_kind = {
	.name = "power-profile",
	.describe = describe,
	.probe = probe,
	.apply = apply,
	.undo = undo,
	.undo_reads_back = true,
	.whose = whose,
};
