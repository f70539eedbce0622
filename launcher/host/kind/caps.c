/* SPDX-License-Identifier: GPL-2.0-or-later */
/* caps: see caps.h. */
#include <cap-ng.h>
#include <linux/capability.h>
#include "launcher/base/capset.h"
#include "launcher/host/kind/caps.h"

#define CAP(name) (UINT64_C(1) << CAP_##name)

/*
 * What each kind of step needs beyond being uid 0 (capabilities(7)). Attributes in sysfs, /proc/sys, /proc/irq and cgroupfs belong to root
 * and need nothing; systemd and logind ask for the uid.
 */
static const struct {
	const char *kind;
	uint64_t caps;
} table[] = {
	/* becoming the user, in children; ending theirs; pinning and scheduling threads of theirs */
	{ "process", CAP(SETUID) | CAP(SETGID) | CAP(SETPCAP) | CAP(KILL) | CAP(SYS_NICE) },
	{ "memlock", CAP(SYS_RESOURCE) },
	/* who holds the device open, right before it is taken away: /proc/PID/fd is its owner's folder, and its links are shown to nobody else */
	{ "pci-driver", CAP(SYS_PTRACE) | CAP(DAC_READ_SEARCH) },
	{ "pci-bar", CAP(SYS_PTRACE) | CAP(DAC_READ_SEARCH) },
	{ "pci-rescan", CAP(SYS_PTRACE) | CAP(DAC_READ_SEARCH) },
	{ "node", CAP(CHOWN) | CAP(FOWNER) },
	{ "twin", CAP(CHOWN) | CAP(FOWNER) },
	{ "unmount", CAP(SYS_ADMIN) | CAP(SYS_PTRACE) | CAP(DAC_READ_SEARCH) },
	{ "module", CAP(SYS_MODULE) },
	{ "module-unload", CAP(SYS_MODULE) },
	/* removing the user's file from the user's directory */
	{ "scratch", CAP(CHOWN) | CAP(DAC_OVERRIDE) | CAP(FOWNER) },
	/* of the bridge the DHCP server too: its ports, and answers to those who have no address yet */
	{ "bridge", CAP(NET_ADMIN) | CAP(NET_BIND_SERVICE) | CAP(NET_RAW) },
	{ "forwarding", CAP(NET_ADMIN) },
	{ "tap", CAP(NET_ADMIN) },
	{ "link", CAP(NET_ADMIN) },
	{ "nft", CAP(NET_ADMIN) },
	{ "addresses", CAP(NET_ADMIN) },
};

uint64_t caps_needed(const struct steps *steps)
{
	uint64_t caps = 0;
	for (size_t i = 0; i < steps->n; i++)
		for (size_t k = 0; k < ARRAY_SIZE(table); k++)
			if (streq(steps->v[i].kind->name, table[k].kind))
				caps |= table[k].caps;
	return caps;
}

uint64_t caps_oom_score(int score)
{
	return score < 0 ? CAP(SYS_RESOURCE) : 0;
}

struct err *caps_drop_to(uint64_t keep)
{
	TRY(capset_bound(keep));
	return capset_keep(keep & capset_permitted());
}
