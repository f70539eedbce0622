# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# What isolation is worth: how long a spinning vCPU stands in a queue, beside 16 spinners of the host. Without isolation and with a partition, by
# turns; `make bench` shows the ratio. The kernel counts it: the second number of /proc/PID/task/TID/schedstat, ns.
# check: no: a measurement: `make bench` and `make lab` run it
# seconds: 900
. "$(dirname "$0")/../lib.sh"
lab_host
direct_config spin
sed -i '/^\[pci gpu\]/,/^functions/d; s/guest.forever/guest.spin guest.forever/' "$work/spin.conf"
stress-ng --cpu 16 --timeout 900 >/dev/null 2>&1 &
stopped() { [ "$(pgrep -c stress-ng)" -ge 17 ]; }
wait_for 60 stopped
pkill -STOP stress-ng

delay() { # ns that the vCPUs of $1 have waited so far
	local t sum=0 n
	for t in /proc/"$1"/task/*; do
		[[ $(<"$t/comm") == "CPU "* ]] || continue
		read -r _ n _ <"$t/schedstat"
		sum=$((sum + n))
	done
	echo "$sum"
}
turn() { # ISOLATE: appends ms of waiting a second of run, of all four vCPUs, to $work/ISOLATE
	local qemu before began
	launch --set cpu.isolate="$1" "$work/spin.conf"
	check "$1: the guest is up" guest_up 150 || { show_run; finish; }
	qemu=$(qemu_pid)
	pkill -CONT stress-ng
	sleep 3
	before=$(delay "$qemu") began=$(date +%s%N)
	sleep 10
	echo $((1000 * ($(delay "$qemu") - before) / ($(date +%s%N) - began))) >>"$work/$1"
	pkill -STOP stress-ng
	timeout 60 "$qlaunch" stop --now spin
	exit_of 60 "$launcher"
	equal "$1: exit status" 0 "$code"
}
for _ in 1 2; do turn off; turn partition; done
mean() { awk '{ s += $1 } END { printf "%.1f", s / NR }' "$work/$1"; }
echo "# run delay, ms a second, four vCPUs: off $(mean off), partition $(mean partition)"
pkill -KILL stress-ng
finish
