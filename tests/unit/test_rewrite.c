/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_rewrite: a key changed in a text that somebody wrote, and nothing else of it. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <cmocka.h>
#include "launcher/base/str.h"
#include "launcher/config/config.h"
#include "launcher/config/paths.h"
#include "launcher/config/rewrite.h"

static void becomes(const char *text, struct rewrite r, const char *wanted)
{
	cleanup_free char *is = config_rewrite(text, &r, 1);
	assert_string_equal(is, wanted);
}

static void test_in_place(void **state)
{
	(void)state;
	becomes("# mine\n[vm]\n  name=old # no remark\n\n[disk a]\npath = x\n", (struct rewrite){ "vm", "name", "new" },
		"# mine\n[vm]\n  name=new\n\n[disk a]\npath = x\n");
	becomes("[disk  a]\npath = x\n[disk b]\npath =  y\n", (struct rewrite){ "disk b", "path", "z" },
		"[disk  a]\npath = x\n[disk b]\npath =  z\n");
	becomes("[disk  a]\npath = x\n", (struct rewrite){ "disk a", "path", "z" }, "[disk  a]\npath = z\n");
	becomes("[vm]\r\nname = a\r\n", (struct rewrite){ "vm", "name", "b" }, "[vm]\r\nname = b\r\n");
	becomes("[vm]\nname = a", (struct rewrite){ "vm", "name", "b" }, "[vm]\nname = b");
	becomes("\xef\xbb\xbf[vm]\nname = a\n", (struct rewrite){ "vm", "name", "b" }, "\xef\xbb\xbf[vm]\nname = b\n");
}

static void test_gone(void **state)
{
	(void)state;
	becomes("[network n]\nmac = 1\n# mac = 2\nmode = user\n", (struct rewrite){ "network n", "mac", NULL },
		"[network n]\n# mac = 2\nmode = user\n");
	becomes("[vm]\nname = a\n", (struct rewrite){ "vm", "user", NULL }, "[vm]\nname = a\n");
	becomes("", (struct rewrite){ "vm", "user", NULL }, "");
}

static void test_added(void **state)
{
	(void)state;
	becomes("[vm]\naccel = tcg\n[cpu]\n", (struct rewrite){ "vm", "name", "n" }, "[vm]\nname = n\naccel = tcg\n[cpu]\n");
	becomes("[vm]", (struct rewrite){ "vm", "name", "n" }, "[vm]\nname = n\n");
	becomes("[cpu]\nthreads = 1", (struct rewrite){ "vm", "name", "n" }, "[cpu]\nthreads = 1\n\n[vm]\nname = n\n");
	becomes("", (struct rewrite){ "vm", "name", "n" }, "[vm]\nname = n\n");
}

/* What was written is what the one parser reads. */
static void test_read_again(void **state)
{
	(void)state;
	struct rewrite all[] = { { "vm", "name", "neu" }, { "disk main", "path", "/x/a b.img" }, { "network lan", "mac", "52:54:00:00:00:01" } };
	cleanup_free char *text = config_rewrite("[disk  main]\npath = /y\n[network lan]\nmode = user\n", all, ARRAY_SIZE(all));
	struct conf_errors errors = {};
	cleanup_config struct config *c = config_parse(text, "t", NULL, NULL, &errors);
	assert_non_null(c);
	assert_string_equal(c->vm.name, "neu");
	assert_string_equal(c->disks[0].path, "/x/a b.img");
	assert_string_equal(c->networks[0].mac, "52:54:00:00:00:01");
}

/* All that names a file, of whatever section, and no word that stands where a path could. */
static void test_paths(void **state)
{
	static const char text[] =
		"[boot]\nkernel = k\n[disk a]\npath = a.img\n[disk b]\npath = /b.img\n[pci g]\naddress = 01:00.0\nrom = off\n"
		"[pci h]\naddress = 02:00.0\nrom = ./h.rom\n[console]\nserial = stdio\n";
	static const struct conf_path wanted[] = {
		{ "boot", NULL, "kernel", "/d/k" }, { "disk", "a", "path", "/d/a.img" }, { "disk", "b", "path", "/b.img" }, { "pci", "h", "rom", "/d/h.rom" },
	};
	struct conf_errors errors = {};
	(void)state;
	cleanup_config struct config *c = config_parse(text, "t", "/d", NULL, &errors);
	assert_non_null(c);
	cleanup_paths struct conf_paths is = paths_of(c);
	assert_int_equal(is.n, ARRAY_SIZE(wanted));
	for (size_t i = 0; i < is.n; i++) {
		assert_string_equal(is.v[i].section, wanted[i].section);
		assert_true(streq(is.v[i].name, wanted[i].name) || (!is.v[i].name && !wanted[i].name));
		assert_string_equal(is.v[i].key, wanted[i].key);
		assert_string_equal(is.v[i].path, wanted[i].path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_place),
		cmocka_unit_test(test_gone),
		cmocka_unit_test(test_added),
		cmocka_unit_test(test_read_again), cmocka_unit_test(test_paths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
