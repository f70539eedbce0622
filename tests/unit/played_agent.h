/* SPDX-License-Identifier: GPL-2.0-or-later */
/* played_agent: what a played guest agent is made of. For the `serve` of peer.h: each ends the process where the client says what it must
 * not. */
#pragma once
#include <jansson.h>
#include <stdbool.h>

/* What the process ends with when the client has gone; 0 unless set. */
extern int played_end;

/* Reads a command, and whether the sentinel came before it. Owned by the caller. */
json_t *played_hear(int fd, bool *ret_sentinel);
const char *played_name(const json_t *command);
void played_answer(int fd, const json_t *command, const char *value);
/* Answers a guest-sync-delimited; the second waits for one. */
void played_answer_sync(int fd, const json_t *command);
void played_sync(int fd);
/* Waits for that command and answers it. */
void played_expect(int fd, const char *name, const char *value);

/* A whole conversation: each command in its order, and its answer as JSON, or an error's text after "!". Syncs are answered whenever they
 * come. */
struct played_line {
	const char *command, *answer; /* no command: the end */
	void (*first)(void);          /* before it is answered; may be NULL */
};
/* Until the client has gone; 0 only if it said all of it and no more. */
void played_talk(int fd, const struct played_line *lines);
