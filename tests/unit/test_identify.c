/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which system a disc installs, and how people hand over a path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <unistd.h>
#include "launcher/tools/identify.h"
#include "launcher/verbs/typed.h"

static const struct guest_system *of(const char *id, const char *label, const char *publisher, const char *file)
{
	struct disc d = {};
	snprintf(d.label, sizeof(d.label), "%s", label);
	snprintf(d.publisher, sizeof(d.publisher), "%s", publisher);
	return identify_system(id, &d, file);
}

#define MICROSOFT "MICROSOFT CORPORATION"

static void test_windows(void **state)
{
	(void)state;
	/* one label for both: the name of the file, else what suits 11 and 10 */
	assert_string_equal(of(NULL, "CCCOMA_X64FRE_EN-US_DV9", MICROSOFT, "Win11_24H2_English_x64.iso")->id, "win11");
	assert_string_equal(of(NULL, "CCCOMA_X64FRE_EN-US_DV9", MICROSOFT, "Win10_22H2_English_x64v1.iso")->id, "win10");
	assert_string_equal(of(NULL, "CCCOMA_X64FRE_EN-US_DV9", MICROSOFT, "disc.iso")->id, "win");
	assert_string_equal(of("win11", "CCCOMA_X64FRE_EN-US_DV9", MICROSOFT, "disc.iso")->id, "win11");
	assert_string_equal(of("win10", "CCCOMA_X64FRE_PT-BR_DV9", MICROSOFT, "Windows 11.iso")->id, "win11");
	const struct guest_system *s = of(NULL, "CCCOMA_X64FRE_EN-US_DV9", MICROSOFT, "x.iso");
	assert_true(s->tpm && s->secure_boot && s->uefi && s->bus == BUS_NVME && s->net == MODEL_E1000E && s->clock == CLOCK_LOCAL);
	s = of("win7", "GRMCULXFRER_EN_DVD", MICROSOFT, "x.iso");
	assert_true(!s->uefi && !s->tpm && s->bus == BUS_SATA);
	assert_string_equal(of(NULL, "GRMCULXFRER_EN_DVD", MICROSOFT, "x.iso")->id, "win7");
	struct disc udf = { .udf = true };
	assert_int_equal(identify_system(NULL, &udf, "x.iso")->family, SYSTEM_WINDOWS);
}

static void test_others(void **state)
{
	(void)state;
	const struct guest_system *s = of(NULL, "Debian 12.5.0 amd64 n", "", "x.iso");
	assert_string_equal(s->id, "debian");
	assert_true(s->secure_boot && !s->tpm && s->bus == BUS_VIRTIO && s->net == MODEL_VIRTIO && s->clock == CLOCK_UTC);
	assert_string_equal(of("debian12", "x", "", "x.iso")->id, "debian");
	assert_string_equal(of(NULL, "Ubuntu-Server 24.04 LTS amd64", "", "")->id, "ubuntu");
	assert_string_equal(of(NULL, "Fedora-WS-Live-41-1-4", "", "")->id, "fedora");
	assert_false(of(NULL, "ARCH_202611", "", "")->secure_boot);
	s = of(NULL, "MY_OWN", "me", "win11.iso");
	assert_true(!*s->id && s->bus == BUS_SATA && s->net == MODEL_E1000E && !s->secure_boot);
	assert_string_equal(of("haiku-r1", "", "", "")->id, "");
}

static void expect_path(const char *word, const char *wanted)
{
	const struct user me = { .home = (char *)"/home/me" };
	cleanup_free char *path = typed_path(&me, word, "/here");
	assert_string_equal(path, wanted);
}

static void test_paths(void **state)
{
	(void)state;
	expect_path("/a/b.iso", "/a/b.iso");
	expect_path("b.iso", "/here/b.iso");
	expect_path("~/b.iso", "/home/me/b.iso");
	expect_path("'/a/My Disc.iso' ", "/a/My Disc.iso");
	expect_path("\"/a/My Disc.iso\"", "/a/My Disc.iso");
	expect_path("/a/My\\ Disc.iso ", "/a/My Disc.iso");
	expect_path("'/a/it'\\''s.iso'", "/a/it's.iso");
	expect_path("file:///a/My%20Disc%2b.iso", "/a/My Disc+.iso");
	expect_path("file://localhost/a/b.iso\n", "/a/b.iso");
	expect_path("file:///a/100%25%.iso", "/a/100%%.iso");
	expect_path("file:///a/x%00y", "/a/x%00y");
	expect_path("", "/here/");
	char name[] = "/tmp/'typed'XXXXXX";
	int fd = mkstemp(name);
	assert_true(fd >= 0);
	expect_path(name, name);
	close(fd);
	unlink(name);
}

static void test_quoted(void **state)
{
	(void)state;
	static const char *const pairs[][2] = { { "/a/b.iso", "/a/b.iso" }, { "/a/it's b", "'/a/it'\\''s b'" }, { "", "''" }, { "/a/$x", "'/a/$x'" } };
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		cleanup_free char *text = typed_quoted(pairs[i][0]);
		assert_string_equal(text, pairs[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_quoted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
