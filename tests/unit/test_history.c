/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_history: one run is kept once, whether its journal went or stayed. */
#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <cmocka.h>
#include "launcher/base/tree.h"
#include "launcher/tools/history.h"

static void test_residue(void **state)
{
	char top[] = "/tmp/qlaunch-history-XXXXXX";
	cleanup_root struct root *root = NULL;
	cleanup_user struct user user = {};
	(void)state;
	assert_non_null(mkdtemp(top));
	cleanup_free char *home = str_fmt("%s/home", top), *journal = str_fmt("%s/journal", top),
			  *beside = str_fmt("%s/" HISTORY_FILE, journal);
	assert_null(root_open("/", &root));
	assert_null(user_find(NULL, &user));
	assert_null(root_mkdirs(root, journal, 0700));
	history_begin();
	history_plan("vm", "vm.conf", home, &user, &(struct steps){});
	history_beside(root, journal);
	assert_true(root_exists(root, beside)); /* a launcher that is killed now leaves it */
	history_end(NULL, 1);
	assert_false(root_exists(root, beside));
	json_t *runs = history_read(root, home);
	assert_int_equal(json_array_size(runs), 1);
	assert_non_null(history_last(json_array_get(runs, 0), "ended"));
	json_decref(runs);
	assert_null(tree_remove(root, top));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_residue) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
