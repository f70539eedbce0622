/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a host's firewall: what nft lists, and behind a NUL what iptables-save does. It comes to an end, and an answer that is no
 * "passes" says where.
 */
#include <stdint.h>
#include <stdlib.h>
#include "launcher/host/net/net_filter.h"
#include "launcher/host/net/net_iptables.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct packet packets[] = {
	{ .bridge = "qlbr0", .iif = "qlbr0", .oif = "", .sport = 68, .dport = 67, .saddr = "0.0.0.0", .daddr = "255.255.255.255", .state = "new",
	  .nat = "", .to = "broadcast" },
	{ .bridge = "qlbr0", .iif = "qlbr0", .oif = "eth0", .tcp = true, .dport = 443, .saddr = "10.1.2.2", .state = "new", .nat = "", .to = "unicast" },
	{ .bridge = "qlbr0", .oif = "qlbr0", .saddr = "10.1.2.1", .daddr = "10.1.2.2", .state = "established", .nat = "dnat", .to = "unicast", .reply = true },
	{ .bridge = "br0", .frame = true, .tcp = true, .iif = "br0", .state = "new" },
};

static void ask(const json_t *ruleset, bool terse)
{
	static const char *const in[] = { "prerouting", "input", NULL }, *const through[] = { "prerouting", "forward", "postrouting", NULL };
	struct filter filter;
	filter_read(ruleset, terse, &filter);
	for (size_t i = 0; i < ARRAY_SIZE(packets); i++) {
		struct filter_place at = {};
		enum filter_answer answer = filter_ask(&filter, &packets[i], i ? through : in, NULL, NULL, &at);
		if ((answer == FILTER_PASSES) != !at.chain || (at.chain && !filter_has_chain(&filter, at.family, at.table, at.chain)))
			abort();
	}
	filter_free(&filter);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *listed = str_ndup(size ? (const char *)data : "", size), *saved = NULL;
	size_t n = strlen(listed);
	cleanup_strv struct strv known = {};
	const char *table;
	json_t *all = json_loads(listed, 0, NULL), *rules = json_incref(json_object_get(all, "nftables"));
	if (n < size)
		saved = str_ndup((const char *)data + n + 1, size - n - 1);
	if (!json_is_array(rules)) {
		json_decref(rules);
		rules = json_array();
	}
	while ((table = iptables_hidden(rules, &known))) {
		strv_add(&known, table);
		err_free(iptables_replace(rules, known.v[known.n - 1], saved ? saved : ""));
	}
	err_free(iptables_read(saved ? saved : "", FILTER_LEGACY, NULL, rules));
	ask(rules, size & 1);
	json_decref(rules);
	json_decref(all);
	return 0;
}
