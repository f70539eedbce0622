/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of a card (mediated devices) on a fake kernel: made and removed, used where they are there, refused where there can be none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "launcher/base/log.h"
#include "launcher/guest/args_mdev.h"
#include "launcher/host/kind/node.h"
#include "launcher/host/mdev/mdev.h"
#include "launcher/step/engine.h"
#include "tests/unit/fakekernel.h"

#define CARD  "0000:00:02.0"
#define TYPE  "i915-GVTg_V5_4"
#define UUID  "c2177883-f1bb-47f0-914d-32a22e3a8804"
#define TYPES "/sys/bus/pci/devices/" CARD "/mdev_supported_types/"

static const struct step_kind *const kinds[] = { &mdev_kind, &node_kind, NULL };

struct fixture {
	struct fake *fake;
	struct step_env env;
	struct config config;
	struct conf_mdev mdev;
	struct mdev_facts facts;
	struct steps steps;
};

static void must(struct err *e)
{
	if (e)
		fail_msg("%s", err_text(e));
}

static void setup(struct fixture *f)
{
	*f = (struct fixture){ .fake = fake_new() };
	log_set_level(LOG_LEVEL_ERROR);
	fake_host(f->fake);
	fake_pci(f->fake, CARD, "8086:3e92", "0x030000", 2, "i915", true);
	fake_mdev_type(f->fake, CARD, TYPE, 1);
	fake_mdev_type(f->fake, CARD, "i915-GVTg_V5_8", 0);
	f->env = (struct step_env){ f->fake->root, kinds };
	f->mdev = (struct conf_mdev){ .name = (char *)"vgpu", .has_parent = true, .type = (char *)TYPE };
	must(pci_addr_parse(CARD, &f->mdev.parent));
	f->config = (struct config){ .vm.name = (char *)"vm", .mdevs = &f->mdev, .n_mdevs = 1 };
}

static void teardown(struct fixture *f)
{
	steps_free(&f->steps);
	mdev_facts_free(&f->facts);
	fake_free(f->fake);
}

static void plan(struct fixture *f)
{
	steps_free(&f->steps);
	mdev_facts_free(&f->facts);
	must(mdev_facts_read(f->fake->root, &f->config, &f->facts));
	mdev_steps(&f->steps, &f->facts, 1000, 1001);
	steps_probe(&f->env, &f->steps);
}

/* There and back; what the guest gets of it. */
static void test_made(void **state)
{
	(void)state;
	struct fixture f;
	struct journal *journal = NULL;
	struct stat st;
	cleanup_args struct args args = {};
	setup(&f);
	plan(&f);
	const char *uuid = f.facts.v[0].uuid;
	assert_int_equal(strlen(uuid), 36);
	assert_int_equal(uuid[14], '8');
	assert_non_null(strchr("89ab", uuid[19]));
	assert_int_equal(f.steps.n, 2);
	assert_string_equal(f.steps.v[0].want, CARD " " TYPE);
	cleanup_free char *before = fake_snapshot(f.fake);
	must(journal_create(f.fake->root, "/run/qlaunch", "vm", 0, NULL, &journal));
	struct engine engine = { .env = &f.env, .journal = journal };
	must(engine_apply(&engine, &f.steps));
	must(root_stat(f.fake->root, "/dev/vfio/60", &st));
	assert_int_equal(st.st_uid, 1000);
	guest_mdevs(&args, &f.facts, 3, 3, -1);
	cleanup_free char *want =
		str_fmt("{\"driver\":\"vfio-pci\",\"id\":\"mdev-vgpu\",\"sysfsdev\":\"/sys/bus/mdev/devices/%s\",\"bus\":\"port3\"}", uuid);
	assert_int_equal(args.n, 2);
	assert_string_equal(args.v[1].value, want);
	struct undo_report report = engine_undo(&f.env, &f.steps);
	assert_int_equal(report.residue + report.left, 0);
	must(journal_remove(journal));
	journal_close(journal);
	cleanup_free char *after = fake_snapshot(f.fake), *difference = fake_difference(before, after);
	if (difference)
		fail_msg("%s", difference);
	teardown(&f);
}

/* Another machine's, and another section's, have other UUIDs; the same one has the same. */
static void test_own_uuid(void **state)
{
	(void)state;
	char seen[3][MDEV_UUID_TEXT];
	static const char *const names[][2] = { { "vm", "vgpu" }, { "vm2", "vgpu" }, { "vm", "vgpu2" } };
	struct fixture f;
	setup(&f);
	for (size_t i = 0; i < 3; i++) {
		f.config.vm.name = (char *)names[i][0];
		f.mdev.name = (char *)names[i][1];
		plan(&f);
		memcpy(seen[i], f.facts.v[0].uuid, sizeof(seen[i]));
		plan(&f);
		assert_string_equal(seen[i], f.facts.v[0].uuid);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(seen[i], seen[k]);
	}
	teardown(&f);
}

/* One that somebody else has made is given to the user and stays. */
static void test_there(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	f.mdev = (struct conf_mdev){ .name = (char *)"vgpu", .uuid = (char *)UUID, .display = true };
	must(root_write(f.fake->root, TYPES TYPE "/create", UUID));
	plan(&f);
	assert_null(f.facts.v[0].problem);
	assert_string_equal(f.facts.v[0].there, CARD " " TYPE);
	assert_int_equal(f.steps.n, 1);
	assert_string_equal(f.steps.v[0].target, "/sys/bus/mdev/devices/" UUID "/iommu_group");
	cleanup_args struct args args = {};
	guest_mdevs(&args, &f.facts, 1, 1, -1);
	assert_non_null(strstr(args.v[1].value, "\"driver\":\"vfio-pci-nohotplug\""));
	assert_non_null(strstr(args.v[1].value, "\"display\":\"on\",\"ramfb\":true"));
	teardown(&f);
}

static void expect_refused(struct fixture *f, const char *text, const char *remedy)
{
	struct findings found = {};
	plan(f);
	mdev_findings(&found, &f->facts);
	assert_int_equal(found.n, 1);
	assert_int_equal(found.v[0].verdict, FINDING_BAD);
	if (!strstr(found.v[0].text, text) || (remedy && !strstr(found.v[0].remedy, remedy)))
		fail_msg("\"%s\" (%s) is not said: %s (%s)", text, remedy, found.v[0].text, found.v[0].remedy);
	findings_free(&found);
}

static void test_refused(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	f.mdev.type = (char *)"i915-GVTg_V5_8";
	expect_refused(&f, "no part of the type \"i915-GVTg_V5_8\" is left", TYPE " (1 left)");
	f.mdev.type = (char *)"nvidia-35";
	expect_refused(&f, "has no parts of the type \"nvidia-35\"", TYPE " (1 left)");
	f.mdev.type = (char *)TYPE;
	fake_file(f.fake, TYPES TYPE "/device_api", "vfio-ccw\n");
	expect_refused(&f, "are no PCI devices (vfio-ccw)", NULL);
	fake_file(f.fake, TYPES TYPE "/device_api", "vfio-pci\n");
	must(pci_addr_parse("01:00.0", &f.mdev.parent));
	expect_refused(&f, "shares out no parts", "enable_gvt");
	must(pci_addr_parse("09:00.0", &f.mdev.parent));
	expect_refused(&f, "there is no PCI device", NULL);
	f.mdev = (struct conf_mdev){ .name = (char *)"vgpu", .uuid = (char *)UUID };
	expect_refused(&f, "there is no mediated device " UUID, "mdevctl start");
	must(root_write(f.fake->root, TYPES "i915-GVTg_V5_8/create", UUID));
	f.mdev.type = (char *)TYPE;
	f.mdev.has_parent = true;
	must(pci_addr_parse(CARD, &f.mdev.parent));
	expect_refused(&f, "is there, but is " CARD " i915-GVTg_V5_8", NULL);
	teardown(&f);
}

/* A record that somebody bent leads to no file beside the kernel's. */
static void test_bent(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	struct step bent = { .kind = &mdev_kind, .target = (char *)"../../../../tmp/x", .want = (char *)(CARD " ../../x"), .prior = (char *)"absent" };
	cleanup_err struct err *undone = mdev_kind.undo(&f.env, &bent), *applied = mdev_kind.apply(&f.env, &bent);
	assert_non_null(undone);
	assert_non_null(applied);
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_made), cmocka_unit_test(test_own_uuid), cmocka_unit_test(test_there),
					    cmocka_unit_test(test_refused), cmocka_unit_test(test_bent) };
	return cmocka_run_group_tests_name("mdev", tests, NULL, NULL);
}
