/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kinds: see kinds.h. */
#include "launcher/host/kind/attr.h"
#include "launcher/host/disk/disk.h"
#include "launcher/host/kind/block.h"
#include "launcher/host/cgroup/cgroup.h"
#include "launcher/host/framebuffer/framebuffer.h"
#include "launcher/host/irq/irq.h"
#include "launcher/host/mdev/mdev.h"
#include "launcher/host/memory/memory.h"
#include "launcher/host/kind/module.h"
#include "launcher/host/screen/monitor.h"
#include "launcher/host/net/net.h"
#include "launcher/host/net/net_keep.h"
#include "launcher/host/kind/node.h"
#include "launcher/host/pci/pci.h"
#include "launcher/host/kind/process.h"
#include "launcher/host/power/power.h"
#include "launcher/host/kind/scratch.h"
#include "launcher/host/input/twin.h"
#include "launcher/host/kind/unit.h"
#include "launcher/host/usb/usb.h"
#include "launcher/plan/kinds.h"

const struct step_kind *const all_kinds[] = {
	&unmount_kind, &claim_kind, &module_kind, &module_unload_kind, &unit_kind, &unit_property_kind, &power_profile_kind, &framebuffer_kind, &attr_kind,
	&pci_virtual_kind, &pci_rom_kind, &pci_driver_kind, &pci_rescan_kind, &pci_bar_kind, &mdev_kind, &node_kind, &hugepages_kind, &affinity_kind,
	&irq_born_kind, &irqbalance_kind, &controller_kind, &cgroup_kind,
	&scope_kind, &partition_kind, &allowed_cpus_kind, &memlock_kind, &scratch_kind, &process_kind, &twin_kind,
	&usb_kind, &monitor_kind,
	&net_bridge_kind, &net_zone_kind, &net_forwarding_kind, &net_nft_kind, &net_tap_kind, &net_link_kind, &net_keep_kind, NULL,
};
