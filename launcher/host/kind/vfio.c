/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vfio: see vfio.h. Opens the kernel's nodes; changes nothing. */
#include <errno.h>
#include <fcntl.h>
#include "launcher/base/tr.h"
#include "launcher/host/kind/vfio.h"

#define GROUPS "/dev/vfio/vfio" /* the container of groups: there from the start, by the kernel's list of static nodes */
#define IOMMU  "/dev/iommu"

bool vfio_by_iommufd(struct root *root, const struct config *c)
{
	if (c->host.vfio != VFIO_AUTO)
		return c->host.vfio == VFIO_IOMMUFD;
	return !root_exists(root, GROUPS) && root_exists(root, IOMMU);
}

void vfio_findings(struct findings *out, const struct config *c, struct root *root, bool qemu)
{
	bool groups = root_exists(root, GROUPS), iommufd = root_exists(root, IOMMU), by = vfio_by_iommufd(root, c);
	if (by && !qemu)
		findings_add(out, FINDING_BAD, "iommufd", tr_dup("this QEMU cannot be handed devices by iommufd"),
			     tr_dup(groups ? N_("vfio = group in [host]")
					   : N_("a QEMU from 9.0 on: this kernel has no other way (VFIO_GROUP)")));
	else if (by && !iommufd)
		findings_add(out, FINDING_BAD, "iommufd", tr_dup("this kernel has no iommufd (/dev/iommu)"),
			     tr_dup("vfio = group in [host]"));
	else if (by)
		findings_add(out, FINDING_OK, "iommufd",
			     tr_dup(groups ? N_("devices are handed over by iommufd; this kernel has groups, too")
					   : N_("devices are handed over by iommufd: this kernel has no groups")),
			     NULL);
	else if (c->host.vfio == VFIO_GROUP && !groups && iommufd)
		findings_add(out, FINDING_BAD, "iommufd", tr_dup("this kernel hands devices over by iommufd only (no VFIO_GROUP)"),
			     tr_dup("vfio = auto in [host]"));
	else if (iommufd)
		findings_add(out, FINDING_OK, "iommufd", tr_dup("devices are handed over by their groups; this kernel has iommufd, too"),
			     NULL);
}

struct err *vfio_open_iommu(struct root *root, int *ret_fd)
{
	return err_hint(root_open_fd(root, IOMMU, O_RDWR | O_CLOEXEC, ret_fd), "vfio = group in [host]");
}

struct err *vfio_open_device(struct root *root, const char *sys, int *ret_fd)
{
	cleanup_strv struct strv names = {};
	cleanup_free char *dir = str_fmt("%s/vfio-dev", sys);
	err_free(root_list(root, dir, &names));
	if (names.n != 1)
		return err_hint(err_coded(ENOENT, "%s: this kernel has no node for it (VFIO_DEVICE_CDEV, Linux 6.6)", sys),
				"vfio = group in [host]");
	cleanup_free char *node = str_fmt("/dev/vfio/devices/%s", names.v[0]);
	return root_open_fd(root, node, O_RDWR | O_CLOEXEC, ret_fd);
}
