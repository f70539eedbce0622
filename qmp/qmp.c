/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qmp: see qmp.h.
 *
 * An item is a command or an event. A command waits in q->waiting until its answer, its limit or the end of the
 * connection answers it; then it, like an event, goes to the end of q->ready, from where only qmp_dispatch takes, so
 * that callbacks see the order in which QEMU spoke. The item of a qmp_call never enters q->ready: the call itself takes
 * it.
 */
#include <errno.h>
#include <stdlib.h>
#include "launcher/base/clock.h"
#include "launcher/base/log.h"
#include "qmp/line.h"
#include "qmp/message.h"
#include "qmp/qmp.h"

struct item {
	struct item *next;
	int64_t id; /* 0 for an event */
	char *name;
	int64_t deadline; /* clock_ms(); INT64_MAX for none */
	bool blocking, answered;
	void (*done)(void *data, json_t *value, struct err *e);
	void *data;
	json_t *value;
	struct err *error;
	size_t size; /* of its line */
};

struct qmp {
	struct line_io io;
	struct sb held; /* commands given before the greeting */
	bool greeted, negotiated, closed;
	json_t *greeting;
	int64_t last_id, handshake_id;
	struct item *waiting, *ready, **ready_end;
	size_t ready_size;
	struct err *failure;
	void (*on_event)(void *data, const char *name, const json_t *event);
	void *on_event_data;
};

struct qmp *qmp_new(int fd)
{
	struct qmp *q = mem_new(sizeof(*q));
	line_init(&q->io, fd, QMP_LINE_MAX);
	q->ready_end = &q->ready;
	return q;
}

static void item_free(struct item *item)
{
	free(item->name);
	json_decref(item->value);
	err_free(item->error);
	free(item);
}

static void items_free(struct item *list)
{
	while (list) {
		struct item *next = list->next;
		item_free(list);
		list = next;
	}
}

void qmp_free(struct qmp *q)
{
	if (!q)
		return;
	items_free(q->waiting);
	items_free(q->ready);
	line_free(&q->io);
	sb_free(&q->held);
	json_decref(q->greeting);
	err_free(q->failure);
	free(q);
}

void qmp_freep(struct qmp **q)
{
	qmp_free(*q);
}

void qmp_on_event(struct qmp *q, void (*fn)(void *data, const char *name, const json_t *event), void *data)
{
	q->on_event = fn;
	q->on_event_data = data;
}

const json_t *qmp_greeting(const struct qmp *q)
{
	return q->greeting;
}

int qmp_fd(const struct qmp *q)
{
	return q->io.fd;
}

bool qmp_wants_write(const struct qmp *q)
{
	return !q->failure && line_unsent(&q->io);
}

bool qmp_queued(const struct qmp *q)
{
	return q->ready;
}

bool qmp_closed(const struct qmp *q)
{
	return q->closed;
}

uint64_t qmp_deadline(const struct qmp *q)
{
	int64_t first = INT64_MAX;
	for (const struct item *i = q->waiting; i; i = i->next)
		if (i->deadline < first)
			first = i->deadline;
	return first == INT64_MAX ? UINT64_MAX : (uint64_t)first * 1000;
}

/* A copy of what broke the connection, for one more caller. */
static struct err *failure(const struct qmp *q)
{
	return q->failure ? err_new("%s", err_text(q->failure)) : NULL;
}

static struct err *enqueue(struct qmp *q, struct item *item)
{
	item->next = NULL;
	*q->ready_end = item;
	q->ready_end = &item->next;
	q->ready_size += item->size;
	return q->ready_size > QMP_QUEUED_MAX ? err_errno(ENOBUFS, "too many events at once") : NULL;
}

/* Unlinks the command from the waiting ones; NULL if it is not there. */
static struct item *take_waiting(struct qmp *q, int64_t id)
{
	for (struct item **p = &q->waiting; *p; p = &(*p)->next) {
		struct item *item = *p;
		if (item->id == id) {
			*p = item->next;
			return item;
		}
	}
	return NULL;
}

/* Answers a command that was taken from the waiting ones. */
static struct err *answer(struct qmp *q, struct item *item, json_t *value, struct err *error)
{
	item->answered = true;
	item->value = json_incref(value);
	item->error = error;
	return item->blocking ? NULL : enqueue(q, item);
}

static void fail(struct qmp *q, struct err *e)
{
	q->failure = err_wrap(e, "QMP");
	while (q->waiting) {
		struct item *item = take_waiting(q, q->waiting->id);
		err_free(answer(q, item, NULL, err_wrap(failure(q), "%s", item->name)));
	}
}

static struct item *new_item(struct qmp *q, const char *command, int limit_ms)
{
	struct item *item = mem_new(sizeof(*item)), **end = &q->waiting;
	item->id = ++q->last_id;
	item->name = str_dup(command);
	item->deadline = limit_ms > 0 ? clock_ms() + limit_ms : INT64_MAX;
	while (*end)
		end = &(*end)->next;
	*end = item;
	return item;
}

static struct err *take_greeting(struct qmp *q, const struct message *m)
{
	if (q->greeted)
		return err_errno(EPROTO, "a second greeting");
	q->greeted = true;
	q->greeting = json_incref(m->value);
	q->handshake_id = new_item(q, "qmp_capabilities", 0)->id;
	cleanup_free char *line = message_command("qmp_capabilities", NULL, q->handshake_id);
	TRY(line_put(&q->io, line, strlen(line)));
	TRY(line_put(&q->io, q->held.s, q->held.len));
	sb_free(&q->held);
	return NULL;
}

static struct err *take_event(struct qmp *q, const struct message *m, size_t len)
{
	struct item *item = mem_new(sizeof(*item));
	log_debug("QMP: event %s", m->name);
	item->name = str_dup(m->name);
	item->value = json_incref(m->value);
	item->size = len;
	return enqueue(q, item);
}

static struct err *take_reply(struct qmp *q, const struct message *m, size_t len)
{
	struct item *item = take_waiting(q, m->id);
	/* QEMU could not even read our line: nobody knows whose answer this is */
	if (!item && m->type == MESSAGE_ERROR && !m->id)
		return message_error("refused", m->value);
	if (!item) {
		log_debug("QMP: a reply to nothing that waits (id %lld)", (long long)m->id);
		return NULL;
	}
	item->size = len;
	if (item->id == q->handshake_id) {
		q->negotiated = true;
		item_free(item);
		return m->type == MESSAGE_ERROR ? message_error("qmp_capabilities", m->value) : NULL;
	}
	bool failed = m->type == MESSAGE_ERROR;
	return answer(q, item, failed ? NULL : m->value, failed ? message_error(item->name, m->value) : NULL);
}

static struct err *take_line(struct qmp *q, const char *line, size_t len)
{
	cleanup_message struct message m = {};
	TRY(message_parse(line, len, &m));
	if (m.type == MESSAGE_GREETING)
		return take_greeting(q, &m);
	if (!q->greeted)
		return err_errno(EPROTO, "no greeting, but \"%.60s\"", line);
	return m.type == MESSAGE_EVENT ? take_event(q, &m, len) : take_reply(q, &m, len);
}

/* Reads once, takes all whole lines, sends what waits. Never calls back. */
static void pump(struct qmp *q)
{
	if (q->failure)
		return;
	char *line = NULL;
	size_t len = 0;
	struct err *e = line_fill(&q->io);
	while (!e && !(e = line_take(&q->io, &line, &len)) && line)
		if (len)
			e = take_line(q, line, len);
	if (!e && q->io.eof) {
		q->closed = true;
		e = err_new("closed by QEMU");
	}
	if (!e)
		e = line_flush(&q->io);
	if (e)
		fail(q, e);
}

/* Gives up the commands whose limit has passed. */
static void expire(struct qmp *q)
{
	int64_t now = clock_ms();
	for (struct item *i = q->waiting, *next; i; i = next) {
		next = i->next;
		if (i->deadline > now)
			continue;
		take_waiting(q, i->id);
		struct err *e = answer(q, i, NULL, err_errno(ETIMEDOUT, "%s", i->name));
		if (e)
			return fail(q, e);
	}
}

static void deliver(struct qmp *q)
{
	while (q->ready) {
		struct item *item = q->ready;
		q->ready = item->next;
		if (!q->ready)
			q->ready_end = &q->ready;
		q->ready_size -= item->size;
		if (item->done)
			item->done(item->data, item->value, steal(item->error));
		else if (!item->id && q->on_event)
			q->on_event(q->on_event_data, item->name, item->value);
		item_free(item);
	}
}

struct err *qmp_dispatch(struct qmp *q)
{
	pump(q);
	expire(q);
	deliver(q);
	return failure(q);
}

static struct err *put(struct qmp *q, const char *line)
{
	if (q->greeted)
		return line_put(&q->io, line, strlen(line));
	sb_add(&q->held, line);
	return NULL;
}

/* Queues a command. The item is in q->waiting. */
static struct err *start(struct qmp *q, const char *command, json_t *args, int limit_ms, struct item **ret_item)
{
	if (q->failure) {
		json_decref(args);
		return err_wrap(failure(q), "%s", command);
	}
	struct item *item = new_item(q, command, limit_ms);
	cleanup_free char *line = message_command(command, args, item->id);
	log_debug("QMP: %.200s", line);
	struct err *e = put(q, line);
	if (e) {
		item_free(take_waiting(q, item->id));
		return err_wrap(e, "%s", command);
	}
	*ret_item = item;
	return NULL;
}

static void flush(struct qmp *q)
{
	struct err *e = line_flush(&q->io);
	if (e)
		fail(q, e);
}

struct err *qmp_send(struct qmp *q, const char *command, json_t *args, int limit_ms, void (*done)(void *data, json_t *value, struct err *e),
		     void *data)
{
	struct item *item;
	TRY(start(q, command, args, limit_ms, &item));
	item->done = done;
	item->data = data;
	flush(q);
	return NULL;
}

/* Waits for input or output and handles it; what fails the connection shows in q->failure. */
static struct err *step(struct qmp *q, int64_t deadline)
{
	TRY(line_wait(&q->io, deadline));
	pump(q);
	return NULL;
}

static struct err *wait_until(struct qmp *q, const bool *reached, int limit_ms)
{
	int64_t deadline = clock_ms() + limit_ms;
	while (!*reached && !q->failure) {
		struct err *e = step(q, deadline);
		if (e)
			return err_wrap(e, "QMP: %s", q->greeted ? "qmp_capabilities" : "greeting");
	}
	return failure(q);
}

void qmp_stop_on(struct qmp *q, int fd)
{
	q->io.stop_fd = fd;
}

struct err *qmp_greet(struct qmp *q, int limit_ms)
{
	return wait_until(q, &q->greeted, limit_ms);
}

struct err *qmp_handshake(struct qmp *q, int limit_ms)
{
	return wait_until(q, &q->negotiated, limit_ms);
}

/* Waits for the answer of `item` and frees it. */
static struct err *finish(struct qmp *q, struct item *item, int64_t deadline, json_t **ret_value)
{
	struct err *e = NULL;
	while (!item->answered && !e)
		e = step(q, deadline);
	if (e) {
		take_waiting(q, item->id);
		e = err_wrap(e, "%s", item->name);
	} else {
		e = steal(item->error);
	}
	if (!e && ret_value)
		*ret_value = json_incref(item->value);
	item_free(item);
	return e;
}

struct err *qmp_call(struct qmp *q, const char *command, json_t *args, int limit_ms, json_t **ret_value)
{
	struct item *item;
	int64_t deadline = clock_ms() + limit_ms;
	TRY(start(q, command, args, limit_ms, &item));
	item->blocking = true;
	flush(q);
	return finish(q, item, deadline, ret_value);
}

/* Waits until nothing is unsent, so that the descriptor goes with the command that it belongs to. */
static struct err *drain(struct qmp *q, int64_t deadline)
{
	while (!q->failure && (!q->negotiated || line_unsent(&q->io)))
		TRY(step(q, deadline));
	return failure(q);
}

/* Sends the one queued command together with `fd`. */
static struct err *flush_fd(struct qmp *q, int fd, int64_t deadline)
{
	for (;;) {
		struct err *e = line_flush_fd(&q->io, fd);
		int code = err_code(e);
		if (code != EAGAIN && code != EINTR)
			return e;
		err_free(e);
		TRY(line_wait(&q->io, deadline));
	}
}

struct err *qmp_call_fd(struct qmp *q, const char *command, json_t *args, int fd, int limit_ms, json_t **ret_value)
{
	struct item *item;
	int64_t deadline = clock_ms() + limit_ms;
	struct err *e = drain(q, deadline);
	if (e) {
		json_decref(args);
		return err_wrap(e, "%s", command);
	}
	TRY(start(q, command, args, limit_ms, &item));
	item->blocking = true;
	e = flush_fd(q, fd, deadline);
	if (e)
		fail(q, e);
	return finish(q, item, deadline, ret_value);
}
