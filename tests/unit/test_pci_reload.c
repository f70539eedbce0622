/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The modules of a card unloaded and loaded again, a device taken off its bus and found anew, on a fake kernel. */
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

/* The steps of one kind, in their order: "a b". Owned by the caller. */
static char *targets(const struct pci_fixture *f, const struct step_kind *kind)
{
	cleanup_strv struct strv names = {};
	for (size_t i = 0; i < f->steps.n; i++)
		if (f->steps.v[i].kind == kind)
			strv_add(&names, f->steps.v[i].target);
	return strv_join(&names, " ");
}

static void module(struct pci_fixture *f, const char *name, const char *refcnt, const char *const *holders)
{
	cleanup_free char *path = str_fmt("/sys/module/%s/refcnt", name), *dir = str_fmt("/sys/module/%s/holders", name);
	fake_file(f->fake, path, refcnt);
	fake_dir(f->fake, dir);
	for (; *holders; holders++) {
		cleanup_free char *link = str_fmt("%s/%s", dir, *holders), *to = str_fmt("../../%s", *holders);
		fake_link(f->fake, link, to);
	}
}

/* The card's driver is nouveau, of a module of that name, upon which two others are built. */
static void modules(struct pci_fixture *f)
{
	pci_begin(f);
	module(f, "nouveau", "2\n", (const char *const[]){ "nouveau_drm", "nouveau_uvm", NULL });
	module(f, "nouveau_drm", "0\n", (const char *const[]){ NULL });
	module(f, "nouveau_uvm", "0\n", (const char *const[]){ NULL });
	module(f, "nf_tables", "0\n", (const char *const[]){ NULL });
	fake_link(f->fake, "/sys/bus/pci/drivers/nouveau/module", "../../../../module/nouveau");
	fake_link(f->fake, "/sys/module/nouveau/drivers/pci:nouveau", "../../../bus/pci/drivers/nouveau");
	fake_link(f->fake, "/sys/bus/pci/drivers/nouveau/0000:01:00.0", "../../devices/0000:01:00.0");
	f->pci[0].functions = FUNCTIONS_GROUP;
}

static void unload(struct pci_fixture *f, const char *const *names)
{
	for (; *names; names++)
		strv_add(&f->pci[0].unload, *names);
}

static void test_unload(void **state)
{
	(void)state;
	struct pci_fixture f;
	modules(&f);
	unload(&f, (const char *const[]){ "nouveau-drm", "nouveau_uvm", "nouveau", "nvidia", NULL });
	pci_plan(&f);
	cleanup_free char *order = targets(&f, &module_unload_kind);
	assert_string_equal(order, "nouveau_drm nouveau_uvm nouveau"); /* what is not loaded needs no step */
	size_t first = 0;
	while (f.steps.v[first].kind != &module_unload_kind)
		first++;
	for (size_t i = 0; i < first; i++)
		assert_true(f.steps.v[i].kind != &pci_driver_kind); /* the driver is asked while the card is on it */
	assert_true(f.steps.v[first].optional);
	assert_string_equal(f.steps.v[first].now, "loaded");
	assert_false(pci_has_finding(&f, FINDING_WARN, "module", "nouveau"));
	strv_free(&f.pci[0].unload);
	pci_end(&f);

	modules(&f); /* one that stays uses it */
	unload(&f, (const char *const[]){ "nouveau_uvm", "nouveau", NULL });
	assert_true(pci_has_finding(&f, FINDING_WARN, "module", "nouveau cannot be unloaded before nouveau_drm"));
	strv_free(&f.pci[0].unload);
	pci_end(&f);

	modules(&f); /* a program uses it */
	fake_file(f.fake, "/sys/module/nouveau_drm/refcnt", "3\n");
	unload(&f, (const char *const[]){ "nouveau_drm", NULL });
	assert_true(pci_has_finding(&f, FINDING_WARN, "module", "nouveau_drm is in use (3)"));
	strv_free(&f.pci[0].unload);
	pci_end(&f);
}

/* Whoever wrote the configuration: what has nothing to do with the guest's devices stays. */
static void test_unload_others(void **state)
{
	(void)state;
	struct pci_fixture f;
	modules(&f);
	unload(&f, (const char *const[]){ "nf_tables", NULL });
	pci_plan(&f);
	cleanup_free char *none = targets(&f, &module_unload_kind);
	assert_string_equal(none, "");
	assert_true(pci_has_finding(&f, FINDING_WARN, "module", "nf_tables stays loaded: it is no module"));
	strv_free(&f.pci[0].unload);
	pci_end(&f);

	modules(&f); /* a second card on the same driver */
	fake_pci(f.fake, "0000:09:00.0", "10de:2204", "0x030000", 20, "nouveau", true);
	fake_link(f.fake, "/sys/bus/pci/drivers/nouveau/0000:09:00.0", "../../devices/0000:09:00.0");
	unload(&f, (const char *const[]){ "nouveau_drm", "nouveau", NULL });
	pci_plan(&f);
	cleanup_free char *above = targets(&f, &module_unload_kind);
	assert_string_equal(above, "nouveau_drm");
	assert_true(pci_has_finding(&f, FINDING_WARN, "module", "nouveau stays loaded: it drives 0000:09:00.0"));
	strv_free(&f.pci[0].unload);
	pci_end(&f);
}

static void test_rescan(void **state)
{
	(void)state;
	struct pci_fixture f;
	pci_begin(&f);
	f.pci[0].rescan = true;
	f.pci[0].functions = FUNCTIONS_OWN;
	pci_plan(&f);
	pci_must(pci_launch(&f));
	cleanup_free char *driver = root_link_name(f.fake->root, "/sys/bus/pci/devices/0000:01:00.0/driver");
	cleanup_free char *cold = fake_read(f.fake, "/sys/bus/pci/devices/0000:01:00.0/d3cold_allowed");
	assert_string_equal(driver, "vfio-pci");
	assert_string_equal(cold, "0"); /* what was set of the device before is set again */
	pci_give_back(&f);
	pci_end(&f);

	pci_begin(&f); /* the guest still has it: it is not taken off its bus */
	f.pci[0].rescan = true;
	f.pci[0].functions = FUNCTIONS_OWN;
	pci_plan(&f);
	pci_must(pci_launch(&f));
	fake_file(f.fake, "/dev/vfio/13", "");
	fake_process(f.fake, 4711, "qemu-system-x86", (const char *const[]){ "/dev/vfio/13", NULL });
	for (size_t i = 0; i < f.steps.n; i++) {
		struct undo_report report = {};
		if (f.steps.v[i].kind != &pci_rescan_kind)
			continue;
		engine_undo_one(&f.env, &f.steps.v[i], &report);
		assert_int_equal(report.residue, 1);
	}
	cleanup_free char *still = root_link_name(f.fake->root, "/sys/bus/pci/devices/0000:01:00.0/driver");
	assert_string_equal(still, "vfio-pci");
	pci_end(&f);

	pci_begin(&f);
	f.pci[0].rescan = true;
	fake_link(f.fake, "/sys/bus/pci/devices/0000:01:00.0/physfn", "../0000:02:00.0");
	pci_plan(&f);
	for (size_t i = 0; i < f.steps.n; i++)
		if (f.steps.v[i].kind == &pci_rescan_kind && str_starts(f.steps.v[i].target, "0000:01:00.0"))
			assert_non_null(f.steps.v[i].obstacle);
	pci_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unload),
		cmocka_unit_test(test_unload_others),
		cmocka_unit_test(test_rescan),
	};
	pci_holders_limit_ms = 100;
	return cmocka_run_group_tests_name("pci_reload", tests, NULL, NULL);
}
