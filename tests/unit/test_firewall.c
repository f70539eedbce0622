/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * firewall: what becomes of packets under rules: small ones, a row each; and rules of real firewalls (tests/captured/firewalls). Each answer
 * is that of nftables itself where tests/firewall.bats has the same rules.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "launcher/base/root.h"
#include "launcher/host/net/net_firewall.h"
#include "launcher/host/net/net_iptables.h"

#define RULES "tests/captured/firewalls"

/* ---- small rules ---- */

/* Lines: "chain NAME HOOK PRIORITY POLICY", "sub NAME", "set NAME ELEMENTS", "NAME STATEMENT, STATEMENT, …"; all in table inet t. */
static json_t *rules_of(const char *text)
{
	json_t *rules = json_array();
	cleanup_strv struct strv lines = {};
	strv_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.n; i++) {
		char name[32], hook[32], policy[32];
		int prio, at = 0;
		json_t *entry;
		if (sscanf(lines.v[i], "chain %31s %31s %d %31s", name, hook, &prio, policy) == 4) {
			entry = json_pack("{s:{s:s,s:s,s:s,s:s,s:s,s:i,s:s}}", "chain", "family", "inet", "table", "t", "name", name,
					  "type", strstr(name, "nat") ? "nat" : "filter", "hook", hook, "prio", prio, "policy", policy);
		} else if (sscanf(lines.v[i], "sub %31s", name) == 1) {
			entry = json_pack("{s:{s:s,s:s,s:s}}", "chain", "family", "inet", "table", "t", "name", name);
		} else if (sscanf(lines.v[i], "set %31s %n", name, &at) == 1 && at) {
			json_t *elements = json_loads(lines.v[i] + at, 0, NULL);
			entry = json_pack("{s:{s:s,s:s,s:s,s:o}}", "set", "family", "inet", "table", "t", "name", name, "elem", elements);
		} else {
			assert_int_equal(sscanf(lines.v[i], "%31s %n", name, &at), 1);
			cleanup_free char *array = str_fmt("[%s]", lines.v[i] + at);
			json_t *expr = json_loads(array, 0, NULL);
			if (!expr)
				fail_msg("no JSON: %s", array);
			entry = json_pack("{s:{s:s,s:s,s:s,s:o}}", "rule", "family", "inet", "table", "t", "chain", name, "expr", expr);
		}
		json_array_append_new(rules, entry);
	}
	return rules;
}

#define IIF(op, name)   "{\"match\":{\"op\":\"" op "\",\"left\":{\"meta\":{\"key\":\"iifname\"}},\"right\":" name "}}"
#define OIF(op, name)   "{\"match\":{\"op\":\"" op "\",\"left\":{\"meta\":{\"key\":\"oifname\"}},\"right\":" name "}}"
#define META(key, what) "{\"match\":{\"op\":\"==\",\"left\":{\"meta\":{\"key\":\"" key "\"}},\"right\":" what "}}"
#define FIELD(protocol, field, op, what) \
	"{\"match\":{\"op\":\"" op "\",\"left\":{\"payload\":{\"protocol\":\"" protocol "\",\"field\":\"" field "\"}},\"right\":" what "}}"
#define PORT(what)        FIELD("udp", "dport", "==", what)
#define CT(key, op, what) "{\"match\":{\"op\":\"" op "\",\"left\":{\"ct\":{\"key\":\"" key "\"}},\"right\":" what "}}"
#define FIB(what)         "{\"match\":{\"op\":\"==\",\"left\":{\"fib\":{\"result\":\"type\",\"flags\":[\"daddr\"]}},\"right\":" what "}}"
#define ACCEPT            "{\"accept\":null}"
#define DROP              "{\"drop\":null}"
#define REJECT            "{\"reject\":{\"type\":\"icmpx\",\"expr\":\"admin-prohibited\"}}"
#define RETURN            "{\"return\":null}"
#define JUMP(to)          "{\"jump\":{\"target\":\"" to "\"}}"
#define GOTO(to)          "{\"goto\":{\"target\":\"" to "\"}}"
#define LIMIT             "{\"limit\":{\"rate\":3,\"burst\":10,\"per\":\"minute\"}}"
#define OPEN              "chain in input 0 accept\n"
#define SHUT              "chain in input 0 drop\n"

#define PASSES  FILTER_PASSES
#define REFUSED FILTER_REFUSED
#define DEPENDS FILTER_DEPENDS

/* The guest's question for an address. */
static const struct packet dhcp = { .bridge = "qlbr0", .iif = "qlbr0", .oif = "", .sport = 68, .dport = 67, .saddr = "0.0.0.0",
				    .daddr = "255.255.255.255", .state = "new", .nat = "", .to = "broadcast" };
/* To a server of the internet, and back. */
static const struct packet sent = { .bridge = "qlbr0", .iif = "qlbr0", .oif = "up0", .tcp = true, .dport = 443, .saddr = "10.9.9.2",
				    .state = "new", .nat = "", .to = "unicast" };
static const struct packet answer = { .bridge = "qlbr0", .iif = "up0", .oif = "qlbr0", .tcp = true, .sport = 443, .daddr = "10.9.9.2",
				      .state = "established", .nat = "snat", .to = "unicast", .reply = true };

static enum filter_answer ask(const char *text, const struct packet *p, const char *const *hooks, char **ret_place)
{
	json_t *rules = rules_of(text);
	struct filter filter;
	struct filter_place at = {};
	filter_read(rules, false, &filter);
	enum filter_answer a = filter_ask(&filter, p, hooks, NULL, NULL, &at);
	*ret_place = str_fmt("%s %zu", at.chain ? at.chain : "-", at.number);
	filter_free(&filter);
	json_decref(rules);
	return a;
}

struct row {
	const char *rules;
	enum filter_answer answer;
	const char *place; /* chain and rule; NULL: not asked */
};

static void check_rows(const struct row *rows, size_t n, const struct packet *p, const char *const *hooks)
{
	for (size_t i = 0; i < n; i++) {
		cleanup_free char *place = NULL;
		enum filter_answer a = ask(rows[i].rules, p, hooks, &place);
		if (a != rows[i].answer || (rows[i].place && !streq(place, rows[i].place)))
			fail_msg("row %zu: answer %d at %s, not %d at %s:\n%s", i, (int)a, place, (int)rows[i].answer,
				 rows[i].place ? rows[i].place : "any", rows[i].rules);
	}
}

static const char *const in[] = { "prerouting", "input", NULL }, *const through[] = { "prerouting", "forward", "postrouting", NULL };

static void test_chains(void **state)
{
	static const struct row rows[] = {
		{ "", PASSES, "- 0" },
		{ OPEN, PASSES, NULL },
		{ SHUT, REFUSED, "in 0" },
		{ OPEN "in " REJECT, REFUSED, "in 1" }, /* a policy that accepts, and a reject at its end */
		{ SHUT "in " ACCEPT, PASSES, NULL },
		{ SHUT "in " PORT("67") "," ACCEPT, PASSES, NULL },
		{ SHUT "in " PORT("53") "," ACCEPT, REFUSED, "in 0" },
		/* an accept is the base chain's own; a drop is all that there is */
		{ "chain in input 0 accept\nin " ACCEPT "\nchain late input 10 accept\nlate " PORT("67") "," DROP, REFUSED, "late 1" },
		{ "chain late input 10 drop\nchain in input 0 accept\nlate " ACCEPT "\nin " DROP, REFUSED, "in 1" },
		{ "chain raw prerouting -300 accept\nraw " IIF("==", "\"qlbr0\"") "," DROP "\n" OPEN, REFUSED, "raw 1" },
		{ "chain in forward 0 drop", PASSES, NULL },
		{ "chain in output 0 drop", PASSES, NULL },
		/* jump, goto and return */
		{ SHUT "sub s\ns " ACCEPT "\nin " JUMP("s"), PASSES, NULL },
		{ OPEN "sub s\ns " DROP "\nin " JUMP("s"), REFUSED, "s 1" },
		{ OPEN "sub s\ns " RETURN "\ns " DROP "\nin " JUMP("s"), PASSES, NULL },
		{ OPEN "sub s\nin " JUMP("s") "\nin " DROP, REFUSED, "in 2" },
		{ OPEN "sub s\nin " GOTO("s") "\nin " DROP, PASSES, NULL },
		{ SHUT "sub s\nin " GOTO("s") "\nin " ACCEPT, REFUSED, "in 0" },
		{ OPEN "sub s\nsub t\nt " RETURN "\ns " GOTO("t") "\ns " DROP "\nin " JUMP("s"), PASSES, NULL },
		{ SHUT "in " RETURN "\nin " ACCEPT, REFUSED, "in 0" },
		{ OPEN "in " JUMP("nowhere"), DEPENDS, NULL },
		{ OPEN "sub s\ns " JUMP("s") "\nin " JUMP("s"), DEPENDS, NULL }, /* the kernel refuses such a ring; we end */
	};
	(void)state;
	check_rows(rows, ARRAY_SIZE(rows), &dhcp, in);
}

static void test_matches(void **state)
{
	static const struct row rows[] = {
		{ SHUT "in " IIF("==", "\"qlbr*\"") "," ACCEPT, PASSES, NULL },
		{ SHUT "in " IIF("==", "\"virbr*\"") "," ACCEPT, REFUSED, "in 0" },
		{ SHUT "in " IIF("==", "\"qlbr0x\"") "," ACCEPT, REFUSED, "in 0" },
		{ SHUT "in " IIF("!=", "\"up0\"") "," ACCEPT, PASSES, NULL },
		{ SHUT "in " IIF("==", "{\"set\":[\"lo\",\"qlbr0\"]}") "," ACCEPT, PASSES, NULL },
		{ SHUT "in " IIF("==", "7") "," ACCEPT, REFUSED, "in 0" }, /* an interface that is gone */
		{ SHUT "in " PORT("{\"set\":[53,{\"range\":[67,68]}]}") "," ACCEPT, PASSES, NULL },
		{ SHUT "in " FIELD("tcp", "dport", "!=", "22") "," ACCEPT, REFUSED, "in 0" }, /* it has no such port */
		{ SHUT "in " FIELD("th", "dport", "==", "67") "," ACCEPT, PASSES, NULL },
		{ OPEN "in " FIELD("ip6", "saddr", "!=", "\"::1\"") "," DROP, PASSES, NULL },
		{ OPEN "in " FIELD("icmp", "type", "==", "\"echo-request\"") "," DROP, PASSES, NULL },
		{ SHUT "in " META("l4proto", "{\"set\":[\"tcp\",\"udp\"]}") "," ACCEPT, PASSES, NULL },
		{ SHUT "in " META("l4proto", "17") "," ACCEPT, PASSES, NULL },
		{ SHUT "in " META("l4proto", "6") "," ACCEPT, REFUSED, "in 0" },
		{ OPEN "in " META("nfproto", "\"ipv6\"") "," DROP, PASSES, NULL },
		{ SHUT "in " META("pkttype", "\"broadcast\"") "," ACCEPT, PASSES, NULL },
		{ SHUT "in " CT("state", "in", "[\"established\",\"related\"]") "," ACCEPT, REFUSED, "in 0" },
		{ SHUT "in " CT("state", "==", "{\"set\":[\"new\",\"related\"]}") "," ACCEPT, PASSES, NULL },
		{ OPEN "in " CT("state", "in", "\"invalid\"") "," DROP, PASSES, NULL },
		{ OPEN "in " CT("status", "in", "\"dnat\"") "," DROP, PASSES, NULL },
		{ OPEN "in " CT("status", "in", "\"assured\"") "," DROP, DEPENDS, "in 1" },
		{ SHUT "in " FIELD("ip", "saddr", "==", "\"0.0.0.0\"") "," FIELD("ip", "daddr", "==", "\"255.255.255.255\"") "," ACCEPT, PASSES, NULL },
		{ SHUT "in " FIELD("ip", "saddr", "==", "{\"prefix\":{\"addr\":\"10.0.0.0\",\"len\":8}}") "," ACCEPT, REFUSED, "in 0" },
		{ OPEN "in " FIELD("ip", "saddr", "!=", "{\"range\":[\"10.0.0.1\",\"10.0.0.9\"]}") "," DROP, REFUSED, "in 1" },
		{ SHUT "set s [{\"prefix\":{\"addr\":\"255.0.0.0\",\"len\":8}}]\nin " FIELD("ip", "daddr", "==", "\"@s\"") "," ACCEPT, PASSES, NULL },
		{ OPEN "set s [\"192.0.2.1\",{\"elem\":{\"val\":\"255.255.255.255\",\"timeout\":9}}]\nin " FIELD("ip", "daddr", "==", "\"@s\"") "," DROP,
		  REFUSED, "in 1" },
		{ OPEN "in " FIELD("ip", "daddr", "==", "\"@gone\"") "," DROP, DEPENDS, "in 1" },
		{ SHUT "in " FIB("{\"set\":[\"local\",\"broadcast\"]}") "," ACCEPT, PASSES, NULL },
		{ OPEN "in " FIB("\"multicast\"") "," DROP, PASSES, NULL },
		{ SHUT "in {\"match\":{\"op\":\"==\",\"left\":{\"concat\":[{\"meta\":{\"key\":\"iifname\"}},{\"payload\":{\"protocol\":\"udp\",\"field\":"
		  "\"dport\"}}]},\"right\":{\"set\":[{\"concat\":[\"up0\",67]},{\"concat\":[\"qlbr0\",67]}]}}}," ACCEPT,
		  PASSES, NULL },
		{ SHUT "in {\"vmap\":{\"key\":{\"ct\":{\"key\":\"state\"}},\"data\":{\"set\":[[\"invalid\"," DROP "],[\"new\"," ACCEPT "]]}}}", PASSES,
		  NULL },
		{ OPEN "sub s\ns " DROP "\nset m [[\"lo\"," ACCEPT "],[\"qlbr0\"," JUMP("s") "]]\nin {\"vmap\":{\"key\":{\"meta\":{\"key\":\"iifname\"}},"
		  "\"data\":\"@m\"}}",
		  REFUSED, "s 1" },
		{ OPEN "in {\"vmap\":{\"key\":{\"meta\":{\"key\":\"skuid\"}},\"data\":{\"set\":[[0," DROP "]]}}}", DEPENDS, NULL },
	};
	(void)state;
	check_rows(rows, ARRAY_SIZE(rows), &dhcp, in);
}

/* What is not known is no yes and no no, but where all ways end alike. */
static void test_what_cannot_be_told(void **state)
{
	static const struct row rows[] = {
		{ OPEN "in " LIMIT "," DROP, DEPENDS, "in 1" },
		{ SHUT "in " LIMIT "," ACCEPT, DEPENDS, "in 1" },
		{ SHUT "in " LIMIT "," DROP, REFUSED, "in 0" },
		{ OPEN "in " LIMIT "," ACCEPT, PASSES, NULL },
		{ OPEN "in " LIMIT ",{\"log\":null}", PASSES, NULL },
		{ OPEN "in " PORT("53") "," LIMIT "," DROP, PASSES, NULL },
		{ OPEN "in {\"queue\":{\"num\":1}}", DEPENDS, NULL },
		{ OPEN "in {\"unheard of\":null}", DEPENDS, NULL },
		{ OPEN "in {\"xt\":{\"type\":\"match\",\"name\":\"string\"}}," DROP, DEPENDS, "in 1" },
		{ OPEN "in {\"xt\":{\"type\":\"target\",\"name\":\"ECHO\"}}", DEPENDS, "in 1" },
		{ OPEN "in " META("skuid", "0") "," DROP, DEPENDS, "in 1" },
		{ OPEN "in " META("mark", "1") "," DROP, PASSES, NULL }, /* it comes without one */
		{ OPEN "in {\"mangle\":{\"key\":{\"meta\":{\"key\":\"mark\"}},\"value\":1}}\nin " META("mark", "1") "," DROP, DEPENDS, "in 2" },
		{ SHUT "chain raw prerouting -300 accept\nraw {\"notrack\":null}\nin " CT("state", "in", "\"new\"") "," ACCEPT, DEPENDS, "in 1" },
		{ OPEN "chain nat prerouting -100 accept\nnat {\"redirect\":{\"port\":1067}}", DEPENDS, "nat 1" },
		{ SHUT "chain nat prerouting -100 accept\nnat " PORT("53") ",{\"redirect\":null}", REFUSED, "in 0" },
		/* a chain that surely drops after one that perhaps does */
		{ OPEN "in " LIMIT "," DROP "\nchain late input 9 drop", REFUSED, "late 0" },
		{ OPEN "sub s\ns " LIMIT "," RETURN "\ns " DROP "\nin " JUMP("s") "\nin " DROP, REFUSED, NULL },
		{ OPEN "in {\"match\":{\"op\":\"<\",\"left\":{\"payload\":{\"protocol\":\"udp\",\"field\":\"dport\"}},\"right\":100}}," DROP, DEPENDS,
		  "in 1" },
		{ OPEN "in " IIF("==", "{\"deep\":[]}") "," DROP, PASSES, NULL },
	};
	(void)state;
	check_rows(rows, ARRAY_SIZE(rows), &dhcp, in);
}

#define FORWARD(policy) "chain f forward 0 " policy "\n"
#define NEW_IS_SYN      "{\"match\":{\"op\":\"!=\",\"left\":{\"&\":[{\"payload\":{\"protocol\":\"tcp\",\"field\":\"flags\"}},[\"fin\",\"syn\",\"rst\",\"ack\"]]},\"right\":\"syn\"}}"

static void test_forwarded(void **state)
{
	static const struct row there[] = {
		{ FORWARD("drop") "f " IIF("==", "\"qlbr0\"") "," OIF("==", "\"up0\"") "," ACCEPT, PASSES, NULL },
		{ FORWARD("drop") "f " OIF("!=", "\"up0\"") "," ACCEPT, REFUSED, "f 0" },
		{ FORWARD("drop") "f " CT("state", "in", "[\"established\",\"related\"]") "," ACCEPT, REFUSED, "f 0" },
		{ FORWARD("accept") "f " NEW_IS_SYN "," CT("state", "in", "\"new\"") "," DROP, PASSES, NULL },
		{ FORWARD("accept") "f " FIELD("ip", "daddr", "==", "\"192.0.2.1\"") "," DROP, DEPENDS, "f 1" }, /* it may go there */
		{ "chain nat postrouting 100 accept\nnat {\"masquerade\":null}", PASSES, NULL },
		{ "chain p postrouting 0 accept\np " OIF("==", "\"up0\"") "," DROP, REFUSED, "p 1" },
		{ FORWARD("accept") "f {\"match\":{\"op\":\"==\",\"left\":{\"fib\":{\"result\":\"oif\",\"flags\":[\"saddr\",\"iif\"]}},\"right\":false}}," DROP,
		  PASSES, NULL },
	};
	static const struct row back[] = {
		{ FORWARD("drop") "f " CT("state", "in", "[\"established\",\"related\"]") "," ACCEPT, PASSES, NULL },
		{ FORWARD("drop") "f " IIF("==", "\"qlbr0\"") "," ACCEPT, REFUSED, "f 0" },
		{ "chain nat prerouting -100 drop", PASSES, NULL }, /* NAT is asked for the first packet alone */
		{ FORWARD("accept") "f " CT("direction", "==", "\"reply\"") "," DROP, REFUSED, "f 1" },
	};
	struct packet anywhere = sent;
	anywhere.oif = NULL;
	static const struct row unknown[] = {
		{ FORWARD("drop") "f " OIF("==", "\"up0\"") "," ACCEPT, DEPENDS, "f 1" },
		{ FORWARD("drop") "f " OIF("!=", "\"qlbr0\"") "," ACCEPT, PASSES, NULL },
		{ FORWARD("drop") "f " IIF("==", "\"qlbr0\"") "," ACCEPT, PASSES, NULL },
	};
	(void)state;
	check_rows(there, ARRAY_SIZE(there), &sent, through);
	check_rows(back, ARRAY_SIZE(back), &answer, through);
	check_rows(unknown, ARRAY_SIZE(unknown), &anywhere, through);
}

/* A ruleset of many rules, each asked about many ways, ends. */
static void test_bounded(void **state)
{
	struct sb sb = {};
	cleanup_free char *text = NULL, *place = NULL;
	(void)state;
	sb_add(&sb, OPEN);
	for (int i = 0; i < 14; i++)
		sb_addf(&sb, "sub s%d\n", i);
	for (int i = 0; i < 13; i++)
		for (int k = 0; k < 8; k++)
			sb_addf(&sb, "s%d {\"jump\":{\"target\":\"s%d\"}}\n", i, i + 1);
	sb_add(&sb, "in " JUMP("s0"));
	text = sb_steal(&sb);
	assert_int_equal(ask(text, &dhcp, in, &place), DEPENDS); /* 8^13 rules: not told */
}

/* ---- iptables ---- */

#define TABLE   "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:MINE - [0:0]\n"
#define IN(rule) TABLE "-A INPUT " rule "\nCOMMIT\n"

static void test_iptables(void **state)
{
	static const struct row rows[] = {
		{ TABLE "COMMIT\n", PASSES, NULL },
		{ "*filter\n:INPUT DROP [0:0]\nCOMMIT\n", REFUSED, "INPUT 0" },
		{ "*nat\n:INPUT DROP [0:0]\nCOMMIT\n", REFUSED, "INPUT 0" },
		{ IN("-j REJECT --reject-with icmp-host-prohibited"), REFUSED, "INPUT 1" },
		{ IN("-i qlbr+ -j DROP"), REFUSED, "INPUT 1" },
		{ IN("! -i qlbr+ -j DROP"), PASSES, NULL },
		{ IN("-p udp -m udp --sport 68 --dport 67 -j DROP"), REFUSED, "INPUT 1" },
		{ IN("-p udp -m multiport --dports 53,67:68 -j DROP"), REFUSED, "INPUT 1" },
		{ IN("-p tcp -m tcp --dport 67 -j DROP"), PASSES, NULL },
		{ IN("-p icmp -m icmp --icmp-type 8 -j DROP"), PASSES, NULL },
		{ IN("-s 0.0.0.0/32 -d 255.255.255.255/32 -j DROP"), REFUSED, "INPUT 1" },
		{ IN("! -s 10.0.0.0/8 -j DROP"), REFUSED, "INPUT 1" },
		{ IN("-s 10.0.0.0/255.255.0.0 -j DROP"), DEPENDS, "INPUT 1" },
		{ IN("-m conntrack --ctstate RELATED,ESTABLISHED -j DROP"), PASSES, NULL },
		{ IN("-m state --state NEW -j DROP"), REFUSED, "INPUT 1" },
		{ IN("-m conntrack --ctstate DNAT -j DROP"), PASSES, NULL },
		{ IN("-m conntrack --ctstate NEW,DNAT -j DROP"), DEPENDS, "INPUT 1" },
		{ IN("-m addrtype --dst-type BROADCAST -j DROP"), REFUSED, "INPUT 1" },
		{ IN("-m addrtype ! --dst-type LOCAL -j DROP"), REFUSED, "INPUT 1" },
		{ IN("-m limit --limit 3/min --limit-burst 10 -j DROP"), DEPENDS, "INPUT 1" },
		{ IN("-m limit -j DROP"), DEPENDS, "INPUT 1" },
		{ IN("-m mark --mark 0x4000/0x4000 -j DROP"), PASSES, NULL },
		{ IN("-m mark ! --mark 0x4000/0x4000 -j DROP"), REFUSED, "INPUT 1" },
		{ IN("-m rpfilter --validmark --invert -j DROP"), DEPENDS, "INPUT 1" },
		{ IN("-m physdev --physdev-is-bridged -j DROP"), DEPENDS, "INPUT 1" },
		{ IN("-m set --match-set blocked src -j DROP"), DEPENDS, "INPUT 1" },
		{ IN("-m comment --comment \"no -j DROP \\\" here\" -j ACCEPT"), PASSES, NULL },
		{ IN("-m comment --comment \"-j ACCEPT\" -j DROP"), REFUSED, "INPUT 1" },
		{ IN("-j LOG --log-prefix \"[X] \""), PASSES, NULL },
		{ IN("-j MINE\n-A MINE -j DROP"), REFUSED, "MINE 1" },
		{ IN("-g MINE\n-A INPUT -j DROP"), PASSES, NULL },
		{ IN("-j NOBODY"), DEPENDS, "INPUT 1" },
		{ IN("-m conntrack --ctstate NEW"), PASSES, NULL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_t *rules = json_array();
		struct filter filter;
		struct filter_place at = {};
		assert_null(iptables_read(rows[i].rules, FILTER_LEGACY, NULL, rules));
		filter_read(rules, false, &filter);
		enum filter_answer a = filter_ask(&filter, &dhcp, in, NULL, NULL, &at);
		cleanup_free char *place = str_fmt("%s %zu", at.chain ? at.chain : "-", at.number);
		if (a != rows[i].answer || (rows[i].place && !streq(place, rows[i].place)))
			fail_msg("row %zu: answer %d at %s:\n%s", i, (int)a, place, rows[i].rules);
		filter_free(&filter);
		json_decref(rules);
	}
	json_t *rules = json_array();
	struct filter none;
	struct filter_place at = {};
	filter_read(rules, false, &none); /* a host without any rule */
	assert_int_equal(filter_ask(&none, &dhcp, in, NULL, NULL, &at), FILTER_PASSES);
	filter_free(&none);
	struct err *e = iptables_read("iptables: no such thing\n", "ip", NULL, rules);
	assert_non_null(e);
	err_free(e);
	json_decref(rules);
}

/* ---- rules of real firewalls ---- */

static char *told(const char *name, const char *zone, bool bridge)
{
	char *forwards[] = { (char *)"tcp:0.0.0.0:2222:22", NULL };
	struct conf_network conf = { .name = (char *)"lan", .mode = bridge ? NET_BRIDGE : NET_NAT, .forward = { forwards, bridge ? 0 : 1 } };
	struct net n = { .conf = &conf, .own = !bridge, .bridge = "qlbr0", .link = "qltap0", .gateway = "10.9.9.1", .guest = "10.9.9.2",
			 .zone = (char *)zone, .zone_open = streq(zone, "libvirt") };
	cleanup_findings struct findings found = {};
	cleanup_root struct root *root = NULL;
	cleanup_strv struct strv known = {};
	cleanup_free char *listed = str_fmt("/" RULES "/%s.json", name), *by_iptables = str_fmt("/" RULES "/%s.save", name), *json = NULL,
			  *saved = NULL;
	const char *table;
	assert_null(root_open(".", &root));
	assert_null(root_read(root, listed, &json));
	saved = root_read_or(root, by_iptables, "");
	json_t *all = json_loads(json, 0, NULL), *rules = json_object_get(all, "nftables");
	while ((table = iptables_hidden(rules, &known))) {
		cleanup_free char *copy = str_dup(table);
		strv_add(&known, copy);
		assert_null(iptables_replace(rules, copy, saved));
	}
	struct filter filter;
	filter_read(rules, false, &filter);
	firewall_findings(&found, &n, &filter, "up0");
	filter_free(&filter);
	json_decref(all);
	struct sb sb = {};
	for (size_t i = 0; i < found.n; i++)
		sb_addf(&sb, "%s\n%s%s%s", found.v[i].text, found.v[i].remedy ? "  " : "", found.v[i].remedy ? found.v[i].remedy : "",
			found.v[i].remedy ? "\n" : "");
	return sb_steal(&sb);
}

static void test_captured(void **state)
{
	static const struct {
		const char *name, *zone;
		bool bridge;
		const char *says;
	} rows[] = {
		{ "trusted", NULL, false, "lan: the host's firewall lets the guest's packets through\n" },
		{ "firewalld", NULL, false,
		  "lan: the host's firewall refuses DHCP, DNS: rule 9 of chain filter_IN_public (table inet firewalld)\n"
		  "  zone = trusted in [network lan], or firewall-cmd --permanent --zone=trusted --add-interface=qlbr0 and firewall-cmd --reload\n"
		  "lan: the host's firewall refuses what the guest sends beyond the host: rule 8 of chain filter_FWD_public (table inet firewalld)\n"
		  "  zone = trusted in [network lan], or firewall-cmd --permanent --zone=trusted --add-interface=qlbr0 and firewall-cmd --reload\n" },
		{ "firewalld", "libvirt", false, "lan: firewalld's zone libvirt lets the guest's packets through\n" },
		{ "firewalld", "work", false,
		  "lan: whether firewalld's zone work lets the guest's packets through cannot be told before\n"
		  "  a zone whose target is ACCEPT does, such as trusted\n" },
		{ "ufw", NULL, false,
		  "lan: the host's firewall refuses DHCP: rule 1 of chain ufw-skip-to-policy-input (table ip filter)\n"
		  "  ufw allow in on qlbr0\n"
		  "lan: the host's firewall refuses DNS: the policy of chain INPUT (table ip filter)\n"
		  "  ufw allow in on qlbr0\n"
		  "lan: the host's firewall refuses what the guest sends beyond the host, what comes to a forwarded port: the policy of chain "
		  "FORWARD (table ip filter)\n"
		  "  ufw route allow in on qlbr0; ufw route allow out on qlbr0\n" },
		{ "ufw-allowed", NULL, false,
		  "lan: the host's firewall refuses what comes to a forwarded port: the policy of chain FORWARD (table ip filter)\n"
		  "  ufw route allow in on qlbr0; ufw route allow out on qlbr0\n" },
		{ "docker", NULL, false,
		  "lan: the host's firewall refuses what the guest sends beyond the host, what is answered to that, what comes to a forwarded "
		  "port: the policy of chain FORWARD (table ip filter)\n"
		  "  iptables -I DOCKER-USER -i qlbr0 -j ACCEPT; iptables -I DOCKER-USER -o qlbr0 -j ACCEPT\n" },
		{ "docker-user", NULL, false, "lan: the host's firewall lets the guest's packets through\n" },
		{ "docker", NULL, true,
		  "lan: the host's firewall refuses what the guest sends, what is answered to that: the policy of chain FORWARD (table ip filter)\n"
		  "  sysctl net.bridge.bridge-nf-call-iptables=0, or iptables -I DOCKER-USER -i qlbr0 -j ACCEPT\n" },
		{ "docker-user", NULL, true, "" },
		{ "workstation", NULL, false,
		  "lan: the host's firewall refuses DHCP, DNS: rule 7 of chain input (table inet filter)\n"
		  "  nft insert rule inet filter input iifname qlbr0 udp dport { 53, 67 } accept; and the same in /etc/nftables.conf, to stay\n"
		  "lan: the host's firewall refuses what the guest sends beyond the host, what comes to a forwarded port: the policy of chain "
		  "forward (table inet filter)\n"
		  "  nft insert rule inet filter forward iifname qlbr0 accept; nft insert rule inet filter forward oifname qlbr0 accept; and the same "
		  "in /etc/nftables.conf, to stay\n" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *says = told(rows[i].name, rows[i].zone, rows[i].bridge);
		assert_string_equal(says, rows[i].says);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chains),	  cmocka_unit_test(test_matches), cmocka_unit_test(test_what_cannot_be_told),
		cmocka_unit_test(test_forwarded), cmocka_unit_test(test_bounded), cmocka_unit_test(test_iptables),
		cmocka_unit_test(test_captured),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
