/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record: see record.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "launcher/step/record.h"

/* CRC-32 as in IEEE 802.3, polynomial 0xedb88320, one bit at a time: a journal is a few kilobytes. */
static uint32_t crc32(const char *s, size_t n)
{
	uint32_t crc = ~UINT32_C(0);
	for (size_t i = 0; i < n; i++) {
		crc ^= (unsigned char)s[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0xedb88320) : 0);
	}
	return ~crc;
}

char *record_line(json_t *object)
{
	cleanup_free char *text = json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(object);
	return str_fmt("%08" PRIx32 " %s\n", crc32(text, strlen(text)), text);
}

json_t *record_parse(const char *line, size_t len)
{
	char *end;
	if (len < 10 || line[8] != ' ')
		return NULL;
	cleanup_free char *head = str_ndup(line, 8);
	unsigned long said = strtoul(head, &end, 16);
	if (*end || said != crc32(line + 9, len - 9))
		return NULL;
	return json_loadb(line + 9, len - 9, 0, NULL);
}

/* JSON text must be UTF-8; a value of the host's that is not goes in as its printable form (json_string would give NULL). */
static json_t *text_value(const char *s)
{
	json_t *value = s ? json_string(s) : json_null();
	if (value || !s)
		return value;
	struct sb sb = {};
	for (; *s; s++)
		sb_addf(&sb, (unsigned char)*s < 0x80 ? "%c" : "\\x%02x", (unsigned char)*s);
	cleanup_free char *ascii = sb_steal(&sb);
	return json_string(ascii);
}

json_t *record_of_step(const struct step *s)
{
	return json_pack("{s:s, s:o, s:o, s:o}", "kind", s->kind->name, "target", text_value(s->target), "prior", text_value(s->prior),
			 "want", text_value(s->want));
}

bool record_to_step(const struct step_env *env, json_t *object, struct steps *steps)
{
	const char *kind, *target, *prior, *want;
	if (json_unpack(object, "{s:s, s:s, s:s, s:s}", "kind", &kind, "target", &target, "prior", &prior, "want", &want) < 0)
		return false;
	const struct step_kind *k = step_kind_find(env, kind);
	if (!k)
		return false;
	struct step *s = steps_add(steps, k, target, want, NULL);
	s->prior = str_dup(prior);
	s->state = STEP_DONE;
	return true;
}
