/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qmp: a client of QEMU's monitor over a stream socket. One thread; nothing here waits longer than its limit says.
 *
 * Two ways to use it, which mix:
 * - blocking: qmp_call. What comes meanwhile (events, answers to qmp_send) is queued, never delivered from inside the
 *   call.
 * - in an event loop: watch qmp_fd for input (and output while qmp_wants_write), wake at qmp_deadline, call
 *   qmp_dispatch. It delivers what was queued, so it must also be called once after a qmp_call that left qmp_queued
 *   true: the descriptor does not say that again.
 *
 * The greeting is awaited and qmp_capabilities sent by itself; commands given before wait for it. A connection that
 * ended, said something that is no QMP, or more than it may, has failed: every open command gets the error, and so does
 * every later call. Command errors begin with the command: "device_add: GenericError: …".
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "launcher/base/err.h"
#include "launcher/base/str.h"

/* The longest line taken from QEMU. query-qmp-schema of QEMU 7.2 has 190 KiB. */
#define QMP_LINE_MAX ((size_t)1 << 20)
/* At most this much text of events and answers waits to be delivered. */
#define QMP_QUEUED_MAX ((size_t)8 << 20)

struct qmp;

struct qmp *qmp_new(int fd); /* takes over a connected stream socket */
/* Commands still open are dropped, their `done` is not called. Not from inside a callback. */
void qmp_free(struct qmp *q);
void qmp_freep(struct qmp **q);
#define cleanup_qmp cleanup(qmp_freep)

/*
 * Who is told of events, by qmp_dispatch alone: name ("SHUTDOWN") and its "data" (borrowed, NULL for none). It may use
 * qmp_call and qmp_send.
 */
void qmp_on_event(struct qmp *q, void (*fn)(void *data, const char *name, const json_t *event), void *data);

/* From now on blocking calls end with ECANCELED as soon as `fd` can be read; -1: no longer. It stays the caller's. */
void qmp_stop_on(struct qmp *q, int fd);
/* Waits for the greeting: QEMU runs. It takes commands from now on, and answers them once it has made its machine. Not needed before
 * qmp_call. */
struct err *qmp_greet(struct qmp *q, int limit_ms);
/* Waits until commands are answered. Not needed before qmp_call. */
struct err *qmp_handshake(struct qmp *q, int limit_ms);
/*
 * What QEMU said in its greeting: {"version": {"qemu": {"major", "minor", "micro"}, "package"}, "capabilities"}; NULL
 * before it. Borrowed.
 */
const json_t *qmp_greeting(const struct qmp *q);

/*
 * Runs a command. Takes over `args` (may be NULL). ret_value (may be NULL) is owned by the caller. ETIMEDOUT: QEMU may
 * still do it.
 */
struct err *qmp_call(struct qmp *q, const char *command, json_t *args, int limit_ms, json_t **ret_value);
/*
 * The same with a descriptor sent along (getfd, add-fd); `fd` stays the caller's. Nothing else may be unsent: it is
 * waited for.
 */
struct err *qmp_call_fd(struct qmp *q, const char *command, json_t *args, int fd, int limit_ms, json_t **ret_value);
/*
 * Sends a command and returns; qmp_dispatch later calls done (may be NULL) exactly once, with the value (borrowed) or
 * the error (done's to free). An error returned here means that it was not sent and done is not called. limit_ms 0: no
 * limit.
 */
struct err *qmp_send(struct qmp *q, const char *command, json_t *args, int limit_ms, void (*done)(void *data, json_t *value, struct err *e),
		     void *data);

/* For an event loop; the descriptor stays ours. */
int qmp_fd(const struct qmp *q);
bool qmp_wants_write(const struct qmp *q);
bool qmp_queued(const struct qmp *q); /* something waits for qmp_dispatch */
/* When the first command runs out of time: CLOCK_MONOTONIC in µs; UINT64_MAX for none. */
uint64_t qmp_deadline(const struct qmp *q);
/*
 * Sends, reads once, delivers. The error of a connection that failed, after all that came before it was delivered: do
 * not watch it further.
 */
struct err *qmp_dispatch(struct qmp *q);
bool qmp_closed(const struct qmp *q); /* it failed because QEMU closed it between two messages, as it does at its end */
