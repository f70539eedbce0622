/* SPDX-License-Identifier: GPL-2.0-or-later */
/* node: what root gives away, and what it does not, whoever asks. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <unistd.h>
#include "launcher/host/kind/node.h"
#include "tests/unit/fakekernel.h"

static struct err *give(struct fake *f, const char *path)
{
	struct step_env env = { .root = f->root };
	cleanup_free char *owner = str_fmt("%u:%u", geteuid(), getegid());
	struct step s = { .kind = &node_kind, .target = (char *)(uintptr_t)path, .want = owner };
	return node_kind.apply(&env, &s);
}

static void test_a_node(void **state)
{
	fake_file(*state, "/dev/vfio/13", "");
	assert_null(give(*state, "/dev/vfio/13"));
	assert_int_equal(((struct fake *)*state)->shared->count, 1);
}

static void test_not_below_dev(void **state)
{
	static const char *const paths[] = { "/etc/shadow", "/dev", "/dev/../etc/shadow", "/devious/x" };
	fake_file(*state, "/etc/shadow", "");
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		cleanup_err struct err *e = give(*state, paths[i]);
		assert_non_null(e);
	}
	assert_int_equal(((struct fake *)*state)->shared->count, 0);
}

/* A user's link in /dev/shm, laid after the device that it led to had been looked at. */
static void test_where_others_can_write(void **state)
{
	struct fake *f = *state;
	fake_file(f, "/etc/shadow", "");
	fake_link(f, "/dev/shm/disk", "/etc/shadow");
	fake_link(f, "/dev/shm/sub/disk", "/etc/shadow");
	cleanup_free char *shm = fake_path(f, "/dev/shm");
	assert_int_equal(chmod(shm, 01777), 0);
	static const char *const paths[] = { "/dev/shm/disk", "/dev/shm/sub/disk" };
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		cleanup_err struct err *e = give(f, paths[i]);
		assert_non_null(strstr(err_text(e), "others can write to /dev/shm"));
	}
	assert_int_equal(f->shared->count, 0);
}

static int setup(void **state)
{
	*state = fake_new();
	return 0;
}

static int teardown(void **state)
{
	fake_free(*state);
	return 0;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(test_a_node), TEST(test_not_below_dev), TEST(test_where_others_can_write) };
	return cmocka_run_group_tests_name("node", tests, NULL, NULL);
}
