/* SPDX-License-Identifier: GPL-2.0-or-later */
/* paths: every key of a configuration that names a file or a folder, by the table of keys. Pure. */
#pragma once
#include "launcher/config/config.h"

/* All borrowed: of the configuration, and of the table. */
struct conf_path {
	const char *section, *name; /* "disk", "main"; name is NULL where the section has none */
	const char *key;
	const char *path; /* absolute */
};
struct conf_paths {
	struct conf_path *v;
	size_t n;
};

/* Those that are set, in the order of the table. Not in it: words of [qemu] args and of [acpi] tables, which nobody resolves. */
struct conf_paths paths_of(const struct config *c);
void paths_free(struct conf_paths *p);
#define cleanup_paths cleanup(paths_free)
