/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import_hooks: a folder of libvirt's hooks, told line by line: which key does the work of each. Reads as the user; writes and runs nothing. */
#pragma once
#include "launcher/base/err.h"

struct user;

/* Prints them. EXIT_CONFIG where no script is there. */
struct err *import_hooks(const struct user *u, const char *dir);
