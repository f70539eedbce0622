/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a line of a journal; after a first byte that is odd, as the JSON of one, for no fuzzer finds a checksum. What is taken for a
 * step is written and read again: it must be the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include "launcher/plan/kinds.h"
#include "launcher/step/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same(const struct step *a, const struct step *b)
{
	return a->kind == b->kind && streq(a->target, b->target) && streq(a->want, b->want) && streq(a->prior, b->prior);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct step_env env = { .kinds = all_kinds };
	cleanup_steps struct steps steps = {};
	if (size < 1)
		return 0;
	const char *text = (const char *)data + 1;
	json_t *object = *data & 1 ? json_loadb(text, size - 1, 0, NULL) : record_parse(text, size - 1);
	bool taken = json_is_object(object) && record_to_step(&env, object, &steps);
	json_decref(object);
	if (!taken)
		return 0;
	cleanup_free char *line = record_line(record_of_step(&steps.v[0])), *what = steps.v[0].kind->describe(&steps.v[0]);
	json_t *again = record_parse(line, strlen(line) - 1);
	if (!what || !again || !record_to_step(&env, again, &steps) || !same(&steps.v[0], &steps.v[1]))
		abort();
	json_decref(again);
	return 0;
}
