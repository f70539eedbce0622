/* SPDX-License-Identifier: GPL-2.0-or-later */
/* monitor_find: see monitor.h. Which monitor is meant, and what tells it from the others. Reads /sys/class/drm; asks no monitor. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "launcher/host/screen/monitor.h"

#define DRM "/sys/class/drm"

/* A connector's bus is a folder in it (DisplayPort), or what its link `ddc` leads to. -1: none. */
static int bus_of(struct root *root, const char *connector)
{
	cleanup_strv struct strv names = {};
	cleanup_free char *dir = str_fmt(DRM "/%s", connector), *ddc = str_fmt("%s/ddc", dir), *to = root_link_name(root, ddc);
	if (to && str_starts(to, "i2c-"))
		return atoi(to + strlen("i2c-"));
	err_free(root_list(root, dir, &names));
	for (size_t i = 0; i < names.n; i++)
		if (str_starts(names.v[i], "i2c-"))
			return atoi(names.v[i] + strlen("i2c-"));
	return -1;
}

void monitors_connectors(struct root *root, struct monitors *all)
{
	cleanup_strv struct strv names = {};
	err_free(root_list(root, DRM, &names));
	for (size_t i = 0; i < names.n; i++) {
		const char *name = strchr(names.v[i], '-'); /* "card1-DP-2" */
		int bus = name ? bus_of(root, names.v[i]) : -1;
		for (size_t k = 0; bus >= 0 && k < all->n; k++)
			if (all->v[k].bus == bus)
				snprintf(all->v[k].connector, sizeof(all->v[k].connector), "%s", name + 1);
	}
}

static bool is_at(const struct monitor *m, const char *match)
{
	char bus[24];
	snprintf(bus, sizeof(bus), "i2c-%d", m->bus);
	return (*m->connector && strcasecmp(m->connector, match) == 0) || (m->bus >= 0 && streq(bus, match));
}

static bool is_called(const struct monitor *m, const char *match)
{
	return strcasestr(m->name, match) || strcasestr(m->serial, match);
}

static size_t count(const struct monitors *all, bool (*fits)(const struct monitor *, const char *), const char *match,
		    const struct monitor **ret_first, const struct monitor **ret_last)
{
	size_t n = 0;
	for (size_t i = 0; i < all->n; i++) {
		if (!fits(&all->v[i], match))
			continue;
		*(n ? ret_last : ret_first) = &all->v[i];
		n++;
	}
	return n;
}

struct err *monitor_find(const struct monitors *all, const char *match, const struct monitor **ret_monitor)
{
	const struct monitor *found = NULL, *other = NULL;
	size_t n = count(all, is_at, match, &found, &other);
	n = n ? n : count(all, is_called, match, &found, &other);
	if (n == 1) {
		*ret_monitor = found;
		return NULL;
	}
	if (!found || !other)
		return err_hint(err_coded(ENODEV, "no monitor is called \"%s\"", match), "qlaunch monitors");
	cleanup_free char *one = monitor_match(all, found), *two = monitor_match(all, other);
	return err_hint(err_new("\"%s\" fits two monitors, %s %s and %s %s", match, found->name, found->serial, other->name, other->serial),
			"name it by what it alone has: match = %s, or %s", one, two);
}

char *monitor_match(const struct monitors *all, const struct monitor *m)
{
	char bus[24];
	snprintf(bus, sizeof(bus), "i2c-%d", m->bus);
	const char *const ways[] = { m->name, m->serial, m->connector, bus };
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		const struct monitor *one = NULL, *other = NULL;
		if (*ways[i] && count(all, i < 2 ? is_called : is_at, ways[i], &one, &other) == 1)
			return str_printable(ways[i]);
	}
	return str_printable(m->name);
}
