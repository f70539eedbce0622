/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * agent: a client of the guest agent (QEMU docs/interop/qemu-ga-ref) over a stream socket. Blocking, each call with a
 * limit of its own.
 *
 * There may be nobody at the other end: a guest that has not started its agent, or has none, takes what is sent and is
 * silent. So each conversation begins with guest-sync-delimited, and begins anew after a call that failed: answers to
 * what was given up are dropped. The agent belongs to the guest: what it says is bounded, and may be anything. Print it
 * through str_printable only.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include "launcher/base/err.h"
#include "launcher/base/str.h"

/* The longest line taken from the agent: 3 MiB of a program's output, or of a file, at a time (base64, twice). */
#define AGENT_LINE_MAX ((size_t)8 << 20)

struct agent;

struct agent *agent_new(int fd); /* takes over a connected stream socket */
void agent_free(struct agent *a);
void agent_freep(struct agent **a);
#define cleanup_agent cleanup(agent_freep)

/* Whether the agent is there and answers. ETIMEDOUT: nobody does. */
struct err *agent_ping(struct agent *a, int limit_ms);
/*
 * Any command. Takes over `args` (may be NULL); ret_value (may be NULL) is owned by the caller. Errors begin with the
 * command.
 */
struct err *agent_call(struct agent *a, const char *command, json_t *args, int limit_ms, json_t **ret_value);

/* What a program in the guest did. `out` and `err` are followed by a NUL that is not counted. */
struct agent_output {
	int status; /* its exit status, or -1 if a signal (Windows: an exception) ended it */
	int signal; /* that signal, or 0 */
	struct sb out, err;
	bool truncated; /* the agent kept only a part: it keeps 16 MiB of each */
};
void agent_output_free(struct agent_output *o);
#define cleanup_agent_output cleanup(agent_output_free)
/*
 * Runs a program in the guest, without a shell, and waits for its end; after the limit it runs on. argv[0] is a path,
 * or is looked up there.
 */
struct err *agent_exec(struct agent *a, const char *const argv[], int limit_ms, struct agent_output *ret_output);
/* Reads a file of the guest, of at most `max` bytes (else EFBIG). */
struct err *agent_read(struct agent *a, const char *path, size_t max, int limit_ms, struct sb *ret_bytes);
/* Writes a file of the guest, new or in the place of what it held. */
struct err *agent_write(struct agent *a, const char *path, const void *bytes, size_t len, int limit_ms);
