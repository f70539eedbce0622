# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# A network behind the host, moved by the host's kernel (vhost-net, two queues): the guest's lease, a server beyond the host, and the host
# as before, also when the launcher is killed.
# check: no: `make lab` runs it
# seconds: 240
. "$(dirname "$0")/../lib.sh"
lab_host
modprobe -a vhost_net tun bridge
ip netns add beyond
ip link add up0 type veth peer name srv0 netns beyond
ip addr add 198.51.100.1/24 dev up0
ip -n beyond addr add 198.51.100.2/24 dev srv0
ip link set up0 up
ip -n beyond link set srv0 up
mkdir "$work/www"
echo served >"$work/www/index.html"
ip netns exec beyond busybox httpd -p 198.51.100.2:80 -h "$work/www"
direct_config net
sed -i '/^\[pci gpu\]/,/^functions/d; s/^threads = 4/threads = 2/; s/^isolate = .*/isolate = off/' "$work/net.conf"
sed -i 's|guest.forever|guest.net guest.fetch=198.51.100.2:80 guest.forever|' "$work/net.conf"
printf '[network lan]\nmode = nat\nqueues = 2\n' >>"$work/net.conf"
net_state() { ip -br link | awk '{ print $1 }'; nft list ruleset; cat /proc/sys/net/ipv4/ip_forward; }
net_before=$(net_state)
host_snapshot "$work/before"

launch "$work/net.conf"
check "the guest is up" guest_up 120 || { show_run; finish; }
check "guest: two queues" guest_said 'nic eth0 .* queues 2'
check "guest: a lease, with router and DNS" guest_said 'lease eth0 [0-9.]*\.2/24 router [0-9.]*\.1 dns [0-9.]*\.1' || show_run
check "guest: reached the server beyond the host" guest_said 'fetch 198.51.100.2:80 served' || show_run
qemu=$(qemu_pid)
equal "QEMU has a descriptor of vhost-net for each queue" 2 "$(find "/proc/$qemu/fd" -lname /dev/vhost-net | wc -l)"
equal "QEMU has no capability" 0000000000000000 "$(sed -n 's/^CapEff:\t//p' "/proc/$qemu/status")"
equal "the tap is the user's" "$SUDO_UID" "$(cat /sys/class/net/qltap*/owner)"
kill -KILL "$launcher"
check "restore after the launcher was killed" timeout 60 "$qlaunch" restore net
equal "links, rules and forwarding are as before" "$net_before" "$(net_state)"
same_host "the host is as before"
finish
