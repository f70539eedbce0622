#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# setup: the layouts of tests/layouts there and back, what is never bound, and the script of early binding on devices as sysfs shows them.

setup() {
	cd "$BATS_TEST_DIRNAME/.."
	qlaunch=$PWD/${BUILD:-build}/qlaunch
	T=$BATS_TEST_TMPDIR/host
	export LC_ALL=C.UTF-8
	unset SUDO_UID PKEXEC_UID
}
capture() {
	tests/captured/capture "$1" "$T"
}
picture() { # every file below the configuration's folders, by content, mode and link
	(cd "$T" && find etc boot var -not -type d 2>/dev/null | sort | while read -r f; do
		printf '%s %s %s\n' "$(stat -c %a "$f")" "$f" "$( [ -L "$f" ] && readlink "$f" || sha256sum <"$f")"
	done)
}
layouts() { # all of a kind, by their first letters
	local names=()
	for f in tests/layouts/*; do f=${f##*/}; [[ $f == lib.sh || $f == judge || ! $f =~ ^($1) ]] || names+=("$f"); done
	[ ${#names[@]} -ge "$2" ]
	tests/layouts/judge "$qlaunch" "$BATS_TEST_TMPDIR" "${names[@]}"
}

@test "layouts: Debian and its children, there and back" {
	layouts 'debian|ubuntu|mint|popos' 15
}

@test "layouts: Arch, there and back" {
	layouts 'arch' 28
}

@test "layouts: Manjaro, EndeavourOS, Garuda, CachyOS, there and back" {
	layouts 'manjaro|endeavouros|garuda|cachyos' 9
}

@test "layouts: Fedora and its children, openSUSE, and what is refused, there and back" {
	layouts 'fedora|nobara|silverblue|kinoite|bazzite|tumbleweed|nixos|steamos|unraid|guix' 14
}

@test "layouts: Void, Gentoo, Alpine, extlinux, there and back" {
	layouts 'void|gentoo|alpine|extlinux' 6
}

@test "setup: the diff first and nothing before --yes; the card by address; undo byte for byte, odd bytes and links too" {
	capture ryzen
	mv "$T/etc/default/grub" "$T/etc/default/grub.real"; ln -s grub.real "$T/etc/default/grub"
	before=$(picture)
	run "$qlaunch" setup --root "$T"
	[ "$status" -eq 0 ]; [ "$(picture)" = "$before" ]
	[[ $output == *"+++ /etc/qlaunch/vfio-early"*"then: update-initramfs -u -k all"*"Nothing was changed"* ]]
	run "$qlaunch" setup --yes --root "$T"
	[ "$status" -eq 0 ]
	grep -qx "take 0000:0c:00.0 '0x10de 0x2204 0x1458 0x0001 0x030000' '0000:0c:00.0'" "$T/etc/qlaunch/vfio-early"
	grep -qx 'softdep nouveau pre: vfio-pci' "$T/etc/modprobe.d/qlaunch.conf"
	if grep -q 'amdgpu\|vfio-pci.ids\|new_id' -r "$T/etc/modprobe.d" "$T/etc/qlaunch" "$T/etc/default"; then false; fi
	if grep -q 'MODE=\|GROUP=' "$T/etc/udev/rules.d/70-qlaunch.rules"; then false; fi
	for f in etc/qlaunch/vfio-early etc/initramfs-tools/hooks/qlaunch etc/initramfs-tools/scripts/init-top/qlaunch; do
		[ -x "$T/$f" ]; sh -n "$T/$f"
	done
	run "$qlaunch" setup --undo --yes --root "$T"
	[ "$status" -eq 0 ]; [ "$(picture)" = "$before" ]
	run "$qlaunch" setup --undo --yes --root "$T"
	[ "$status" -eq 0 ]; [[ $output == *"Nothing was set up"* ]]
}

@test "setup: an entry's odd bytes, mode and second line of options stay" {
	capture intel-off
	printf 'title x\nlinux /v\noptions root=UUID=3c  rw\t\r\noptions more' >"$T/boot/loader/entries/odd.conf"
	chmod 600 "$T/boot/loader/entries/odd.conf"
	before=$(picture)
	run "$qlaunch" setup --yes --gpu none --root "$T"
	[ "$status" -eq 0 ]
	grep -q 'root=UUID=3c  rw intel_iommu=on iommu=pt' "$T/boot/loader/entries/odd.conf"
	[ "$(stat -c %a "$T/boot/loader/entries/odd.conf")" = 600 ]
	run "$qlaunch" setup --undo --yes --root "$T"
	[ "$status" -eq 0 ]; [ "$(picture)" = "$before" ]
}

# what qlaunch 0.1.0 left behind: each file, before and after, and its line of the manifest
first_setup() { # INDEX changed|created PATH OLD NEW
	local kept=$T/var/lib/qlaunch/setup
	mkdir -p "$kept" "$(dirname "$T$3")"
	[ "$2" = created ] || printf '%s\n' "$4" >"$kept/$1.old"
	printf '%s\n' "$5" | tee "$kept/$1.new" >"$T$3"
	echo "0644 $2 $3" >>"$kept/manifest"
}
first_setups() {
	capture ryzen
	first_setup 0 changed /etc/default/grub $'GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX_DEFAULT="quiet iommu=pt"\nGRUB_CMDLINE_LINUX=x' \
		$'GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX_DEFAULT="quiet iommu=pt amd_iommu=on"\nGRUB_CMDLINE_LINUX=x'
	first_setup 1 changed /etc/mkinitcpio.conf $'MODULES=()\nFILES=(/etc/a)\nHOOKS=(base)' \
		$'MODULES=(vfio_pci)\nFILES=(/etc/a /etc/qlaunch/vfio-early)\nHOOKS=(base)'
	first_setup 2 created /etc/qlaunch/vfio-early '' '#!/bin/sh'
	first_setup 3 created /etc/modprobe.d/qlaunch.conf '' 'install vfio-pci /etc/qlaunch/vfio-early'
}

@test "setup: one of qlaunch 0.1.0 is undone, its commands with it; of a file changed since, its words go, in quotes and brackets" {
	first_setups
	run "$qlaunch" setup --undo --yes --root "$T"
	echo "$output"
	[ "$status" -eq 0 ]; [[ $output == *"then: update-initramfs -u -k all"*"then: update-grub"* ]]
	[ "$(<"$T/etc/default/grub")" = $'GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX_DEFAULT="quiet iommu=pt"\nGRUB_CMDLINE_LINUX=x' ]
	[ "$(<"$T/etc/mkinitcpio.conf")" = $'MODULES=()\nFILES=(/etc/a)\nHOOKS=(base)' ]
	[ ! -e "$T/etc/qlaunch" ]; [ ! -e "$T/etc/modprobe.d/qlaunch.conf" ]; [ ! -e "$T/var/lib/qlaunch/setup" ]
	rm -r "$T"; first_setups
	sed -i 's/TIMEOUT=5/TIMEOUT=0/; s/quiet/quiet splash/' "$T/etc/default/grub"
	sed -i 's/vfio_pci/vfio_pci btrfs/; s/base/base udev/' "$T/etc/mkinitcpio.conf"
	echo '# mine' >>"$T/etc/modprobe.d/qlaunch.conf"
	run "$qlaunch" setup --undo --yes --root "$T"
	[ "$status" -eq 0 ]
	[ "$(<"$T/etc/default/grub")" = $'GRUB_TIMEOUT=0\nGRUB_CMDLINE_LINUX_DEFAULT="quiet splash iommu=pt"\nGRUB_CMDLINE_LINUX=x' ]
	[ "$(<"$T/etc/mkinitcpio.conf")" = $'MODULES=(btrfs)\nFILES=(/etc/a)\nHOOKS=(base udev)' ]
	[ ! -e "$T/etc/modprobe.d/qlaunch.conf" ]; [ ! -e "$T/var/lib/qlaunch/setup" ]
}

@test "setup: a manifest that is not understood: the line is named, all else is put back, exit 5" {
	first_setups
	printf '0644 moved /etc/x\n\x01\n' >>"$T/var/lib/qlaunch/setup/manifest"
	run "$qlaunch" setup --undo --yes --root "$T"
	[ "$status" -eq 5 ]; [[ $output == *'"0644 moved /etc/x"'* ]]
	[ ! -e "$T/etc/qlaunch" ]; grep -qx 'MODULES=()' "$T/etc/mkinitcpio.conf"
}

manjaro() { # of an mkinitcpio that reads no folder: a block in its file
	(E=$T.expected; mkdir -p "$T" "$E"; . tests/layouts/lib.sh; hardware; . tests/layouts/manjaro-old-mkinitcpio)
	"$qlaunch" setup --yes --root "$T" >/dev/null
	grep -q '^FILES+=(/etc/qlaunch/vfio-early' "$T/etc/mkinitcpio.conf"
}

@test "setup: a block whose mark was lost goes line by line; of it a line that somebody changed is named, exit 5" {
	manjaro
	sed -i '/qlaunch setup: end/d; s/^MODULES=(.*/&\n# mine/' "$T/etc/mkinitcpio.conf"
	run "$qlaunch" setup --undo --yes --root "$T"
	[ "$status" -eq 0 ]; if grep -q 'qlaunch\|vfio' "$T/etc/mkinitcpio.conf"; then false; fi; grep -qx '# mine' "$T/etc/mkinitcpio.conf"
	rm -r "$T"; manjaro
	sed -i '/qlaunch setup: /d; s/^FILES+=(/&\/etc\/mine /' "$T/etc/mkinitcpio.conf"
	run "$qlaunch" setup --undo --yes --root "$T"
	echo "$output"
	[ "$status" -eq 5 ]; [[ $output == *"/etc/mkinitcpio.conf: this line is not as setup wrote it, take it out: FILES+=(/etc/mine /etc/qlaunch/vfio-early"* ]]
	grep -qx 'FILES+=(/etc/mine .*' "$T/etc/mkinitcpio.conf"; if grep -q vfio_pci "$T/etc/mkinitcpio.conf"; then false; fi; [ ! -e "$T/etc/qlaunch/vfio-early" ]
	sed -i '/vfio-early/d' "$T/etc/mkinitcpio.conf"
	run "$qlaunch" setup --undo --yes --root "$T"
	[ "$status" -eq 0 ]; [ ! -e "$T/var/lib/qlaunch/setup" ]
}

@test "setup: one that cannot write its last file leaves nothing" {
	capture ryzen
	rm -rf "$T/etc/modules-load.d"; ln -s /nowhere/at/all "$T/etc/modules-load.d"
	before=$(picture)
	run "$qlaunch" setup --yes --root "$T"
	[ "$status" -eq 4 ]; [[ $output == *"everything is put back"*"/etc/modules-load.d/qlaunch.conf"* ]]
	[ "$(picture)" = "$before" ]
}

@test "setup: without a card after one with a card: that is another setup" {
	capture ryzen; "$qlaunch" setup --yes --root "$T" >/dev/null
	run "$qlaunch" setup --yes --gpu none --root "$T"
	[ "$status" -eq 2 ]; [[ $output == *"it binds a card"* ]]
}

@test "setup: what the host uses is refused: its drive, its network, its card and that card's audio, a bridge" {
	capture ryzen
	before=$(picture)
	for a in 01:00.0 01:00.0,01:00.0 05:00.0,05:00.0 0a:00.0 0a:00.1,0a:00.1 00:01.1,00:01.1 00:14.0,00:14.0 0e:00.3,0e:00.3; do
		run "$qlaunch" setup --yes --gpu "$a" --root "$T"
		echo "$a: $status $output"
		[ "$status" -eq 4 ]; [ "$(picture)" = "$before" ]
	done
	run "$qlaunch" setup --yes --gpu 01:00.0,01:00.0 --root "$T"; [[ $output == *"01:00.0 stays with the host"*"nvme0n1"* ]]
	run "$qlaunch" setup --yes --gpu 05:00.0,05:00.0 --root "$T"; [[ $output == *"network goes over"* ]]
}

@test "setup: the same without IOMMU groups, where the slot goes together" {
	capture ryzen
	find "$T/sys" -name iommu_group -type l -delete; rm -r "$T/sys/kernel/iommu_groups"
	before=$(picture)
	for a in 01:00.0,01:00.0 05:00.0,05:00.0 0a:00.0 0a:00.1,0a:00.1; do
		run "$qlaunch" setup --yes --gpu "$a" --root "$T"
		echo "$a: $status $output"
		[ "$status" -eq 4 ]; [ "$(picture)" = "$before" ]
	done
}

@test "setup: a group that has the root's drive too: the card in it is refused" {
	capture shared
	before=$(picture)
	run "$qlaunch" setup --yes --gpu 01:00.0 --root "$T"
	[ "$status" -eq 4 ]; [[ $output == *"the host's own screen"* ]]
	[ "$(picture)" = "$before" ]
	run "$qlaunch" setup --yes --gpu 02:00.0 --root "$T"
	echo "$output"
	"$qlaunch" groups --root "$T"
	[ "$status" -eq 4 ]; [[ $output == *"stays with the host"* ]]
	[ "$(picture)" = "$before" ]
}

@test "setup: what is no graphics card must be written twice, and is bound then" {
	capture ryzen
	run "$qlaunch" setup --yes --gpu 04:00.0 --root "$T"
	[ "$status" -eq 4 ]; [[ $output == *"no graphics card"*"--gpu 04:00.0,04:00.0"* ]]
	[ ! -e "$T/etc/qlaunch" ]
	run "$qlaunch" setup --yes --gpu 04:00.0,01:00.0 --root "$T"
	[ "$status" -eq 2 ]
	run "$qlaunch" setup --yes --gpu 04:00.0,04:00.0 --root "$T"
	[ "$status" -eq 0 ]
	grep -q '^take 0000:04:00.0 ' "$T/etc/qlaunch/vfio-early"
	run "$qlaunch" setup --yes --gpu 7f:00.0 --root "$T"
	[ "$status" -eq 2 ]
}

# What the script does to devices: runs it with sysfs where $S is; prints what it bound.
early() {
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\necho "modprobe $*" >>"%s/said"\n' "$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/bin/modprobe"
	chmod +x "$BATS_TEST_TMPDIR/bin/modprobe"
	: >"$BATS_TEST_TMPDIR/said"; : >"$S/drivers_probe"
	sed "s#/sys/bus/pci/devices#$S/devices#; s#/sys/bus/pci/drivers_probe#$S/drivers_probe#; s#/dev/kmsg#$BATS_TEST_TMPDIR/said#; s#>\"*$BATS_TEST_TMPDIR/said#>&#; s#^for d in #&$BATS_TEST_TMPDIR/bin #" \
		"$T/etc/qlaunch/vfio-early" >"$BATS_TEST_TMPDIR/early"
	sh "$BATS_TEST_TMPDIR/early"
	grep -l vfio-pci "$S"/devices/*/driver_override | sed 's#.*devices/##; s#/.*##' || true
}
device() { # ADDRESS VENDOR DEVICE CLASS [DRIVER]
	mkdir -p "$S/devices/$1"
	echo "0x$2" >"$S/devices/$1/vendor"; echo "0x$3" >"$S/devices/$1/device"; echo "0x$4" >"$S/devices/$1/class"
	echo 0x1458 >"$S/devices/$1/subsystem_vendor"; echo 0x0001 >"$S/devices/$1/subsystem_device"; echo >"$S/devices/$1/driver_override"
	[ -z "${5:-}" ] || mkdir "$S/devices/$1/driver"
}

@test "early: the devices that are what and where they were; with vfio-pci built in they are probed as well" {
	capture ryzen; "$qlaunch" setup --yes --root "$T" >/dev/null
	S=$BATS_TEST_TMPDIR/pci
	device 0000:0c:00.0 10de 2204 030000; device 0000:0c:00.1 10de 1aef 040300; device 0000:01:00.0 144d a808 010802
	run early
	echo "$output"; [ "$output" = "0000:0c:00.0
0000:0c:00.1" ]
	grep -qx 'modprobe -i vfio-pci' "$BATS_TEST_TMPDIR/said"
	grep -qx 0000:0c:00.1 "$S/drivers_probe"
}

@test "early: buses renumbered, the root's drive at the card's address: it stays, and that is said" {
	capture ryzen; "$qlaunch" setup --yes --root "$T" >/dev/null
	S=$BATS_TEST_TMPDIR/pci
	device 0000:0c:00.0 144d a808 010802; device 0000:0d:00.0 10de 2204 030000; device 0000:0d:00.1 10de 1aef 040300
	run early
	[ "$output" = "" ]
	grep -q '0000:0c:00.0 is another device now' "$BATS_TEST_TMPDIR/said"
	grep -qx 'modprobe -i vfio-pci' "$BATS_TEST_TMPDIR/said"
}

@test "early: of two drives alike the host's own, moved to the other's address, stays" {
	capture ryzen
	T=$T . tests/captured/lib.sh
	pci 06:00.0 144d:a80a 010802 nvme 42; nvme 06:00.0 nvme2n1 259:8 /srv
	"$qlaunch" setup --yes --gpu 04:00.0,04:00.0 --root "$T" >/dev/null
	grep -q "'0000:04:00.0 0000:06:00.0'" "$T/etc/qlaunch/vfio-early"
	S=$BATS_TEST_TMPDIR/pci
	device 0000:04:00.0 144d a80a 010802; device 0000:03:00.0 144d a80a 010802
	run early
	[ "$output" = "" ]; grep -q 'another look-alike' "$BATS_TEST_TMPDIR/said"
	rm -r "$S"; device 0000:04:00.0 144d a80a 010802; device 0000:06:00.0 144d a80a 010802
	run early
	[ "$output" = 0000:04:00.0 ]
}

@test "early: what a driver has already stays with it, and so does the firmware's screen" {
	capture ryzen; "$qlaunch" setup --yes --root "$T" >/dev/null
	S=$BATS_TEST_TMPDIR/pci
	device 0000:0c:00.0 10de 2204 030000; echo 1 >"$S/devices/0000:0c:00.0/boot_vga"; device 0000:0c:00.1 10de 1aef 040300 snd_hda_intel
	run early
	[ "$output" = "" ]
}
