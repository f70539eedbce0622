/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tpm: the state of one VM's TPM, swtpm's tpm2-00.permall in ~/.local/share/qlaunch/VM/tpm. What BitLocker seals goes with it: it is never
 * removed, a copy of it is kept from before each start (keep.h), and swtpm, which makes a new TPM wherever it finds none, is not started on
 * an empty directory where there was one before.
 *
 * It is the user's data and lasts longer than any run, so it is no step and nothing is undone. Call it in a child that has become the user,
 * with a root of its own on "/".
 */
#pragma once
#include "launcher/config/config.h"
#include "launcher/base/root.h"

/* The state's directory: pure; owned by the caller. */
char *tpm_dir(const struct config *c, const char *data_dir);
/* Makes the directory where it is not, checks the state and copies it. Errors have remedies and EXIT_HOST. */
struct err *tpm_prepare(struct root *root, const struct config *c, const char *data_dir);
/* What tpm_prepare would refuse, asked without changing anything; as the user, like that. */
struct err *tpm_look(struct root *root, const struct config *c, const char *data_dir);
/*
 * What is wrong with these bytes as swtpm's state: its header (src/swtpm/swtpm_nvstore.c: version, oldest version that reads it, size of
 * the header, flags, size of all; big endian) tells a file that is shorter or longer than was written.
 */
struct err *tpm_check(const void *data, size_t len, const void *unused);
