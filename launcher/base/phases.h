/* SPDX-License-Identifier: GPL-2.0-or-later */
/* phases: what the time from the program's beginning to a running guest went to. Kept in status.json, and said by --verbose. */
#pragma once
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define PHASES_MAX 16

struct phases {
	uint64_t begun_us; /* CLOCK_MONOTONIC: when the program began */
	struct phase {
		const char *name; /* static */
		uint64_t us;
	} v[PHASES_MAX];
	size_t n;
};

/* All that has gone by since the last phase ended, or the program began, is of this one. More than PHASES_MAX are not kept. */
void phase_end(struct phases *p, const char *name);
/* {"plan": 1.25, ...} in ms, in their order. */
json_t *phases_json(const struct phases *p);
/* "plan 1.2, journal 0.3": owned by the caller. */
char *phases_text(const struct phases *p);
