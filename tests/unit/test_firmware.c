/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which firmware is found: the rules of the directories, of masking and of features, in made-up hosts and in this one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include "ovmf/firmware.h"
#include "tests/unit/tempdir.h"

#define DESCRIPTOR(arch, machine, code, vars, features)                                                                               \
	"{\"interface-types\":[\"uefi\"],\"mapping\":{\"device\":\"flash\",\"executable\":{\"filename\":\"" code                      \
	"\",\"format\":\"raw\"},\"nvram-template\":{\"filename\":\"" vars "\",\"format\":\"raw\"}},\"targets\":[{\"architecture\":\"" arch \
	"\",\"machines\":[\"" machine "\"]}],\"features\":[" features "],\"tags\":[]}"
#define PLAIN(name) DESCRIPTOR("x86_64", "pc-q35-*", "/fw/" name ".code", "/fw/" name ".vars", "\"acpi-s3\"")
#define SECURE(name) \
	DESCRIPTOR("x86_64", "pc-q35-*", "/fw/" name ".code", "/fw/" name ".vars", "\"secure-boot\",\"requires-smm\",\"enrolled-keys\"")

static void with(struct root *root, const char *path, const char *text)
{
	cleanup_free char *dir = str_ndup(path, (size_t)(strrchr(path, '/') - path));
	assert_null(root_mkdirs(root, dir, 0755));
	assert_null(root_put(root, path, text, 0644));
}

/* A firmware's two files. */
static void with_files(struct root *root, const char *name)
{
	static const char *const kinds[] = { "code", "vars" };
	for (size_t i = 0; i < 2; i++) {
		cleanup_free char *path = str_fmt("/fw/%s.%s", name, kinds[i]);
		with(root, path, "x");
	}
}

static void expect(struct root *root, bool secure_boot, const char *code)
{
	cleanup_firmware struct firmware f = {};
	cleanup_err struct err *e = firmware_find(root, "/home/anna/.config", secure_boot, &f);
	assert_string_equal(err_text(e), "");
	assert_string_equal(f.code, code);
}

static void test_order_and_features(void **state)
{
	struct root *root = tempdir_root(*state);
	with_files(root, "a");
	with_files(root, "b");
	with_files(root, "c");
	with_files(root, "d");
	with(root, "/usr/share/qemu/firmware/60-c.json", PLAIN("c"));
	with(root, "/usr/share/qemu/firmware/40-b.json", SECURE("b"));
	expect(root, true, "/fw/b.code");
	expect(root, false, "/fw/c.code");
	with(root, "/etc/qemu/firmware/30-a.json", SECURE("a")); /* first by name, wherever it is */
	expect(root, true, "/fw/a.code");
	with(root, "/etc/qemu/firmware/70-d.json", PLAIN("d"));
	expect(root, false, "/fw/c.code");
	with(root, "/home/anna/.config/qemu/firmware/60-c.json", PLAIN("d")); /* takes the place of its name */
	expect(root, false, "/fw/d.code");
	with(root, "/home/anna/.config/qemu/firmware/30-a.json", ""); /* hides */
	expect(root, true, "/fw/b.code");
	cleanup_firmware struct firmware f = {};
	assert_null(firmware_find(root, NULL, true, &f)); /* no user: the mask is not there */
	assert_string_equal(f.code, "/fw/a.code");
	assert_true(f.secure_boot && f.requires_smm && f.enrolled_keys);
	assert_string_equal(f.template, "/fw/a.vars");
	assert_string_equal(f.descriptor, "/etc/qemu/firmware/30-a.json");
}

static void test_what_does_not_fit(void **state)
{
	struct root *root = tempdir_root(*state);
	static const char *const texts[] = {
		DESCRIPTOR("aarch64", "virt-*", "/fw/a.code", "/fw/a.vars", ""),
		DESCRIPTOR("x86_64", "pc-i440fx-*", "/fw/a.code", "/fw/a.vars", ""),
		DESCRIPTOR("x86_64", "pc-q35-*", "a.code", "/fw/a.vars", ""),
		"{\"interface-types\":[\"uefi\"],\"mapping\":{\"device\":\"memory\",\"filename\":\"/fw/a.code\"},\"targets\":[{\"architecture\":"
		"\"x86_64\",\"machines\":[\"pc-q35-*\"]}],\"features\":[]}",
		"{\"interface-types\":[\"uefi\"],\"mapping\":{\"device\":\"flash\",\"mode\":\"stateless\",\"executable\":{\"filename\":"
		"\"/fw/a.code\",\"format\":\"raw\"}},\"targets\":[{\"architecture\":\"x86_64\",\"machines\":[\"pc-q35-*\"]}],\"features\":[]}",
		"[1, 2, {}]", "{\"mapping\": 7, \"targets\": \"x\", \"features\": {}}", "not json", "{", "\"\"",
	};
	with_files(root, "a");
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		cleanup_firmware struct firmware f = {};
		with(root, "/usr/share/qemu/firmware/50-x.json", texts[i]);
		cleanup_err struct err *e = firmware_find(root, NULL, false, &f);
		assert_int_equal(err_code(e), ENOENT);
		assert_int_equal(err_status(e), EXIT_HOST);
		assert_non_null(strstr(err_remedy(e), "apt install ovmf"));
		assert_null(f.code);
	}
}

/* The error names each that came near. */
static void test_reasons(void **state)
{
	struct root *root = tempdir_root(*state);
	cleanup_firmware struct firmware f = {};
	with(root, "/usr/share/qemu/firmware/10-x.json", SECURE("x"));
	with(root, "/usr/share/qemu/firmware/20-y.json",
	     DESCRIPTOR("x86_64", "pc-q35-*", "/fw/y.code", "/fw/y.vars", "\"secure-boot\",\"requires-smm\""));
	with(root, "/usr/share/qemu/firmware/30-z.json", "oops");
	cleanup_err struct err *e = firmware_find(root, NULL, true, &f);
	assert_non_null(strstr(err_text(e), "10-x.json names /fw/x.code, which is not there"));
	assert_non_null(strstr(err_text(e), "20-y.json is without enrolled-keys"));
	assert_non_null(strstr(err_text(e), "30-z.json is no firmware descriptor"));
}

static void test_too_large(void **state)
{
	struct root *root = tempdir_root(*state);
	cleanup_sb struct sb sb = {};
	cleanup_firmware struct firmware f = {};
	with_files(root, "a");
	sb_add(&sb, PLAIN("a"));
	while (sb.len < 70000)
		sb_addc(&sb, ' ');
	with(root, "/usr/share/qemu/firmware/50-x.json", sb.s);
	cleanup_err struct err *e = firmware_find(root, NULL, false, &f);
	assert_int_equal(err_code(e), ENOENT);
}

/* This host's own package. */
static void test_this_host(void **state)
{
	(void)state;
	struct root *root = NULL;
	cleanup_firmware struct firmware secure = {}, plain = {};
	assert_null(root_open("/", &root));
	assert_null(firmware_find(root, NULL, true, &secure));
	assert_null(firmware_find(root, NULL, false, &plain));
	assert_true(secure.requires_smm && !plain.requires_smm);
	assert_true(root_exists(root, secure.template) && root_exists(root, plain.template));
	root_close(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order_and_features, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_what_does_not_fit, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_reasons, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_too_large, tempdir_setup, tempdir_teardown),
		cmocka_unit_test(test_this_host),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
