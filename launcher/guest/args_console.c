/* SPDX-License-Identifier: GPL-2.0-or-later */
/* console: see machine.h. The serial console, what is booted directly, and the rest. */
#include "launcher/guest/args_machine.h"
#include "launcher/guest/slots.h"

void guest_console(struct args *a, const struct config *c, const struct guest_host *h)
{
	(void)h;
	const char *serial = c->console.serial;
	if (!serial || streq(serial, "none"))
		return;
	if (streq(serial, "stdio"))
		args_opts(a, "-chardev", "the guest's serial console in this terminal; Ctrl-C goes to the guest", "stdio", "id",
			  "chr-serial", "signal", "off", NULL);
	else if (streq(serial, "pty"))
		args_opts(a, "-chardev", "the guest's serial console as a terminal device", "pty", "id", "chr-serial", NULL);
	else
		args_opts(a, "-chardev", "the guest's serial console, into a file", "file", "id", "chr-serial", "path", serial, NULL);
	args_json(a, "-device", json_pack("{s:s, s:s}", "driver", "isa-serial", "chardev", "chr-serial"), NULL);
}

bool guest_agent_listens(const struct config *c)
{
	return c->console.agent && streq(c->console.agent, "yes");
}

/* At a path somebody else listens: nothing is left behind, and nobody has to wait for QEMU to make a socket. */
static void add_agent(struct args *a, const struct config *c, int fd)
{
	cleanup_free char *number = str_fmt("%d", fd);
	if (!c->console.agent || streq(c->console.agent, "no"))
		return;
	if (guest_agent_listens(c))
		args_opts(a, "-chardev", "the guest's agent, for `qlaunch disk snapshot` while the guest runs", "socket", "id", "chr-agent",
			  "fd", number, "server", "on", "wait", "off", NULL);
	else
		args_opts(a, "-chardev", "the guest's agent, for who listens at that socket", "socket", "id", "chr-agent", "path",
			  c->console.agent, NULL);
	json_t *o = json_pack("{s:s, s:s}", "driver", "virtio-serial-pci", "id", "agents");
	slot_put(o, SLOT_AGENT, 0, 1);
	args_json(a, "-device", o, NULL);
	args_json(a, "-device",
		  json_pack("{s:s, s:s, s:s, s:s}", "driver", "virtserialport", "bus", "agents.0", "chardev", "chr-agent", "name",
			    "org.qemu.guest_agent.0"),
		  NULL);
}

void guest_extra(struct args *a, const struct config *c, const struct guest_host *h)
{
	args_add(a, "-boot", "menu=off,strict=on", "from what [boot] names and from nothing else");
	if (c->boot.kernel)
		args_add(a, "-kernel", c->boot.kernel, "a Linux kernel, without a boot loader");
	if (c->boot.kernel && c->boot.initrd)
		args_add(a, "-initrd", c->boot.initrd, NULL);
	if (c->boot.kernel && c->boot.cmdline)
		args_add(a, "-append", c->boot.cmdline, NULL);
	args_json(a, "-device", json_pack("{s:s}", "driver", "pvpanic"), "a guest that crashes says so");
	args_json(a, "-object", json_pack("{s:s, s:s}", "qom-type", "rng-builtin", "id", "rng"), "random numbers, at once, from this host");
	json_t *rng = json_pack("{s:s, s:s}", "driver", "virtio-rng-pci", "rng", "rng");
	slot_put(rng, SLOT_RNG, 0, 1);
	args_json(a, "-device", rng, NULL);
	add_agent(a, c, h->fd_agent);
	for (size_t i = 0; i < c->qemu.args.n; i++)
		args_add(a, c->qemu.args.v[i], NULL, i ? NULL : "as [qemu] says");
}
