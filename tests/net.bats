#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# check: slow
# Networks with real packets: a host in a network namespace of its own, a server in another one, and between the host and its guest all that
# qlaunch made. The guest tells what address it got and what it could fetch. Nothing outside of these namespaces is touched.

setup_file() {
	[ "$(id -u)" -eq 0 ] || skip "needs root: namespaces"
	cd "$BATS_TEST_DIRNAME/.."
	export qlaunch=$PWD/${BUILD:-build}/qlaunch host=qlt-host$$ server=qlt-server$$ dir=$BATS_FILE_TMPDIR
	tests/guest/direct "${BUILD:-build}"
	mkdir "$dir/www"; echo served >"$dir/www/index.html"
	cp "${BUILD:-build}"/guest/{vmlinuz,initrd.gz} "$dir"; chmod -R a+rX "$dir" # the guest is nobody's
	chmod a+x "$BATS_RUN_TMPDIR"
	ip netns add "$host"; ip netns add "$server"
	ip -n "$host" link set lo up
	ip -n "$server" link set lo up
	ip -n "$host" link add up0 type veth peer name srv0 netns "$server"
	ip -n "$host" addr add 198.51.100.1/24 dev up0
	ip -n "$server" addr add 198.51.100.2/24 dev srv0
	ip -n "$host" link set up0 up
	ip -n "$server" link set srv0 up
	ip -n "$host" route add default via 198.51.100.2
	ip netns exec "$server" busybox httpd -f -p 80 -h "$dir/www" 3>&- & export httpd=$!
}
teardown_file() {
	[ -z "${httpd:-}" ] || kill "$httpd" 2>/dev/null || true
	[ -z "${host:-}" ] || { ip netns del "$host"; ip netns del "$server"; }
}

setup() {
	cd "$BATS_TEST_DIRNAME/.."
	export HOME=$BATS_TEST_TMPDIR
	out=$BATS_TEST_TMPDIR/out
	get="timeout 5 busybox wget -q -O -"
	before=$(host_state)
	machines=() launchers=() others=()
}
teardown() {
	local vm
	[ -n "$BATS_TEST_COMPLETED" ] || tr -d '\r' <"$out" | grep -v 'guest: pci' | tail -n 30
	kill -KILL "${launchers[@]}" 2>/dev/null || true
	kill "${others[@]}" 2>/dev/null || true
	for vm in "${machines[@]}"; do in_host "$qlaunch" restore "$vm" >/dev/null 2>&1 || true; done
}

in_host() { ip netns exec "$host" "$@"; }
host_state() { # not whether a link has its carrier yet
	ip -n "$host" -br link | awk '{ print $1, $3 }'
	ip -n "$host" -4 -br addr | awk '{ print $1, $3 }'
	in_host nft list ruleset
	in_host cat /proc/sys/net/ipv4/ip_forward
}
config() { # VM, networks on standard input: prints where the config is; its guest asks for leases, fetches, and stays up
	local vm=$1-$$; shift
	{
		printf '[vm]\nname = %s\naccel = tcg\nuser = nobody\n[cpu]\nthreads = 2\nisolate = off\n' "$vm"
		printf '[memory]\nsize = 192M\nhugepages = off\n[firmware]\ntype = bios\n[console]\nserial = stdio\n'
		[ $# -eq 0 ] || printf '[boot]\nkernel = %s/vmlinuz\ninitrd = %s/initrd.gz\ncmdline = console=ttyS0 quiet %s guest.forever\n' "$dir" "$dir" "$*"
		cat
	} >"$BATS_TEST_TMPDIR/$vm.conf"
	echo "$BATS_TEST_TMPDIR/$vm.conf"
}
start() { # CONFIG: in the background, until QEMU runs; $pid is the launcher
	machines+=("$(basename "$1" .conf)")
	: >"$out"
	# shellcheck disable=SC2086,SC2016 # words; expanded inside
	ip netns exec "$host" ${without:+bash -c 'mount --bind /dev/null "$1"; shift; exec "$@"' - "$without"} "$qlaunch" run "$1" >>"$out" 2>&1 3>&- </dev/null & pid=$!
	launchers+=("$pid")
	said 'running after' 30
}
said() { # PATTERN SECONDS: waits until it was said, by the launcher or the guest
	local i
	for ((i = 0; i < $2 * 5; i++)); do
		grep -q -- "$1" "$out" && return
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.2
	done
	grep -q -- "$1" "$out" || { tail -n 40 "$out"; return 1; }
}
finish() { # power button: the guest ends by itself, and the host is as before
	kill -TERM "$pid"
	wait "$pid"
	[ "$(host_state)" = "$before" ]
}
listens() { # PORT: waits until somebody does
	local i port
	port=$(printf ':%04X 0*:0000 0A' "$1")
	for ((i = 0; i < 100; i++)); do
		in_host cat /proc/net/tcp /proc/net/tcp6 | grep -q "$port" && return
		sleep 0.1
	done
	return 1
}
refused() { # CONFIG PATTERN: exit 4, the word, nothing changed
	run in_host "$qlaunch" run "$1"
	[ "$status" -eq 4 ]
	[[ $output == *$2* ]] || { echo "$output"; return 1; }
	[ "$(host_state)" = "$before" ]
}

@test "nat and isolated: leases, the server beyond the host, forwarded ports, nobody else, all of it gone afterwards" {
	conf=$(config nat guest.net guest.fetch=198.51.100.2:80 <<-CONF
		[network lan]
		mode = nat
		subnet = 192.168.77.0/24
		mac = 52:54:00:12:34:56
		queues = 2
		forward = tcp:0.0.0.0:2222:80 tcp:2229:80
		[network alone]
		mode = isolated
		subnet = 192.168.78.0/24
	CONF
	)
	start "$conf"
	said 'guest: ready' 120
	grep -q 'guest: nic eth0 52:54:00:12:34:56 queues 2' "$out"
	grep -q 'guest: lease eth0 192.168.77.2/24 router 192.168.77.1 dns 192.168.77.1' "$out"
	grep -q 'guest: lease eth1 192.168.78.2/24 router none dns none' "$out"
	grep -q 'guest: fetch 198.51.100.2:80 served' "$out"
	[ "$(in_host $get http://127.0.0.1:2222/)" = hello ] # by the host's localhost
	[ "$(ip netns exec "$server" $get http://198.51.100.1:2222/)" = hello ] # from outside
	[ "$(in_host $get http://127.0.0.1:2229/)" = hello ]
	run ip netns exec "$server" $get http://198.51.100.1:2229/ # without an address it is the host's own
	[ "$status" -ne 0 ]
	ip -n "$server" route add 192.168.76.0/22 via 198.51.100.1
	[ "$(in_host $get http://192.168.77.2/)" = hello ] # the host reaches both
	[ "$(in_host $get http://192.168.78.2/)" = hello ]
	run ip netns exec "$server" $get http://192.168.77.2/ # nobody else past the forwarded port: no answer at all
	[ "$status" -eq 124 ]
	run ip netns exec "$server" $get http://192.168.78.2/
	[ "$status" -eq 124 ]
	ip -n "$server" route del 192.168.76.0/22
	finish
}

@test "what keeps packets from the guest is found: legacy iptables that drops, a DHCP server on every address" {
	conf=$(config found <<<$'[network lan]\nmode = nat')
	run in_host "$qlaunch" check "$conf"
	[[ $output != *"legacy iptables"* && $output != *"DHCP server of this host"* ]]
	in_host iptables-legacy -P FORWARD DROP
	in_host iptables-legacy -P INPUT DROP
	run in_host "$qlaunch" check "$conf"
	output=$(tr -s ' \n' ' ' <<<"$output") # its lines are broken as wide as the terminal is
	[[ $output == *"refuses DHCP, DNS: the policy of chain INPUT (legacy iptables, table filter)"* ]]
	[[ $output == *"the policy of chain FORWARD (legacy iptables, table filter)"*"iptables-legacy -I FORWARD -i qlbr"* ]]
	in_host iptables-legacy -F; in_host iptables-legacy -P FORWARD ACCEPT; in_host iptables-legacy -P INPUT ACCEPT
	ip netns exec "$host" python3 -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("0.0.0.0", 67)); print(flush=True); time.sleep(100)' >"$BATS_TEST_TMPDIR/dhcp" 3>&- & dhcp=$!
	for _ in $(seq 100); do [ -s "$BATS_TEST_TMPDIR/dhcp" ] && break; sleep 0.1; done
	refused "$conf" 'DHCP server of this host listens on every address'
	run in_host "$qlaunch" check "$conf"
	kill "$dhcp"; wait "$dhcp" || true
	[ "$status" -eq 4 ]; [[ $output == *'DHCP server of this host listens on every address'* ]]
}

@test "an existing bridge, macvtap and user: each guest's card on its own network" {
	ip -n "$host" link add br7 type bridge
	ip -n "$host" link add up2 address 02:00:00:00:00:07 type veth peer name srv2 netns "$server" # a port of its own: whose MAC it has
	ip -n "$host" link set up2 master br7 up
	ip -n "$host" addr add 10.77.0.1/24 dev br7
	ip -n "$host" link set br7 up
	ip -n "$host" link add up1 type veth peer name srv1 netns "$server"
	ip -n "$host" link set up1 up
	ip -n "$server" addr add 10.78.0.1/24 dev srv1
	ip -n "$server" link set srv1 up
	before=$(host_state)
	ip netns exec "$host" dnsmasq -k -C /dev/null --port=0 --pid-file= --leasefile-ro --interface=br7 --bind-interfaces \
		--dhcp-range=10.77.0.9,10.77.0.9 3>&- 2>/dev/null & others+=($!)
	ip netns exec "$server" dnsmasq -k -C /dev/null --port=0 --pid-file= --leasefile-ro --interface=srv1 --bind-interfaces \
		--dhcp-range=10.78.0.9,10.78.0.9 3>&- 2>/dev/null & others+=($!)
	conf=$(config joined guest.net <<-CONF
		[network a]
		mode = user
		forward = tcp:2223:80
		[network b]
		mode = bridge
		bridge = br7
		[network c]
		mode = macvtap
		bridge = up1
	CONF
	)
	start "$conf"
	said 'guest: ready' 120
	grep -q 'guest: lease eth0 .*/.* router [0-9]' "$out"
	grep -q 'guest: lease eth1 10.77.0.9/24' "$out"
	grep -q 'guest: lease eth2 10.78.0.9/24' "$out"
	[ "$(in_host $get http://127.0.0.1:2223/)" = hello ]
	[ "$(in_host $get http://10.77.0.9/)" = hello ]
	[ "$(ip netns exec "$server" $get http://10.78.0.9/)" = hello ]
	finish
}

@test "user without passt: QEMU's own, its forward, its way out" {
	conf=$(config slirp guest.net guest.fetch=198.51.100.2:80 <<<$'[network a]\nforward = tcp:2224:80')
	without=$(command -v passt) start "$conf"
	said 'guest: ready' 120
	grep -q 'guest: lease eth0 10.0.2.15/24' "$out"
	grep -q 'guest: fetch 198.51.100.2:80 served' "$out"
	[ "$(in_host $get http://127.0.0.1:2224/)" = hello ]
	finish
}

@test "two machines: the first to end takes nothing from the second; a killed launcher's network is given back" {
	one=$(config one <<<$'[network lan]\nmode = nat')
	two=$(config two <<<$'[network lan]\nmode = nat')
	start "$one"; first=$pid
	start "$two"; second=$pid
	[ "$(ip -n "$host" -br link show type bridge | grep -c ^qlbr)" -eq 2 ]
	kill -KILL "$first"; wait "$first" || true
	in_host "$qlaunch" restore "one-$$"
	[ "$(in_host cat /proc/sys/net/ipv4/ip_forward)" = 1 ]
	[ "$(ip -n "$host" -br link show type bridge | grep -c ^qlbr)" -eq 1 ]
	[ "$(in_host nft list tables | grep -c qlaunch_)" -eq 1 ]
	in_host "$qlaunch" stop --now "two-$$"
	wait "$second" || true
	[ "$(host_state)" = "$before" ]
}

@test "a port that another machine forwards, a port that listens, a subnet and a bridge of others: refused by name" {
	one=$(config one <<<$'[network lan]\nmode = nat\nforward = tcp:2225:80')
	start "$one"; before=$(host_state)
	refused "$(config two <<<$'[network lan]\nmode = nat\nforward = tcp:2225:81')" "port tcp:2225 belongs to one-$$"
	ip netns exec "$host" busybox httpd -f -p 2226 -h "$dir/www" 3>&- & others+=($!)
	listens 2226
	refused "$(config three <<<$'[network lan]\nmode = user\nforward = tcp:2226:80')" 'port tcp:2226 of the host is taken'
	refused "$(config four <<<$'[network lan]\nmode = nat\nsubnet = 198.51.100.0/25')" 'subnet 198.51.100.0/25 is in use: up0'
	refused "$(config five <<<$'[network lan]\nmode = bridge\nbridge = br9')" 'there is no bridge br9'
	refused "$(config six <<<$'[network lan]\nmode = macvtap\nbridge = eth9')" 'there is no network card eth9'
	in_host "$qlaunch" stop --now "one-$$"
}

@test "a DNS server of the host's on every address: refused, with what to do; isolated needs none" {
	ip netns exec "$host" dnsmasq -k -C /dev/null --pid-file= --leasefile-ro 3>&- 2>/dev/null & others+=($!)
	listens 53
	refused "$(config seven <<<$'[network lan]\nmode = nat')" 'DNS server'
	eight=$(config eight <<<$'[network lan]\nmode = isolated')
	start "$eight"
	in_host "$qlaunch" stop --now "eight-$$"
}
