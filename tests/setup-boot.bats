#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# check: slow
# What `qlaunch setup` makes is booted: Debian's kernel with GRUB's menu entry and the initial RAM disk that initramfs-tools or dracut built, in a
# QEMU that has a card with its sound and, on an NVMe drive, the root (tests/layouts/boot.sh). Each image twice: with the card where it was, and
# with buses renumbered so that the drive is where the card was.

setup_file() {
	cd "$BATS_TEST_DIRNAME/.."
	read -r KERNEL V <<<"$(tests/lab/kernel "${BUILD:-build}")"
	export KERNEL V
}
setup() {
	cd "$BATS_TEST_DIRNAME/.."
	[ "$(id -u)" -eq 0 ] || skip "a view of the machine is root's"
	for tool in mkinitramfs dracut grub-mkconfig qemu-system-x86_64 mke2fs busybox cpio; do
		command -v "$tool" >/dev/null || skip "$tool is not here"
	done
}
booted() { # SCRIPT: what comes before setup
	run tests/layouts/real "$PWD/${BUILD:-build}/qlaunch" "$KERNEL" "$V" "$(cat tests/layouts/boot.sh)
		machine
		$1
		qlaunch setup --yes --gpu 01:00.0 >/dev/null || exit
		boots"
	echo "$output"
	[ "$status" -eq 0 ]
	said "as before: root nvme0n1"
	said "as before: 1b36:0010 at 02:00.0 has nvme"
	said "as before: 1234:1111 at 01:00.0 has vfio-pci"
	said "as before: 8086:293e at 01:00.1 has vfio-pci"
	said "renumbered: root nvme0n1"
	said "renumbered: 1b36:0010 at 01:00.0 has nvme"
	said "renumbered: 1234:1111 at 02:00.0 has bochs-drm"
	said "renumbered: 8086:293e at 02:00.1 has snd_hda_intel"
	said "renumbered: said 0000:01:00.0 is another device now, so it stays with the host"
}
said() { grep -qxF "$1" <<<"$output"; }
tools='put /etc/initramfs-tools/initramfs.conf "MODULES=list
COMPRESS=gzip"
printf "%s\n" nvme ext4 bochs snd_hda_intel >/etc/initramfs-tools/modules'
dracut='put /etc/kernel/postinst.d/dracut "exec dracut"
put /etc/dracut.conf.d/few.conf "hostonly=no
dracutmodules+=\" bash base rootfs-block udev-rules fs-lib shutdown \"
add_drivers+=\" nvme ext4 bochs snd_hda_intel \"
compress=gzip"'

@test "boot: initramfs-tools: the card has vfio-pci; renumbered, the root's drive at its address stays with the host" {
	booted "$tools"
}

@test "boot: initramfs-tools, vfio-pci built into the kernel: the same" {
	booted "$tools; built_in"
}

@test "boot: dracut: the card has vfio-pci; renumbered, the root's drive at its address stays with the host" {
	booted "$dracut"
}

@test "boot: dracut, vfio-pci built into the kernel: the same" {
	booted "$dracut; built_in"
}
