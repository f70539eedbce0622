/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest agent's client against agents that are late, silent, or talk rubbish; each forked on a socket pair. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>
#include "qmp/agent.h"
#include "tests/unit/peer.h"
#include "tests/unit/played_agent.h"

#define LIMIT 20000 /* ms: never reached where an answer comes */
#define SHORT 50    /* ms: always reached, where none comes */

/* ---- the agent ---- */

static void good(int fd)
{
	played_sync(fd);
	for (int i = 0; i < 3; i++)
		played_expect(fd, "guest-ping", "{}");
	pause();
}

/* What an agent had to say to somebody before us, an answer to another sync among it. */
static void talks_before(int fd)
{
	peer_say(fd, "{\"return\": {}}\n{\"retu\xff{\"return\": 7}\nno JSON\n\xff{\"return\": 8}\nhalf");
	good(fd);
}

static void silent(int fd)
{
	bool sentinel;
	for (;;)
		json_decref(played_hear(fd, &sentinel));
}

static void dies(int fd)
{
	played_sync(fd);
}

static void garbage(int fd)
{
	bool sentinel;
	played_sync(fd);
	json_decref(played_hear(fd, &sentinel));
	peer_say(fd, "what?\n");
	pause();
}

static void endless(int fd)
{
	played_sync(fd);
	for (;;)
		peer_say(fd, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
}

static void refuses(int fd)
{
	bool sentinel;
	played_sync(fd);
	json_decref(played_hear(fd, &sentinel));
	peer_say(fd, "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"Command guest-ping has been disabled\"}}\n");
	played_expect(fd, "guest-ping", "{}");
	pause();
}

/* Answers the first ping only after the second sync has been asked for. */
static void late(int fd)
{
	bool sentinel;
	played_sync(fd);
	json_t *ping = played_hear(fd, &sentinel);
	json_t *again = played_hear(fd, &sentinel);
	if (!sentinel)
		_exit(1);
	played_answer(fd, ping, "{\"late\": true}");
	cleanup_free char *line =
		str_fmt("\xff{\"return\": %lld}\n", json_integer_value(json_object_get(json_object_get(again, "arguments"), "id")));
	peer_say(fd, line);
	played_answer(fd, ping, "{\"late\": true}"); /* once more, after the sentinel: its id tells */
	json_decref(ping);
	json_decref(again);
	played_expect(fd, "guest-ping", "{\"late\": false}");
	pause();
}

/* ---- the cases ---- */

static void test_pings(void **state)
{
	(void)state;
	static const struct {
		void (*serve)(int fd);
		int limit_ms;
		const char *first, *second; /* what the first and the second ping end with; "" is success */
	} cases[] = {
		{ good, LIMIT, "", "" },
		{ talks_before, LIMIT, "", "" },
		{ silent, SHORT, "guest agent: no answer", "guest agent: no answer" },
		{ dies, LIMIT, "guest-ping: closed", "guest agent: closed" },
		{ garbage, LIMIT, "guest-ping: not a message: \"what?\"", NULL },
		{ endless, LIMIT, "guest-ping: a line of more than 8388608 bytes", NULL },
		{ refuses, LIMIT, "guest-ping: CommandNotFound: Command guest-ping has been disabled", "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		pid_t pid;
		cleanup_agent struct agent *a = agent_new(peer_fork(cases[i].serve, &pid));
		cleanup_err struct err *first = agent_ping(a, cases[i].limit_ms);
		if (!str_starts(err_text(first), cases[i].first) || !*err_text(first) != !*cases[i].first)
			fail_msg("%zu: %s", i, err_text(first));
		if (cases[i].second) {
			cleanup_err struct err *second = agent_ping(a, cases[i].limit_ms);
			if (!str_starts(err_text(second), cases[i].second) || !*err_text(second) != !*cases[i].second)
				fail_msg("%zu, again: %s", i, err_text(second));
		}
		peer_end(pid);
	}
}

static void test_late_answer(void **state)
{
	(void)state;
	pid_t pid;
	json_t *value = NULL;
	cleanup_agent struct agent *a = agent_new(peer_fork(late, &pid));
	cleanup_err struct err *e = agent_ping(a, SHORT);
	assert_int_equal(err_code(e), ETIMEDOUT);
	assert_null(agent_call(a, "guest-ping", NULL, LIMIT, &value));
	assert_true(json_is_false(json_object_get(value, "late")));
	json_decref(value);
	peer_end(pid);
}

static void runs(int fd)
{
	bool sentinel;
	played_sync(fd);
	json_t *exec = played_hear(fd, &sentinel), *args = json_object_get(exec, "arguments");
	cleanup_free char *text = json_dumps(args, JSON_COMPACT | JSON_SORT_KEYS);
	if (!streq(text, "{\"arg\":[\"a b\",\"\"],\"capture-output\":true,\"path\":\"C:\\\\x.exe\"}"))
		_exit(1);
	played_answer(fd, exec, "{\"pid\": 42}");
	json_decref(exec);
	for (int i = 0; i < 3; i++)
		played_expect(fd, "guest-exec-status", "{\"exited\": false}");
	played_expect(fd, "guest-exec-status",
		      "{\"exited\": true, \"exitcode\": 3, \"out-data\": \"aGVsbG8K\", \"err-data\": \"AP8=\", \"err-truncated\": true}");
	played_expect(fd, "guest-exec", "{\"pid\": 43}");
	played_expect(fd, "guest-exec-status", "{\"exited\": true, \"signal\": 9}");
	played_expect(fd, "guest-exec", "{\"pid\": 44}");
	played_expect(fd, "guest-exec-status", "{\"exited\": true, \"exitcode\": 0, \"out-data\": \"a\"}");
	played_expect(fd, "guest-exec", "{\"pid\": 45}");
	for (;;)
		played_expect(fd, "guest-exec-status", "{\"exited\": false}");
}

static void test_exec(void **state)
{
	(void)state;
	pid_t pid;
	cleanup_agent struct agent *a = agent_new(peer_fork(runs, &pid));
	cleanup_agent_output struct agent_output o = {}, killed = {}, none = {};
	assert_null(agent_exec(a, (const char *const[]){ "C:\\x.exe", "a b", "", NULL }, LIMIT, &o));
	assert_int_equal(o.status, 3);
	assert_string_equal(o.out.s, "hello\n");
	assert_int_equal(o.err.len, 2);
	assert_memory_equal(o.err.s, "\x00\xff", 2);
	assert_true(o.truncated);
	static const char *const argv[] = { "x", NULL };
	assert_null(agent_exec(a, argv, LIMIT, &killed));
	assert_int_equal(killed.status, -1);
	assert_int_equal(killed.signal, 9);
	cleanup_err struct err *bad = agent_exec(a, argv, LIMIT, &none), *slow = agent_exec(a, argv, SHORT, &none);
	assert_string_equal(err_text(bad), "guest-exec-status: out-data is not base64: Protocol error");
	assert_int_equal(err_code(slow), ETIMEDOUT);
	assert_null(none.out.s);
	peer_end(pid);
}

/* "AAAA…" of base64 is three zero bytes a group. */
#define BIG 400000

static void gives_files(int fd)
{
	cleanup_sb struct sb big = {};
	sb_add(&big, "{\"count\": 1, \"eof\": false, \"buf-b64\": \"");
	for (int i = 0; i < BIG / 4; i++)
		sb_add(&big, "AAAA");
	sb_add(&big, "\"}");
	played_sync(fd);
	for (int file = 0; file < 2; file++) {
		played_expect(fd, "guest-file-open", "1001");
		played_expect(fd, "guest-file-read", big.s);
		if (file == 0) {
			played_expect(fd, "guest-file-read", big.s);
			played_expect(fd, "guest-file-read", "{\"count\": 1, \"eof\": true, \"buf-b64\": \"QQ==\"}");
		}
		played_expect(fd, "guest-file-close", "{}");
	}
	played_expect(fd, "guest-file-open", "1002");
	played_expect(fd, "guest-file-read", "{\"count\": 0, \"eof\": false, \"buf-b64\": \"\"}");
	played_expect(fd, "guest-file-close", "{}");
	pause();
}

static void test_read(void **state)
{
	(void)state;
	pid_t pid;
	cleanup_agent struct agent *a = agent_new(peer_fork(gives_files, &pid));
	cleanup_sb struct sb bytes = {};
	assert_null(agent_read(a, "/big", BIG * 2, LIMIT, &bytes));
	assert_int_equal(bytes.len, BIG / 4 * 3 * 2 + 1);
	assert_int_equal(bytes.s[bytes.len - 1], 'A');
	assert_int_equal(bytes.s[bytes.len - 2], 0);
	cleanup_err struct err *much = agent_read(a, "/big", 1000, LIMIT, &bytes);
	assert_string_equal(err_text(much), "/big: more than 1000 bytes: File too large");
	cleanup_err struct err *endless_file = agent_read(a, "/odd", 1000, LIMIT, &bytes);
	assert_string_equal(err_text(endless_file), "/odd: neither bytes nor the end: Protocol error");
	peer_end(pid);
}

int main(void)
{
	alarm(120);
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_pings), cmocka_unit_test(test_late_answer),
					    cmocka_unit_test(test_exec), cmocka_unit_test(test_read) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
