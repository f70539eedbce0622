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

struct said {
	unsigned number; /* of its inputN */
	const char *name, *phys, *uniq, *key, *rel, *abs;
};

/* As sysfs has it: what a device says is at its inputN, to which its event's `device` leads. */
static void plug(struct fake *f, unsigned event, struct said said)
{
	const char *const files[][2] = { { "name", said.name },
					 { "phys", said.phys ? said.phys : "\n" },
					 { "uniq", said.uniq ? said.uniq : "\n" },
					 { "capabilities/key", said.key },
					 { "capabilities/rel", said.rel ? said.rel : "0\n" },
					 { "capabilities/abs", said.abs ? said.abs : "0\n" },
					 { "id/vendor", "046d\n" },
					 { "id/product", "c52b\n" } };
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		cleanup_free char *path = str_fmt("/sys/devices/input%u/%s", said.number, files[i][0]);
		fake_file(f, path, files[i][1]);
	}
	cleanup_free char *node = str_fmt("/dev/input/event%u", event), *link = str_fmt("/sys/class/input/event%u/device", event),
			  *to = str_fmt("../../../devices/input%u", said.number);
	fake_file(f, node, "");
	fake_link(f, link, to);
}

static void unplug(struct fake *f, unsigned event)
{
	cleanup_free char *node = str_fmt("/dev/input/event%u", event), *link = str_fmt("/sys/class/input/event%u/device", event),
			  *dir = str_fmt("/sys/class/input/event%u", event);
	must(root_unlink(f->root, node));
	must(root_unlink(f->root, link));
	must(root_rmdir(f->root, dir));
}

static void device(struct fake *f, const char *event, const char *name, const char *key, const char *rel, const char *abs)
{
	unsigned n = (unsigned)atoi(event + strlen("event"));
	plug(f, n, (struct said){ .number = n + 30, .name = name, .key = key, .rel = rel, .abs = abs });
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
		const char *node, *path;
		unsigned is;
	} want[] = {
		{ "/dev/input/event2", KBD, INPUT_KEYBOARD },
		{ "/dev/input/event3", MOUSE, INPUT_MOUSE },
		{ "/dev/input/event4", "name:LAB Pad", INPUT_GAMEPAD },
		{ "/dev/input/event5", "name:LAB Touch", INPUT_TOUCH },
		{ "/dev/input/event6", "name:Power Button", INPUT_KEYS },
		{ "/dev/input/event10", "name:LAB Tablet", INPUT_POINTER },
	};
	cleanup_input_devices struct input_devices d = {};
	must(input_devices_read(f->fake->root, &d));
	assert_int_equal(d.n, ARRAY_SIZE(want));
	for (size_t i = 0; i < d.n; i++) {
		assert_string_equal(d.v[i].node, want[i].node);
		assert_string_equal(input_path(&d.v[i]), want[i].path);
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
	struct input_device *mouse = f->facts.v[1].device;
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
	mouse = f->facts.v[1].device;
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

/* Two machines that mean one device have a word in common, whatever each writes. */
static void test_claim(void **state)
{
	struct fixture *f = *state;
	static const char *const ways[] = { KBD, "/dev/input/event2", "/dev/input/by-path/pci-1-event-kbd", "name:LAB \\x1b[1mKeyboard" };
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		cleanup_strv struct strv claims = {};
		f->input[0].device = (char *)ways[i];
		read_again(f);
		input_claims(&f->facts.v[0], &claims);
		assert_true(strv_has(&claims, KBD));
		for (size_t k = 2; k < ARRAY_SIZE(ways); k++) /* of somebody who waits for it */
			assert_true(strv_has(&claims, ways[k]));
		assert_false(strv_has(&claims, "/dev/input/event2")); /* which may be another one's by then */
	}
}

/* ---- devices without a link ---- */

#define KEYS_ALL "1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe\n"

static const struct said bluetooth = { .number = 140,
				       .name = "Keychron K2\n",
				       .phys = "00:1a:7d:da:71:13\n",
				       .uniq = "dc:2c:26:01:02:03\n",
				       .key = KEYS_ALL },
			 bluetooth_mouse = { .number = 141,
					     .name = "MX Master 3 \n",
					     .phys = "00:1a:7d:da:71:13\n",
					     .uniq = "d4:aa:00:00:00:01\n",
					     .key = "1f0000 0 0 0 0\n",
					     .rel = "903\n" },
			 receiver = { .number = 142, .name = "2.4G Receiver\n", .phys = "usb-0000:00:14.0-2/input0\n", .key = KEYS_ALL },
			 receiver_twin = {
				 .number = 143, .name = "2.4G Receiver\n", .phys = "usb-0000:00:14.0-5/input0\n", .key = KEYS_ALL
			 };

static void means(struct fixture *f, const char *device, const char *node)
{
	f->input[0].device = (char *)device;
	read_again(f);
	const struct input_device *d = f->facts.v[0].device;
	if (node)
		assert_non_null(d);
	else
		assert_null(d);
	if (node)
		assert_string_equal(d->node, node);
}

static void test_words(void **state)
{
	struct fixture *f = *state;
	f->config.n_inputs = 1;
	plug(f->fake, 20, bluetooth);
	plug(f->fake, 21, bluetooth_mouse);
	means(f, "uniq:dc:2c:26:01:02:03", "/dev/input/event20");
	means(f, "name:Keychron K2", "/dev/input/event20");
	means(f, "name:MX Master 3", "/dev/input/event21"); /* blanks at its end are nobody's to type */
	means(f, "uniq:dc:2c:26:01:02:03 name:Keychron K2", "/dev/input/event20");
	means(f, "uniq:dc:2c:26:01:02:03 name:MX Master 3", NULL);
	means(f, "name:Keychron", NULL);
	expect(f, FINDING_BAD, "is not there");
	means(f, "phys:00:1a:7d:da:71:13", NULL);
	expect(f, FINDING_BAD, "is more than one device: uniq:dc:2c:26:01:02:03, uniq:d4:aa:00:00:00:01");
	/* the word for a bare number is the one that no other device has */
	f->input[0].device = (char *)"/dev/input/event20";
	expect(f, FINDING_WARN, "device = uniq:dc:2c:26:01:02:03");
	plug(f->fake, 22, receiver);
	f->input[0].device = (char *)"/dev/input/event22";
	expect(f, FINDING_WARN, "device = name:2.4G Receiver");
	plug(f->fake, 23, receiver_twin);
	expect(f, FINDING_WARN, "device = phys:usb-0000:00:14.0-2/input0");
	means(f, "name:2.4G Receiver", NULL);
	expect(f, FINDING_BAD, "phys:usb-0000:00:14.0-2/input0, phys:usb-0000:00:14.0-5/input0");
	/* nobody knows what will have a number */
	f->input[0].device = (char *)"/dev/input/event77";
	f->input[0].wait = true;
	expect(f, FINDING_BAD, "its number does not say");
}

static const char *seek(struct fixture *f, struct input_devices *all)
{
	input_devices_free(all);
	must(input_devices_read(f->fake->root, all));
	const struct input_device *d = input_seek(f->fake->root, &f->facts.v[0], all);
	return d ? d->node : NULL;
}

/* Another device has its number; it comes back under another one. */
static void test_renumbered(void **state)
{
	struct fixture *f = *state;
	static const char *const ways[] = { "/dev/input/event20", "uniq:dc:2c:26:01:02:03", "name:Keychron K2" };
	cleanup_input_devices struct input_devices all = {};
	struct said again = bluetooth;
	f->config.n_inputs = 1;
	f->input[0].persistent = false;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		plug(f->fake, 20, bluetooth);
		means(f, ways[i], "/dev/input/event20");
		assert_string_equal(f->facts.v[0].evdev, "/dev/input/event20");
		seek(f, &all);
		assert_true(input_is_there(&f->facts.v[0], &all));
		unplug(f->fake, 20);
		plug(f->fake, 20, receiver);
		assert_null(seek(f, &all));
		assert_false(input_is_there(&f->facts.v[0], &all));
		input_lost(&f->facts.v[0], &all);
		again.number = 190 + (unsigned)i;
		plug(f->fake, 25, again);
		assert_string_equal(seek(f, &all), "/dev/input/event25");
		input_met(&f->facts.v[0], input_seek(f->fake->root, &f->facts.v[0], &all));
		assert_string_equal(f->facts.v[0].evdev, "/dev/input/event25");
		assert_true(input_is_there(&f->facts.v[0], &all));
		unplug(f->fake, 20);
		unplug(f->fake, 25);
	}
}

/* Two of one model, and nothing but the port tells one from the other: the host's is not taken when the guest's is unplugged. */
static void test_alike(void **state)
{
	struct fixture *f = *state;
	cleanup_input_devices struct input_devices all = {};
	struct said moved = receiver_twin;
	moved.number = 150;
	moved.phys = "usb-0000:00:14.0-9/input0\n";
	f->config.n_inputs = 1;
	plug(f->fake, 22, receiver);
	plug(f->fake, 23, receiver_twin);
	means(f, "phys:usb-0000:00:14.0-2/input0", "/dev/input/event22");
	unplug(f->fake, 22);
	seek(f, &all);
	input_lost(&f->facts.v[0], &all);
	assert_null(seek(f, &all));
	plug(f->fake, 24, moved); /* into another port */
	assert_string_equal(seek(f, &all), "/dev/input/event24");
	plug(f->fake, 26, receiver); /* into its own */
	assert_string_equal(seek(f, &all), "/dev/input/event26");
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
		cmocka_unit_test_setup_teardown(test_words, setup, teardown),
		cmocka_unit_test_setup_teardown(test_renumbered, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alike, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
