/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net_choose: see net_choose.h. */
#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include "launcher/base/tr.h"
#include "launcher/host/net/net_choose.h"

#define GATEWAY_HOST 1
#define GUEST_HOST 2

uint64_t net_hash(const char *vm, const char *network)
{
	cleanup_free char *both = str_fmt("%s/%s", vm, network); /* neither name has a slash */
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (const char *p = both; *p; p++)
		hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
	return hash ^ hash >> 32;
}

static uint32_t mask(unsigned bits)
{
	return bits ? UINT32_MAX << (32 - bits) : 0;
}

bool net_overlap(struct net_subnet a, struct net_subnet b)
{
	return !((a.address ^ b.address) & mask(a.bits < b.bits ? a.bits : b.bits));
}

void net_address(struct net_subnet s, uint32_t host, char ret_text[16])
{
	struct in_addr in = { htonl(s.address | host) };
	inet_ntop(AF_INET, &in, ret_text, INET_ADDRSTRLEN);
}

char *net_subnet_text(struct net_subnet s)
{
	char text[16];
	net_address(s, 0, text);
	return str_fmt("%s/%u", text, s.bits);
}

struct err *net_subnet_parse(const char *text, struct net_subnet *ret_subnet)
{
	const char *slash = strchr(text, '/');
	cleanup_free char *address = str_ndup(text, slash ? (size_t)(slash - text) : strlen(text));
	struct in_addr in;
	uint64_t bits;
	if (!slash || inet_pton(AF_INET, address, &in) != 1)
		return err_new("\"%s\" is no network", text);
	TRY(num_parse(slash + 1, 32, &bits));
	*ret_subnet = (struct net_subnet){ ntohl(in.s_addr) & mask((unsigned)bits), (unsigned)bits };
	return NULL;
}

__attribute__((format(printf, 3, 4))) static void problem(struct net *n, char *remedy, const char *fmt, ...)
{
	cleanup_free char *unused = remedy;
	if (n->problem) /* the first one is enough to act on */
		return;
	struct sb sb = {};
	va_list ap;
	va_start(ap, fmt);
	sb_vaddf(&sb, tr(fmt), ap);
	va_end(ap);
	n->problem = sb_steal(&sb);
	n->remedy = steal(unused);
}

static char *install(const char *package)
{
	return tr_fmt("apt-get install %s, pacman -S %s or dnf install %s", package, package, package);
}

/* ---- subnets ---- */

/* Who has a part of it: an interface of the host, by its routes, or a network of this VM. Our own bridge, left by a
 * dead launcher, has not. */
static const char *taken_by(const struct net_facts *f, size_t i, struct net_subnet s)
{
	for (size_t k = 0; k < f->n_routes; k++)
		if (f->routes[k].to.bits && !streq(f->routes[k].link, f->v[i].bridge) && net_overlap(f->routes[k].to, s))
			return f->routes[k].link;
	for (size_t k = 0; k < i; k++)
		if (f->v[k].own && net_overlap(f->v[k].subnet, s))
			return f->v[k].conf->name;
	return NULL;
}

/* /24s of the private ranges (RFC 1918); of 192.168 not those that routers at home come with. */
static const struct {
	uint32_t first, count;
} pools[] = { { 0xc0a84000, 192 }, { 0xac100000, 4096 }, { 0x0a000000, 65536 } };

static bool free_subnet(const struct net_facts *f, size_t i, uint64_t hash, struct net_subnet *ret_subnet)
{
	for (size_t p = 0; p < ARRAY_SIZE(pools); p++)
		for (uint32_t k = 0; k < pools[p].count; k++) {
			uint32_t nth = (uint32_t)((hash + k) % pools[p].count);
			struct net_subnet s = { pools[p].first + (nth << 8), 24 };
			if (taken_by(f, i, s))
				continue;
			*ret_subnet = s;
			return true;
		}
	return false;
}

static void choose_subnet(struct net_facts *f, size_t i, uint64_t hash)
{
	struct net *n = &f->v[i];
	if (n->conf->subnet) {
		cleanup_err struct err *e = net_subnet_parse(n->conf->subnet, &n->subnet);
		const char *who = e ? NULL : taken_by(f, i, n->subnet);
		if (e)
			problem(n, NULL, "%s", err_text(e));
		else if (who)
			problem(n,
				tr_fmt("choose another subnet in [network %s], or leave it out: then a free one is taken", n->conf->name),
				N_("subnet %s is in use: %s has a route into it"), n->conf->subnet, who);
	} else if (!free_subnet(f, i, hash, &n->subnet)) {
		problem(n, tr_fmt("name one: subnet = … in [network %s]", n->conf->name),
			N_("every private subnet is in use on this host"));
	}
	net_address(n->subnet, GATEWAY_HOST, n->gateway);
	net_address(n->subnet, GUEST_HOST, n->guest);
}

/* ---- programs ---- */

/*
 * One guest, one address, always the same: no lease is kept on the disk. It runs as nobody once it has its sockets, and
 * asks the host's own resolvers. An isolated guest is told of no router and asks no names: they would be a way out.
 */
static void dnsmasq_argv(struct net *n, const char *program)
{
	struct strv *v = &n->helper_argv;
	char last[16];
	net_address(n->subnet, ~mask(n->subnet.bits) - 1, last);
	struct in_addr netmask = { htonl(mask(n->subnet.bits)) };
	char netmask_text[16];
	inet_ntop(AF_INET, &netmask, netmask_text, sizeof(netmask_text));
	n->helper = str_fmt("dnsmasq-%s", n->conf->name);
	static const char *const fixed[] = {
		"--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=",
		"--log-facility=-",	"--leasefile-ro",	 "--no-hosts",
		"--user=nobody",	"--bind-interfaces",	 "--except-interface=lo",
		"--dhcp-authoritative",
	};
	strv_add(v, program);
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		strv_add(v, fixed[i]);
	strv_addf(v, "--interface=%s", n->bridge);
	strv_addf(v, "--dhcp-range=%s,%s,%s,12h", n->guest, last, netmask_text);
	strv_addf(v, "--dhcp-host=%s,%s,infinite", n->mac, n->guest);
	if (n->conf->mode == NET_ISOLATED) {
		strv_add(v, "--port=0");
		strv_add(v, "--dhcp-option=option:router");
		strv_add(v, "--dhcp-option=option:dns-server");
	}
}

static void passt_argv(struct net *n, const char *program)
{
	struct strv *v = &n->helper_argv;
	n->helper = str_fmt("passt-%s", n->conf->name);
	strv_add(v, program);
	strv_add(v, "--foreground");
	strv_add(v, "--fd");
	strv_add(v, "3"); /* PROCESS_FD of process.h */
	for (size_t i = 0; i < n->conf->forward.n; i++) {
		struct conf_forward f;
		if (!conf_forward_parse(n->conf->forward.v[i], &f))
			continue;
		strv_addf(v, "--%s-ports", f.protocol);
		strv_addf(v, "%s/%u:%u", f.address, f.host, f.guest);
	}
}

/* ---- modes ---- */

static void check_ports(const struct net_facts *f, struct net *n, uid_t uid)
{
	for (size_t i = 0; i < n->conf->forward.n; i++) {
		struct conf_forward forward;
		if (!conf_forward_parse(n->conf->forward.v[i], &forward))
			continue;
		cleanup_free char *port = str_fmt("%s:%u", forward.protocol, forward.host);
		if (strv_has(&f->ports, port))
			problem(n, tr_fmt("`ss -lntup` shows by whom; choose another port in forward of [network %s]", n->conf->name),
				N_("port %s of the host is taken"), port);
		if (n->conf->mode == NET_USER && uid != 0 && forward.host < f->first_port)
			problem(n, tr_fmt("forward from a port above %u, or use mode = nat", f->first_port - 1),
				N_("port %s of the host may be opened by root only"), port);
	}
}

/* What keeps passt from serving ends it at its start: QEMU's own network is there for these. */
static void choose_user(struct net_facts *f, struct net *n, uid_t uid, bool stream)
{
	n->passt_why_not = !stream || !f->passt ? NULL
			   : uid == 0           ? N_("it refuses to run as root, and without root's capabilities it cannot become nobody")
			   : !f->online         ? N_("this host has no default route, without which it ends at once")
						: NULL;
	n->passt = stream && f->passt && !n->passt_why_not;
	if (n->passt)
		passt_argv(n, f->passt);
}

static void choose_own(struct net_facts *f, size_t i, uint64_t hash)
{
	struct net *n = &f->v[i];
	n->own = true;
	snprintf(n->bridge, sizeof(n->bridge), NET_BRIDGE_PREFIX "%08" PRIx32, (uint32_t)hash);
	choose_subnet(f, i, hash);
	if (!f->nft)
		problem(n, install("nftables"), N_("nft, which makes the rules of the network, is not installed"));
	if (!f->dnsmasq)
		problem(n, tr_fmt("apt-get install dnsmasq-base, pacman -S dnsmasq or dnf install dnsmasq"),
			N_("dnsmasq, which gives the guest its address, is not installed"));
	if (f->dns_everywhere && n->conf->mode == NET_NAT)
		problem(n,
			tr_dup("let it listen on its own addresses only (dnsmasq: bind-interfaces, unbound: interface, named: listen-on and interface-interval 0)"),
			N_("a DNS server of this host listens on every address: the network's own finds no room for port 53"));
	dnsmasq_argv(n, f->dnsmasq ? f->dnsmasq : "dnsmasq");
}

static void choose_joined(const struct net_facts *f, struct net *n)
{
	const struct strv *there = n->conf->mode == NET_BRIDGE ? &f->bridges : &f->links;
	const char *what = n->conf->mode == NET_BRIDGE ? _("bridge") : _("network card");
	if (n->conf->mode == NET_BRIDGE)
		snprintf(n->bridge, sizeof(n->bridge), "%s", n->conf->bridge);
	if (strv_has(there, n->conf->bridge))
		return;
	cleanup_free char *names = there->n ? strv_join(there, ", ") : str_dup("none");
	problem(n, tr_fmt("name one that is there (%s), or use mode = nat, which needs none", names), N_("there is no %s %s"), what,
		n->conf->bridge);
}

void net_default_mac(const char *vm, const char *network, char ret_mac[NET_MAC_TEXT])
{
	/* 52:54:00 is what QEMU's own cards have: locally administered */
	uint64_t hash = net_hash(vm, network);
	snprintf(ret_mac, NET_MAC_TEXT, "52:54:00:%02x:%02x:%02x", (unsigned)(hash >> 16 & 0xff), (unsigned)(hash >> 8 & 0xff),
		 (unsigned)(hash & 0xff));
}

void net_choose(const struct config *c, struct net_facts *f, size_t i, uid_t uid, bool stream)
{
	struct net *n = &f->v[i];
	enum net_mode mode = n->conf->mode;
	uint64_t hash = net_hash(c->vm.name, n->conf->name);
	n->alias = str_fmt("qlaunch %s %s", c->vm.name, n->conf->name);
	n->queues = n->conf->queues ? n->conf->queues : 1;
	if (n->conf->mac)
		snprintf(n->mac, sizeof(n->mac), "%s", n->conf->mac);
	else
		net_default_mac(c->vm.name, n->conf->name, n->mac);
	for (char *p = n->mac; *p; p++)
		*p = (char)tolower(*p); /* as the kernel writes it */
	check_ports(f, n, uid);
	if (mode == NET_USER) {
		choose_user(f, n, uid, stream);
		return;
	}
	n->vhost = f->vhost;
	snprintf(n->link, sizeof(n->link), "%s%08" PRIx32, mode == NET_MACVTAP ? "qlmac" : "qltap", (uint32_t)hash);
	if (mode == NET_NAT || mode == NET_ISOLATED)
		choose_own(f, i, hash);
	else
		choose_joined(f, n);
	size_t fds = 0;
	for (size_t k = 0; k <= i; k++)
		fds += net_fds(&f->v[k]);
	if (fds > NET_FDS_MAX)
		problem(n, tr_fmt("queues of all networks: at most %d", NET_FDS_MAX / 2), N_("%u queues are more than QEMU can be given"),
			n->queues);
}

size_t net_fds(const struct net *n)
{
	return *n->link ? n->queues * (n->vhost ? 2 : 1) : n->passt;
}
