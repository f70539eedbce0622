/* SPDX-License-Identifier: GPL-2.0-or-later */
/* agent: see agent.h. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include "launcher/base/clock.h"
#include "launcher/base/log.h"
#include "qmp/agent.h"
#include "qmp/line.h"
#include "qmp/message.h"

#define SENTINEL 0xff /* no UTF-8 has this byte: before it all is rubbish, on both sides */
#define READ_CHUNK (512 << 10)
#define WRITE_CHUNK (192 << 10) /* base64 of it is below what older agents take in a line */
#define LOOK_FIRST_MS 10 /* between two looks whether a program has ended: the agent has no other way to tell */
#define LOOK_LAST_MS 500

struct agent {
	struct line_io io;
	int64_t last_id;
	bool synced; /* nothing of an earlier command is on its way */
};

struct agent *agent_new(int fd)
{
	struct agent *a = mem_new(sizeof(*a));
	line_init(&a->io, fd, AGENT_LINE_MAX);
	a->last_id = clock_ms(); /* another client's answers may still come: they are not to be taken for ours */
	return a;
}

void agent_free(struct agent *a)
{
	if (!a)
		return;
	line_free(&a->io);
	free(a);
}

void agent_freep(struct agent **a)
{
	agent_free(*a);
}

void agent_output_free(struct agent_output *o)
{
	sb_free(&o->out);
	sb_free(&o->err);
}

/* Waits for input or output and handles it. */
static struct err *step(struct agent *a, int64_t deadline)
{
	if (a->io.eof)
		return err_errno(ENOTCONN, "closed");
	TRY(line_wait(&a->io, deadline));
	TRY(line_fill(&a->io));
	return line_flush(&a->io);
}

static struct err *next_message(struct agent *a, int64_t deadline, struct message *ret_message)
{
	char *line = NULL;
	size_t len = 0;
	for (;;) {
		TRY(line_take(&a->io, &line, &len));
		if (line && len)
			return message_parse(line, len, ret_message);
		if (!line)
			TRY(step(a, deadline));
	}
}

/*
 * The sentinel makes the agent drop half a command that it may have; the one it answers with ends what is left of its
 * answers.
 */
static struct err *sync_up(struct agent *a, int64_t deadline)
{
	int64_t id = ++a->last_id;
	cleanup_free char *line = message_command("guest-sync-delimited", json_pack("{s:I}", "id", (json_int_t)id), id);
	TRY(line_put(&a->io, (const char[]){ (char)SENTINEL }, 1));
	TRY(line_put(&a->io, line, strlen(line)));
	TRY(line_flush(&a->io));
	for (;;) {
		while (!line_drop_through(&a->io, SENTINEL))
			TRY(step(a, deadline));
		cleanup_message struct message m = {};
		TRY(next_message(a, deadline, &m));
		if (m.type == MESSAGE_RETURN && json_integer_value(m.value) == id)
			return NULL;
	}
}

static struct err *await(struct agent *a, const char *command, int64_t id, int64_t deadline, json_t **ret_value)
{
	for (;;) {
		cleanup_message struct message m = {};
		TRY(err_wrap(next_message(a, deadline, &m), "%s", command));
		if (m.id && m.id != id)
			continue;
		if (m.type == MESSAGE_ERROR)
			return message_error(command, m.value);
		if (m.type != MESSAGE_RETURN)
			return err_errno(EPROTO, "%s: neither an answer nor an error", command);
		if (ret_value)
			*ret_value = json_incref(m.value);
		return NULL;
	}
}

/* Takes over `args`. What fails here, the agent's own errors excepted, leaves the two ends out of step. */
static struct err *call(struct agent *a, const char *command, json_t *args, int64_t deadline, json_t **ret_value)
{
	struct err *e = a->synced ? NULL : err_wrap(sync_up(a, deadline), "guest agent");
	if (e) {
		json_decref(args);
		return e;
	}
	int64_t id = ++a->last_id;
	cleanup_free char *line = message_command(command, args, id);
	log_debug("guest agent: %.200s", line);
	a->synced = false;
	TRY(err_wrap(line_put(&a->io, line, strlen(line)), "%s", command));
	TRY(err_wrap(line_flush(&a->io), "%s", command));
	e = await(a, command, id, deadline, ret_value);
	a->synced = !e || !err_code(e); /* the agent's own errors have no errno */
	return e;
}

struct err *agent_call(struct agent *a, const char *command, json_t *args, int limit_ms, json_t **ret_value)
{
	return call(a, command, args, clock_ms() + limit_ms, ret_value);
}

struct err *agent_ping(struct agent *a, int limit_ms)
{
	return agent_call(a, "guest-ping", NULL, limit_ms, NULL);
}

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The bytes as base64 (RFC 4648). Owned by the caller. */
static char *encode(const unsigned char *bytes, size_t len)
{
	cleanup_sb struct sb sb = {};
	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		uint32_t bits = (uint32_t)bytes[i] << 16 | (n > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) | (n > 2 ? bytes[i + 2] : 0u);
		for (size_t k = 0; k < 4; k++)
			sb_addc(&sb, k > n ? '=' : digits[bits >> (18 - 6 * k) & 63]);
	}
	return sb_steal(&sb);
}

/* Appends what base64 `text` (RFC 4648, as GLib writes it) stands for; false where it is none. */
static bool decode(struct sb *sb, const char *text)
{
	size_t len = strlen(text), pad = len && text[len - 1] == '=' ? 1 + (len > 1 && text[len - 2] == '=') : 0;
	uint32_t bits = 0;
	if (len % 4)
		return false;
	for (size_t i = 0; i < len; i++) {
		const char *digit = i < len - pad ? strchr(digits, text[i]) : digits;
		if (!digit)
			return false;
		bits = bits << 6 | (uint32_t)(digit - digits);
		if (i % 4 == 3) {
			const char bytes[] = { (char)(bits >> 16), (char)(bits >> 8), (char)bits };
			sb_addn(sb, bytes, i + 1 == len ? 3 - pad : 3);
		}
	}
	return true;
}

/* The base64 text of a key; none where the key is not there. */
static struct err *take_bytes(struct sb *sb, const json_t *value, const char *key)
{
	const char *text = json_string_value(json_object_get(value, key));
	return !text || decode(sb, text) ? NULL : err_errno(EPROTO, "%s is not base64", key);
}

static struct err *take_output(const json_t *status, struct agent_output *o)
{
	const json_t *code = json_object_get(status, "exitcode");
	o->status = code ? (int)json_integer_value(code) : -1;
	o->signal = (int)json_integer_value(json_object_get(status, "signal"));
	o->truncated = json_is_true(json_object_get(status, "out-truncated")) || json_is_true(json_object_get(status, "err-truncated"));
	TRY(take_bytes(&o->out, status, "out-data"));
	return take_bytes(&o->err, status, "err-data");
}

/* Lets `ms` pass, or less if the other end speaks or goes. */
static struct err *pause_for(struct agent *a, int ms, int64_t deadline)
{
	int64_t until = clock_ms() + ms;
	struct err *e = step(a, until < deadline ? until : deadline);
	if (err_code(e) != ETIMEDOUT || clock_ms() >= deadline)
		return e;
	err_free(e);
	return NULL;
}

struct err *agent_exec(struct agent *a, const char *const argv[], int limit_ms, struct agent_output *ret_output)
{
	int64_t deadline = clock_ms() + limit_ms;
	json_t *args = json_array(), *value = NULL;
	for (size_t i = 1; argv[i]; i++)
		json_array_append_new(args, json_string(argv[i]));
	json_t *exec = json_pack("{s:s, s:o, s:b}", "path", argv[0], "arg", args, "capture-output", 1);
	TRY(call(a, "guest-exec", exec, deadline, &value));
	json_int_t pid = json_integer_value(json_object_get(value, "pid"));
	json_decref(value);
	for (int ms = LOOK_FIRST_MS;; ms = ms * 2 < LOOK_LAST_MS ? ms * 2 : LOOK_LAST_MS) {
		TRY(call(a, "guest-exec-status", json_pack("{s:I}", "pid", pid), deadline, &value));
		if (json_is_true(json_object_get(value, "exited")))
			break;
		json_decref(steal(value));
		TRY(err_wrap(pause_for(a, ms, deadline), "%s in the guest", argv[0]));
	}
	cleanup_agent_output struct agent_output o = {};
	struct err *e = take_output(value, &o);
	json_decref(value);
	if (e)
		return err_wrap(e, "guest-exec-status");
	*ret_output = o;
	o = (struct agent_output){};
	return NULL;
}

static struct err *read_handle(struct agent *a, json_int_t handle, size_t max, int64_t deadline, struct sb *bytes)
{
	for (;;) {
		json_t *value = NULL;
		json_t *args = json_pack("{s:I, s:i}", "handle", handle, "count", READ_CHUNK);
		size_t before = bytes->len;
		TRY(call(a, "guest-file-read", args, deadline, &value));
		struct err *e = take_bytes(bytes, value, "buf-b64");
		bool end = json_is_true(json_object_get(value, "eof"));
		json_decref(value);
		if (e || end)
			return e;
		if (bytes->len > max)
			return err_errno(EFBIG, "more than %zu bytes", max);
		if (bytes->len == before)
			return err_errno(EPROTO, "neither bytes nor the end");
	}
}

struct err *agent_read(struct agent *a, const char *path, size_t max, int limit_ms, struct sb *ret_bytes)
{
	int64_t deadline = clock_ms() + limit_ms;
	cleanup_sb struct sb bytes = {};
	json_t *value = NULL;
	json_t *args = json_pack("{s:s, s:s}", "path", path, "mode", "rb");
	TRY(err_wrap(call(a, "guest-file-open", args, deadline, &value), "%s", path));
	json_int_t handle = json_integer_value(value);
	json_decref(value);
	struct err *e = read_handle(a, handle, max, deadline, &bytes);
	if (!e && bytes.len > max)
		e = err_errno(EFBIG, "more than %zu bytes", max);
	/* what does not close is the agent's to lose */
	err_free(call(a, "guest-file-close", json_pack("{s:I}", "handle", handle), deadline, NULL));
	if (e)
		return err_wrap(e, "%s", path);
	*ret_bytes = bytes;
	bytes = (struct sb){};
	return NULL;
}

static struct err *write_handle(struct agent *a, json_int_t handle, const unsigned char *bytes, size_t len, int64_t deadline)
{
	for (size_t at = 0; at < len;) {
		json_t *value = NULL;
		size_t n = len - at < WRITE_CHUNK ? len - at : WRITE_CHUNK;
		cleanup_free char *text = encode(bytes + at, n);
		TRY(call(a, "guest-file-write", json_pack("{s:I, s:s}", "handle", handle, "buf-b64", text), deadline, &value));
		json_int_t written = json_integer_value(json_object_get(value, "count"));
		json_decref(value);
		if (written <= 0 || (size_t)written > n)
			return err_errno(EPROTO, "guest-file-write wrote %lld bytes of %zu", (long long)written, n);
		at += (size_t)written;
	}
	return NULL;
}

struct err *agent_write(struct agent *a, const char *path, const void *bytes, size_t len, int limit_ms)
{
	int64_t deadline = clock_ms() + limit_ms;
	json_t *value = NULL;
	TRY(err_wrap(call(a, "guest-file-open", json_pack("{s:s, s:s}", "path", path, "mode", "wb"), deadline, &value), "%s", path));
	json_int_t handle = json_integer_value(value);
	json_decref(value);
	struct err *e = write_handle(a, handle, bytes, len, deadline);
	/* what it kept in a buffer is in the file only once it is closed */
	struct err *closing = call(a, "guest-file-close", json_pack("{s:I}", "handle", handle), deadline, NULL);
	if (e)
		err_free(closing);
	return err_wrap(e ? e : closing, "%s", path);
}
