/* SPDX-License-Identifier: GPL-2.0-or-later */
/* num: see num.h. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include "launcher/base/num.h"
#include "launcher/base/str.h"

#define WORDS (CPUS_MAX / 64)

void cpus_add(struct cpus *set, int cpu)
{
	if (cpu >= 0 && cpu < CPUS_MAX)
		set->bits[cpu / 64] |= UINT64_C(1) << (cpu % 64);
}

void cpus_del(struct cpus *set, int cpu)
{
	if (cpu >= 0 && cpu < CPUS_MAX)
		set->bits[cpu / 64] &= ~(UINT64_C(1) << (cpu % 64));
}

bool cpus_has(const struct cpus *set, int cpu)
{
	return cpu >= 0 && cpu < CPUS_MAX && (set->bits[cpu / 64] >> (cpu % 64) & 1);
}

int cpus_count(const struct cpus *set)
{
	int n = 0;
	for (int i = 0; i < WORDS; i++)
		n += __builtin_popcountll(set->bits[i]);
	return n;
}

int cpus_next(const struct cpus *set, int after)
{
	int at = after + 1;
	if (at < 0 || at >= CPUS_MAX)
		return -1;
	uint64_t word = set->bits[at / 64] & (~UINT64_C(0) << (at % 64));
	for (int i = at / 64;;) {
		if (word)
			return i * 64 + __builtin_ctzll(word);
		if (++i == WORDS)
			return -1;
		word = set->bits[i];
	}
}

bool cpus_equal(const struct cpus *a, const struct cpus *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

bool cpus_empty(const struct cpus *set)
{
	return cpus_next(set, -1) < 0;
}

bool cpus_subset(const struct cpus *part, const struct cpus *whole)
{
	struct cpus rest = cpus_minus(part, whole);
	return cpus_empty(&rest);
}

struct cpus cpus_or(const struct cpus *a, const struct cpus *b)
{
	struct cpus out;
	for (int i = 0; i < WORDS; i++)
		out.bits[i] = a->bits[i] | b->bits[i];
	return out;
}

struct cpus cpus_and(const struct cpus *a, const struct cpus *b)
{
	struct cpus out;
	for (int i = 0; i < WORDS; i++)
		out.bits[i] = a->bits[i] & b->bits[i];
	return out;
}

struct cpus cpus_minus(const struct cpus *a, const struct cpus *b)
{
	struct cpus out;
	for (int i = 0; i < WORDS; i++)
		out.bits[i] = a->bits[i] & ~b->bits[i];
	return out;
}

/* Reads a decimal number at *p and moves on. */
static bool take_number(const char **p, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;
	const char *s = *p;
	if (!isdigit((unsigned char)*s))
		return false;
	for (; isdigit((unsigned char)*s); s++) {
		uint64_t digit = (uint64_t)(*s - '0');
		if (value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*p = s;
	*ret = value;
	return true;
}

struct err *cpus_parse(const char *text, struct cpus *ret_set)
{
	struct cpus set = {};
	for (const char *p = text; *p;) {
		uint64_t first, last;
		if (!take_number(&p, CPUS_MAX - 1, &first))
			return err_new("\"%s\" is not a CPU list such as 8-15,24-31", text);
		last = first;
		if (*p == '-' && (p++, !take_number(&p, CPUS_MAX - 1, &last)))
			return err_new("\"%s\" is not a CPU list such as 8-15,24-31", text);
		if (last < first)
			return err_new("\"%s\": the range %" PRIu64 "-%" PRIu64 " runs backwards", text, first, last);
		for (uint64_t cpu = first; cpu <= last; cpu++)
			cpus_add(&set, (int)cpu);
		if (*p == ',' && p[1])
			p++;
		else if (*p)
			return err_new("\"%s\" is not a CPU list such as 8-15,24-31", text);
	}
	*ret_set = set;
	return NULL;
}

struct err *cpus_parse_mask(const char *text, struct cpus *ret_set)
{
	struct cpus set = {};
	int bit = 0;
	for (const char *p = text + strlen(text); p > text; p--) {
		unsigned char c = (unsigned char)p[-1];
		if (c == ',')
			continue;
		if (!isxdigit(c) || bit + 4 > CPUS_MAX)
			return err_new("\"%.40s\" is not a CPU mask such as ff,00ff00ff", text);
		int nibble = isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;
		for (int i = 0; i < 4; i++)
			if (nibble >> i & 1)
				cpus_add(&set, bit + i);
		bit += 4;
	}
	*ret_set = set;
	return NULL;
}

char *cpus_format(const struct cpus *set)
{
	struct sb sb = {};
	for (int first = cpus_next(set, -1); first >= 0;) {
		int last = first;
		while (cpus_has(set, last + 1))
			last++;
		sb_addf(&sb, "%s%d", sb.len ? "," : "", first);
		if (last > first)
			sb_addf(&sb, "-%d", last);
		first = cpus_next(set, last);
	}
	return sb_steal(&sb);
}

char *cpus_format_mask(const struct cpus *set)
{
	struct sb sb = {};
	for (int i = WORDS * 2 - 1; i >= 0; i--) {
		uint32_t word = (uint32_t)(set->bits[i / 2] >> (i % 2 * 32));
		if (sb.len)
			sb_addf(&sb, ",%08" PRIx32, word);
		else if (word || i == 0)
			sb_addf(&sb, "%" PRIx32, word);
	}
	return sb_steal(&sb);
}

struct err *num_parse(const char *text, uint64_t max, uint64_t *ret_value)
{
	const char *p = text;
	uint64_t value;
	if (!take_number(&p, UINT64_MAX, &value) || *p)
		return err_new("\"%s\" is not a whole number", text);
	if (value > max)
		return err_new("%s is too large: at most %" PRIu64, text, max);
	*ret_value = value;
	return NULL;
}

struct err *size_parse(const char *text, uint64_t *ret_bytes)
{
	static const struct {
		const char *unit;
		int shift;
	} units[] = { { "", 0 }, { "B", 0 }, { "K", 10 }, { "M", 20 }, { "G", 30 }, { "T", 40 },
		      { "KB", 10 }, { "MB", 20 }, { "GB", 30 }, { "TB", 40 },
		      { "KiB", 10 }, { "MiB", 20 }, { "GiB", 30 }, { "TiB", 40 } };
	const uint64_t most = UINT64_C(1) << 60;
	const char *p = text;
	uint64_t value;
	if (!take_number(&p, most, &value))
		return err_new("\"%s\" is not a size such as 16G or 512M", text);
	p += strspn(p, " ");
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcasecmp(p, units[i].unit) != 0)
			continue;
		if (value == 0 || value > most >> units[i].shift)
			return err_new("%s is out of range: more than 0, at most 1048576T", text);
		*ret_bytes = value << units[i].shift;
		return NULL;
	}
	return err_new("\"%s\" is not a size such as 16G or 512M", text);
}

char *size_format(uint64_t bytes)
{
	static const char units[] = "\0KMGT";
	int unit = 0;
	while (unit < 4 && bytes && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	return unit ? str_fmt("%" PRIu64 "%c", bytes, units[unit]) : str_fmt("%" PRIu64, bytes);
}

char *size_rounded(uint64_t bytes)
{
	static const char units[] = "\0KMGTP";
	int unit = 0;
	double value = (double)bytes;
	for (; value >= 1024 && unit < 5; unit++)
		value /= 1024;
	/* a digit behind the point where it says something */
	bool whole = value >= 100 || value == (double)(uint64_t)value;
	return unit ? str_fmt("%.*f%c", whole ? 0 : 1, value, units[unit]) : str_fmt("%" PRIu64, bytes);
}

/* Reads 1 to `digits` hexadecimal digits at *p and moves on. */
static bool take_hex(const char **p, int digits, uint32_t *ret)
{
	uint32_t value = 0;
	int n = 0;
	for (; n < digits && isxdigit((unsigned char)**p); n++, (*p)++) {
		int c = tolower((unsigned char)**p);
		value = value << 4 | (uint32_t)(isdigit(c) ? c - '0' : c - 'a' + 10);
	}
	*ret = value;
	return n > 0;
}

struct err *pci_addr_parse(const char *text, struct pci_addr *ret_addr)
{
	uint32_t part[4] = {}; /* domain, bus, device, function */
	const char *colon = strchr(text, ':'), *p = text;
	bool domain = colon && strchr(colon + 1, ':');
	bool ok = (!domain || (take_hex(&p, 8, &part[0]) && *p++ == ':')) && take_hex(&p, 2, &part[1]) && *p++ == ':' &&
		  take_hex(&p, 2, &part[2]) && *p++ == '.' && take_hex(&p, 1, &part[3]) && !*p;
	if (!ok || part[2] > 0x1f || part[3] > 7)
		return err_new("\"%s\" is not a PCI address such as 01:00.0", text);
	*ret_addr = (struct pci_addr){ part[0], (uint8_t)part[1], (uint8_t)part[2], (uint8_t)part[3] };
	return NULL;
}

int pci_addr_compare(struct pci_addr a, struct pci_addr b)
{
	if (a.domain != b.domain)
		return a.domain < b.domain ? -1 : 1;
	return (a.bus << 16 | a.dev << 8 | a.fn) - (b.bus << 16 | b.dev << 8 | b.fn);
}

bool pci_addr_equal(struct pci_addr a, struct pci_addr b)
{
	return pci_addr_compare(a, b) == 0;
}

struct pci_addr_text pci_addr_text(struct pci_addr addr)
{
	struct pci_addr_text t;
	snprintf(t.s, sizeof(t.s), "%04" PRIx32 ":%02x:%02x.%x", addr.domain, addr.bus, addr.dev, addr.fn);
	return t;
}
