/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * message: one line of QMP or of the guest agent, as text and as what it means (QEMU docs/interop/qmp-spec). Pure.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "launcher/base/err.h"
#include "launcher/base/str.h"

enum message_type { MESSAGE_GREETING, MESSAGE_EVENT, MESSAGE_RETURN, MESSAGE_ERROR };

struct message {
	json_t *root; /* owned: the rest points into it */
	enum message_type type;
	json_t *value;    /* what "QMP", "data", "return" or "error" holds; NULL for an event without data */
	const char *name; /* of an event */
	int64_t id;       /* of a return or an error; 0 where it has none of ours */
};

/* Takes a line apart; EPROTO with the beginning of the line where it is no message. */
struct err *message_parse(const char *line, size_t len, struct message *ret_message);
void message_free(struct message *m);
#define cleanup_message cleanup(message_free)

/* The line, with its end, of a command. Takes over `args`, which may be NULL. id > 0. */
char *message_command(const char *command, json_t *args, int64_t id);

/* What the "error" of a reply says: "COMMAND: CLASS: DESC". */
struct err *message_error(const char *command, const json_t *error);
