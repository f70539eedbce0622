/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual functions and devices by iommufd on a fake kernel. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "launcher/base/child.h"
#include "launcher/base/log.h"
#include "launcher/base/opened.h"
#include "launcher/host/kind/attr.h"
#include "launcher/host/kind/caps.h"
#include "launcher/host/kind/module.h"
#include "launcher/host/kind/node.h"
#include "launcher/host/kind/vfio.h"
#include "launcher/host/pci/pci.h"
#include "launcher/step/engine.h"
#include "tests/unit/pci_fixture.h"

#define PF "/sys/bus/pci/devices/0000:03:00.0"

static void setup_virtual(struct pci_fixture *f)
{
	pci_begin(f);
	fake_pci(f->fake, "0000:03:00.0", "8086:10c9", "0x020000", 15, "igb", true);
	fake_sriov(f->fake, "0000:03:00.0", 7);
	f->pci[0] = (struct conf_pci){ .name = (char *)"lan", .has_address = true, .has_vf = true, .vf = 1 };
	pci_must(pci_addr_parse("03:00.0", &f->pci[0].address));
}

/* A virtual function is made, bound and given to the user by the group that it gets; all of it is gone afterwards. */
static void test_virtual(void **state)
{
	(void)state;
	struct pci_fixture f;
	setup_virtual(&f);
	pci_plan(&f);
	cleanup_free char *steps = pci_told(&f);
	assert_string_equal(steps, "attr " PF "/sriov_drivers_autoprobe 0: 1\n"
				   "virtual-functions 0000:03:00.0 2: 0\n"
				   "pci-driver 0000:03:10.2 vfio-pci: absent\n"
				   "node /sys/bus/pci/devices/0000:03:10.2/iommu_group 1000:1001: absent\n");
	for (size_t i = 0; i < f.steps.n; i++)
		assert_null(f.steps.v[i].obstacle);
	assert_int_equal(f.facts.picks[0].v[0].device, 0x10ca);
	pci_must(pci_launch(&f));
	pci_must(pci_groups_check(f.fake->root, &f.facts));
	cleanup_free char *ours = root_link_name(f.fake->root, "/sys/bus/pci/devices/0000:03:10.2/driver");
	cleanup_free char *other = root_link_name(f.fake->root, "/sys/bus/pci/devices/0000:03:10.0/driver");
	cleanup_free char *parent = root_link_name(f.fake->root, PF "/driver");
	assert_string_equal(ours, "vfio-pci");
	assert_null(other); /* no driver of the host's took it */
	assert_string_equal(parent, "igb");
	struct stat st;
	pci_must(root_stat(f.fake->root, "/dev/vfio/41", &st));
	assert_int_equal(st.st_uid, 1000);
	pci_give_back(&f);
	pci_end(&f);
}

/* What another guest has by the end stays, and so do the others; nothing is left to be put back. */
static void test_virtual_in_use(void **state)
{
	(void)state;
	struct pci_fixture f;
	setup_virtual(&f);
	pci_plan(&f);
	pci_must(pci_launch(&f));
	fake_link(f.fake, "/sys/bus/pci/devices/0000:03:10.0/driver", "../../drivers/vfio-pci");
	struct undo_report report = engine_undo(&f.env, &f.steps);
	assert_int_equal(report.residue, 0);
	cleanup_free char *left = fake_read(f.fake, PF "/sriov_numvfs"), *probe = fake_read(f.fake, PF "/sriov_drivers_autoprobe");
	assert_string_equal(left, "2");
	assert_string_equal(probe, "1");
	steps_free(&f.steps); /* the next start finds its own among them, and makes none */
	pci_facts_free(&f.facts);
	pci_plan(&f);
	cleanup_free char *steps = pci_told(&f);
	assert_null(strstr(steps, "virtual-functions"));
	assert_non_null(strstr(steps, "pci-driver 0000:03:10.2 vfio-pci: none\n"));
	assert_null(strstr(steps, "0000:03:10.0")); /* of the same slot, and not ours */
	pci_end(&f);
}

/* Another machine that had one when the maker ended is the last, and removes them; while a third one has one, they stay. */
static void test_virtual_shared(void **state)
{
	(void)state;
	struct pci_fixture f;
	setup_virtual(&f);
	fake_file(f.fake, PF "/sriov_drivers_autoprobe", "0\n");
	pci_must(root_write(f.fake->root, PF "/sriov_numvfs", "2"));
	fake_file(f.fake, PF "/sriov_drivers_autoprobe", "1\n");
	pci_must(pci_facts_read(f.fake->root, &f.config, &f.facts));
	f.facts.picks[0].shared = true; /* by the maker's journal: shared_virtual() */
	pci_steps(&f.steps, &f.config, &f.facts, 0, 0);
	steps_probe(&f.env, &f.steps);
	cleanup_free char *steps = pci_told(&f);
	assert_true(str_starts(steps, "virtual-functions 0000:03:00.0 shared: 2\n"));
	assert_non_null(strstr(steps, "pci-driver 0000:03:10.2 vfio-pci: none\n"));
	pci_must(pci_launch(&f));
	fake_link(f.fake, "/sys/bus/pci/devices/0000:03:10.0/driver", "../../drivers/vfio-pci");
	struct undo_report report = engine_undo(&f.env, &f.steps);
	cleanup_free char *left = fake_read(f.fake, PF "/sriov_numvfs");
	assert_int_equal(report.residue, 0);
	assert_string_equal(left, "2");
	f.steps.v[0].state = STEP_DONE; /* as if this one were the last */
	fake_remove(f.fake, "/sys/bus/pci/devices/0000:03:10.0/driver");
	report = engine_undo(&f.env, &f.steps);
	assert_int_equal(report.undone, 1);
	cleanup_free char *end = fake_read(f.fake, PF "/sriov_numvfs");
	assert_string_equal(end, "0");
	assert_false(root_exists(f.fake->root, PF "/virtfn0"));
	pci_must(journal_remove(f.journal));
	pci_end(&f);
}

/* Its ids read as all ones, unlike its class: it is there all the same. */
static void test_virtual_answers(void **state)
{
	(void)state;
	struct pci_fixture f;
	struct pci_addr addr = { .bus = 3, .dev = 0x10 };
	setup_virtual(&f);
	pci_must(root_write(f.fake->root, PF "/sriov_numvfs", "1"));
	fake_file(f.fake, "/sys/bus/pci/devices/0000:03:10.0/config", "\377\377\377\377\1\1\1\1\1\1\1\1");
	assert_true(pci_answers(f.fake->root, addr));
	fake_file(f.fake, "/sys/bus/pci/devices/0000:03:10.0/config", "\377\377\377\377\377\377\377\377\377\377\377\377");
	assert_false(pci_answers(f.fake->root, addr));
	pci_end(&f);
}

/* What keeps a virtual function from being there is said before anything is changed. */
static void test_virtual_refused(void **state)
{
	(void)state;
	static const struct {
		const char *attr, *text, *want;
		unsigned vf, vfs;
	} cases[] = {
		{ "sriov_numvfs", "1\n", "has 1 virtual functions, and none with the number 1", 1, 0 },
		{ "sriov_totalvfs", "0\n", "has no virtual functions (SR-IOV)", 0, 0 },
		{ "sriov_totalvfs", "2\n", "can have 2 virtual functions, and not 4", 1, 4 },
		{ "sriov_offset", "0\n", "does not say where", 0, 0 },
		{ NULL, NULL, "has no driver, which would make its virtual functions", 0, 0 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pci_fixture f;
		setup_virtual(&f);
		f.pci[0].vf = cases[i].vf;
		f.pci[0].vfs = cases[i].vfs;
		cleanup_free char *path = str_fmt(PF "/%s", cases[i].attr ? cases[i].attr : "driver");
		cleanup_free char *real = fake_path(f.fake, path);
		if (cases[i].attr)
			fake_file(f.fake, path, cases[i].text);
		else
			unlink(real);
		if (!pci_has_finding(&f, FINDING_BAD, "device", cases[i].want))
			fail_msg("case %zu: not said: %s", i, cases[i].want);
		pci_end(&f);
	}
}

/* Two sections of one device: as many are made as both want, once. */
static void test_virtual_twice(void **state)
{
	(void)state;
	struct pci_fixture f;
	setup_virtual(&f);
	f.pci[1] = f.pci[0];
	f.pci[0].vf = 0;
	f.config.n_pci = 2;
	pci_plan(&f);
	cleanup_free char *steps = pci_told(&f);
	assert_non_null(strstr(steps, "virtual-functions 0000:03:00.0 2: 0\npci-driver 0000:03:10.0 vfio-pci"));
	pci_must(pci_launch(&f));
	pci_give_back(&f);
	pci_end(&f);
}

/* By which of the kernel's two ways, and what is said of it, on hosts that have one, the other, both and none. */
static void test_iommufd(void **state)
{
	(void)state;
	static const struct {
		bool groups, iommufd, qemu;
		enum vfio_way way;
		bool by;
		enum verdict verdict; /* with `text`; NULL: nothing is said */
		const char *text;
	} cases[] = {
		{ true, false, false, VFIO_AUTO, false, FINDING_OK, NULL },
		{ true, true, true, VFIO_AUTO, false, FINDING_OK, "by their groups; this kernel has iommufd, too" },
		{ false, true, true, VFIO_AUTO, true, FINDING_OK, "by iommufd: this kernel has no groups" },
		{ false, true, false, VFIO_AUTO, true, FINDING_BAD, "this QEMU cannot" },
		{ true, true, true, VFIO_IOMMUFD, true, FINDING_OK, "by iommufd; this kernel has groups, too" },
		{ true, false, true, VFIO_IOMMUFD, true, FINDING_BAD, "has no iommufd" },
		{ false, true, true, VFIO_GROUP, false, FINDING_BAD, "by iommufd only" },
		{ false, false, false, VFIO_AUTO, false, FINDING_OK, NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pci_fixture f;
		struct findings found = {};
		pci_begin(&f);
		cleanup_free char *groups = fake_path(f.fake, "/dev/vfio/vfio");
		if (!cases[i].groups)
			unlink(groups);
		if (cases[i].iommufd)
			fake_file(f.fake, "/dev/iommu", "");
		f.config.host.vfio = cases[i].way;
		assert_int_equal(vfio_by_iommufd(f.fake->root, &f.config), cases[i].by);
		vfio_findings(&found, &f.config, f.fake->root, cases[i].qemu);
		assert_int_equal(found.n, cases[i].text != NULL);
		if (found.n && (found.v[0].verdict != cases[i].verdict || !strstr(found.v[0].text, cases[i].text)))
			fail_msg("case %zu: %s", i, found.v[0].text);
		findings_free(&found);
		pci_end(&f);
	}
}

/* The nodes are found by what the kernel names in vfio-dev; one without a node of its own is told as what the kernel lacks. */
static void test_iommufd_open(void **state)
{
	(void)state;
	struct pci_fixture f;
	int fds[2] = { -1, -1 };
	size_t n = 0;
	pci_begin(&f);
	pci_plan(&f);
	assert_int_equal(pci_count(&f.facts), 2);
	cleanup_err struct err *none = pci_open(f.fake->root, &f.facts, fds, &n);
	assert_int_equal(n, 0);
	assert_non_null(strstr(err_text(none), "no node for it"));
	fake_dir(f.fake, GPU "/vfio-dev/vfio7");
	fake_dir(f.fake, SOUND "/vfio-dev/vfio3");
	fake_file(f.fake, "/dev/vfio/devices/vfio7", "the card");
	fake_file(f.fake, "/dev/vfio/devices/vfio3", "its sound");
	pci_must(pci_open(f.fake->root, &f.facts, fds, &n));
	assert_int_equal(n, 2);
	char text[16] = "";
	assert_int_equal(read(fds[0], text, sizeof(text)), strlen("the card"));
	assert_string_equal(text, "the card");
	close(fds[0]);
	close(fds[1]);
	pci_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_virtual),
		cmocka_unit_test(test_virtual_in_use),
		cmocka_unit_test(test_virtual_shared),
		cmocka_unit_test(test_virtual_answers),
		cmocka_unit_test(test_virtual_refused),
		cmocka_unit_test(test_virtual_twice),
		cmocka_unit_test(test_iommufd),
		cmocka_unit_test(test_iommufd_open),
	};
	pci_holders_limit_ms = 100;
	return cmocka_run_group_tests_name("pci_virtual", tests, NULL, NULL);
}
