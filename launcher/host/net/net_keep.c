/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net_keep: see net_keep.h. */
#include <jansson.h>
#include <stdlib.h>
#include "launcher/base/child.h"
#include "launcher/base/clock.h"
#include "launcher/base/log.h"
#include "launcher/base/progress.h"
#include "launcher/base/tr.h"
#include "launcher/host/net/net_keep.h"

#define SYS_NET "/sys/class/net"
#define NONE    "none"
#define PART    ", "

#define IP_LIMIT_MS      5000
#define PAUSE_MS         200

int net_keep_limit_ms = 8000;

/* ---- what there is ---- */

static void links_behind(struct root *root, const char *function, struct strv *ret_links)
{
	cleanup_strv struct strv names = {};
	cleanup_free char *part = str_fmt("/%s/", function);
	err_free(root_list(root, SYS_NET, &names));
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *path = str_fmt(SYS_NET "/%s", names.v[i]), *target = root_link(root, path);
		if (target && strstr(target, part))
			strv_add(ret_links, names.v[i]);
	}
}

/* The array that `ip -j ARGUMENTS` prints; an empty one where it cannot be had. */
static json_t *ip_list(const char *const argv[])
{
	cleanup_free char *text = NULL;
	cleanup_err struct err *e = child_output(argv, IP_LIMIT_MS, &text);
	json_t *list = e ? NULL : json_loads(text, 0, NULL);
	return list ? list : json_array();
}

static const char *word(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

static void addresses(const char *link, struct strv *items)
{
	json_t *list = ip_list((const char *const[]){ "ip", "-j", "addr", "show", "dev", link, NULL }), *entry, *addr;
	size_t i, k;
	json_array_foreach (list, i, entry)
		json_array_foreach (json_object_get(entry, "addr_info"), k, addr) {
			bool dynamic = json_is_true(json_object_get(addr, "dynamic"));
			if (!streq(word(addr, "scope"), "global") || (dynamic && streq(word(addr, "family"), "inet6")))
				continue; /* the kernel's own, or a router's */
			strv_addf(items, "%s addr %s/%d%s", link, word(addr, "local"),
				  (int)json_integer_value(json_object_get(addr, "prefixlen")), dynamic ? " dynamic" : "");
		}
	json_decref(list);
}

static void add_word(struct sb *sb, const json_t *route, const char *key, const char *name)
{
	if (*word(route, key))
		sb_addf(sb, " %s %s", name, word(route, key));
}

static void routes(const char *link, const char *family, const char *verb, struct strv *items)
{
	json_t *list = ip_list((const char *const[]){ "ip", "-j", family, "route", "show", "dev", link, NULL }), *route;
	size_t i;
	json_array_foreach (list, i, route) {
		struct sb sb = {};
		if (streq(word(route, "protocol"), "kernel") || streq(word(route, "protocol"), "ra"))
			continue;
		sb_addf(&sb, "%s %s %s", link, verb, word(route, "dst"));
		add_word(&sb, route, "gateway", "via");
		add_word(&sb, route, "prefsrc", "src");
		add_word(&sb, route, "protocol", "proto");
		const json_t *metric = json_object_get(route, "metric");
		if (metric)
			sb_addf(&sb, " metric %lld", (long long)json_integer_value(metric));
		cleanup_free char *text = sb_steal(&sb);
		strv_add(items, text);
	}
	json_decref(list);
}

/* In the order in which it can be put back. */
static void link_items(struct root *root, const char *link, struct strv *items)
{
	cleanup_strv struct strv entries = {};
	cleanup_free char *dir = str_fmt(SYS_NET "/%s", link), *flags_path = str_fmt("%s/flags", dir),
			  *flags = root_read_or(root, flags_path, "0");
	cleanup_free char *master_path = str_fmt("%s/master", dir), *master = root_link_name(root, master_path);
	if (!(strtoul(flags, NULL, 16) & 1 /* IFF_UP */))
		return;
	strv_addf(items, "%s up", link);
	if (master)
		strv_addf(items, "%s master %s", link, master);
	err_free(root_list(root, dir, &entries));
	for (size_t i = 0; i < entries.n; i++)
		if (str_starts(entries.v[i], "upper_") && !streq(entries.v[i] + strlen("upper_"), master))
			strv_addf(items, "%s upper %s", link, entries.v[i] + strlen("upper_"));
	if (!root_is_host(root))
		return; /* addresses are no files */
	addresses(link, items);
	routes(link, "-4", "route", items);
	routes(link, "-6", "route6", items);
}

static struct err *probe(struct step_env *env, const struct step *s, char **ret_value)
{
	cleanup_strv struct strv links = {}, items = {};
	links_behind(env->root, s->target, &links);
	for (size_t i = 0; i < links.n; i++)
		link_items(env->root, links.v[i], &items);
	*ret_value = items.n ? strv_join(&items, PART) : str_dup(NONE);
	return NULL;
}

/* ---- what is missing ---- */

/* A lease may be another one by now, and a route may lead over another gateway. */
static bool is_back(const struct strv *now, const char *item)
{
	bool lease = str_ends(item, " dynamic");
	const char *verb = item + strcspn(item, " "), *to = str_starts(verb, " route") ? verb + 1 + strcspn(verb + 1, " ") + 1 : NULL;
	size_t n = lease ? (size_t)(verb - item) + strlen(" addr ") : to ? (size_t)(to - item) + strcspn(to, " ") : strlen(item);
	for (size_t i = 0; i < now->n; i++)
		if (strncmp(now->v[i], item, n) == 0 && (lease ? !strchr(now->v[i], ':') : !now->v[i][n] || now->v[i][n] == ' '))
			return true;
	return false;
}

/* The items of a value. */
static void items_of(const char *value, struct strv *ret_items)
{
	cleanup_strv struct strv parts = {};
	strv_split(&parts, streq(value, NONE) ? "" : value, ",");
	for (size_t i = 0; i < parts.n; i++)
		strv_add(ret_items, str_trim(parts.v[i]));
}

char *net_keep_missing(const char *before, const char *now)
{
	cleanup_strv struct strv had = {}, has = {}, missing = {};
	items_of(before, &had);
	items_of(now, &has);
	for (size_t i = 0; i < had.n; i++)
		if (!is_back(&has, had.v[i]))
			strv_add(&missing, had.v[i]);
	return missing.n ? strv_join(&missing, PART) : NULL;
}

/* ---- there and back ---- */

static char *describe(const struct step *s)
{
	return tr_fmt("keep in mind the host's addresses and routes on %s", s->target);
}

static struct err *nothing(struct step_env *env, struct step *s)
{
	(void)env, (void)s;
	return NULL;
}

static struct err *nothing_yet(struct step_env *env, const struct step *s)
{
	(void)env, (void)s;
	return NULL;
}

static char *missing_now(struct step_env *env, const struct step *s)
{
	cleanup_free char *now = NULL;
	cleanup_err struct err *e = probe(env, s, &now);
	return net_keep_missing(s->prior, e ? NONE : now);
}

/* Until nothing is missing, or the time is over. */
static char *await(struct step_env *env, const struct step *s, int limit_ms)
{
	int64_t until = clock_ms() + limit_ms;
	char *missing = NULL;
	while ((missing = missing_now(env, s)) && clock_ms() < until) {
		free(missing);
		progress_poll(NULL, 0, PAUSE_MS);
	}
	return missing;
}

static bool await_link(struct root *root, const struct step *s)
{
	int64_t until = clock_ms() + net_keep_limit_ms;
	cleanup_free char *name = str_ndup(s->prior, strcspn(s->prior, " "));
	for (;;) {
		cleanup_strv struct strv links = {};
		links_behind(root, s->target, &links);
		if (strv_has(&links, name) || clock_ms() >= until)
			return strv_has(&links, name);
		progress_poll(NULL, 0, PAUSE_MS);
	}
}

/* One item, by ip(8). What cannot be put back is still missing afterwards, and said then. */
static void put_back(struct root *root, const char *function, const char *item)
{
	cleanup_strv struct strv links = {}, argv = {};
	cleanup_free char *output = NULL, *link = str_ndup(item, strcspn(item, " ")), *command = NULL;
	const char *what = item + strlen(link) + (item[strlen(link)] == ' '), *value = what + strcspn(what, " ");
	links_behind(root, function, &links);
	if (!strv_has(&links, link)) /* a journal that somebody bent changes no other interface */
		return;
	if (streq(what, "up") || str_starts(what, "master "))
		command = str_fmt("link set dev %s %s", link, what);
	else if (str_starts(what, "addr "))
		command = str_fmt("addr replace %.*s dev %s%s", (int)strcspn(value + 1, " "), value + 1, link,
				  strchr(value, ':') ? "" : " brd +");
	else if (str_starts(what, "route"))
		command = str_fmt("%s route replace%s dev %s", str_starts(what, "route6") ? "-6" : "-4", value, link);
	else
		return; /* an interface upon it: who made it knows how */
	strv_add(&argv, "ip");
	strv_split(&argv, command, " ");
	err_free(child_output((const char *const *)argv.v, IP_LIMIT_MS, &output));
}

static bool is_lease(const char *item)
{
	return str_ends(item, " dynamic") || strstr(item, " proto dhcp");
}

/*
 * Those who manage the host's network do it by themselves, as when the card was found at boot, and so they get the time for it; a lease
 * that comes later than that is theirs to bring. What nobody puts back is put back here.
 */
static struct err *undo(struct step_env *env, const struct step *s)
{
	bool managed = root_exists(env->root, "/run/NetworkManager") || root_exists(env->root, "/run/systemd/netif");
	if (!await_link(env->root, s))
		return err_hint(err_new("its interface has not come back: missing is %s", s->prior),
				"ip link shows what there is; then: qlaunch restore");
	cleanup_free char *missing = await(env, s, managed ? net_keep_limit_ms : 0), *still = NULL;
	cleanup_strv struct strv items = {}, left = {}, lost = {}, leases = {};
	items_of(missing ? missing : NONE, &items);
	for (size_t i = 0; i < items.n; i++)
		if (!managed || !is_lease(items.v[i]))
			put_back(env->root, s->target, items.v[i]);
	still = missing ? missing_now(env, s) : NULL;
	items_of(still ? still : NONE, &left);
	for (size_t i = 0; i < left.n; i++)
		strv_add(managed && is_lease(left.v[i]) ? &leases : &lost, left.v[i]);
	cleanup_free char *later = strv_join(&leases, PART), *never = strv_join(&lost, PART),
			  *link = str_ndup(s->prior, strcspn(s->prior, " "));
	if (leases.n)
		log_warn("%s is back; its lease is still to come: %s", s->target, later);
	if (!lost.n)
		return NULL;
	return err_hint(err_new("missing is %s", never),
			"nmcli device connect %s, networkctl reconfigure %s or ifup %s; then: qlaunch restore", link, link, link);
}

/* Less than before is what came of our taking the card; more is whoever's. */
static enum step_whose whose(const struct step *s, const char *now)
{
	cleanup_free char *missing = net_keep_missing(s->prior, now);
	return missing ? STEP_WANTED : STEP_PRIOR;
}

const struct step_kind net_keep_kind = {
	.name = "addresses",
	.describe = describe,
	.probe = probe,
	.apply = nothing,
	.verify = nothing_yet,
	.undo = undo,
	.undo_reads_back = true,
	.whose = whose,
};

void net_keep_step(struct steps *out, struct root *root, const char *function)
{
	cleanup_strv struct strv links = {};
	links_behind(root, function, &links);
	if (links.n)
		steps_add(out, &net_keep_kind, function, NONE, "they go with the card, and come back with it");
}
