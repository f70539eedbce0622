# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# Function 1 cannot be handed over after function 0 was: function 0 goes back to its driver, exit 4, nothing is left. The refusal is
# the kernel's: driver_override of that function is mounted read-only, as in a container that guards it.
# seconds: 90
. "$(dirname "$0")/../lib.sh"
lab_host
direct_config refused
host_snapshot "$work/before"
override=$(readlink -f /sys/bus/pci/devices/$sound)/driver_override
mount --bind "$override" "$override"
mount -o remount,bind,ro "$override"
check "the kernel refuses function 1" bash -c "! echo vfio-pci >'$override'"

launch -v "$work/refused.conf"
exit_of 60 "$launcher"
equal "exit status" 4 "$code" || show_run
check "function 0 had been handed over" grep -q "bind $gpu to vfio-pci: done" "$log"
check "it names the function that failed" grep -q "$sound" "$log" || show_run
umount "$override"
equal "function 0 is back on its driver" aty128fb "$(driver_of $gpu)"
equal "function 1 stayed on its driver" snd_hda_intel "$(driver_of $sound)"
check "no QEMU was left" bash -c '! pidof qemu-system-x86_64'
check "no journal is left" bash -c '! find /run/qlaunch -name "*journal*" | grep .'
same_host "the host is as before"
finish
