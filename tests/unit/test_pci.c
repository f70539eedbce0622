/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI devices on a fake kernel: which one is meant, what the plan makes of it, and that every way of failing gives it
 * back. */
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
#include "tests/unit/fakekernel.h"

static const struct step_kind *const kinds[] = { &pci_driver_kind,  &pci_bar_kind,    &attr_kind,          &node_kind, &module_kind,
						 &pci_virtual_kind, &pci_rescan_kind, &module_unload_kind, NULL };

struct fixture {
	struct fake *fake;
	struct step_env env;
	struct config config;
	struct conf_pci pci[2];
	struct pci_facts facts;
	struct steps steps;
	struct journal *journal;
	char *before;
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
	f->env = (struct step_env){ f->fake->root, kinds };
	f->config = (struct config){ .path = (char *)"vm.conf", .pci = f->pci, .n_pci = 1 };
	f->pci[0] = (struct conf_pci){ .name = (char *)"gpu", .has_address = true };
	must(pci_addr_parse("01:00.0", &f->pci[0].address));
}

static void plan(struct fixture *f)
{
	must(pci_facts_read(f->fake->root, &f->config, &f->facts));
	pci_steps(&f->steps, &f->config, &f->facts, 1000, 1001);
	steps_probe(&f->env, &f->steps);
}

static struct err *launch(struct fixture *f)
{
	f->before = fake_snapshot(f->fake);
	must(journal_create(f->fake->root, "/run/qlaunch", "vm", 0, NULL, &f->journal));
	struct engine engine = { .env = &f->env, .journal = f->journal };
	return engine_apply(&engine, &f->steps);
}

/* Undoes all; the tree must be as before the launch. */
static void give_back(struct fixture *f)
{
	struct undo_report report = engine_undo(&f->env, &f->steps);
	assert_int_equal(report.residue, 0);
	must(journal_remove(f->journal));
	cleanup_free char *after = fake_snapshot(f->fake), *difference = fake_difference(f->before, after);
	if (difference)
		fail_msg("%s", difference);
}

static void teardown(struct fixture *f)
{
	journal_close(f->journal);
	steps_free(&f->steps);
	pci_facts_free(&f->facts);
	fake_free(f->fake);
	free(f->before);
}

/* "KIND TARGET WANT" of every step, a line each. */
static char *told(const struct fixture *f)
{
	struct sb sb = {};
	for (size_t i = 0; i < f->steps.n; i++)
		sb_addf(&sb, "%s %s %s: %s\n", f->steps.v[i].kind->name, f->steps.v[i].target, f->steps.v[i].want, f->steps.v[i].now);
	return sb_steal(&sb);
}

#define GPU   "/sys/bus/pci/devices/0000:01:00.0"
#define SOUND "/sys/bus/pci/devices/0000:01:00.1"

static void test_whole_group(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	plan(&f);
	assert_int_equal(f.facts.picks[0].n, 2);
	assert_int_equal(f.facts.n_rest, 1); /* the bridge */
	assert_int_equal(f.facts.picks[0].v[0].bar[0], 256 << 20);
	cleanup_free char *steps = told(&f);
	assert_string_equal(steps, "attr " GPU "/d3cold_allowed 0: 1\n"
				   "attr " GPU "/power/control on: auto\n"
				   "pci-driver 0000:01:00.0 vfio-pci: nouveau\n"
				   "attr " SOUND "/d3cold_allowed 0: 1\n"
				   "attr " SOUND "/power/control on: auto\n"
				   "pci-driver 0000:01:00.1 vfio-pci: snd_hda_intel\n"
				   "node /dev/vfio/13 1000:1001: absent\n");
	for (size_t i = 0; i < f.steps.n; i++)
		assert_null(f.steps.v[i].obstacle);
	must(launch(&f));
	must(pci_groups_check(f.fake->root, &f.facts));
	cleanup_free char *driver = root_link_name(f.fake->root, SOUND "/driver");
	assert_string_equal(driver, "vfio-pci");
	struct stat st;
	must(root_stat(f.fake->root, "/dev/vfio/13", &st));
	assert_int_equal(st.st_uid, 1000);
	assert_int_equal(st.st_gid, 1001);
	give_back(&f);
	teardown(&f);
}

static bool has_finding(struct fixture *f, enum verdict verdict, const char *topic, const char *text)
{
	struct findings found = {};
	bool has = false;
	pci_facts_free(&f->facts);
	must(pci_facts_read(f->fake->root, &f->config, &f->facts));
	pci_findings(&found, &f->config, &f->facts, f->fake->root);
	for (size_t i = 0; i < found.n; i++)
		has |= found.v[i].verdict == verdict && streq(found.v[i].topic, topic) &&
		       (strstr(found.v[i].text, text) || (found.v[i].remedy && strstr(found.v[i].remedy, text)));
	findings_free(&found);
	return has;
}

/* A card is one card, whatever groups the board or a kernel with ACS override gives its functions; what is merely in the same slot is not. */
static void test_card(void **state)
{
	static const struct {
		const char *id, *class;
		enum functions functions;
		size_t n; /* functions that go */
	} cases[] = {
		{ "10de:1ad8", "0x0c0330", FUNCTIONS_GROUP, 3 }, /* the card's own USB */
		{ "1022:149c", "0x0c0330", FUNCTIONS_GROUP, 2 }, /* a processor's */
		{ "1022:149c", "0x0c0330", FUNCTIONS_SLOT, 3 },
		{ "1022:149c", "0x0c0330", FUNCTIONS_OWN, 3 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct fixture f;
		setup(&f);
		fake_pci(f.fake, "0000:01:00.2", cases[i].id, cases[i].class, 15, "", false);
		f.pci[0].functions = cases[i].functions;
		plan(&f);
		assert_int_equal(f.facts.picks[0].n, cases[i].n);
		must(launch(&f));
		give_back(&f);
		teardown(&f);
	}
	/* a virtual function is nobody's part, nor has it parts */
	struct fixture f;
	setup(&f);
	fake_pci(f.fake, "0000:01:00.2", "10de:2204", "0x030000", 15, "", false);
	fake_dir(f.fake, "/sys/bus/pci/devices/0000:01:00.2/physfn");
	plan(&f);
	assert_int_equal(f.facts.picks[0].n, 2);
	pci_facts_free(&f.facts);
	f.pci[0].address.fn = 2;
	must(pci_facts_read(f.fake->root, &f.config, &f.facts));
	assert_int_equal(f.facts.picks[0].n, 1);
	teardown(&f);
}

/* Two ports of a network card in groups of their own: one for the guest. Without a reset of its own it wants the other, too. */
static void test_reset(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	fake_pci(f.fake, "0000:03:00.0", "8086:1521", "0x020000", 20, "igb", true);
	fake_pci(f.fake, "0000:03:00.1", "8086:1521", "0x020000", 21, "igb", true);
	must(pci_addr_parse("03:00.0", &f.pci[0].address));
	assert_false(has_finding(&f, FINDING_WARN, "reset", ""));
	fake_file(f.fake, "/sys/bus/pci/devices/0000:03:00.0/reset_method", "\n");
	assert_true(has_finding(&f, FINDING_WARN, "reset", "03:00.1 stays with the host"));
	assert_true(has_finding(&f, FINDING_WARN, "reset", "functions = slot in [pci gpu]"));
	f.pci[0].functions = FUNCTIONS_SLOT;
	assert_false(has_finding(&f, FINDING_WARN, "reset", ""));
	assert_true(has_finding(&f, FINDING_OK, "reset", "its bus is reset"));
	fake_pci(f.fake, "0000:00:1f.6", "8086:15b8", "0x020000", 22, "e1000e", true);
	fake_file(f.fake, "/sys/bus/pci/devices/0000:00:1f.6/reset_method", "\n");
	must(pci_addr_parse("00:1f.6", &f.pci[0].address));
	assert_true(has_finding(&f, FINDING_WARN, "reset", "nothing can reset 00:1f.6"));
	teardown(&f);
}

static void test_own_functions(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	fake_pci(f.fake, "0000:03:00.0", "8086:1533", "0x020000", 13, "igb", true);
	f.pci[0].functions = FUNCTIONS_OWN;
	plan(&f);
	assert_int_equal(f.facts.picks[0].n, 2);
	assert_int_equal(f.facts.n_rest, 2);
	struct findings found = {};
	pci_findings(&found, &f.config, &f.facts, f.fake->root);
	bool named = false;
	for (size_t i = 0; i < found.n; i++)
		named |= found.v[i].verdict == FINDING_BAD && streq(found.v[i].topic, "group") && strstr(found.v[i].text, "0000:03:00.0") &&
			 strstr(found.v[i].text, "igb");
	assert_true(named);
	findings_free(&found);
	must(launch(&f));
	struct err *e = pci_groups_check(f.fake->root, &f.facts);
	assert_non_null(e);
	assert_int_equal(err_status(e), EXIT_HOST);
	assert_non_null(strstr(err_text(e), "0000:03:00.0"));
	err_free(e);
	give_back(&f);
	teardown(&f);
}

/* A driver that is not the first to fit gets its card back all the same, and so does an override of the user's. */
static void test_prior_driver(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	must(root_write(f.fake->root, "/sys/bus/pci/drivers/nouveau/unbind", "0000:01:00.0"));
	must(root_write(f.fake->root, "/sys/bus/pci/drivers/nvidia/bind", "0000:01:00.0"));
	must(root_write(f.fake->root, SOUND "/driver_override", "snd_hda_intel"));
	plan(&f);
	cleanup_free char *steps = told(&f);
	assert_non_null(strstr(steps, "vfio-pci: nvidia\n"));
	assert_non_null(strstr(steps, "vfio-pci: snd_hda_intel override=snd_hda_intel\n"));
	must(launch(&f));
	give_back(&f);
	teardown(&f);
}

/* Bound to vfio-pci at boot: not ours, so it stays. */
static void test_already_bound(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	must(root_write(f.fake->root, GPU "/driver_override", "vfio-pci"));
	must(root_write(f.fake->root, "/sys/bus/pci/drivers/nouveau/unbind", "0000:01:00.0"));
	must(root_write(f.fake->root, "/sys/bus/pci/drivers_probe", "0000:01:00.0"));
	plan(&f);
	must(launch(&f));
	assert_int_equal(f.steps.v[2].state, STEP_SKIPPED);
	give_back(&f);
	cleanup_free char *driver = root_link_name(f.fake->root, GPU "/driver");
	assert_string_equal(driver, "vfio-pci");
	teardown(&f);
}

static void test_second_function_fails(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	f.fake->trouble[0].errnum = ENODEV;
	strcpy(f.fake->trouble[0].driver, "vfio-pci");
	strcpy(f.fake->trouble[0].addr, "0000:01:00.1");
	plan(&f);
	struct err *e = launch(&f);
	assert_non_null(e);
	assert_int_equal(err_status(e), EXIT_HOST);
	assert_string_equal(err_text(e), "bind 0000:01:00.1 to vfio-pci: vfio-pci did not take it");
	err_free(e);
	give_back(&f);
	teardown(&f);
}

/* One launch whose writes may take `limit_ms` each. */
static struct err *launch_with_hanging_unbind(struct fixture *f, int limit_ms)
{
	setup(f);
	fake_file(f->fake, GPU "/sound/card1/controlC1/uevent", "MAJOR=116\nDEVNAME=snd/controlC1\n");
	fake_process(f->fake, 812, "pulseaudio", (const char *const[]){ "/dev/null", "/dev/snd/controlC1", NULL });
	fake_process(f->fake, 813, "editor", (const char *const[]){ "/home/snd/controlC1", NULL });
	f->fake->trouble[0].hang = true;
	strcpy(f->fake->trouble[0].driver, "nouveau");
	strcpy(f->fake->trouble[0].addr, "0000:01:00.0");
	plan(f);
	child_write_limit_ms = limit_ms;
	struct err *e = launch(f);
	child_write_limit_ms = 10000;
	return e;
}

/* On a busy machine another write may be late as well: then it gets longer. */
static void test_hanging_unbind(void **state)
{
	(void)state;
	struct fixture f;
	struct err *e = launch_with_hanging_unbind(&f, 100);
	for (int limit_ms = 400; limit_ms < 10000 && !strstr(err_text(e), "nouveau/unbind"); limit_ms *= 4) {
		err_free(e);
		give_back(&f);
		teardown(&f);
		e = launch_with_hanging_unbind(&f, limit_ms);
	}
	assert_int_equal(err_code(e), ETIMEDOUT);
	assert_non_null(strstr(err_text(e), "nouveau/unbind"));
	assert_non_null(strstr(err_text(e), "pulseaudio (812)"));
	assert_null(strstr(err_text(e), "editor"));
	err_free(e);
	give_back(&f); /* the kernel lets go of the other writes */
	teardown(&f);
}

static void test_changed_by_others(void **state)
{
	(void)state;
	struct step s = { .kind = &pci_driver_kind, .want = (char *)"vfio-pci", .prior = (char *)"nouveau" };
	static const struct {
		const char *now;
		enum step_whose whose;
	} cases[] = {
		{ "nouveau", STEP_PRIOR },
		{ "vfio-pci", STEP_WANTED },
		{ "none", STEP_BETWEEN },
		{ "none override=vfio-pci", STEP_BETWEEN },
		{ "nouveau override=vfio-pci", STEP_BETWEEN },
		{ "nvidia", STEP_FOREIGN },
		{ "nvidia override=nvidia", STEP_FOREIGN },
		{ "vfio-pci override=pci-stub", STEP_FOREIGN },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(step_whose(&s, cases[i].now), cases[i].whose);
}

static void resolve(struct fixture *f, const char *id, const char *match, const char *addr, const char *problem, const char *remedy)
{
	f->pci[0] = (struct conf_pci){ .name = (char *)"gpu", .id = (char *)id, .match = (char *)match };
	pci_facts_free(&f->facts);
	must(pci_facts_read(f->fake->root, &f->config, &f->facts));
	const struct pci_pick *pick = &f->facts.picks[0];
	if (addr) {
		assert_null(pick->problem);
		assert_string_equal(pci_addr_text(pick->v[pick->named].addr).s, addr);
		return;
	}
	assert_non_null(pick->problem);
	assert_non_null(strstr(pick->problem, problem));
	assert_non_null(strstr(pick->remedy, remedy));
}

static void test_by_name(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	fake_pci(f.fake, "0000:00:1e.0", "8086:fffe", "0x088000", 19, "", false); /* one that pci.ids does not know */
	resolve(&f, "10DE:2204", NULL, "0000:01:00.0", NULL, NULL);
	resolve(&f, NULL, "rtx 3090", "0000:01:00.0", NULL, NULL);
	resolve(&f, NULL, "nvidia", "0000:01:00.0", NULL, NULL); /* two functions, one device */
	resolve(&f, NULL, "RTX 4090", NULL, "has a name with \"RTX 4090\"", "GA102 [GeForce RTX 3090]");
	resolve(&f, "1002:744c", NULL, NULL, "\"1002:744c\"", "0000:01:00.0");
	fake_pci(f.fake, "0000:41:00.0", "10de:2204", "0x030000", 20, "nouveau nvidia", true);
	resolve(&f, "10de:2204", NULL, NULL, "0000:41:00.0", "address = 0000:01:00.0");
	resolve(&f, NULL, "RTX 3090", NULL, "more than one device", "address");
	teardown(&f);
}

static void test_absent_card(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	f.pci[0].address.bus = 2; /* 02:00.0 is the NVMe: near, but not it */
	f.pci[0].address.fn = 1;
	plan(&f);
	assert_non_null(strstr(f.facts.picks[0].problem, "there is no PCI device 0000:02:00.1"));
	assert_non_null(strstr(f.facts.picks[0].remedy, "0000:02:00.0"));
	assert_int_equal(f.steps.n, 1);
	assert_non_null(f.steps.v[0].obstacle);
	teardown(&f);
}

static void test_same_device_twice(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	f.pci[1] = f.pci[0];
	f.config.n_pci = 2;
	plan(&f);
	assert_non_null(f.facts.picks[1].problem);
	pci_facts_free(&f.facts);
	f.pci[1].address.fn = 1; /* the other function of the group: each section gets its own */
	must(pci_facts_read(f.fake->root, &f.config, &f.facts));
	assert_null(f.facts.picks[1].problem);
	assert_int_equal(f.facts.picks[0].n, 1);
	assert_int_equal(f.facts.picks[1].n, 1);
	teardown(&f);
}

static void test_findings(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	assert_true(has_finding(&f, FINDING_OK, "iommu", "on"));
	assert_true(has_finding(&f, FINDING_OK, "group", "13"));
	assert_false(has_finding(&f, FINDING_WARN, "console", ""));
	fake_file(f.fake, GPU "/boot_vga", "1\n");
	assert_true(has_finding(&f, FINDING_WARN, "console", "0000:01:00.0"));
	fake_file(f.fake, GPU "/sriov_numvfs", "2\n");
	assert_true(has_finding(&f, FINDING_BAD, "sriov", "2 virtual functions"));
	fake_file(f.fake, SOUND "/sound/card1/controlC1/uevent", "DEVNAME=snd/controlC1\n");
	fake_process(f.fake, 900, "pipewire", (const char *const[]){ "/dev/snd/controlC11", NULL });
	assert_false(has_finding(&f, FINDING_WARN, "holders", "pipewire"));
	fake_process(f.fake, 901, "pulseaudio", (const char *const[]){ "/dev/snd/controlC1", NULL });
	assert_true(has_finding(&f, FINDING_WARN, "holders", "pulseaudio (901)"));
	fake_file(f.fake, "/proc/driver/nvidia/gpus/0000:01:00.0/information", "Model: \t X\nDevice Minor: \t 3\n");
	fake_process(f.fake, 902, "steam", (const char *const[]){ "/dev/nvidia3", NULL });
	assert_true(has_finding(&f, FINDING_BAD, "holders", "steam (902)"));
	teardown(&f);
}

/* A node below a card's output is the card's: its driver would wait for whoever has it open, and so would everybody else. */
static void test_held_nodes(void **state)
{
	static const struct {
		const char *below, *node, *program;
		bool blocks;
	} nodes[] = {
		{ "i2c-4/i2c-dev/i2c-4", "i2c-4", "openrgb", true },
		{ "drm/card1/card1-HDMI-A-1/i2c-5/i2c-dev/i2c-5", "i2c-5", "openrgb", true },
		{ "drm/renderD128", "dri/renderD128", "steam", true },
		{ "vfio-dev/vfio0", "vfio/devices/vfio0", "qemu-system-x86", true },
		{ "sound/card1/pcmC1D3p", "snd/pcmC1D3p", "mpv", true },
		{ "sound/card1/pcmC1D3p", "snd/pcmC1D3p", "pipewire", false }, /* it closes what goes away */
		{ "sound/card1/controlC1", "snd/controlC1", "wireplumber", false },
		{ "usb1/1-2/1-2:1.0/0003:1532:0067.0001/hidraw/hidraw3", "hidraw3", "steam", false },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		struct fixture f;
		setup(&f);
		cleanup_free char *path = str_fmt("%s/%s/uevent", GPU, nodes[i].below),
				  *text = str_fmt("MINOR=1\nDEVNAME=%s\n", nodes[i].node);
		cleanup_free char *dev = str_fmt("/dev/%s", nodes[i].node);
		fake_file(f.fake, path, text);
		assert_false(has_finding(&f, FINDING_BAD, "holders", ""));
		fake_process(f.fake, 77, nodes[i].program, (const char *const[]){ dev, NULL });
		cleanup_free char *who = str_fmt("%s (77)", nodes[i].program);
		assert_true(has_finding(&f, nodes[i].blocks ? FINDING_BAD : FINDING_WARN, "holders", who));
		pci_facts_free(&f.facts);
		plan(&f);
		struct err *e = launch(&f);
		assert_int_equal(err_code(e), nodes[i].blocks ? EBUSY : 0);
		if (e)
			assert_non_null(strstr(err_text(e), who));
		err_free(e);
		give_back(&f);
		teardown(&f);
	}
}

/* A desktop that is stopped before takes its programs along, and nobody else: then it is an obstacle as ever. */
static void test_held_by_the_desktop(void **state)
{
	static const struct {
		const char *cgroup;
		bool blocks;
	} holders[] = {
		{ "0::/user.slice/user-1000.slice/session-2.scope\n", false },
		{ "0::/user.slice/user-1000.slice/session-5.scope\n", true },
		{ "0::/system.slice/openrgb.service\n", true },
	};
	struct fixture f;
	(void)state;
	setup(&f);
	fake_file(f.fake, GPU "/i2c-4/i2c-dev/i2c-4/uevent", "DEVNAME=i2c-4\n");
	fake_process(f.fake, 77, "openrgb", (const char *const[]){ "/dev/i2c-4", NULL });
	fake_file(f.fake, "/run/systemd/sessions/2", "UID=1000\nTYPE=wayland\nSERVICE=sddm\n");
	fake_file(f.fake, "/run/systemd/sessions/5", "UID=1000\nTYPE=tty\nSERVICE=sshd\n");
	for (int round = 0; round < 3; round++) {
		f.config.host.release_console = round > 0; /* the second time there is no desktop to stop */
		if (round == 2) {
			fake_dir(f.fake, "/run/systemd/system");
			fake_link(f.fake, "/etc/systemd/system/display-manager.service", "/usr/lib/systemd/system/sddm.service");
		}
		for (size_t i = 0; i < ARRAY_SIZE(holders); i++) {
			bool blocks = round < 2 || holders[i].blocks;
			fake_file(f.fake, "/proc/77/cgroup", holders[i].cgroup);
			assert_true(has_finding(&f, blocks ? FINDING_BAD : FINDING_WARN, "holders", "openrgb (77)"));
			assert_int_equal(has_finding(&f, FINDING_BAD, "holders", ""), blocks);
		}
	}
	teardown(&f);
}

/* What merely comes along with the card and is the host's is refused, with its name, until it is accepted. */
static void test_comes_along(void **state)
{
	static const struct {
		const char *class, *file, *text, *link, *target, *says;
	} uses[] = {
		{ "0x020000", "/proc/net/route", "Iface\tDestination\nenp3s0\t00000000\t0102\t0003\t0\t0\t0\t0\n", "/sys/class/net/enp3s0",
		  "../../devices/pci0000:00/0000:03:00.0/net/enp3s0", "enp3s0" },
		{ "0x020000", "/proc/net/ipv6_route",
		  "00000000000000000000000000000000 00 0 00 fe80 1 2 3 00000003 br0\n", "/sys/class/net/enp3s0",
		  "../../devices/pci0000:00/0000:03:00.0/net/enp3s0", "enp3s0" },
		{ "0x0c0330", "/sys/devices/pci0000:00/0000:03:00.0/usb1/input/input9/event9/device/name", "Moonlander\n",
		  "/sys/class/input/event9", "../../devices/pci0000:00/0000:03:00.0/usb1/input/input9/event9", "Moonlander" },
		{ "0x0c0500", NULL, NULL, NULL, NULL, "sensors" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(uses); i++) {
		struct fixture f;
		setup(&f);
		fake_pci(f.fake, "0000:03:00.0", "1022:1234", uses[i].class, 13, "", false);
		fake_file(f.fake, "/sys/class/net/br0/brif/enp3s0/x", "");
		assert_false(uses[i].file && has_finding(&f, FINDING_BAD, "used", ""));
		if (uses[i].file) {
			fake_file(f.fake, uses[i].file, uses[i].text);
			fake_link(f.fake, uses[i].link, uses[i].target);
		}
		assert_true(has_finding(&f, FINDING_BAD, "used", uses[i].says));
		assert_true(has_finding(&f, FINDING_BAD, "used", "accept = 03:00.0"));
		strv_add(&f.pci[0].accept, "03:00.0");
		assert_false(has_finding(&f, FINDING_BAD, "used", ""));
		assert_true(has_finding(&f, FINDING_WARN, "used", uses[i].says));
		strv_free(&f.pci[0].accept);
		must(pci_addr_parse("03:00.0", &f.pci[0].address)); /* named itself: meant */
		assert_false(has_finding(&f, FINDING_BAD, "used", uses[i].says));
		assert_true(has_finding(&f, FINDING_WARN, "used", uses[i].says));
		teardown(&f);
	}
}

#define PF "/sys/bus/pci/devices/0000:03:00.0"

static void setup_virtual(struct fixture *f)
{
	setup(f);
	fake_pci(f->fake, "0000:03:00.0", "8086:10c9", "0x020000", 15, "igb", true);
	fake_sriov(f->fake, "0000:03:00.0", 7);
	f->pci[0] = (struct conf_pci){ .name = (char *)"lan", .has_address = true, .has_vf = true, .vf = 1 };
	must(pci_addr_parse("03:00.0", &f->pci[0].address));
}

/* A virtual function is made, bound and given to the user by the group that it gets; all of it is gone afterwards. */
static void test_virtual(void **state)
{
	(void)state;
	struct fixture f;
	setup_virtual(&f);
	plan(&f);
	cleanup_free char *steps = told(&f);
	assert_string_equal(steps, "attr " PF "/sriov_drivers_autoprobe 0: 1\n"
				   "virtual-functions 0000:03:00.0 2: 0\n"
				   "pci-driver 0000:03:10.2 vfio-pci: absent\n"
				   "node /sys/bus/pci/devices/0000:03:10.2/iommu_group 1000:1001: absent\n");
	for (size_t i = 0; i < f.steps.n; i++)
		assert_null(f.steps.v[i].obstacle);
	assert_int_equal(f.facts.picks[0].v[0].device, 0x10ca);
	must(launch(&f));
	must(pci_groups_check(f.fake->root, &f.facts));
	cleanup_free char *ours = root_link_name(f.fake->root, "/sys/bus/pci/devices/0000:03:10.2/driver");
	cleanup_free char *other = root_link_name(f.fake->root, "/sys/bus/pci/devices/0000:03:10.0/driver");
	cleanup_free char *parent = root_link_name(f.fake->root, PF "/driver");
	assert_string_equal(ours, "vfio-pci");
	assert_null(other); /* no driver of the host's took it */
	assert_string_equal(parent, "igb");
	struct stat st;
	must(root_stat(f.fake->root, "/dev/vfio/41", &st));
	assert_int_equal(st.st_uid, 1000);
	give_back(&f);
	teardown(&f);
}

/* What another guest has by the end stays, and so do the others; nothing is left to be put back. */
static void test_virtual_in_use(void **state)
{
	(void)state;
	struct fixture f;
	setup_virtual(&f);
	plan(&f);
	must(launch(&f));
	fake_link(f.fake, "/sys/bus/pci/devices/0000:03:10.0/driver", "../../drivers/vfio-pci");
	struct undo_report report = engine_undo(&f.env, &f.steps);
	assert_int_equal(report.residue, 0);
	cleanup_free char *left = fake_read(f.fake, PF "/sriov_numvfs"), *probe = fake_read(f.fake, PF "/sriov_drivers_autoprobe");
	assert_string_equal(left, "2");
	assert_string_equal(probe, "1");
	steps_free(&f.steps); /* the next start finds its own among them, and makes none */
	pci_facts_free(&f.facts);
	plan(&f);
	cleanup_free char *steps = told(&f);
	assert_null(strstr(steps, "virtual-functions"));
	assert_non_null(strstr(steps, "pci-driver 0000:03:10.2 vfio-pci: none\n"));
	assert_null(strstr(steps, "0000:03:10.0")); /* of the same slot, and not ours */
	teardown(&f);
}

/* Its ids read as all ones, unlike its class: it is there all the same. */
static void test_virtual_answers(void **state)
{
	(void)state;
	struct fixture f;
	struct pci_addr addr = { .bus = 3, .dev = 0x10 };
	setup_virtual(&f);
	must(root_write(f.fake->root, PF "/sriov_numvfs", "1"));
	fake_file(f.fake, "/sys/bus/pci/devices/0000:03:10.0/config", "\377\377\377\377\1\1\1\1\1\1\1\1");
	assert_true(pci_answers(f.fake->root, addr));
	fake_file(f.fake, "/sys/bus/pci/devices/0000:03:10.0/config", "\377\377\377\377\377\377\377\377\377\377\377\377");
	assert_false(pci_answers(f.fake->root, addr));
	teardown(&f);
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
		struct fixture f;
		setup_virtual(&f);
		f.pci[0].vf = cases[i].vf;
		f.pci[0].vfs = cases[i].vfs;
		cleanup_free char *path = str_fmt(PF "/%s", cases[i].attr ? cases[i].attr : "driver");
		cleanup_free char *real = fake_path(f.fake, path);
		if (cases[i].attr)
			fake_file(f.fake, path, cases[i].text);
		else
			unlink(real);
		if (!has_finding(&f, FINDING_BAD, "device", cases[i].want))
			fail_msg("case %zu: not said: %s", i, cases[i].want);
		teardown(&f);
	}
}

/* Two sections of one device: as many are made as both want, once. */
static void test_virtual_twice(void **state)
{
	(void)state;
	struct fixture f;
	setup_virtual(&f);
	f.pci[1] = f.pci[0];
	f.pci[0].vf = 0;
	f.config.n_pci = 2;
	plan(&f);
	cleanup_free char *steps = told(&f);
	assert_non_null(strstr(steps, "virtual-functions 0000:03:00.0 2: 0\npci-driver 0000:03:10.0 vfio-pci"));
	must(launch(&f));
	give_back(&f);
	teardown(&f);
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
		struct fixture f;
		struct findings found = {};
		setup(&f);
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
		teardown(&f);
	}
}

/* The nodes are found by what the kernel names in vfio-dev; one without a node of its own is told as what the kernel lacks. */
static void test_iommufd_open(void **state)
{
	(void)state;
	struct fixture f;
	int fds[2] = { -1, -1 };
	size_t n = 0;
	setup(&f);
	plan(&f);
	assert_int_equal(pci_count(&f.facts), 2);
	cleanup_err struct err *none = pci_open(f.fake->root, &f.facts, fds, &n);
	assert_int_equal(n, 0);
	assert_non_null(strstr(err_text(none), "no node for it"));
	fake_dir(f.fake, GPU "/vfio-dev/vfio7");
	fake_dir(f.fake, SOUND "/vfio-dev/vfio3");
	fake_file(f.fake, "/dev/vfio/devices/vfio7", "the card");
	fake_file(f.fake, "/dev/vfio/devices/vfio3", "its sound");
	must(pci_open(f.fake->root, &f.facts, fds, &n));
	assert_int_equal(n, 2);
	char text[16] = "";
	assert_int_equal(read(fds[0], text, sizeof(text)), strlen("the card"));
	assert_string_equal(text, "the card");
	close(fds[0]);
	close(fds[1]);
	teardown(&f);
}

static void test_iommu_off(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	fake_free(f.fake);
	f.fake = fake_new();
	f.env.root = f.fake->root;
	fake_file(f.fake, "/proc/cpuinfo", "vendor_id\t: GenuineIntel\n");
	fake_pci(f.fake, "0000:01:00.0", "10de:2204", "0x030000", -1, "nouveau", true);
	assert_true(has_finding(&f, FINDING_BAD, "iommu", "intel_iommu=on"));
	pci_steps(&f.steps, &f.config, &f.facts, 1000, 1000);
	assert_string_equal(f.steps.v[0].kind->name, "module");
	assert_string_equal(f.steps.v[3].obstacle, "the IOMMU is off");
	fake_file(f.fake, "/proc/cmdline", "quiet intel_iommu=off\n");
	assert_true(has_finding(&f, FINDING_BAD, "iommu", "take iommu=off"));
	teardown(&f);
}

/* A board that cannot remap interrupts, told to do without: the module that is told may come with the launch alone. */
static void test_unsafe_interrupts(void **state)
{
	static const struct {
		const char *path, *text;
		bool refused;
	} steps[] = {
		{ "/proc/interrupts", "   8:  0  1   IO-APIC    8-edge      rtc0\n", true },
		{ "/etc/modprobe.d/vfio.conf", "# options vfio_iommu_type1 allow_unsafe_interrupts=1\n", true },
		{ "/etc/modprobe.d/vfio.conf", "options vfio_iommu_type1 allow_unsafe_interrupts=0\n", true },
		{ "/etc/modprobe.d/vfio.conf", "options vfio_iommu_type1 allow_unsafe_interrupts=1\n", false },
		{ "/etc/modprobe.d/vfio.conf", "\n", true },
		{ "/proc/cmdline", "root=/dev/sda2 vfio_iommu_type1.allow_unsafe_interrupts=1 quiet\n", false },
		{ "/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", "N\n", true }, /* whatever was said: this is so */
		{ "/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", "Y\n", false },
	};
	struct fixture f;
	(void)state;
	setup(&f);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		fake_file(f.fake, steps[i].path, steps[i].text);
		if (pci_no_remapping(f.fake->root) != steps[i].refused)
			fail_msg("%s: %s", steps[i].path, steps[i].text);
	}
	teardown(&f);
}

static void test_rebar(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	fake_file(f.fake, GPU "/resource0_resize", "0000000000003fc0\n"); /* 64 MiB to 8 GiB */
	f.pci[0].rebar = UINT64_C(8) << 30;
	plan(&f);
	cleanup_free char *steps = told(&f);
	assert_non_null(strstr(steps, "pci-bar 0000:01:00.0/resource0_resize 8G: 256M\n"));
	assert_null(f.steps.v[3].obstacle);
	must(launch(&f));
	cleanup_free char *resource = fake_read(f.fake, GPU "/resource");
	assert_non_null(strstr(resource, "0x00000000e0000000 0x00000002dfffffff"));
	must(pci_groups_check(f.fake->root, &f.facts));
	give_back(&f);
	steps_free(&f.steps);
	pci_facts_free(&f.facts);
	f.pci[0].rebar = UINT64_C(16) << 30;
	plan(&f);
	assert_non_null(f.steps.v[3].obstacle);
	teardown(&f);
}

static void test_blocks_behind(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	must(pci_addr_parse("02:00.0", &f.pci[0].address));
	fake_dir(f.fake, "/sys/bus/pci/devices/0000:02:00.0/nvme/nvme1/nvme0c1n1");
	fake_link(f.fake, "/sys/block/sda", "../devices/pci0000:00/0000:02:00.0/ata1/host0/block/sda");
	fake_link(f.fake, "/sys/block/sdb", "../devices/pci0000:00/0000:05:00.0/ata1/host0/block/sdb");
	plan(&f);
	const struct strv *blocks = &f.facts.picks[0].v[0].blocks;
	assert_int_equal(blocks->n, 2);
	assert_true(strv_has(blocks, "sda"));
	assert_true(strv_has(blocks, "nvme0n1"));
	teardown(&f);
}

static void test_attr(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "[performance] powersave", "performance" }, { "a [b c] d", "b c" }, { " x \n", "x" }, { "", "" }, { "[open", "[open" }
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *value = attr_value(cases[i][0]);
		assert_string_equal(value, cases[i][1]);
	}
	struct fixture f;
	setup(&f);
	static const char path[] = "/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor";
	steps_add(&f.steps, &attr_kind, path, "performance", "");
	must(launch(&f));
	give_back(&f);
	must(root_write(f.fake->root, path, "performance")); /* by the user meanwhile */
	str_set(&f.steps.v[0].want, "schedutil");
	f.steps.v[0].state = STEP_DONE;
	struct undo_report report = engine_undo(&f.env, &f.steps);
	assert_int_equal(report.left, 1);
	cleanup_free char *now = fake_read(f.fake, path);
	assert_string_equal(now, "performance");
	teardown(&f);
}

static void test_node_outside_dev(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	static const char *const bad[] = { "/etc/shadow", "/dev/../etc/shadow" };
	fake_file(f.fake, "/etc/shadow", "");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct step s = { .kind = &node_kind, .target = (char *)bad[i], .want = (char *)"1:1" };
		struct err *e = node_kind.apply(&f.env, &s);
		assert_non_null(e);
		err_free(e);
	}
	teardown(&f);
}

static bool is_path(const void *data, const char *pid, const char *path)
{
	(void)pid;
	return streq(path, data);
}

/* Right before the unbind the launcher has only what its steps need: with that it sees a user's program, too. */
static void test_holders_of_a_user(void **state)
{
	(void)state;
	static struct step bind = { .kind = &pci_driver_kind };
	char path[] = "/tmp/held.XXXXXX";
	struct root *root;
	int status;
	if (geteuid() != 0)
		skip();
	must(root_open("/", &root));
	int fd = mkstemp(path), ends[2];
	assert_true(fd >= 0);
	assert_null(opened_by(root, is_path, path, false)); /* its own claims are nobody's hold */
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t user = fork();
	if (user == 0) {
		if (setgid(65534) == 0 && setuid(65534) == 0)
			execlp("sleep", "sleep", "60", (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &status, 1), 0); /* it is another program now: what only changed its user is root's yet */
	close(fd);                                      /* from here on the user's program alone has it */
	pid_t launcher = fork();
	if (launcher == 0) {
		struct err *e = caps_drop_to(caps_needed(&(struct steps){ &bind, 1 }));
		_exit(e ? 2 : !opened_by(root, is_path, path, false));
	}
	assert_int_equal(waitpid(launcher, &status, 0), launcher);
	kill(user, SIGKILL);
	waitpid(user, NULL, 0);
	close(ends[0]);
	unlink(path);
	root_close(root);
	assert_int_equal(status, 0);
}

/* The steps of one kind, in their order: "a b". Owned by the caller. */
static char *targets(const struct fixture *f, const struct step_kind *kind)
{
	cleanup_strv struct strv names = {};
	for (size_t i = 0; i < f->steps.n; i++)
		if (f->steps.v[i].kind == kind)
			strv_add(&names, f->steps.v[i].target);
	return strv_join(&names, " ");
}

static void module(struct fixture *f, const char *name, const char *refcnt, const char *const *holders)
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
static void modules(struct fixture *f)
{
	setup(f);
	module(f, "nouveau", "2\n", (const char *const[]){ "nouveau_drm", "nouveau_uvm", NULL });
	module(f, "nouveau_drm", "0\n", (const char *const[]){ NULL });
	module(f, "nouveau_uvm", "0\n", (const char *const[]){ NULL });
	module(f, "nf_tables", "0\n", (const char *const[]){ NULL });
	fake_link(f->fake, "/sys/bus/pci/drivers/nouveau/module", "../../../../module/nouveau");
	fake_link(f->fake, "/sys/module/nouveau/drivers/pci:nouveau", "../../../bus/pci/drivers/nouveau");
	fake_link(f->fake, "/sys/bus/pci/drivers/nouveau/0000:01:00.0", "../../devices/0000:01:00.0");
	f->pci[0].functions = FUNCTIONS_GROUP;
}

static void unload(struct fixture *f, const char *const *names)
{
	for (; *names; names++)
		strv_add(&f->pci[0].unload, *names);
}

static void test_unload(void **state)
{
	(void)state;
	struct fixture f;
	modules(&f);
	unload(&f, (const char *const[]){ "nouveau-drm", "nouveau_uvm", "nouveau", "nvidia", NULL });
	plan(&f);
	cleanup_free char *order = targets(&f, &module_unload_kind);
	assert_string_equal(order, "nouveau_drm nouveau_uvm nouveau"); /* what is not loaded needs no step */
	size_t first = 0;
	while (f.steps.v[first].kind != &module_unload_kind)
		first++;
	for (size_t i = 0; i < first; i++)
		assert_true(f.steps.v[i].kind != &pci_driver_kind); /* the driver is asked while the card is on it */
	assert_true(f.steps.v[first].optional);
	assert_string_equal(f.steps.v[first].now, "loaded");
	assert_false(has_finding(&f, FINDING_WARN, "module", "nouveau"));
	strv_free(&f.pci[0].unload);
	teardown(&f);

	modules(&f); /* one that stays uses it */
	unload(&f, (const char *const[]){ "nouveau_uvm", "nouveau", NULL });
	assert_true(has_finding(&f, FINDING_WARN, "module", "nouveau cannot be unloaded before nouveau_drm"));
	strv_free(&f.pci[0].unload);
	teardown(&f);

	modules(&f); /* a program uses it */
	fake_file(f.fake, "/sys/module/nouveau_drm/refcnt", "3\n");
	unload(&f, (const char *const[]){ "nouveau_drm", NULL });
	assert_true(has_finding(&f, FINDING_WARN, "module", "nouveau_drm is in use (3)"));
	strv_free(&f.pci[0].unload);
	teardown(&f);
}

/* Whoever wrote the configuration: what has nothing to do with the guest's devices stays. */
static void test_unload_others(void **state)
{
	(void)state;
	struct fixture f;
	modules(&f);
	unload(&f, (const char *const[]){ "nf_tables", NULL });
	plan(&f);
	cleanup_free char *none = targets(&f, &module_unload_kind);
	assert_string_equal(none, "");
	assert_true(has_finding(&f, FINDING_WARN, "module", "nf_tables stays loaded: it is no module"));
	strv_free(&f.pci[0].unload);
	teardown(&f);

	modules(&f); /* a second card on the same driver */
	fake_pci(f.fake, "0000:09:00.0", "10de:2204", "0x030000", 20, "nouveau", true);
	fake_link(f.fake, "/sys/bus/pci/drivers/nouveau/0000:09:00.0", "../../devices/0000:09:00.0");
	unload(&f, (const char *const[]){ "nouveau_drm", "nouveau", NULL });
	plan(&f);
	cleanup_free char *above = targets(&f, &module_unload_kind);
	assert_string_equal(above, "nouveau_drm");
	assert_true(has_finding(&f, FINDING_WARN, "module", "nouveau stays loaded: it drives 0000:09:00.0"));
	strv_free(&f.pci[0].unload);
	teardown(&f);
}

static void test_rescan(void **state)
{
	(void)state;
	struct fixture f;
	setup(&f);
	f.pci[0].rescan = true;
	f.pci[0].functions = FUNCTIONS_OWN;
	plan(&f);
	must(launch(&f));
	cleanup_free char *driver = root_link_name(f.fake->root, "/sys/bus/pci/devices/0000:01:00.0/driver");
	cleanup_free char *cold = fake_read(f.fake, "/sys/bus/pci/devices/0000:01:00.0/d3cold_allowed");
	cleanup_free char *autoprobe = fake_read(f.fake, "/sys/bus/pci/drivers_autoprobe");
	assert_string_equal(driver, "vfio-pci");
	assert_string_equal(cold, "0"); /* what was set of the device before is set again */
	assert_string_equal(autoprobe, "1");
	give_back(&f);
	teardown(&f);

	setup(&f); /* the guest still has it: it is not taken off its bus */
	f.pci[0].rescan = true;
	f.pci[0].functions = FUNCTIONS_OWN;
	plan(&f);
	must(launch(&f));
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
	teardown(&f);

	setup(&f); /* the administrator has turned it off: it stays so */
	fake_file(f.fake, "/sys/bus/pci/drivers_autoprobe", "0\n");
	f.pci[0].rescan = true;
	plan(&f);
	must(launch(&f));
	give_back(&f);
	teardown(&f);

	setup(&f);
	f.pci[0].rescan = true;
	fake_link(f.fake, "/sys/bus/pci/devices/0000:01:00.0/physfn", "../0000:02:00.0");
	plan(&f);
	for (size_t i = 0; i < f.steps.n; i++)
		if (f.steps.v[i].kind == &pci_rescan_kind && str_starts(f.steps.v[i].target, "0000:01:00.0"))
			assert_non_null(f.steps.v[i].obstacle);
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unload), cmocka_unit_test(test_unload_others), cmocka_unit_test(test_rescan),
		cmocka_unit_test(test_whole_group),
		cmocka_unit_test(test_card), cmocka_unit_test(test_reset), cmocka_unit_test(test_own_functions),
		cmocka_unit_test(test_held_nodes),
		cmocka_unit_test(test_held_by_the_desktop),
		cmocka_unit_test(test_holders_of_a_user),
		cmocka_unit_test(test_comes_along),
		cmocka_unit_test(test_prior_driver),
		cmocka_unit_test(test_already_bound),
		cmocka_unit_test(test_second_function_fails),
		cmocka_unit_test(test_hanging_unbind),
		cmocka_unit_test(test_changed_by_others),
		cmocka_unit_test(test_by_name),
		cmocka_unit_test(test_absent_card),
		cmocka_unit_test(test_same_device_twice),
		cmocka_unit_test(test_findings),
cmocka_unit_test(test_iommufd), cmocka_unit_test(test_iommufd_open), cmocka_unit_test(test_virtual), cmocka_unit_test(test_virtual_answers), cmocka_unit_test(test_virtual_in_use), cmocka_unit_test(test_virtual_refused), cmocka_unit_test(test_virtual_twice),
		cmocka_unit_test(test_iommu_off), cmocka_unit_test(test_unsafe_interrupts),
		cmocka_unit_test(test_rebar),
		cmocka_unit_test(test_blocks_behind),
		cmocka_unit_test(test_attr),
		cmocka_unit_test(test_node_outside_dev),
	};
	pci_holders_limit_ms = 100;
	return cmocka_run_group_tests_name("pci", tests, NULL, NULL);
}
