# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# A network card with the host's addresses and routes goes to a guest. When it is back the host's network is as before: put back by qlaunch where
# nobody manages it, by networkd where that does; what cannot be put back is named, and the journal stays. A restore after a killed launcher does
# the same. That it is the host's way out is warned of before.
# qemu: -device pcie-root-port,id=rp5,chassis=5,slot=5 -netdev user,id=lan,restrict=on,net=10.77.0.0/24,dhcpstart=10.77.0.15 -device e1000e,bus=rp5,netdev=lan,romfile=,mac=52:54:00:77:00:01
# seconds: 400
. "$(dirname "$0")/../lib.sh"
lab_host
modprobe -a e1000e vfio_pci
nic() { basename "$(dirname "$(grep -l 52:54:00:77:00:01 /sys/class/net/*/address | head -n 1)")"; }
wait_for 30 test -n "$(nic)"
link=$(nic) card=$(basename "$(readlink -f "/sys/class/net/$link/device")")
echo "# $link is $card"
printf '[vm]\nname = lan\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n[pci lan]\naddress = %s\n' "$card" >"$work/lan.conf"
network() { # as text, without what counts down, how far the kernel is in looking for the same address elsewhere, and whether it has seen the cable yet
	ip -o addr show scope global | sed 's/^[0-9]*: //; s/valid_lft.*//; s/ *\\ *$//; s/ tentative//; s/ nodad//; s/ *$//'
	{ ip -4 route show; ip -6 route show proto static; } | sed 's/ linkdown//'
}
stopped() { timeout 60 "$qlaunch" stop --now lan; exit_of 90 "$launcher"; }

ip link set "$link" up
ip addr add 10.77.0.20/24 brd + dev "$link"
ip addr add 2001:db8:77::20/64 dev "$link" nodad
ip route add 192.0.2.0/24 via 10.77.0.2 dev "$link" proto static metric 70
ip route add default via 10.77.0.2 dev "$link" proto static
ip -6 route add 2001:db8:99::/48 via 2001:db8:77::1 dev "$link" proto static
network >"$work/net.before"
timeout 60 "$qlaunch" check "$work/lan.conf" >"$work/check" 2>&1 && said=yes || said=no
tr -s '\n ' ' ' <"$work/check" >"$work/said"
equal "check says yes" yes "$said" || note <"$work/said"
check "and warns: the host's network goes over it" grep -q "the host's network goes over ${card#0000:} ($link)" "$work/said" || note <"$work/said"
host_snapshot "$work/before"
launch "$work/lan.conf"
running
equal "passed: the card is the guest's" vfio-pci "$(driver_of "$card")"
check "passed: its interface has gone" test ! -e "/sys/class/net/$link"
stopped
equal "nobody manages it: exit status" 0 "$code" || show_run
network >"$work/net.after"
check "nobody manages it: addresses and routes are as before" diff -U0 "$work/net.before" "$work/net.after" || { show_run; diff "$work/net.before" "$work/net.after" | note; }
same_host "nobody manages it: the host is as before"

launch "$work/lan.conf"
running
kill -KILL "$launcher"
wait "$launcher" 2>/dev/null
timeout 90 "$qlaunch" restore >"$work/restore" 2>&1
equal "killed: restore: exit status" 0 $? || note <"$work/restore"
network >"$work/net.after"
check "killed: addresses and routes are as before" diff -U0 "$work/net.before" "$work/net.after" || note <"$work/restore"

# an interface upon it went with it, and only who made it can make it again
modprobe 8021q
if ip link add link "$link" name "$link.9" type vlan id 9; then
	ip link set "$link.9" up
	launch "$work/lan.conf"
	running
	stopped
	equal "a VLAN upon it: exit status" 5 "$code" || show_run
	check "a VLAN upon it: named" grep -q "missing is $link upper $link.9" "$log" || show_run
	check "a VLAN upon it: the rest is back" ip route get 192.0.2.1
	ip link add link "$link" name "$link.9" type vlan id 9
	timeout 60 "$qlaunch" restore >"$work/restore" 2>&1
	equal "a VLAN upon it: made again, restore has nothing left" 0 $? || note <"$work/restore"
	ip link delete "$link.9"
else
	not_ok "this kernel has no VLANs"
fi

ip addr flush dev "$link"
mkdir -p /run/systemd/network
printf '[Match]\nMACAddress=52:54:00:77:00:01\n[Network]\nAddress=10.77.0.30/24\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n[Route]\nGateway=10.77.0.2\n' >/run/systemd/network/10-lan.network
systemctl start systemd-networkd
managed() { ip -4 addr show dev "$link" | grep -q 10.77.0.30/24 && ip route | grep -q '^default via 10.77.0.2 .*proto static'; }
check "networkd: it has the card" wait_for 60 managed || { networkctl --no-pager | note; ip addr | note; }
network >"$work/net.before"
launch "$work/lan.conf"
running
stopped
equal "networkd: exit status" 0 "$code" || show_run
network >"$work/net.after"
check "networkd: addresses and routes are as before" diff -U0 "$work/net.before" "$work/net.after" || { show_run; networkctl --no-pager | note; }
systemctl stop systemd-networkd.socket systemd-networkd
rm -rf /run/systemd/network/10-lan.network
finish
