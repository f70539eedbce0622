/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net_firewall: see net_firewall.h. */
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/host/net/net_firewall.h"

#define TOPIC "network"
#define QUESTIONS_MAX 9
#define HOOKS_MAX 4

#define DHCP_SERVER 67
#define DHCP_CLIENT 68
#define DNS 53
#define HTTPS 443 /* what stands for all that a guest sends: the port most firewalls let out */

/* ---- what a network lives by ---- */

struct question {
	const char *what; /* for people */
	bool forwarded;   /* else it is for, or from, the host itself */
	const char *hooks[HOOKS_MAX];
	struct packet packet;
};

static size_t own_questions(const struct net *n, const char *uplink, struct question q[QUESTIONS_MAX])
{
	size_t count = 0;
	const char *b = n->bridge, *dhcp = N_("DHCP"), *dns = N_("DNS");
	const struct packet asks = { .iif = b, .oif = "", .sport = DHCP_CLIENT, .dport = DHCP_SERVER, .saddr = "0.0.0.0",
				     .daddr = "255.255.255.255", .state = "new", .nat = "", .to = "broadcast" };
	/* its answer is addressed to the guest: of a connection that the kernel has not seen */
	const struct packet offers = { .iif = "", .oif = b, .sport = DHCP_SERVER, .dport = DHCP_CLIENT, .saddr = n->gateway, .daddr = n->guest,
				       .state = "new", .nat = "", .to = "unicast" };
	q[count++] = (struct question){ dhcp, false, { "prerouting", "input" }, asks };
	q[count++] = (struct question){ dhcp, false, { "output", "postrouting" }, offers };
	for (size_t i = 0; i < 2; i++) { /* the same as the bridge sees it: by its port */
		q[count] = q[i];
		q[count].packet.frame = true;
		*(i == 0 ? &q[count].packet.iif : &q[count].packet.oif) = n->link;
		count++;
	}
	if (n->conf->mode == NET_NAT) {
		q[count++] = (struct question){ dns, false, { "prerouting", "input" },
						{ .iif = b, .oif = "", .dport = DNS, .saddr = n->guest, .daddr = n->gateway, .state = "new", .nat = "",
						  .to = "local" } };
		q[count++] = (struct question){ dns, false, { "output", "postrouting" },
						{ .iif = "", .oif = b, .sport = DNS, .saddr = n->gateway, .daddr = n->guest, .state = "established",
						  .nat = "", .to = "unicast", .reply = true } };
		q[count++] = (struct question){ N_("what the guest sends beyond the host"), true, { "prerouting", "forward", "postrouting" },
						{ .iif = b, .oif = uplink, .tcp = true, .dport = HTTPS, .saddr = n->guest, .state = "new", .nat = "",
						  .to = "unicast" } };
		q[count++] = (struct question){ N_("what is answered to that"), true, { "forward", "postrouting" },
						{ .iif = uplink, .oif = b, .tcp = true, .sport = HTTPS, .daddr = n->guest, .state = "established",
						  .nat = "snat", .to = "unicast", .reply = true } };
	}
	struct conf_forward forward;
	for (size_t i = 0; i < n->conf->forward.n; i++) /* to localhost it is the host itself that sends */
		if (conf_forward_parse(n->conf->forward.v[i], &forward) && !streq(forward.address, "127.0.0.1")) {
			q[count++] = (struct question){ N_("what comes to a forwarded port"), true, { "forward", "postrouting" },
							{ .iif = uplink, .oif = b, .tcp = streq(forward.protocol, "tcp"),
							  .dport = forward.guest, .daddr = n->guest, .state = "new", .nat = "dnat",
							  .to = "unicast" } };
			break;
		}
	for (size_t i = 0; i < count; i++)
		q[i].packet.bridge = b;
	return count;
}

/* With br_netfilter, which Docker loads, the IP rules see what a bridge carries from port to port. */
static size_t joined_questions(const struct net *n, struct question q[QUESTIONS_MAX])
{
	const char *b = n->bridge;
	q[0] = (struct question){ N_("what the guest sends"), true, { "prerouting", "forward", "postrouting" },
				  { .bridge = b, .iif = b, .oif = b, .tcp = true, .dport = HTTPS, .state = "new", .nat = "", .to = "unicast" } };
	q[1] = (struct question){ N_("what is answered to that"), true, { "prerouting", "forward", "postrouting" },
				  { .bridge = b, .iif = b, .oif = b, .tcp = true, .sport = HTTPS, .state = "established", .nat = "", .to = "unicast",
				    .reply = true } };
	return 2;
}

/* ---- whose rules, and what to say to them ---- */

enum firewall { FIREWALLD, UFW, DOCKER, IPTABLES, IPTABLES_LEGACY, NFT };

static bool is_firewalld(const struct filter *rules, const char *family, const char *table)
{
	return streq(table, "firewalld") || filter_has_chain(rules, family, table, "INPUT_ZONES");
}

static enum firewall firewall_of(const struct filter *rules, const struct filter_place *at)
{
	if (is_firewalld(rules, at->family, at->table))
		return FIREWALLD;
	if (filter_has_chain(rules, at->family, at->table, "ufw-user-input"))
		return UFW;
	if (streq(at->hook, "forward") && filter_has_chain(rules, at->family, at->table, "DOCKER-USER"))
		return DOCKER;
	if (streq(at->family, FILTER_LEGACY))
		return IPTABLES_LEGACY;
	return streq(at->family, "ip") && streq(at->table, "filter") && *at->base <= 'Z' ? IPTABLES : NFT;
}

/* Commands, which are nobody's language; %s: to be kept, which each firewall does in another way. */
static char *remedy(const struct net *n, const struct filter *rules, const struct filter_place *at, bool forwarded)
{
	const char *b = streq(at->family, "bridge") ? n->link : n->bridge;
	if (!n->own)
		return tr_fmt("sysctl net.bridge.bridge-nf-call-iptables=0, or iptables -I DOCKER-USER -i %s -j ACCEPT", b);
	bool out = streq(at->hook, "output") || streq(at->hook, "postrouting");
	enum firewall which = firewall_of(rules, at);
	switch (which) {
	case FIREWALLD:
		return tr_fmt("zone = trusted in [network %s], or firewall-cmd --permanent --zone=trusted --add-interface=%s and firewall-cmd --reload",
			      n->conf->name, b);
	case UFW:
		return forwarded ? str_fmt("ufw route allow in on %s; ufw route allow out on %s", b, b)
		       : out     ? str_fmt("ufw allow out on %s", b)
				 : str_fmt("ufw allow in on %s", b);
	case DOCKER:
		return str_fmt("iptables -I DOCKER-USER -i %s -j ACCEPT; iptables -I DOCKER-USER -o %s -j ACCEPT", b, b);
	case IPTABLES:
	case IPTABLES_LEGACY: {
		const char *tables = which == IPTABLES ? "iptables" : "iptables-legacy";
		return forwarded ? str_fmt("%s -I FORWARD -i %s -j ACCEPT; %s -I FORWARD -o %s -j ACCEPT", tables, b, tables, b)
		       : out     ? str_fmt("%s -I OUTPUT -o %s -j ACCEPT", tables, b)
				 : str_fmt("%s -I INPUT -i %s -p udp -m multiport --dports 53,67 -j ACCEPT", tables, b);
	}
	case NFT:
		break;
	}
	cleanup_free char *insert = str_fmt("nft insert rule %s %s %s", at->family, at->table, at->base);
	if (forwarded)
		return tr_fmt("%s iifname %s accept; %s oifname %s accept; and the same in /etc/nftables.conf, to stay", insert, b, insert, b);
	return tr_fmt("%s %s %s %s accept; and the same in /etc/nftables.conf, to stay", insert, out ? "oifname" : "iifname", b,
		      out ? "udp sport { 53, 67 }" : "udp dport { 53, 67 }");
}

static char *place_text(const struct filter_place *at)
{
	cleanup_free char *table = streq(at->family, FILTER_LEGACY) ? tr_fmt("legacy iptables, table %s", at->table)
								    : tr_fmt("table %s %s", at->family, at->table);
	if (!at->number)
		return tr_fmt("the policy of chain %s (%s)", at->chain, table);
	return tr_fmt("rule %zu of chain %s (%s)", at->number, at->chain, table);
}

/* ---- findings ---- */

struct asked {
	const struct net *net;
	const struct filter *rules;
};

/* A table of which the zone that the bridge will be in tells more than its rules do before. Ours are ours. */
static bool skip(const void *data, const char *family, const char *table)
{
	const struct asked *a = data;
	cleanup_free char *own = str_fmt("qlaunch_%s", a->net->bridge);
	return streq(table, own) || (a->net->zone && is_firewalld(a->rules, family, table));
}

static bool same(const struct filter_place *a, const struct filter_place *b)
{
	return streq(a->family, b->family) && streq(a->table, b->table) && streq(a->chain, b->chain) && a->number == b->number;
}

/* All that the same place decides is one finding. */
static void report(struct findings *out, const struct asked *a, const struct question *q, const enum filter_answer *answers,
		   const struct filter_place *places, size_t count, size_t first)
{
	cleanup_strv struct strv what = {};
	for (size_t i = first; i < count; i++)
		if (answers[i] == answers[first] && same(&places[i], &places[first]) && !strv_has(&what, tr(q[i].what)))
			strv_add(&what, tr(q[i].what));
	const char *name = a->net->conf->name;
	cleanup_free char *all = strv_join(&what, ", "), *at = place_text(&places[first]);
	findings_add(out, FINDING_WARN, TOPIC,
		     answers[first] == FILTER_REFUSED
			     ? tr_fmt("%s: the host's firewall refuses %s: %s", name, all, at)
			     : tr_fmt("%s: whether the host's firewall lets %s through cannot be told before: %s decides", name, all, at),
		     remedy(a->net, a->rules, &places[first], q[first].forwarded));
}

static bool reported(const enum filter_answer *answers, const struct filter_place *places, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (answers[k] == answers[i] && same(&places[k], &places[i]))
			return true;
	return false;
}

static void zone_findings(struct findings *out, const struct net *n)
{
	if (n->zone && n->zone_open)
		findings_add(out, FINDING_OK, TOPIC, tr_fmt("%s: firewalld's zone %s lets the guest's packets through", n->conf->name, n->zone), NULL);
	else if (n->zone)
		findings_add(out, FINDING_WARN, TOPIC,
			     tr_fmt("%s: whether firewalld's zone %s lets the guest's packets through cannot be told before", n->conf->name, n->zone),
			     tr_dup("a zone whose target is ACCEPT does, such as trusted"));
}

void firewall_findings(struct findings *out, const struct net *n, const struct filter *rules, const char *uplink)
{
	static const char *const all_hooks[] = { "prerouting", "input", "forward", "output", "postrouting", NULL };
	struct question q[QUESTIONS_MAX] = {};
	enum filter_answer answers[QUESTIONS_MAX], worst = FILTER_PASSES;
	struct filter_place places[QUESTIONS_MAX] = {};
	struct asked asked = { n, rules };
	size_t count = n->own ? own_questions(n, uplink, q) : joined_questions(n, q);
	for (size_t i = 0; i < count; i++) {
		answers[i] = filter_ask(rules, &q[i].packet, q[i].hooks, skip, &asked, &places[i]);
		worst = answers[i] == FILTER_PASSES ? worst : answers[i];
	}
	for (size_t i = 0; i < count; i++)
		if (answers[i] != FILTER_PASSES && !reported(answers, places, i))
			report(out, &asked, q, answers, places, count, i);
	if (n->zone)
		zone_findings(out, n);
	else if (worst == FILTER_PASSES && n->own && filter_has_hook(rules, all_hooks))
		findings_add(out, FINDING_OK, TOPIC, tr_fmt("%s: the host's firewall lets the guest's packets through", n->conf->name), NULL);
}
