/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ntfs: whether the Windows on a volume sleeps on it: hibernated, or shut down with its fast startup, which is a hibernation of the kernel.
 * hiberfil.sys in the root directory begins with "hibr" then, with "wake" or nothing after it woke (the same sign ntfs-3g goes by).
 *
 * Pure: reads by the given function alone, a bounded number of bytes, and trusts none of them. The format is that of Linux,
 * fs/ntfs3/ntfs.h.
 */
#pragma once
#include "launcher/base/err.h"
#include "launcher/base/str.h"

/* Reads all of `n` bytes at `offset` of the volume; false where it cannot. */
typedef bool ntfs_read(void *data, uint64_t offset, void *buf, size_t n);

#define NTFS_BOOT_SIZE 512
/* Whether a volume that begins so is NTFS. */
bool ntfs_is(const void *boot);
/* An error where it cannot be told (damaged, or too scattered to be followed): in words to follow the volume's name. */
struct err *ntfs_sleeps(ntfs_read *read, void *data, bool *ret_sleeps);
