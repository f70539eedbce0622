# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# A machine on the CPUs that stay online when the host sleeps, whose clock is the guest's: the host suspends to memory, and all is as it was.
# seconds: 240
# check: no: `make lab` runs it
# qemu: --sleeps --clocks
. "$(dirname "$0")/../lib.sh"
lab_host
echo 0000:02:00.0 >/sys/bus/pci/drivers/nvme/unbind # its driver would have other interrupts after a sleep
modprobe -a acpi-cpufreq cpufreq_powersave
governors() { files /sys/devices/system/cpu/cpufreq/policy*/scaling_governor | sed 's|.*/policy\(.\)/.*:|\1 |' | xargs; }
# without a constant TSC KVM tells its guests of every change of a clock, so it is not to change
for f in /sys/devices/system/cpu/cpufreq/policy*/scaling_governor; do echo powersave >"$f"; done
idle_config first
sed -i 's/^place = .*/place = l3 0/' "$work/first.conf"
host_snapshot "$work/before"
launch --set host.sleep=allow --set host.governor=performance "$work/first.conf"
check "the guest runs" wait_for 90 grep -q 'running after' "$log" || show_run
# those that a driver has asked for have a folder by its name; a part of the host's CPUs is fine
astray() { local f; for f in /proc/irq/*/*/..; do disjoint 0-3 "$(cat "$f/smp_affinity_list")" || grep -H '' "$f/smp_affinity_list"; done; }
at_home() { [ "$(astray | sort -u)" = "$fixed" ]; }
fixed=$(astray | sort -u) # the timer's, which no kernel moves
check "most of the host's interrupts are off the guest's CPUs" test "$(wc -l <<<"$fixed")" -lt 4 || note <<<"$fixed"
clocks="0 performance 1 performance 2 performance 3 performance 4 powersave 5 powersave 6 powersave 7 powersave"
equal "the guest's CPUs have its governor" "$clocks" "$(governors)"
rtcwake -m mem -s 15 | note
check "the host slept and woke up" suspended 0 || dmesg | note
check "the host's interrupts are off the guest's CPUs again" wait_for 30 at_home || { astray; grep -H . /proc/irq/*/*/../smp_affinity_list; cat /proc/interrupts; } | cut -c1-150 | note
equal "the guest's CPUs still have its governor" "$clocks" "$(governors)"
"$qlaunch" stop --now first
exit_of 60 "$launcher"
equal "the launcher's exit status" 0 "$code" || show_run
same_host "the host is as before"
finish
