/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * windows: what a disk with a system that also starts on the bare machine brings along, and what to do before a guest has it: Windows that
 * sleeps on it, an EFI partition that is the host's own, BitLocker whose key is in the host's TPM. What is on the partitions is udev's word;
 * of an NTFS volume a bounded number of bytes is read, in a child with a time limit. Writes nothing.
 */
#pragma once
#include "launcher/base/root.h"
#include "launcher/step/finding.h"

/* `family`: the kernel's names of a disk and its partitions. `whose` is what findings call it: "[disk c]". Adds nothing where nothing is
 * wrong. */
void windows_findings(struct findings *out, struct root *root, const struct strv *family, const char *whose);
