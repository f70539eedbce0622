/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Headers of disk images, whole and damaged; what qemu-img says of its progress; sizes to read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "launcher/base/num.h"
#include "launcher/host/disk/image.h"
#include "launcher/tools/qemu_img.h"

#define FILE_SIZE 0x40000u

static void put32(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> (24 - 8 * i));
}

static void put64(unsigned char *p, uint64_t v)
{
	put32(p, (uint32_t)(v >> 32));
	put32(p + 4, (uint32_t)v);
}

static void put_text(unsigned char *p, const char *text)
{
	while (*text)
		*p++ = (unsigned char)*text++;
}

/* As docs/interop/qcow2.txt lays it out: version 3, 64 KiB clusters, 1 GiB, over "base.qcow2" of format qcow2. */
static void make_header(unsigned char *b)
{
	memset(b, 0, 4096);
	put32(b, 0x514649fb);
	put32(b + 4, 3);
	put64(b + 8, 200);
	put32(b + 16, 10);
	put32(b + 20, 16);
	put64(b + 24, UINT64_C(1) << 30);
	put32(b + 36, 2);
	put64(b + 40, 0x30000);
	put64(b + 48, 0x10000);
	put32(b + 56, 1);
	put32(b + 60, 3);
	put32(b + 100, 104);
	put32(b + 104, 0xe2792aca);
	put32(b + 108, 5);
	put_text(b + 112, "qcow2");
	put_text(b + 200, "base.qcow2");
}

static void refused(const unsigned char *b, size_t n, uint64_t file_size, const char *words)
{
	struct qcow2 q = {};
	struct err *e = qcow2_parse(b, n, file_size, &q);
	assert_non_null(e);
	if (!strstr(err_text(e), words))
		fail_msg("\"%s\" does not say \"%s\"", err_text(e), words);
	assert_null(q.backing);
	err_free(e);
}

static void test_header(void **state)
{
	unsigned char b[4096];
	struct qcow2 q = {};
	(void)state;
	make_header(b);
	assert_null(qcow2_parse(b, sizeof(b), FILE_SIZE, &q));
	assert_int_equal(q.version, 3);
	assert_int_equal(q.size, UINT64_C(1) << 30);
	assert_int_equal(q.snapshots, 3);
	assert_string_equal(q.backing, "base.qcow2");
	assert_string_equal(q.backing_format, "qcow2");
	assert_false(q.corrupt);
	assert_false(q.encrypted);
	qcow2_free(&q);
	put64(b + 72, 2);
	put32(b + 32, 2);
	assert_null(qcow2_parse(b, sizeof(b), FILE_SIZE, &q));
	assert_true(q.corrupt);
	assert_true(q.encrypted);
	qcow2_free(&q);
}

static void test_no_backing_format(void **state)
{
	unsigned char b[4096];
	struct qcow2 q = {};
	(void)state;
	make_header(b);
	put32(b + 104, 0);
	assert_null(qcow2_parse(b, sizeof(b), FILE_SIZE, &q));
	assert_string_equal(q.backing, "base.qcow2");
	assert_null(q.backing_format);
	qcow2_free(&q);
}

static void test_damaged(void **state)
{
	unsigned char b[4096];
	(void)state;
	make_header(b);
	refused(b, 3, FILE_SIZE, "does not begin");
	refused(b, 50, FILE_SIZE, "ends within its header");
	refused(b, 80, FILE_SIZE, "ends within its header");
	refused(b, sizeof(b), 0x30000, "beyond its end");
	put32(b + 4, 7);
	refused(b, sizeof(b), FILE_SIZE, "version 7");
	make_header(b);
	put32(b + 20, 40);
	refused(b, sizeof(b), FILE_SIZE, "damaged header");
	make_header(b);
	put64(b + 8, 4090); /* its name would end behind what there is */
	refused(b, sizeof(b), FILE_SIZE, "damaged header");
	make_header(b);
	put64(b + 8, UINT64_MAX - 4);
	refused(b, sizeof(b), FILE_SIZE, "damaged header");
	make_header(b);
	put32(b + 16, UINT32_MAX);
	refused(b, sizeof(b), FILE_SIZE, "damaged header");
	make_header(b);
	put32(b + 100, UINT32_MAX);
	refused(b, sizeof(b), FILE_SIZE, "damaged header");
	make_header(b);
	put64(b + 40, UINT64_MAX - 15); /* a table whose end wraps round */
	refused(b, sizeof(b), FILE_SIZE, "beyond its end");
}

/* Extensions that lie about their length end the list, and nothing is read behind the header. */
static void test_extensions(void **state)
{
	unsigned char b[4096];
	(void)state;
	static const uint32_t lengths[] = { UINT32_MAX, UINT32_MAX - 7, 4096, 100 };
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct qcow2 q = {};
		make_header(b);
		put32(b + 108, lengths[i]);
		assert_null(qcow2_parse(b, sizeof(b), FILE_SIZE, &q));
		assert_null(q.backing_format);
		qcow2_free(&q);
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(image_format_of("/a/b.qcow2"), FORMAT_QCOW2);
	assert_int_equal(image_format_of("b.img"), FORMAT_RAW);
	assert_int_equal(image_format_of("b.raw"), FORMAT_RAW);
	assert_int_equal(image_format_of("/qcow2"), FORMAT_AUTO);
	assert_int_equal(image_format_of("/images.qcow2/disk"), FORMAT_AUTO);
}

static void test_percent(void **state)
{
	(void)state;
	assert_true(qemu_img_percent("") < 0);
	assert_true(qemu_img_percent("    (12.3") < 0);
	assert_true(qemu_img_percent("    (0.00/100%)\r") == 0);
	assert_true(qemu_img_percent("    (1.01/100%)\r    (12.50/100%)\r    (13.") == 12.5);
	assert_true(qemu_img_percent("    (100.00/100%)\r\n") == 100);
	assert_true(qemu_img_percent("(nan/100%)(-3.00/100%)(999.00/100%)") < 0);
}

static void test_rounded(void **state)
{
	(void)state;
	static const struct {
		uint64_t bytes;
		const char *text;
	} sizes[] = { { 0, "0" },	  { 1023, "1023" },	    { 1024, "1K" },	     { 1536, "1.5K" },
		      { 196616, "192K" }, { 64ull << 30, "64G" }, { 17823694848ull, "16.6G" }, { 2ull << 50, "2P" } };
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		char *text = size_rounded(sizes[i].bytes);
		assert_string_equal(text, sizes[i].text);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_header),	   cmocka_unit_test(test_no_backing_format), cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_extensions), cmocka_unit_test(test_names),	     cmocka_unit_test(test_percent),
		cmocka_unit_test(test_rounded),
	};
	return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
