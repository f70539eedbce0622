/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log: what a terminal, a pipe and the journal (sd-daemon(3)) get of the same words. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/base/progress.h"
#include "launcher/base/str.h"

static void say_all(void)
{
	progress_begin("work");
	log_info("running after %d ms", 5);
	log_warn("odd");
	log_debug("unheard");
	log_err(LOG_LEVEL_ERROR, err_hint(err_new("one:\n  two"), "do this"));
	progress_end();
}

/* The journal's side is a stream socket; `ours` says whether JOURNAL_STREAM is about this one. */
static char *heard(bool ours)
{
	int ends[2], saved = dup(STDERR_FILENO);
	char buf[4096];
	struct stat st;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(fstat(ends[1], &st), 0);
	cleanup_free char *stream = str_fmt("%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino + !ours);
	setenv("JOURNAL_STREAM", stream, 1);
	dup2(ends[1], STDERR_FILENO);
	say_all();
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(ends[1]);
	ssize_t n = read(ends[0], buf, sizeof(buf));
	close(ends[0]);
	unsetenv("JOURNAL_STREAM");
	return str_ndup(buf, n > 0 ? (size_t)n : 0);
}

static void test_the_journal_gets_a_priority_on_every_line(void **state)
{
	(void)state;
	cleanup_free char *text = heard(true);
	assert_string_equal(text, "<6>running after 5 ms\n<4>odd\n<3>one:\n<3>  two\n<3>  → do this\n");
}

/* A service's child may have the variable and another standard error. */
static void test_a_pipe_gets_none(void **state)
{
	(void)state;
	cleanup_free char *text = heard(false);
	assert_string_equal(text, "running after 5 ms\nwarning: odd\nerror: one:\n  two\n  → do this\n");
}

static void test_no_error_says_a_thing_twice(void **state)
{
	(void)state;
	static const struct {
		const char *context, *text, *want;
	} told[] = {
		{ "write 0 to /sys/x", "/sys/x: no such file", "write 0 to /sys/x: no such file" },
		{ "/sys/x", "/sys/x: no such file", "/sys/x: no such file" },
		{ "bind 01:00.0 to vfio-pci", "01:00.0: busy", "bind 01:00.0 to vfio-pci: busy" },
		{ "write 0 to /sys/xy", "/sys/x: no such file", "write 0 to /sys/xy: /sys/x: no such file" }, /* another one */
		{ "read a/sys/x", "/sys/x: no such file", "read a/sys/x: /sys/x: no such file" },
		{ "/sys/x", "no such file", "/sys/x: no such file" },
		{ "a", ": b", "a: : b" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(told); i++) {
		cleanup_err struct err *e = err_wrap(err_new("%s", told[i].text), "%s", told[i].context);
		assert_string_equal(err_text(e), told[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_journal_gets_a_priority_on_every_line),
		cmocka_unit_test(test_a_pipe_gets_none),
		cmocka_unit_test(test_no_error_says_a_thing_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
