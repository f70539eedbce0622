/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Monitors: what is made of their words, and whose an input is; and which files are discs. The lab has the real library. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "launcher/host/screen/monitor.h"
#include "launcher/plan/install.h"
#include "tests/unit/tempdir.h"

static void test_inputs(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t n;
		uint8_t first, last;
	} cases[] = {
		{ "(prot(monitor)type(LCD)cmds(01 02)vcp(10 60(0F 12)DF)mccs_ver(2.1))", 2, 0x0f, 0x12 },
		{ "(vcp(02 14(05 60 08) 60( 11 12 0F 10 ) 62))", 4, 0x11, 0x10 }, /* a 60 that is a value of another feature */
		{ "(vcp(60))", 0, 0, 0 },
		{ "(vcp(60(", 0, 0, 0 },
		{ "(vcp(60(0f", 1, 0x0f, 0x0f },
		{ "vcp(((((", 0, 0, 0 },
		{ "60(0F)", 0, 0, 0 },
		{ "(vcp(60(zz 0F fff 12)))", 2, 0x0f, 0x12 },
		{ "(vcp(02 60(010F1112) 62))", 4, 0x01, 0x12 },     /* packed values */
		{ "(vcp(0204101214(0508)60(0F1B)62))", 2, 0x0f, 0x1b }, /* packed codes, the last of which is it */
		{ "(vcp(6002(0F1B)62))", 0, 0, 0 },                 /* it is not the last one here */
		{ "(vcp(60(0F11F)62))", 0, 0, 0 },                  /* no pairs */
		{ "", 0, 0, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct monitor m = {};
		monitor_parse_inputs(cases[i].text, &m);
		assert_int_equal(m.n_inputs, cases[i].n);
		if (m.n_inputs) {
			assert_int_equal(m.inputs[0], cases[i].first);
			assert_int_equal(m.inputs[m.n_inputs - 1], cases[i].last);
		}
	}
	cleanup_sb struct sb sb = {};
	sb_add(&sb, "(vcp(60(");
	for (int i = 0; i < 200; i++)
		sb_add(&sb, "0F ");
	struct monitor m = {};
	monitor_parse_inputs(sb.s, &m);
	assert_int_equal(m.n_inputs, MONITOR_INPUTS_MAX);
}

static void test_find(void **state)
{
	(void)state;
	struct monitors all = { .v = { { .name = "AUS ROG PG279Q", .serial = "K1" }, { .name = "AUS VG27", .serial = "K2" } }, .n = 2 };
	const struct monitor *m = NULL;
	assert_null(monitor_find(&all, "rog", &m));
	assert_ptr_equal(m, &all.v[0]);
	assert_null(monitor_find(&all, "K2", &m));
	assert_ptr_equal(m, &all.v[1]);
	cleanup_err struct err *two = monitor_find(&all, "AUS", &m), *none = monitor_find(&all, "DELL", &m);
	assert_non_null(strstr(err_text(two), "fits two"));
	assert_non_null(none);
}

/* Two of one model without serial numbers: by where they are plugged in. */
static void test_twins(void **state)
{
	struct root *root = tempdir_root(*state);
	const struct monitor *m = NULL;
	struct monitors all = {
		.v = { { .name = "DEL U2723QE", .bus = 5 }, { .name = "DEL U2723QE", .bus = 7 }, { .name = "DEL U27", .bus = 9 } }, .n = 3
	};
	assert_null(root_mkdirs(root, "/sys/class/drm/card1-DP-2/i2c-5", 0755));
	assert_null(root_mkdirs(root, "/sys/class/drm/card1-HDMI-A-1", 0755));
	assert_null(root_symlink(root, "../../devices/pci0000:00/0000:01:00.0/i2c-7", "/sys/class/drm/card1-HDMI-A-1/ddc"));
	assert_null(root_mkdirs(root, "/sys/class/drm/card1", 0755));
	monitors_connectors(root, &all);
	cleanup_free char *first = monitor_match(&all, &all.v[0]), *second = monitor_match(&all, &all.v[1]),
			  *third = monitor_match(&all, &all.v[2]);
	assert_string_equal(first, "DP-2");
	assert_string_equal(second, "HDMI-A-1");
	assert_string_equal(third, "i2c-9"); /* its name is in the others', and the kernel knows no connector */
	for (size_t i = 0; i < 3; i++) {
		const char *const words[] = { first, second, third };
		assert_null(monitor_find(&all, words[i], &m));
		assert_ptr_equal(m, &all.v[i]);
	}
	assert_null(monitor_find(&all, "hdmi-a-1", &m));
	assert_ptr_equal(m, &all.v[1]);
	cleanup_err struct err *two = monitor_find(&all, "U2723QE", &m);
	assert_non_null(strstr(err_remedy(two), "match = DP-2, or HDMI-A-1"));
}

static void test_whose(void **state)
{
	(void)state;
	static const struct {
		const char *want, *prior, *now;
		enum step_whose whose;
	} cases[] = {
		/* what it reads need not be what it shows: it is sent back whatever it reads */
		{ "0x0f", "0x12", "0x12", STEP_WANTED },
		{ "0x0f", "0x12", "0x0f", STEP_WANTED },
		{ "0x0f", "0x12", "silent", STEP_WANTED },
		{ "0x0f", "0x12", "0x11", STEP_WANTED },
		{ "0x0f", "0x12", "0x00", STEP_WANTED },
		{ "0x0f, then 0x11", "0x12", "0x11", STEP_WANTED },
		{ "0x0305, then 0x0306", "0x00", "0x00", STEP_WANTED },
		{ "0x0f, then 0x11", "silent", "0x0f", STEP_WANTED },
		{ "nonsense", "0x12", "0x0f", STEP_FOREIGN },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct steps steps = {};
		struct step *s = steps_add(&steps, &monitor_kind, "ROG", cases[i].want, "");
		str_set(&s->prior, cases[i].prior);
		assert_int_equal(step_whose(s, cases[i].now), cases[i].whose);
		steps_free(&steps);
	}
	assert_true(monitor_input_usable(1) && monitor_input_usable(0xff));
	assert_false(monitor_input_usable(0) || monitor_input_usable(0x0305) || monitor_input_usable(-1));
	unsigned two = 0;
	assert_null(monitor_input_parse("0x0305", &two));
	assert_int_equal(two, 0x0305);
	/* one that does not tell what it shows is not switched: nobody would know the way back */
	static const char *const untold[] = { "silent", "0x00", "0x0305" };
	for (size_t i = 0; i < ARRAY_SIZE(untold); i++) {
		struct steps one = {};
		struct step *s = monitor_step(&one, "ROG", 0x0f, 0);
		str_set(&s->prior, untold[i]);
		cleanup_err struct err *e = monitor_kind.apply(&(struct step_env){}, s);
		assert_string_equal(err_remedy(e), "set host-input");
		steps_free(&one);
	}
	struct steps steps = {};
	cleanup_free char *what = monitor_kind.describe(monitor_step(&steps, "ROG", 0x0f, 0x12));
	assert_string_equal(what, "switch monitor ROG to input 0x0f (DisplayPort 1)");
	steps_free(&steps);
}

static void test_discs(void **state)
{
	cleanup_free char *path = str_fmt("%s/disc", tempdir_path(*state)), *sectors = mem_new(40 * 2048);
	struct disc d = {};
	for (int round = 0; round < 3; round++) {
		if (round == 1)
			memcpy(sectors + 16 * 2048, "\1CD001", 6), memcpy(sectors + 16 * 2048 + 40, "UBUNTU\33   ", 10);
		if (round == 2)
			memcpy(sectors + 19 * 2048, "\0NSR02", 6);
		FILE *f = fopen(path, "w");
		assert_true(f && fwrite(sectors, 2048, 40, f) == 40 && fclose(f) == 0);
		cleanup_err struct err *e = disc_read(path, &d);
		assert_true(!e == (round > 0));
		if (round)
			assert_string_equal(d.label, "UBUNTU?");
		assert_int_equal(d.udf, round == 2);
	}
	cleanup_err struct err *dir = disc_read(tempdir_path(*state), &d), *none = disc_read("/nonexistent", &d);
	assert_non_null(dir);
	assert_non_null(none);
}

/* A machine with a monitor runs where none can be asked, and check says so before. */
static void test_findings(void **state)
{
	char match[] = "ROG";
	struct conf_monitor monitor = { .match = match };
	struct config with = { .monitors = &monitor, .n_monitors = 1 }, without = {};
	cleanup_findings struct findings none = {}, silent = {}, found = {};
	monitor_findings(&none, &with, tempdir_root(*state));
	monitor_findings(&silent, &without, tempdir_root(*state));
	assert_null(root_mkdirs(tempdir_root(*state), "/dev", 0700));
	assert_null(root_put(tempdir_root(*state), "/dev/i2c-3", "", 0600));
	monitor_findings(&found, &with, tempdir_root(*state));
	assert_true(none.n == 1 && none.v[0].verdict == FINDING_WARN);
	assert_string_equal(none.v[0].remedy, "modprobe i2c-dev");
	assert_true(silent.n == 0 && found.n == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inputs),
		cmocka_unit_test(test_find),
		cmocka_unit_test_setup_teardown(test_twins, tempdir_setup, tempdir_teardown),
		cmocka_unit_test(test_whose),
		cmocka_unit_test_setup_teardown(test_findings, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_discs, tempdir_setup, tempdir_teardown),
	};
	return cmocka_run_group_tests_name("monitor", tests, NULL, NULL);
}
