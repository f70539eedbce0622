/* SPDX-License-Identifier: GPL-2.0-or-later */
/* console: what is let go for the host's only GPU, found under whatever number it has, in order, and put back backwards. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include "launcher/base/child.h"
#include "launcher/host/kind/attr.h"
#include "launcher/host/framebuffer/framebuffer.h"
#include "launcher/host/kind/sessions.h"
#include "launcher/host/kind/unit.h"
#include "launcher/step/engine.h"
#include "tests/unit/fakekernel.h"

#define VT      "/sys/class/vtconsole"
#define DRIVERS "/sys/bus/platform/drivers"

static const struct step_kind *const kinds[] = { &attr_kind, &framebuffer_kind, &unit_kind, NULL };
static const struct config asked = { .host.release_console = true }, not_asked;

static void vtconsole(struct fake *f, int n, const char *name, const char *bind)
{
	cleanup_free char *name_path = str_fmt(VT "/vtcon%d/name", n), *bind_path = str_fmt(VT "/vtcon%d/bind", n);
	fake_file(f, name_path, name);
	fake_file(f, bind_path, bind);
}

static void framebuffer(struct fake *f, const char *driver, const char *device)
{
	static const char *const files[] = { "bind", "unbind", "uevent" };
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		cleanup_free char *path = str_fmt(DRIVERS "/%s/%s", driver, files[i]);
		fake_file(f, path, "");
	}
	cleanup_free char *module = str_fmt(DRIVERS "/%s/module", driver), *link = str_fmt(DRIVERS "/%s/%s", driver, device);
	cleanup_free char *dir = str_fmt("/sys/bus/platform/devices/%s", device), *to = str_fmt("../../devices/%s", device);
	fake_link(f, module, "../../../../module/fb");
	fake_dir(f, dir);
	fake_link(f, link, to);
}

/* A host whose frame buffer is neither the first console nor of the number that guides write. */
static int setup(void **state)
{
	struct fake *f = fake_new();
	vtconsole(f, 0, "(S) dummy device\n", "0\n");
	vtconsole(f, 2, "(M) frame buffer device\n", "1\n");
	framebuffer(f, "simple-framebuffer", "simple-framebuffer.1");
	fake_link(f, DRIVERS "/serial8250/serial8250", "../../devices/serial8250");
	fake_link(f, "/etc/systemd/system/display-manager.service", "/usr/lib/systemd/system/sddm.service");
	fake_dir(f, "/run/systemd/system");
	fake_dir(f, "/run/qlaunch");
	fake_file(f, "/proc/sys/kernel/random/boot_id", "6f1c3b0e-0000-4000-8000-000000000000\n");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	fake_free(*state);
	return 0;
}

static void facts_of(struct fake *f, const struct config *c, struct console_facts *ret)
{
	assert_null(console_facts_read(f->root, c, ret));
}

static void test_not_asked(void **state)
{
	cleanup_console_facts struct console_facts facts = {};
	cleanup_steps struct steps steps = {};
	cleanup_findings struct findings findings = {};
	facts_of(*state, &not_asked, &facts);
	console_steps(&steps, &facts);
	console_findings(&findings, &not_asked, &facts);
	assert_int_equal(steps.n + findings.n, 0);
}

static void test_steps(void **state)
{
	cleanup_console_facts struct console_facts facts = {};
	cleanup_steps struct steps steps = {};
	static const struct {
		const struct step_kind *kind;
		const char *target, *want;
	} wanted[] = {
		{ &unit_kind, "sddm.service", "inactive" },
		{ &attr_kind, VT "/vtcon2/bind", "0" },
		{ &framebuffer_kind, "simple-framebuffer/simple-framebuffer.1", "unbound" },
	};
	facts_of(*state, &asked, &facts);
	console_steps(&steps, &facts);
	assert_int_equal(steps.n, ARRAY_SIZE(wanted));
	for (size_t i = 0; i < steps.n; i++) {
		assert_ptr_equal(steps.v[i].kind, wanted[i].kind);
		assert_string_equal(steps.v[i].target, wanted[i].target);
		assert_string_equal(steps.v[i].want, wanted[i].want);
		assert_int_equal(steps.v[i].optional, wanted[i].kind == &attr_kind);
	}
}

/* There and back by the engine: the tree of before, byte for byte. The display manager is for a real systemd. */
static void test_there_and_back(void **state)
{
	struct fake *f = *state;
	struct step_env env = { f->root, kinds };
	cleanup_console_facts struct console_facts facts = {};
	cleanup_steps struct steps steps = {};
	cleanup_journal struct journal *journal = NULL;
	facts_of(f, &asked, &facts);
	str_set(&facts.manager, NULL);
	console_steps(&steps, &facts);
	cleanup_free char *before = fake_snapshot(f);
	assert_null(journal_create(f->root, "/run/qlaunch", "vm", 0, NULL, &journal));
	struct engine engine = { .env = &env, .journal = journal };
	assert_null(engine_apply(&engine, &steps));
	assert_null(root_link(f->root, DRIVERS "/simple-framebuffer/simple-framebuffer.1"));
	cleanup_free char *bind = fake_read(f, VT "/vtcon2/bind");
	assert_string_equal(bind, "0");
	struct undo_report report = engine_undo(&env, &steps);
	assert_int_equal(report.undone, 2);
	assert_null(journal_remove(journal));
	cleanup_free char *after = fake_snapshot(f), *difference = fake_difference(before, after);
	assert_null(difference);
}

/* The GPU's own driver takes the firmware's frame buffer away when it comes back: nothing is left to put back. */
static void test_gone_meanwhile(void **state)
{
	struct fake *f = *state;
	struct step_env env = { f->root, kinds };
	struct step s = { .kind = &framebuffer_kind, .target = (char *)"efi-framebuffer/efi-framebuffer.0", .want = (char *)"unbound",
			  .prior = (char *)"bound" };
	cleanup_free char *now = NULL;
	assert_null(framebuffer_kind.probe(&env, &s, &now));
	assert_int_equal(step_whose(&s, now), STEP_PRIOR);
}

/* A bent journal must not make root write into any other driver. */
static void test_strange_targets(void **state)
{
	struct fake *f = *state;
	struct step_env env = { f->root, kinds };
	static const char *const targets[] = { "simple-framebuffer", "serial8250/serial8250", "simple-framebuffer/../x",
					       "simple-framebuffer/", "a/b-framebuffer/c", "-framebuffer/x" };
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		struct step s = { .kind = &framebuffer_kind, .target = (char *)(uintptr_t)targets[i], .want = (char *)"unbound" };
		cleanup_err struct err *e = framebuffer_kind.apply(&env, &s);
		assert_non_null(e);
		assert_non_null(strstr(err_text(e), "is no frame buffer"));
	}
}

/* Whether a launcher in this cgroup would survive the end of the desktop. */
static enum verdict verdict_in(struct fake *f, const char *cgroup)
{
	cleanup_console_facts struct console_facts facts = {};
	cleanup_findings struct findings findings = {};
	fake_file(f, "/proc/self/cgroup", cgroup);
	facts_of(f, &asked, &facts);
	console_findings(&findings, &asked, &facts);
	return findings_worst(&findings);
}

static void test_inside_the_desktop(void **state)
{
	struct fake *f = *state;
	fake_file(f, "/run/systemd/sessions/2", "UID=1000\nTYPE=wayland\n");
	fake_file(f, "/run/systemd/sessions/5", "UID=1000\nTYPE=tty\n");
	assert_int_equal(verdict_in(f, "0::/user.slice/user-1000.slice/session-2.scope\n"), FINDING_BAD);
	assert_int_equal(verdict_in(f, "0::/user.slice/user-1000.slice/session-5.scope\n"), FINDING_OK);
	assert_int_equal(verdict_in(f, "0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.scope\n"), FINDING_BAD);
	assert_int_equal(verdict_in(f, "0::/system.slice/system-qlaunch.slice/qlaunch@win11.service\n"), FINDING_OK);
}

/* Who ends when the display manager does; each with what keeps a user's own systemd beside the desktop's session. */
static void test_who_ends(void **state)
{
	static const char user[] = "0::/user.slice/user-1000.slice/user@1000.service/";
	static const struct {
		const char *cgroup, *below, *environ;
		const char *other; /* a second session of the user's */
		bool lingers, ends;
	} cases[] = {
		{ "0::/system.slice/sddm.service\n", "", "", NULL, false, true },
		{ "0::/system.slice/sddm.service/x\n", "", "", NULL, false, true },
		{ "0::/system.slice/sddm.service.d\n", "", "", NULL, false, false },
		{ "0::/system.slice/openrgb.service\n", "", "DISPLAY=:0", NULL, false, false },
		{ "0::/user.slice/user-1000.slice/session-2.scope\n", "", "", NULL, true, true },
		{ "0::/user.slice/user-1000.slice/session-5.scope\n", "", "", "TYPE=tty\nSERVICE=sshd\nCLASS=user\n", false, false },
		{ "0::/user.slice/user-1000.slice/session-5.scope\n", "", "", "TYPE=x11\nSERVICE=login\nCLASS=user\n", false, false },
		{ "0::/user.slice/user-1000.slice/session-9.scope\n", "", "", NULL, false, false },
		{ user, "background.slice/plasma-powerdevil.service\n", "HOME=/home/joe", NULL, false, true },
		{ user, "app.slice/openrgb.service\n", "HOME=/home/joe", NULL, true, false },
		{ user, "app.slice/openrgb.service\n", "HOME=/home/joe", "TYPE=tty\nSERVICE=sshd\nCLASS=user\n", false, false },
		{ user, "app.slice/openrgb.service\n", "HOME=/home/joe", "TYPE=unspecified\nCLASS=manager\n", false, true },
		{ user, "app.slice/app-firefox.scope\n", "WAYLAND_DISPLAY=wayland-0", NULL, true, true },
		{ user, "session.slice/org.gnome.Shell@wayland.service\n", "", NULL, true, true },
		{ "0::/user.slice/user-7.slice/user@7.service/app.slice/x.service\n", "", "", NULL, false, false },
	};
	struct fake *f = *state;
	fake_file(f, "/run/systemd/users/1000", "NAME=joe\nSTATE=active\n");
	fake_file(f, "/run/systemd/sessions/2", "UID=1000\nTYPE=wayland\nSERVICE=sddm\nCLASS=user\n");
	fake_dir(f, "/var/lib/systemd/linger");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *cgroup = str_fmt("%s%s", cases[i].cgroup, cases[i].below);
		cleanup_free char *other = str_fmt("UID=1000\n%s", cases[i].other ? cases[i].other : "");
		fake_file(f, "/proc/4242/cgroup", cgroup);
		fake_file(f, "/proc/4242/environ", cases[i].environ);
		if (cases[i].other)
			fake_file(f, "/run/systemd/sessions/5", other);
		if (cases[i].lingers)
			fake_file(f, "/var/lib/systemd/linger/joe", "");
		if (session_ends(f->root, "sddm.service", "4242") != cases[i].ends)
			fail_msg("case %zu: %s", i, cgroup);
		assert_false(session_ends(f->root, NULL, "4242"));
		err_free(root_unlink(f->root, "/run/systemd/sessions/5"));
		err_free(root_unlink(f->root, "/var/lib/systemd/linger/joe"));
	}
}

/* What systemd says of a unit, and whose that is for a display manager that is to be stopped. */
static void test_unit_whose(void **state)
{
	(void)state;
	struct step s = { .kind = &unit_kind, .target = (char *)"sddm.service", .want = (char *)"inactive", .prior = (char *)"active" };
	assert_int_equal(step_whose(&s, "inactive"), STEP_WANTED);
	assert_int_equal(step_whose(&s, "deactivating"), STEP_BETWEEN);
	assert_int_equal(step_whose(&s, "active"), STEP_PRIOR); /* somebody has started it again */
}

/* The guard is there where its unit is installed, and its instance is the machine's name as systemd writes names. */
static void test_guard(void **state)
{
	struct fake *f = *state;
	cleanup_steps struct steps none = {}, steps = {};
	unit_guard_step(&none, f->root, "win11");
	assert_int_equal(none.n, 0);
	fake_file(f, "/usr/local/lib/systemd/system/qlaunch-restore@.path", "");
	unit_guard_step(&steps, f->root, "my-vm");
	assert_int_equal(steps.n, 1);
	assert_string_equal(steps.v[0].target, "qlaunch-restore@my\\x2dvm.path");
	assert_true(steps.v[0].optional);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_not_asked),       TEST(test_steps),	       TEST(test_there_and_back), TEST(test_gone_meanwhile),
		TEST(test_strange_targets), TEST(test_inside_the_desktop), TEST(test_who_ends), TEST(test_unit_whose),     TEST(test_guard),
	};
	return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
