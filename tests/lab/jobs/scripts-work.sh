# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# What people's start scripts do by hand, by keys, with a real kernel and a real systemd: services stopped, a module unloaded, the
# card taken off its bus and found anew, its ROM saved to a file; all of it back at the end, and after the launcher was killed.
# check: no: `make lab` runs it
# seconds: 400
. "$(dirname "$0")/../lib.sh"
lab_host
modprobe -a nvme ext4
disk=/dev/nvme0n1 at=/mnt/games
wait_for 20 test -b $disk
timeout 60 mkfs.ext4 -q -F $disk
mkdir -p $at
mount -o nosuid,nodev,noatime $disk $at
printf '[Service]\nExecStart=/bin/sleep infinity\n' >/etc/systemd/system/fancontrol.service
printf '[Service]\nExecStart=/bin/sleep infinity\n' >/etc/systemd/system/idle.service
systemctl daemon-reload
systemctl start fancontrol.service
mkdir -p /etc/qlaunch
idle_config work
sed -i 's/^name = .*/&\nuser = player/; s/^\[pci gpu\]/&\nunload = snd-hda-intel\nrescan = yes\nrom = host/' "$work/work.conf"
printf '[disk games]\npath = %s\nunmount = yes\n' $disk >>"$work/work.conf"
printf '[host]\nstop = fancontrol.service idle.service\nweight = 500\noom-score = -500\n' >>"$work/work.conf"
cp "$work/work.conf" /etc/qlaunch/work.conf
sed -i 's/^name = .*/name = users/' "$work/work.conf"
chown player "$work/work.conf"
loaded() { grep -oE '^(aty128fb|snd_hda_intel) ' /proc/modules | sort | xargs; }
modules=$(loaded)
equal "the card's modules are loaded" "aty128fb snd_hda_intel" "$modules"

timeout 60 "$qlaunch" check "$work/work.conf" >"$work/said" 2>&1
equal "a user's file: check" 4 $?
check "a user's file unmounts nothing but the user's" grep -q 'only what the desktop of player mounted' <(tr -s '\n ' ' ' <"$work/said") || note <"$work/said"
check "a user's file stops no service" grep -q 'only a file that root alone can write' <(tr -s '\n ' ' ' <"$work/said") || note <"$work/said"

mounted=$(grep " $at " /proc/mounts)
exec 7>$at/save
timeout 60 "$qlaunch" check /etc/qlaunch/work.conf >"$work/said" 2>&1
check "a disk with an open file is refused, by name" grep -q 'files there are open in' <(tr -s '\n ' ' ' <"$work/said") || note <"$work/said"
exec 7>&-

running() { # a launch, until its guest runs
	launch /etc/qlaunch/work.conf
	check "$1: the guest runs" wait_for 90 grep -q 'running after' "$log" || { show_run; finish; }
	qemu=$(qemu_pid)
	equal "$1: a service that ran is stopped" inactive "$(systemctl is-active fancontrol.service)"
	check "$1: the disk is mounted no more" bash -c "! grep -q $disk /proc/mounts"
	check "$1: nor can it be" bash -c "! mount $disk $at 2>/dev/null"
	equal "$1: the module that was named is not loaded" aty128fb "$(loaded)" || show_run # the text console keeps the other one
	equal "$1: the weight of its slice" 500 "$(systemctl show -P CPUWeight qlaunch_work.slice)"
	equal "$1: systemd-oomd ends others first" omit "$(systemctl show -P ManagedOOMPreference qlaunch_work.scope)"
	equal "$1: so does the kernel" -500 "$(cat "/proc/$qemu/oom_score_adj")"
	equal "$1: the guest has the card" "vfio-pci vfio-pci" "$(driver_of $gpu) $(driver_of $sound)"
	rom=$(find "/proc/$qemu/fd" -lname '*memfd:rom*' -print -quit)
	equal "$1: QEMU has the card's ROM" "55 aa" "$(od -An -tx1 -N2 "$rom" | xargs)"
	check "$1: the card shows it to nobody any more" bash -c "! cat /sys/bus/pci/devices/$gpu/rom >/dev/null 2>&1"
}
over() {
	equal "$1: the service runs again" active "$(systemctl is-active fancontrol.service)"
	equal "$1: what did not run does not" inactive "$(systemctl is-active idle.service)"
	equal "$1: the disk is mounted as it was" "$mounted" "$(grep " $at " /proc/mounts)"
	equal "$1: the modules are loaded again" "$modules" "$(loaded)"
	same_host "$1: the host is as before"
}
running "first"
found() { dmesg | grep -c "pci $gpu: \[1002:5046\]"; }
check "first: the kernel has found the card anew" test "$(found)" -gt 1 || dmesg | grep "$gpu" | note
"$qlaunch" stop --now work
exit_of 60 "$launcher"
equal "first: exit status" 0 "$code" || show_run
host_snapshot "$work/before" # the kernel has the interrupts of the first use now

running "a normal end"
before=$(found)
"$qlaunch" stop --now work
exit_of 60 "$launcher"
equal "a normal end: exit status" 0 "$code" || show_run
check "a normal end: found anew on the way back, too" test "$(found)" -gt "$before"
over "a normal end"

running "killed with its guest"
kill -KILL "$launcher" "$qemu"
wait "$launcher" 2>/dev/null
timeout 120 "$qlaunch" restore >"$work/restore" 2>&1
equal "killed with its guest: restore" 0 $? || note <"$work/restore"
over "killed with its guest"
finish
