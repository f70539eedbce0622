/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kinds: see kinds.h. */
#include "launcher/host/attr.h"
#include "launcher/host/cgroup.h"
#include "launcher/host/console.h"
#include "launcher/host/irq.h"
#include "launcher/host/memory.h"
#include "launcher/host/module.h"
#include "launcher/host/monitor.h"
#include "launcher/host/net.h"
#include "launcher/host/node.h"
#include "launcher/host/pci.h"
#include "launcher/host/process.h"
#include "launcher/host/scratch.h"
#include "launcher/host/twin.h"
#include "launcher/host/unit.h"
#include "launcher/host/usb.h"
#include "launcher/kinds.h"

const struct step_kind *const all_kinds[] = {
	&module_kind, &unit_kind, &framebuffer_kind, &attr_kind, &pci_driver_kind, &pci_bar_kind, &node_kind, &hugepages_kind, &affinity_kind,
	&irq_born_kind, &irqbalance_kind, &controller_kind, &cgroup_kind,
	&scope_kind, &partition_kind, &allowed_cpus_kind, &memlock_kind, &scratch_kind, &process_kind, &twin_kind,
	&usb_kind, &monitor_kind,
	&net_bridge_kind, &net_forwarding_kind, &net_nft_kind, &net_tap_kind, &net_link_kind, NULL,
};
