# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# What a twin adds to the way of an event, in µs: a mouse with a twin and one without are moved by turns. By a clock that counts instructions,
# for by any other an emulated host waits for the machine below it more than for qlaunch; `make latency` measures at that machine's own speed.
# check: no: a measurement: `make bench` and `make lab` run it
# qemu: --counts -smp 1,sockets=1,cores=1
# seconds: 300
. "$(dirname "$0")/../lib.sh"
lab_host
hand_begin
do_it plug keyboard keyboard
check "udev names the keyboard" wait_for 20 test -e $by_id/lab-event-kbd
idle_config moved
sed -i -e '/^\[pci/,/^functions/d' -e '/^place = /d' -e 's/^threads = .*/threads = 1/' -e 's/^isolate = .*/isolate = off/' "$work/moved.conf"
cat >>"$work/moved.conf" <<-CONF
	[input keyboard]
	device = $by_id/lab-event-kbd
	[input bench]
	device = $by_id/lab-bench-event-mouse
	wait = yes
CONF
launch "$work/moved.conf"
check "it runs" wait_for 120 grep -q running "$log" || { show_run; finish; }
mkfifo "$work/go"
"$top/tests/lab/evdev.py" latency /run/qlaunch/moved/input-bench 2000 <"$work/go" >"$work/latency" 2>&1 &
bench=$!
exec 8>"$work/go"
check "the mouse with a twin is taken" wait_for 20 grep -q 'input bench. has come' "$log" || note <"$log"
toggle # the host's: QEMU would keep the twin's events to itself
kill -STOP "$(qemu_pid)"
echo go >&8
exit_of 120 $bench
equal "measured" 0 "$code" || note <"$work/latency"
echo "# evdev latency $(tail -n 1 "$work/latency")"
kill -CONT "$(qemu_pid)"
timeout 60 "$qlaunch" stop --now moved
exit_of 60 "$launcher"
equal "exit status" 0 "$code"
hand_end
finish
