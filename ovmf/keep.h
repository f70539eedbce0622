/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keep: copies of a small file that a machine cannot be without (UEFI variables, TPM state), made before each start: COPIES/NAME.000017,
 * the highest number the newest.
 *
 * Only a file that passes its check is copied, so every copy was good when it was made; a copy is on the disk and read back before an
 * older one goes; an unchanged file is not copied again. So no number of bad starts can push out the last good one.
 * It never changes the file itself.
 */
#pragma once
#include <stddef.h>
#include "launcher/base/err.h"
#include "launcher/base/root.h"

#define KEEP_COPIES 5

struct keep {
	const char *what;   /* for messages: "the UEFI variables" */
	const char *path;   /* the file */
	const char *copies; /* the directory of the copies: made where it is not */
	size_t max;         /* bytes that are still plausible */
	/* What is wrong with these bytes; NULL if nothing is. */
	struct err *(*check)(const void *data, size_t len, const void *reference);
	const void *reference;
	const char *anew; /* what it means to begin without it, for the remedy: "what BitLocker sealed in it …" */
};

/*
 * Checks the file and copies it. A damaged one, and one that is missing though there are copies, are errors whose remedy is the command
 * that puts the newest good copy in place. Missing without copies: NULL and *ret_missing, which is false in every other case.
 */
struct err *keep_copy(struct root *root, const struct keep *k, bool *ret_missing);

/* The judgement alone, for `check`: whether keep_copy would find it good, missing or an error. Changes nothing. */
struct err *keep_look(struct root *root, const struct keep *k, bool *ret_missing);

/* All bytes of a regular file of at most `max`; owned by the caller. */
struct err *keep_read(struct root *root, const char *path, size_t max, struct sb *ret_bytes);
/* As one word of a shell, for commands in remedies; owned by the caller. */
char *keep_shell_word(const char *s);
