/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record: one line of a journal, "CRC32 JSON\n". Pure; the codec of journal.c, apart so that it can be fuzzed. */
#pragma once
#include <jansson.h>
#include "launcher/step/step.h"

/* Takes over `object`. The line with its newline, owned by the caller. */
char *record_line(json_t *object);
/* The object of a line without its newline, or NULL where the checksum or the JSON does not fit. */
json_t *record_parse(const char *line, size_t len);

/* A step as the journal keeps it, without its checksum. Owned by the caller. */
json_t *record_of_step(const struct step *s);
/* Appends the step of a record; false where it is none, or of a kind that `env` does not know. */
bool record_to_step(const struct step_env *env, json_t *object, struct steps *steps);
