/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net_match: see net_match.h. */
#include <arpa/inet.h>
#include <stdlib.h>
#include "launcher/base/str.h"
#include "launcher/host/net/net_match.h"

#define DEPTH_MAX 8 /* of expressions in expressions; nft itself makes three */

/* What the left side of a comparison is for a packet. */
struct value {
	enum {
		VALUE_UNKNOWN,
		VALUE_ABSENT, /* a field that such a packet has not: the rule does not match, however it compares */
		VALUE_WORD,
		VALUE_NAT, /* a connection has more marks than that its addresses are translated */
		VALUE_LINK,
		VALUE_NUMBER,
		VALUE_FLAGS,
		VALUE_ADDRESS,
		VALUE_THERE, /* a route that there is */
	} kind;
	const char *word;
	uint32_t number; /* host byte order */
};

static const struct value unknown = { .kind = VALUE_UNKNOWN }, absent = { .kind = VALUE_ABSENT };

enum truth truth_not(enum truth t)
{
	return t == TRUTH_UNKNOWN ? t : t == TRUTH_NO ? TRUTH_YES : TRUTH_NO;
}

enum truth truth_and(enum truth a, enum truth b)
{
	return a == TRUTH_NO || b == TRUTH_NO ? TRUTH_NO : a == TRUTH_YES && b == TRUTH_YES ? TRUTH_YES : TRUTH_UNKNOWN;
}

enum truth truth_or(enum truth a, enum truth b)
{
	return truth_not(truth_and(truth_not(a), truth_not(b)));
}

static enum truth truth_of(bool b)
{
	return b ? TRUTH_YES : TRUTH_NO;
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

/* ---- what a packet has ---- */

static struct value word(const char *text)
{
	return text ? (struct value){ .kind = VALUE_WORD, .word = text } : unknown;
}

static struct value port(unsigned number)
{
	return number ? (struct value){ .kind = VALUE_NUMBER, .number = number } : unknown;
}

static bool address_parse(const char *text, uint32_t *ret_address)
{
	struct in_addr in;
	if (!text || inet_pton(AF_INET, text, &in) != 1)
		return false;
	*ret_address = ntohl(in.s_addr);
	return true;
}

static struct value address(const char *text)
{
	struct value v = { .kind = VALUE_ADDRESS };
	return address_parse(text, &v.number) ? v : unknown;
}

static struct value meta(const char *key, const struct packet *p)
{
	const struct {
		const char *key;
		struct value value;
	} keys[] = {
		{ "iifname", { .kind = VALUE_LINK, .word = p->iif } },
		{ "iif", { .kind = VALUE_LINK, .word = p->iif } },
		{ "oifname", { .kind = VALUE_LINK, .word = p->oif } },
		{ "oif", { .kind = VALUE_LINK, .word = p->oif } },
		{ "ibrname", p->frame ? (struct value){ .kind = VALUE_LINK, .word = p->bridge } : unknown },
		{ "l4proto", word(p->tcp ? "tcp" : "udp") },
		{ "nfproto", word(p->frame ? NULL : "ipv4") },
		{ "protocol", word("ip") },
		{ "pkttype", word(streq(p->to, "broadcast") ? "broadcast"
				  : p->iif && *p->iif       ? "host"
							    : NULL) },
		{ "mark", { .kind = p->marked ? VALUE_UNKNOWN : VALUE_NUMBER } },
	};
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (streq(key, keys[i].key))
			return keys[i].value;
	return unknown;
}

/* Of headers; another protocol's are not there. */
static struct value payload(const char *protocol, const char *field, const struct packet *p)
{
	static const char *const others[] = { "ip6", "icmp", "icmpv6", "igmp", "arp", "sctp", "dccp", "esp", "ah", "comp", "udplite", "vlan" };
	bool transport = streq(protocol, p->tcp ? "tcp" : "udp") || streq(protocol, "th");
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (streq(protocol, others[i]))
			return absent;
	if (!transport && (streq(protocol, "tcp") || streq(protocol, "udp")))
		return absent;
	if (transport && (streq(field, "sport") || streq(field, "dport")))
		return port(*field == 's' ? p->sport : p->dport);
	if (streq(protocol, "tcp") && streq(field, "flags")) /* the first packet of a connection, and what answers it */
		return (struct value){ .kind = VALUE_FLAGS, .number = p->reply ? 0x12 : 0x02 };
	if (streq(protocol, "ip") && streq(field, "protocol"))
		return word(p->tcp ? "tcp" : "udp");
	if (streq(protocol, "ip") && (streq(field, "saddr") || streq(field, "daddr")))
		return address(*field == 's' ? p->saddr : p->daddr);
	return streq(protocol, "ether") && streq(field, "type") ? word("ip") : unknown;
}

static struct value conntrack(const json_t *ct, const struct packet *p)
{
	const char *key = text_of(ct, "key");
	if (json_object_get(ct, "dir"))
		return unknown;
	if (streq(key, "state"))
		return word(p->untracked ? NULL : p->state);
	if (streq(key, "direction"))
		return word(p->untracked ? NULL : p->reply ? "reply" : "original");
	if (streq(key, "status") && !p->untracked && p->nat)
		return (struct value){ .kind = VALUE_NAT, .word = p->nat };
	return unknown;
}

/* What routes say of its addresses (fib). A packet that comes from where its answer goes to is what we ask about; 0.0.0.0 is nobody's. */
static struct value fib(const json_t *fib, const struct packet *p)
{
	bool source = false, destination = false;
	size_t i;
	json_t *flag;
	json_array_foreach (json_object_get(fib, "flags"), i, flag) {
		source |= streq(json_string_value(flag), "saddr");
		destination |= streq(json_string_value(flag), "daddr");
	}
	if (streq(text_of(fib, "result"), "type"))
		return destination && !source ? word(p->to) : unknown;
	if (source && !destination && !streq(p->saddr, "0.0.0.0") && p->iif && *p->iif)
		return (struct value){ .kind = VALUE_THERE };
	return unknown;
}

/* Bits of TCP's header (RFC 9293), by number, name, list or "|" of those. */
static bool flags_parse(const json_t *expr, unsigned depth, uint32_t *flags)
{
	static const char *const names[] = { "fin", "syn", "rst", "psh", "ack", "urg" };
	const json_t *set = json_object_get(expr, "set"), *list = json_is_array(expr) ? expr : set ? set : json_object_get(expr, "|");
	size_t i;
	json_t *each;
	if (json_is_integer(expr)) {
		*flags |= (uint32_t)json_integer_value(expr);
		return true;
	}
	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (streq(json_string_value(expr), names[i])) {
			*flags |= 1u << i;
			return true;
		}
	if (!list || depth >= DEPTH_MAX)
		return false;
	json_array_foreach (list, i, each)
		if (!flags_parse(each, depth + 1, flags))
			return false;
	return true;
}

static struct value value_of(const json_t *left, const struct packet *p, unsigned depth)
{
	const json_t *part, *both = json_object_get(left, "&");
	if ((part = json_object_get(left, "meta")))
		return meta(text_of(part, "key"), p);
	if ((part = json_object_get(left, "payload")))
		return payload(text_of(part, "protocol"), text_of(part, "field"), p);
	if ((part = json_object_get(left, "ct")))
		return conntrack(part, p);
	if ((part = json_object_get(left, "fib")))
		return fib(part, p);
	if (!both || depth >= DEPTH_MAX)
		return unknown;
	struct value v = value_of(json_array_get(both, 0), p, depth + 1);
	uint32_t mask = 0;
	if (v.kind == VALUE_ABSENT)
		return v;
	if ((v.kind != VALUE_NUMBER && v.kind != VALUE_FLAGS) || !flags_parse(json_array_get(both, 1), 0, &mask))
		return unknown;
	v.number &= mask;
	return v;
}

/* ---- comparing ---- */

/* A name of a rule's, which may end in "*". */
static enum truth link_is(const struct value *v, const char *name, const struct packet *p)
{
	size_t len = strlen(name);
	bool wild = len && name[len - 1] == '*';
	if (!v->word)
		return !wild && streq(name, p->bridge) ? TRUTH_NO : TRUTH_UNKNOWN;
	return truth_of(wild ? strncmp(v->word, name, len - 1) == 0 && *v->word : streq(v->word, name));
}

static enum truth word_is(const struct value *v, const json_t *right)
{
	static const struct {
		const char *word, *other;
		json_int_t number;
	} same[] = { { "tcp", "tcp", 6 }, { "udp", "udp", 17 }, { "host", "unicast", 0 }, { "ip", "ip", 0x0800 } };
	if (json_is_string(right) && streq(v->word, json_string_value(right)))
		return TRUTH_YES;
	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		if (streq(v->word, same[i].word) && (streq(json_string_value(right), same[i].other) ||
						     (json_is_integer(right) && json_integer_value(right) == same[i].number)))
			return TRUTH_YES;
	if (json_is_integer(right))
		for (size_t i = 0; i < ARRAY_SIZE(same); i++)
			if (streq(v->word, same[i].word))
				return TRUTH_NO;
	return json_is_string(right) ? TRUTH_NO : TRUTH_UNKNOWN;
}

/* A number or an address as it stands in a rule. */
static bool number_parse(const struct value *v, const json_t *right, uint32_t *ret_number)
{
	if (v->kind == VALUE_ADDRESS)
		return address_parse(json_string_value(right), ret_number);
	*ret_number = (uint32_t)json_integer_value(right);
	return json_is_integer(right);
}

static enum truth number_is(const struct value *v, const json_t *right)
{
	const json_t *prefix = json_object_get(right, "prefix"), *range = json_object_get(right, "range");
	uint32_t first, last;
	if (prefix) {
		json_int_t bits = json_integer_value(json_object_get(prefix, "len"));
		uint32_t mask = bits <= 0 ? 0 : bits >= 32 ? UINT32_MAX : UINT32_MAX << (32 - bits);
		if (v->kind != VALUE_ADDRESS || !json_is_integer(json_object_get(prefix, "len")) ||
		    !number_parse(v, json_object_get(prefix, "addr"), &first))
			return TRUTH_UNKNOWN;
		return truth_of(!((first ^ v->number) & mask));
	}
	if (range) {
		if (!number_parse(v, json_array_get(range, 0), &first) || !number_parse(v, json_array_get(range, 1), &last))
			return TRUTH_UNKNOWN;
		return truth_of(first <= v->number && v->number <= last);
	}
	return number_parse(v, right, &first) ? truth_of(first == v->number) : TRUTH_UNKNOWN;
}

static enum truth value_is(const struct value *v, const json_t *right, const struct packet *p)
{
	switch (v->kind) {
	case VALUE_LINK: /* an index without a name is an interface that is gone, or another one that is there: ours is yet to come */
		return json_is_string(right) ? link_is(v, json_string_value(right), p) : v->word ? TRUTH_NO : TRUTH_UNKNOWN;
	case VALUE_WORD:
		return word_is(v, right);
	case VALUE_NAT:
		return streq(json_string_value(right), "snat") || streq(json_string_value(right), "dnat") ? word_is(v, right)
													  : TRUTH_UNKNOWN;
	case VALUE_NUMBER:
	case VALUE_ADDRESS:
		return number_is(v, right);
	case VALUE_THERE:
		return json_is_boolean(right) ? truth_of(json_is_true(right)) : TRUTH_UNKNOWN;
	case VALUE_UNKNOWN:
	case VALUE_ABSENT:
	case VALUE_FLAGS:
		break;
	}
	return TRUTH_UNKNOWN;
}

const json_t *match_set(const char *name, const struct match_sets *sets)
{
	static const json_t *nothing;
	size_t i;
	json_t *entry;
	json_array_foreach (sets->ruleset, i, entry) {
		const json_t *set = json_object_get(entry, "set");
		set = set ? set : json_object_get(entry, "map");
		if (!streq(text_of(set, "name"), name) || !streq(text_of(set, "table"), sets->table) ||
		    !streq(text_of(set, "family"), sets->family))
			continue;
		const json_t *elements = json_object_get(set, "elem");
		if (elements || sets->terse)
			return elements;
		if (!nothing)
			nothing = json_array();
		return nothing;
	}
	return NULL;
}

static enum truth is_one(const json_t *left, const json_t *right, const struct packet *p, const struct match_sets *sets, unsigned depth);

static enum truth is_any(const json_t *left, const json_t *list, const struct packet *p, const struct match_sets *sets, unsigned depth)
{
	enum truth any = TRUTH_NO;
	size_t i;
	json_t *each;
	json_array_foreach (list, i, each)
		any = truth_or(any, is_one(left, each, p, sets, depth + 1));
	return any;
}

static enum truth is_one(const json_t *left, const json_t *right, const struct packet *p, const struct match_sets *sets, unsigned depth)
{
	const char *name = json_string_value(right);
	const json_t *set = name && *name == '@' ? match_set(name + 1, sets) : json_object_get(right, "set"),
		     *element = json_object_get(json_object_get(right, "elem"), "val"), *parts = json_object_get(left, "concat");
	if (depth >= DEPTH_MAX || (name && *name == '@' && !set))
		return TRUTH_UNKNOWN;
	if (element)
		return is_one(left, element, p, sets, depth + 1);
	if (set)
		return json_is_array(set) ? is_any(left, set, p, sets, depth) : is_one(left, set, p, sets, depth + 1);
	if (parts) {
		const json_t *values = json_object_get(right, "concat");
		enum truth all = json_array_size(values) == json_array_size(parts) ? TRUTH_YES : TRUTH_UNKNOWN;
		for (size_t i = 0; all != TRUTH_UNKNOWN && i < json_array_size(parts); i++)
			all = truth_and(all, is_one(json_array_get(parts, i), json_array_get(values, i), p, sets, depth + 1));
		return all;
	}
	if (json_is_array(right))
		return is_any(left, right, p, sets, depth);
	struct value v = value_of(left, p, 0);
	return value_is(&v, right, p);
}

enum truth match_value(const json_t *left, const json_t *right, const struct packet *p, const struct match_sets *sets)
{
	return is_one(left, right, p, sets, 0);
}

static enum truth flags_are(const struct value *v, const char *op, const json_t *right)
{
	uint32_t flags = 0;
	if (!flags_parse(right, 0, &flags))
		return TRUTH_UNKNOWN;
	if (streq(op, "in"))
		return truth_of(v->number & flags);
	enum truth same = truth_of(v->number == flags);
	return streq(op, "==") ? same : streq(op, "!=") ? truth_not(same) : TRUTH_UNKNOWN;
}

enum truth match_statement(const json_t *match, const struct packet *p, const struct match_sets *sets)
{
	const json_t *left = json_object_get(match, "left"), *right = json_object_get(match, "right");
	const char *op = text_of(match, "op");
	struct value v = value_of(left, p, 0);
	if (v.kind == VALUE_ABSENT)
		return TRUTH_NO;
	if (v.kind == VALUE_FLAGS)
		return flags_are(&v, op, right);
	if (streq(op, "==") || streq(op, "in"))
		return match_value(left, right, p, sets);
	return streq(op, "!=") ? truth_not(match_value(left, right, p, sets)) : TRUTH_UNKNOWN;
}
