/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Picture and sound: what is chosen for which host, and that a real QEMU makes that machine. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "launcher/guest/args_audio.h"
#include "launcher/guest/args_display.h"
#include "launcher/guest/args_usb.h"
#include "launcher/host/kind/scratch.h"
#include "qmp/qmp.h"
#include "tests/unit/peer.h"
#include "tests/unit/tempdir.h"

#define LIMIT_MS 60000

static void ok(struct err *e)
{
	if (e)
		fail_msg("%s", err_text(e));
}

/* A QEMU that has the blank-separated names, and "option:spice". */
static struct qemu_facts qemu_with(const char *names)
{
	struct qemu_facts q = {};
	q.has = str_fmt("%s option:spice", names);
	return q;
}

static char *text(const struct config *c, const struct desktop_facts *d, const char *names)
{
	cleanup_qemu_facts struct qemu_facts q = qemu_with(names);
	cleanup_args struct args a = {};
	cleanup_strv struct strv argv = {};
	guest_usb(&a, c);
	guest_display(&a, c, d, &q);
	guest_audio(&a, c, d, &q);
	args_argv(&a, "qemu", &argv);
	return strv_join(&argv, " ");
}

static void test_spice(void **state)
{
	(void)state;
	struct config c = { .vm.name = (char *)"vm",
			    .display = { .mode = DISPLAY_SPICE,
					 .video = VIDEO_VIRTIO,
					 .gl = true,
					 .resolution = (char *)"1280x720" } };
	struct desktop_facts d = { .spice = (char *)"/run/a,b.spice",
				   .viewer = (char *)"/bin/remote-viewer",
				   .render = true };
	cleanup_free char *plain = text(&c, &d, ""), *gl = text(&c, &d, "device:virtio-vga-gl");
	assert_non_null(
		strstr(plain, "-spice unix=on,addr=/run/a,,b.spice,disable-ticketing=on,image-compression=off -"));
	assert_non_null(strstr(plain, "\"driver\":\"virtio-vga\",\"id\":\"video\",\"bus\":\"pcie.0\",\"addr\":\"01.0\","
				      "\"xres\":1280,\"yres\":720"));
	assert_non_null(strstr(plain, "\"usb-tablet\",\"bus\":\"usb.0\""));
	assert_non_null(strstr(gl, "image-compression=off,gl=on"));
	assert_non_null(strstr(gl, "\"virtio-vga-gl\""));
	d.render = false; /* SPICE's 3D ends QEMU where no GPU draws */
	cleanup_free char *dark = text(&c, &d, "device:virtio-vga-gl");
	assert_null(strstr(dark, "gl=on"));
	cleanup_strv struct strv unseen = {}, seen = {};
	display_viewer(&unseen, &c, &d);
	assert_int_equal(unseen.n, 0);
	d.screen = true;
	display_viewer(&seen, &c, &d);
	assert_string_equal(seen.v[2], "spice+unix:///run/a,b.spice");
}

/* Memory of the host's GPU, and Vulkan, where QEMU has them: asked of the binary, told by check where it has not. */
static void test_gpu_memory(void **state)
{
	(void)state;
	struct config c = { .vm.name = (char *)"vm",
			    .display = { .mode = DISPLAY_SPICE, .video = VIDEO_VIRTIO, .gl = true, .hostmem = UINT64_C(4) << 30, .venus = true } };
	struct desktop_facts d = { .spice = (char *)"/s", .viewer = (char *)"/bin/remote-viewer", .render = true, .screen = true };
	static const struct {
		const char *has;
		bool blob, venus;
		size_t findings;
	} cases[] = {
		{ "device:virtio-vga device:virtio-vga-gl device:virtio-vga-gl.hostmem device:virtio-vga-gl.venus", true, true, 0 },
		{ "device:virtio-vga device:virtio-vga-gl device:virtio-vga-gl.hostmem", true, false, 1 },
		{ "device:virtio-vga device:virtio-vga-gl", false, false, 2 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *args = text(&c, &d, cases[i].has);
		cleanup_findings struct findings found = {};
		cleanup_qemu_facts struct qemu_facts q = qemu_with(cases[i].has);
		display_findings(&found, &c, &d, &q);
		assert_int_equal(strstr(args, "\"blob\":true,\"hostmem\":4294967296") != NULL, cases[i].blob);
		assert_int_equal(strstr(args, "\"venus\":true") != NULL, cases[i].venus);
		assert_int_equal(found.n, cases[i].findings);
	}
}

static void test_nothing_asked(void **state)
{
	(void)state;
	struct config c = {};
	struct desktop_facts d = {};
	cleanup_free char *plain = text(&c, &d, "");
	assert_string_equal(plain, "qemu -display none");
}

static void test_shared_size(void **state)
{
	(void)state;
	/* the values of Looking Glass's manual */
	assert_int_equal(desktop_shared_size("1920x1080") >> 20, 32);
	assert_int_equal(desktop_shared_size("2560x1440") >> 20, 64);
	assert_int_equal(desktop_shared_size("3840x2160") >> 20, 128);
	assert_int_equal(desktop_shared_size("wide"), 0);
}

static void test_audio_choice(void **state)
{
	(void)state;
	static const struct {
		const char *has;
		struct desktop_facts d;
		enum audio_backend want;
	} cases[] = {
		{ "audiodev:pipewire audiodev:pa", { .pipewire = true, .pulse = true }, AUDIO_PIPEWIRE },
		{ "audiodev:pa", { .pipewire = true, .pulse = true }, AUDIO_PA }, /* QEMU before 8.1 */
		{ "audiodev:pipewire audiodev:pa", { .pulse = true }, AUDIO_PA },
		{ "audiodev:pa audiodev:spice", { .spice = (char *)"/s" }, AUDIO_SPICE },
		{ "audiodev:pa audiodev:none", {}, AUDIO_SILENT }, /* nobody listens: QEMU would not start */
	};
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct config c = { .audio.model = AUDIO_HDA };
		cleanup_qemu_facts struct qemu_facts q = qemu_with(cases[i].has);
		assert_int_equal(audio_choose(&c, &cases[i].d, &q), cases[i].want);
	}
}

/* The verdict and how many there are. */
static void expect(const struct config *c, const struct desktop_facts *d, const char *names, enum verdict worst, size_t n)
{
	cleanup_qemu_facts struct qemu_facts q = qemu_with(names);
	cleanup_findings struct findings f = {};
	display_findings(&f, c, d, &q);
	audio_findings(&f, c, d, &q);
	guest_usb_findings(&f, c, &q);
	assert_int_equal(f.n, n);
	if (n)
		assert_int_equal(findings_worst(&f), worst);
}

static void test_findings(void **state)
{
	(void)state;
	struct conf_usb stick = {};
	struct config usb = { .display.mode = DISPLAY_NONE, .display.video = VIDEO_NONE, .audio.model = AUDIO_NONE, .usb = &stick, .n_usb = 1 };
	expect(&usb, &(struct desktop_facts){}, "", FINDING_BAD, 1); /* a package of its own that is not there */
	expect(&usb, &(struct desktop_facts){}, "device:usb-host", FINDING_OK, 0);
	struct config window = { .display.mode = DISPLAY_WINDOW }, glass = { .display = { .mode = DISPLAY_LOOKING_GLASS } };
	struct config pa = { .audio = { .model = AUDIO_HDA, .backend = AUDIO_PA, .rate = 44100 } };
	static const char hda[] = "device:ich9-intel-hda device:hda-duplex audiodev:pa";
	expect(&window, &(struct desktop_facts){ .screen = true }, "", FINDING_BAD, 1);
	expect(&window, &(struct desktop_facts){}, "display:gtk", FINDING_BAD, 1);
	expect(&window, &(struct desktop_facts){ .screen = true }, "display:gtk", FINDING_OK, 0);
	struct desktop_facts small = {
		.viewer = (char *)"/lg", .shared = (char *)"/m", .shared_size = 64 << 20, .shared_now = 32 << 20
	};
	expect(&glass, &small, "device:ivshmem-plain object:memory-backend-file", FINDING_BAD, 1);
	expect(&pa, &(struct desktop_facts){}, hda, FINDING_BAD, 1);
	expect(&pa, &(struct desktop_facts){ .pulse = true }, hda, FINDING_OK, 0);
	pa.audio.backend = AUDIO_PIPEWIRE;
	expect(&pa, &(struct desktop_facts){ .pipewire = true }, hda, FINDING_BAD, 1);
}

static bool has_device(struct qmp *q, const char *device)
{
	json_t *list = NULL, *item;
	size_t i;
	bool found = false;
	ok(qmp_call(q, "qom-list", json_pack("{s:s}", "path", "/machine/peripheral"), LIMIT_MS, &list));
	json_array_foreach (list, i, item)
		found |= streq(json_string_value(json_object_get(item, "name")), device);
	json_decref(list);
	return found;
}

/* Every device at once, as a real QEMU takes it. */
static void test_real_qemu(void **state)
{
	const char *dir = tempdir_path(*state);
	cleanup_free char *socket = str_fmt("%s/a b,c.spice", dir), *memory = str_fmt("%s/shared", dir);
	struct config c = { .vm.name = (char *)"vm",
			    .display = { .mode = DISPLAY_SPICE, .video = VIDEO_QXL, .resolution = (char *)"1280x720" },
			    .audio = { .model = AUDIO_HDA, .backend = AUDIO_SPICE, .rate = 44100, .latency = 20 } };
	struct desktop_facts d = { .spice = socket, .shared = memory, .shared_size = desktop_shared_size("1280x720") };
	static const char *const ids[] = { "video", "serial", "usb", "sound" };
	struct stat st;
	for (int glass = 0; glass < 2; glass++) {
		cleanup_qemu_facts struct qemu_facts q = qemu_with("audiodev:spice audiodev:none");
		cleanup_args struct args a = {};
		cleanup_strv struct strv argv = {};
		if (glass) {
			c.display = (__typeof__(c.display)){ .mode = DISPLAY_LOOKING_GLASS,
							     .resolution = (char *)"1280x720" };
			c.audio.model = AUDIO_USB;
			c.audio.backend = AUDIO_SILENT;
		}
		args_add(&a, "-machine", "q35", NULL);
		guest_usb(&a, &c);
		guest_display(&a, &c, &d, &q);
		guest_audio(&a, &c, &d, &q);
		args_argv(&a, "qemu", &argv);
		pid_t pid;
		struct qmp *qmp = qmp_new(peer_qemu((const char *const *)argv.v + 1, &pid));
		ok(qmp_handshake(qmp, LIMIT_MS));
		for (size_t i = 0; !glass && i < ARRAY_SIZE(ids); i++)
			assert_true(has_device(qmp, ids[i]));
		assert_int_equal(stat(socket, &st), 0);
		assert_true(S_ISSOCK(st.st_mode));
		qmp_free(qmp);
		peer_end(pid);
	}
	assert_int_equal(stat(memory, &st), 0);
	assert_int_equal(st.st_size, 32 << 20);
}

/* What is QEMU's is removed; a journal that names another file removes nothing. */
static void test_scratch(void **state)
{
	struct root *root = tempdir_root(*state);
	struct step_env env = { .root = root };
	struct steps steps = {};
	ok(root_mkdirs(root, "/run/user/7", 0700));
	ok(root_put(root, "/run/user/7/qlaunch-vm.spice", "no socket", 0600));
	steps_add(&steps, &scratch_kind, "/run/user/7/qlaunch-vm.spice", "present", "");
	cleanup_err struct err *e = scratch_kind.undo(&env, &steps.v[0]);
	assert_non_null(e);
	assert_true(root_exists(root, "/run/user/7/qlaunch-vm.spice"));
	steps_free(&steps);
}

/* Looking Glass's memory is made new, for its user alone; what somebody has put there, a file or a link to one, is refused and stays. */
static void test_shared(void **state)
{
	struct root *root = tempdir_root(*state);
	struct step_env env = { .root = root };
	struct steps steps = {};
	struct findings found = {};
	struct stat st;
	const char *path = "/dev/shm/looking-glass";
	scratch_shared_step(&steps, getuid() ? getuid() : 7, "");
	struct step *s = &steps.v[0];
	ok(root_mkdirs(root, "/dev/shm", 0755));
	ok(scratch_kind.probe(&env, s, &s->prior));
	assert_string_equal(s->prior, "absent");
	ok(scratch_kind.apply(&env, s));
	ok(scratch_kind.verify(&env, s));
	ok(root_stat(root, path, &st));
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(st.st_uid, getuid() ? getuid() : 7);
	struct err *e = scratch_kind.apply(&env, s); /* somebody was faster */
	assert_int_equal(err_code(e), EEXIST);
	err_free(e);
	ok(scratch_kind.undo(&env, s));
	assert_false(root_exists(root, path));

	ok(root_put(root, "/precious", "mine", 0600));
	ok(root_symlink(root, "../../precious", path));
	str_set(&s->prior, NULL);
	ok(scratch_kind.probe(&env, s, &s->prior));
	assert_string_equal(s->prior, "foreign");
	scratch_kind.check(&env, s, &found);
	assert_int_equal(findings_worst(&found), FINDING_BAD);
	e = scratch_kind.apply(&env, s);
	assert_int_equal(err_code(e), EPERM);
	err_free(e);
	assert_int_equal(step_whose(s, "foreign"), STEP_PRIOR);
	assert_int_equal(step_whose(s, "owner 8"), STEP_FOREIGN); /* never undone */
	findings_free(&found);
	steps_free(&steps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spice),
		cmocka_unit_test(test_gpu_memory),
		cmocka_unit_test(test_nothing_asked),
		cmocka_unit_test(test_shared_size),
		cmocka_unit_test(test_audio_choice),
		cmocka_unit_test(test_findings),
		cmocka_unit_test_setup_teardown(test_real_qemu, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_scratch, tempdir_setup, tempdir_teardown),
		cmocka_unit_test_setup_teardown(test_shared, tempdir_setup, tempdir_teardown),
	};
	return cmocka_run_group_tests_name("guest_desktop", tests, NULL, NULL);
}
