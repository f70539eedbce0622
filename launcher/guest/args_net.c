/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net: see net.h. */
#include <stdio.h>
#include "launcher/base/tr.h"
#include "launcher/guest/args_boot.h"
#include "launcher/guest/args_net.h"
#include "launcher/guest/slots.h"

/* "5:6:7": `n` numbers from `first`, as QEMU lists descriptors. */
static json_t *fd_list(int first, unsigned n)
{
	cleanup_sb struct sb sb = {};
	for (unsigned i = 0; i < n; i++)
		sb_addf(&sb, "%s%d", i ? ":" : "", first + (int)i);
	return json_string(sb.s);
}

static json_t *user(const struct net *n)
{
	json_t *o = json_pack("{s:s}", "type", "user");
	json_t *list = n->conf->forward.n ? json_array() : NULL;
	for (size_t i = 0; i < n->conf->forward.n; i++) {
		struct conf_forward f;
		if (conf_forward_parse(n->conf->forward.v[i], &f)) /* QEMU's hostfwd: PROTOCOL:[ADDRESS]:PORT-[ADDRESS]:PORT */
			json_array_append_new(
				list, json_pack("{s:o}", "str", json_sprintf("%s:%s:%u-:%u", f.protocol, f.address, f.host, f.guest)));
	}
	if (list)
		json_object_set_new(o, "hostfwd", list);
	return o;
}

static json_t *tap(const struct net *n, int fd)
{
	json_t *o = json_pack("{s:s, s:o}", "type", "tap", "fds", fd_list(fd, n->queues));
	if (n->vhost) {
		json_object_set_new(o, "vhost", json_true());
		json_object_set_new(o, "vhostfds", fd_list(fd + (int)n->queues, n->queues));
	}
	return o;
}

static const char *netdev_why(const struct net *n)
{
	if (!*n->link)
		return n->passt ? _("passt, at the other end of a socket") : _("QEMU's own user network: no privilege");
	return n->vhost ? _("opened by the launcher; the host's kernel moves the packets") : _("opened by the launcher");
}

static void add_netdev(struct args *out, const struct net *n, int fd)
{
	json_t *o = *n->link   ? tap(n, fd)
		    : n->passt ? json_pack("{s:s, s:b, s:{s:s, s:o}}", "type", "stream", "server", 0, "addr", "type", "fd", "str",
					   json_sprintf("%d", fd))
			       : user(n);
	cleanup_free char *why = str_fmt("[network %s] %s", n->conf->name, netdev_why(n));
	json_object_set_new(o, "id", json_sprintf("net-%s", n->conf->name));
	args_json(out, "-netdev", o, why);
}

static const char *const drivers[] = { [MODEL_VIRTIO] = "virtio-net-pci", [MODEL_E1000E] = "e1000e",   [MODEL_E1000] = "e1000",
				       [MODEL_RTL8139] = "rtl8139",	  [MODEL_IGB] = "igb",	       [MODEL_VMXNET3] = "vmxnet3" };

void guest_net_findings(struct findings *out, const struct config *c, const struct qemu_facts *q)
{
	for (size_t i = 0; i < c->n_networks; i++) {
		const char *driver = drivers[c->networks[i].model];
		cleanup_free char *what = str_fmt("device:%s", driver);
		if (!qemu_has(q, what))
			findings_add(out, FINDING_BAD, "net", tr_fmt("%s: this QEMU has no network card %s", c->networks[i].name, driver),
				     tr_dup("model = e1000e, or virtio"));
	}
}

void guest_nets(struct args *out, const struct config *c, const struct net_facts *f, int first_fd)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct net *n = &f->v[i];
		int boot = boot_index(c, "network", n->conf->name);
		add_netdev(out, n, first_fd);
		first_fd += (int)net_fds(n);
		bool virtio = n->conf->model == MODEL_VIRTIO;
		json_t *o = json_pack("{s:s, s:o, s:o, s:s}", "driver", drivers[n->conf->model], "id",
				      json_sprintf("nic-%s", n->conf->name), "netdev",
				      json_sprintf("net-%s", n->conf->name), "mac", n->mac);
		if (virtio)
			json_object_set_new(o, "disable-legacy", json_string("on"));
		if (virtio && *n->link && n->queues > 1) { /* a vector for each queue, and two: configuration and control */
			json_object_set_new(o, "mq", json_true());
			json_object_set_new(o, "vectors", json_integer(2 * n->queues + 2));
		}
		if (boot)
			json_object_set_new(o, "bootindex", json_integer(boot));
		else
			json_object_set_new(o, "romfile", json_string(""));
		slot_put(o, SLOT_NET, (unsigned)i, (unsigned)f->n);
		args_json(out, "-device", o,
			  boot ? "its address stays, and so does its place"
			       : N_("no boot ROM: the machine does not boot from it"));
	}
}
