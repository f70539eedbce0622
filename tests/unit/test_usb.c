/* SPDX-License-Identifier: GPL-2.0-or-later */
/* USB devices: which are meant, and what is given back of one that the guest has had. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "launcher/host/usb/usb.h"
#include "launcher/step/engine.h"
#include "tests/unit/fakekernel.h"

#define DEVICES "/sys/bus/usb/devices"

static void must(struct err *e)
{
	if (e)
		fail_msg("%s", err_text(e));
}

static void attr(struct fake *f, const char *sys, const char *name, const char *text)
{
	cleanup_free char *path = str_fmt(DEVICES "/%s/%s", sys, name);
	fake_file(f, path, text);
}

static void device(struct fake *f, const char *sys, const char *vendor, const char *number, const char *class)
{
	attr(f, sys, "idVendor", vendor);
	attr(f, sys, "idProduct", "c52b\n");
	attr(f, sys, "busnum", "1\n");
	attr(f, sys, "devnum", number);
	attr(f, sys, "bDeviceClass", class);
}

static void driver(struct fake *f, const char *interface, const char *name)
{
	cleanup_free char *link = str_fmt(DEVICES "/%s/driver", interface), *target = str_fmt("../../drivers/%s", name);
	cleanup_free char *real = fake_path(f, link);
	remove(real);
	if (name)
		fake_link(f, link, target);
}

/* A hub at 1-4 with two devices below it, a device at 1-40, a root hub, interfaces. */
static int setup(void **state)
{
	struct fake *f = fake_new();
	device(f, "usb1", "1d6b\n", "1\n", "09\n");
	device(f, "1-4", "05e3\n", "2\n", "09\n");
	device(f, "1-4.1", "046d\n", "3\n", "00\n");
	device(f, "1-4.2", "1209\n", "4\n", "00\n");
	device(f, "1-40", "046d\n", "5\n", "00\n");
	attr(f, "1-4.1", "manufacturer", "Lab\n");
	attr(f, "1-4.1", "product", "\033]0;Mouse\n");
	fake_dir(f, DEVICES "/1-4.1:1.0");
	fake_dir(f, DEVICES "/1-4.1:1.1");
	driver(f, "1-4.1:1.0", "usbhid");
	fake_file(f, "/sys/bus/usb/drivers_probe", "");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	fake_free(*state);
	return 0;
}

static void test_means(void **state)
{
	struct fake *f = *state;
	static const struct {
		struct conf_usb conf;
		const char *found;
	} cases[] = {
		{ { .id = (char *)"046d:c52b" }, "1-4.1 1-40 " }, { { .id = (char *)"046D:C52B" }, "1-4.1 1-40 " },
		{ { .port = (char *)"1-4" }, "1-4.1 1-4.2 " },	  { { .port = (char *)"1-4.2" }, "1-4.2 " },
		{ { .port = (char *)"1-40" }, "1-40 " },	  { { .id = (char *)"1d6b:c52b" }, "" },
	};
	cleanup_usb_devices struct usb_devices all = {};
	must(usb_devices_read(f->root, &all));
	assert_int_equal(all.n, 4);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_sb struct sb found = {};
		sb_add(&found, "");
		for (size_t k = 0; k < all.n; k++)
			if (usb_means(&cases[i].conf, &all.v[k]))
				sb_addf(&found, "%s ", all.v[k].sys);
		assert_string_equal(found.s ? found.s : "", cases[i].found);
	}
	assert_string_equal(all.v[1].node, "/dev/bus/usb/001/003");
	assert_null(strchr(all.v[1].name, '\033'));
}

static void test_steps(void **state)
{
	struct fake *f = *state;
	struct conf_usb both[] = { { .name = (char *)"a", .id = (char *)"046d:c52b" }, { .name = (char *)"b", .port = (char *)"1-4" } };
	struct config c = { .usb = both, .n_usb = 2 };
	cleanup_usb_devices struct usb_devices all = {};
	cleanup_steps struct steps steps = {};
	must(usb_devices_read(f->root, &all));
	usb_steps(&steps, &c, &all);
	assert_int_equal(steps.n, 3); /* each once, though 1-4.1 is meant twice */
	assert_true(steps.v[0].late);
}

/* From what QEMU has left behind to what undo makes of it. */
static void test_given_back(void **state)
{
	struct fake *f = *state;
	const struct step_kind *const kinds[] = { &usb_kind, NULL };
	struct step_env env = { .root = f->root, .kinds = kinds };
	static const struct {
		const char *prior, *now, *then;
		bool asked;
	} cases[] = {
		{ "1/3 1-4.1:1.0=usbhid 1-4.1:1.1=-", NULL, "usbhid", true },      /* killed */
		{ "1/3 1-4.1:1.0=usbhid 1-4.1:1.1=-", "usbfs", "usbfs", true },    /* still QEMU's */
		{ "1/3 1-4.1:1.0=usbhid 1-4.1:1.1=-", "usbhid", "usbhid", false }, /* QEMU gave it back */
		{ "1/3 1-4.1:1.0=usbhid 1-4.1:1.1=-", "xpad", "xpad", false },     /* another driver of the host's */
		{ "1/9 1-4.1:1.0=usbhid", NULL, NULL, false },                     /* another device by now */
		{ "1/3 1-4.1:1.0=-", NULL, NULL, false },                          /* it had none */
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct undo_report report = {};
		struct step s = { .kind = &usb_kind,
				  .target = (char *)"1-4.1",
				  .want = (char *)"guest",
				  .prior = (char *)cases[i].prior };
		s.state = STEP_DONE;
		driver(f, "1-4.1:1.0", cases[i].now);
		fake_file(f, "/sys/bus/usb/drivers_probe", "");
		fake_fault(f, FAKE_NONE, 0, 0);
		engine_undo_one(&env, &s, &report);
		cleanup_free char *then = root_link_name(f->root, "/sys/bus/usb/devices/1-4.1:1.0/driver");
		assert_true(streq(then, cases[i].then));
		assert_int_equal(f->shared->count, cases[i].asked);
	}
	cleanup_free char *value = NULL;
	struct step gone = { .kind = &usb_kind, .target = (char *)"1-9" };
	must(usb_kind.probe(&env, &gone, &value));
	assert_string_equal(value, "absent");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_means, setup, teardown),
		cmocka_unit_test_setup_teardown(test_steps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_given_back, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
