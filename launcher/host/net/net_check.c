/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_check: what `check` says of the networks. Rules of others that drop what is forwarded are the usual reason why a
 * guest has no network: an "accept" of ours does not overrule them, and they are not ours to change.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <sys/socket.h>
#include <unistd.h>
#include "launcher/base/child.h"
#include "launcher/base/tr.h"
#include "launcher/host/net/net_choose.h"

#define TOPIC "network"
#define NFT_LIMIT_MS 30000

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

/* Chains of nft's JSON (libnftables-json(5)) that drop what no rule of theirs accepts. */
static void find_drops(const json_t *ruleset, const char *hook, struct strv *ret_tables)
{
	size_t i;
	json_t *entry;
	json_array_foreach (json_object_get(ruleset, "nftables"), i, entry) {
		const json_t *chain = json_object_get(entry, "chain");
		const char *family = text_of(chain, "family"), *table = text_of(chain, "table");
		bool ipv4 = streq(family, "ip") || streq(family, "inet");
		cleanup_free char *name = str_fmt("%s %s", family, table);
		if (ipv4 && streq(text_of(chain, "hook"), hook) && streq(text_of(chain, "policy"), "drop") && !strv_has(ret_tables, name))
			strv_add(ret_tables, name);
	}
}

/* Legacy iptables, which nft does not show: whether this chain of its drops what no rule of it accepts. Its tables are in /proc once it is
 * in use. */
static bool legacy_drops(struct root *root, const char *chain)
{
	cleanup_free char *tables = root_read_or(root, "/proc/net/ip_tables_names", ""), *rules = NULL;
	const char *argv[] = { "iptables-legacy", "-S", chain, NULL };
	const char *const ends[] = { "-P %s DROP", "-A %s -j DROP", "-A %s -j REJECT" };
	if (!root_is_host(root) || !strstr(tables, "filter"))
		return false;
	err_free(child_output(argv, NFT_LIMIT_MS, &rules));
	for (size_t i = 0; rules && i < ARRAY_SIZE(ends); i++) {
		cleanup_free char *line = str_fmt("%.3s%s%s", ends[i], chain, ends[i] + strlen("-P %s"));
		if (strstr(rules, line))
			return true;
	}
	return false;
}

static void check_drops(struct findings *out, struct root *root, const json_t *ruleset)
{
	static const struct {
		const char *hook, *chain, *what, *remedy;
	} hooks[] = {
		{ "forward", "FORWARD",
		  N_("drops what is forwarded, unless its own rules let it through: a guest of mode nat may not reach beyond the host"),
		  N_("let qlbr* through there: ufw route allow in on qlbr…, firewall-cmd --zone=trusted --add-interface=qlbr…, or for Docker: "
		  "iptables -I DOCKER-USER -i qlbr+ -j ACCEPT; iptables -I DOCKER-USER -o qlbr+ -j ACCEPT") },
		{ "input", "INPUT",
		  N_("drops what comes in, unless its own rules let it through: the guest's DHCP and DNS may not get through"),
		  N_("let UDP ports 53 and 67 in from qlbr* there: ufw allow in on qlbr…, or firewall-cmd --zone=trusted --add-interface=qlbr…") },
	};
	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
		cleanup_strv struct strv tables = {};
		find_drops(ruleset, hooks[i].hook, &tables);
		cleanup_free char *names = strv_join(&tables, ", ");
		if (tables.n)
			findings_add(out, FINDING_WARN, TOPIC, tr_fmt("nftables table %s %s", names, tr(hooks[i].what)),
				     tr_dup(hooks[i].remedy));
		if (legacy_drops(root, hooks[i].chain))
			findings_add(
				out, FINDING_WARN, TOPIC, tr_fmt("legacy iptables, chain %s, %s", hooks[i].chain, tr(hooks[i].what)),
				i == 0 ? tr_dup("iptables-legacy -I FORWARD -i qlbr+ -j ACCEPT; iptables-legacy -I FORWARD -o qlbr+ -j ACCEPT")
				       : tr_dup("iptables-legacy -I INPUT -i qlbr+ -j ACCEPT"));
	}
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

/* br_netfilter, which Docker loads, has bridged frames pass the host's IP rules: no matter where those drop nothing. */
static void check_bridge_filter(struct findings *out, struct root *root, const char *bridge, const json_t *ruleset)
{
	cleanup_strv struct strv tables = {};
	cleanup_free char *on = root_read_or(root, "/proc/sys/net/bridge/bridge-nf-call-iptables", "0"),
			  *legacy = root_read_or(root, "/proc/net/ip_tables_names", "");
	find_drops(ruleset, "forward", &tables);
	if (streq(on, "1") && (tables.n || *legacy))
		findings_add(out, FINDING_WARN, TOPIC,
			     tr_fmt("the host's IP rules hold up what passes bridge %s (net.bridge.bridge-nf-call-iptables = 1)", bridge),
			     tr_fmt("sysctl net.bridge.bridge-nf-call-iptables=0, or iptables -I DOCKER-USER -i %s -j ACCEPT", bridge));
}

static json_t *read_rules(struct root *root)
{
	const char *argv[] = { "nft", N_("--json"), N_("list"), "chains", NULL };
	cleanup_free char *text = NULL;
	if (root_is_host(root)) /* without privileges it says nothing: then nobody looks */
		err_free(child_output(argv, NFT_LIMIT_MS, &text));
	return text ? json_loads(text, 0, NULL) : NULL;
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
	bool own = false, joined = false;
	for (size_t i = 0; i < f->n; i++) {
		const struct net *n = &f->v[i];
		own |= n->own;
		joined |= n->conf->mode == NET_BRIDGE;
		if (n->problem)
			findings_add(out, FINDING_BAD, TOPIC, str_fmt("%s: %s", n->conf->name, n->problem), str_dup(n->remedy));
		else
			findings_add(out, FINDING_OK, TOPIC, summary(n), NULL);
		if (n->passt_why_not && !n->problem)
			findings_add(out, FINDING_WARN, TOPIC,
				     tr_fmt("%s: QEMU's own network serves it, for passt cannot: %s", n->conf->name, tr(n->passt_why_not)),
				     NULL);
	}
	json_t *ruleset = f->nft && (own || joined) ? read_rules(root) : NULL;
	if (own) {
		check_drops(out, root, ruleset);
		check_dhcp(out, f, root);
	}
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].conf->mode == NET_BRIDGE)
			check_bridge_filter(out, root, f->v[i].bridge, ruleset);
	json_decref(ruleset);
}
