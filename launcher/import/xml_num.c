/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xml_num: see xml_num.h. libvirt 9.0: src/util/virutil.c, virbitmap.c, virxml.c. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <strings.h>
#include "launcher/base/str.h"
#include "launcher/import/xml_num.h"

static bool number(const char *text, int base, unsigned long max, unsigned long *ret_value)
{
	char *end = NULL;
	const char *first = text + (text ? strspn(text, " \t\r\n") : 0);
	if (!text || !isdigit((unsigned char)*first))
		return false;
	errno = 0;
	unsigned long value = strtoul(first, &end, base);
	if (errno || *end || value > max)
		return false;
	*ret_value = value;
	return true;
}

bool xml_uint(const char *text, unsigned long max, unsigned long *ret_value)
{
	return number(text, 0, max, ret_value);
}

bool xml_decimal(const char *text, unsigned long max, unsigned long *ret_value)
{
	return number(text, 10, max, ret_value);
}

bool xml_scale(const char *text, const char *unit, uint64_t *ret_bytes)
{
	static const char powers[] = "kmgtpe";
	const char *power = *unit ? strchr(powers, tolower((unsigned char)*unit)) : NULL;
	bool bytes = !*unit || strcasecmp(unit, "b") == 0 || strcasecmp(unit, "byte") == 0 || strcasecmp(unit, "bytes") == 0;
	bool binary = !bytes && (!unit[1] || strcasecmp(unit + 1, "ib") == 0), decimal = !bytes && strcasecmp(unit + 1, "b") == 0;
	unsigned long value;
	uint64_t scale = 1;
	if (!bytes && (!power || !(binary || decimal)))
		return false;
	for (const char *p = powers; !bytes && p <= power && scale <= UINT64_C(1) << 50; p++)
		scale *= binary ? 1024 : 1000;
	if (!xml_decimal(text, ((UINT64_C(1) << 50) / scale), &value))
		return false;
	*ret_bytes = value * scale;
	return true;
}

bool xml_cpus(const char *text, struct cpus *ret_set)
{
	struct cpus set = {};
	const char *p = text;
	for (bool more = true; more; p++) {
		p += strspn(p, " \t\r\n");
		bool take = *p == '^';
		p += take;
		if (!isdigit((unsigned char)*p))
			return false;
		char *end;
		unsigned long first = strtoul(p, &end, 10), last = first;
		if (*end == '-') {
			if (!isdigit((unsigned char)end[1]))
				return false;
			last = strtoul(end + 1, &end, 10);
		}
		if (last < first || last >= CPUS_MAX)
			return false;
		for (unsigned long i = first; i <= last; i++)
			take ? cpus_del(&set, (int)i) : cpus_add(&set, (int)i);
		p = end + strspn(end, " \t\r\n");
		more = *p == ',';
		if (*p && !more)
			return false;
	}
	*ret_set = set;
	return true;
}
