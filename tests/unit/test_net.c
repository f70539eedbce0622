/* SPDX-License-Identifier: GPL-2.0-or-later */
/* net: what is chosen on which host, the steps of it, the rules, the arguments; and forwarding that two machines share.
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "launcher/base/child.h"
#include "launcher/guest/args_net.h"
#include "launcher/host/net/net_keep.h"
#include "launcher/host/net/net_choose.h"
#include "launcher/host/net/net_rules.h"
#include "tests/unit/fakekernel.h"

#define NET "/sys/class/net"
#define ROUTES "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"

static struct step_env env;

static void link_there(struct fake *f, const char *name, const char *index)
{
	cleanup_free char *path = str_fmt(NET "/%s/ifindex", name);
	fake_file(f, path, index);
}

/* A host with everything: a card, a bridge, programs, a default route and a network at home. */
static int setup(void **state)
{
	struct fake *f = fake_new();
	link_there(f, "lo", "1\n");
	link_there(f, "eth0", "2\n");
	link_there(f, "br0", "3\n");
	fake_file(f, NET "/br0/bridge/stp_state", "0\n");
	fake_file(f, NET "/bonding_masters", "\n");
	fake_file(f, "/usr/sbin/nft", "");
	fake_file(f, "/usr/sbin/dnsmasq", "");
	fake_file(f, "/dev/net/tun", "");
	fake_file(f, "/proc/net/route",
		  ROUTES "eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
			 "eth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n");
	fake_file(f, "/proc/net/tcp",
		  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
		  "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12 1\n"
		  "   1: 0100007F:08AE 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 13 1\n");
	fake_file(f, "/proc/net/tcp6",
		  "  sl  local_address                         remote_address                        st\n"
		  "   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 0:0 0:0 0 0 0 14\n");
	fake_file(f, "/proc/sys/net/ipv4/ip_forward", "0\n");
	env.root = f->root;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	fake_free(*state);
	return 0;
}

static struct net_facts facts(struct fake *f, const char *vm, struct conf_network *networks, size_t n, struct config *ret_config)
{
	struct net_facts facts;
	*ret_config = (struct config){ .vm.name = (char *)vm, .networks = networks, .n_networks = n };
	assert_null(net_facts_read(f->root, ret_config, 1000, true, &facts));
	return facts;
}

static void test_names_stay(void **state)
{
	struct conf_network lan[] = {
		{ .name = (char *)"lan", .mode = NET_NAT },
		{ .name = (char *)"two", .mode = NET_ISOLATED, .mac = (char *)"52:54:00:AB:CD:EF" }
	};
	struct config c;
	cleanup_net_facts struct net_facts a = facts(*state, "win11", lan, 2, &c), b = facts(*state, "win11", lan, 2, &c),
					   other = facts(*state, "a-machine-with-a-name-of-sixty-four-bytes-which-is-the-most-there-is",
							 lan, 1, &c);
	assert_string_equal(a.v[0].mac, b.v[0].mac);
	assert_string_equal(a.v[0].link, b.v[0].link);
	assert_string_equal(a.v[0].gateway, b.v[0].gateway);
	assert_memory_equal(a.v[0].mac, "52:54:00:", 9);
	assert_string_equal(a.v[1].mac, "52:54:00:ab:cd:ef");
	assert_string_not_equal(a.v[0].mac, other.v[0].mac);
	assert_string_not_equal(a.v[0].bridge, other.v[0].bridge);
	assert_string_not_equal(a.v[0].bridge, a.v[1].bridge);
	assert_string_not_equal(a.v[0].bridge, a.v[0].link);
	assert_int_equal(strlen(other.v[0].link), strlen("qltap01234567"));
	assert_string_equal(a.v[0].alias, "qlaunch win11 lan");
	assert_null(a.v[0].problem);
}

static void test_overlap(void **state)
{
	(void)state;
	struct net_subnet a, b, c;
	assert_null(net_subnet_parse("192.168.77.9/24", &a));
	assert_null(net_subnet_parse("192.168.0.0/16", &b));
	assert_null(net_subnet_parse("192.168.78.0/24", &c));
	cleanup_free char *text = net_subnet_text(a);
	assert_string_equal(text, "192.168.77.0/24");
	assert_true(net_overlap(a, b) && net_overlap(b, a) && net_overlap(c, b));
	assert_false(net_overlap(a, c));
}

/* The subnet that would be taken is in use: by another interface it is avoided, by our own bridge that a dead launcher
 * left it is not. */
static void test_subnet_is_avoided(void **state)
{
	struct conf_network lan[] = { { .name = (char *)"lan", .mode = NET_NAT } };
	struct config c;
	cleanup_net_facts struct net_facts first = facts(*state, "win11", lan, 1, &c);
	struct net_subnet s = first.v[0].subnet;
	uint32_t swapped = __builtin_bswap32(s.address);
	assert_int_equal(s.bits, 24);
	cleanup_free char *taken = str_fmt(ROUTES "wg0\t%08X\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n", swapped);
	fake_file(*state, "/proc/net/route", taken);
	cleanup_net_facts struct net_facts second = facts(*state, "win11", lan, 1, &c);
	assert_null(second.v[0].problem);
	assert_int_not_equal(second.v[0].subnet.address, s.address);
	cleanup_free char *ours = str_fmt(ROUTES "%s\t%08X\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n", first.v[0].bridge, swapped);
	fake_file(*state, "/proc/net/route", ours);
	cleanup_net_facts struct net_facts third = facts(*state, "win11", lan, 1, &c);
	assert_int_equal(third.v[0].subnet.address, s.address);
	/* all of 192.168 is a VPN's */
	fake_file(*state, "/proc/net/route", ROUTES "wg0\t0000A8C0\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n");
	cleanup_net_facts struct net_facts fourth = facts(*state, "win11", lan, 1, &c);
	assert_int_equal(fourth.v[0].subnet.address >> 20, 0xac1);
	/* and so is everything else that is private */
	fake_file(*state, "/proc/net/route",
		  ROUTES "wg0\t00000080\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0\n"
			 "wg0\t0000000A\t00000000\t0001\t0\t0\t0\t000000FF\t0\t0\t0\n");
	cleanup_net_facts struct net_facts fifth = facts(*state, "win11", lan, 1, &c);
	assert_string_equal(fifth.v[0].problem, "every private subnet is in use on this host");
}

static void test_subnet_that_is_named(void **state)
{
	struct conf_network nets[] = { { .name = (char *)"a", .mode = NET_NAT, .subnet = (char *)"192.168.0.0/23" },
				       { .name = (char *)"b", .mode = NET_NAT, .subnet = (char *)"10.9.0.0/16" },
				       { .name = (char *)"c", .mode = NET_ISOLATED, .subnet = (char *)"10.9.8.0/24" } };
	struct config c;
	cleanup_net_facts struct net_facts f = facts(*state, "win11", nets, 3, &c);
	assert_string_equal(f.v[0].problem, "subnet 192.168.0.0/23 is in use: eth0 has a route into it");
	assert_non_null(strstr(f.v[0].remedy, "[network a]"));
	assert_null(f.v[1].problem);
	assert_string_equal(f.v[1].gateway, "10.9.0.1");
	assert_string_equal(f.v[1].guest, "10.9.0.2");
	assert_string_equal(f.v[2].problem, "subnet 10.9.8.0/24 is in use: b has a route into it");
}

static const char *problem_of(struct fake *f, struct conf_network network, struct net_facts *ret_facts)
{
	struct config c;
	static struct conf_network kept;
	kept = network;
	*ret_facts = facts(f, "win11", &kept, 1, &c);
	return ret_facts->v[0].problem;
}

static void test_problems(void **state)
{
	struct fake *f = *state;
	char *forwards[] = { (char *)"tcp:22:22", NULL };
	fake_file(f, NET "/wlan0/phy80211/name", "phy0\n");
	link_there(f, "wlan0", "7\n");
	link_there(f, "eth1", "8\n");
	fake_link(f, NET "/eth1/master", "../br0");
	const struct {
		struct conf_network network;
		const char *problem;
	} rows[] = {
		{ { .mode = NET_BRIDGE, .bridge = (char *)"br7" }, "there is no bridge br7" },
		{ { .mode = NET_BRIDGE, .bridge = (char *)"eth0" }, "there is no bridge eth0" },
		{ { .mode = NET_BRIDGE, .bridge = (char *)"br0" }, NULL },
		{ { .mode = NET_MACVTAP, .bridge = (char *)"eth7" }, "there is no network card eth7" },
		{ { .mode = NET_MACVTAP, .bridge = (char *)"wlan0" }, "wlan0 is wireless: its access point takes no second address" },
		{ { .mode = NET_MACVTAP, .bridge = (char *)"eth1" }, "eth1 belongs to a bridge or bond already" },
		{ { .mode = NET_MACVTAP, .bridge = (char *)"eth0" }, NULL },
		{ { .mode = NET_USER, .forward = { forwards, 1 } }, "port tcp:22 of the host is taken" },
		{ { .mode = NET_NAT, .forward = { forwards, 1 } }, "port tcp:22 of the host is taken" },
		{ { .mode = NET_NAT, .queues = 41 }, "41 queues are more than QEMU can be given" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct conf_network network = rows[i].network;
		cleanup_net_facts struct net_facts facts = {};
		network.name = (char *)"lan";
		const char *problem = problem_of(f, network, &facts);
		if (rows[i].problem)
			assert_string_equal(problem, rows[i].problem);
		else
			assert_null(problem);
	}
}

static void test_ports(void **state)
{
	struct {
		const char *forward, *problem;
	} rows[] = {
		{ "tcp:8080:80", "port tcp:8080 of the host is taken" }, /* listens on IPv6 */
		{ "udp:8080:80", NULL },
		{ "tcp:2222:22", NULL }, /* 08AE, connected, does not listen */
		{ "tcp:80:80", "port tcp:80 of the host may be opened by root only" },
		{ "tcp:1023:80", "port tcp:1023 of the host may be opened by root only" },
		{ "tcp:1024:80", NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *forwards[] = { (char *)rows[i].forward, NULL };
		cleanup_net_facts struct net_facts facts = {};
		const char *problem = problem_of(*state, (struct conf_network){ .name = (char *)"u", .forward = { forwards, 1 } }, &facts);
		if (rows[i].problem)
			assert_string_equal(problem, rows[i].problem);
		else
			assert_null(problem);
	}
}

static void test_programs_that_miss(void **state)
{
	struct conf_network nat = { .name = (char *)"lan", .mode = NET_NAT };
	cleanup_net_facts struct net_facts without_dnsmasq = {}, without_nft = {};
	assert_null(root_unlink(env.root, "/usr/sbin/dnsmasq"));
	assert_non_null(strstr(problem_of(*state, nat, &without_dnsmasq), "dnsmasq"));
	assert_non_null(strstr(without_dnsmasq.v[0].remedy, "dnsmasq-base"));
	assert_null(root_unlink(env.root, "/usr/sbin/nft"));
	assert_non_null(strstr(problem_of(*state, nat, &without_nft), "nft"));
	cleanup_findings struct findings findings = {};
	net_findings(&findings, &without_nft, env.root);
	assert_int_equal(findings_worst(&findings), FINDING_BAD);
}

static void test_dns_everywhere(void **state)
{
	struct conf_network nat = { .name = (char *)"lan", .mode = NET_NAT }, alone = { .name = (char *)"lan", .mode = NET_ISOLATED };
	cleanup_net_facts struct net_facts local = {}, all = {}, isolated = {};
	fake_file(*state, "/proc/net/tcp", "  sl\n   0: 3500007F:0035 00000000:0000 0A 0:0 0:0 0 0 0 12\n");
	assert_null(problem_of(*state, nat, &local)); /* systemd-resolved: 127.0.0.53 */
	fake_file(*state, "/proc/net/tcp", "  sl\n   0: 00000000:0035 00000000:0000 0A 0:0 0:0 0 0 0 12\n");
	assert_non_null(strstr(problem_of(*state, nat, &all), "DNS server"));
	assert_null(problem_of(*state, alone, &isolated));
}

/* bind9 listens on each address, and takes each that comes; another server on the same address does not. */
static void test_dns_that_takes_what_comes(void **state)
{
	struct conf_network nat = { .name = (char *)"lan", .mode = NET_NAT };
	cleanup_net_facts struct net_facts other = {}, named = {};
	fake_file(*state, "/proc/net/tcp",
		  "  sl\n   0: 010200C0:0035 00000000:0000 0A 00000000:00000000 00:00000000 00000000   105        0 4711 1 0\n");
	fake_process(*state, 53, "unbound", (const char *const[]){ "socket:[4711]", NULL });
	assert_null(problem_of(*state, nat, &other));
	fake_file(*state, "/proc/53/comm", "named\n");
	assert_non_null(strstr(problem_of(*state, nat, &named), "DNS server"));
	assert_non_null(strstr(named.v[0].remedy, "named: listen-on"));
}

/* passt does not serve root, nor a host without a way out: then QEMU's own network does, and that is said. */
static void test_passt_cannot(void **state)
{
	struct conf_network user = { .name = (char *)"u", .mode = NET_USER };
	struct config c = { .vm.name = (char *)"vm", .networks = &user, .n_networks = 1 };
	static const struct {
		const char *file, *text;
		uid_t uid;
		const char *why;
	} rows[] = {
		{ NULL, NULL, 1000, NULL },
		{ NULL, NULL, 0, "root" },
		{ "/proc/net/route", ROUTES "eth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n", 1000, "default route" },
		{ "/proc/net/ipv6_route", "00000000000000000000000000000000 00 0 00 0 ffffffff 1 0 00200200 lo\n", 1000, "default route" },
		{ "/proc/net/ipv6_route", "00000000000000000000000000000000 00 0 00 fe80 1 2 3 00000003 eth0\n", 1000, NULL },
	};
	fake_file(*state, "/usr/bin/passt", "");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_net_facts struct net_facts f = {};
		cleanup_findings struct findings found = {};
		if (rows[i].file)
			fake_file(*state, rows[i].file, rows[i].text);
		assert_null(net_facts_read(env.root, &c, rows[i].uid, true, &f));
		net_findings(&found, &f, env.root);
		assert_int_equal(f.v[0].passt, rows[i].why == NULL);
		assert_int_equal(findings_worst(&found), rows[i].why ? FINDING_WARN : FINDING_OK);
		if (rows[i].why)
			assert_non_null(strstr(found.v[1].text, rows[i].why));
	}
}

static char *steps_told(const struct net_facts *f)
{
	cleanup_steps struct steps steps = {};
	struct sb sb = {};
	net_steps(&steps, f, 1000);
	for (size_t i = 0; i < steps.n; i++)
		sb_addf(&sb, "%s %s\n", steps.v[i].kind->name, steps.v[i].want);
	return sb_steal(&sb);
}

static void test_steps(void **state)
{
	char *forwards[] = { (char *)"tcp:2222:22", (char *)"udp:53:5353", NULL }, *each[] = { (char *)"udp:0.0.0.0:5300:53", NULL };
	struct conf_network nets[] = {
		{ .name = (char *)"n",
		  .mode = NET_NAT,
		  .subnet = (char *)"10.1.2.0/24",
		  .forward = { forwards, 2 },
		  .queues = 4 },
		{ .name = (char *)"i", .mode = NET_ISOLATED, .subnet = (char *)"10.1.3.0/24" },
		{ .name = (char *)"b", .mode = NET_BRIDGE, .bridge = (char *)"br0" },
		{ .name = (char *)"m",
		  .mode = NET_MACVTAP,
		  .bridge = (char *)"eth0",
		  .mac = (char *)"52:54:00:00:00:09" },
		{ .name = (char *)"u", .mode = NET_USER, .forward = { each, 1 } },
	};
	struct config c;
	cleanup_net_facts struct net_facts f = facts(*state, "win11", nets, 5, &c);
	cleanup_free char *told = steps_told(&f);
	cleanup_free char *want =
		str_fmt("bridge 10.1.2.1/24\nforwarding on\nattr 1\nnft nat 10.1.2.0/24 10.1.2.2 tcp:2222:22 udp:53:5353\n"
			"process running\ntap 1000 %s multi\n"
			"bridge 10.1.3.1/24\nnft isolated\nprocess running\ntap 1000 %s single\n"
			"tap 1000 br0 single\nlink eth0 52:54:00:00:00:09\n",
			f.v[0].bridge, f.v[1].bridge);
	assert_string_equal(told, want);
	assert_false(f.v[4].passt); /* not installed here */
	assert_int_equal(net_fds(&f.v[0]), 4);
	assert_int_equal(net_fds(&f.v[4]), 0);
	fake_file(*state, "/usr/bin/passt", "");
	fake_file(*state, "/dev/vhost-net", "");
	cleanup_net_facts struct net_facts more = facts(*state, "win11", nets, 5, &c);
	assert_true(more.v[4].passt);
	assert_int_equal(net_fds(&more.v[0]), 8);
	assert_int_equal(net_fds(&more.v[4]), 1);
	cleanup_free char *argv = strv_join(&more.v[4].helper_argv, " ");
	assert_string_equal(argv, "/usr/bin/passt --foreground --fd 3 --udp-ports 0.0.0.0/5300:53");
	nets[4].forward = (struct strv){ forwards, 1 };
	cleanup_net_facts struct net_facts local = facts(*state, "win11", nets, 5, &c);
	assert_true(strv_has(&local.v[4].helper_argv, "127.0.0.1/2222:22")); /* nobody else's, unless an address is written */
}

static void test_dnsmasq(void **state)
{
	struct conf_network nets[] = { { .name = (char *)"n",
					 .mode = NET_NAT,
					 .subnet = (char *)"10.1.2.0/30",
					 .mac = (char *)"52:54:00:00:00:09" },
				       { .name = (char *)"i", .mode = NET_ISOLATED } };
	struct config c;
	cleanup_net_facts struct net_facts f = facts(*state, "win11", nets, 2, &c);
	assert_true(strv_has(&f.v[0].helper_argv, "--dhcp-range=10.1.2.2,10.1.2.2,255.255.255.252,12h"));
	assert_true(strv_has(&f.v[0].helper_argv, "--dhcp-host=52:54:00:00:00:09,10.1.2.2,infinite"));
	assert_false(strv_has(&f.v[0].helper_argv, "--port=0"));
	assert_true(strv_has(&f.v[1].helper_argv, "--port=0"));
	assert_string_equal(f.v[1].helper, "dnsmasq-i");
}

static void test_rules(void **state)
{
	(void)state;
	cleanup_free char *nat = net_rules("qlbr1", "nat 10.1.2.0/24 10.1.2.2 tcp:2222:22 udp:0.0.0.0:53:5353"),
			  *plain = net_rules("qlbr1", "nat 10.1.2.0/24 10.1.2.2"),
			  *isolated = net_rules("qlbr1", "isolated"), *wrong = net_rules("qlbr1", "absent");
	assert_memory_equal(nat, "table inet qlaunch_qlbr1 {", 26);
	assert_non_null(strstr(nat, "ip saddr 10.1.2.0/24 oifname != \"qlbr1\" masquerade;"));
	assert_non_null(strstr(nat, "ip daddr 127.0.0.1 tcp dport 2222 dnat ip to 10.1.2.2:22;"));
	assert_non_null(strstr(nat, "fib daddr type local udp dport 53 dnat ip to 10.1.2.2:5353;"));
	assert_non_null(strstr(nat, "iifname \"qlbr1\" ip daddr 127.0.0.0/8 drop;"));
	assert_null(strstr(plain, "dnat"));
	assert_null(strstr(isolated, "masquerade"));
	assert_null(strstr(isolated, "iifname \"qlbr1\" ip saddr"));
	assert_null(wrong);
}

/* ---- the host's own, on a card that goes to a guest ---- */

static void assert_missing(const char *before, const char *now, const char *want)
{
	struct step s = { .kind = &net_keep_kind, .target = (char *)"0000:05:00.0", .prior = (char *)before, .want = (char *)"none" };
	cleanup_free char *missing = net_keep_missing(before, now);
	if (want)
		assert_string_equal(missing, want);
	else
		assert_null(missing);
	assert_int_equal(net_keep_kind.whose(&s, now), want ? STEP_WANTED : STEP_PRIOR);
}

static void test_what_is_missing(void **state)
{
	(void)state;
	const char *before = "lan0 up, lan0 master br0, lan0 addr 10.0.0.5/24, lan0 addr 2001:db8::5/64, lan0 route default via 10.0.0.1 proto static metric 100";
	assert_missing(before, before, NULL);
	assert_missing(before, "none", before);
	assert_missing("none", "lan0 up, lan0 addr 10.0.0.9/24", NULL);
	assert_missing(before, "lan0 up, lan0 addr 10.0.0.5/24 dynamic, lan0 route default via 10.0.0.254 proto dhcp",
		       "lan0 master br0, lan0 addr 2001:db8::5/64");
	assert_missing("lan0 addr 10.0.0.5/24", "lan0 addr 10.0.0.5/2, lan0 addr 110.0.0.5/24", "lan0 addr 10.0.0.5/24");
	/* a lease may be another one, but a router's word is none */
	assert_missing("lan0 addr 10.0.0.5/24 dynamic", "lan0 addr 10.0.0.77/24 dynamic", NULL);
	assert_missing("lan0 addr 10.0.0.5/24 dynamic", "lan0 addr 2001:db8::5/64", "lan0 addr 10.0.0.5/24 dynamic");
	assert_missing("lan0 route 10.1.0.0/16 via 10.0.0.1", "lan0 route 10.1.0.0/1 via 10.0.0.1", "lan0 route 10.1.0.0/16 via 10.0.0.1");
	assert_missing("lan0 route default via 10.0.0.1", "lan0 route6 default via fe80::1", "lan0 route default via 10.0.0.1");
	assert_missing("lan0 route default via 10.0.0.1", "lan1 route default via 10.0.0.1", "lan0 route default via 10.0.0.1");
}

static void test_kept_links(void **state)
{
	struct fake *f = *state;
	cleanup_steps struct steps steps = {};
	cleanup_free char *now = NULL;
	fake_file(f, "/sys/devices/pci0000:00/0000:05:00.0/net/lan0/flags", "0x1003\n");
	fake_file(f, "/sys/devices/pci0000:00/0000:06:00.0/net/lan1/flags", "0x1003\n");
	fake_link(f, "/sys/devices/pci0000:00/0000:05:00.0/net/lan0/master", "../../../../../virtual/net/br0");
	fake_link(f, "/sys/devices/pci0000:00/0000:05:00.0/net/lan0/upper_br0", "../../../../../virtual/net/br0");
	fake_link(f, "/sys/devices/pci0000:00/0000:05:00.0/net/lan0/upper_lan0.10", "../../../../../virtual/net/lan0.10");
	fake_link(f, "/sys/class/net/lan0", "../../devices/pci0000:00/0000:05:00.0/net/lan0");
	fake_link(f, "/sys/class/net/lan1", "../../devices/pci0000:00/0000:06:00.0/net/lan1");
	net_keep_step(&steps, f->root, "0000:05:00.0");
	net_keep_step(&steps, f->root, "0000:07:00.0");
	assert_int_equal(steps.n, 1);
	assert_string_equal(steps.v[0].target, "0000:05:00.0");
	assert_null(net_keep_kind.probe(&env, &steps.v[0], &now));
	assert_string_equal(now, "lan0 up, lan0 master br0, lan0 upper lan0.10");
	fake_file(f, "/sys/devices/pci0000:00/0000:05:00.0/net/lan0/flags", "0x1002\n");
	cleanup_free char *down = NULL;
	assert_null(net_keep_kind.probe(&env, &steps.v[0], &down));
	assert_string_equal(down, "none"); /* nothing to come back to */
}

/*
 * With the kernel's own interfaces, in a namespace of their own. "virtual" is where sysfs has those that are no card's: behind that "card"
 * is a veth, which goes and comes back bare, as one does whose driver was away.
 */
static void run_ip(const char *words)
{
	cleanup_strv struct strv argv = {};
	cleanup_free char *output = NULL;
	strv_add(&argv, "ip");
	strv_split(&argv, words, " ");
	cleanup_err struct err *e = child_output((const char *const *)argv.v, 10000, &output);
	if (e)
		fprintf(stderr, "ip %s: %s\n", words, err_text(e));
	if (e)
		_exit(1);
}

static void make_lan(bool with_master)
{
	run_ip("link add lan0 type veth peer name far0");
	run_ip("link add br0 type bridge");
	if (with_master)
		run_ip("link set lan0 master br0");
}

static void expect_missing(const char *before, const struct step *s, const char *want)
{
	struct root *host = NULL;
	cleanup_free char *now = NULL;
	err_free(root_open("/", &host));
	struct step_env host_env = { .root = host };
	err_free(net_keep_kind.probe(&host_env, s, &now));
	cleanup_free char *missing = net_keep_missing(before, now);
	if (!streq(missing, want)) {
		fprintf(stderr, "before: %s\nnow: %s\nmissing: %s\n", before, now, missing ? missing : "nothing");
		_exit(2);
	}
	root_close(host);
}

/* A journal that somebody bent: an interface that is behind no card of the step's is not touched. */
static void leaves_others_alone(struct fake *f)
{
	struct step_env fake_env = { .root = f->root };
	struct step s = { .kind = &net_keep_kind, .target = (char *)"0000:05:00.0", .want = (char *)"none", .prior = (char *)"lan0 up, lo addr 10.9.9.9/24" };
	cleanup_free char *before = NULL, *after = NULL;
	const char *argv[] = { "ip", "addr", "show", "dev", "lo", NULL };
	fake_file(f, "/sys/devices/pci0000:00/0000:05:00.0/net/lan0/flags", "0x1002\n");
	fake_link(f, "/sys/class/net/lan0", "../../devices/pci0000:00/0000:05:00.0/net/lan0");
	err_free(child_output(argv, 10000, &before));
	cleanup_err struct err *e = net_keep_kind.undo(&fake_env, &s);
	err_free(child_output(argv, 10000, &after));
	if (!e || !before || !streq(before, after))
		_exit(9);
}

static void come_and_go(struct fake *f)
{
	static const char *const set[] = {
		"link set far0 up", "link set lan0 up", "addr add 10.77.0.20/24 brd + dev lan0", "addr add 2001:db8:77::20/64 dev lan0 nodad",
		"route add 192.0.2.0/24 via 10.77.0.2 dev lan0 proto static metric 70", "route add default via 10.77.0.2 dev lan0",
		"-6 route add 2001:db8:99::/48 via 2001:db8:77::1 dev lan0 proto static",
	};
	struct root *host = NULL;
	if (root_open("/", &host))
		_exit(3);
	struct step_env host_env = { .root = host };
	struct step s = { .kind = &net_keep_kind, .target = (char *)"virtual", .want = (char *)"none" };
	net_keep_limit_ms = 300;
	make_lan(true);
	leaves_others_alone(f);
	for (size_t i = 0; i < ARRAY_SIZE(set); i++)
		run_ip(set[i]);
	if (net_keep_kind.probe(&host_env, &s, &s.prior))
		_exit(4);
	static const char *const items[] = {
		"lan0 up, lan0 master br0, lan0 addr 10.77.0.20/24, lan0 addr 2001:db8:77::20/64", "lan0 route 192.0.2.0/24 via 10.77.0.2",
		"lan0 route default via 10.77.0.2", "lan0 route6 2001:db8:99::/48 via 2001:db8:77::1",
	};
	for (size_t i = 0; i < ARRAY_SIZE(items); i++)
		if (!strstr(s.prior, items[i])) {
			fprintf(stderr, "%s: without %s\n", s.prior, items[i]);
			_exit(5);
		}
	run_ip("link delete lan0");
	run_ip("link delete br0");
	make_lan(false);
	run_ip("link set far0 up");
	cleanup_err struct err *e = net_keep_kind.undo(&host_env, &s);
	if (e)
		fprintf(stderr, "%s\n", err_text(e));
	expect_missing(s.prior, &s, NULL);
	if (e)
		_exit(6);
	/* where somebody manages it, a lease is theirs to bring, and all else is put back in any case */
	mkdir("/run/NetworkManager", 0755);
	struct step leased = { .kind = &net_keep_kind, .target = (char *)"virtual", .want = (char *)"none",
			       .prior = (char *)"lan0 up, lan0 addr 10.77.9.9/24 dynamic, lan0 addr 10.77.0.20/24, lan0 route 192.0.2.0/24 via 10.77.0.2 proto dhcp" };
	run_ip("addr flush dev lan0");
	cleanup_err struct err *managed = net_keep_kind.undo(&host_env, &leased);
	expect_missing(leased.prior, &leased, "lan0 route 192.0.2.0/24 via 10.77.0.2 proto dhcp");
	if (managed)
		_exit(8);
	rmdir("/run/NetworkManager");
	/* nothing brings an interface back that is no more: named, and in time */
	run_ip("link delete lan0");
	cleanup_err struct err *gone = net_keep_kind.undo(&host_env, &s);
	if (!gone || !strstr(err_text(gone), "10.77.0.20/24"))
		_exit(7);
	free(s.prior);
	root_close(host);
	_exit(0);
}

static void test_kept_for_real(void **state)
{
	if (geteuid() != 0)
		skip();
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		    mount("none", "/sys", "sysfs", 0, NULL) < 0 || mount("none", "/run", "tmpfs", 0, NULL) < 0)
			_exit(99);
		come_and_go(*state);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* ---- forwarding ---- */

static struct step need(const char *bridge)
{
	return (struct step){ .kind = &net_forwarding_kind, .target = (char *)bridge, .want = (char *)"on" };
}

static void is(struct step *s, const char *want)
{
	cleanup_free char *now = NULL;
	assert_null(net_forwarding_kind.probe(&env, s, &now));
	assert_string_equal(now, want);
}

/* As the engine does it: probed, applied unless it is so, read back. */
static void begin(struct step *s, const char *prior)
{
	is(s, prior);
	s->prior = (char *)prior;
	if (streq(prior, "on"))
		return;
	assert_null(net_forwarding_kind.apply(&env, s));
	is(s, "on");
}

static void end(struct step *s, const char *after)
{
	cleanup_free char *now = NULL;
	if (!streq(s->prior, "on"))
		assert_null(net_forwarding_kind.undo(&env, s));
	assert_null(net_forwarding_kind.probe(&env, s, &now));
	assert_string_equal(now, after);
	assert_int_equal(net_forwarding_kind.whose(s, now), streq(after, "on") ? STEP_WANTED : STEP_PRIOR);
}

static void two_bridges(struct fake *f)
{
	link_there(f, "qlbr0000000a", "10\n");
	link_there(f, "qlbr0000000b", "11\n");
	fake_file(f, NET "/qlbr0000000a/ifalias", "qlaunch a lan");
	fake_file(f, NET "/qlbr0000000b/ifalias", "qlaunch b lan");
}

static void sysctl_is(const char *want)
{
	cleanup_free char *text = root_read_or(env.root, "/proc/sys/net/ipv4/ip_forward", "?");
	assert_string_equal(text, want);
}

/* The first one that ends leaves it on for the other; the last one turns it off, in either order. */
static void test_forwarding_is_shared(void **state)
{
	for (int order = 0; order < 2; order++) {
		struct step a = need("qlbr0000000a"), b = need("qlbr0000000b");
		two_bridges(*state);
		begin(&a, "off");
		begin(&b, "shared");
		end(order ? &b : &a, "shared");
		sysctl_is("1");
		end(order ? &a : &b, "off");
		sysctl_is("0");
	}
}

/* Whoever had it on before keeps it. */
static void test_forwarding_of_others(void **state)
{
	struct step a = need("qlbr0000000a"), b = need("qlbr0000000b");
	two_bridges(*state);
	fake_file(*state, "/proc/sys/net/ipv4/ip_forward", "1\n");
	begin(&a, "on");
	begin(&b, "on");
	end(&a, "on");
	end(&b, "on");
	sysctl_is("1");
}

/* The bridge was deleted by hand: its need went with it. */
static void test_forwarding_without_bridge(void **state)
{
	struct step a = need("qlbr0000000a");
	two_bridges(*state);
	begin(&a, "off");
	assert_null(root_unlink(env.root, NET "/qlbr0000000a/ifalias"));
	end(&a, "off");
	sysctl_is("0");
}

/* ---- arguments ---- */

static void test_arguments(void **state)
{
	(void)state;
	char *forwards[] = { (char *)"tcp:2222:22", NULL }, *order[] = { (char *)"lan", NULL };
	struct conf_network conf[] = { { .name = (char *)"u", .forward = { forwards, 1 } },
				       { .name = (char *)"p" },
				       { .name = (char *)"lan", .mode = NET_NAT } };
	struct net nets[] = {
		{ .conf = &conf[0], .mac = "52:54:00:00:00:01" },
		{ .conf = &conf[1], .mac = "52:54:00:00:00:02", .passt = true },
		{ .conf = &conf[2], .mac = "52:54:00:00:00:03", .link = "qltap1", .queues = 2, .vhost = true }
	};
	struct config c = { .networks = conf, .n_networks = 3, .boot.order = { order, 1 } };
	struct net_facts f = { .v = nets, .n = 3 };
	cleanup_args struct args args = {};
	cleanup_sb struct sb sb = {};
	guest_nets(&args, &c, &f, 6);
	for (size_t i = 0; i < args.n; i++)
		sb_addf(&sb, "%s %s\n", args.v[i].option, args.v[i].value);
	assert_string_equal(
		sb.s,
		"-netdev {\"type\":\"user\",\"hostfwd\":[{\"str\":\"tcp:127.0.0.1:2222-:22\"}],\"id\":\"net-u\"}\n"
		"-device {\"driver\":\"virtio-net-pci\",\"id\":\"nic-u\",\"netdev\":\"net-u\",\"mac\":\"52:54:00:00:00:01\",\"disable-legacy\":\"on\","
		"\"romfile\":\"\",\"bus\":\"pcie.0\",\"addr\":\"05.0\"}\n"
		"-netdev {\"type\":\"stream\",\"server\":false,\"addr\":{\"type\":\"fd\",\"str\":\"6\"},\"id\":\"net-p\"}\n"
		"-device {\"driver\":\"virtio-net-pci\",\"id\":\"nic-p\",\"netdev\":\"net-p\",\"mac\":\"52:54:00:00:00:02\",\"disable-legacy\":\"on\","
		"\"romfile\":\"\",\"bus\":\"pcie.0\",\"addr\":\"06.0\"}\n"
		"-netdev {\"type\":\"tap\",\"fds\":\"7:8\",\"vhost\":true,\"vhostfds\":\"9:10\",\"id\":\"net-lan\"}\n"
		"-device {\"driver\":\"virtio-net-pci\",\"id\":\"nic-lan\",\"netdev\":\"net-lan\",\"mac\":\"52:54:00:00:00:03\",\"disable-legacy\":\"on\","
		"\"mq\":true,\"vectors\":6,\"bootindex\":1,\"bus\":\"pcie.0\",\"addr\":\"07.0\"}\n");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_names_stay),
		cmocka_unit_test(test_overlap),
		TEST(test_subnet_is_avoided),
		TEST(test_subnet_that_is_named),
		TEST(test_problems),
		TEST(test_ports),
		TEST(test_programs_that_miss),
		TEST(test_dns_everywhere),
		TEST(test_dns_that_takes_what_comes),
		TEST(test_passt_cannot),
		TEST(test_steps),
		TEST(test_dnsmasq),
		cmocka_unit_test(test_rules),
		TEST(test_what_is_missing),
		TEST(test_kept_links),
		TEST(test_kept_for_real),
		TEST(test_forwarding_is_shared),
		TEST(test_forwarding_of_others),
		TEST(test_forwarding_without_bridge),
		cmocka_unit_test(test_arguments),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
