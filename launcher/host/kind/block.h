/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * block: the kernel's own word on who has a block device. Opening it exclusively (open(2), O_EXCL) fails with EBUSY for whatever the kernel
 * knows of: a file system mounted in any namespace, one that is lazily unmounted and still written to, swap, md, dm, ZFS, bcache, another
 * guest. While such a descriptor is open, in whatever process, all of those fail in their turn.
 *
 * Step kind "claim": target the node ("/dev/nvme0n1"), want how it is opened (BLOCK_ words), data an int that becomes the descriptor. The
 * claim is the open descriptor's: QEMU, which is given it, keeps it when the launcher is dead, and nothing is ever to be undone. It changes
 * nothing of the node, reads nothing of the device and writes nothing to it.
 */
#pragma once
#include "launcher/step/step.h"

/* Words of a claim, parted by blanks: read and write, or only read; past the page cache (O_DIRECT); shared: no claim, only a descriptor. */
#define BLOCK_RW "rw"
#define BLOCK_RO "ro"
#define BLOCK_DIRECT "direct"
#define BLOCK_SHARED "shared"

extern const struct step_kind claim_kind;
/* Appends a claim of the block device `node`: `how` is BLOCK_ words. Borrowed, until the next step is added. */
struct step *claim_step(struct steps *out, const char *node, const char *how, const char *why);

/* Opens the device with the kernel's name `block` to read of it, beside whoever has it; in a captured tree a plain file. */
struct err *block_open(struct root *root, const char *block, int *ret_fd);

enum block_answer {
	BLOCK_FREE,
	BLOCK_BUSY,
	BLOCK_UNASKED, /* it may not be opened here, or this is a captured tree */
};
/*
 * Asks for the device with the kernel's name `block` ("nvme0n1p2"), its partitions included, without writing (udev is not woken). *ret_why:
 * who has it, or why it could not be asked; NULL where it is free. Owned by the caller.
 */
enum block_answer block_ask(struct root *root, const char *block, char **ret_why);

/*
 * Claims all of `blocks` (kernel's names) for the moment in which they leave the host: read-only descriptors, -1 where there is no medium
 * or no device any more. Error: EBUSY, with who has it; what was claimed until then is in *ret_claims
 * all the same, for block_claims_free. On a captured tree it claims nothing.
 */
struct block_claims {
	int *fds;
	size_t n;
};
struct err *block_claim_all(struct root *root, const struct strv *blocks, struct block_claims *ret_claims);
void block_claims_free(struct block_claims *claims); /* lets them go */
#define cleanup_block_claims cleanup(block_claims_free)
