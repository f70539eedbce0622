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

/* What is said of what was measured, of the last that was parsed. */
static json_t *about;

static struct err *parse_text(const char *adapter, const char *name, const char *program, const char *text, json_t *metrics)
{
	json_decref(about);
	about = json_object();
	struct adapter_job job = { name, program, metrics, about };
	return adapter_parse(adapter_find(adapter), &job, text);
}

static json_t *parsed(const char *adapter, const char *file)
{
	cleanup_free char *text = sample(file);
	json_t *metrics = json_object();
	struct err *e = parse_text(adapter, adapter, NULL, text, metrics);
	assert_string_equal(err_text(e), "");
	return metrics;
}

static void about_is(const char *name, const char *key, const char *value)
{
	const char *is = json_string_value(json_object_get(json_object_get(about, name), key));
	assert_string_equal(is ? is : "", value);
}

/* That it is refused, by these words. */
static void refused(const char *adapter, const char *program, const char *text, const char *words)
{
	json_t *metrics = json_object();
	cleanup_err struct err *e = parse_text(adapter, "x", program, text, metrics);
	assert_non_null(e);
	if (!strstr(err_text(e), words))
		print_message("%s\n", err_text(e));
	assert_non_null(strstr(err_text(e), words));
	json_decref(metrics);
}

/* A sample with one thing replaced. Owned by the caller. */
static char *replaced(const char *file, const char *was, const char *is)
{
	cleanup_free char *text = sample(file);
	const char *at = strstr(text, was);
	assert_non_null(at);
	return str_fmt("%.*s%s%s", (int)(at - text), text, is, at + strlen(was));
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

static double value(const json_t *metrics, const char *name, size_t i)
{
	return json_number_value(json_array_get(json_object_get(json_object_get(metrics, name), "v"), i));
}

static void test_cyclictest_forms(void **state)
{
	(void)state;
	json_t *m = parsed("cyclictest", "cyclictest-plain.txt");
	check(m, "cyclictest.max", "us", "less", 1, 41659);
	check(m, "cyclictest.mean", "us", "less", 1, (1181 * 832 + 1153 * 397) / 2334.0);
	json_decref(m);
	m = parsed("cyclictest", "cyclictest.json");
	check(m, "cyclictest.max", "us", "less", 1, 94880);
	about_is("cyclictest", "version", "2.40");
	json_decref(m);
	/* 1417 and 1257 cycles, most beyond the 60 us of the histogram: at least as long as it, and the longest of each */
	m = parsed("cyclictest", "cyclictest-histogram.json");
	size_t n = json_array_size(json_object_get(json_object_get(m, "cyclictest"), "v"));
	assert_true(n > 2600 && n < 2700);
	assert_float_equal(value(m, "cyclictest", n - 1), 109180, 1e-9);
	assert_float_equal(value(m, "cyclictest", n - 2), 28987, 1e-9);
	assert_float_equal(value(m, "cyclictest", n - 3), 60, 1e-9);
	assert_float_equal(value(m, "cyclictest", 100), 60, 1e-9);
	json_decref(m);
	/* --histofall's third column is the sum of the other two: counted once. 30 + 17 + 1747 + 1733 */
	m = parsed("cyclictest", "cyclictest-histofall.txt");
	check(m, "cyclictest", "us", "less", 3527, 21);
	assert_float_equal(value(m, "cyclictest", 3526), 35916, 1e-9);
	assert_float_equal(value(m, "cyclictest", 3524), 60, 1e-9);
	json_decref(m);
	cleanup_free char *later = replaced("cyclictest.json", "\"2.40\"", "\"3.10\"");
	refused("cyclictest", NULL, later, "rt-tests of version \"3.10\" is not known here");
}

static void test_phoronix(void **state)
{
	(void)state;
	json_t *m = parsed("phoronix", "phoronix.xml");
	check(m, "phoronix.pts/compress-7zip.Test:_Compression_Rating.MIPS", "MIPS", "more", 3, 38211);
	check(m, "phoronix.pts/build-linux-kernel.Build:_defconfig[defconfig].Seconds", "Seconds", "less", 3, 181.423);
	about_is("phoronix", "version", "10.8.4");
	json_decref(m);
	/* signs and verifies are two, as are other arguments */
	static const char two[] =
		"<P><Generated><TestClient>pts/10.8.4</TestClient></Generated>"
		"<Result><Identifier>pts/openssl-3.1.0</Identifier><Arguments>rsa4096</Arguments><Description>Algorithm: RSA4096</Description>"
		"<Scale>sign/s</Scale><Data><Entry><Value>4.5</Value></Entry></Data></Result>"
		"<Result><Identifier>pts/openssl-3.1.0</Identifier><Arguments>rsa4096</Arguments><Description>Algorithm: RSA4096</Description>"
		"<Scale>verify/s</Scale><Data><Entry><Value>300</Value></Entry></Data></Result></P>";
	m = json_object();
	assert_null(parse_text("phoronix", "p", NULL, two, m));
	check(m, "p.pts/openssl.Algorithm:_RSA4096[rsa4096].sign/s", "sign/s", "more", 1, 4.5);
	check(m, "p.pts/openssl.Algorithm:_RSA4096[rsa4096].verify/s", "verify/s", "more", 1, 300);
	json_decref(m);
	cleanup_free char *later = replaced("phoronix.xml", "pts/10.8.4", "pts/12.0");
	cleanup_free char *test_failed =
		str_fmt("<P><Generated><TestClient>pts/10.8.4</TestClient></Generated><Result><Identifier>pts/x-1</Identifier>"
			"<Data><Entry><Value></Value></Entry></Data></Result></P>");
	refused("phoronix", NULL, test_failed, "x.pts/x failed: it has no value");
	refused("phoronix", NULL, later, "Phoronix Test Suite of version \"12.0\" is not known here");
}

static void test_geekbench(void **state)
{
	(void)state;
	json_t *m = parsed("geekbench", "geekbench.txt");
	check(m, "geekbench.single-core", "points", "more", 1, 2590);
	check(m, "geekbench.multi-core", "points", "more", 1, 10111);
	about_is("geekbench", "version", "6.3.0");
	assert_true(adapter_find("geekbench")->uploads && strstr(adapter_find("geekbench")->before, "only a link"));
	json_decref(m);
	m = parsed("geekbench", "geekbench.json");
	check(m, "geekbench.single-core", "points", "more", 1, 2590);
	check(m, "geekbench.Multi-Core.File_Compression", "points", "more", 1, 6120);
	json_decref(m);
	cleanup_free char *free_edition = sample("geekbench-free.txt"), *later = replaced("geekbench.json", "6.3.0", "7.0.1");
	refused("geekbench", NULL, free_edition, "the free edition says a link only: https://browser.geekbench.com/v6/cpu/1234567");
	refused("geekbench", NULL, later, "Geekbench of version \"7.0.1\" is not known here");
}

static void test_fio(void **state)
{
	(void)state;
	json_t *m = parsed("fio", "fio.json");
	check(m, "fio.one.read.iops", "1/s", "more", 1, 3678.321678);
	check(m, "fio.two.write.iops", "1/s", "more", 1, 23691.308691);
	check(m, "fio.one.read.latency.p99", "us", "less", 1, 4112.384);
	about_is("fio", "version", "3.33");
	json_decref(m);
	/* the histogram of json+: as many samples as reads, and percentiles as fio itself says them */
	m = parsed("fio", "fio-histogram.json");
	const json_t *v = json_object_get(json_object_get(m, "fio.read.latency"), "v");
	assert_int_equal(json_array_size(v), 8695);
	assert_float_equal(json_number_value(json_array_get(v, 8695 / 2)), 69.120, 1);
	assert_float_equal(json_number_value(json_array_get(v, 8695 * 99 / 100)), 3751.936, 60);
	check(m, "fio.write.iops", "1/s", "more", 1, value(m, "fio.write.iops", 0));
	json_decref(m);
	cleanup_free char *failed = replaced("fio.json", "\"error\": 0", "\"error\": 5"),
			  *later = replaced("fio.json", "fio-3.33", "fio-4.0");
	refused("fio", NULL, failed, "job one of fio failed: error 5");
	refused("fio", NULL, later, "fio of version \"4.0\" is not known here");
}

static void test_tables(void **state)
{
	(void)state;
	json_t *m = parsed("7zip", "7zip.txt");
	check(m, "7zip.compress", "MIPS", "more", 1, 1996);
	check(m, "7zip.decompress", "MIPS", "more", 1, 1073);
	check(m, "7zip.total", "MIPS", "more", 1, 1534);
	about_is("7zip", "version", "26.02");
	json_decref(m);
	m = parsed("7zip", "7zip-7zz.txt");
	check(m, "7zip.total", "MIPS", "more", 1, 1400);
	json_decref(m);
	m = parsed("stress-ng", "stress-ng.txt");
	check(m, "stress-ng.cpu", "bogo op/s", "more", 1, 226.15);
	check(m, "stress-ng.vm", "bogo op/s", "more", 1, 2325.98);
	json_decref(m);
	m = parsed("stress-ng", "stress-ng-brief.txt");
	check(m, "stress-ng.cpu", "bogo op/s", "more", 1, 413.12);
	json_decref(m);
	m = parsed("glmark2", "glmark2.txt");
	check(m, "glmark2.score", "points", "more", 1, 1216);
	check(m, "glmark2.build.duration=1", "1/s", "more", 1, 490);
	about_is("glmark2", "version", "2023.01");
	json_decref(m);
	m = parsed("vkmark", "vkmark.txt");
	check(m, "vkmark.score", "points", "more", 1, 10415);
	check(m, "vkmark.vertex.device-local=true", "1/s", "more", 1, 12293);
	json_decref(m);
	m = parsed("passmark", "passmark.yml");
	check(m, "passmark.cpu-mark", "points", "more", 1, 24685.407296119931);
	check(m, "passmark.latency", "ns", "less", 1, 51.2);
	assert_null(json_object_get(m, "passmark.sorting")); /* 0: it did not run */
	json_decref(m);
	m = parsed("latencymon", "latencymon.txt"); /* decimal commas */
	check(m, "latencymon.interrupt-to-process.max", "us", "less", 1, 321.1);
	check(m, "latencymon.DPC.max", "us", "less", 1, 63.694805);
	check(m, "latencymon.pagefaults", "n", "less", 1, 1987);
	json_decref(m);
	m = parsed("unigine", "unigine-heaven.html");
	check(m, "unigine.fps", "1/s", "more", 1, 83.5);
	check(m, "unigine.fps.min", "1/s", "more", 1, 31.8);
	about_is("unigine", "tool", "Heaven");
	json_decref(m);
	m = parsed("unigine", "unigine-superposition.txt");
	check(m, "unigine.score", "points", "more", 1, 11054);
	check(m, "unigine.fps", "1/s", "more", 1, 82.7);
	json_decref(m);
	m = parsed("3dmark", "3dmark.xml");
	check(m, "3dmark.TimeSpyPerformanceGraphicsScore", "points", "more", 1, 12411);
	check(m, "3dmark.TimeSpyPerformanceGraphicsTest1", "1/s", "more", 1, 81.4);
	json_decref(m);
	static const char *const later[][4] = {
		{ "sysbench-cpu", "sysbench.txt", "sysbench 1.0.20", "sysbench 2.1" }, { "7zip", "7zip.txt", "26.02", "31.00" },
		{ "glmark2", "glmark2.txt", "2023.01", "2031.01" }, { "vkmark", "vkmark.txt", "2025.01", "1.0" },
		{ "passmark", "passmark.yml", "Major: 11", "Major: 13" }, { "unigine", "unigine-heaven.html", "4.0 Basic", "5.0 Basic" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(later); i++) {
		cleanup_free char *text = replaced(later[i][1], later[i][2], later[i][3]);
		refused(later[i][0], NULL, text, "is not known here");
	}
	refused("3dmark", NULL, "<a><QuantumLeap3DMarkScore>5</QuantumLeap3DMarkScore></a>", "QuantumLeap3DMarkScore");
	refused("stress-ng", NULL, "stress-ng: fail:  [7] cpu: wrong\n", "stress-ng: fail:");
	refused("glmark2", NULL, "glmark2 2023.01\n[build] use-vbo=false: Set up failed\nglmark2 Score: 3\n", "Set up failed");
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
	assert_null(parse_text("presentmon", "two", NULL, two, m));
	check(m, "two.fps", "1/s", "more", 1, 50);
	check(m, "two.frame", "ms", "less", 2, 10);
	json_decref(m);
	/* chains are not mixed, and the desktop is not the game, be it ever so busy; unless it is asked for by name */
	m = json_object();
	const char chains[] =
		"Application,ProcessID,SwapChainAddress,msBetweenPresents\ndwm.exe,1,0x0,16\ndwm.exe,1,0x0,16\ndwm.exe,1,0x0,16\n"
		"g.exe,7,0xa,5\ng.exe,7,0xb,40\ng.exe,7,0xa,5\ng.exe,8,0xa,90\n";
	assert_null(parse_text("presentmon", "c", NULL, chains, m));
	check(m, "c.fps", "1/s", "more", 1, 200);
	check(m, "c.frame", "ms", "less", 2, 5);
	about_is("c", "program", "g.exe");
	about_is("c", "process", "7");
	about_is("c", "chain", "0xa");
	assert_null(parse_text("presentmon", "d", "DWM.exe", chains, m));
	check(m, "d.frame", "ms", "less", 3, 16);
	json_decref(m);
	refused("presentmon", "h.exe", chains, "no frame of h.exe in it");
	refused("presentmon", NULL, "Application,Sekunden\ng.exe,1\n", "not a log of frames that is known here: \"Application,Sekunden\"");
}

/* The same 120 frames as each tool writes them: 119 of 6.9 to 8.1 ms, one of 37.3 ms; the lows as each counts them. */
static void test_logs(void **state)
{
	(void)state;
	static const char *const logs[][3] = { { "presentmon", "presentmon-2.csv", "game.exe" },
					       { "frameview", "frameview.csv", "game.exe" },
					       { "ocat", "ocat.csv", "game.exe" },
					       { "capframex", "capframex.csv", "game.exe" },
					       { "capframex", "capframex.json", "game.exe" },
					       { "mangohud", "mangohud.csv", "" } };
	for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
		json_t *m = parsed(logs[i][0], logs[i][1]);
		cleanup_free char *fps = str_fmt("%s.fps", logs[i][0]), *frame = str_fmt("%s.frame", logs[i][0]),
				  *hud = str_fmt("%s.fps-low-1%%.mangohud", logs[i][0]);
		print_message("# %s\n", logs[i][1]);
		assert_float_equal(value(m, fps, 0), 1000 / 7.7425, 0.01);
		assert_int_equal(json_array_size(json_object_get(json_object_get(m, frame), "v")), 120);
		check(m, hud, "1/s", "more", 1, 1000 / 37.3); /* 1.2 frames less 1: the longest */
		about_is(logs[i][0], "program", logs[i][2]);
		json_decref(m);
	}
	/* MangoHud of old logs microseconds: what it says of frames a second tells */
	json_t *m = json_object();
	assert_null(parse_text("mangohud", "h", NULL, "os,cpu\nD,c\nfps,frametime\n125,8000\n125,8000\n", m));
	check(m, "h.fps", "1/s", "more", 1, 125);
	json_decref(m);
	m = parsed("afterburner", "afterburner.hml");
	check(m, "afterburner.fps.seen", "1/s", "more", 1, 142);
	check(m, "afterburner.fps-low-1%.afterburner", "1/s", "more", 1, 95.5 - 1.9);
	assert_null(json_object_get(m, "afterburner.frame")); /* it has no log of frames */
	json_decref(m);
	m = parsed("afterburner", "afterburner.txt");
	check(m, "afterburner.fps", "1/s", "more", 1, 59.6);
	check(m, "afterburner.fps-low-0.1%.afterburner", "1/s", "more", 1, 30.4);
	about_is("afterburner", "program", "game.exe");
	json_decref(m);
	cleanup_free char *text = sample("afterburner.txt"), *later = replaced("afterburner.hml", "log v1.6", "log v2.0"),
			  *frame_x = replaced("capframex.json", "1.7.3.0", "2.0");
	m = json_object();
	assert_null(parse_text("afterburner", "b", "other.exe", text, m));
	check(m, "b.fps", "1/s", "more", 1, 100);
	json_decref(m);
	refused("afterburner", NULL, later, "Afterburner's log of version \"2.0\" is not known here");
	refused("capframex", NULL, frame_x, "CapFrameX of version \"2.0\" is not known here");
	cleanup_free char *json = sample("capframex.json");
	refused("capframex", "chess.exe", json, "no frame of chess.exe");
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
	assert_null(parse_text("presentmon", "f", NULL, text.s, m));
	double sum = 989 * 10 + 10 * 20 + 100;
	check(m, "f.fps", "1/s", "more", 1, 1000 * 1000 / sum);
	check(m, "f.fps-low-1%.percentile", "1/s", "more", 1, 1000 / 20.0); /* 11 frames are longer than 10 ms */
	check(m, "f.fps-low-1%.mangohud", "1/s", "more", 1, 1000 / 20.0);   /* the tenth longest */
	check(m, "f.fps-low-0.1%.mangohud", "1/s", "more", 1, 1000 / 100.0);
	check(m, "f.fps-low-1%.mean", "1/s", "more", 1, 1000 / 28.0);     /* 100 and nine of 20 */
	check(m, "f.fps-low-1%.integral", "1/s", "more", 1, 1000 / 20.0); /* 100 of 101.9 ms, then 20 */
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
		{ "sysbench-cpu", "sysbench.txt" }, { "cyclictest", "cyclictest.txt" }, { "cyclictest", "cyclictest-plain.txt" },
		{ "cyclictest", "cyclictest-histogram.json" }, { "phoronix", "phoronix.xml" }, { "geekbench", "geekbench.txt" },
		{ "geekbench", "geekbench.json" }, { "presentmon", "presentmon.csv" }, { "capframex", "capframex.json" },
		{ "mangohud", "mangohud.csv" }, { "afterburner", "afterburner.hml" }, { "afterburner", "afterburner.txt" },
		{ "fio", "fio-histogram.json" }, { "7zip", "7zip.txt" }, { "stress-ng", "stress-ng.txt" }, { "glmark2", "glmark2.txt" },
		{ "unigine", "unigine-heaven.html" }, { "3dmark", "3dmark.xml" }, { "latencymon", "latencymon.txt" },
		{ "passmark", "passmark.yml" }, { "lines", "sysbench.txt" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		cleanup_free char *text = sample(files[i][1]);
		for (size_t n = strlen(text), step = n / 200 + 7; n > 0; n = n > step ? n - step : 0) {
			json_t *m = json_object();
			text[n] = '\0';
			err_free(parse_text(files[i][0], "x", NULL, text, m));
			json_decref(m);
		}
		refused(files[i][0], NULL, "", "");
	}
	refused("sysbench-cpu", NULL, "sysbench 1.0.20\nFATAL: no", "x: no \"events per second:\" with a number in what it said");
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
		cmocka_unit_test(test_sysbench),   cmocka_unit_test(test_cyclictest), cmocka_unit_test(test_cyclictest_forms),
		cmocka_unit_test(test_phoronix),   cmocka_unit_test(test_geekbench),  cmocka_unit_test(test_fio),
		cmocka_unit_test(test_tables),	   cmocka_unit_test(test_presentmon), cmocka_unit_test(test_logs),
		cmocka_unit_test(test_frames),	   cmocka_unit_test(test_rubbish),    cmocka_unit_test(test_words),
	};
	int failed = cmocka_run_group_tests_name("bench_adapter", tests, NULL, NULL);
	json_decref(about);
	return failed;
}
