# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What tests/setup-boot.bats runs inside of tests/layouts/real: a machine of QEMU's, described as `real` describes one, and boots of it with the
# menu entry and the initial RAM disk that `qlaunch setup` has made there. The machine has its IOMMU on already (QEMU's picture and sound are of
# two vendors: they are one card by their group), a screen of its own, at 01:00 the card with its sound, and at 02:00 the drive with its root.
uuid=6f3c2f0e-5d0b-4b7e-9c1e-0d5a3c9f7e11

function_is() { # ADDRESS ID CLASS DRIVER GROUP [ATTRIBUTE=VALUE…]
	pci "$1" "$2" "$3" "$4" "$5" "${@:6}"
	put "/sys/devices/pci0000:00/0000:$1/subsystem_vendor" 0x1af4; put "/sys/devices/pci0000:00/0000:$1/subsystem_device" 0x1100
}
machine() {
	rm -rf /sys/bus/pci /sys/devices/pci* /sys/class /sys/block /sys/kernel
	function_is 00:02.0 1013:00b8 030000 cirrus 1 boot_vga=1
	function_is 01:00.0 1234:1111 030000 bochs-drm 2 boot_vga=0
	function_is 01:00.1 8086:293e 040300 snd_hda_intel 2
	function_is 02:00.0 1b36:0010 010802 nvme 3
	mkdir -p /sys/module/bochs
	link /sys/bus/pci/drivers/bochs-drm/module /sys/module/bochs
	printf '#!/bin/sh\ncase "$*" in *fs_uuid*) echo %s ;; *--target=device*) echo /dev/nvme0n1 ;; *) echo ext2 ;; esac\n' $uuid >/usr/sbin/grub-probe
	put /etc/default/grub 'GRUB_CMDLINE_LINUX_DEFAULT="quiet"
GRUB_CMDLINE_LINUX="console=ttyS0 no_timer_check panic=1 rd.shell=0 rd.retry=400 intel_iommu=on"'
	update-grub
	# the root: it says who has what, and ends
	mkdir -p /tmp/root/{bin,sbin,proc,sys,dev,run,tmp}
	cp "$(command -v busybox)" /tmp/root/bin/busybox
	cat >/tmp/root/sbin/init <<-'INIT'
		#!/bin/busybox sh
		b=/bin/busybox
		$b mount -t proc proc /proc 2>/dev/null; $b mount -t sysfs sysfs /sys 2>/dev/null
		echo "booted: root $($b sed -n 's#^/dev/\([^ ]*\) / ext4.*#\1#p' /proc/mounts)"
		for d in /sys/bus/pci/devices/*; do
			read -r v <$d/vendor; read -r i <$d/device; driver=$($b readlink $d/driver || echo none)
			echo "booted: ${v#0x}:${i#0x} at ${d##*/0000:} has ${driver##*/}"
		done
		$b dmesg | $b sed -n 's/^.*qlaunch: /booted: said /p'
		$b poweroff -f
	INIT
	chmod 755 /tmp/root/sbin/init
	truncate -s 24M /tmp/root.img
	mke2fs -q -t ext4 -U $uuid -d /tmp/root /tmp/root.img
}

# A kernel with vfio-pci built in, as Ubuntu's: no module of that name for kmod, which therefore runs no "install" line and no softdep of it, and
# a driver that is there before the first program. Debian's has a module; so an init that comes first puts it there by hand, and the tree of
# modules has what a tree of such a kernel has: a line in modules.builtin.
built_in() {
	local m f tree=/tmp/tree/lib/modules/$V
	mkdir -p $tree /tmp/first/mods
	for m in nvme ext4 bochs snd_hda_intel crc32c_generic crc32c_intel; do modprobe -S "$V" --show-depends "$m"; done |
		awk '/^insmod/ && !seen[$2]++ { print $2 }' | while read -r f; do install -D "$f" "/tmp/tree$f"; done
	cp "/lib/modules/$V"/modules.{order,builtin,builtin.modinfo} $tree/
	modprobe -i -S "$V" --show-depends vfio-pci | awk '/^insmod/ && !seen[$2]++ { print $2 }' | while read -r f; do
		cp "$f" /tmp/first/mods/; basename "$f" >>/tmp/first/mods/order; echo "${f#*/"$V"/}" >>$tree/modules.builtin
	done
	depmod -b /tmp/tree "$V"
	mount --bind $tree "/lib/modules/$V"
	mkdir -p /tmp/first/first
	cp "$(command -v busybox)" /tmp/first/first/busybox
	printf '#!/first/busybox sh\nwhile read -r m; do /first/busybox insmod /mods/$m; done </mods/order\nexec /init "$@"\n' >/tmp/first/first/init
	chmod 755 /tmp/first/first/init
	first=rdinit=/first/init
}
first=

boot() { # ROOT-PORT-OF-THE-CARD ROOT-PORT-OF-THE-DRIVE: what the root said, or the last words of who did not find it
	local initrd=/boot/initrd.img-$V at=/tmp/boot.$1 words
	mkdir -p "$at"
	cp /tmp/root.img "$at/root.img"
	words=$(sed -n "s#^[[:space:]]*linux[[:space:]]*[^ ]*vmlinuz-$V ##p" /boot/grub/grub.cfg | head -n 1)
	if [ -n "$first" ]; then
		cp "$initrd" "$at/initrd"; initrd=$at/initrd
		truncate -s %512 "$initrd" # archives that follow one another begin at fours of bytes (initramfs buffer format)
		(cd /tmp/first && find . | cpio -o -H newc --quiet) >>"$initrd"
	fi
	timeout 500 qemu-system-x86_64 -accel tcg -M q35 -cpu qemu64 -m 512 -nodefaults -no-user-config -no-reboot -display none \
		-serial stdio -kernel "/boot/vmlinuz-$V" -initrd "$initrd" -append "$words $first" -device intel-iommu -device cirrus-vga,addr=2 \
		-device pcie-root-port,id=rp1,chassis=1,slot=1,addr=4 -device pcie-root-port,id=rp2,chassis=2,slot=2,addr=5 \
		-device "VGA,bus=$1,addr=0.0,multifunction=on" -device "ich9-intel-hda,bus=$1,addr=0.1" \
		-blockdev "driver=file,filename=$at/root.img,node-name=root" -device "nvme,bus=$2,drive=root,serial=root" </dev/null >"$at/console" 2>&1
	tr -d '\r' <"$at/console" | grep '^booted: ' || tail -n 30 "$at/console" | sed 's/^/not booted: /'
}
# What the root has to say, of both boots: the card at its address, and the drive there in its place.
boots() {
	boot rp1 rp2 >/tmp/as-before & boot rp2 rp1 >/tmp/renumbered; wait
	sed 's/^booted: /as before: /' /tmp/as-before; sed 's/^booted: /renumbered: /' /tmp/renumbered
}
