/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net_link: see net_link.h. Requests as rtnetlink(7) and include/uapi/linux/{if_link,netfilter/nf_tables}.h have them. */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include "launcher/base/late.h"
#include "launcher/base/str.h"
#include "launcher/host/net/net_link.h"

#define REQUEST_MAX 1024 /* the largest request here is below 200 bytes */

#define MNL_FUNCTIONS(X) \
	X(mnl_attr_nest_end) X(mnl_attr_nest_start) X(mnl_attr_put) X(mnl_attr_put_str) X(mnl_attr_put_strz) \
	X(mnl_attr_put_u32) X(mnl_cb_run) X(mnl_nlmsg_put_extra_header) X(mnl_nlmsg_put_header) X(mnl_socket_bind) \
	X(mnl_socket_close) X(mnl_socket_get_fd) X(mnl_socket_get_portid) X(mnl_socket_open2) X(mnl_socket_recvfrom) \
	X(mnl_socket_sendto)

static struct LATE_TABLE(MNL_FUNCTIONS) mnl;

static struct err *load(void)
{
	static const char *const functions[] = LATE_NAMES(MNL_FUNCTIONS);
	return late_load("libmnl.so.0", functions, &mnl);
}

struct request {
	char buf[REQUEST_MAX] __attribute__((aligned(8)));
	struct nlmsghdr *h;
};

/* Its own header, `size` bytes of zeros. */
static void *begin_any(struct request *r, uint16_t type, uint16_t flags, size_t size)
{
	memset(r, 0, sizeof(*r));
	r->h = mnl.mnl_nlmsg_put_header(r->buf);
	r->h->nlmsg_type = type;
	r->h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	return mnl.mnl_nlmsg_put_extra_header(r->h, size);
}

static struct ifinfomsg *begin(struct request *r, uint16_t type, uint16_t flags)
{
	return begin_any(r, type, flags, sizeof(struct ifinfomsg));
}

static void put_mac(struct request *r, const char *mac)
{
	unsigned char byte[6];
	if (mac && sscanf(mac, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", &byte[0], &byte[1], &byte[2], &byte[3], &byte[4], &byte[5]) == 6)
		mnl.mnl_attr_put(r->h, IFLA_ADDRESS, sizeof(byte), byte);
}

static struct err *send_to(int bus, struct request *r, const char *name)
{
	struct mnl_socket *nl = mnl.mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!nl)
		return err_errno(errno, "netlink");
	struct timeval limit = { .tv_sec = 10 }; /* the kernel answers at once, or not at all */
	int code = 0;
	setsockopt(mnl.mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	r->h->nlmsg_seq = (unsigned)time(NULL);
	if (mnl.mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0 || mnl.mnl_socket_sendto(nl, r->h, r->h->nlmsg_len) < 0) {
		code = errno;
	} else {
		char answer[4096] __attribute__((aligned(8)));
		ssize_t n = mnl.mnl_socket_recvfrom(nl, answer, sizeof(answer));
		if (n < 0 || mnl.mnl_cb_run(answer, (size_t)n, r->h->nlmsg_seq, mnl.mnl_socket_get_portid(nl), NULL, NULL) < 0)
			code = errno;
	}
	mnl.mnl_socket_close(nl);
	return code ? err_errno(code, "%s", name) : NULL;
}

static struct err *send_request(struct request *r, const char *name)
{
	return send_to(NETLINK_ROUTE, r, name);
}

static struct err *index_of(const char *name, unsigned *ret_index)
{
	unsigned index = if_nametoindex(name);
	if (!index)
		return err_errno(errno, "%s", name);
	*ret_index = index;
	return NULL;
}

static struct nlattr *begin_kind(struct request *r, const char *kind)
{
	struct nlattr *info = mnl.mnl_attr_nest_start(r->h, IFLA_LINKINFO);
	mnl.mnl_attr_put_str(r->h, IFLA_INFO_KIND, kind);
	return info;
}

struct err *link_add_bridge(const char *name, const char *mac)
{
	struct request r;
	TRY(load());
	begin(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	mnl.mnl_attr_put_strz(r.h, IFLA_IFNAME, name);
	put_mac(&r, mac);
	mnl.mnl_attr_nest_end(r.h, begin_kind(&r, "bridge"));
	return send_request(&r, name);
}

struct err *link_add_macvtap(const char *name, const char *lower, const char *mac)
{
	struct request r;
	unsigned index;
	TRY(load());
	TRY(index_of(lower, &index));
	begin(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	mnl.mnl_attr_put_strz(r.h, IFLA_IFNAME, name);
	mnl.mnl_attr_put_u32(r.h, IFLA_LINK, index);
	put_mac(&r, mac);
	struct nlattr *info = begin_kind(&r, "macvtap"), *data = mnl.mnl_attr_nest_start(r.h, IFLA_INFO_DATA);
	mnl.mnl_attr_put_u32(r.h, IFLA_MACVLAN_MODE, MACVLAN_MODE_BRIDGE);
	mnl.mnl_attr_nest_end(r.h, data);
	mnl.mnl_attr_nest_end(r.h, info);
	return send_request(&r, name);
}

struct err *link_up(const char *name, const char *master, const char *mac)
{
	struct request r;
	unsigned index, master_index = 0;
	TRY(load());
	TRY(index_of(name, &index));
	if (master)
		TRY(index_of(master, &master_index));
	struct ifinfomsg *info = begin(&r, RTM_NEWLINK, 0);
	info->ifi_index = (int)index;
	info->ifi_flags = info->ifi_change = IFF_UP;
	put_mac(&r, mac);
	if (master)
		mnl.mnl_attr_put_u32(r.h, IFLA_MASTER, master_index);
	return send_request(&r, name);
}

struct err *link_add_address(const char *name, struct in_addr address, unsigned bits)
{
	struct request r = {};
	unsigned index;
	TRY(load());
	TRY(index_of(name, &index));
	r.h = mnl.mnl_nlmsg_put_header(r.buf);
	r.h->nlmsg_type = RTM_NEWADDR;
	r.h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
	struct ifaddrmsg *ifa = mnl.mnl_nlmsg_put_extra_header(r.h, sizeof(*ifa));
	*ifa = (struct ifaddrmsg){ .ifa_family = AF_INET, .ifa_prefixlen = (uint8_t)bits, .ifa_index = index };
	struct in_addr broadcast = { address.s_addr | htonl(bits < 32 ? UINT32_MAX >> bits : 0) };
	mnl.mnl_attr_put(r.h, IFA_LOCAL, sizeof(address), &address);
	mnl.mnl_attr_put(r.h, IFA_ADDRESS, sizeof(address), &address);
	mnl.mnl_attr_put(r.h, IFA_BROADCAST, sizeof(broadcast), &broadcast);
	return send_request(&r, name);
}

struct err *link_delete(const char *name)
{
	struct request r;
	unsigned index = if_nametoindex(name);
	if (!index)
		return NULL;
	TRY(load());
	begin(&r, RTM_DELLINK, 0)->ifi_index = (int)index;
	return send_request(&r, name);
}

char *link_address(const char *name)
{
	struct ifreq address = {}, mask = {};
	char text[INET_ADDRSTRLEN];
	cleanup_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(address.ifr_name, sizeof(address.ifr_name), "%s", name);
	mask = address;
	if (fd < 0 || ioctl(fd, SIOCGIFADDR, &address) < 0 || ioctl(fd, SIOCGIFNETMASK, &mask) < 0)
		return NULL;
	inet_ntop(AF_INET, &((struct sockaddr_in *)(void *)&address.ifr_addr)->sin_addr, text, sizeof(text));
	return str_fmt("%s/%d", text, __builtin_popcount(((struct sockaddr_in *)(void *)&mask.ifr_netmask)->sin_addr.s_addr));
}

struct err *link_has_table(const char *table, bool *ret_there)
{
	struct request r;
	TRY(load());
	struct nfgenmsg *generic = begin_any(&r, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE, 0, sizeof(*generic));
	generic->nfgen_family = NFPROTO_INET;
	mnl.mnl_attr_put_strz(r.h, NFTA_TABLE_NAME, table);
	struct err *e = send_to(NETLINK_NETFILTER, &r, table);
	*ret_there = !e;
	if (err_code(e) != ENOENT)
		return e;
	err_free(e);
	return NULL;
}
