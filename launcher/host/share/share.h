/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * share: folders of the host in the guest, by virtiofsd: one process each, as the user. QEMU's own virtiofsd wants to be
 * root, and the later one to be root or to have sub-ids; so it is root of a user namespace in which root is the user,
 * and nobody else is anything. In its mount namespace the folder stands at a fixed place, read-only where it is to be:
 * no path is ever part of an option, and no virtiofsd need know how to refuse a write. It has no network.
 *
 * Not for root: a folder of root's in a guest's hands is more than any guest gets.
 * What the guest's root makes belongs to the user on the host; other users of the guest make nothing.
 */
#pragma once
#include "launcher/base/root.h"
#include "launcher/base/user.h"
#include "launcher/config/config.h"
#include "launcher/step/finding.h"

#define SHARES_MAX 8
#define SHARE_TAG_MAX 36 /* bytes: virtio_fs_config of include/uapi/linux/virtio_fs.h */

struct share {
	const struct conf_share *conf; /* borrowed */
	const struct user *user;       /* likewise */
	char *helper;                  /* "virtiofsd-NAME": of its process */
	struct strv argv;
	char *problem, *remedy; /* why this host cannot; NULL if it can */
};
struct share_facts {
	struct share *v; /* in the order of the configuration */
	size_t n;
	char *program; /* virtiofsd; NULL where there is none */
};

/*
 * Looks for the folders, and for virtiofsd by the descriptors that QEMU documents (docs/interop/vhost-user.json). To be
 * called with the rights of `user`. `device`: QEMU has vhost-user-fs-pci.
 */
struct err *share_facts_read(struct root *root, const struct config *c, const struct user *user, bool device,
			     struct share_facts *ret_facts);
void share_facts_free(struct share_facts *f);
#define cleanup_share_facts cleanup(share_facts_free)
void share_findings(struct findings *out, const struct config *c, const struct share_facts *f);

/* The tag by which the guest mounts it. */
const char *share_tag(const struct conf_share *s);
/* In the child that becomes its virtiofsd (process.h: become): data is a struct share. The user, in the namespaces. */
struct err *share_become(void *data);
