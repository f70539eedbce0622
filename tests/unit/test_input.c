/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Input devices: what they are, by which name, who may open them, what QEMU is told, what is said of a wrong one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include "launcher/guest/args_input.h"
#include "launcher/host/kind/node.h"
#include "launcher/host/input/twin.h"
#include "tests/unit/fakekernel.h"

#define KBD "/dev/input/by-id/usb-LAB-event-kbd"
#define MOUSE "/dev/input/by-path/pci-0-event-mouse"

struct fixture {
	struct fake *fake;
	struct config config;
	struct conf_input input[3];
	struct input_facts facts;
};

static void must(struct err *e)
{
	if (e)
		fail_msg("%s", err_text(e));
}

static void device(struct fake *f, const char *event, const char *name, const char *key, const char *rel, const char *abs)
{
	const char *const files[][2] = {
		{ "name", name },          { "capabilities/key", key }, { "capabilities/rel", rel }, { "capabilities/abs", abs },
		{ "id/vendor", "046d\n" }, { "id/product", "c52b\n" }
	};
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		cleanup_free char *path = str_fmt("/sys/class/input/%s/device/%s", event, files[i][0]);
		fake_file(f, path, files[i][1]);
	}
	cleanup_free char *node = str_fmt("/dev/input/%s", event);
	fake_file(f, node, "");
}

/* A keyboard, a mouse, a gamepad, a touchpad, a power button, a virtual tablet; event10 comes after event2. */
static int setup(void **state)
{
	struct fixture *f = mem_new(sizeof(*f));
	f->fake = fake_new();
	device(f->fake, "event2", "LAB \033[1mKeyboard\n", "1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe\n", "0\n",
	       "0\n");
	device(f->fake, "event3", "LAB Mouse\n", "1f0000 0 0 0 0\n", "903\n", "0\n");
	device(f->fake, "event4", "LAB Pad\n", "7cdb000000000000 0 0 0 0\n", "0\n", "3003f\n");
	device(f->fake, "event5", "LAB Touch\n", "e520 10000 0 0 0 0\n", "0\n", "2608000 3\n");
	device(f->fake, "event6", "Power Button\n", "10000000000000 0\n", "0\n", "0\n");
	device(f->fake, "event10", "LAB Tablet\n", "70000 0 0 0 0\n", "100\n", "3\n");
	fake_link(f->fake, KBD, "../event2");
	fake_link(f->fake, "/dev/input/by-path/pci-1-event-kbd", "../event2");
	fake_link(f->fake, MOUSE, "../event3");
	f->input[0] = (struct conf_input){ .name = (char *)"keyboard", .device = (char *)KBD, .grab = true, .persistent = true };
	f->input[1] = (struct conf_input){ .name = (char *)"mouse", .device = (char *)MOUSE, .grab = true, .toggle = TOGGLE_SCROLLLOCK };
	f->input[2] =
		(struct conf_input){ .name = (char *)"other", .device = (char *)"/dev/input/by-id/usb-none-event-mouse", .grab = true };
	f->config = (struct config){ .path = (char *)"vm.conf", .inputs = f->input, .n_inputs = 2 };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	input_facts_free(&f->facts);
	fake_free(f->fake);
	free(f);
	return 0;
}

static void read_again(struct fixture *f)
{
	input_facts_free(&f->facts);
	must(input_facts_read(f->fake->root, &f->config, "/run/qlaunch/vm", &f->facts));
}

static void test_devices(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *node, *stable;
		unsigned is;
	} want[] = {
		{ "/dev/input/event2", KBD, INPUT_KEYBOARD }, { "/dev/input/event3", MOUSE, INPUT_MOUSE },
		{ "/dev/input/event4", NULL, INPUT_GAMEPAD }, { "/dev/input/event5", NULL, INPUT_TOUCH },
		{ "/dev/input/event6", NULL, INPUT_KEYS },    { "/dev/input/event10", NULL, INPUT_POINTER },
	};
	cleanup_input_devices struct input_devices d = {};
	must(input_devices_read(f->fake->root, &d));
	assert_int_equal(d.n, ARRAY_SIZE(want));
	for (size_t i = 0; i < d.n; i++) {
		assert_string_equal(d.v[i].node, want[i].node);
		assert_true(streq(d.v[i].stable, want[i].stable));
		assert_int_equal(d.v[i].is, want[i].is);
	}
	assert_null(strchr(d.v[0].name, '\033'));
	assert_int_equal(d.v[0].vendor, 0x046d);
	assert_int_equal(d.v[0].product, 0xc52b);
	assert_true(d.v[1].wheel);
	assert_int_equal(d.v[1].buttons, 5);
	assert_int_equal(d.v[1].keys, 0);
	cleanup_free char *text = input_describe(&d.v[1]);
	assert_string_equal(text, "mouse, 5 buttons, wheel");
}

static void test_arguments(void **state)
{
	struct fixture *f = *state;
	cleanup_args struct args args = {};
	f->config.n_inputs = 3; /* the third is not there: added when it comes */
	read_again(f);
	guest_inputs(&args, &f->facts);
	assert_int_equal(args.n, 4);
	assert_string_equal(args.v[0].value,
			    "{\"qom-type\":\"input-linux\",\"id\":\"input-keyboard\",\"evdev\":\"/run/qlaunch/vm/input-keyboard\","
			    "\"grab_all\":true,\"repeat\":true,\"grab-toggle\":\"ctrl-ctrl\"}");
	assert_string_equal(args.v[1].value, "{\"qom-type\":\"input-linux\",\"id\":\"input-mouse\",\"evdev\":\"" MOUSE "\"}");
	assert_string_equal(args.v[2].value, "{\"driver\":\"virtio-keyboard-pci\",\"id\":\"keyboard\",\"bus\":\"pcie.0\",\"addr\":\"04.0\","
					     "\"multifunction\":true}");
	assert_string_equal(args.v[3].value, "{\"driver\":\"virtio-mouse-pci\",\"id\":\"mouse\",\"bus\":\"pcie.0\",\"addr\":\"04.1\"}");
}

/* QEMU moves no device that has grab_all itself: of two keyboards one leads, and the one that may not does not. */
static void test_one_leads(void **state)
{
	struct fixture *f = *state;
	f->input[1] = f->input[0];
	f->input[1].name = (char *)"second";
	for (int first = 0; first < 2; first++) {
		f->input[0].grab = first == 0;
		read_again(f);
		for (size_t i = 0; i < 2; i++) {
			json_t *o = guest_input_object(&f->facts, i);
			assert_int_equal(json_is_true(json_object_get(o, "grab_all")), (int)i == first);
			json_decref(o);
		}
	}
}

static void test_steps(void **state)
{
	struct fixture *f = *state;
	gid_t group = 104;
	struct user user = { .uid = 1000, .gid = 1000, .groups = &group, .n_groups = 1 };
	cleanup_steps struct steps steps = {};
	f->config.n_inputs = 3;
	f->input[2].wait = true;
	read_again(f);
	struct input_device *mouse = (struct input_device *)f->facts.v[1].device;
	mouse->uid = 0, mouse->gid = 5, mouse->mode = 0660;
	input_steps(&steps, &f->facts, &user);
	assert_int_equal(steps.n, 4);
	assert_string_equal(steps.v[0].target, "uinput");
	assert_ptr_equal(steps.v[1].kind, &twin_kind);
	assert_string_equal(steps.v[1].target, KBD);
	assert_string_equal(steps.v[1].want, "1000");
	assert_ptr_equal(steps.v[2].kind, &node_kind);
	assert_string_equal(steps.v[2].want, "1000:5"); /* the group stays */
	assert_true(steps.v[3].late);
	assert_non_null(steps.v[3].obstacle);

	steps_free(&steps);
	f->config.n_inputs = 2;
	read_again(f);
	mouse = (struct input_device *)f->facts.v[1].device;
	mouse->uid = 0, mouse->gid = group, mouse->mode = 0660; /* he may open it already */
	f->facts.uinput = true;
	input_steps(&steps, &f->facts, &user);
	assert_int_equal(steps.n, 1);
}

/* The verdict for the first input, and that its text or remedy has `part`. */
static void expect(struct fixture *f, enum verdict verdict, const char *part)
{
	cleanup_findings struct findings found = {};
	read_again(f);
	input_findings(&found, &f->config, &f->facts);
	for (size_t i = 0; i < found.n; i++)
		if (found.v[i].verdict == verdict &&
		    (strstr(found.v[i].text, part) || (found.v[i].remedy && strstr(found.v[i].remedy, part))))
			return;
	fail_msg("no \"%s\" among %zu findings, the first: %s", part, found.n, found.n ? found.v[0].text : "none");
}

static void test_findings(void **state)
{
	struct fixture *f = *state;
	f->config.n_inputs = 1;
	expect(f, FINDING_OK, "Keyboard");
	f->input[0].device = (char *)"/dev/input/event2";
	expect(f, FINDING_WARN, "device = " KBD);
	f->input[0].device = (char *)"/dev/input/event4";
	expect(f, FINDING_WARN, "[usb NAME]");
	f->input[0].device = (char *)"/dev/input/gone";
	expect(f, FINDING_BAD, "wait = yes");
	f->input[0].wait = true;
	expect(f, FINDING_WARN, "when it comes");
	fake_file(f->fake, "/dev/sda", "");
	fake_link(f->fake, "/dev/input/by-id/evil", "../../sda");
	f->input[0].device = (char *)"/dev/input/by-id/evil";
	expect(f, FINDING_BAD, "is no input device");
	f->input[0].device = (char *)MOUSE;
	expect(f, FINDING_WARN, "nothing moves the mouse back");
	f->config.n_inputs = 2;
	f->input[0].device = (char *)"/dev/input/event3";
	expect(f, FINDING_BAD, "the same device as [input keyboard]");
}

/* One name, whatever the path: two machines that want one keyboard are seen. */
static void test_claim(void **state)
{
	struct fixture *f = *state;
	static const char *const paths[] = { KBD, "/dev/input/event2", "/dev/input/by-path/pci-1-event-kbd" };
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		f->input[0].device = (char *)paths[i];
		read_again(f);
		assert_string_equal(input_claim(&f->facts.v[0]), KBD);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_devices, setup, teardown),
		cmocka_unit_test_setup_teardown(test_arguments, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_leads, setup, teardown),
		cmocka_unit_test_setup_teardown(test_steps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_findings, setup, teardown),
		cmocka_unit_test_setup_teardown(test_claim, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
