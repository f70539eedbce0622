#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# check: slow
# A yes of `check` is a promise: for each pair of host and configuration in tests/parity/pairs, what `check` says is what `run` does. A refusal
# that is new adds its line there.

load machine
load parity/lib

setup() {
	cd "$BATS_TEST_DIRNAME/.."
	top=$PWD build=$(readlink -f "${BUILD:-build}") table=$(readlink -f tests/parity/pairs)
	qlaunch=$build/qlaunch dir=$BATS_TEST_TMPDIR
	export HOME=$dir XDG_RUNTIME_DIR=$dir/run XDG_DATA_HOME=$dir/data
	mkdir -p "$XDG_RUNTIME_DIR"
	cd "$dir"
	other=po-$$ vm=pp-$$ listeners=()
}
teardown() {
	[ -z "${holder:-}" ] || kill "$holder" || true
	for listener in "${listeners[@]}"; do kill "$listener" || true; done
	for m in /run/netns/"$vm"-*; do [ ! -e "$m" ] || ip netns del "${m##*/}" || true; done
	for m in "$vm" "$other"; do "$qlaunch" restore "$m" >/dev/null 2>&1 || true; done
	[ -z "${free:-}" ] || losetup -d "$free" || true
	[ -z "${used:-}" ] || losetup -d "$used" || true
	[ -z "${theirs:-}" ] || rm -r "$theirs"
	[ -z "${locked:-}" ] || losetup -d "$locked" || true
	cd /
}

# The host of the table: what its lines name by @WORD.
make_host() {
	local f
	for f in vmdk vdi vhdx vpc qed qcow2; do qemu-img create -q -f $f a.$f 8M; done
	qemu-img create -q -f vpc -o subformat=fixed fixed.img 8M
	printf 'LUKS\xba\xbe\0\2' >luks.img; truncate -s 4M luks.img # by hand: the real one times its key, which a loaded host fails
	qemu-img create -q -f qcow2 -b "$dir/a.qcow2" -F qcow2 on.qcow2; qemu-img create -q -f qcow2 -b "$dir/a.vmdk" -F vmdk onvmdk.qcow2
	qemu-img create -q -f qcow2 base.qcow2 8M; qemu-img create -q -f qcow2 -b "$dir/base.qcow2" -F qcow2 orphan.qcow2; rm base.qcow2
	truncate -s 8M a.img b.img other.img free.img used.img locked.img; : >empty.img; head -c 70000 a.qcow2 | head -c 50 >torn.qcow2
	head -c 1000 /dev/zero >small.fd
	echo text | gzip >a.img.gz; echo text | xz >a.img.xz; tar cf a.ova small.fd; head -c 64K /dev/urandom >broken.iso; mkdir folder; mkfifo fifo
	{ head -c 32768 /dev/zero; printf '\001CD001\001'; head -c 4096 /dev/zero; } >good.iso
	printf '#!/bin/sh\nexit 0\n' >ok.sh; chmod 755 ok.sh; printf '#!/bin/sh\n' >plain.sh; chmod 644 plain.sh
	cp ok.sh fails.sh
	printf '#!/bin/sh\nhead -c 300000 /dev/zero | tr "\\0" "\\n"\n' >loud.sh; chmod 755 loud.sh
	printf '#!/bin/sh\nhead -c 300000 /dev/zero | tr "\\0" "\\n" >&2\nexec qemu-system-x86_64 "$@"\n' >loudqemu; chmod 755 loudqemu
	mkfifo fifo.fd
	free=$(losetup -f --show free.img)
	mkfs.ext4 -q -F used.img; used=$(losetup -f --show used.img)
	locked=$(losetup -r -f --show locked.img)
	mkdir mnt
	theirs=$(mktemp -d); truncate -s 8M "$theirs/d.img"; chmod 755 "$theirs"; chown -R daemon "$theirs"
	unshare -m --propagation private sh -c "mount $used mnt && echo >ready; exec sleep 600" 3>&- & holder=$!
	for _ in $(seq 100); do [ ! -e ready ] || break; sleep 0.1; done
	{ base "$other"; printf '[disk d]\npath = %s/other.img\n' "$dir"; } >other.conf
	launch other.conf other.err
	pid_other=$pid
}

# --- network namespaces: each a host with a way out, but for what its name says ---
uplink() { # a neighbour with a default route to it; nobody answers there
	ip -n "$ns" link add up0 type veth peer name up0-far; ip -n "$ns" link set up0-far up
	ip -n "$ns" addr add 198.51.100.1/24 dev up0
	ip -n "$ns" link set up0 up
	ip -n "$ns" route add default via 198.51.100.2
}
listen() { # udp|tcp ADDRESS PORT: for as long as the table is read
	ip netns exec "$ns" python3 -c 'import socket, sys, time
kind, address, port = sys.argv[1:]
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
s.bind((address, int(port)))
if kind == "tcp": s.listen()
open("listens", "w").close()
time.sleep(900)' "$@" 3>&- & listeners+=($!)
	for _ in $(seq 100); do [ ! -e listens ] || break; sleep 0.1; done
	rm listens
}
ns_plain() { uplink; }
ns_offline() { :; }
ns_dhcp() { uplink; listen udp 0.0.0.0 67; }
ns_dns() { uplink; listen udp 0.0.0.0 53; listen tcp 0.0.0.0 53; }
ns_resolved() { uplink; listen udp 127.0.0.53 53; listen tcp 127.0.0.53 53; }
ns_port() { uplink; listen tcp 0.0.0.0 2222; }
ns_legacy() { uplink; ip netns exec "$ns" iptables-legacy -P FORWARD DROP; ip netns exec "$ns" iptables-legacy -P INPUT DROP; }
ns_nft() { uplink; ip netns exec "$ns" nft 'table inet f { chain i { type filter hook input priority 0; reject; }; chain f { type filter hook forward priority 0; policy drop; }; }'; }
ns_bridge() { uplink; ip -n "$ns" link add br7 type bridge; ip -n "$ns" link set br7 up; }

# --- made trees: captured machines, and what became of them ---
in_tree() { mkdir -p "$(dirname "$tree$1")"; printf '%s\n' "$2" >"$tree$1"; } # PATH TEXT
tree_ryzen() { "$top/tests/captured/capture" ryzen "$tree"; }
tree_shared() { "$top/tests/captured/capture" shared "$tree"; }
tree_fallen() { # nobody answers where the card was
	tree_ryzen
	printf '\377%.0s' {1..256} >"$tree/sys/devices/pci0000:00/0000:0c:00.0/config"
}
tree_i2c() { # a program holds a bus of the card's
	tree_ryzen
	in_tree /sys/devices/pci0000:00/0000:0c:00.0/i2c-9/i2c-dev/i2c-9/uevent "$(printf 'MINOR=9\nDEVNAME=i2c-9')"
	in_tree /proc/4242/comm powerdevil; mkdir -p "$tree/proc/4242/fd"; ln -s /dev/i2c-9 "$tree/proc/4242/fd/7"
}
tree_service() { # ... which is a service of the host's, and a display manager runs
	tree_i2c
	mkdir -p "$tree/run/systemd/system" "$tree/etc/systemd/system"
	ln -sf /usr/lib/systemd/system/sddm.service "$tree/etc/systemd/system/display-manager.service"
	in_tree /run/systemd/sessions/2 "$(printf 'UID=1000\nTYPE=wayland\nSERVICE=sddm\nCLASS=user')"
	in_tree /proc/4242/cgroup 0::/system.slice/openrgb.service
}
tree_desktop() { tree_service; in_tree /proc/4242/cgroup 0::/user.slice/user-1000.slice/user@1000.service/background.slice/plasma-powerdevil.service; }
tree_lingers() { # ... whose user has another session, too
	tree_desktop
	in_tree /run/systemd/sessions/5 "$(printf 'UID=1000\nTYPE=tty\nSERVICE=sshd\nCLASS=user')"
}
tree_sound() { # or its sound: a sound server lets go
	tree_ryzen
	in_tree /sys/devices/pci0000:00/0000:0c:00.1/sound/card1/pcmC1D3p/uevent "$(printf 'MINOR=3\nDEVNAME=snd/pcmC1D3p')"
	in_tree /proc/4242/comm pipewire; mkdir -p "$tree/proc/4242/fd"; ln -s /dev/snd/pcmC1D3p "$tree/proc/4242/fd/7"
}
tree_player() { tree_sound; in_tree /proc/4242/comm mpv; }
tree_bluetooth() { # a keyboard without a link, as event7; what it says of itself is all that stays
	tree_ryzen
	local d=/sys/class/input/event7/device
	in_tree $d/name 'Keychron K2'; in_tree $d/uniq dc:2c:26:01:02:03; in_tree $d/phys 00:1a:7d:da:71:13
	in_tree $d/capabilities/key '1000000000007 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe'
	in_tree $d/capabilities/rel 0; in_tree $d/capabilities/abs 0; in_tree $d/id/vendor 05ac; in_tree $d/id/product 024f
	in_tree /dev/input/event7 ''
}
tree_renumbered() { # ... which was away
	tree_bluetooth
	mv "$tree/sys/class/input/event7" "$tree/sys/class/input/event9"; mv "$tree/dev/input/event7" "$tree/dev/input/event9"
}
group() { in_tree "/sys/fs/cgroup/$1/cgroup.procs" ""; in_tree "/sys/fs/cgroup/$1/cgroup.subtree_control" "${3:-}"; [ -z "$2" ] || in_tree "/sys/fs/cgroup/$1/cpuset.cpus" "$2"; }
tree_slice() { tree_ryzen; group system.slice 8-15,24-31; }
tree_most() { tree_ryzen; group games.slice 1-31; }
tree_docker() { tree_ryzen; group docker "" "cpuset cpu"; group docker/3f2a 8-9; }

@test "what check says is what run does" {
	make_host
	words=([theirs]=$theirs [free]=$free [used]=$used [locked]=$locked [other]=$other)
	all_pairs "$table"
	kill -KILL "$pid_other"; wait "$pid_other" 2>/dev/null || true
	echo "# $pairs pairs" >&3
	[ "$pairs" -ge 187 ]
	[ "$wrong" -eq 0 ]
}
