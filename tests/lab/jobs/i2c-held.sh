# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# A program has one of the card's I2C buses open, as PowerDevil, ddcutil's service and OpenRGB do: the kernel's unbinding would wait for it for
# ever. `check` and `run` name it, and nothing is unbound; one that comes after the check is found right before the unbinding.
# qemu: --i2c
# check: no: `make lab` runs it
# seconds: 300
. "$(dirname "$0")/../lib.sh"
lab_host
modprobe -a radeon i2c-dev
bus_of() { find "$(readlink -f /sys/bus/pci/devices/$gpu)" -path '*/i2c-dev/i2c-*' -prune -name 'i2c-*' -printf '/dev/%f\n' | sort -V | head -n 1; }
bus_there() { bus=$(bus_of) && [ -c "$bus" ]; }
wait_for 60 bus_there
check "the card has an I2C bus" test -c "$bus" || { ls -l /sys/bus/pci/devices/$gpu/ | note; dmesg | tail -n 30 | note; finish; }
driver=$(driver_of $gpu)
echo "# $bus is of $gpu, whose driver is $driver"
hold() { # NAME: a program of that name has the bus open
	cp "$(command -v sleep)" "$work/$1"
	"$work/$1" 1000 3<>"$bus" &
	holder=$!
}
let_go() { kill "$holder"; wait "$holder" 2>/dev/null; }
waiting() { ps -eo stat,comm | grep '^D' | grep -v kworker; } # in the kernel, and no signal ends it
untouched() { # WHEN
	equal "$1: function 0 has its driver" "$driver" "$(driver_of $gpu)"
	equal "$1: function 1 has its driver" snd_hda_intel "$(driver_of $sound)"
	check "$1: nobody waits in the kernel" bash -c "! ps -eo stat,comm | grep '^D' | grep -v kworker"
	same_host "$1: the host is as before"
}

idle_config held
host_snapshot "$work/before"
hold powerdevil
timeout 90 "$qlaunch" check "$work/held.conf" >"$work/check" 2>&1
equal "check: exit status" 4 $? || note <"$work/check"
check "check names the program" grep -q "✗.*$gpu is held open by powerdevil ($holder)" "$work/check" || note <"$work/check"
launch -v "$work/held.conf"
exit_of 90 "$launcher"
equal "run: exit status" 4 "$code" || show_run
check "run names the program" grep -q "$gpu is held open by powerdevil ($holder)" "$log" || show_run
check "run did not begin" bash -c "! grep -q 'vfio-pci: done' '$log'" || show_run
untouched "held"

# what the refusal is about
echo $gpu >"/sys/bus/pci/drivers/$driver/unbind" 2>/dev/null &
unbinding=$!
sleep 3
check "the kernel waits for the program" kill -0 $unbinding
timeout 90 "$qlaunch" check "$work/held.conf" >"$work/check" 2>&1
status=$?
check "check comes to its end meanwhile" test $status -ne 124 || note <"$work/check"
let_go
exit_of 60 $unbinding
check "and no longer" test -z "$(waiting)" -a "$(driver_of $gpu)" = none || waiting | note
echo $gpu >"/sys/bus/pci/drivers/$driver/bind"
check "the card is back" wait_for 30 bus_there
untouched "bound again"

# it comes between the check and the unbinding: the machine's own hook starts it
chmod 666 "$bus"
cp "$(command -v sleep)" "$work/openrgb"
cat >"$work/hook" <<-HOOK
	#!/bin/bash
	setsid $work/openrgb 1000 3<>$bus </dev/null >/dev/null 2>&1 &
	until [ "\$(readlink /proc/\$!/fd/3)" = $bus ]; do sleep 0.1; done
HOOK
chmod 755 "$work/hook"
{ cat "$work/held.conf"; printf '[hooks]\nbefore = %s\n' "$work/hook"; } >"$work/late.conf"
sed -i 's/^name = .*/name = late/' "$work/late.conf"
timeout 90 "$qlaunch" check "$work/late.conf" >"$work/check" 2>&1
equal "nobody has it: check's exit status" 0 $? || note <"$work/check"
launch -v "$work/late.conf"
exit_of 90 "$launcher"
equal "opened after the check: exit status" 4 "$code" || show_run
check "opened after the check: named" grep -q "held open by openrgb" "$log" || show_run
kill "$(pidof openrgb)"
wait_for 10 bash -c '! pidof openrgb'
untouched "opened after the check"

launch "$work/held.conf"
check "without the program it runs" wait_for 120 grep -q 'running after' "$log" || show_run
equal "the guest has the card" vfio-pci "$(driver_of $gpu)"
timeout 60 "$qlaunch" stop --now held
exit_of 60 "$launcher"
equal "exit status" 0 "$code" || show_run
check "the card's buses are back" wait_for 30 bus_there
untouched "after the guest"
finish
