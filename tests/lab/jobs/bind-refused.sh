# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# Function 1 cannot be handed over after function 0 was: function 0 goes back to its driver, exit 4, nothing is left. The refusal is
# the kernel's: driver_override of that function is mounted read-only, as in a container that guards it. And what becomes of the group after its
# functions were handed over is looked at once more before QEMU is let go.
# seconds: 180
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

# Somebody takes function 1 back while the launch is further on: D-Bus does not answer for as long as that takes.
kill -STOP "$(pidof dbus-daemon)"
launch -v "$work/refused.conf"
handed_over() { [ "$(driver_of $gpu) $(driver_of $sound)" = "vfio-pci vfio-pci" ]; }
check "taken back: both had been handed over" wait_for 40 handed_over || show_run
echo snd_hda_intel >"$override"
echo $sound >/sys/bus/pci/drivers/vfio-pci/unbind
echo $sound >/sys/bus/pci/drivers_probe
equal "taken back: function 1" snd_hda_intel "$(driver_of $sound)"
kill -CONT "$(pidof dbus-daemon)"
exit_of 60 "$launcher"
equal "taken back: exit status" 4 "$code" || show_run
check "taken back: the group is why" grep -qE "error: .*$sound.*snd_hda_intel" "$log" || show_run
check "taken back: QEMU was not let go" bash -c "! grep -q 'QEMU ended' '$log'" || show_run
check "taken back: what somebody changed is left, and said" grep -q "$sound.*changed by somebody else" "$log" || show_run
echo >"$override"
same_host "taken back: the host is as before"
finish
