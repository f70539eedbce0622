# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# A disk that only the kernel knows to be in use is refused, and so is its controller; a disk that a guest has is refused to the host, also
# when the launcher is dead, and is free again after `restore`.
# seconds: 240
. "$(dirname "$0")/../lib.sh"
lab_host
modprobe -a nvme ext4
controller=0000:02:00.0 disk=/dev/nvme0n1 at=$work/mnt
wait_for 20 test -b $disk
mkdir "$at"
machine() { # NAME: one that starts within seconds and has no system to boot
	printf '[vm]\nname = %s\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n' "$1" >"$work/$1.conf"
}
machine claims
printf '[disk data]\npath = %s\n' $disk >>"$work/claims.conf"
machine passes
printf '[pci disk]\naddress = %s\n' $controller >>"$work/passes.conf"
timeout 60 mkfs.ext4 -q -F $disk

refused() { # WHY NAME PATTERN: by check, and by run before anything is done
	timeout 60 "$qlaunch" check "$work/$2.conf" 2>&1 | tr -s "\n " " " >"$work/said" # its lines are as wide as a terminal
	check "$1: check refuses it ($2)" grep -qE "$3" "$work/said" || note <"$work/said"
	launch "$work/$2.conf"
	exit_of 60 "$launcher"
	equal "$1: run ends with 4 ($2)" 4 "$code" || show_run
	check "$1: run says why ($2)" grep -qE "$3" "$log" || show_run
}
both_refused() {
	refused "$1" claims "the kernel says that nvme0n1 is in use: $2"
	refused "$1" passes "the host uses nvme0n1 behind .*: the kernel says that nvme0n1 is in use: $2"
	equal "$1: the controller stayed on its driver" nvme "$(driver_of $controller)"
}

mount $disk "$at"
python3 -c "import time; f = open('$at/save', 'w'); time.sleep(1e6)" &
writer=$!
wait_for 20 test -e "$at/save"
umount -l "$at"
check "lazily unmounted: no mount is seen" bash -c "! grep -q nvme0n1 /proc/*/mounts"
both_refused "lazily unmounted" "unmounted, but not yet let go"
kill "$writer"
wait "$writer" 2>/dev/null

unshare -m --propagation private sh -c "mount $disk '$at' && exec sleep 1000" &
elsewhere=$!
wait_for 20 grep -q nvme0n1 "/proc/$elsewhere/mounts"
check "mounted elsewhere: not seen here" bash -c '! grep -q nvme0n1 /proc/self/mounts'
both_refused "mounted elsewhere" "it is mounted for sleep \($elsewhere\)"
kill "$elsewhere"
wait "$elsewhere" 2>/dev/null

host_snapshot "$work/before"
launch "$work/claims.conf"
running
qemu=$(qemu_pid)
kill -KILL "$launcher"
wait "$launcher" 2>/dev/null
check "claimed: the guest lives on without its launcher" kill -0 "$qemu"
check "claimed: and the host cannot mount its disk" bash -c "! mount $disk '$at' 2>'$work/mount' && grep -qi busy '$work/mount'" || note <"$work/mount"
timeout 90 "$qlaunch" restore >"$work/restore" 2>&1
equal "claimed: restore: exit status" 0 $? || note <"$work/restore"
check "claimed: the host has its disk again" mount $disk "$at"
check "claimed: as it was" test -e "$at/save"
umount "$at"
same_host "claimed: the host is as before"

launch "$work/passes.conf"
running
equal "passed: the controller is the guest's" vfio-pci "$(driver_of $controller)"
check "passed: and its disk has left the host" test ! -e $disk
timeout 60 "$qlaunch" stop --now passes
exit_of 60 "$launcher"
equal "passed: exit status" 0 "$code" || show_run
check "passed: the controller and its disk are back" wait_for 20 test -b $disk
same_host "passed: the host is as before"
finish
