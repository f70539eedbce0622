/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_check: what `check` says of the networks. The host's rules are read here, by the programs that list them, and asked by net_firewall;
 * they are not ours to change.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>
#include "launcher/base/child.h"
#include "launcher/base/tr.h"
#include "launcher/host/net/net_choose.h"
#include "launcher/host/net/net_firewall.h"
#include "launcher/host/net/net_iptables.h"

#define TOPIC "network"
#define NFT_LIMIT_MS 30000

/* ---- the host's rules ---- */

/* As libnftables-json(5) has them; owned by the caller, NULL where they cannot be had. */
static json_t *list_rules(const char *const argv[])
{
	cleanup_free char *text = NULL;
	err_free(child_output(argv, NFT_LIMIT_MS, &text));
	json_t *all = text ? json_loads(text, 0, NULL) : NULL, *rules = json_incref(json_object_get(all, "nftables"));
	json_decref(all);
	return rules;
}

/* What nft tells by half only is told by iptables. */
static void reread(json_t *rules)
{
	cleanup_strv struct strv known = {};
	const char *table;
	while ((table = iptables_hidden(rules, &known))) {
		cleanup_free char *saved = NULL;
		strv_add(&known, table);
		const char *argv[] = { "iptables-nft-save", "-t", known.v[known.n - 1], NULL };
		struct err *e = child_output(argv, NFT_LIMIT_MS, &saved);
		err_free(e ? e : iptables_replace(rules, known.v[known.n - 1], saved));
	}
}

/* Legacy iptables, which nft does not show. Its tables are in /proc once it is in use. */
static void add_legacy(struct root *root, json_t *rules)
{
	cleanup_free char *tables = root_read_or(root, "/proc/net/ip_tables_names", ""), *saved = NULL;
	const char *argv[] = { "iptables-legacy-save", NULL };
	if (!*tables)
		return;
	struct err *e = child_output(argv, NFT_LIMIT_MS, &saved);
	err_free(e ? e : iptables_read(saved, FILTER_LEGACY, NULL, rules));
}

/* All of them, NULL where they cannot be had: without privileges they are told to nobody. A list too long is read without its sets. */
static json_t *read_rules(struct root *root, bool *ret_terse)
{
	static const char *const all[] = { "nft", "--json", "list", "ruleset", NULL }, *const terse[] = { "nft",  "--json",  "--terse",
													  "list", "ruleset", NULL };
	json_t *rules = list_rules(all);
	*ret_terse = !rules;
	if (!rules)
		rules = list_rules(terse);
	if (!rules)
		return NULL;
	reread(rules);
	add_legacy(root, rules);
	return rules;
}

/* Nobody may look: then who is known to refuse much is named. */
static void unread_rules(struct findings *out, struct root *root)
{
	static const struct {
		const char *path, *text, *name;
	} known[] = {
		{ "/sys/fs/cgroup/system.slice/firewalld.service/cgroup.procs", "", "firewalld" },
		{ "/etc/ufw/ufw.conf", "ENABLED=yes", "ufw" },
		{ "/sys/class/net/docker0/ifindex", "", "Docker" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		cleanup_free char *text = root_read_or(root, known[i].path, NULL);
		if (text && strstr(text, known[i].text))
			findings_add(out, FINDING_WARN, TOPIC,
				     tr_fmt("whether %s lets the guest's packets through could not be asked", known[i].name),
				     tr_dup("run the check as root"));
	}
}

/* The interface of the default route; NULL where there is none, or more than one. */
static const char *uplink_of(const struct net_facts *f)
{
	const char *link = NULL;
	for (size_t i = 0; i < f->n_routes; i++) {
		if (f->routes[i].to.bits)
			continue;
		if (link && !streq(link, f->routes[i].link))
			return NULL;
		link = f->routes[i].link;
	}
	return link;
}

/* br_netfilter, which Docker loads, has bridged frames pass the host's IP rules. */
static bool rules_see(struct root *root, const struct net *n)
{
	cleanup_free char *on = root_read_or(root, "/proc/sys/net/bridge/bridge-nf-call-iptables", "0");
	return n->own || (n->conf->mode == NET_BRIDGE && streq(on, "1"));
}

static void check_rules(struct findings *out, const struct net_facts *f, struct root *root)
{
	bool terse = false, any = false;
	for (size_t i = 0; i < f->n; i++)
		any |= rules_see(root, &f->v[i]);
	if (!any || !f->nft || !root_is_host(root))
		return;
	json_t *rules = read_rules(root, &terse);
	struct filter filter;
	filter_read(rules, terse, &filter);
	if (!rules)
		unread_rules(out, root);
	for (size_t i = 0; rules && i < f->n; i++)
		if (rules_see(root, &f->v[i]) && !f->v[i].problem)
			firewall_findings(out, &f->v[i], &filter, uplink_of(f));
	filter_free(&filter);
	json_decref(rules);
}

/*
 * Whether the network's DHCP server would find its port taken: the kernel is asked by opening it in the way of dnsmasq. What listens on a
 * device of its own (libvirt's dnsmasq) is in nobody's way, though it is shown as 0.0.0.0:67.
 */
static void check_dhcp(struct findings *out, const struct net_facts *f, struct root *root)
{
	if (!root_is_host(root) || !strv_has(&f->ports, "udp:67"))
		return;
	cleanup_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(67) };
	const int on = 1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (fd < 0 || bind(fd, (const struct sockaddr *)&any, sizeof(any)) == 0)
		return;
	if (errno == EADDRINUSE)
		findings_add(
			out, FINDING_BAD, TOPIC,
			tr_dup("a DHCP server of this host listens on every address: the network's own finds no room for port 67"),
			tr_dup("`ss -lnup sport = 67` shows it; let it listen on its own interfaces only (dnsmasq: bind-interfaces), or use "
			       "mode = bridge and its addresses"));
	else
		findings_add(out, FINDING_WARN, TOPIC,
			     tr_dup("whether the host's DHCP server leaves room for the network's own could not be asked"),
			     tr_dup("run the check as root"));
}

static char *summary(const struct net *n)
{
	cleanup_free char *subnet = net_subnet_text(n->subnet);
	switch (n->conf->mode) {
	case NET_USER:
		return str_fmt("%s: by %s", n->conf->name,
			       n->passt           ? "passt"
			       : n->passt_why_not ? _("QEMU itself")
						  : _("QEMU itself (passt would be faster)"));
	case NET_NAT:
	case NET_ISOLATED:
		return tr_fmt("%s: %s behind bridge %s, the guest is %s", n->conf->name, subnet, n->bridge, n->guest);
	case NET_BRIDGE:
		return tr_fmt("%s: in bridge %s", n->conf->name, n->bridge);
	case NET_MACVTAP:
		return tr_fmt("%s: on %s, beside the host, which the guest does not see", n->conf->name, n->conf->bridge);
	}
	return str_dup(n->conf->name);
}

void net_findings(struct findings *out, const struct net_facts *f, struct root *root)
{
	bool own = false;
	for (size_t i = 0; i < f->n; i++) {
		const struct net *n = &f->v[i];
		own |= n->own;
		if (n->problem)
			findings_add(out, FINDING_BAD, TOPIC, str_fmt("%s: %s", n->conf->name, n->problem), str_dup(n->remedy));
		else
			findings_add(out, FINDING_OK, TOPIC, summary(n), NULL);
		if (n->passt_why_not && !n->problem)
			findings_add(out, FINDING_WARN, TOPIC,
				     tr_fmt("%s: QEMU's own network serves it, for passt cannot: %s", n->conf->name, tr(n->passt_why_not)),
				     NULL);
	}
	check_rules(out, f, root);
	if (own)
		check_dhcp(out, f, root);
}
