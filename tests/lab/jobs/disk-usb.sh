# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# A USB disk: while the host has it mounted it is refused, as a device and as a disk, also lazily unmounted; as a disk it is claimed for as long as
# the guest lives, launcher or not; as a device it leaves the host, and comes back.
# qemu: --stick
# seconds: 300
. "$(dirname "$0")/../lib.sh"
lab_host
modprobe -a usb_storage sd_mod ext4
at=$work/mnt
mkdir "$at"
stick() { basename "$(find /sys/class/block/ -lname '*/usb*' ! -name '*[0-9]' | head -n 1)"; }
there() { local name; name=$(stick); [ -n "$name" ] && [ -b "/dev/$name" ]; } # it has a name once it is there
wait_for 30 there
disk=/dev/$(stick)
port=$(grep -lsx 46f4 /sys/bus/usb/devices/*/idVendor | head -n 1 | xargs -r dirname | xargs -r basename)
driver() { basename "$(readlink "/sys/bus/usb/devices/$port:1.0/driver" || echo none)"; }
echo "# $disk is $port, with $(driver)"
machine() { printf '[vm]\nname = %s\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n' "$1" >"$work/$1.conf"; }
machine device
printf '[usb stick]\nid = 46f4:0001\n' >>"$work/device.conf"
machine claims
printf '[disk stick]\npath = %s\n' "$disk" >>"$work/claims.conf"
timeout 60 mkfs.ext4 -q -F "$disk"
refused() { # WHY NAME PATTERN: by check, and by run before anything is done
	timeout 60 "$qlaunch" check "$work/$2.conf" 2>&1 | tr -s "\n " " " >"$work/said" # its lines are as wide as a terminal
	check "$1: check refuses it ($2)" grep -qE "✗.*$3" "$work/said" || note <"$work/said"
	launch "$work/$2.conf"
	exit_of 60 "$launcher"
	equal "$1: run ends with 4 ($2)" 4 "$code" || show_run
	check "$1: run says why ($2)" grep -qE "$3" "$log" || show_run
}

mount "$disk" "$at"
echo saved >"$at/game"
for as in device claims; do refused mounted $as "$(basename "$disk") is mounted on"; done
exec 7<"$at/game"
umount -l "$at"
for as in device claims; do refused "lazily unmounted" $as "the kernel says that $(basename "$disk") is in use"; done
exec 7<&-
equal "refused: the host's driver stayed" usb-storage "$(driver)"
host_snapshot "$work/before"

launch "$work/claims.conf"
running
qemu=$(qemu_pid)
kill -KILL "$launcher"
wait "$launcher" 2>/dev/null
check "claimed: the guest lives on" kill -0 "$qemu"
check "claimed: and the host cannot mount its disk" bash -c "! mount $disk '$at' 2>'$work/mount' && grep -qi busy '$work/mount'" || note <"$work/mount"
timeout 90 "$qlaunch" restore >"$work/restore" 2>&1
equal "claimed: restore: exit status" 0 $? || note <"$work/restore"
same_host "claimed: the host is as before"

launch "$work/device.conf"
running
check "passed: it is the guest's" wait_for 30 grep -q "USB device $port is the guest's" "$log" || show_run
check "passed: and has left the host" wait_for 10 test ! -e "$disk"
timeout 60 "$qlaunch" stop --now device
exit_of 60 "$launcher"
equal "passed: exit status" 0 "$code" || show_run
check "passed: it is back" wait_for 30 there
equal "passed: with the host's driver" usb-storage "$(driver)"
check "passed: as it was" bash -c "mount /dev/$(stick) '$at' && grep -qx saved '$at/game'"
umount "$at"
same_host "passed: the host is as before"
finish
