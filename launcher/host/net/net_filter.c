/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net_filter: see net_filter.h. */
#include <stdlib.h>
#include "launcher/base/str.h"
#include "launcher/host/net/net_filter.h"

#define RULES_MAX 50000 /* looked at for one packet; firewalld with ten zones has below 1000 */
#define JUMPS_MAX 16    /* NFT_JUMP_STACK_SIZE, linux/netfilter/nf_tables.h: the kernel takes no deeper ones */

struct filter_chain {
	const char *family, *table, *name, *type, *hook, *policy;
	json_int_t prio;
	const json_t **rules;
	size_t n;
};

/* The ways in which a packet may leave a rule or a chain. */
enum {
	CONTINUES = 1, /* to the next rule */
	RETURNS = 2,   /* to where the chain was called */
	ACCEPTED = 4,  /* by this base chain */
	REFUSED = 8,
	REWRITTEN = 16, /* goes elsewhere: what follows sees another packet */
	ANY = CONTINUES | ACCEPTED | REFUSED,
};

struct walk {
	const struct filter *filter;
	struct packet packet; /* with what rules did to it */
	const struct filter_chain *base;
	struct filter_place refusal, doubt; /* the last rule that refuses; the first of which it is not known whether it matches */
	unsigned left;
};

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

static struct filter_chain *find(const struct filter *f, const char *family, const char *table, const char *name)
{
	for (size_t i = f->n; i-- > 0;) /* a rule follows its chain closely */
		if (streq(f->chains[i].name, name) && streq(f->chains[i].table, table) && streq(f->chains[i].family, family))
			return &f->chains[i];
	return NULL;
}

void filter_read(const json_t *ruleset, bool terse, struct filter *ret_filter)
{
	struct filter f = { .ruleset = ruleset, .terse = terse };
	size_t i;
	json_t *entry;
	json_array_foreach (ruleset, i, entry) {
		const json_t *chain = json_object_get(entry, "chain"), *rule = json_object_get(entry, "rule");
		if (chain) {
			f.chains = mem_grow(f.chains, f.n, sizeof(*f.chains));
			f.chains[f.n++] = (struct filter_chain){
				.family = text_of(chain, "family"),
				.table = text_of(chain, "table"),
				.name = text_of(chain, "name"),
				.type = text_of(chain, "type"),
				.hook = text_of(chain, "hook"),
				.policy = text_of(chain, "policy"),
				.prio = json_integer_value(json_object_get(chain, "prio")),
			};
		}
		struct filter_chain *of = rule ? find(&f, text_of(rule, "family"), text_of(rule, "table"), text_of(rule, "chain")) : NULL;
		if (of) {
			of->rules = mem_grow(of->rules, of->n, sizeof(const json_t *));
			of->rules[of->n++] = rule;
		}
	}
	*ret_filter = f;
}

void filter_free(struct filter *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->chains[i].rules);
	free(f->chains);
	*f = (struct filter){};
}

bool filter_has_hook(const struct filter *f, const char *const *hooks)
{
	for (; *hooks; hooks++)
		for (size_t i = 0; i < f->n; i++)
			if (streq(f->chains[i].hook, *hooks))
				return true;
	return false;
}

bool filter_has_chain(const struct filter *f, const char *family, const char *table, const char *chain)
{
	return find(f, family, table, chain);
}

/* ---- one rule ---- */

/* What there is to a statement, by its name. Of what is not in here nothing is known. */
static const struct statement {
	const char *name;
	enum { IS_NOTHING, IS_VERDICT, IS_CALL, IS_MATCH, IS_VMAP, IS_QUESTION, MARKS, UNTRACKS } is;
	unsigned ways;
} statements[] = {
	{ "match", IS_MATCH, 0 },
	{ "vmap", IS_VMAP, 0 },
	{ "accept", IS_VERDICT, ACCEPTED },
	{ "drop", IS_VERDICT, REFUSED },
	{ "reject", IS_VERDICT, REFUSED },
	{ "continue", IS_VERDICT, CONTINUES },
	{ "return", IS_VERDICT, RETURNS },
	{ "masquerade", IS_VERDICT, ACCEPTED },
	{ "snat", IS_VERDICT, ACCEPTED },
	{ "dnat", IS_VERDICT, REWRITTEN },
	{ "redirect", IS_VERDICT, REWRITTEN },
	{ "tproxy", IS_VERDICT, REWRITTEN },
	{ "queue", IS_VERDICT, ACCEPTED | REFUSED }, /* a program decides */
	{ "jump", IS_CALL, 0 },
	{ "goto", IS_CALL, RETURNS },
	{ "counter", IS_NOTHING, 0 },
	{ "log", IS_NOTHING, 0 },
	{ "last", IS_NOTHING, 0 },
	{ "ct helper", IS_NOTHING, 0 },
	{ "ct timeout", IS_NOTHING, 0 },
	{ "flow", IS_NOTHING, 0 },
	{ "dup", IS_NOTHING, 0 },
	{ "limit", IS_QUESTION, 0 },
	{ "quota", IS_QUESTION, 0 },
	{ "ct count", IS_QUESTION, 0 },
	{ "set", IS_QUESTION, 0 },
	{ "mangle", MARKS, 0 },
	{ "notrack", UNTRACKS, 0 },
};

static const struct statement *find_statement(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(statements); i++)
		if (streq(statements[i].name, name))
			return &statements[i];
	return NULL;
}

static struct filter_place place_of(const struct walk *w, const struct filter_chain *c, size_t number)
{
	const json_t *rule = number ? c->rules[number - 1] : NULL;
	return (struct filter_place){ c->family, c->table,      w->base->name,
				      c->name,   w->base->hook, (int)json_integer_value(json_object_get(rule, "handle")),
				      number };
}

static unsigned walk_chain(struct walk *w, const struct filter_chain *c, unsigned depth);

/* The ways on from a verdict that is reached: an accept, a jump, … */
static unsigned obey(struct walk *w, const struct filter_chain *c, const char *name, const json_t *arguments, unsigned depth)
{
	const struct statement *s = find_statement(name);
	if (!s || (s->is != IS_VERDICT && s->is != IS_CALL))
		return ANY;
	if (s->is == IS_VERDICT)
		return s->ways;
	const struct filter_chain *to = find(w->filter, c->family, c->table, text_of(arguments, "target"));
	unsigned ways = to && depth < JUMPS_MAX ? walk_chain(w, to, depth + 1) : ANY;
	return s->ways & RETURNS && ways & CONTINUES ? (ways & ~(unsigned)CONTINUES) | RETURNS : ways;
}

/* A verdict map: the first element that matches decides; sets of nft's have no two that do. */
static unsigned walk_vmap(struct walk *w, const struct filter_chain *c, const json_t *vmap, unsigned depth)
{
	const json_t *key = json_object_get(vmap, "key"), *data = json_object_get(vmap, "data"), *list = json_object_get(data, "set");
	const char *name = json_string_value(data);
	struct match_sets sets = { w->filter->ruleset, c->family, c->table, w->filter->terse };
	unsigned ways = 0;
	size_t i;
	json_t *pair;
	if (name && *name == '@')
		list = match_set(name + 1, &sets);
	if (!json_is_array(list))
		return ANY;
	json_array_foreach (list, i, pair) {
		enum truth is = match_value(key, json_array_get(pair, 0), &w->packet, &sets);
		const json_t *verdict = json_array_get(pair, 1);
		void *first = json_object_iter((json_t *)verdict);
		if (is == TRUTH_NO)
			continue;
		ways |= first ? obey(w, c, json_object_iter_key(first), json_object_iter_value(first), depth) : ANY;
		if (is == TRUTH_YES)
			return ways;
	}
	return ways | CONTINUES;
}

/* The ways out of a rule. */
static unsigned walk_rule(struct walk *w, const struct filter_chain *c, size_t number, unsigned depth)
{
	struct match_sets sets = { w->filter->ruleset, c->family, c->table, w->filter->terse };
	enum truth matches = TRUTH_YES;
	unsigned ways = CONTINUES;
	size_t i;
	json_t *each;
	json_array_foreach (json_object_get(c->rules[number - 1], "expr"), i, each) {
		void *first = json_object_iter(each);
		const char *name = first ? json_object_iter_key(first) : "";
		const json_t *value = first ? json_object_iter_value(first) : NULL;
		const struct statement *s = find_statement(name);
		bool xt_match = streq(name, "xt") && streq(text_of(value, "type"), "match");
		if (!s && !xt_match) {
			matches = TRUTH_UNKNOWN;
			ways |= ANY;
		} else if (xt_match || s->is == IS_QUESTION) {
			matches = TRUTH_UNKNOWN;
		} else if (s->is == IS_MATCH) {
			matches = truth_and(matches, match_statement(value, &w->packet, &sets));
		} else if (s->is == MARKS) {
			w->packet.marked = true;
		} else if (s->is == UNTRACKS) {
			w->packet.untracked = true;
		} else if (s->is == IS_VMAP) {
			ways = (ways & ~(unsigned)CONTINUES) | walk_vmap(w, c, value, depth);
		} else if (s->is != IS_NOTHING) {
			ways = (ways & ~(unsigned)CONTINUES) | obey(w, c, name, value, depth);
		}
		if (matches == TRUTH_NO)
			return CONTINUES;
		if (!(ways & CONTINUES))
			break;
	}
	if (ways & REFUSED && !w->refusal.chain)
		w->refusal = place_of(w, c, number);
	if ((ways & REWRITTEN || (matches == TRUTH_UNKNOWN && ways != CONTINUES)) && !w->doubt.chain)
		w->doubt = place_of(w, c, number);
	return matches == TRUTH_UNKNOWN ? ways | CONTINUES : ways;
}

/* ---- chains ---- */

/* CONTINUES: to the rule after the one that called it. */
static unsigned walk_chain(struct walk *w, const struct filter_chain *c, unsigned depth)
{
	unsigned ways = 0;
	for (size_t number = 1; number <= c->n; number++) {
		if (!w->left)
			return ANY;
		w->left--;
		w->refusal = (struct filter_place){};
		unsigned rule = walk_rule(w, c, number, depth);
		ways |= rule & ~(unsigned)CONTINUES;
		if (!(rule & CONTINUES))
			return ways & RETURNS ? (ways & ~(unsigned)RETURNS) | CONTINUES : ways;
	}
	return (ways & ~(unsigned)RETURNS) | CONTINUES;
}

static bool sees(const struct filter_chain *c, const struct packet *p, const char *hook)
{
	if (!streq(c->hook, hook) || (streq(c->type, "nat") && !streq(p->state, "new"))) /* NAT asks the first packet of a connection */
		return false;
	if (p->frame)
		return streq(c->family, "bridge");
	return streq(c->family, "ip") || streq(c->family, "inet") || streq(c->family, FILTER_LEGACY);
}

/* The base chain after `last` at this hook, by priority, then as they are listed. */
static const struct filter_chain *next_base(const struct filter *f, const struct packet *p, const char *hook,
					    const struct filter_chain *last)
{
	const struct filter_chain *next = NULL;
	for (size_t i = 0; i < f->n; i++) {
		const struct filter_chain *c = &f->chains[i];
		if (!sees(c, p, hook) || (last && (c->prio < last->prio || (c->prio == last->prio && c <= last))))
			continue;
		if (!next || c->prio < next->prio)
			next = c;
	}
	return next;
}

static unsigned walk_base(struct walk *w, const struct filter_chain *c)
{
	w->base = c;
	w->refusal = w->doubt = (struct filter_place){};
	unsigned ways = walk_chain(w, c, 0);
	if (!(ways & CONTINUES))
		return ways;
	bool drops = streq(c->policy, "drop");
	if (drops)
		w->refusal = place_of(w, c, 0);
	return (ways & ~(unsigned)CONTINUES) | (drops ? REFUSED : ACCEPTED);
}

enum filter_answer filter_ask(const struct filter *f, const struct packet *p, const char *const *hooks,
			      bool (*skip)(const void *data, const char *family, const char *table), const void *data,
			      struct filter_place *ret_place)
{
	struct walk w = { .filter = f, .packet = *p, .left = RULES_MAX };
	struct filter_place doubt = {};
	for (; *hooks; hooks++)
		for (const struct filter_chain *c = next_base(f, p, *hooks, NULL); c; c = next_base(f, p, *hooks, c)) {
			if (skip && skip(data, c->family, c->table))
				continue;
			unsigned ways = walk_base(&w, c);
			if (ways == REFUSED) {
				*ret_place = w.refusal;
				return FILTER_REFUSED;
			}
			if (ways != ACCEPTED && !doubt.chain)
				doubt = w.doubt.chain ? w.doubt : place_of(&w, c, 0);
			if (ways & REWRITTEN) { /* what follows is asked about another packet */
				*ret_place = doubt;
				return FILTER_DEPENDS;
			}
		}
	*ret_place = doubt;
	return doubt.chain ? FILTER_DEPENDS : FILTER_PASSES;
}
