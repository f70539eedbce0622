/* SPDX-License-Identifier: GPL-2.0-or-later */
/* value: numbers, words, lists, and values that fill several fields. See value.h. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/config/setting.h"
#include "launcher/config/value.h"

struct err *value_wrong_word(const char *text, const struct conf_word *words, const char *more)
{
	cleanup_strv struct strv all = {};
	for (; words->word; words++)
		strv_add(&all, words->word);
	const char *near = str_nearest(text, (const char *const *)all.v);
	if (near)
		return err_new("\"%s\" is none of its values; did you mean \"%s\"?", text, near);
	cleanup_free char *list = strv_join(&all, ", ");
	return err_new("\"%s\" is none of its values: %s%s", text, list, more ? tr(more) : "");
}

const struct conf_word *value_find_word(const char *text, const struct conf_word *words)
{
	for (; words->word; words++)
		if (streq(text, words->word))
			return words;
	return NULL;
}

/* Numbers and words. */

static struct err *bool_set(const struct conf_key *key, void *base, const char *text, const char *dir)
{
	static const struct conf_word words[] = {
		{ "yes", 1 }, { "no", 0 }, { "on", 1 }, { "off", 0 }, { "true", 1 }, { "false", 0 }, {}
	};
	const struct conf_word *w = value_find_word(text, words);
	(void)dir;
	if (!w)
		return err_new("\"%s\" is neither yes nor no", text);
	*(bool *)value_field(key, base) = w->value;
	return NULL;
}

static void bool_clear(const struct conf_key *key, void *base)
{
	*(bool *)value_field(key, base) = false;
}

/* Decimal, or hexadecimal with 0x as monitors' manuals write it. */
static struct err *number_set(const struct conf_key *key, void *base, const char *text, const char *dir)
{
	uint64_t value = 0;
	(void)dir;
	if (str_starts(text, "0x") && text[2] && strlen(text) <= 10 && !text[2 + strspn(text + 2, "0123456789abcdefABCDEF")])
		value = strtoull(text, NULL, 16);
	else
		TRY(num_parse(text, UINT32_MAX, &value));
	if (value < key->min || (key->max && value > key->max))
		return err_new("%s is out of range: %llu to %llu", text, (unsigned long long)key->min, (unsigned long long)key->max);
	*(unsigned *)value_field(key, base) = (unsigned)value;
	return NULL;
}

static void number_clear(const struct conf_key *key, void *base)
{
	*(unsigned *)value_field(key, base) = 0;
}

static struct err *size_set(const struct conf_key *key, void *base, const char *text, const char *dir)
{
	uint64_t value;
	(void)dir;
	TRY(size_parse(text, &value));
	if (value < key->min || (key->max && value > key->max)) {
		cleanup_free char *min = size_format(key->min), *max = size_format(key->max);
		if (value < key->min && !text[strspn(text, "0123456789")]) /* they were not meant */
			return err_new("%s are bytes, and out of range: %s to %s; %sM is megabytes", text, min, max, text);
		return err_new("%s is out of range: %s to %s", text, min, max);
	}
	*(uint64_t *)value_field(key, base) = value;
	return NULL;
}

static void size_clear(const struct conf_key *key, void *base)
{
	*(uint64_t *)value_field(key, base) = 0;
}

static struct err *enum_set(const struct conf_key *key, void *base, const char *text, const char *dir)
{
	const struct conf_word *w = value_find_word(text, key->words);
	(void)dir;
	if (!w)
		return value_wrong_word(text, key->words, NULL);
	memcpy(value_field(key, base), &w->value, sizeof(w->value));
	return NULL;
}

static void enum_clear(const struct conf_key *key, void *base)
{
	memset(value_field(key, base), 0, sizeof(int));
}

/* Lists. */

bool conf_forward_parse(const char *text, struct conf_forward *ret_forward)
{
	cleanup_strv struct strv part = {};
	strv_split(&part, text, ":");
	struct conf_forward f = { .address = "127.0.0.1" };
	struct in_addr address;
	uint64_t port[2] = {};
	bool ok = (part.n == 3 || part.n == 4) && (streq(part.v[0], "tcp") || streq(part.v[0], "udp"));
	if (ok && part.n == 4)
		ok = inet_pton(AF_INET, part.v[1], &address) == 1 && inet_ntop(AF_INET, &address, f.address, sizeof(f.address));
	for (size_t i = 0; ok && i < 2; i++) {
		cleanup_err struct err *e = num_parse(part.v[part.n - 2 + i], 65535, &port[i]);
		ok = !e && port[i];
	}
	if (!ok)
		return false;
	f.protocol = streq(part.v[0], "tcp") ? "tcp" : "udp";
	f.host = (unsigned)port[0];
	f.guest = (unsigned)port[1];
	*ret_forward = f;
	return true;
}

static struct err *check_forward(const char *text)
{
	struct conf_forward f;
	return conf_forward_parse(text, &f) ? NULL
					    : err_new("\"%s\" is not a forward such as tcp:2222:22 (protocol, port of the host, "
						      "port of the guest) or tcp:0.0.0.0:2222:22 (with an address of the host)",
						      text);
}

static void list_clear(const struct conf_key *key, void *base)
{
	strv_free(value_field(key, base));
}

static struct err *check_address(const char *text)
{
	struct pci_addr addr;
	return pci_addr_parse(text, &addr);
}

static struct err *list_set(const struct conf_key *key, void *base, const char *text, const char *dir)
{
	cleanup_strv struct strv list = {};
	(void)dir;
	strv_split(&list, text, ", \t");
	for (size_t i = 0; key->type->check && i < list.n; i++)
		TRY(key->type->check(list.v[i]));
	list_clear(key, base);
	*(struct strv *)value_field(key, base) = list;
	list = (struct strv){};
	return NULL;
}

/* Words as a shell makes them, without expanding anything. Returns false where a quote is left open or a backslash ends
 * the text. */
static bool split_args(const char *s, struct strv *ret_args)
{
	for (s += strspn(s, " \t"); *s; s += strspn(s, " \t")) {
		cleanup_sb struct sb word = {};
		char quote = 0;
		for (; *s && (quote || (*s != ' ' && *s != '\t')); s++) {
			if (*s == '\\' && quote != '\'') {
				if (!*++s)
					return false;
				sb_addc(&word, *s);
			} else if (quote ? *s == quote : *s == '"' || *s == '\'') {
				quote = quote ? 0 : *s;
			} else {
				sb_addc(&word, *s);
			}
		}
		if (quote)
			return false;
		strv_add(ret_args, word.s ? word.s : "");
	}
	return true;
}

static struct err *args_set(const struct conf_key *key, void *base, const char *text, const char *dir)
{
	cleanup_strv struct strv list = {};
	(void)dir;
	if (!split_args(text, &list))
		return err_new("a quote is left open, or a backslash stands at the end");
	list_clear(key, base);
	*(struct strv *)value_field(key, base) = list;
	list = (struct strv){};
	return NULL;
}

/* Values that fill several fields. */

static struct err *address_set(const struct conf_key *key, void *base, const char *text, const char *dir)
{
	struct conf_pci *pci = base;
	(void)key, (void)dir;
	TRY(pci_addr_parse(text, &pci->address));
	pci->has_address = true;
	return NULL;
}

static void address_clear(const struct conf_key *key, void *base)
{
	struct conf_pci *pci = base;
	(void)key;
	pci->has_address = false;
	pci->address = (struct pci_addr){};
}

static void place_clear(const struct conf_key *key, void *base)
{
	struct config *c = base;
	(void)key;
	c->cpu.place = PLACE_AUTO;
	c->cpu.place_l3 = 0;
	c->cpu.place_cpus = (struct cpus){};
}

static struct err *place_set(const struct conf_key *key, void *base, const char *text, const char *dir)
{
	struct config *c = base;
	struct cpus cpus = {};
	uint64_t l3 = 0;
	enum place place = PLACE_AUTO;
	(void)dir;
	if (str_starts(text, "l3 ") || str_starts(text, "l3\t")) {
		place = PLACE_L3;
		TRY(err_wrap(num_parse(text + 3 + strspn(text + 3, " \t"), CPUS_MAX - 1, &l3), "l3"));
	} else if (!streq(text, "auto")) {
		place = PLACE_CPUS;
		cleanup_err struct err *e = cpus_parse(text, &cpus);
		if (e)
			return err_new("%s, nor auto, nor l3 and a number", err_text(e));
	}
	place_clear(key, base);
	c->cpu.place = place;
	c->cpu.place_l3 = (unsigned)l3;
	c->cpu.place_cpus = cpus;
	return NULL;
}

static void emulator_clear(const struct conf_key *key, void *base)
{
	struct config *c = base;
	(void)key;
	c->cpu.emulator_auto = false;
	c->cpu.emulator = (struct cpus){};
}

static struct err *emulator_set(const struct conf_key *key, void *base, const char *text, const char *dir)
{
	struct config *c = base;
	struct cpus cpus = {};
	bool automatic = streq(text, "auto");
	(void)key, (void)dir;
	if (!automatic) {
		cleanup_err struct err *e = cpus_parse(text, &cpus);
		if (e)
			return err_new("%s, nor auto", err_text(e));
	}
	c->cpu.emulator_auto = automatic;
	c->cpu.emulator = cpus;
	return NULL;
}

static void switch_clear(const struct conf_key *key, void *base)
{
	struct conf_monitor *m = base;
	(void)key;
	m->when = SWITCH_GUEST_READY;
	m->after_seconds = 0;
}

static struct err *switch_set(const struct conf_key *key, void *base, const char *text, const char *dir)
{
	static const struct conf_word words[] = {
		{ "guest-ready", SWITCH_GUEST_READY }, { "start", SWITCH_START }, {}
	};
	struct conf_monitor *m = base;
	const struct conf_word *w = value_find_word(text, words);
	(void)key, (void)dir;
	if (w) {
		m->when = (enum switch_when)w->value;
		m->after_seconds = 0;
		return NULL;
	}
	uint64_t seconds;
	size_t n = strlen(text);
	cleanup_free char *number = str_ndup(text, n ? n - 1 : 0);
	cleanup_err struct err *e = num_parse(number, 3600, &seconds);
	if (e || !str_ends(text, "s"))
		return value_wrong_word(text, words, ", or seconds such as 30s");
	m->when = SWITCH_AFTER;
	m->after_seconds = (unsigned)seconds;
	return NULL;
}

static struct err *halt_poll_set(const struct conf_key *key, void *base, const char *text, const char *dir)
{
	TRY(number_set(key, base, text, dir));
	((struct config *)base)->host.has_halt_poll = true;
	return NULL;
}

static void halt_poll_clear(const struct conf_key *key, void *base)
{
	number_clear(key, base);
	((struct config *)base)->host.has_halt_poll = false;
}

static struct err *check_sysctl(const char *text)
{
	return setting_parse(setting_sysctls, text, NULL, NULL);
}

static struct err *check_kvm(const char *text)
{
	return setting_parse(setting_kvm, text, NULL, NULL);
}

/* systemd.unit(5): what runs by itself and can end; not what systemd, the bus and this launch need themselves. */
static struct err *check_unit(const char *text)
{
	static const char *const kinds[] = { ".service", ".socket", ".timer", ".path" };
	static const char *const kept[] = { "systemd-", "dbus", "qlaunch", "user@", "init." };
	bool kind = false, own = false;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		kind |= str_ends(text, kinds[i]) && strlen(text) > strlen(kinds[i]);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		own |= str_starts(text, kept[i]);
	if (!kind || strlen(text) > 255 ||
	    strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:_.@\\-") != strlen(text))
		return err_new("\"%s\" is no unit that could be stopped; one is NAME.service, .socket, .timer or .path", text);
	return own ? err_new("%s is not stopped: the launch needs it", text) : NULL;
}

/* proc(5), oom_score_adj. */
static struct err *oom_score_set(const struct conf_key *key, void *base, const char *text, const char *dir)
{
	uint64_t value = 0;
	bool negative = *text == '-';
	(void)dir;
	TRY(num_parse(text + negative, 1000, &value));
	*(int *)value_field(key, base) = negative ? -(int)value : (int)value;
	return NULL;
}

static void oom_score_clear(const struct conf_key *key, void *base)
{
	*(int *)value_field(key, base) = 0;
}

/* As the kernel names modules (MODULE_NAME_LEN in include/linux/module.h), less those that the launch needs itself. */
static struct err *check_module(const char *text)
{
	static const char *const kept[] = { "vfio", "kvm", "irqbypass", "iommufd" };
	size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-");
	if (!n || text[n] || n > 55 || *text == '-')
		return err_new("\"%s\" is no module's name", text);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++)
		if (str_starts(text, kept[i]))
			return err_new("%s is not unloaded: the launch needs it", text);
	return NULL;
}

const struct conf_type TYPE_BOOL = { "yes | no", bool_set, bool_clear, NULL, false };
const struct conf_type TYPE_NUMBER = { "NUMBER", number_set, number_clear, NULL, false };
const struct conf_type TYPE_SIZE = { "SIZE", size_set, size_clear, NULL, false };
const struct conf_type TYPE_ENUM = { NULL, enum_set, enum_clear, NULL, false };
const struct conf_type TYPE_ADDRESS = { "ADDRESS", address_set, address_clear, NULL, false };
const struct conf_type TYPE_NAMES = { "NAME…", list_set, list_clear, NULL, true };
const struct conf_type TYPE_ADDRESSES = { "ADDRESS…", list_set, list_clear, check_address, true };
const struct conf_type TYPE_FORWARDS = { "PROTOCOL:[ADDRESS:]PORT:PORT…", list_set, list_clear, check_forward, true };
const struct conf_type TYPE_ARGS = { "ARGUMENT…", args_set, list_clear, NULL, true };
const struct conf_type TYPE_SYSCTLS = { "NAME=NUMBER…", list_set, list_clear, check_sysctl, true };
const struct conf_type TYPE_KVM_SETTINGS = { "NAME=NUMBER…", list_set, list_clear, check_kvm, true };
const struct conf_type TYPE_UNITS = { "UNIT…", list_set, list_clear, check_unit, true };
const struct conf_type TYPE_MODULES = { "MODULE…", list_set, list_clear, check_module, true };
const struct conf_type TYPE_OOM_SCORE = { "-1000 to 1000", oom_score_set, oom_score_clear, NULL, false };
const struct conf_type TYPE_PLACE = { "auto | l3 N | CPUS", place_set, place_clear, NULL, false };
const struct conf_type TYPE_EMULATOR = { "auto | CPUS", emulator_set, emulator_clear, NULL, false };
const struct conf_type TYPE_SWITCH = { "guest-ready | start | SECONDSs", switch_set, switch_clear, NULL, false };
const struct conf_type TYPE_HALT_POLL = { "NUMBER", halt_poll_set, halt_poll_clear, NULL, false };
