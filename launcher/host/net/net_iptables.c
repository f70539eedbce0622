/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net_iptables: see net_iptables.h. Options as iptables(8) and iptables-extensions(8) have them, in the order in which iptables-save prints. */
#include <ctype.h>
#include <stdlib.h>
#include "launcher/base/str.h"
#include "launcher/host/net/net_iptables.h"

/* Where the built-in chains of its tables are (nft(8), "Standard priority names"). */
static const struct {
	const char *table, *chain, *hook;
	int prio;
	const char *type;
} hooks[] = {
	{ "raw", "PREROUTING", "prerouting", -300, "filter" },   { "raw", "OUTPUT", "output", -300, "filter" },
	{ "mangle", "PREROUTING", "prerouting", -150, "filter" }, { "mangle", "INPUT", "input", -150, "filter" },
	{ "mangle", "FORWARD", "forward", -150, "filter" },       { "mangle", "OUTPUT", "output", -150, "route" },
	{ "mangle", "POSTROUTING", "postrouting", -150, "filter" }, { "nat", "PREROUTING", "prerouting", -100, "nat" },
	{ "nat", "INPUT", "input", 100, "nat" },                  { "nat", "OUTPUT", "output", -100, "nat" },
	{ "nat", "POSTROUTING", "postrouting", 100, "nat" },      { "filter", "INPUT", "input", 0, "filter" },
	{ "filter", "FORWARD", "forward", 0, "filter" },          { "filter", "OUTPUT", "output", 0, "filter" },
	{ "security", "INPUT", "input", 50, "filter" },           { "security", "FORWARD", "forward", 50, "filter" },
	{ "security", "OUTPUT", "output", 50, "filter" },
};

/* What a target is in nft's words: the end of a rule, or nothing that keeps the packet from the next one. Others are chains. */
static const struct {
	const char *target, *statement;
} targets[] = {
	{ "ACCEPT", "accept" },     { "DROP", "drop" },         { "REJECT", "reject" },   { "RETURN", "return" },
	{ "QUEUE", "queue" },       { "NFQUEUE", "queue" },     { "LOG", "log" },         { "NFLOG", "log" },
	{ "ULOG", "log" },          { "TRACE", "log" },         { "AUDIT", "log" },       { "TCPMSS", "log" },
	{ "CHECKSUM", "log" },      { "CLASSIFY", "log" },      { "TOS", "log" },         { "DSCP", "log" },
	{ "TTL", "log" },           { "SET", "log" },           { "CONNSECMARK", "log" }, { "SECMARK", "log" },
	{ "MARK", "mangle" },       { "CONNMARK", "mangle" },   { "NOTRACK", "notrack" }, { "CT", "notrack" },
	{ "MASQUERADE", "masquerade" }, { "SNAT", "snat" },     { "DNAT", "dnat" },       { "REDIRECT", "redirect" },
	{ "NETMAP", "dnat" },       { "TPROXY", "tproxy" },
};

struct reader {
	const char *family;
	json_t *ruleset;
	char *table;
	struct strv chains; /* of this table, in the order of its lines */
};

static void reader_free(struct reader *r)
{
	free(r->table);
	strv_free(&r->chains);
}

/* Words of a line; "…" is one, in which \ hides the next character. */
static void words_of(const char *line, struct strv *ret_words)
{
	while (*line) {
		struct sb sb = {};
		bool quoted = false;
		for (; *line && (quoted || !isspace((unsigned char)*line)); line++) {
			if (*line == '"')
				quoted = !quoted;
			else if (*line == '\\' && line[1])
				sb_addc(&sb, *++line);
			else
				sb_addc(&sb, *line);
		}
		cleanup_free char *word = sb_steal(&sb);
		if (*word)
			strv_add(ret_words, word);
		while (isspace((unsigned char)*line))
			line++;
	}
}

static void add_chain(struct reader *r, const char *name, const char *policy)
{
	json_t *chain = json_pack("{s:s,s:s,s:s}", "family", r->family, "table", r->table, "name", name);
	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
		if (streq(hooks[i].table, r->table) && streq(hooks[i].chain, name)) {
			json_object_set_new(chain, "type", json_string(hooks[i].type));
			json_object_set_new(chain, "hook", json_string(hooks[i].hook));
			json_object_set_new(chain, "prio", json_integer(hooks[i].prio));
			json_object_set_new(chain, "policy", json_string(streq(policy, "DROP") ? "drop" : "accept"));
		}
	strv_add(&r->chains, name);
	json_array_append_new(r->ruleset, json_pack("{s:o}", "chain", chain));
}

/* ---- matches ---- */

static json_t *number_of(const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 0);
	return *text && !*end ? json_integer((json_int_t)number) : json_string(text);
}

/* "80", "80:90", "a.b.c.d/24", "a.b.c.d/255.255.255.0", "eth+" */
static json_t *one_of(const char *text)
{
	const char *slash = strchr(text, '/'), *colon = strchr(text, ':');
	size_t len = strlen(text);
	if (slash) {
		cleanup_free char *addr = str_ndup(text, (size_t)(slash - text));
		return json_pack("{s:{s:s,s:o}}", "prefix", "addr", addr, "len", number_of(slash + 1));
	}
	if (colon) {
		cleanup_free char *first = str_ndup(text, (size_t)(colon - text));
		return json_pack("{s:[o,o]}", "range", number_of(*first ? first : "0"), number_of(colon[1] ? colon + 1 : "65535"));
	}
	if (len && text[len - 1] == '+') {
		cleanup_free char *wild = str_fmt("%.*s*", (int)len - 1, text);
		return json_string(wild);
	}
	return number_of(text);
}

/* A list with commas, in small letters where words of nft's are meant. */
static json_t *list_of(const char *text, bool small)
{
	cleanup_strv struct strv items = {};
	json_t *list = json_array();
	strv_split(&items, text, ",");
	for (size_t i = 0; i < items.n; i++) {
		for (char *p = items.v[i]; small && *p; p++)
			*p = (char)tolower((unsigned char)*p);
		json_array_append_new(list, one_of(items.v[i]));
	}
	return json_pack("{s:o}", "set", list);
}

/* Options with one argument, and what they compare it with in nft's words; `small`: its words are written in small letters there. */
static const struct {
	const char *option, *left;
	bool small;
} options[] = {
	{ "-i", "{\"meta\": {\"key\": \"iifname\"}}", false },
	{ "-o", "{\"meta\": {\"key\": \"oifname\"}}", false },
	{ "-s", "{\"payload\": {\"protocol\": \"ip\", \"field\": \"saddr\"}}", false },
	{ "-d", "{\"payload\": {\"protocol\": \"ip\", \"field\": \"daddr\"}}", false },
	{ "-p", "{\"meta\": {\"key\": \"l4proto\"}}", false },
	{ "--dport", "{\"payload\": {\"protocol\": \"th\", \"field\": \"dport\"}}", false },
	{ "--dports", "{\"payload\": {\"protocol\": \"th\", \"field\": \"dport\"}}", false },
	{ "--sport", "{\"payload\": {\"protocol\": \"th\", \"field\": \"sport\"}}", false },
	{ "--sports", "{\"payload\": {\"protocol\": \"th\", \"field\": \"sport\"}}", false },
	{ "--state", "{\"ct\": {\"key\": \"state\"}}", true },
	{ "--ctstate", "{\"ct\": {\"key\": \"state\"}}", true },
	{ "--ctdir", "{\"ct\": {\"key\": \"direction\"}}", true },
	{ "--dst-type", "{\"fib\": {\"result\": \"type\", \"flags\": [\"daddr\"]}}", true },
	{ "--src-type", "{\"fib\": {\"result\": \"type\", \"flags\": [\"saddr\"]}}", true },
	{ "--pkt-type", "{\"meta\": {\"key\": \"pkttype\"}}", true },
};

static void add_match(json_t *expr, bool not, json_t *left, json_t *right)
{
	json_array_append_new(expr, json_pack("{s:{s:s,s:o,s:o}}", "match", "op", not ? "!=" : "==", "left", left, "right", right));
}

/* A match of which it is not known what it asks. */
static void add_unknown(json_t *expr)
{
	json_array_append_new(expr, json_pack("{s:{s:s}}", "xt", "type", "match"));
}

/* "FIN,SYN,RST,ACK", "SYN" */
static void add_flags(json_t *expr, bool not, const char *mask, const char *set)
{
	json_t *flags = json_pack("{s:{s:s,s:s}}", "payload", "protocol", "tcp", "field", "flags");
	add_match(expr, not, json_pack("{s:[o,o]}", "&", flags, list_of(mask, true)), list_of(set, true));
}

/* "0x10/0xff" */
static void add_mark(json_t *expr, bool not, const char *value)
{
	cleanup_free char *mark = str_ndup(value, strcspn(value, "/"));
	json_t *mask = value[strlen(mark)] ? number_of(value + strlen(mark) + 1) : json_integer(UINT32_MAX);
	add_match(expr, not, json_pack("{s:[{s:{s:s}},o]}", "&", "meta", "key", "mark", mask), number_of(mark));
}

/* Whether an answer would leave by where the packet came in. */
static void add_rpfilter(json_t *expr, const struct strv *words)
{
	add_match(expr, false, json_pack("{s:{s:s,s:[s,s]}}", "fib", "result", "oif", "flags", "saddr", "iif"),
		  json_boolean(!strv_has(words, "--invert")));
}

/* What an option says by being there; its arguments may be "". */
static void add_option(json_t *expr, const struct strv *words, const char *option, const char *value, const char *second, bool not )
{
	static const char *const nothing[] = { "-m", "--comment", "--icmp-type", "--validmark", "--loose", "--accept-local", "--invert" };
	bool state = streq(option, "--ctstate") && strstr(value, "NAT"); /* of iptables' states, two are marks of nft's */
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (streq(option, options[i].option) && *value && !state) {
			add_match(expr, not, json_loads(options[i].left, 0, NULL), list_of(value, options[i].small));
			return;
		}
	if (streq(option, "-m") && streq(value, "rpfilter"))
		add_rpfilter(expr, words);
	else if (streq(option, "-m") && streq(value, "limit")) /* asks even where no option follows it */
		add_unknown(expr);
	else if (streq(option, "--ctstate") && (streq(value, "DNAT") || streq(value, "SNAT")))
		add_match(expr, not, json_pack("{s:{s:s}}", "ct", "key", "status"), list_of(value, true));
	else if (streq(option, "--tcp-flags"))
		add_flags(expr, not, value, second);
	else if (streq(option, "--syn"))
		add_flags(expr, not, "FIN,SYN,RST,ACK", "SYN");
	else if (streq(option, "--mark") && *value)
		add_mark(expr, not, value);
	else {
		for (size_t i = 0; i < ARRAY_SIZE(nothing); i++)
			if (streq(option, nothing[i]))
				return;
		add_unknown(expr);
	}
}

/* ---- rules ---- */

static void add_target(const struct reader *r, json_t *expr, const char *target, bool go)
{
	for (size_t i = 0; !go && i < ARRAY_SIZE(targets); i++)
		if (streq(targets[i].target, target)) {
			json_array_append_new(expr, json_pack("{s:n}", targets[i].statement));
			return;
		}
	if (strv_has(&r->chains, target))
		json_array_append_new(expr, json_pack("{s:{s:s}}", go ? "goto" : "jump", "target", target));
	else
		json_array_append_new(expr, json_pack("{s:{s:s,s:s}}", "xt", "type", "target", "name", target));
}

/* How many arguments an option has: up to the next one. */
static size_t arguments(const struct strv *words, size_t option)
{
	size_t end = option + 1;
	if (streq(words->v[option], "--comment")) /* whatever it begins with */
		return option + 1 < words->n;
	while (end < words->n && words->v[end][0] != '-' && !streq(words->v[end], "!"))
		end++;
	return end - option - 1;
}

/* Matches come first, then the target, whose own options do not matter. */
static void add_rule(struct reader *r, const struct strv *words)
{
	json_t *expr = json_array();
	bool not = false;
	for (size_t i = 2; i < words->n; i++) {
		const char *option = words->v[i];
		size_t n = arguments(words, i);
		if (streq(option, "!")) {
			not = true;
			continue;
		}
		if ((streq(option, "-j") || streq(option, "-g")) && n) {
			add_target(r, expr, words->v[i + 1], option[1] == 'g');
			break;
		}
		add_option(expr, words, option, n ? words->v[i + 1] : "", n > 1 ? words->v[i + 2] : "", not );
		i += n;
		not = false;
	}
	json_array_append_new(r->ruleset, json_pack("{s:{s:s,s:s,s:s,s:o}}", "rule", "family", r->family, "table", r->table, "chain",
						    words->v[1], "expr", expr));
}

struct err *iptables_read(const char *saved, const char *family, const char *only, json_t *ruleset)
{
	cleanup(reader_free) struct reader r = { .family = family, .ruleset = ruleset };
	cleanup_strv struct strv lines = {};
	strv_split(&lines, saved, "\n");
	for (size_t i = 0; i < lines.n; i++) {
		cleanup_strv struct strv words = {};
		const char *line = lines.v[i];
		if (!*line || *line == '#')
			continue;
		words_of(line, &words);
		if (!words.n)
			continue;
		bool table = *line == '*', chain = *line == ':' && words.n >= 2, rule = streq(words.v[0], "-A") && words.n >= 2;
		if (!table && (!r.table || !(chain || rule || streq(words.v[0], "COMMIT"))))
			return err_new("\"%s\" is no line of iptables-save", line);
		if (table) {
			str_set(&r.table, line + 1);
			strv_free(&r.chains);
		}
		if (only && !streq(only, r.table))
			continue;
		if (chain)
			add_chain(&r, words.v[0] + 1, words.v[1]);
		if (rule)
			add_rule(&r, &words);
	}
	return NULL;
}

/* ---- in nft's list ---- */

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "";
}

const char *iptables_hidden(const json_t *ruleset, const struct strv *known)
{
	size_t i, k;
	json_t *entry, *statement;
	json_array_foreach (ruleset, i, entry) {
		const json_t *rule = json_object_get(entry, "rule");
		if (!streq(text_of(rule, "family"), "ip") || strv_has(known, text_of(rule, "table")))
			continue;
		json_array_foreach (json_object_get(rule, "expr"), k, statement)
			if (json_object_get(statement, "xt"))
				return text_of(rule, "table");
	}
	return NULL;
}

struct err *iptables_replace(json_t *ruleset, const char *table, const char *saved)
{
	json_t *again = json_array();
	struct err *e = iptables_read(saved, "ip", table, again);
	for (size_t i = !e && json_array_size(again) ? json_array_size(ruleset) : 0; i-- > 0;) {
		const json_t *entry = json_array_get(ruleset, i), *rule = json_object_get(entry, "rule"),
			     *is = rule ? rule : json_object_get(entry, "chain");
		if (streq(text_of(is, "family"), "ip") && streq(text_of(is, "table"), table))
			json_array_remove(ruleset, i);
	}
	if (!e)
		json_array_extend(ruleset, again);
	json_decref(again);
	return e;
}
