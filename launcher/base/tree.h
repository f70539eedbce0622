/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree: a folder as a whole. */
#pragma once
#include "launcher/base/root.h"

/* Removes a file, or a folder with all in it; links are removed, never followed. What is not there is no error. */
struct err *tree_remove(struct root *root, const char *path);
