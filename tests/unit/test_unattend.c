/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers for Windows's Setup: the file, and the host's words in Windows's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "launcher/tools/unattend.h"

static char *text_of(const char *account, const char *password, unsigned release)
{
	char *text = NULL;
	struct unattend u = { .release = release, .account = account, .password = password, .computer = "win11", .key = unattend_edition("pro", NULL),
			      .language = "en-US", .locale = "pt-BR", .keyboard = unattend_keyboard("br"), .zone = unattend_zone("America/Sao_Paulo") };
	assert_null(unattend_text(&u, &text));
	return text;
}

static size_t count(const char *text, const char *part)
{
	size_t n = 0;
	for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
		n++;
	return n;
}

/* Each component stands in the passes that Microsoft's reference allows it in, and each pass stands once, in the order of Setup. */
static void test_passes(void **state)
{
	(void)state;
	cleanup_free char *text = text_of("me", "secret", 11);
	static const char *const order[] = {
		"<settings pass=\"windowsPE\">", "name=\"Microsoft-Windows-International-Core-WinPE\"", "name=\"Microsoft-Windows-PnpCustomizationsWinPE\"",
		"name=\"Microsoft-Windows-Setup\"", "<settings pass=\"specialize\">", "name=\"Microsoft-Windows-Shell-Setup\"",
		"<settings pass=\"oobeSystem\">", "name=\"Microsoft-Windows-International-Core\"", "name=\"Microsoft-Windows-Shell-Setup\"",
	};
	const char *at = text;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		at = strstr(at, order[i]);
		assert_non_null(at);
		at++;
	}
	assert_int_equal(count(text, "<settings "), 3);
	assert_int_equal(count(text, "<component "), 6);
	assert_int_equal(
		count(text,
		      "processorArchitecture=\"amd64\" publicKeyToken=\"31bf3856ad364e35\" language=\"neutral\" versionScope=\"nonSxS\""),
		6);
}

static void test_disk_and_drivers(void **state)
{
	(void)state;
	cleanup_free char *text = text_of("me", "", 11), *ten = text_of("me", "", 10);
	assert_int_equal(count(text, "<WillWipeDisk>true"), 1);
	assert_int_equal(count(text, "<CreatePartition "), 3);
	assert_true(strstr(text, "<Type>EFI</Type>") < strstr(text, "<Type>MSR</Type>"));
	assert_true(strstr(text, "<Type>MSR</Type>") < strstr(text, "<Type>Primary</Type>"));
	assert_non_null(strstr(text, "<PartitionID>3</PartitionID>\n     </InstallTo>"));
	/* whatever letter the second disc gets */
	assert_int_equal(count(text, "<PathAndCredentials wcm:action=\"add\" wcm:keyValue=\""), 15);
	assert_non_null(strstr(text, "wcm:keyValue=\"15\""));
	assert_non_null(strstr(text, "<Path>E:\\viostor\\w11\\amd64</Path>"));
	assert_non_null(strstr(ten, "<Path>E:\\NetKVM\\w10\\amd64</Path>"));
}

static void test_person(void **state)
{
	(void)state;
	cleanup_free char *text = text_of("Ana & Zé", "a<b>&\"c", 11);
	assert_int_equal(count(text, "<Value>a&lt;b&gt;&amp;"), 2);
	assert_non_null(strstr(text, "<Name>Ana &amp; Z\xc3\xa9</Name>"));
	assert_non_null(strstr(text, "<InputLocale>0416:00010416</InputLocale>"));
	assert_non_null(strstr(text, "<TimeZone>E. South America Standard Time</TimeZone>"));
	assert_non_null(strstr(text, "<LogonCount>1</LogonCount>"));
	assert_null(strstr(text, "LabConfig")); /* the machine is one that Windows 11 asks for */
}

static void expect(char *made, const char *wanted)
{
	assert_string_equal(made, wanted);
	free(made);
}

static void test_words(void **state)
{
	(void)state;
	expect(unattend_locale("pt_BR.UTF-8"), "pt-BR");
	expect(unattend_locale("de_DE@euro"), "de-DE");
	expect(unattend_locale("C.UTF-8"), "en-US");
	expect(unattend_locale("eo"), "en-US");
	expect(unattend_locale(NULL), "en-US");
	expect(unattend_disc_language("CCCOMA_X64FRE_PT-BR_DV9"), "pt-BR");
	expect(unattend_disc_language("CCCOMA_X64FRE_EN-GB"), "en-GB");
	expect(unattend_disc_language("MINE"), "en-US");
	expect(unattend_computer("win11"), "win11");
	expect(unattend_computer("my_gaming.machine-of-mine"), "my-gamingmachin");
	expect(unattend_computer("2026"), "pc-2026");
	expect(unattend_computer("--"), "pc-");
	assert_null(unattend_zone("Mars/Olympus"));
	assert_null(unattend_keyboard("xx"));
	cleanup_strv struct strv names = {};
	assert_null(unattend_edition("ultimate", &names));
	assert_true(strv_has(&names, "home"));
}

static void test_accounts(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "a/b", "Administrator", "guest", "win11", "x@y", "abcdefghijklmnopqrstu", "..", "a\tb", "end." };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cleanup_err struct err *e = unattend_check_account(bad[i], "win11");
		assert_non_null(e);
		assert_int_equal(err_status(e), EXIT_USAGE);
	}
	assert_null(unattend_check_account("Ana", "win11"));
	assert_null(unattend_check_account("j.doe", "win11"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_passes), cmocka_unit_test(test_disk_and_drivers), cmocka_unit_test(test_person), cmocka_unit_test(test_words),
		cmocka_unit_test(test_accounts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
