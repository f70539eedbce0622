# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# The host suspends to memory, really: refused while a machine forbids it, then under a machine with passed devices and an isolated
# partition, by the kernel alone (nobody is asked) and by logind, for which sleep = pause pauses the guest.
# seconds: 600
# check: no: `make lab` runs it
# qemu: --sleeps
. "$(dirname "$0")/../lib.sh"
lab_host
equal "sleep is suspend to memory" "[deep]" "$(grep -o '\[.*\]' /sys/power/mem_sleep)"
logind="org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager"
# systemd-sleep runs this when who delays the sleep has let go, with nothing but the kernel's own suspend to come: nobody sleeps for ever here.
mkdir -p /usr/lib/systemd/system-sleep
cat >/usr/lib/systemd/system-sleep/lab <<-HOOK
	#!/bin/bash
	"$qlaunch" status --json >"$work/status.\$1"
	[ "\$1" = post ] || rtcwake -m no -s 15
HOOK
chmod +x /usr/lib/systemd/system-sleep/lab

# --- sleep = inhibit, the default ---------------------------------------------------------------------------------------------------------
printf '[vm]\nname = awake\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n' >"$work/awake.conf"
launch "$work/awake.conf"
check "inhibit: the guest runs" wait_for 60 grep -q 'running after' "$log" || show_run
asked=$(systemctl suspend --check-inhibitors=yes 2>&1)
check "inhibit: systemctl suspend is refused, naming qlaunch and the machine" grep -q 'inhibited by "qlaunch".*the virtual machine awake runs' <<<"$asked"
check "inhibit: logind knows that it is not to" bash -c "busctl get-property $logind BlockInhibited | grep sleep"
equal "inhibit: the host did not sleep" 0 "$(suspends)"
"$qlaunch" stop --now awake
exit_of 60 "$launcher"
equal "inhibit: the launcher's exit status" 0 "$code" || show_run

# --- what a sleep must not change ---------------------------------------------------------------------------------------------------------
direct_config game
sed -i 's/guest.forever/& guest.beat/' "$work/game.conf"
# the guest has no driver for the card, but one for this, which asks for interrupts of its own
echo 0000:02:00.0 >/sys/bus/pci/drivers/nvme/unbind # the host's driver would have other interrupts each time
printf '[pci disk]\naddress = 02:00.0\n[host]\nsleep = pause\n' >>"$work/game.conf"
host_snapshot "$work/before"
launch "$work/game.conf"
check "the guest is up" guest_up 200 || { show_run; finish; }
qemu=$(qemu_pid) slice=/sys/fs/cgroup/qlaunch_game.slice
beats() { grep -c '^guest: beat' "$serial"; }
more_beats() { [ "$(beats)" -gt $(($1 + 2)) ]; }
run_state() { "$qlaunch" status --json | jq -r '.. | objects | select(has("run-state")) | ."run-state"'; }
check "the guest's own interrupts are where its vCPUs are" wait_for 60 interrupts_on 4-7 || its_interrupts | note
its_share() { # all that the host does for it, as text
	files $slice/cpuset.cpus{,.partition,.effective} /sys/fs/cgroup/{system.slice,init.scope}/cpuset.cpus.effective
	files /proc/irq/default_smp_affinity /sys/devices/virtual/workqueue/cpumask
	local t
	for t in /proc/"$qemu"/task/*; do grep -qs '^CPU .*/KVM' "$t/comm" && files "$t/comm" && grep -H '^Cpus_allowed_list' "$t/status"; done
	its_interrupts
}
its_share >"$work/share"
check "the partition is isolated" grep -q 'partition:isolated$' "$work/share"
equal "four vCPUs have one CPU each" "4 5 6 7" "$(sed -n 's/.*Cpus_allowed_list:\t\([0-9]\)$/\1/p' "$work/share" | sort | xargs)"
same_share() { its_share >"$work/share.now"; diff -U0 "$work/share" "$work/share.now"; }
after_sleep() { # NAME: the guest has all it had, and goes on
	check "$1: partition, pins and interrupts are what they were" wait_for 30 same_share || { same_share | note; its_interrupts | note; }
	equal "$1: the guest runs, QEMU says" running "$(run_state)"
	check "$1: the guest goes on" wait_for 60 more_beats "$(beats)" || show_run
}
dmesg_says() { dmesg | grep -c "PM: suspend $1"; }

# --- by the kernel alone ------------------------------------------------------------------------------------------------------------------
rtcwake -m mem -s 15 | note
check "kernel: the host slept and woke up" suspended 0 || dmesg | note
equal "kernel: it says so" "1 1" "$(dmesg_says 'entry (deep)') $(dmesg_says exit)"
after_sleep kernel

# --- by logind, which tells before --------------------------------------------------------------------------------------------------------
check "logind: qlaunch delays the sleep" bash -c "systemd-inhibit --list --no-pager | grep 'qlaunch.*sleep.*delay'"
systemctl suspend
check "logind: the host slept and woke up" wait_for 120 suspended 1 || { systemctl status --no-pager systemd-suspend systemd-logind; dmesg; } | note
check "logind: the guest was paused before" grep -q '"run-state": *"paused"' "$work/status.pre" || note <"$work/status.pre"
check "logind: qlaunch says so" grep -q 'the host goes to sleep: pausing the guest' "$log" || show_run
check "logind: and that it goes on" wait_for 30 grep -q 'the host is awake: the guest goes on' "$log" || show_run
runs() { [ "$(run_state)" = running ]; }
wait_for 30 runs
after_sleep logind
check "logind: qlaunch delays the next sleep" bash -c "systemd-inhibit --list --no-pager | grep 'qlaunch.*sleep.*delay'"

check "stop" timeout 60 "$qlaunch" stop game
exit_of 90 "$launcher"
equal "the launcher's exit status" 0 "$code" || show_run
check "guest: it was its power button" guest_said power-button
same_host "the host is as before"
finish
