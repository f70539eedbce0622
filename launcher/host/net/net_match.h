/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_match: what one expression of a rule of nftables says of one packet: yes, no, or that it cannot be told before the packet is there.
 * Expressions are those of libnftables-json(5). Pure. A part of net. What is not known here, of the packet or of the expression, is never
 * a yes or a no.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum truth { TRUTH_NO, TRUTH_YES, TRUTH_UNKNOWN };

/* An IPv4 packet as rules see it. A text is NULL and a port 0 where it is not known. */
struct packet {
	const char *bridge;    /* the guest's: what is not known of iif and oif is not this one */
	const char *iif, *oif; /* interfaces; "" where there is none at that hook */
	bool tcp;              /* else UDP */
	unsigned sport, dport;
	const char *saddr, *daddr; /* "10.1.2.2" */
	const char *state;         /* of its connection, "new", "established" */
	const char *nat;           /* "snat", "dnat" where its connection's addresses are translated, "" */
	const char *to;            /* what its destination is to the host: "local", "unicast", "broadcast" */
	bool reply;
	bool frame; /* as bridges see it: rules of family bridge, else those of ip and inet */
	/* what rules on its way may have changed */
	bool marked, untracked;
};

/* Where named sets and maps are looked up. */
struct match_sets {
	const json_t *ruleset; /* the array "nftables" */
	const char *family, *table;
	bool terse; /* listed without what is in them */
};

enum truth truth_not(enum truth t);
enum truth truth_and(enum truth a, enum truth b);
enum truth truth_or(enum truth a, enum truth b);
/* The value of a "match" statement. */
enum truth match_statement(const json_t *match, const struct packet *p, const struct match_sets *sets);
/* Whether the expression `left` has the value, or one of the values, of `right`. */
enum truth match_value(const json_t *left, const json_t *right, const struct packet *p, const struct match_sets *sets);
/* What is in a named set or map ("@name"): its array; NULL where that is not known. Borrowed. */
const json_t *match_set(const char *name, const struct match_sets *sets);
