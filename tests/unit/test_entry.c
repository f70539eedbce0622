/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entries of the desktop's menu: what the Desktop Entry Specification wants escaped, twice over; whose an entry is; a notice's mark-up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "launcher/tools/entry.h"
#include "launcher/host/desktop/notify.h"

static void test_exec(void **state)
{
	(void)state;
	static const struct {
		const char *word, *exec, *line; /* the command line; the line of the file */
	} cases[] = {
		{ "/usr/bin/qlaunch", "/usr/bin/qlaunch", "Exec=/usr/bin/qlaunch\n" },
		{ "", "\"\"", "Exec=\"\"\n" },
		{ "my vm", "\"my vm\"", "Exec=\"my vm\"\n" },
		{ "100%", "100%%", "Exec=100%%\n" },
		{ "%f %U", "\"%%f %%U\"", "Exec=\"%%f %%U\"\n" },
		{ "$HOME", "\"\\$HOME\"", "Exec=\"\\\\$HOME\"\n" },
		{ "a\"b", "\"a\\\"b\"", "Exec=\"a\\\\\"b\"\n" },
		{ "it's", "\"it's\"", "Exec=\"it's\"\n" },
		{ "a\\b", "\"a\\\\b\"", "Exec=\"a\\\\\\\\b\"\n" }, /* the specification: four backslashes for one */
		{ "`id`", "\"\\`id\\`\"", "Exec=\"\\\\`id\\\\`\"\n" },
		{ "a;b&c|d<e>f(g)h~i*j?k#l", "\"a;b&c|d<e>f(g)h~i*j?k#l\"", "Exec=\"a;b&c|d<e>f(g)h~i*j?k#l\"\n" },
		{ "a\nb\tc", "\"a\nb\tc\"", "Exec=\"a\\nb\\tc\"\n" },
		{ "máquina=1,2:3[4]{5}", "máquina=1,2:3[4]{5}", "Exec=máquina=1,2:3[4]{5}\n" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_strv struct strv argv = {};
		cleanup_sb struct sb sb = {};
		strv_add(&argv, cases[i].word);
		cleanup_free char *exec = entry_exec(&argv);
		assert_string_equal(exec, cases[i].exec);
		entry_add(&sb, "Exec", exec);
		assert_string_equal(sb.s, cases[i].line);
	}
}

static const char golden[] = "[Desktop Entry]\n"
			     "Type=Application\n"
			     "Version=1.4\n"
			     "Name=win11\n"
			     "GenericName=Virtual Machine\n"
			     "GenericName[pt_BR]=Máquina virtual\n"
			     "Comment=Windows \\\\ 11\n"
			     "Icon=qlaunch\n"
			     "TryExec=/usr/bin/qlaunch\n"
			     "Exec=/usr/bin/pkexec /usr/bin/qlaunch run \"/home/me/my vm/win11.conf\"\n"
			     "Terminal=false\n"
			     "StartupNotify=false\n"
			     "Categories=System;Emulator;\n"
			     "Keywords=VM;GPU;passthrough;\n"
			     "Actions=stop;switch;\n"
			     "X-Qlaunch-Config=/home/me/my vm/win11.conf\n"
			     "\n"
			     "[Desktop Action stop]\n"
			     "Name=Stop\n"
			     "Name[pt_BR]=Desligar\n"
			     "Exec=/usr/bin/pkexec /usr/bin/qlaunch stop win11\n"
			     "\n"
			     "[Desktop Action switch]\n"
			     "Name=Switch monitor\n"
			     "Name[pt_BR]=Trocar o monitor\n"
			     "Exec=/usr/bin/pkexec /usr/bin/qlaunch switch \"/home/me/my vm/win11.conf\"\n";

static void test_text(void **state)
{
	(void)state;
	const char *config = "/home/me/my vm/win11.conf";
	struct entry e = { .name = "win11", .comment = "Windows \\ 11", .icon = "qlaunch", .program = "/usr/bin/qlaunch", .config = config };
	strv_split(&e.start, "/usr/bin/pkexec /usr/bin/qlaunch run", " ");
	strv_add(&e.start, config);
	strv_split(&e.stop, "/usr/bin/pkexec /usr/bin/qlaunch stop win11", " ");
	strv_split(&e.swap, "/usr/bin/pkexec /usr/bin/qlaunch switch", " ");
	strv_add(&e.swap, config);
	cleanup_free char *whole = entry_text(&e);
	assert_string_equal(whole, golden);
	strv_free(&e.swap); /* a machine without monitors has nothing to switch */
	e.swap = (struct strv){};
	cleanup_free char *less = entry_text(&e);
	assert_non_null(strstr(less, "\nActions=stop;\n"));
	assert_null(strstr(less, "switch"));
	strv_free(&e.start);
	strv_free(&e.stop);
}

static void test_whose(void **state)
{
	(void)state;
	static const char *const paths[] = { "/a/b.conf", " leads", "a\\nb", "line\nfeed\ttab", "back\\slash $x \"q\" %f" };
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct entry e = { .name = "x", .icon = "x", .program = "/x", .config = paths[i] };
		cleanup_free char *text = entry_text(&e), *config = entry_config(text);
		assert_string_equal(config, paths[i]);
	}
	assert_null(entry_config("[Desktop Entry]\nType=Application\nName=X-Qlaunch-Config=/a\n"));
	assert_null(entry_config(""));
}

static void test_markup(void **state)
{
	(void)state;
	cleanup_free char *text = notify_markup("a<b> & \"c\"\n→ d");
	assert_string_equal(text, "a&lt;b&gt; &amp; \"c\"\n→ d");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exec),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_whose),
		cmocka_unit_test(test_markup),
	};
	return cmocka_run_group_tests_name("entry", tests, NULL, NULL);
}
