/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tempdir: a temporary directory per test, as a root of its own; `*state` of the test. Removed with all in it afterwards. */
#pragma once
#include "launcher/base/root.h"

int tempdir_setup(void **state);
int tempdir_teardown(void **state);
struct root *tempdir_root(void *state);
const char *tempdir_path(void *state);
