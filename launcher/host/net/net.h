/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net: the guest's networks on this host: what is there, what is chosen, the steps that make it, and what check says.
 *
 * A network of mode nat or isolated is the VM's own: its own bridge, subnet, DHCP server and nftables table, named
 * after the VM and the network. Nothing of it is shared, so that a VM that ends takes nothing from another that runs,
 * and no counting can go wrong. The one thing that networks share is the host's IPv4 forwarding: see kind "forwarding".
 * An existing bridge is joined and otherwise left alone.
 *
 * The names of a VM's interfaces, its subnet and its MAC come from a hash of the VM's and the network's name: the same
 * at every start. Facts are files of the root (sysfs, /proc/net); steps act through rtnetlink, /dev/net/tun and nft, on
 * this host only.
 */
#pragma once
#include <net/if.h>
#include "launcher/base/root.h"
#include "launcher/config/config.h"
#include "launcher/step/finding.h"
#include "launcher/step/step.h"

#define NET_MAC_TEXT 18

struct net_subnet {
	uint32_t address; /* host byte order, host part 0 */
	unsigned bits;
};

struct net {
	const struct conf_network *conf; /* borrowed */
	char mac[NET_MAC_TEXT];
	bool passt;                /* user: by passt; else by QEMU itself (slirp) */
	const char *passt_why_not; /* passt is there and cannot serve: static, for a person; else NULL */
	bool own;                  /* nat, isolated: the bridge is ours */
	char bridge[IFNAMSIZ];     /* that the tap is in; "" for none */
	char link[IFNAMSIZ];       /* tap or macvtap; "" for none */
	struct net_subnet subnet;
	char gateway[16], guest[16]; /* addresses in it: the bridge's, and the only one that the guest is given */
	unsigned queues;             /* of tap or macvtap: a descriptor each */
	bool vhost;                  /* the kernel moves the packets: as many descriptors of /dev/vhost-net */
	char *alias;                 /* what `ip link` says of our interfaces: "qlaunch win11 lan" */
	char *zone;                  /* of firewalld's, that a step takes the bridge into; NULL: none */
	bool zone_open;              /* which lets through all that the guest needs; else that is not known */
	char *helper;                /* "dnsmasq-lan", "passt-lan": name of its process; NULL if it has none */
	struct strv helper_argv;
	char *problem, *remedy; /* why this host cannot; NULL if it can */
};

struct net_facts {
	struct net *v; /* in the order of the configuration */
	size_t n;
	char *nft, *dnsmasq, *passt; /* paths; NULL where they are not installed */
	struct strv links, bridges;  /* names of interfaces; of bridges */
	struct net_route *routes;
	size_t n_routes;
	struct strv ports;   /* in use: "tcp:22" */
	bool dns_everywhere; /* somebody listens on port 53 of every address, or takes each new one (bind9) */
	bool online;         /* there is a default route */
	unsigned first_port; /* the lowest that a user may open */
	bool vhost;
};

/* `stream`: this QEMU has netdev stream, which passt needs. `uid`: who QEMU runs as; what he may not do is a problem of
 * that network. */
struct err *net_facts_read(struct root *root, const struct config *c, uid_t uid, bool stream, struct net_facts *ret_facts);
void net_facts_free(struct net_facts *f);
#define cleanup_net_facts cleanup(net_facts_free)

/*
 * All there is to make before QEMU is forked, for its descriptors are those of the taps. The helper of a network is a
 * step of kind "process" with the target net.helper, to be given its struct process. The facts must outlive the steps.
 */
void net_steps(struct steps *out, const struct net_facts *f, uid_t uid);
/* What the helper says on standard error once it serves; NULL if it says nothing. */
const char *net_helper_ready(const struct net *n);
/* Adds problems, and what on this host would keep packets from the guest. Runs nft when `root` is this host and a
 * network needs it. */
void net_findings(struct findings *out, const struct net_facts *f, struct root *root);

/* How many descriptors QEMU gets for it, in this order: one socket (passt), or one of the tap and then one of vhost-net
 * for each queue. */
size_t net_fds(const struct net *n);
#define NET_FDS_MAX 40 /* of all networks of a VM */
/* Opens those of a tap or macvtap that its step has made into `fds`, one by one; none for mode user. They close on
 * exec. */
struct err *net_open(struct root *root, const struct net *n, int fds[]);

/* own bridge: values "192.168.77.1/24", "absent" */
extern const struct step_kind net_bridge_kind;
/* a persistent tap: "UID BRIDGE single|multi", "absent" */
extern const struct step_kind net_tap_kind;
/* a macvtap: "eth0 52:54:00:12:34:56", "absent" */
extern const struct step_kind net_link_kind;
/* a table of our own, of family inet; target its bridge: "nat 192.168.77.0/24 tcp:2222:22", "isolated", "absent" */
extern const struct step_kind net_nft_kind;
/* firewalld's zone of a bridge of ours: "libvirt", "no zone"; only what runs is changed, nothing that stays */
extern const struct step_kind net_zone_kind;
/*
 * The host's IPv4 forwarding; target the bridge that needs it: "on", "off", and "shared" where it is on for another VM
 * only, that found it off. The alias of each bridge that needs it says so; the last one that goes turns it off. On
 * before any of us, it is left on, and nobody's.
 */
extern const struct step_kind net_forwarding_kind;
