/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net_filter: what becomes of a packet under a host's rules, asked before the packet is there. Pure: of a ruleset as
 * `nft --json list ruleset` has it (libnftables-json(5)), and of packets as net_match.h has them. A part of net.
 *
 * At each hook the base chains are walked in the order of their priorities: an accept in one saves from no drop in a later one. What a rule
 * asks that is not known here makes two ways of it; where not all of them end alike, the answer is that it depends.
 */
#pragma once
#include "launcher/host/net/net_match.h"

#define FILTER_LEGACY "legacy" /* the family of tables of legacy iptables, which nft does not list */

enum filter_answer { FILTER_PASSES, FILTER_REFUSED, FILTER_DEPENDS };

/* Where that was decided. Borrowed from the ruleset; all NULL where it passes. */
struct filter_place {
	const char *family, *table;
	const char *base;  /* the base chain */
	const char *chain; /* that of the rule */
	const char *hook;
	int handle;    /* of the rule, `nft -a` shows it; 0: the chain's policy */
	size_t number; /* of the rule in its chain, from 1; 0: the policy */
};

struct filter {
	const json_t *ruleset; /* its array, borrowed */
	struct filter_chain *chains;
	size_t n;
	bool terse;
};

/* `ruleset` is borrowed and must outlive it. `terse`: it was listed without the elements of sets. */
void filter_read(const json_t *ruleset, bool terse, struct filter *ret_filter);
void filter_free(struct filter *f);
#define cleanup_filter cleanup(filter_free)
/* Whether there is a base chain at one of the hooks (NULL ends them). */
bool filter_has_hook(const struct filter *f, const char *const *hooks);
bool filter_has_chain(const struct filter *f, const char *family, const char *table, const char *chain);
/*
 * The packet passes `hooks` in this order (NULL ends them). Tables for which skip(data, …) is true are left out: those of which it is known
 * otherwise.
 */
enum filter_answer filter_ask(const struct filter *f, const struct packet *p, const char *const *hooks,
			      bool (*skip)(const void *data, const char *family, const char *table), const void *data,
			      struct filter_place *ret_place);
