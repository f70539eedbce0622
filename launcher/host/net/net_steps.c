/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net_steps: see net.h. The facts, read from files; the steps, made of what was chosen. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include "launcher/base/opened.h"
#include "launcher/base/tr.h"
#include "launcher/host/kind/attr.h"
#include "launcher/host/net/net_choose.h"
#include "launcher/host/net/net_zone.h"
#include "launcher/host/kind/process.h"

#define SYS_NET "/sys/class/net"

/* Under --root DIR another machine is meant: its tree tells, not our PATH. */
static char *find_program(struct root *root, const char *name)
{
	static const char *const dirs[] = { "/usr/sbin", "/usr/bin", "/sbin", "/bin" };
	if (root_is_host(root))
		return child_find(name);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		cleanup_free char *path = str_fmt("%s/%s", dirs[i], name);
		if (root_exists(root, path))
			return steal(path);
	}
	return NULL;
}

static void read_links(struct root *root, struct net_facts *f)
{
	cleanup_strv struct strv names = {};
	err_free(root_list(root, SYS_NET, &names));
	for (size_t i = 0; i < names.n; i++) {
		cleanup_free char *bridge = str_fmt(SYS_NET "/%s/bridge", names.v[i]), *index = str_fmt(SYS_NET "/%s/ifindex", names.v[i]);
		if (!root_exists(root, index)) /* bonding_masters is a file */
			continue;
		if (root_exists(root, bridge))
			strv_add(&f->bridges, names.v[i]);
		else if (!streq(names.v[i], "lo"))
			strv_add(&f->links, names.v[i]);
	}
}

/* /proc/net/route: Iface Destination Gateway Flags RefCnt Use Metric Mask …; addresses are hexadecimal, in network byte
 * order as a number. */
static void read_routes(struct root *root, struct net_facts *f)
{
	cleanup_free char *text = root_read_or(root, "/proc/net/route", "");
	cleanup_strv struct strv lines = {};
	strv_split(&lines, text, "\n");
	for (size_t i = 1; i < lines.n; i++) {
		struct net_route r = {};
		unsigned to, mask;
		if (sscanf(lines.v[i], "%15s %8x %*x %*x %*d %*d %*d %8x", r.link, &to, &mask) != 3)
			continue;
		r.to = (struct net_subnet){ ntohl(to), (unsigned)__builtin_popcount(mask) };
		f->routes = mem_grow(f->routes, f->n_routes, sizeof(*f->routes));
		f->routes[f->n_routes++] = r;
		f->online |= mask == 0;
	}
	/* ipv6_route: destination, prefix length, …, interface; the kernel's own "unreachable" is lo's (proc(5)) */
	cleanup_free char *text6 = root_read_or(root, "/proc/net/ipv6_route", "");
	cleanup_strv struct strv lines6 = {};
	strv_split(&lines6, text6, "\n");
	for (size_t i = 0; i < lines6.n; i++)
		f->online |= str_starts(lines6.v[i], "00000000000000000000000000000000 00 ") && !str_ends(lines6.v[i], " lo");
}

static bool is_one_of(const void *data, const char *pid, const char *path)
{
	(void)pid;
	return strv_has(data, path);
}

/* /proc/net/tcp and its kin: "sl local_address rem_address st …", address:port in hexadecimal; TCP listens in state 0A
 * (LISTEN). */
static void read_ports(struct root *root, struct net_facts *f)
{
	static const struct {
		const char *path, *protocol;
		bool listen;
	} files[] = { { "/proc/net/tcp", "tcp", true },
		      { "/proc/net/tcp6", "tcp", true },
		      { "/proc/net/udp", "udp", false },
		      { "/proc/net/udp6", "udp", false } };
	cleanup_strv struct strv dns_sockets = {};
	for (size_t k = 0; k < ARRAY_SIZE(files); k++) {
		cleanup_free char *text = root_read_or(root, files[k].path, "");
		cleanup_strv struct strv lines = {};
		strv_split(&lines, text, "\n");
		for (size_t i = 1; i < lines.n; i++) {
			char address[33], inode[21] = "";
			unsigned port, state;
			if (sscanf(lines.v[i], " %*d: %32[0-9A-F]:%4x %*[0-9A-F]:%*x %2x %*s %*s %*s %*s %*s %20[0-9]", address, &port, &state,
				   inode) < 3 ||
			    (files[k].listen && state != 0x0a))
				continue;
			strv_addf(&f->ports, "%s:%u", files[k].protocol, port);
			bool dns = files[k].listen && port == 53;
			f->dns_everywhere |= dns && !address[strspn(address, "0")];
			if (dns && strlen(address) == 8 && !str_ends(address, "7F") && inode[0])
				strv_addf(&dns_sockets, "socket:[%s]", inode);
		}
	}
	/* bind9 listens on each address by itself, and on each that comes: on the bridge before the network's own server. Who listens is
	 * told to root alone. */
	cleanup_free char *servers = dns_sockets.n ? opened_by(root, is_one_of, &dns_sockets, false) : NULL;
	f->dns_everywhere |= servers && strstr(servers, "named (");
	cleanup_free char *first = root_read_or(root, "/proc/sys/net/ipv4/ip_unprivileged_port_start", "1024");
	uint64_t number = 1024;
	err_free(num_parse(first, 65536, &number));
	f->first_port = (unsigned)number;
}

static void say(struct net *n, char *problem, const char *remedy)
{
	if (n->problem) {
		free(problem);
		return;
	}
	n->problem = problem;
	n->remedy = tr_dup(remedy);
}

/* What only the host's tree knows of a choice. */
static void look(struct root *root, struct net *n)
{
	const char *card = n->conf->bridge;
	if (n->conf->mode == NET_MACVTAP) {
		cleanup_free char *wireless = str_fmt(SYS_NET "/%s/phy80211", card),
				  *port = str_fmt(SYS_NET "/%s/master", card);
		if (root_exists(root, wireless))
			say(n, tr_fmt("%s is wireless: its access point takes no second address", card),
			    N_("use mode = nat"));
		if (root_exists(root, port))
			say(n, tr_fmt("%s belongs to a bridge or bond already", card),
			    N_("use mode = bridge with that bridge"));
	}
	if (*n->link && n->conf->mode != NET_MACVTAP && !root_exists(root, "/dev/net/tun"))
		say(n, tr_dup("/dev/net/tun is not there"), "modprobe tun");
}

struct err *net_facts_read(struct root *root, const struct config *c, uid_t uid, bool stream,
			   struct net_facts *ret_facts)
{
	struct net_facts f = { .n = c->n_networks };
	if (f.n) {
		f.v = mem_new(f.n * sizeof(*f.v));
		f.nft = find_program(root, "nft");
		f.dnsmasq = find_program(root, "dnsmasq");
		f.passt = find_program(root, "passt");
		f.vhost = root_exists(root, "/dev/vhost-net");
		read_links(root, &f);
		read_routes(root, &f);
		read_ports(root, &f);
	}
	for (size_t i = 0; i < f.n; i++) {
		f.v[i].conf = &c->networks[i];
		net_choose(c, &f, i, uid, stream);
		look(root, &f.v[i]);
		net_zone_choose(root, &f.v[i]);
	}
	*ret_facts = f;
	return NULL;
}

void net_facts_free(struct net_facts *f)
{
	for (size_t i = 0; i < f->n; i++) {
		struct net *n = &f->v[i];
		free(n->alias);
		free(n->zone);
		free(n->helper);
		strv_free(&n->helper_argv);
		free(n->problem);
		free(n->remedy);
	}
	free(f->v);
	free(f->nft);
	free(f->dnsmasq);
	free(f->passt);
	strv_free(&f->links);
	strv_free(&f->bridges);
	free(f->routes);
	strv_free(&f->ports);
	*f = (struct net_facts){};
}

/* ---- steps ---- */

static struct step *add(struct steps *out, const struct net *n, const struct step_kind *kind, const char *target,
			const char *want, const char *why)
{
	cleanup_free char *reason = str_fmt("[network %s] %s", n->conf->name, tr(why));
	struct step *s = steps_add(out, kind, target, want, reason);
	if (kind != &process_kind) /* a program's data is its struct process, once there is one (nets_bind) */
		s->data = (void *)n;
	s->obstacle = str_dup(n->problem);
	return s;
}

static void own_bridge(struct steps *out, const struct net *n)
{
	bool nat = n->conf->mode == NET_NAT;
	cleanup_free char *address = str_fmt("%s/%u", n->gateway, n->subnet.bits), *net = net_subnet_text(n->subnet),
			  *forwards = strv_join(&n->conf->forward, " "),
			  *rules = nat ? str_fmt("nat %s %s%s%s", net, n->guest, *forwards ? " " : "", forwards)
				       : str_dup("isolated");
	add(out, n, &net_bridge_kind, n->bridge, address,
	    nat ? N_("a network of the VM's own, behind the host") : N_("a network of guest and host alone"));
	if (n->zone) /* before there is a packet */
		add(out, n, &net_zone_kind, n->bridge, n->zone, N_("firewalld lets the guest's packets through"));
	if (nat)
		add(out, n, &net_forwarding_kind, n->bridge, "on", N_("the guest's packets leave through the host"));
	if (n->conf->forward.n) {
		cleanup_free char *path = str_fmt("/proc/sys/net/ipv4/conf/%s/route_localnet", n->bridge);
		add(out, n, &attr_kind, path, "1", N_("forwarded ports work on the host's localhost too"));
	}
	add(out, n, &net_nft_kind, n->bridge, rules,
	    nat ? N_("the guest speaks with the host's address; nobody enters unasked") : N_("nothing gets through"));
	add(out, n, &process_kind, n->helper, PROCESS_WANT, nat ? N_("the guest's DHCP and DNS") : N_("the guest's DHCP"));
}

void net_steps(struct steps *out, const struct net_facts *f, uid_t uid)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct net *n = &f->v[i];
		if (n->conf->mode == NET_USER && n->passt)
			add(out, n, &process_kind, n->helper, PROCESS_WANT, N_("the guest's network, without a privilege"));
		if (n->own)
			own_bridge(out, n);
		if (n->conf->mode == NET_MACVTAP) {
			cleanup_free char *want = str_fmt("%s %s", n->conf->bridge, n->mac);
			add(out, n, &net_link_kind, n->link, want,
			    N_("a card of the guest's own on the host's cable; guest and host do not see each other"));
		} else if (*n->link) {
			cleanup_free char *want =
				str_fmt("%u %s %s", uid, n->bridge, n->queues > 1 ? "multi" : "single");
			add(out, n, &net_tap_kind, n->link, want, N_("the guest's cable to it"));
		}
	}
}

const char *net_helper_ready(const struct net *n)
{
	return n->own ? "started, version" : NULL;
}
