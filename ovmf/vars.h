/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vars: the UEFI variables of one VM, in a file of its own: ~/.local/share/qlaunch/VM/VARS.fd, or firmware.vars of the configuration.
 * Copied once from the firmware's template, then the guest's for ever: never overwritten, never removed. A copy of it is kept from before
 * each start (keep.h).
 *
 * It is the user's data and lasts longer than any run, so it is no step and nothing is undone. All of this happens in the user's home by
 * names of the user's choice: call it in a child that has become that user (user_become), with a root of its own on "/".
 */
#pragma once
#include "launcher/config/config.h"
#include "ovmf/firmware.h"

/* Where they are: pure; owned by the caller. `data_dir` is the user's (struct user). */
char *vars_path(const struct config *c, const char *data_dir, const struct firmware *f);
/* ~/.local/share/qlaunch/VM: pure; owned by the caller. */
char *vars_vm_dir(const struct config *c, const char *data_dir);

/* Makes them where they are not, checks them against the template, and copies them. Errors have remedies and EXIT_HOST. */
struct err *vars_prepare(struct root *root, const struct config *c, const char *data_dir, const struct firmware *f);

/* What vars_prepare would refuse, asked without changing anything; as the user, like that. */
struct err *vars_look(struct root *root, const struct config *c, const char *data_dir, const struct firmware *f);

/*
 * What is wrong with these bytes as VARS of that firmware. Raw: size, volume header (signature, NVRAM's GUID, length, checksum: UEFI PI
 * 1.8, volume 3, 3.2.1), variable store header and the chain of variables in it (edk2, MdeModulePkg/Include/Guid/VariableFormat.h).
 * qcow2: magic, virtual size, and not marked corrupt (docs/interop/qcow2.txt). A file of another size is opened by QEMU, and keeps nothing.
 */
struct err *vars_check(const void *data, size_t len, const void *template, size_t template_len, bool qcow2);
