#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# setup on captured machines: the diff first, every changed file kept, and --undo byte for byte.

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

@test "setup: GRUB on Debian: the diff, then the parameter, the card by address, the hook; nothing before --yes" {
	capture ryzen
	before=$(picture)
	run "$qlaunch" setup --root "$T"
	[ "$status" -eq 0 ]; [ "$(picture)" = "$before" ]
	[[ $output == *'-GRUB_CMDLINE_LINUX_DEFAULT="quiet splash"'*'+GRUB_CMDLINE_LINUX_DEFAULT="quiet splash iommu=pt"'* ]]
	[[ $output == *"then: update-grub"*"then: update-initramfs -u -k all"*"Nothing was changed"* ]]
	run "$qlaunch" setup --yes --root "$T"
	[ "$status" -eq 0 ]
	grep -qx 'GRUB_CMDLINE_LINUX_DEFAULT="quiet splash iommu=pt"' "$T/etc/default/grub"
	grep -q 'for a in 0000:0c:00.0 0000:0c:00.1; do' "$T/etc/qlaunch/vfio-early"
	grep -qx 'softdep nouveau pre: vfio-pci' "$T/etc/modprobe.d/qlaunch.conf"
	! grep -q 'amdgpu\|vfio-pci.ids\|new_id' -r "$T/etc/modprobe.d" "$T/etc/qlaunch" "$T/etc/default"
	for f in etc/qlaunch/vfio-early etc/initramfs-tools/hooks/qlaunch etc/initramfs-tools/scripts/init-top/qlaunch; do
		[ -x "$T/$f" ]; sh -n "$T/$f"
	done
	run "$qlaunch" setup --yes --root "$T"
	[ "$status" -eq 0 ]; [[ $output == *"This host is set up"* ]]
	run "$qlaunch" setup --undo --yes --root "$T"
	[ "$status" -eq 0 ]; [[ $output == *'-GRUB_CMDLINE_LINUX_DEFAULT="quiet splash iommu=pt"'* ]]
	[ "$(picture)" = "$before" ]
	run "$qlaunch" setup --undo --yes --root "$T"
	[ "$status" -eq 0 ]; [[ $output == *"Nothing was set up"* ]]
}

@test "setup: the script binds the named addresses, those that are there, and loads the module" {
	capture ryzen
	"$qlaunch" setup --yes --root "$T" >/dev/null
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\necho "$@" >"%s/modprobe"\n' "$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/bin/modprobe"
	chmod +x "$BATS_TEST_TMPDIR/bin/modprobe"
	rm "$T/sys/bus/pci/devices/0000:0c:00.1"
	# the captured links are absolute, so the test asks for the device where it is
	sed "s#/sys/bus/pci/devices#$T/sys/devices/pci0000:00#g" "$T/etc/qlaunch/vfio-early" >"$BATS_TEST_TMPDIR/early"
	rm -r "$T/sys/devices/pci0000:00/0000:0c:00.1"
	PATH=$BATS_TEST_TMPDIR/bin:$PATH run sh "$BATS_TEST_TMPDIR/early"
	[ "$status" -eq 0 ]
	[ "$(cat "$T/sys/devices/pci0000:00/0000:0c:00.0/driver_override")" = vfio-pci ]
	[ "$(cat "$T/sys/devices/pci0000:00/0000:0a:00.0/driver_override")" = "(null)" ]
	[ "$(cat "$BATS_TEST_TMPDIR/modprobe")" = "-i vfio-pci" ]
}

@test "setup: systemd-boot with mkinitcpio: each entry's options, and undo byte for byte, odd bytes too" {
	capture intel-off
	printf 'title x\noptions root=UUID=3c  rw\t\r\noptions more' >"$T/boot/loader/entries/odd.conf"
	chmod 600 "$T/boot/loader/entries/odd.conf"
	rm -r "$T/sys/bus/pci/devices/0000:01:00.0"
	cp -r tests/captured "$BATS_TEST_TMPDIR/c"; T=$T . tests/captured/lib.sh
	pci 01:00.0 10de:1e87 030000 nvidia - boot_vga=0
	pci 02:00.0 8086:56a5 030000 i915 - boot_vga=1
	before=$(picture)
	run "$qlaunch" setup --yes --root "$T"
	[ "$status" -eq 0 ]; [[ $output == *"then: mkinitcpio -P"* ]]
	grep -qx 'options root=UUID=3c rw intel_iommu=on iommu=pt' "$T/boot/loader/entries/arch.conf"
	grep -q 'rw intel_iommu=on iommu=pt' "$T/boot/loader/entries/odd.conf"
	[ "$(stat -c %a "$T/boot/loader/entries/odd.conf")" = 600 ]
	grep -qx 'MODULES=(vfio_pci)' "$T/etc/mkinitcpio.conf"; grep -qx 'FILES=(/etc/qlaunch/vfio-early)' "$T/etc/mkinitcpio.conf"
	grep -q 'in 0000:01:00.0 0000:01:00.1;' "$T/etc/qlaunch/vfio-early"
	run "$qlaunch" setup --undo --yes --root "$T"
	[ "$status" -eq 0 ]; [ "$(picture)" = "$before" ]
}

@test "setup: Fedora with two cards of one id: the named one alone, by dracut; the host's own is refused" {
	capture shared
	run "$qlaunch" setup --yes --gpu 01:00.0 --root "$T"
	[ "$status" -eq 4 ]; [[ $output == *"the host's own screen"* ]]
	run "$qlaunch" setup --yes --gpu 02:00.0 --root "$T"
	[ "$status" -eq 0 ]; [[ $output == *"dracut --force"* ]]
	grep -q 'force_drivers+=" vfio-pci "' "$T/etc/dracut.conf.d/qlaunch.conf"
	grep -q '0000:02:00.0 0000:02:00.1' "$T/etc/qlaunch/vfio-early"
	! grep -q '0000:01:00\|10de' -r "$T/etc/qlaunch" "$T/etc/modprobe.d" "$T/etc/dracut.conf.d"
	grep -qx 'GRUB_CMDLINE_LINUX="rhgb quiet intel_iommu=on iommu=pt"' "$T/etc/default/grub"
	run "$qlaunch" setup --yes --gpu none --root "$T"
	[ "$status" -eq 0 ] || [ "$status" -eq 2 ]
}

@test "setup: what somebody changed since stays as it is, exit 5, and the old text is told" {
	capture ryzen
	"$qlaunch" setup --yes --root "$T" >/dev/null
	echo 'GRUB_TIMEOUT=1' >>"$T/etc/default/grub"
	run "$qlaunch" setup --undo --yes --root "$T"
	[ "$status" -eq 5 ]; [[ $output == *"/etc/default/grub was changed since"* ]]
	grep -qx 'GRUB_TIMEOUT=1' "$T/etc/default/grub"
	[ ! -e "$T/etc/modprobe.d/qlaunch.conf" ]
	[[ $(cat "$T"/var/lib/qlaunch/setup/*.old) == *'"quiet splash"'* ]]
}

@test "setup: lines of GRUB in every form; words that are there are not added twice" {
	for line in 'GRUB_CMDLINE_LINUX_DEFAULT=""' "GRUB_CMDLINE_LINUX_DEFAULT='quiet'" 'GRUB_CMDLINE_LINUX_DEFAULT=quiet' \
		'GRUB_CMDLINE_LINUX_DEFAULT=' 'GRUB_CMDLINE_LINUX_DEFAULT="iommu=pt quiet"' '#GRUB_CMDLINE_LINUX_DEFAULT="x"'; do
		rm -rf "$T"; capture ryzen; printf '# first\n%s\nGRUB_TIMEOUT=2' "$line" >"$T/etc/default/grub"
		cp "$T/etc/default/grub" "$BATS_TEST_TMPDIR/grub"
		run "$qlaunch" setup --yes --gpu none --root "$T"
		[ "$status" -eq 0 ]
		(. "$T/etc/default/grub"; all="$GRUB_CMDLINE_LINUX_DEFAULT $GRUB_CMDLINE_LINUX"
			[ "$(tr ' ' '\n' <<<"$all" | grep -cx iommu=pt)" -eq 1 ]; [ "$GRUB_TIMEOUT" = 2 ])
		run "$qlaunch" setup --undo --yes --root "$T"
		cmp "$T/etc/default/grub" "$BATS_TEST_TMPDIR/grub"
	done
}
