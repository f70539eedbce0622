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
#include "tests/unit/pci_fixture.h"

static void test_whole_group(void **state)
{
	(void)state;
	struct pci_fixture f;
	pci_begin(&f);
	pci_plan(&f);
	assert_int_equal(f.facts.picks[0].n, 2);
	assert_int_equal(f.facts.n_rest, 1); /* the bridge */
	assert_int_equal(f.facts.picks[0].v[0].bar[0], 256 << 20);
	cleanup_free char *steps = pci_told(&f);
	assert_string_equal(steps, "attr " GPU "/d3cold_allowed 0: 1\n"
				   "attr " GPU "/power/control on: auto\n"
				   "pci-driver 0000:01:00.0 vfio-pci: nouveau\n"
				   "attr " SOUND "/d3cold_allowed 0: 1\n"
				   "attr " SOUND "/power/control on: auto\n"
				   "pci-driver 0000:01:00.1 vfio-pci: snd_hda_intel\n"
				   "node /dev/vfio/13 1000:1001: absent\n");
	for (size_t i = 0; i < f.steps.n; i++)
		assert_null(f.steps.v[i].obstacle);
	pci_must(pci_launch(&f));
	pci_must(pci_groups_check(f.fake->root, &f.facts));
	cleanup_free char *driver = root_link_name(f.fake->root, SOUND "/driver");
	assert_string_equal(driver, "vfio-pci");
	struct stat st;
	pci_must(root_stat(f.fake->root, "/dev/vfio/13", &st));
	assert_int_equal(st.st_uid, 1000);
	assert_int_equal(st.st_gid, 1001);
	pci_give_back(&f);
	pci_end(&f);
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
		struct pci_fixture f;
		pci_begin(&f);
		fake_pci(f.fake, "0000:01:00.2", cases[i].id, cases[i].class, 15, "", false);
		f.pci[0].functions = cases[i].functions;
		pci_plan(&f);
		assert_int_equal(f.facts.picks[0].n, cases[i].n);
		pci_must(pci_launch(&f));
		pci_give_back(&f);
		pci_end(&f);
	}
	/* a virtual function is nobody's part, nor has it parts */
	struct pci_fixture f;
	pci_begin(&f);
	fake_pci(f.fake, "0000:01:00.2", "10de:2204", "0x030000", 15, "", false);
	fake_dir(f.fake, "/sys/bus/pci/devices/0000:01:00.2/physfn");
	pci_plan(&f);
	assert_int_equal(f.facts.picks[0].n, 2);
	pci_facts_free(&f.facts);
	f.pci[0].address.fn = 2;
	pci_must(pci_facts_read(f.fake->root, &f.config, &f.facts));
	assert_int_equal(f.facts.picks[0].n, 1);
	pci_end(&f);
}

/* Two ports of a network card in groups of their own: one for the guest. Without a reset of its own it wants the other, too. */
static void test_reset(void **state)
{
	(void)state;
	struct pci_fixture f;
	pci_begin(&f);
	fake_pci(f.fake, "0000:03:00.0", "8086:1521", "0x020000", 20, "igb", true);
	fake_pci(f.fake, "0000:03:00.1", "8086:1521", "0x020000", 21, "igb", true);
	pci_must(pci_addr_parse("03:00.0", &f.pci[0].address));
	assert_false(pci_has_finding(&f, FINDING_WARN, "reset", ""));
	fake_file(f.fake, "/sys/bus/pci/devices/0000:03:00.0/reset_method", "\n");
	assert_true(pci_has_finding(&f, FINDING_WARN, "reset", "03:00.1 stays with the host"));
	assert_true(pci_has_finding(&f, FINDING_WARN, "reset", "functions = slot in [pci gpu]"));
	f.pci[0].functions = FUNCTIONS_SLOT;
	assert_false(pci_has_finding(&f, FINDING_WARN, "reset", ""));
	assert_true(pci_has_finding(&f, FINDING_OK, "reset", "its bus is reset"));
	fake_pci(f.fake, "0000:00:1f.6", "8086:15b8", "0x020000", 22, "e1000e", true);
	fake_file(f.fake, "/sys/bus/pci/devices/0000:00:1f.6/reset_method", "\n");
	pci_must(pci_addr_parse("00:1f.6", &f.pci[0].address));
	assert_true(pci_has_finding(&f, FINDING_WARN, "reset", "nothing can reset 00:1f.6"));
	pci_end(&f);
}

static void test_own_functions(void **state)
{
	(void)state;
	struct pci_fixture f;
	pci_begin(&f);
	fake_pci(f.fake, "0000:03:00.0", "8086:1533", "0x020000", 13, "igb", true);
	f.pci[0].functions = FUNCTIONS_OWN;
	pci_plan(&f);
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
	pci_must(pci_launch(&f));
	struct err *e = pci_groups_check(f.fake->root, &f.facts);
	assert_non_null(e);
	assert_int_equal(err_status(e), EXIT_HOST);
	assert_non_null(strstr(err_text(e), "0000:03:00.0"));
	err_free(e);
	pci_give_back(&f);
	pci_end(&f);
}

/* A driver that is not the first to fit gets its card back all the same, and so does an override of the user's. */
static void test_prior_driver(void **state)
{
	(void)state;
	struct pci_fixture f;
	pci_begin(&f);
	pci_must(root_write(f.fake->root, "/sys/bus/pci/drivers/nouveau/unbind", "0000:01:00.0"));
	pci_must(root_write(f.fake->root, "/sys/bus/pci/drivers/nvidia/bind", "0000:01:00.0"));
	pci_must(root_write(f.fake->root, SOUND "/driver_override", "snd_hda_intel"));
	pci_plan(&f);
	cleanup_free char *steps = pci_told(&f);
	assert_non_null(strstr(steps, "vfio-pci: nvidia\n"));
	assert_non_null(strstr(steps, "vfio-pci: snd_hda_intel override=snd_hda_intel\n"));
	pci_must(pci_launch(&f));
	pci_give_back(&f);
	pci_end(&f);
}

/* Bound to vfio-pci at boot: not ours, so it stays. */
static void test_already_bound(void **state)
{
	(void)state;
	struct pci_fixture f;
	pci_begin(&f);
	pci_must(root_write(f.fake->root, GPU "/driver_override", "vfio-pci"));
	pci_must(root_write(f.fake->root, "/sys/bus/pci/drivers/nouveau/unbind", "0000:01:00.0"));
	pci_must(root_write(f.fake->root, "/sys/bus/pci/drivers_probe", "0000:01:00.0"));
	pci_plan(&f);
	pci_must(pci_launch(&f));
	assert_int_equal(f.steps.v[2].state, STEP_SKIPPED);
	pci_give_back(&f);
	cleanup_free char *driver = root_link_name(f.fake->root, GPU "/driver");
	assert_string_equal(driver, "vfio-pci");
	pci_end(&f);
}

static void test_second_function_fails(void **state)
{
	(void)state;
	struct pci_fixture f;
	pci_begin(&f);
	f.fake->trouble[0].errnum = ENODEV;
	strcpy(f.fake->trouble[0].driver, "vfio-pci");
	strcpy(f.fake->trouble[0].addr, "0000:01:00.1");
	pci_plan(&f);
	struct err *e = pci_launch(&f);
	assert_non_null(e);
	assert_int_equal(err_status(e), EXIT_HOST);
	assert_string_equal(err_text(e), "bind 0000:01:00.1 to vfio-pci: vfio-pci did not take it");
	err_free(e);
	pci_give_back(&f);
	pci_end(&f);
}

/* One launch whose writes may take `limit_ms` each. */
static struct err *launch_with_hanging_unbind(struct pci_fixture *f, int limit_ms)
{
	pci_begin(f);
	fake_file(f->fake, GPU "/sound/card1/controlC1/uevent", "MAJOR=116\nDEVNAME=snd/controlC1\n");
	fake_process(f->fake, 812, "pulseaudio", (const char *const[]){ "/dev/null", "/dev/snd/controlC1", NULL });
	fake_process(f->fake, 813, "editor", (const char *const[]){ "/home/snd/controlC1", NULL });
	f->fake->trouble[0].hang = true;
	strcpy(f->fake->trouble[0].driver, "nouveau");
	strcpy(f->fake->trouble[0].addr, "0000:01:00.0");
	pci_plan(f);
	child_write_limit_ms = limit_ms;
	struct err *e = pci_launch(f);
	child_write_limit_ms = 10000;
	return e;
}

/* On a busy machine another write may be late as well: then it gets longer. */
static void test_hanging_unbind(void **state)
{
	(void)state;
	struct pci_fixture f;
	struct err *e = launch_with_hanging_unbind(&f, 100);
	for (int limit_ms = 400; limit_ms < 10000 && !strstr(err_text(e), "nouveau/unbind"); limit_ms *= 4) {
		err_free(e);
		pci_give_back(&f);
		pci_end(&f);
		e = launch_with_hanging_unbind(&f, limit_ms);
	}
	assert_int_equal(err_code(e), ETIMEDOUT);
	assert_non_null(strstr(err_text(e), "nouveau/unbind"));
	assert_non_null(strstr(err_text(e), "pulseaudio (812)"));
	assert_null(strstr(err_text(e), "editor"));
	err_free(e);
	pci_give_back(&f); /* the kernel lets go of the other writes */
	pci_end(&f);
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

static void resolve(struct pci_fixture *f, const char *id, const char *match, const char *addr, const char *problem, const char *remedy)
{
	f->pci[0] = (struct conf_pci){ .name = (char *)"gpu", .id = (char *)id, .match = (char *)match };
	pci_facts_free(&f->facts);
	pci_must(pci_facts_read(f->fake->root, &f->config, &f->facts));
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
	struct pci_fixture f;
	pci_begin(&f);
	fake_pci(f.fake, "0000:00:1e.0", "8086:fffe", "0x088000", 19, "", false); /* one that pci.ids does not know */
	resolve(&f, "10DE:2204", NULL, "0000:01:00.0", NULL, NULL);
	resolve(&f, NULL, "rtx 3090", "0000:01:00.0", NULL, NULL);
	resolve(&f, NULL, "nvidia", "0000:01:00.0", NULL, NULL); /* two functions, one device */
	resolve(&f, NULL, "RTX 4090", NULL, "has a name with \"RTX 4090\"", "GA102 [GeForce RTX 3090]");
	resolve(&f, "1002:744c", NULL, NULL, "\"1002:744c\"", "0000:01:00.0");
	fake_pci(f.fake, "0000:41:00.0", "10de:2204", "0x030000", 20, "nouveau nvidia", true);
	resolve(&f, "10de:2204", NULL, NULL, "0000:41:00.0", "address = 0000:01:00.0");
	resolve(&f, NULL, "RTX 3090", NULL, "more than one device", "address");
	pci_end(&f);
}

static void test_absent_card(void **state)
{
	(void)state;
	struct pci_fixture f;
	pci_begin(&f);
	f.pci[0].address.bus = 2; /* 02:00.0 is the NVMe: near, but not it */
	f.pci[0].address.fn = 1;
	pci_plan(&f);
	assert_non_null(strstr(f.facts.picks[0].problem, "there is no PCI device 0000:02:00.1"));
	assert_non_null(strstr(f.facts.picks[0].remedy, "0000:02:00.0"));
	assert_int_equal(f.steps.n, 1);
	assert_non_null(f.steps.v[0].obstacle);
	pci_end(&f);
}

static void test_same_device_twice(void **state)
{
	(void)state;
	struct pci_fixture f;
	pci_begin(&f);
	f.pci[1] = f.pci[0];
	f.config.n_pci = 2;
	pci_plan(&f);
	assert_non_null(f.facts.picks[1].problem);
	pci_facts_free(&f.facts);
	f.pci[1].address.fn = 1; /* the other function of the group: each section gets its own */
	pci_must(pci_facts_read(f.fake->root, &f.config, &f.facts));
	assert_null(f.facts.picks[1].problem);
	assert_int_equal(f.facts.picks[0].n, 1);
	assert_int_equal(f.facts.picks[1].n, 1);
	pci_end(&f);
}

static void test_findings(void **state)
{
	(void)state;
	struct pci_fixture f;
	pci_begin(&f);
	assert_true(pci_has_finding(&f, FINDING_OK, "iommu", "on"));
	assert_true(pci_has_finding(&f, FINDING_OK, "group", "13"));
	assert_false(pci_has_finding(&f, FINDING_WARN, "console", ""));
	fake_file(f.fake, GPU "/boot_vga", "1\n");
	assert_true(pci_has_finding(&f, FINDING_WARN, "console", "0000:01:00.0"));
	fake_file(f.fake, GPU "/sriov_numvfs", "2\n");
	assert_true(pci_has_finding(&f, FINDING_BAD, "sriov", "2 virtual functions"));
	fake_file(f.fake, SOUND "/sound/card1/controlC1/uevent", "DEVNAME=snd/controlC1\n");
	fake_process(f.fake, 900, "pipewire", (const char *const[]){ "/dev/snd/controlC11", NULL });
	assert_false(pci_has_finding(&f, FINDING_WARN, "holders", "pipewire"));
	fake_process(f.fake, 901, "pulseaudio", (const char *const[]){ "/dev/snd/controlC1", NULL });
	assert_true(pci_has_finding(&f, FINDING_WARN, "holders", "pulseaudio (901)"));
	fake_file(f.fake, "/proc/driver/nvidia/gpus/0000:01:00.0/information", "Model: \t X\nDevice Minor: \t 3\n");
	fake_process(f.fake, 902, "steam", (const char *const[]){ "/dev/nvidia3", NULL });
	assert_true(pci_has_finding(&f, FINDING_BAD, "holders", "steam (902)"));
	pci_end(&f);
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
		struct pci_fixture f;
		pci_begin(&f);
		cleanup_free char *path = str_fmt("%s/%s/uevent", GPU, nodes[i].below),
				  *text = str_fmt("MINOR=1\nDEVNAME=%s\n", nodes[i].node);
		cleanup_free char *dev = str_fmt("/dev/%s", nodes[i].node);
		fake_file(f.fake, path, text);
		assert_false(pci_has_finding(&f, FINDING_BAD, "holders", ""));
		fake_process(f.fake, 77, nodes[i].program, (const char *const[]){ dev, NULL });
		cleanup_free char *who = str_fmt("%s (77)", nodes[i].program);
		assert_true(pci_has_finding(&f, nodes[i].blocks ? FINDING_BAD : FINDING_WARN, "holders", who));
		pci_facts_free(&f.facts);
		pci_plan(&f);
		struct err *e = pci_launch(&f);
		assert_int_equal(err_code(e), nodes[i].blocks ? EBUSY : 0);
		if (e)
			assert_non_null(strstr(err_text(e), who));
		err_free(e);
		pci_give_back(&f);
		pci_end(&f);
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
	struct pci_fixture f;
	(void)state;
	pci_begin(&f);
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
			assert_true(pci_has_finding(&f, blocks ? FINDING_BAD : FINDING_WARN, "holders", "openrgb (77)"));
			assert_int_equal(pci_has_finding(&f, FINDING_BAD, "holders", ""), blocks);
		}
	}
	pci_end(&f);
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
		struct pci_fixture f;
		pci_begin(&f);
		fake_pci(f.fake, "0000:03:00.0", "1022:1234", uses[i].class, 13, "", false);
		fake_file(f.fake, "/sys/class/net/br0/brif/enp3s0/x", "");
		assert_false(uses[i].file && pci_has_finding(&f, FINDING_BAD, "used", ""));
		if (uses[i].file) {
			fake_file(f.fake, uses[i].file, uses[i].text);
			fake_link(f.fake, uses[i].link, uses[i].target);
		}
		assert_true(pci_has_finding(&f, FINDING_BAD, "used", uses[i].says));
		assert_true(pci_has_finding(&f, FINDING_BAD, "used", "accept = 03:00.0"));
		strv_add(&f.pci[0].accept, "03:00.0");
		assert_false(pci_has_finding(&f, FINDING_BAD, "used", ""));
		assert_true(pci_has_finding(&f, FINDING_WARN, "used", uses[i].says));
		strv_free(&f.pci[0].accept);
		pci_must(pci_addr_parse("03:00.0", &f.pci[0].address)); /* named itself: meant */
		assert_false(pci_has_finding(&f, FINDING_BAD, "used", uses[i].says));
		assert_true(pci_has_finding(&f, FINDING_WARN, "used", uses[i].says));
		pci_end(&f);
	}
}

static void test_iommu_off(void **state)
{
	(void)state;
	struct pci_fixture f;
	pci_begin(&f);
	fake_free(f.fake);
	f.fake = fake_new();
	f.env.root = f.fake->root;
	fake_file(f.fake, "/proc/cpuinfo", "vendor_id\t: GenuineIntel\n");
	fake_pci(f.fake, "0000:01:00.0", "10de:2204", "0x030000", -1, "nouveau", true);
	assert_true(pci_has_finding(&f, FINDING_BAD, "iommu", "intel_iommu=on"));
	pci_steps(&f.steps, &f.config, &f.facts, 1000, 1000);
	assert_string_equal(f.steps.v[0].kind->name, "module");
	assert_string_equal(f.steps.v[3].obstacle, "the IOMMU is off");
	fake_file(f.fake, "/proc/cmdline", "quiet intel_iommu=off\n");
	assert_true(pci_has_finding(&f, FINDING_BAD, "iommu", "take iommu=off"));
	pci_end(&f);
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
	struct pci_fixture f;
	(void)state;
	pci_begin(&f);
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		fake_file(f.fake, steps[i].path, steps[i].text);
		if (pci_no_remapping(f.fake->root) != steps[i].refused)
			fail_msg("%s: %s", steps[i].path, steps[i].text);
	}
	pci_end(&f);
}

static void test_rebar(void **state)
{
	(void)state;
	struct pci_fixture f;
	pci_begin(&f);
	fake_file(f.fake, GPU "/resource0_resize", "0000000000003fc0\n"); /* 64 MiB to 8 GiB */
	f.pci[0].rebar = UINT64_C(8) << 30;
	pci_plan(&f);
	cleanup_free char *steps = pci_told(&f);
	assert_non_null(strstr(steps, "pci-bar 0000:01:00.0/resource0_resize 8G: 256M\n"));
	assert_null(f.steps.v[3].obstacle);
	pci_must(pci_launch(&f));
	cleanup_free char *resource = fake_read(f.fake, GPU "/resource");
	assert_non_null(strstr(resource, "0x00000000e0000000 0x00000002dfffffff"));
	pci_must(pci_groups_check(f.fake->root, &f.facts));
	pci_give_back(&f);
	steps_free(&f.steps);
	pci_facts_free(&f.facts);
	f.pci[0].rebar = UINT64_C(16) << 30;
	pci_plan(&f);
	assert_non_null(f.steps.v[3].obstacle);
	pci_end(&f);
}

static void test_blocks_behind(void **state)
{
	(void)state;
	struct pci_fixture f;
	pci_begin(&f);
	pci_must(pci_addr_parse("02:00.0", &f.pci[0].address));
	fake_dir(f.fake, "/sys/bus/pci/devices/0000:02:00.0/nvme/nvme1/nvme0c1n1");
	fake_link(f.fake, "/sys/block/sda", "../devices/pci0000:00/0000:02:00.0/ata1/host0/block/sda");
	fake_link(f.fake, "/sys/block/sdb", "../devices/pci0000:00/0000:05:00.0/ata1/host0/block/sdb");
	pci_plan(&f);
	const struct strv *blocks = &f.facts.picks[0].v[0].blocks;
	assert_int_equal(blocks->n, 2);
	assert_true(strv_has(blocks, "sda"));
	assert_true(strv_has(blocks, "nvme0n1"));
	pci_end(&f);
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
	struct pci_fixture f;
	pci_begin(&f);
	static const char path[] = "/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor";
	steps_add(&f.steps, &attr_kind, path, "performance", "");
	pci_must(pci_launch(&f));
	pci_give_back(&f);
	pci_must(root_write(f.fake->root, path, "performance")); /* by the user meanwhile */
	str_set(&f.steps.v[0].want, "schedutil");
	f.steps.v[0].state = STEP_DONE;
	struct undo_report report = engine_undo(&f.env, &f.steps);
	assert_int_equal(report.left, 1);
	cleanup_free char *now = fake_read(f.fake, path);
	assert_string_equal(now, "performance");
	pci_end(&f);
}

static void test_node_outside_dev(void **state)
{
	(void)state;
	struct pci_fixture f;
	pci_begin(&f);
	static const char *const bad[] = { "/etc/shadow", "/dev/../etc/shadow" };
	fake_file(f.fake, "/etc/shadow", "");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct step s = { .kind = &node_kind, .target = (char *)bad[i], .want = (char *)"1:1" };
		struct err *e = node_kind.apply(&f.env, &s);
		assert_non_null(e);
		err_free(e);
	}
	pci_end(&f);
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
	pci_must(root_open("/", &root));
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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
		cmocka_unit_test(test_iommu_off), cmocka_unit_test(test_unsafe_interrupts),
		cmocka_unit_test(test_rebar),
		cmocka_unit_test(test_blocks_behind),
		cmocka_unit_test(test_attr),
		cmocka_unit_test(test_node_outside_dev),
	};
	pci_holders_limit_ms = 100;
	return cmocka_run_group_tests_name("pci", tests, NULL, NULL);
}
