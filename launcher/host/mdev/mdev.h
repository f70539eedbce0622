/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mdev: mediated devices, parts of a card that its driver shares out (Intel GVT-g, NVIDIA vGPU), for the guest. One is made at the start, of a
 * type that the card's driver offers, and removed at the end; or it is there already, made by somebody else, and stays. The card itself stays
 * with the host. By the kernel's Documentation/ABI/testing/sysfs-bus-vfio-mdev.
 */
#pragma once
#include "launcher/config/config.h"
#include "launcher/step/finding.h"
#include "launcher/step/step.h"

#define MDEV_UUID_TEXT 37

struct mdev {
	const struct conf_mdev *conf; /* borrowed */
	char uuid[MDEV_UUID_TEXT];    /* the file's, or made from the names of the machine and the section: the same in every launch */
	char *there;                  /* "PARENT TYPE" of the one that has the UUID by now; NULL: it is to be made */
	char *problem, *remedy;       /* why there can be none; NULL where nothing is in the way */
};
struct mdev_facts {
	struct mdev *v; /* in the order of the configuration */
	size_t n;
};

struct err *mdev_facts_read(struct root *root, const struct config *c, struct mdev_facts *ret_facts);
void mdev_facts_free(struct mdev_facts *f);
#define cleanup_mdev_facts cleanup(mdev_facts_free)
/* Makes those that are not there; the groups of all of them are the user's, where that is not root. */
void mdev_steps(struct steps *out, const struct mdev_facts *f, uid_t uid, gid_t gid);
void mdev_findings(struct findings *out, const struct mdev_facts *f);

/* Descriptors of them by iommufd, once they are there: adds them to fds[*n]. */
struct err *mdev_open(struct root *root, const struct mdev_facts *f, int fds[], size_t *n);

/* mdev: target a UUID, values "PARENT TYPE" ("0000:00:02.0 i915-GVTg_V5_4") or "absent". */
extern const struct step_kind mdev_kind;
