/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UEFI variables and TPM state of a VM: made once, never overwritten, checked, copied; what is damaged is told with the command that
 * helps. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "launcher/base/child.h"
#include "ovmf/keep.h"
#include "ovmf/tpm.h"
#include "ovmf/vars.h"
#include "tests/unit/tempdir.h"

#define DATA "/home/anna/.local/share"
#define VARS DATA "/qlaunch/win11/VARS.fd"
#define COPIES DATA "/qlaunch/win11/VARS.copies"
#define TPM DATA "/qlaunch/win11/tpm/tpm2-00.permall"

static struct config conf;
static struct firmware fw;
static struct sb template; /* this host's own, with keys */

static int setup(void **state)
{
	struct root *host = NULL;
	if (root_open("/", &host) || firmware_find(host, NULL, true, &fw) || keep_read(host, fw.template, 1 << 24, &template))
		return -1;
	root_close(host);
	str_set(&fw.template, "/template");
	conf.vm.name = (char *)"win11";
	(void)state;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	firmware_free(&fw);
	sb_free(&template);
	return 0;
}

static void ok(struct err *e)
{
	if (e)
		fail_msg("%s", err_text(e));
}

/* Writes a file as anybody may, in place. */
static void overwrite(void *state, const char *path, const void *data, size_t len)
{
	cleanup_free char *full = str_fmt("%s%s", tempdir_path(state), path);
	cleanup_fd int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(fd, data, len), len);
}

static char *read_back(void *state, const char *path, size_t *ret_len)
{
	cleanup_sb struct sb sb = {};
	ok(keep_read(tempdir_root(state), path, 1 << 24, &sb));
	*ret_len = sb.len;
	return sb_steal(&sb);
}

static size_t count(void *state, const char *dir)
{
	cleanup_strv struct strv names = {};
	err_free(root_list(tempdir_root(state), dir, &names));
	return names.n;
}

/* Runs the command that the remedy ends with, below the temporary directory. */
static void obey(void *state, const struct err *e)
{
	const char *command = strstr(err_remedy(e), ": ");
	assert_non_null(command);
	cleanup_sb struct sb sb = {};
	for (const char *c = command + 2; *c && *c != ';'; c++) {
		if (*c == '\'' && c[1] == '/') {
			sb_addf(&sb, "'%s", tempdir_path(state));
			continue;
		}
		sb_addc(&sb, *c);
	}
	char *out = NULL;
	ok(child_output((const char *const[]){ "sh", "-c", sb.s, NULL }, 10000, &out));
	free(out);
}

static void prepare(void *state)
{
	ok(vars_prepare(tempdir_root(state), &conf, DATA, &fw));
}

static void test_made_once(void **state)
{
	size_t len;
	struct stat st;
	overwrite(*state, "/template", template.s, template.len);
	prepare(*state);
	cleanup_free char *made = read_back(*state, VARS, &len);
	assert_int_equal(len, template.len);
	assert_memory_equal(made, template.s, len);
	ok(root_stat(tempdir_root(*state), VARS, &st));
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(count(*state, COPIES), 1);
	/* the guest writes; nothing of it is lost by the next start, and an unchanged file is not copied again */
	made[len - 1] ^= 1;
	overwrite(*state, VARS, made, len);
	prepare(*state);
	prepare(*state);
	cleanup_free char *kept = read_back(*state, VARS, &len), *copy = read_back(*state, COPIES "/VARS.fd.000002", &len);
	assert_memory_equal(kept, made, len);
	assert_memory_equal(copy, made, len);
	assert_int_equal(count(*state, COPIES), 2);
	assert_int_equal(count(*state, DATA "/qlaunch/win11"), 2); /* no temporary file */
}

static void test_last_five(void **state)
{
	overwrite(*state, "/template", template.s, template.len);
	prepare(*state);
	for (int i = 0; i < 12; i++) {
		template.s[template.len - 1] ^= (char)(i + 1);
		overwrite(*state, VARS, template.s, template.len);
		prepare(*state);
	}
	assert_int_equal(count(*state, COPIES), KEEP_COPIES);
	assert_true(root_exists(tempdir_root(*state), COPIES "/VARS.fd.000013"));
	assert_false(root_exists(tempdir_root(*state), COPIES "/VARS.fd.000008"));
	template.s[template.len - 1] = '\xff';
}

/* Every way to be damaged is an error with a remedy that works, as often as it is tried, and costs no copy. */
static void test_damaged(void **state)
{
	static const struct {
		const char *what;
		size_t at;    /* a byte that is changed; 0: the length is */
		size_t len;
		const char *says;
	} cases[] = {
		{ "empty", 0, 0, "0 bytes" },
		{ "half", 0, 4096, "4096 bytes" },
		{ "signature", 41, 0, "no firmware volume" },
		{ "guid", 17, 0, "checksum" },
		{ "length", 33, 0, "checksum" },
		{ "header length", 48, 0, "header" },
		{ "store size", 0x48 + 18, 0, "store says" },
		{ "store format", 0x48 + 20, 0, "not formatted" },
		{ "store state", 0x48 + 21, 0, "not formatted" },
		{ "first variable", 0x48 + 28, 0, "neither a variable nor blank" },
		{ "its size", 0x48 + 28 + 39, 0, "longer than the store" },
	};
	size_t len;
	overwrite(*state, "/template", template.s, template.len);
	prepare(*state);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *torn = read_back(*state, VARS, &len);
		torn[cases[i].at] ^= cases[i].at ? 0x35 : 0;
		overwrite(*state, VARS, torn, cases[i].at ? len : cases[i].len);
		for (int again = 0; again < 7; again++) {
			cleanup_err struct err *e = vars_prepare(tempdir_root(*state), &conf, DATA, &fw);
			assert_non_null(e);
			if (!strstr(err_text(e), cases[i].says))
				fail_msg("%s: %s", cases[i].what, err_text(e));
			assert_int_equal(err_status(e), EXIT_HOST);
			assert_non_null(strstr(err_remedy(e), "VARS.fd.000001"));
			if (again == 6)
				obey(*state, e);
		}
		assert_int_equal(count(*state, COPIES), 1);
		prepare(*state);
		assert_true(root_exists(tempdir_root(*state), VARS ".damaged"));
		cleanup_free char *back = read_back(*state, VARS, &len);
		assert_memory_equal(back, template.s, template.len);
	}
}

/* A damaged copy is not offered: the one before it is. */
static void test_damaged_copy(void **state)
{
	overwrite(*state, "/template", template.s, template.len);
	prepare(*state);
	overwrite(*state, COPIES "/VARS.fd.000002", template.s, 1000);
	overwrite(*state, COPIES "/VARS.fd.000003", "", 0);
	overwrite(*state, VARS, template.s, 77);
	cleanup_err struct err *e = vars_prepare(tempdir_root(*state), &conf, DATA, &fw);
	assert_non_null(strstr(err_remedy(e), "VARS.fd.000001"));
	overwrite(*state, COPIES "/VARS.fd.000001", "", 0);
	cleanup_err struct err *none = vars_prepare(tempdir_root(*state), &conf, DATA, &fw);
	assert_non_null(strstr(err_remedy(none), "no good copy"));
	obey(*state, none);
	cleanup_err struct err *gone = vars_prepare(tempdir_root(*state), &conf, DATA, &fw);
	assert_non_null(strstr(err_text(gone), "are gone"));
	obey(*state, gone);
	prepare(*state);
}

/* It was there and is not: not made anew silently. */
static void test_gone(void **state)
{
	overwrite(*state, "/template", template.s, template.len);
	prepare(*state);
	ok(root_unlink(tempdir_root(*state), VARS));
	cleanup_err struct err *e = vars_prepare(tempdir_root(*state), &conf, DATA, &fw);
	assert_non_null(strstr(err_text(e), "are gone"));
	assert_false(root_exists(tempdir_root(*state), VARS));
	obey(*state, e);
	prepare(*state);
}

static void test_other_firmware(void **state)
{
	cleanup_free char *small = mem_new(131072);
	memcpy(small, template.s, 131072);
	overwrite(*state, "/template", template.s, template.len);
	ok(root_mkdirs(tempdir_root(*state), DATA "/qlaunch/win11", 0700));
	overwrite(*state, VARS, small, 131072);
	cleanup_err struct err *e = vars_prepare(tempdir_root(*state), &conf, DATA, &fw);
	assert_non_null(strstr(err_text(e), "131072 bytes, and the firmware's are"));
	assert_non_null(strstr(err_remedy(e), ".damaged"));
}

static void put_le(uint8_t *p, uint64_t value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(value >> (8 * i));
}

/* The volume of a smaller image: good, so nothing is to be moved away; its image is to be named. */
static void test_smaller_image(void **state)
{
	enum { SMALL = 131072, LENGTH = 32, HEADER = 48, SUM = 50, STORE_SIZE = 16 };
	cleanup_free uint8_t *small = mem_new(SMALL);
	uint16_t header, word, sum = 0;
	overwrite(*state, "/template", template.s, template.len);
	ok(root_mkdirs(tempdir_root(*state), DATA "/qlaunch/win11", 0700));
	memcpy(small, template.s, SMALL);
	header = (uint16_t)(small[HEADER] | small[HEADER + 1] << 8);
	put_le(small + LENGTH, SMALL, 8);
	put_le(small + SUM, 0, 2);
	for (size_t i = 0; i < header; i += 2, sum = (uint16_t)(sum + word))
		word = (uint16_t)(small[i] | small[i + 1] << 8);
	put_le(small + SUM, (uint16_t)-sum, 2);
	put_le(small + header + STORE_SIZE, (uint64_t)(SMALL - header), 4);
	overwrite(*state, VARS, small, SMALL);
	cleanup_err struct err *e = vars_prepare(tempdir_root(*state), &conf, DATA, &fw);
	assert_non_null(strstr(err_text(e), "they are good, and of another image"));
	assert_non_null(strstr(err_remedy(e), "code in [firmware]"));
	assert_null(strstr(err_remedy(e), ".damaged"));
}

static void test_path_of_the_configuration(void **state)
{
	struct config c = conf;
	c.firmware.vars = (char *)"/srv/it's here/my vars.fd";
	overwrite(*state, "/template", template.s, template.len);
	ok(vars_prepare(tempdir_root(*state), &c, DATA, &fw));
	assert_true(root_exists(tempdir_root(*state), "/srv/it's here/my vars.fd"));
	overwrite(*state, "/srv/it's here/my vars.fd", "x", 1);
	cleanup_err struct err *e = vars_prepare(tempdir_root(*state), &c, DATA, &fw);
	assert_non_null(strstr(err_remedy(e), "'/srv/it'\\''s here/my vars.fd'"));
	ok(root_unlink(tempdir_root(*state), "/srv/it's here/my vars.fd"));
	ok(root_mkdir(tempdir_root(*state), "/srv/it's here/my vars.fd", 0700));
	cleanup_err struct err *dir = vars_prepare(tempdir_root(*state), &c, DATA, &fw);
	assert_non_null(strstr(err_text(dir), "not a regular file"));
}

static void test_bad_template(void **state)
{
	overwrite(*state, "/template", template.s, template.len / 2);
	cleanup_err struct err *e = vars_prepare(tempdir_root(*state), &conf, DATA, &fw);
	assert_non_null(strstr(err_text(e), "template"));
	assert_false(root_exists(tempdir_root(*state), VARS));
}

static void test_qcow2(void **state)
{
	cleanup_free char *raw = str_fmt("%s/template", tempdir_path(*state)), *image = str_fmt("%s/template.qcow2", tempdir_path(*state));
	char *out = NULL;
	size_t len;
	struct firmware q = fw;
	q.template = (char *)"/template.qcow2";
	q.vars_format = (char *)"qcow2";
	overwrite(*state, "/template", template.s, template.len);
	ok(child_output((const char *const[]){ "qemu-img", "convert", "-O", "qcow2", raw, image, NULL }, 20000, &out));
	free(out);
	ok(vars_prepare(tempdir_root(*state), &conf, DATA, &q));
	cleanup_free char *made = read_back(*state, DATA "/qlaunch/win11/VARS.qcow2", &len);
	overwrite(*state, DATA "/qlaunch/win11/VARS.qcow2", made, 200000);
	cleanup_err struct err *torn = vars_prepare(tempdir_root(*state), &conf, DATA, &q);
	assert_non_null(strstr(err_text(torn), "ends within its tables"));
	made[79] |= 2;
	overwrite(*state, DATA "/qlaunch/win11/VARS.qcow2", made, len);
	cleanup_err struct err *corrupt = vars_prepare(tempdir_root(*state), &conf, DATA, &q);
	assert_non_null(strstr(err_text(corrupt), "corrupt"));
}

/* Killed at each write of a preparation: the file is whole and the next one does the rest. */
static int nth, die_at;
static int die(void *data, const char *what, const char *path, const char *value)
{
	(void)data, (void)what, (void)path, (void)value;
	if (++nth == die_at)
		_exit(9);
	return 0;
}

static struct err *killed_at(void *state)
{
	static const struct root_hook hook = { .before = die };
	nth = 0;
	root_set_hook(tempdir_root(state), &hook);
	return vars_prepare(tempdir_root(state), &conf, DATA, &fw);
}

static void test_killed(void **state)
{
	overwrite(*state, "/template", template.s, template.len);
	bool died = true;
	for (die_at = 1; died; die_at++) {
		struct err *e = child_call(killed_at, *state, 20000);
		died = e != NULL;
		err_free(e);
		prepare(*state);
		size_t len;
		cleanup_free char *whole = read_back(*state, VARS, &len);
		assert_int_equal(len, template.len);
		assert_true(count(*state, COPIES) >= 1);
		template.s[template.len - 1] ^= (char)die_at; /* so that the next one has something to copy */
		overwrite(*state, VARS, template.s, template.len);
	}
	assert_true(die_at > 2);
	template.s[template.len - 1] = '\xff';
}

/* swtpm's own state, as its version 0.7.1 writes it: a header and its length of anything. */
static const uint8_t state_head[10] = { 2, 1, 0, 10, 0, 0, 0, 0, 5, 0x23 };

static void test_tpm(void **state)
{
	uint8_t bytes[0x523] = {};
	struct root *root = tempdir_root(*state);
	memcpy(bytes, state_head, sizeof(state_head));
	ok(tpm_prepare(root, &conf, DATA)); /* the first start: swtpm will make one */
	ok(tpm_prepare(root, &conf, DATA)); /* it did not come so far */
	overwrite(*state, TPM, bytes, sizeof(bytes));
	ok(tpm_prepare(root, &conf, DATA));
	static const size_t torn[] = { 0, 5, 10, 1000, 0x522 };
	for (size_t i = 0; i < ARRAY_SIZE(torn); i++) {
		overwrite(*state, TPM, bytes, torn[i]);
		cleanup_err struct err *e = tpm_prepare(root, &conf, DATA);
		assert_non_null(strstr(err_remedy(e), "tpm.copies/tpm2-00.permall.000001"));
		obey(*state, e);
		ok(tpm_prepare(root, &conf, DATA));
	}
	uint8_t zeros[0x523] = {};
	overwrite(*state, TPM, zeros, sizeof(zeros)); /* what a file system makes of a file that was never synced */
	cleanup_err struct err *e = tpm_prepare(root, &conf, DATA);
	assert_non_null(e);
	ok(root_unlink(root, TPM));
	cleanup_err struct err *gone = tpm_prepare(root, &conf, DATA);
	assert_non_null(strstr(err_text(gone), "are gone"));
	assert_non_null(strstr(err_remedy(gone), "BitLocker"));
	assert_false(root_exists(root, TPM));
	cleanup_err struct err *comma = tpm_prepare(root, &conf, "/home/a,b");
	assert_non_null(strstr(err_text(comma), "no path with a comma"));
	assert_false(root_exists(root, "/home/a,b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_made_once, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_last_five, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_damaged, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_damaged_copy, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_gone, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_other_firmware, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_smaller_image, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_path_of_the_configuration, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_bad_template, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_qcow2, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_killed, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_tpm, tempdir_setup, tempdir_teardown),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
