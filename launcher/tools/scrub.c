/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scrub: see scrub.h. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include "launcher/base/num.h"
#include "launcher/tools/scrub.h"

#define LEAST 4         /* characters of a secret that is looked for in texts */
#define LEAST_DIGITS 9  /* of one that is a number: shorter ones are sizes and counts elsewhere */

static const char *const words[SCRUB_KINDS] = { [SCRUB_HOST] = "host",	 [SCRUB_USER] = "user", [SCRUB_SERIAL] = "serial",
						[SCRUB_DISK] = "disk",	 [SCRUB_PLACE] = "place", [SCRUB_MAC] = "mac",
						[SCRUB_UUID] = "uuid", [SCRUB_ADDRESS] = "address" };

void scrub_free(struct scrub *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].secret);
		free(s->v[i].stand_in);
	}
	free(s->v);
	*s = (struct scrub){};
}

bool scrub_says_nothing(const char *value)
{
	static const char *const empty[] = { "Default string", "Default_string", "None", "N/A", "Not Specified", "Not Available",
					     "Not Applicable", "System Serial Number", "Chassis Serial Number", "Base Board Serial Number",
					     "To be filled by O.E.M.", "To Be Filled By O.E.M.", "Unknown", "unknown", "INVALID",
					     "123456789", "1234567890", "0123456789", "01234567", "(null)", "localhost" };
	struct pci_addr addr;
	cleanup_err struct err *no_address = pci_addr_parse(value, &addr); /* the "serial" of a USB root hub */
	for (size_t i = 0; i < ARRAY_SIZE(empty); i++)
		if (streq(value, empty[i]))
			return true;
	return !no_address || !*value || value[strspn(value, (char[]){ *value, '-', ':', ' ', '\0' })] == '\0';
}

static const char *known(const struct scrub *s, const char *text, size_t len)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].len == len && strncmp(s->v[i].secret, text, len) == 0)
			return s->v[i].stand_in;
	return NULL;
}

/* Of the same form, so that what reads it reads on. */
static char *made_up(enum scrub_kind kind, const char *secret, size_t nth)
{
	switch (kind) {
	case SCRUB_MAC:
		return str_fmt("02:00:00:00:%02zx:%02zx", nth >> 8 & 0xff, nth & 0xff);
	case SCRUB_UUID:
		return strchr(secret, '-') && strlen(secret) == 36 ? str_fmt("00000000-0000-0000-0000-%012zx", nth)
								   : str_fmt("%0*zx", (int)strlen(secret), nth);
	case SCRUB_ADDRESS:
		return strchr(secret, ':') ? str_fmt("2001:db8::%zx", nth) : str_fmt("192.0.2.%zu", nth % 255);
	default:
		return str_fmt("%s%zu", words[kind], nth);
	}
}

static const char *add(struct scrub *s, enum scrub_kind kind, const char *secret, const char *stand_in)
{
	const char *already = known(s, secret, strlen(secret));
	if (already)
		return already;
	s->count[kind]++;
	s->v = mem_grow(s->v, s->n, sizeof(*s->v));
	struct scrub_pair *p = &s->v[s->n++];
	*p = (struct scrub_pair){ kind, str_dup(secret), stand_in ? str_dup(stand_in) : made_up(kind, secret, s->count[kind]),
				  strlen(secret) };
	s->sorted = false;
	return p->stand_in;
}

void scrub_tell(struct scrub *s, enum scrub_kind kind, const char *secret, const char *stand_in)
{
	size_t n = strlen(secret);
	if (scrub_says_nothing(secret) || n < (kind == SCRUB_USER || kind == SCRUB_HOST ? 2 : LEAST) ||
	    (secret[strspn(secret, "0123456789")] == '\0' && n < LEAST_DIGITS))
		return;
	add(s, kind, secret, stand_in);
	cleanup_free char *escaped = str_dup(secret); /* as udev writes it in the names of links */
	for (char *c = escaped; *c; c++)
		*c = isalnum((unsigned char)*c) || strchr("#+-.:=@_/", *c) ? *c : '_';
	if (!streq(escaped, secret))
		add(s, kind, escaped, known(s, secret, n));
}

/* Letters of several lengths in capitals and digits, as makers number things; no word, no model ("G502", "C920"). */
static bool is_serial(const char *text, size_t n)
{
	size_t digits = 0;
	for (size_t i = 0; i < n; i++) {
		if (!isdigit((unsigned char)text[i]) && !isupper((unsigned char)text[i]) && !strchr("abcdef", text[i]))
			return false;
		digits += isdigit((unsigned char)text[i]) != 0;
	}
	return n >= 8 && digits >= 3;
}

void scrub_tell_by_id(struct scrub *s, const char *name, bool disk)
{
	const char *part = strstr(name, "-part");
	if (disk) { /* "nvme-eui.0025385b01", "ata-Maker_Model_Serial-part1": the bus stays, and which partition */
		size_t bus = strcspn(name, "-"), end = part ? (size_t)(part - name) : strlen(name);
		for (const char *known_bus = "nvme-eui."; str_starts(name, known_bus) && bus < strlen(known_bus) - 1;)
			bus = strlen(known_bus) - 1;
		if (str_starts(name, "nvme-nvme."))
			bus = strlen("nvme-nvme.") - 1;
		if (bus >= end)
			return;
		cleanup_free char *stem = str_ndup(name, end), *stand_in = str_fmt("%.*s%cdisk%02zu", (int)bus, name, name[bus],
										     s->count[SCRUB_DISK] + 1);
		scrub_tell(s, SCRUB_DISK, stem, stand_in);
		return;
	}
	size_t stem = strcspn(name, "-"); /* "usb" */
	stem = name[stem] ? stem + 1 + strcspn(name + stem + 1, "-") : stem;
	size_t from = stem;
	while (from > 0 && name[from - 1] != '_')
		from--;
	cleanup_free char *last = str_ndup(name + from, stem - from);
	if (from && is_serial(last, stem - from))
		scrub_tell(s, SCRUB_SERIAL, last, NULL);
}

/* ---- texts ---- */

static int longer_first(const void *a, const void *b)
{
	const struct scrub_pair *x = a, *y = b;
	return x->len == y->len ? strcmp(x->secret, y->secret) : x->len < y->len ? 1 : -1;
}

static bool in_word(char c)
{
	return isalnum((unsigned char)c);
}

/* Names are words of people: "max" is not in "max_cstate", nor in "memory.max" where that is the kernel's. */
static bool in_name(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-';
}

static char *replace(const char *text, const struct scrub_pair *p)
{
	bool name = p->kind == SCRUB_USER || p->kind == SCRUB_HOST;
	bool (*inside)(char) = name ? in_name : in_word;
	cleanup_sb struct sb out = {};
	const char *from = text, *at = text;
	while ((at = strstr(at, p->secret))) {
		bool whole = (at == text || !inside(at[-1]) || !inside(*p->secret)) && (!inside(at[p->len]) || !inside(p->secret[p->len - 1]));
		if (!whole) {
			at++;
			continue;
		}
		sb_addn(&out, from, (size_t)(at - from));
		sb_add(&out, p->stand_in);
		from = at += p->len;
	}
	sb_add(&out, from);
	return sb_steal(&out);
}

static size_t hex_run(const char *text)
{
	return strspn(text, "0123456789abcdefABCDEF");
}

/* Groups of hexadecimal digits with `between` in between; 0, or how long it is. */
static size_t groups(const char *text, const unsigned char *sizes, size_t n, const char *between)
{
	size_t at = 0;
	for (size_t i = 0; i < n; i++) {
		if (hex_run(text + at) != sizes[i])
			return 0;
		at += sizes[i];
		if (i + 1 < n && (!text[at] || !strchr(between, text[at++])))
			return 0;
	}
	return isalnum((unsigned char)text[at]) || (text[at] == ':' && isxdigit((unsigned char)text[at + 1])) ? 0 : at;
}

static size_t address_at(const char *text, int *ret_family)
{
	size_t n = strspn(text, "0123456789abcdefABCDEF:."), parts = 0;
	unsigned char bytes[16];
	while (n && strchr(".:", text[n - 1]) && !(n > 1 && text[n - 1] == ':' && text[n - 2] == ':'))
		n--; /* the end of a sentence */
	if (!n || in_name(text[n]))
		return 0;
	cleanup_free char *word = str_ndup(text, n);
	for (size_t i = 0; i < n; i++)
		parts += word[i] == ':';
	*ret_family = parts >= 2 ? AF_INET6 : AF_INET;
	if (inet_pton(*ret_family, word, bytes) != 1)
		return 0;
	bool own = *ret_family == AF_INET ? bytes[0] == 0 || bytes[0] == 127 || bytes[0] == 255
					  : streq(word, "::") || streq(word, "::1");
	return own ? 0 : n;
}

/* Something of a known form at `text`: its length and kind, or 0. */
static size_t form_at(const char *text, enum scrub_kind *ret_kind)
{
	static const unsigned char mac[] = { 2, 2, 2, 2, 2, 2 }, uuid[] = { 8, 4, 4, 4, 12 }, bare[] = { 32 };
	static const char *const masks[] = { "255.", "ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00", "00000000000000000000000000000000",
					     "ffffffffffffffffffffffffffffffff" };
	int family;
	size_t n;
	for (size_t i = 0; i < ARRAY_SIZE(masks); i++)
		if (str_starts(text, masks[i]))
			return 0;
	*ret_kind = SCRUB_MAC;
	if ((n = groups(text, mac, ARRAY_SIZE(mac), ":-")))
		return n;
	*ret_kind = SCRUB_UUID;
	if ((n = groups(text, uuid, ARRAY_SIZE(uuid), "-")) || (n = groups(text, bare, ARRAY_SIZE(bare), "")))
		return n;
	*ret_kind = SCRUB_ADDRESS;
	return address_at(text, &family);
}

/* Of made_up(): a text that was scrubbed stays as it is. */
static bool is_stand_in(const char *text)
{
	static const char *const starts[] = { "02:00:00:00:", "00000000-0000-0000-0000-", "000000000000000000000000", "192.0.2.", "2001:db8::" };
	size_t i = 0;
	while (i < ARRAY_SIZE(starts) && !str_starts(text, starts[i]))
		i++;
	return i < ARRAY_SIZE(starts);
}

static char *replace_forms(struct scrub *s, const char *text)
{
	cleanup_sb struct sb out = {};
	const char *at = text;
	while (*at) {
		enum scrub_kind kind;
		bool begins = isxdigit((unsigned char)*at) || (at[0] == ':' && at[1] == ':');
		bool inside = at > text && (isalnum((unsigned char)at[-1]) || at[-1] == ':' || (at[-1] == '.' && isdigit((unsigned char)*at)));
		size_t n = begins && !inside ? form_at(at, &kind) : 0;
		if (n) {
			cleanup_free char *secret = str_ndup(at, n);
			const char *ours = is_stand_in(secret) ? secret : add(s, kind, secret, NULL);
			sb_add(&out, ours);
			at += n;
		} else {
			sb_addc(&out, *at++);
		}
	}
	return sb_steal(&out);
}

char *scrub_text(struct scrub *s, const char *text, enum scrub_where where)
{
	if (!s->sorted && s->n)
		qsort(s->v, s->n, sizeof(*s->v), longer_first);
	s->sorted = true;
	char *now = str_dup(text);
	for (size_t i = 0; i < s->n; i++) {
		const struct scrub_pair *p = &s->v[i];
		if ((where == SCRUB_KERNEL && (p->kind == SCRUB_USER || p->kind == SCRUB_HOST || p->kind == SCRUB_PLACE)) || !strstr(now, p->secret))
			continue;
		char *next = replace(now, p);
		free(now);
		now = next;
	}
	char *last = replace_forms(s, now);
	free(now);
	return last;
}
