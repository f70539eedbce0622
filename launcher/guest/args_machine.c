/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machine: see machine.h. Chipset, clock, sandbox and monitors. */
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/guest/args_machine.h"

static void chipset(struct args *a, const struct config *c, const struct guest_host *h)
{
	bool flash = c->firmware.type == FIRMWARE_UEFI && h->firmware && h->firmware->code;
	args_opts(a, "-machine",
		  "a PCI Express board; SMM only where Secure Boot's firmware needs it, no VMware port, no HPET (the guest "
		  "would poll it); guest memory stays out of page merging and core dumps",
		  h->machine ? h->machine : "q35", "smm", flash && h->firmware->requires_smm ? "on" : "off", "vmport", "off", "hpet",
		  c->clock.hpet ? "on" : "off", "mem-merge", "off", "dump-guest-core", "off", "memory-backend", h->n_nodes ? NULL : "ram",
		  "pflash0", flash ? "flash-code" : NULL, "pflash1", flash ? "flash-vars" : NULL, NULL);
	if (h->accel == ACCEL_KVM)
		args_add(a, "-accel", "kvm", "the guest's instructions run on the CPU itself");
	else
		args_add(a, "-accel", "tcg", "emulated: this host has no KVM that works, or it was not wanted");
	args_add(a, "-global", "ICH9-LPC.disable_s3=1", "no suspend inside the guest: passed-through devices do not wake up from it");
	args_add(a, "-global", "ICH9-LPC.disable_s4=1", "nor hibernation");
}

/* An object of its own since QEMU 11.1, which warns of -mon. */
static void monitor(struct args *a, const struct guest_host *h, const char *id, int fd, bool listens, const char *why)
{
	cleanup_free char *number = str_fmt("%d", fd), *chardev = str_fmt("chr-%s", id);
	args_opts(a, "-chardev", why, "socket", "id", chardev, "fd", number, "server", listens ? "on" : NULL, "wait",
		  listens ? "off" : NULL, NULL);
	if (h->qemu && qemu_has(h->qemu, "object:monitor-qmp"))
		args_opts(a, "-object", NULL, "monitor-qmp", "id", id, "chardev", chardev, NULL);
	else
		args_opts(a, "-mon", NULL, "", "chardev", chardev, "id", id, "mode", "control", NULL);
}

void guest_machine(struct args *a, const struct config *c, const struct guest_host *h)
{
	cleanup_free char *process = str_fmt("qemu:%s", c->vm.name);
	args_opts(a, "-name", "the process and its threads are named in top and ps", "", "guest", c->vm.name, "process", process,
		  "debug-threads", "on", NULL);
	args_add(a, "-no-user-config", NULL, "nothing but what stands here");
	args_add(a, "-nodefaults", NULL, NULL);
	args_add(a, "-S", NULL, "not one instruction before every thread is pinned");
	if (!h->qemu || !h->qemu->no_seccomp)
		args_add(a, "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
			 "who breaks out of the guest finds no program to start and no privilege to gain");
	chipset(a, c, h);
	cleanup_free char *rtc = str_fmt("base=%s,driftfix=%s", c->clock.base == CLOCK_UTC ? "utc" : "localtime",
					 c->clock.rtc == RTC_CATCHUP ? "slew" : "none");
	args_add(a, "-rtc", rtc,
		 c->clock.base == CLOCK_UTC ? "the clock as Linux expects it, in UTC"
					    : N_("the clock as Windows expects it; ticks that were missed are caught up slowly"));
	if (h->accel == ACCEL_KVM)
		args_add(a, "-global", c->clock.pit == PIT_DELAY ? "kvm-pit.lost_tick_policy=delay" : "kvm-pit.lost_tick_policy=discard",
			 c->clock.pit == PIT_DELAY ? "missed timer ticks are not thrown away"
						   : N_("missed timer ticks are dropped, as asked for"));
	if (c->vm.pcihole64) {
		cleanup_free char *hole = str_fmt("q35-pcihost.pci-hole64-size=%llu", (unsigned long long)c->vm.pcihole64);
		args_add(a, "-global", hole, "room above 4 GiB for the windows of PCI devices, as asked for");
	}
	monitor(a, h, "qmp", h->fd_qmp, false, N_("qlaunch's own control connection, inherited: nobody else can take it"));
	monitor(a, h, "control", h->fd_monitor, true, N_("for `qlaunch stop`, `status` and others while the guest runs"));
}
