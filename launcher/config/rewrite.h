/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rewrite: some keys of a configuration's text with other values, and all else as its author wrote it: comments, order, blanks, ends of
 * lines. Pure; knows no table of keys.
 */
#pragma once
#include "launcher/base/str.h"

struct rewrite {
	const char *section; /* as errors call it: "vm", "disk main" */
	const char *key;
	const char *value; /* NULL: the key's lines go */
};

/* A list that owns its texts. */
struct rewrites {
	struct rewrite *v;
	size_t n;
	struct strv texts;
};
/* `name` is NULL of a section without one, `value` where the key is to go. All but `key`, which is borrowed, are copied. */
void rewrites_add(struct rewrites *r, const char *section, const char *name, const char *key, const char *value);
void rewrites_free(struct rewrites *r);
#define cleanup_rewrites cleanup(rewrites_free)

/*
 * `text` with each of `v` done. Every line of the key gets the value; where there is none, one is put below the section's first header, and
 * where there is no such section, it is put at the end. Owned by the caller.
 */
char *config_rewrite(const char *text, const struct rewrite *v, size_t n);
