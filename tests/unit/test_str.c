/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a device, a guest or a file says, on its way to a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "launcher/base/str.h"

static void test_printable(void **state)
{
	static const struct {
		const char *said, *shown;
	} cases[] = {
		{ "plain text", "plain text" },
		{ "a\tb\n\x7f", "a\\x09b\\x0a\\x7f" },
		{ "\033[31m", "\\x1b[31m" },
		{ "ção €, 日本, 🎮", "ção €, 日本, 🎮" },
		{ "\xc2\xa0\xc2\xbf", "\xc2\xa0\xc2\xbf" },		 /* U+00A0, the first that is no control */
		{ "\xc2\x9b" "31m", "\\xc2\\x9b31m" },			 /* U+009B, CSI in one character */
		{ "\xc2\x80\xc2\x9f", "\\xc2\\x80\\xc2\\x9f" },		 /* the first and the last of C1 */
		{ "\x9b" "31m \xff", "\\x9b31m \\xff" },		 /* bytes that are no UTF-8: an 8-bit terminal obeys the first */
		{ "\xc2", "\\xc2" },					 /* cut off */
		{ "\xe2\x82", "\\xe2\\x82" },
		{ "\xe2(\xa1", "\\xe2(\\xa1" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cleanup_free char *shown = str_printable(cases[i].said);
		assert_string_equal(shown, cases[i].shown);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_printable) };
	return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
