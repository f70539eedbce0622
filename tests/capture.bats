#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# qlaunch capture: a host as what check and plan read of it; replayed it says the same, and nothing in it says whose it is.

setup_file() {
	cd "$BATS_TEST_DIRNAME/.."
	for m in ryzen shared intel-off; do tests/captured/capture $m "$BATS_FILE_TMPDIR/$m"; done
}
setup() {
	cd "$BATS_TEST_DIRNAME/.."
	qlaunch=$PWD/${BUILD:-build}/qlaunch
	export LC_ALL=C.UTF-8
	at=$BATS_FILE_TMPDIR t=$BATS_TEST_TMPDIR
	cd "$t"
}
unpack() { mkdir -p "$2"; tar -xf "$1" -C "$2"; } # ARCHIVE DIR
machine() { # DIR: a configuration for the host DIR, with a disk image in it
	truncate -s 64G "$1/win.img"
	"$qlaunch" new win --yes --root "$1" --output "$t/win.conf" >"$t/new.log" 2>&1
	sed -i 's,^path = .*,path = /win.img,' "$t/win.conf"
	grep -q '^path = /win.img' "$t/win.conf"
}
same() { # ONE OTHER: every command that reads a captured host says of both the same
	local c
	for c in check "check --json" groups "groups --json" topology "topology --json" setup input "new x --output -" \
		"plan $t/win.conf" "plan --json $t/win.conf" "check $t/win.conf"; do
		"$qlaunch" $c --root "$1" >"$t/one" 2>&1 || true
		"$qlaunch" $c --root "$2" >"$t/other" 2>&1 || true
		if ! diff "$t/one" "$t/other"; then echo "differs: $c"; return 1; fi
	done
}

@test "capture: replayed, each host says what it said itself; every packing; 64 GiB of a disk are a hole" {
	for m in ryzen shared intel-off; do
		for end in tar tar.gz tar.xz tar.zst; do
			machine "$at/$m"
			"$qlaunch" capture --root "$at/$m" "$m.$end" win.conf
			[ "$(stat -c %a "$m.$end")" = 600 ]
			[ "$(stat -c %s "$m.$end")" -lt 1000000 ]
			unpack "$m.$end" "$m-$end"
			[ "$(stat -c %s "$m-$end/win.img")" -eq $((64 << 30)) ]
			same "$at/$m" "$m-$end"
			rm win.conf
		done
	done
}

@test "capture: what is personal is not in it, and what belonged together still does" {
	cp -a "$at/ryzen" host
	T=$PWD/host . "$BATS_TEST_DIRNAME/captured/lib.sh"
	T=$PWD/host
	put /proc/sys/kernel/hostname MarkedHost
	put /etc/hostname MarkedHost.lan
	put /etc/machine-id 4d61726b65644d616368696e65496421
	put /etc/passwd "root:x:0:0::/root:/bin/sh
markeduser:x:1000:1000:Marked Person:/home/markeduser:/bin/bash"
	put /sys/class/dmi/id/product_serial MARKEDSMBIOS77
	put /sys/class/dmi/id/product_uuid 4d61726b-6564-1111-2222-333344445555
	put /sys/class/dmi/id/board_serial "Default string"
	put /sys/class/block/nvme0n1/device/serial S5MARKED01234X
	put /sys/class/block/nvme0n1/wwid eui.00aa11bb22cc33dd
	mkdir -p host/dev/disk/by-id
	for l in nvme-Maker_SSD_980_S5MARKED01234X nvme-eui.00aa11bb22cc33dd; do
		link "/dev/disk/by-id/$l" ../../nvme0n1; link "/dev/disk/by-id/$l-part1" ../../nvme0n1p1
	done
	put /dev/nvme0n1 ""
	put /sys/bus/usb/devices/1-4/serial 9AMARKEDUSB01
	put /sys/bus/usb/devices/usb1/serial 0000:0f:00.3
	node 40 "Some Keyboard" 046d:c548 usb-0000:0f:00.3-4/input0 aa:bb:cc:11:22:33 usb-Logi_Receiver_9AMARKEDUSB01-event-kbd letters leds
	put /sys/class/net/enp5s0/address de:ad:be:ef:12:34
	put /proc/net/route "Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
enp5s0	00000000	FE2AA8C0	0003	0	0	100	00000000	0	0	0"
	put /proc/cmdline "BOOT_IMAGE=/vmlinuz root=UUID=77665544-aaaa-bbbb-cccc-ddddeeeeffff ip=192.168.42.254 nfsroot=[fd42:1::9]:/x resume=UUID=AB12-CD34 root=LABEL=MarkedLabel amd_iommu=on"
	put /proc/self/mountinfo "29 1 259:2 / / rw - ext4 /dev/nvme0n1p2 rw
40 29 0:50 / /mnt/MarkedPhotos rw - nfs markednas:/export/x rw"
	put /etc/default/grub 'GRUB_CMDLINE_LINUX="root=UUID=77665544-aaaa-bbbb-cccc-ddddeeeeffff"
password_pbkdf2 markeduser grub.pbkdf2.sha512.MARKEDHASH'
	truncate -s 1G host/mnt.img; mkdir -p host/home/markeduser; echo MARKEDCONTENT >host/home/markeduser/win.img
	cat >win.conf <<-'CONF'
	# marked comment of markeduser
	[vm]
	name = win
	[memory]
	size = 4G
	[disk c]
	path = /home/markeduser/win.img
	[disk d]
	path = /dev/disk/by-id/nvme-Maker_SSD_980_S5MARKED01234X
	[network lan]
	mode = user
	mac = 52:54:00:ab:cd:ef
	[input k]
	device = /dev/input/by-id/usb-Logi_Receiver_9AMARKEDUSB01-event-kbd
	CONF
	run "$qlaunch" capture --root host marked.tar win.conf
	echo "$output"
	[ "$status" -eq 0 ]
	unpack marked.tar out
	marks='marked|9amark|s5mark|00aa11bb|de:ad:be|52:54:00:ab|aa:bb:cc|4d61726b|77665544|ab12-cd34|192\.168\.42|fd42|fe2aa8c0'
	if grep -aiE "$marks" marked.tar; then false; fi
	if find out | grep -iE "$marks"; then false; fi
	# and yet: the disk is the one of the link, the keyboard its node, the root hub's "serial" the address of its controller
	disk=$(sed -n 's,^path = \(/dev/disk/by-id/.*\),\1,p' out/win.conf)
	[ "$(readlink "out$disk")" = ../../nvme0n1 ]
	keyboard=$(sed -n 's,^device = ,,p' out/win.conf)
	[ -L "out$keyboard" ]
	[ -f "out$(sed -n 's,^path = \(/home/.*\),\1,p' out/win.conf)" ]
	grep -q amd_iommu=on out/proc/cmdline
	"$qlaunch" check --json --root host win.conf | jq -r '.findings[] | .verdict + .topic' >one || true
	"$qlaunch" check --json --root out out/win.conf | jq -r '.findings[] | .verdict + .topic' >other || true
	[ -s one ]
	diff one other
	"$qlaunch" groups --json --root host | jq -r '.groups[].verdict' >one
	"$qlaunch" groups --json --root out | jq -r '.groups[].verdict' >other
	diff one other
}

@test "capture of this host: by its user, replayed; another file is never overwritten; a name that is none; a folder that is not there" {
	"$qlaunch" capture here.tar.gz
	unpack here.tar.gz here
	"$qlaunch" topology --json >one
	"$qlaunch" topology --json --root here >other
	diff one other
	[ "$("$qlaunch" check --json --root here | jq '.findings | length')" -gt 8 ]
	if tar -tf here.tar.gz | grep -E '^proc/[0-9]'; then false; fi
	before=$(sha256sum here.tar.gz)
	run "$qlaunch" capture here.tar.gz
	[ "$status" -eq 2 ]; [[ $output == *"not overwritten"* ]]
	[ "$(sha256sum here.tar.gz)" = "$before" ]
	run "$qlaunch" capture report.zip
	[ "$status" -eq 2 ]; [[ $output == *".tar.gz"* ]]
	run "$qlaunch" capture nowhere/x.tar.gz
	[ "$status" -eq 2 ]; [[ $output == *nowhere* ]]
	run "$qlaunch" capture x.tar.gz nothere
	[ "$status" -eq 3 ]; [ ! -e x.tar.gz ]
	run "$qlaunch" capture
	[ "$status" -eq 2 ]
	ln -s here.tar.gz link.tar
	run "$qlaunch" capture link.tar
	[ "$status" -eq 2 ]
}

@test "capture: on behalf of a user no more is read than they may, and the archive is theirs" {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	mkdir mine; chown nobody mine; chmod 755 "$t" "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" || true
	SUDO_UID=$(id -u nobody) SUDO_USER=nobody "$qlaunch" capture mine/x.tar.gz
	[ "$(stat -c %U mine/x.tar.gz)" = nobody ]
}
