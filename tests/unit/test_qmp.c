/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The QMP client against a server that misbehaves in every way we know (forked on a socket pair), and against the real
 * QEMU. Limits are generous: a case that hangs is ended by alarm(), none passes or fails by the time that it took.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "launcher/base/clock.h"
#include "launcher/base/str.h"
#include "qmp/line.h"
#include "qmp/qmp.h"
#include "tests/unit/peer.h"

#define LIMIT 20000 /* ms: never reached where an answer comes */
#define SHORT 50    /* ms: always reached, where none comes */
#define GREETING "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, \"package\": \"\"}, \"capabilities\": []}}\r\n"

/* ---- the server ---- */

/* Reads one command and returns its id: the server believes what the client's "id" says. */
static int hear(int fd)
{
	cleanup_sb struct sb sb = {};
	char c;
	while (read(fd, &c, 1) == 1 && c != '\n')
		sb_addc(&sb, c);
	char *id = sb.s ? strstr(sb.s, "\"id\":") : NULL;
	return id ? atoi(id + 5) : 0;
}

static void reply(int fd, int id, const char *value)
{
	cleanup_free char *line = str_fmt("{\"return\": %s, \"id\": %d}\r\n", value, id);
	peer_say(fd, line);
}

static void shake(int fd)
{
	peer_say(fd, GREETING);
	reply(fd, hear(fd), "{}");
}

/* A reply whose line is `len` bytes without its end. */
static void long_reply(int fd, size_t len)
{
	shake(fd);
	cleanup_free char *head = str_fmt("{\"id\": %d, \"return\": {\"pad\": \"", hear(fd));
	cleanup_sb struct sb sb = {};
	sb_add(&sb, head);
	while (sb.len < len - 3)
		sb_addc(&sb, 'x');
	sb_add(&sb, "\"}}\r\n");
	peer_say_n(fd, sb.s, sb.len);
}

static void drip(int fd, const char *s)
{
	for (; *s; s++)
		peer_say_n(fd, s, 1);
}

static void srv_64_bits(int fd)
{
	shake(fd);
	reply(fd, hear(fd), "{\"status\": \"prelaunch\", \"default-value\": 18446744073709551615}");
}

static void srv_good(int fd)
{
	shake(fd);
	reply(fd, hear(fd), "{\"status\": \"prelaunch\"}");
}
static void srv_dies_at_once(int fd)
{
	(void)fd;
}
static void srv_dies_after_greeting(int fd)
{
	peer_say(fd, GREETING);
}
static void srv_dies_after_handshake(int fd)
{
	shake(fd);
}
static void srv_dies_when_asked(int fd)
{
	shake(fd);
	hear(fd);
}
static void srv_drips(int fd)
{
	drip(fd, GREETING);
	cleanup_free char *caps = str_fmt("{\"return\": {}, \"id\": %d}\r\n", hear(fd));
	drip(fd, caps);
	cleanup_free char *line = str_fmt("{\"return\": {\"status\": \"prelaunch\"}, \"id\": %d}\n", hear(fd));
	drip(fd, line);
}
static void srv_events_between(int fd)
{
	shake(fd);
	int id = hear(fd);
	peer_say(fd, "{\"timestamp\": {}, \"event\": \"RESUME\"}\r\n{\"event\": \"STOP\", \"data\": {\"n\": 1}}\r\n");
	reply(fd, id, "{\"status\": \"prelaunch\"}");
	peer_say(fd, "{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true, \"reason\": \"guest-shutdown\"}}\r\n");
}
static void srv_wrong_id(int fd)
{
	shake(fd);
	int id = hear(fd);
	reply(fd, id + 1000, "{\"status\": \"wrong\"}");
	peer_say(fd, "{\"return\": {\"status\": \"none\"}}\r\n");
	peer_say(fd, "{\"return\": {\"status\": \"text\"}, \"id\": \"x\"}\r\n");
	reply(fd, id, "{\"status\": \"prelaunch\"}");
}
static void srv_error_reply(int fd)
{
	shake(fd);
	cleanup_free char *line =
		str_fmt("{\"id\": %d, \"error\": {\"class\": \"DeviceNotFound\", \"desc\": \"Device 'x' not found\"}}\r\n", hear(fd));
	peer_say(fd, line);
	hear(fd);
}
static void srv_error_without_id(int fd)
{
	shake(fd);
	hear(fd);
	peer_say(fd, "{\"error\": {\"class\": \"GenericError\", \"desc\": \"JSON parse error\"}}\r\n");
	hear(fd);
}
static void srv_garbage(int fd)
{
	shake(fd);
	hear(fd);
	peer_say(fd, "\x7f\x45LF\x02 not json\n");
	hear(fd);
}
static void srv_other_json(int fd)
{
	shake(fd);
	hear(fd);
	peer_say(fd, "[1, 2, 3]\n");
	hear(fd);
}
static void srv_deep_json(int fd)
{
	shake(fd);
	hear(fd);
	for (int i = 0; i < 100000; i++)
		peer_say(fd, "[");
	peer_say(fd, "\n");
	hear(fd);
}
static void srv_no_greeting(int fd)
{
	peer_say(fd, "{\"return\": {}}\r\n");
	hear(fd);
}
static void srv_two_greetings(int fd)
{
	peer_say(fd, GREETING GREETING);
	hear(fd);
	hear(fd);
	hear(fd);
}
static void srv_refuses_capabilities(int fd)
{
	peer_say(fd, GREETING);
	cleanup_free char *line = str_fmt("{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"no\"}, \"id\": %d}\n", hear(fd));
	peer_say(fd, line);
	hear(fd);
	hear(fd);
}
static void srv_half_line(int fd)
{
	shake(fd);
	hear(fd);
	peer_say(fd, "{\"return\": {\"status\": \"prel");
}
static void srv_1mib(int fd)
{
	long_reply(fd, QMP_LINE_MAX);
	hear(fd);
}
static void srv_1mib_and_1(int fd)
{
	long_reply(fd, QMP_LINE_MAX + 1);
	hear(fd);
}
static void srv_endless_line(int fd)
{
	shake(fd);
	for (;;)
		peer_say(fd, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
}
static void srv_event_flood(int fd)
{
	shake(fd);
	for (;;)
		peer_say(fd, "{\"event\": \"RTC_CHANGE\", \"data\": {\"offset\": 1, \"pad\": \"xxxxxxxxxxxxxxxxxxxxxxxx\"}}\n");
}
static void srv_silent(int fd)
{
	while (hear(fd) || recv(fd, &(char){ 0 }, 1, MSG_PEEK) == 1)
		;
}
static void srv_silent_later(int fd)
{
	shake(fd);
	srv_silent(fd);
}

/* ---- one call against each server ---- */

static const struct call_case {
	const char *name;
	void (*serve)(int fd);
	int limit_ms;
	const char *error; /* a part of it; NULL: the call succeeds */
	bool usable;       /* after an error, the connection still is */
} cases[] = {
	{ "good", srv_good, LIMIT, NULL },
	{ "64 bits without a sign", srv_64_bits, LIMIT, NULL },
	{ "drips", srv_drips, LIMIT, NULL },
	{ "events between", srv_events_between, LIMIT, NULL },
	{ "wrong id", srv_wrong_id, LIMIT, NULL },
	{ "1 MiB", srv_1mib, LIMIT, NULL },
	{ "1 MiB + 1", srv_1mib_and_1, LIMIT, "a line of more than 1048576 bytes" },
	{ "endless line", srv_endless_line, LIMIT, "a line of more than 1048576 bytes" },
	{ "dies at once", srv_dies_at_once, LIMIT, "query-status: QMP: closed by QEMU" },
	{ "dies after greeting", srv_dies_after_greeting, LIMIT, "closed by QEMU" },
	{ "dies after handshake", srv_dies_after_handshake, LIMIT, "closed by QEMU" },
	{ "dies when asked", srv_dies_when_asked, LIMIT, "closed by QEMU" },
	{ "half a line", srv_half_line, LIMIT, "closed in the middle of a line" },
	{ "garbage", srv_garbage, LIMIT, "not a message: \"\x7f" "ELF" },
	{ "other JSON", srv_other_json, LIMIT, "not a message: \"[1, 2, 3]" },
	{ "deep JSON", srv_deep_json, LIMIT, "not a message: \"[[[[" },
	{ "no greeting", srv_no_greeting, LIMIT, "no greeting, but" },
	{ "two greetings", srv_two_greetings, LIMIT, "a second greeting" },
	{ "refuses capabilities", srv_refuses_capabilities, LIMIT, "qmp_capabilities: CommandNotFound: no" },
	{ "error reply", srv_error_reply, LIMIT, "query-status: DeviceNotFound: Device 'x' not found", true },
	{ "error without id", srv_error_without_id, LIMIT, "refused: GenericError: JSON parse error" },
	{ "event flood", srv_event_flood, LIMIT, "too many events" },
	{ "never greets", srv_silent, SHORT, "query-status: no answer", true },
	{ "never answers", srv_silent_later, SHORT, "query-status: no answer", true },
};

static void test_calls(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct call_case *c = &cases[i];
		pid_t pid;
		cleanup_qmp struct qmp *q = qmp_new(peer_fork(c->serve, &pid));
		json_t *value = NULL;
		cleanup_err struct err *e = qmp_call(q, "query-status", NULL, c->limit_ms, &value);
		if (!!e != !!c->error || (e && !strstr(err_text(e), c->error)))
			fail_msg("%s: got \"%s\"", c->name, err_text(e));
		if (e) {
			assert_null(value);
			cleanup_err struct err *again = qmp_dispatch(q);
			if (!again != c->usable)
				fail_msg("%s: afterwards \"%s\"", c->name, err_text(again));
		} else {
			const char *status = json_string_value(json_object_get(value, "status"));
			assert_true(json_object_get(value, "pad") || streq(status, "prelaunch"));
		}
		json_decref(value);
		peer_end(pid);
	}
}

/* ---- the event loop's way ---- */

struct seen {
	struct strv order; /* of what was delivered */
	struct qmp *q;
	bool nest; /* call from inside the first event */
};

static void on_event(void *data, const char *name, const json_t *event)
{
	struct seen *seen = data;
	strv_addf(&seen->order, "%s%s", name, event ? "+" : "");
	if (!seen->nest)
		return;
	seen->nest = false;
	cleanup_err struct err *e = qmp_call(seen->q, "inner", NULL, LIMIT, NULL);
	strv_addf(&seen->order, "inner:%s", err_text(e));
}

static void on_done(void *data, json_t *value, struct err *e)
{
	struct seen *seen = data;
	strv_addf(&seen->order, "%s", e ? err_text(e) : json_string_value(value));
	err_free(e);
}

/* Dispatches as an event loop does until the connection has failed or `n` things were delivered. */
static struct err *loop(struct qmp *q, struct seen *seen, size_t n)
{
	struct err *e = NULL;
	while (!e && seen->order.n < n) {
		uint64_t first = qmp_deadline(q);
		int64_t most = clock_ms() + LIMIT, at = first == UINT64_MAX ? most : (int64_t)(first / 1000);
		struct line_io io = { .fd = qmp_fd(q), .stop_fd = -1, .out.len = qmp_wants_write(q) };
		cleanup_err struct err *waited = qmp_queued(q) ? NULL : line_wait(&io, at < most ? at : most);
		assert_true(!waited || at < most);
		e = qmp_dispatch(q);
	}
	return e;
}

static void assert_order(struct seen *seen, const char *want)
{
	cleanup_free char *got = strv_join(&seen->order, " ");
	assert_string_equal(got, want);
	strv_free(&seen->order);
}

static void srv_out_of_order(int fd)
{
	shake(fd);
	int a = hear(fd), b = hear(fd), c = hear(fd);
	reply(fd, c, "\"c\"");
	peer_say(fd, "{\"event\": \"STOP\"}\n");
	reply(fd, a, "\"a\"");
	reply(fd, b, "\"b\"");
	hear(fd);
}

static void test_out_of_order(void **state)
{
	(void)state;
	pid_t pid;
	struct seen seen = {};
	cleanup_qmp struct qmp *q = qmp_new(peer_fork(srv_out_of_order, &pid));
	qmp_on_event(q, on_event, &seen);
	for (const char *const *p = (const char *const[]){ "a", "b", "c", NULL }; *p; p++)
		assert_null(qmp_send(q, *p, NULL, LIMIT, on_done, &seen));
	assert_null(loop(q, &seen, 4));
	assert_order(&seen, "c STOP a b");
	peer_end(pid);
}

static void test_events_wait_for_dispatch(void **state)
{
	(void)state;
	pid_t pid;
	struct seen seen = {};
	cleanup_qmp struct qmp *q = qmp_new(peer_fork(srv_events_between, &pid));
	qmp_on_event(q, on_event, &seen);
	assert_null(qmp_call(q, "query-status", NULL, LIMIT, NULL));
	assert_int_equal(seen.order.n, 0);
	assert_true(qmp_queued(q));
	/* the last event comes with the end of the connection and is not lost by it */
	cleanup_err struct err *e = loop(q, &seen, 4);
	assert_string_equal(err_text(e), "QMP: closed by QEMU");
	assert_true(qmp_closed(q));
	assert_false(qmp_queued(q));
	assert_order(&seen, "RESUME STOP+ SHUTDOWN+");
	peer_end(pid);
}

static void srv_nested(int fd)
{
	shake(fd);
	int a = hear(fd);
	peer_say(fd, "{\"event\": \"ONE\"}\n");
	int inner = hear(fd);
	peer_say(fd, "{\"event\": \"TWO\"}\n");
	reply(fd, a, "\"a\"");
	reply(fd, inner, "{}");
	hear(fd);
}

static void test_call_inside_event(void **state)
{
	(void)state;
	pid_t pid;
	struct seen seen = { .nest = true };
	cleanup_qmp struct qmp *q = qmp_new(peer_fork(srv_nested, &pid));
	seen.q = q;
	qmp_on_event(q, on_event, &seen);
	assert_null(qmp_send(q, "a", NULL, 0, on_done, &seen));
	assert_int_equal(qmp_deadline(q), UINT64_MAX);
	assert_null(loop(q, &seen, 4));
	assert_order(&seen, "ONE inner: TWO a");
	peer_end(pid);
}

static void test_async_failures(void **state)
{
	(void)state;
	pid_t pid;
	struct seen seen = {};
	struct qmp *q = qmp_new(peer_fork(srv_silent_later, &pid));
	assert_null(qmp_send(q, "a", NULL, SHORT, on_done, &seen));
	assert_null(qmp_send(q, "b", NULL, LIMIT, on_done, &seen));
	assert_null(loop(q, &seen, 1));
	peer_end(pid);
	cleanup_err struct err *e = loop(q, &seen, 99), *later = qmp_send(q, "c", NULL, LIMIT, on_done, &seen);
	assert_string_equal(err_text(e), "QMP: closed by QEMU");
	assert_string_equal(err_text(later), "c: QMP: closed by QEMU");
	assert_order(&seen, "a: Connection timed out b: QMP: closed by QEMU");
	qmp_free(q);
}

/* More than the socket takes at once goes out as the other end reads; more than we are ready to hold is refused. */
static void srv_reads_late(int fd)
{
	shake(fd);
	for (int i = 0; i < 3; i++)
		reply(fd, hear(fd), "\"ok\"");
	hear(fd);
}

static void test_write_buffering(void **state)
{
	(void)state;
	pid_t pid;
	struct seen seen = {};
	cleanup_sb struct sb big = {};
	while (big.len < 600000)
		sb_add(&big, "0123456789");
	cleanup_qmp struct qmp *q = qmp_new(peer_fork(srv_reads_late, &pid));
	assert_null(qmp_handshake(q, LIMIT));
	for (int i = 0; i < 3; i++)
		assert_null(qmp_send(q, "a", json_pack("{s:s}", "x", big.s), LIMIT, on_done, &seen));
	assert_true(qmp_wants_write(q));
	assert_null(loop(q, &seen, 3));
	assert_false(qmp_wants_write(q));
	assert_order(&seen, "ok ok ok");
	peer_end(pid);

	cleanup_qmp struct qmp *deaf = qmp_new(peer_fork(srv_silent_later, &pid));
	assert_null(qmp_handshake(deaf, LIMIT));
	kill(pid, SIGSTOP);
	cleanup_err struct err *e = NULL;
	for (int i = 0; !e && i < 100; i++)
		e = qmp_send(deaf, "a", json_pack("{s:s}", "x", big.s), LIMIT, NULL, NULL);
	assert_non_null(strstr(err_text(e), "does not read"));
	peer_end(pid);
}

/* ---- the real QEMU ---- */

static void test_real_qemu(void **state)
{
	(void)state;
	pid_t pid;
	struct seen seen = {};
	cleanup_qmp struct qmp *q = qmp_new(peer_qemu((const char *const[]){ "-machine", "none", NULL }, &pid));
	qmp_on_event(q, on_event, &seen);
	json_t *value = NULL;
	assert_null(qmp_call(q, "query-status", NULL, LIMIT, &value));
	assert_string_equal(json_string_value(json_object_get(value, "status")), "prelaunch");
	json_decref(value);
	assert_true(json_integer_value(json_object_get(json_object_get(json_object_get(qmp_greeting(q), "version"), "qemu"), "major")) >=
		    7);
	/* the longest line that QEMU has for us */
	assert_null(qmp_call(q, "query-qmp-schema", NULL, LIMIT, &value));
	assert_true(json_array_size(value) > 500);
	json_decref(value);

	cleanup_err struct err *e = qmp_call(q, "query-the-weather", NULL, LIMIT, &value);
	assert_string_equal(err_text(e), "query-the-weather: CommandNotFound: The command query-the-weather has not been found");
	cleanup_err struct err *bad = qmp_call(q, "device_add", json_pack("{s:s}", "driver", "a,b\"c\n"), LIMIT, &value);
	assert_non_null(strstr(err_text(bad), "device_add: GenericError: 'a,b\"c\n' is not a valid device model name"));

	cleanup_fd int null = dup(STDIN_FILENO);
	assert_null(qmp_call_fd(q, "getfd", json_pack("{s:s}", "fdname", "f"), null, LIMIT, NULL));
	assert_null(qmp_call(q, "closefd", json_pack("{s:s}", "fdname", "f"), LIMIT, NULL));
	cleanup_err struct err *none = qmp_call(q, "getfd", json_pack("{s:s}", "fdname", "f"), LIMIT, NULL);
	assert_non_null(strstr(err_text(none), "getfd: GenericError: No file descriptor supplied"));

	assert_null(qmp_call(q, "quit", NULL, LIMIT, NULL));
	cleanup_err struct err *end = loop(q, &seen, 99);
	assert_string_equal(err_text(end), "QMP: closed by QEMU");
	assert_true(qmp_closed(q));
	assert_order(&seen, "SHUTDOWN+");
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	alarm(120);
	signal(SIGPIPE, SIG_DFL); /* the client must live without its being ignored */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),
		cmocka_unit_test(test_out_of_order),
		cmocka_unit_test(test_events_wait_for_dispatch),
		cmocka_unit_test(test_call_inside_event),
		cmocka_unit_test(test_async_failures),
		cmocka_unit_test(test_write_buffering),
		cmocka_unit_test(test_real_qemu),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
