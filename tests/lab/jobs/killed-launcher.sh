# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# SIGKILL of the launcher under a living guest: restore ends the guest first, then gives everything back; again, it does nothing.
# seconds: 240
. "$(dirname "$0")/../lib.sh"
lab_host
direct_config orphan
host_snapshot "$work/before"
launch "$work/orphan.conf"
check "the guest is up" guest_up 150 || { show_run; finish; }
qemu=$(qemu_pid)
kill -KILL "$launcher"
wait "$launcher" 2>/dev/null
check "the guest lives on without its launcher" kill -0 "$qemu"
equal "the GPU is still the guest's" vfio-pci "$(driver_of $gpu)"

watch() { # says so if ever a function leaves vfio-pci while QEMU lives: driver first, then QEMU, so a change between cannot deceive
	while [ -d "/proc/$1" ]; do
		[ "$(driver_of $gpu)" = vfio-pci ] && [ "$(driver_of $sound)" = vfio-pci ] && continue
		[ -d "/proc/$1" ] && echo early
		return
	done
}
watch "$qemu" >"$work/early" &
watcher=$!
timeout 90 "$qlaunch" restore >"$work/restore" 2>&1
equal "restore: exit status" 0 $? || note <"$work/restore"
wait "$watcher"
equal "restore: no function left before the guest had ended" "" "$(cat "$work/early")"
check "restore: the guest is gone" test ! -d "/proc/$qemu"
equal "function 0 is back on its driver" aty128fb "$(driver_of $gpu)"
equal "function 1 is back on its driver" snd_hda_intel "$(driver_of $sound)"
wait_for 10 test ! -d /sys/fs/cgroup/qlaunch_orphan.slice
same_host "the host is as before"
timeout 60 "$qlaunch" restore >"$work/restore" 2>&1
equal "restore again: exit status" 0 $? || note <"$work/restore"
same_host "restore again: nothing changed"
finish
