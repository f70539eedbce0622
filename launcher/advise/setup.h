/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup: what a host needs for good, across boots: kernel parameters, cards that vfio-pci has before any other driver,
 * device nodes that the user may open. Each is a change of a file, made from its old text; the old and the new text are
 * kept in SETUP_DIR before the file is touched, so that all of it can be put back byte for byte.
 *
 * Cards are bound by address (driver_override), never by id, so that of two cards of one id the host keeps its own.
 */
#pragma once
#include <sys/stat.h>
#include "launcher/advise/survey.h"

#define SETUP_DIR "/var/lib/qlaunch/setup"

struct setup_change {
	char *path;
	char *old; /* NULL: there is no such file */
	char *new; /* NULL: it goes */
	mode_t mode;
};
struct setup {
	struct setup_change *v;
	size_t n;
	struct strv commands; /* after it, in order */
	struct strv notes;    /* what it cannot do */
};

/* What is to be changed for these devices; none where all is as it should be. Reads only. EXIT_HOST. */
struct err *setup_plan(struct root *root, const struct survey *s, const struct pci_function *const *devices, size_t n_devices,
		       struct setup *ret_setup);
/* What is to be put back; every file that was changed by somebody since is a note, and stays. */
struct err *setup_plan_undo(struct root *root, const struct survey *s, struct setup *ret_setup);
/* Whether a setup has been made and not undone. */
bool setup_is_made(struct root *root);
struct err *setup_apply(struct root *root, const struct setup *setup);
struct err *setup_undo(struct root *root, const struct setup *setup);
void setup_free(struct setup *s);
#define cleanup_setup cleanup(setup_free)

/* The whole text of a file, every byte of it; NULL in ret_text where there is none. */
struct err *setup_read(struct root *root, const char *path, char **ret_text, mode_t *ret_mode);
/* Texts that are made of others; pure, owned by the caller. `words` that stand there already are not added again. */
char *setup_grub(const char *old, const char *variable, const struct strv *words);
char *setup_cmdline(const char *old, const struct strv *words);
char *setup_entry(const char *old, const struct strv *words);
char *setup_list(const char *old, const char *variable, const char *word); /* MODULES=(…) of mkinitcpio.conf */
