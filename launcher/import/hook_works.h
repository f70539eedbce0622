/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hook_works: scripts that people hang on libvirt's machines (/etc/libvirt/hooks), line by line: which key does the work of each. Pure: text in, text
 * out; nothing of it is run, and a line is not understood as a shell does, but recognised by its words.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* What a line is for. */
struct hook_line {
	unsigned line;
	const char *key;  /* "[pci] unload = …": what to write; NULL: no key does it, or none is needed (see `done`) */
	const char *done; /* what does it without a key, for people, to be translated; NULL: nothing does */
};

/* A command at a time, of which a line may have several: `text` is the whole file, *at the offset to go on from (0 at first). False at the end. Commands without work of their own
 * (comments, shell's own words, messages, waiting) are passed over. *ret_text is the line's own text, of `ret_len` bytes, inside `text`, as far as it goes. */
struct hook_reader {
	const char *text;
	size_t at;
	unsigned line;
};
bool hooks_next(struct hook_reader *r, struct hook_line *ret_line, const char **ret_text, size_t *ret_len);
