/* SPDX-License-Identifier: GPL-2.0-or-later */
/* capset: see capset.h. */
#include <cap-ng.h>
#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "launcher/base/capset.h"

uint64_t capset_permitted(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	if (syscall(SYS_capget, &header, data) < 0)
		return UINT64_MAX;
	return (uint64_t)data[1].permitted << 32 | data[0].permitted;
}

struct err *capset_bound(uint64_t keep)
{
	static uint64_t left = UINT64_MAX; /* what may still be in it: nothing comes back, nor for a child */
	for (int cap = 0; cap < 64; cap++) {
		uint64_t bit = UINT64_C(1) << cap;
		if (keep & bit || !(left & bit))
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) /* EINVAL: the kernel knows no more of them */
			return errno == EPERM || errno == EINVAL ? NULL : err_errno(errno, "bounding set");
		left &= ~bit;
	}
	return NULL;
}

struct err *capset_keep(uint64_t keep)
{
	capng_clear(CAPNG_SELECT_ALL);
	for (unsigned cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (keep & UINT64_C(1) << cap)
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, cap);
	if (capng_apply(CAPNG_SELECT_CAPS) < 0 || prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return err_errno(errno, "capabilities");
	return NULL;
}
