/* SPDX-License-Identifier: GPL-2.0-or-later */
/* progress: the line fits, appears on a terminal only, and gives way to what is logged. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <pty.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "launcher/base/log.h"
#include "launcher/base/progress.h"

static void expect_line(const struct progress_state *p, size_t columns, const char *want)
{
	cleanup_free char *line = progress_line(p, columns);
	assert_string_equal(line, want);
	assert_true(str_width(line) <= columns);
}

static void test_bar_takes_the_room_that_is_left(void **state)
{
	(void)state;
	struct progress_state p = { .what = "copying a.qcow2", .detail = "1 of 4G", .done = 1, .total = 4, .elapsed_s = 7 };
	expect_line(&p, 79, "copying a.qcow2 ██████░░░░░░░░░░░░░░░░░░ 25 %, 1 of 4G, 7 s");
	expect_line(&p, 45, "copying a.qcow2 ██░░░░░░░░ 25 %, 1 of 4G, 7 s");
	expect_line(&p, 44, "copying a.qcow2, 25 %, 1 of 4G, 7 s");
	expect_line(&p, 20, "copying a.qcow2, 25…");
	expect_line(&p, 1, "…");
	p.done = 9; /* more than all */
	expect_line(&p, 79, "copying a.qcow2 ████████████████████████ 100 %, 1 of 4G, 7 s");
	p.colours = true;
	cleanup_free char *line = progress_line(&p, 79);
	assert_non_null(strstr(line, "\033[32m█"));
	assert_non_null(strstr(line, "█\033[0m 100 %"));
}

static void test_without_a_total_there_is_no_bar(void **state)
{
	(void)state;
	expect_line(&(struct progress_state){ .what = "restoring" }, 79, "restoring");
	expect_line(&(struct progress_state){ .what = "restoring", .elapsed_s = 2 }, 79, "restoring, 2 s");
	expect_line(&(struct progress_state){ .what = "waiting for QEMU:", .detail = "preallocating 16G", .elapsed_s = 3 }, 79,
		    "waiting for QEMU: preallocating 16G, 3 s");
}

/* Standard error is a pseudo terminal, or another descriptor, while `fn` runs; returns all that was written to it. */
static char *on_stderr(int *out, int *in, void (*fn)(void))
{
	int saved = dup(STDERR_FILENO);
	dup2(*out, STDERR_FILENO);
	fn();
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(*out);
	char buf[4096];
	size_t len = 0;
	/* to its end: a terminal hands on what was written to it when the kernel finds the time */
	for (ssize_t n; len < sizeof(buf) && (n = read(*in, buf + len, sizeof(buf) - len)) > 0;)
		len += (size_t)n;
	close(*in);
	return str_ndup(buf, len);
}

static char *on_terminal(unsigned short columns, void (*fn)(void))
{
	int in, out;
	assert_int_equal(openpty(&in, &out, NULL, NULL, &(struct winsize){ .ws_row = 24, .ws_col = columns }), 0);
	return on_stderr(&out, &in, fn);
}

static void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

static void work(void)
{
	cleanup_progress bool shown = progress_begin("making %d huge pages of 1G", 16);
	progress_update(1, 16, NULL); /* too early to say */
	sleep_ms(PROGRESS_FIRST_MS);
	progress_update(2, 16, "2 of 16");
	log_info("something happened");
}

static void short_work(void)
{
	cleanup_progress bool shown = progress_begin("nothing to see");
	log_info("done at once");
}

static void test_on_a_terminal(void **state)
{
	(void)state;
	setenv("TERM", "xterm", 1);
	setenv("NO_COLOR", "1", 1);
	cleanup_free char *said = on_terminal(60, work);
	/* in this order; a slow machine adds seconds and lines */
	static const char *const parts[] = { "\rmaking 16 huge pages of 1G █", "░ 12 %, 2 of 16", "\033[K\r\033[Ksomething happened\r\n",
					     "\rmaking 16 huge pages of 1G █", "\033[K\r\033[K" };
	const char *at = said;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		at = strstr(at, parts[i]);
		assert_non_null(at);
		at += strlen(parts[i]);
	}
	assert_string_equal(at, ""); /* nothing is left behind */
	cleanup_free char *quick = on_terminal(80, short_work);
	assert_string_equal(quick, "done at once\r\n");
}

static void test_silent_elsewhere(void **state)
{
	(void)state;
	int ends[2];
	setenv("TERM", "xterm", 1);
	assert_int_equal(pipe(ends), 0);
	cleanup_free char *piped = on_stderr(&ends[1], &ends[0], work);
	assert_string_equal(piped, "something happened\n");
	setenv("TERM", "dumb", 1);
	cleanup_free char *dumb = on_terminal(80, work);
	assert_string_equal(dumb, "something happened\r\n");
	setenv("TERM", "xterm", 1);
	log_set_level(LOG_LEVEL_WARN);
	cleanup_free char *quiet = on_terminal(80, work);
	assert_string_equal(quiet, "");
	log_set_level(LOG_LEVEL_INFO);
}

static void test_polls_wake_for_the_line_only_where_it_is(void **state)
{
	(void)state;
	assert_int_equal(progress_wait_ms(-1), -1);
	assert_int_equal(progress_wait_ms(5000), 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bar_takes_the_room_that_is_left),
		cmocka_unit_test(test_without_a_total_there_is_no_bar),
		cmocka_unit_test(test_on_a_terminal),
		cmocka_unit_test(test_silent_elsewhere),
		cmocka_unit_test(test_polls_wake_for_the_line_only_where_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
