/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_bench_adapter: what other benchmarks really said (tests/adapters), words of a command, and rubbish. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "launcher/base/root.h"
#include "launcher/base/str.h"
#include "launcher/bench/adapter.h"

#define SAMPLES "tests/adapters/"

static char *sample(const char *name)
{
	cleanup_root struct root *root = NULL;
	cleanup_free char *here = realpath(SAMPLES, NULL), *path = str_fmt("%s/%s", here, name);
	char *text = NULL;
	assert_null(root_open("/", &root));
	assert_null(root_read(root, path, &text));
	return text;
}

static json_t *parsed(const char *adapter, const char *file)
{
	cleanup_free char *text = sample(file);
	json_t *metrics = json_object();
	struct err *e = adapter_parse(adapter_find(adapter), adapter, text, metrics);
	assert_string_equal(err_text(e), "");
	return metrics;
}

static void check(const json_t *metrics, const char *name, const char *unit, const char *better, size_t n, double first)
{
	const json_t *m = json_object_get(metrics, name), *v = json_object_get(m, "v");
	assert_non_null(m);
	assert_string_equal(json_string_value(json_object_get(m, "unit")), unit);
	assert_string_equal(json_string_value(json_object_get(m, "better")), better);
	assert_int_equal(json_array_size(v), n);
	assert_float_equal(json_number_value(json_array_get(v, 0)), first, 1e-6);
}

static void test_sysbench(void **state)
{
	(void)state;
	json_t *m = parsed("sysbench-cpu", "sysbench.txt");
	check(m, "sysbench-cpu.events", "1/s", "more", 1, 8434.80);
	check(m, "sysbench-cpu.p95", "ms", "less", 1, 0.27);
	json_decref(m);
	m = parsed("sysbench-memory", "sysbench-memory.txt");
	check(m, "sysbench-memory.rate", "MiB/s", "more", 1, 9871.84);
	json_decref(m);
	m = parsed("sysbench-threads", "sysbench-threads.txt");
	check(m, "sysbench-threads.events", "n", "more", 1, 2006);
	json_decref(m);
}

static void test_cyclictest(void **state)
{
	(void)state;
	json_t *m = parsed("cyclictest", "cyclictest.txt");
	/* its own totals of both CPUs, and what was too long for the histogram: 996 + 990 + 4 + 1 */
	check(m, "cyclictest", "us", "less", 1991, 9);
	const json_t *v = json_object_get(json_object_get(m, "cyclictest"), "v");
	assert_true(json_is_true(json_object_get(json_object_get(m, "cyclictest"), "tails")));
	assert_float_equal(json_number_value(json_array_get(v, 1990)), 6285, 1e-9);
	json_decref(m);
}

static void test_phoronix(void **state)
{
	(void)state;
	json_t *m = parsed("phoronix", "phoronix.xml");
	check(m, "phoronix.pts/compress-7zip.Test:_Compression_Rating", "MIPS", "more", 3, 38211);
	check(m, "phoronix.pts/build-linux-kernel.Build:_defconfig", "Seconds", "less", 3, 181.423);
	json_decref(m);
}

static void test_geekbench(void **state)
{
	(void)state;
	json_t *m = parsed("geekbench", "geekbench.txt");
	check(m, "geekbench.single-core", "points", "more", 1, 2590);
	check(m, "geekbench.multi-core", "points", "more", 1, 10111);
	assert_true(adapter_find("geekbench")->uploads);
	json_decref(m);
}

static void test_presentmon(void **state)
{
	(void)state;
	json_t *m = parsed("presentmon", "presentmon.csv"); /* 300 frames of the game, 30 of the desktop */
	const json_t *frames = json_object_get(json_object_get(m, "presentmon.frame"), "v");
	assert_int_equal(json_array_size(frames), 300);
	json_decref(m);
	m = json_object();
	const char two[] = "\xef\xbb\xbf"
			   "Application,CPUStartTime,FrameTime\r\n\"a, b.exe\",0.1,10\r\n\"a, b.exe\",0.2,NA\r\n\"a, b.exe\",0.3,30\r\n";
	assert_null(adapter_presentmon("two", two, m));
	check(m, "two.fps", "1/s", "more", 1, 50);
	check(m, "two.frame", "ms", "less", 2, 10);
	json_decref(m);
	/* chains are not mixed, and the desktop is not the game, be it ever so busy */
	m = json_object();
	const char chains[] =
		"Application,ProcessID,SwapChainAddress,msBetweenPresents\ndwm.exe,1,0x0,16\ndwm.exe,1,0x0,16\ndwm.exe,1,0x0,16\n"
		"g.exe,7,0xa,5\ng.exe,7,0xb,40\ng.exe,7,0xa,5\ng.exe,8,0xa,90\n";
	assert_null(adapter_presentmon("c", chains, m));
	check(m, "c.fps", "1/s", "more", 1, 200);
	check(m, "c.frame", "ms", "less", 2, 5);
	json_decref(m);
	/* CapFrameX's lines before the header; MangoHud's */
	m = json_object();
	assert_null(adapter_presentmon("x", "//GameName=g\n//CPU=a, b\nApplication,MsBetweenPresents\ng.exe,4\n", m));
	check(m, "x.fps", "1/s", "more", 1, 250);
	assert_null(adapter_presentmon("h",
				       "os,cpu,gpu,ram,kernel,driver,cpuscheduler\nDebian,c,g,r,6.1,d,s\n"
				       "fps,frametime,cpu_load,gpu_load\n125,8,10,90\n125,8,10,90\n",
				       m));
	check(m, "h.fps", "1/s", "more", 1, 125);
	json_decref(m);
}

/* 989 frames of 10 ms, ten of 20 ms and one of 100 ms apart from each other: the answers are known. */
static void test_frames(void **state)
{
	(void)state;
	cleanup_sb struct sb text = {};
	json_t *m = json_object();
	sb_add(&text, "FrameTime\n");
	for (int i = 0; i < 1000; i++)
		sb_add(&text, i == 555 ? "100\n" : i % 100 == 50 ? "20\n" : "10\n");
	assert_null(adapter_presentmon("f", text.s, m));
	double sum = 989 * 10 + 10 * 20 + 100;
	check(m, "f.fps", "1/s", "more", 1, 1000 * 1000 / sum);
	check(m, "f.fps-low-1%.percentile", "1/s", "more", 1, 1000 / 20.0); /* 11 frames are longer than 10 ms */
	check(m, "f.fps-low-1%.mean", "1/s", "more", 1, 1000 / 28.0);       /* 100 and nine of 20 */
	check(m, "f.fps-low-1%.integral", "1/s", "more", 1, 1000 / 20.0);   /* 100 of 101.9 ms, then 20 */
	check(m, "f.fps-low-0.1%.mean", "1/s", "more", 1, 1000 / 100.0);
	check(m, "f.fps-low-0.1%.integral", "1/s", "more", 1, 1000 / 100.0);
	check(m, "f.stutter", "%", "less", 1, 100 * 100 / sum); /* 20 ms is twice the median: no stutter */
	json_decref(m);
}

/* Cut anywhere, a sample is an error or fewer numbers, never a crash; and what is missing is named. */
static void test_rubbish(void **state)
{
	(void)state;
	static const char *const files[][2] = {
		{ "sysbench-cpu", "sysbench.txt" }, { "cyclictest", "cyclictest.txt" }, { "phoronix", "phoronix.xml" },
		{ "geekbench", "geekbench.txt" },   { "presentmon", "presentmon.csv" }, { "lines", "sysbench.txt" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		cleanup_free char *text = sample(files[i][1]);
		for (size_t n = strlen(text); n > 0; n = n > 61 ? n - 61 : 0) {
			json_t *m = json_object();
			text[n] = '\0';
			err_free(adapter_parse(adapter_find(files[i][0]), "x", text, m));
			json_decref(m);
		}
		cleanup_err struct err *e = adapter_parse(adapter_find(files[i][0]), "x", "", NULL);
		assert_non_null(e);
	}
	cleanup_err struct err *e = adapter_parse(adapter_find("sysbench-cpu"), "x", "FATAL: no", NULL);
	assert_string_equal(err_text(e), "x: no \"events per second:\" with a number in what it said");
}

static void test_words(void **state)
{
	(void)state;
	cleanup_strv struct strv words = {};
	assert_null(adapter_words("\"C:\\Program Files\\p.exe\" --threads={cpus}  \"\" x", 12, &words));
	cleanup_free char *all = strv_join(&words, "|");
	assert_string_equal(all, "C:\\Program Files\\p.exe|--threads=12||x");
	cleanup_strv struct strv none = {};
	cleanup_err struct err *quote = adapter_words("a \"b", 1, &none);
	assert_non_null(quote);
	cleanup_strv struct strv blank = {};
	cleanup_err struct err *empty = adapter_words(" \t", 1, &blank);
	assert_non_null(empty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sysbench),   cmocka_unit_test(test_cyclictest), cmocka_unit_test(test_phoronix),
		cmocka_unit_test(test_geekbench), cmocka_unit_test(test_presentmon), cmocka_unit_test(test_frames), cmocka_unit_test(test_rubbish),
		cmocka_unit_test(test_words),
	};
	return cmocka_run_group_tests_name("bench_adapter", tests, NULL, NULL);
}
