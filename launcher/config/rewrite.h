/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rewrite: some keys of a configuration's text with other values, and all else as its author wrote it: comments, order, blanks, ends of
 * lines. Pure; knows no table of keys.
 */
#pragma once
#include <stddef.h>

struct rewrite {
	const char *section; /* as errors call it: "vm", "disk main" */
	const char *key;
	const char *value; /* NULL: the key's lines go */
};

/*
 * `text` with each of `v` done. Every line of the key gets the value; where there is none, one is put below the section's first header, and
 * where there is no such section, it is put at the end. Owned by the caller.
 */
char *config_rewrite(const char *text, const struct rewrite *v, size_t n);
