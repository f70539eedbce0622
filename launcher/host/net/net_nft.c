/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_nft: the rules of one network as a step, in one table of our own that is made and deleted as a whole, each in one
 * transaction of nft. No table of anybody else is touched, and no rule of ours names another interface than our bridge.
 *
 * The table's comment says by which value it was made: whoever undoes it needs to know no more than its name.
 */
#include <inttypes.h>
#include "launcher/base/child.h"
#include "launcher/base/tr.h"
#include "launcher/host/net/net_choose.h"
#include "launcher/host/net/net_link.h"
#include "launcher/host/net/net_rules.h"

#define ABSENT "absent"
#define NFT_LIMIT_MS 30000 /* it waits for other users of nftables */

static char *table_of(const char *bridge)
{
	return str_fmt("qlaunch_%s", bridge);
}

/* nft's own limit for a comment is 128 bytes: of longer values, the hash. */
static char *mark_of(const char *want)
{
	return str_fmt("qlaunch %016" PRIx64, net_hash("", want));
}

/* ---- the rules ---- */

/* `from` keeps the guest's own packets out of it, where they could come: its questions to the host's port 53 are for
 * the host. */
static void forwards(struct sb *sb, const char *from, const char *guest, const struct strv *list)
{
	for (size_t i = 0; i < list->n; i++) {
		struct conf_forward f;
		if (!conf_forward_parse(list->v[i], &f))
			continue;
		bool each = streq(f.address, "0.0.0.0");
		sb_addf(sb, "%s%s%s %s dport %u dnat ip to %s:%u; ", from, each ? "fib daddr type local" : "ip daddr ",
			each ? "" : f.address, f.protocol, f.host, guest, f.guest);
	}
}

static void nat_chains(struct sb *sb, const char *bridge, const char *subnet, const char *guest, const struct strv *list)
{
	sb_addf(sb, "chain postrouting { type nat hook postrouting priority srcnat; ip saddr %s oifname != \"%s\" masquerade; ", subnet,
		bridge);
	if (list->n)
		sb_addf(sb, "ip saddr 127.0.0.0/8 oifname \"%s\" masquerade; ", bridge);
	sb_add(sb, "}\n");
	if (list->n) {
		sb_add(sb, "chain prerouting { type nat hook prerouting priority dstnat; ");
		cleanup_free char *from = str_fmt("iifname != \"%s\" ", bridge);
		forwards(sb, from, guest, list);
		sb_add(sb, "}\nchain output { type nat hook output priority -100; ");
		forwards(sb, "", guest, list);
		/* with route_localnet the guest could else reach what listens on the host's localhost alone */
		sb_addf(sb, "}\nchain localhost { type filter hook prerouting priority raw; iifname \"%s\" ip daddr 127.0.0.0/8 drop; }\n",
			bridge);
	}
	sb_addf(sb, "chain forward { type filter hook forward priority filter; iifname \"%s\" ip saddr %s accept; ", bridge, subnet);
	sb_addf(sb, "oifname \"%s\" ct state established,related accept; ", bridge);
	if (list->n)
		sb_addf(sb, "oifname \"%s\" ct status dnat accept; ", bridge);
}

char *net_rules(const char *bridge, const char *want)
{
	cleanup_strv struct strv word = {};
	cleanup_free char *table = table_of(bridge), *mark = mark_of(want);
	struct sb sb = {};
	strv_split(&word, want, " ");
	bool nat = word.n >= 3 && streq(word.v[0], "nat");
	if (!nat && !streq(want, "isolated"))
		return NULL;
	sb_addf(&sb, "table inet %s { comment \"%s\"; ", table, mark);
	if (nat) {
		struct strv list = { word.v + 3, word.n - 3 };
		nat_chains(&sb, bridge, word.v[1], word.v[2], &list);
	} else {
		sb_add(&sb, "chain forward { type filter hook forward priority filter; ");
	}
	sb_addf(&sb, "iifname \"%s\" drop; oifname \"%s\" drop; }\n", bridge, bridge);
	sb_addf(&sb, "chain input { type filter hook input priority filter; iifname \"%s\" udp dport { 53, 67 } accept; ", bridge);
	sb_addf(&sb, "iifname \"%s\" tcp dport 53 accept; }\n}", bridge);
	return sb_steal(&sb);
}

/* ---- the kind ---- */

static struct err *nft(const char *command, char **ret_output)
{
	const char *argv[] = { "nft", "--", command, NULL };
	return child_output(argv, NFT_LIMIT_MS, ret_output);
}

static char *describe(const struct step *s)
{
	return streq(s->want, "isolated") ? tr_fmt("let nothing through bridge %s (nftables)", s->target)
					  : tr_fmt("translate addresses for bridge %s (nftables)", s->target);
}

static struct err *probe(struct step_env *env, const struct step *s, char **ret_value)
{
	cleanup_free char *table = table_of(s->target), *mark = mark_of(s->want);
	cleanup_free char *rules = NULL, *list = str_fmt("list table inet %s", table);
	bool there = false;
	if (root_is_host(env->root))
		TRY(link_has_table(table, &there));
	if (!there) {
		*ret_value = str_dup(ABSENT);
		return NULL;
	}
	TRY(nft(list, &rules));
	*ret_value = str_dup(strstr(rules, mark) ? s->want : "rules of another making");
	return NULL;
}

static struct err *apply(struct step_env *env, struct step *s)
{
	cleanup_free char *rules = net_rules(s->target, s->want), *output = NULL;
	if (!root_is_host(env->root))
		return err_new("rules are made on this host only, not under %s", root_dir(env->root));
	if (!rules)
		return err_new("\"%s\" is no network", s->want);
	if (!streq(s->prior, ABSENT))
		return err_hint(err_new("nftables has a table qlaunch_%s already, and no journal says that it is ours", s->target),
				"nft delete table inet qlaunch_%s", s->target);
	return nft(rules, &output);
}

static struct err *undo(struct step_env *env, const struct step *s)
{
	cleanup_free char *command = str_fmt("delete table inet qlaunch_%s", s->target), *output = NULL;
	if (!root_is_host(env->root) || !str_starts(s->target, NET_BRIDGE_PREFIX) || !streq(s->prior, ABSENT))
		return err_new("table qlaunch_%s is not ours to delete", s->target);
	return nft(command, &output);
}

const struct step_kind net_nft_kind = {
	.name = "nft",
	.describe = describe,
	.probe = probe,
	.apply = apply,
	.undo = undo,
};
