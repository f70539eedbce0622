# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# A DDC/CI monitor on the real kernel's I2C, asked by the real libddcutil: listed, tried, switched for a guest and back; one
# that answers only on the input that it shows, one that does not even listen then, one that hangs.
# check: no: `make lab` runs it
# seconds: 420
. "$(dirname "$0")/../lib.sh"
lab_host
monitor_begin
plug
check "it is plugged in" test -n "$bus" || { note <"$said"; dmesg | tail -n 5; finish; }
timeout 60 "$qlaunch" monitors >"$work/list" 2>&1
equal "monitors: exit status" 0 $? || note <"$work/list"
check "monitors: its name, maker and bus" grep -q "^AUS LAB MONITOR.*i2c-$bus" "$work/list" || note <"$work/list"
check "monitors: what it shows" grep -q 'shows *0x0f (DisplayPort 1)' "$work/list" || note <"$work/list"
check "monitors: what it advertises" grep -q 'advertises 0x0f (DisplayPort 1), 0x12 (HDMI 2)' "$work/list" || note <"$work/list"
timeout 90 "$qlaunch" monitors --try 0x12 LAB >"$work/try" 2>&1
equal "monitors --try: exit status" 0 $? || note <"$work/try"
equal "monitors --try: there and back" "0x12 0x0f " "$(inputs_set)"

new_begin tried
wait_for 30 grep -q "Keyboard for the guest" "$work/asked"
echo none >&7
wait_for 30 grep -q "Mouse for the guest" "$work/asked"
echo >&7
wait_for 60 grep -q "card is plugged into" "$work/asked"
echo 0x12 >&7
wait_for 60 grep -q "the right one" "$work/asked"
check "new: the input was tried, and the host is shown again" shows 0x0f
echo yes >&7
exit_of 60 $newcomer
exec 7>&-
equal "new: exit status" 0 "$code" || note <"$work/asked"
tried=$(getent passwd player | cut -d: -f6)/.config/qlaunch/tried.conf
equal "new: the monitor with the guest's input" "match = AUS LAB MONITOR guest-input = 0x12" \
	"$(sed -n '/^\[monitor screen\]/,$s/^\(match\|guest-input\) = /&/p' "$tried" | xargs)" || note <"$work/asked"

machine
check "the guest runs: the monitor shows it" wait_for 60 shows 0x12 || show_run
timeout 60 "$qlaunch" switch "$work/seen.conf" >"$work/switch" 2>&1
equal "switch: exit status" 0 $? || note <"$work/switch"
check "switch: the host is shown" shows 0x0f
timeout 60 "$qlaunch" switch "$work/seen.conf" guest >"$work/switch" 2>&1
check "switch guest: the guest is shown" shows 0x12 || note <"$work/switch"
timeout 90 "$qlaunch" stop --now seen
exit_of 60 "$launcher"
equal "after the guest: exit status" 0 "$code" || show_run
check "after the guest: the host is shown again" shows 0x0f

machine
wait_for 60 shows 0x12
kill -KILL "$launcher"; wait "$launcher" 2>/dev/null
timeout 90 "$qlaunch" restore >"$work/restore" 2>&1
equal "after a killed launcher: restore's exit status" 0 $? || note <"$work/restore"
check "after a killed launcher: the host is shown again" shows 0x0f

plug --only-on 0x0f
machine
check "one that answers on its active input only is switched" wait_for 60 shows 0x12
check "... and it is said" wait_for 30 grep -q 'answers only on the input that it shows' "$log" || show_run
timeout 90 "$qlaunch" stop --now seen
exit_of 60 "$launcher"
equal "... and back: exit status" 0 "$code" || show_run
check "... and back" shows 0x0f

plug --ignore 0x12
timeout 90 "$qlaunch" monitors --try 0x12 >"$work/try" 2>&1
check "a value that it does not take is told" grep -q 'does not take that value' "$work/try" || note <"$work/try"

plug --only-on 0x0f --deaf
machine
wait_for 60 shows 0x12
timeout 90 "$qlaunch" stop --now seen
exit_of 90 "$launcher"
equal "one that cannot be reached any more is a residue" 5 "$code" || show_run
check "... named, with what to do" grep -q 'press the button' "$log" || show_run
timeout 60 "$qlaunch" restore --forget seen >/dev/null 2>&1

plug --hang
begun=$SECONDS
timeout 120 "$qlaunch" monitors >"$work/list" 2>&1
equal "one that hangs: monitors' exit status" 4 $? || note <"$work/list"
check "... told as such" grep -q 'hangs' "$work/list" || note <"$work/list"
machine
sleep 3
check "... and the guest runs without it" test "$("$qlaunch" status --json seen | jq -r '.[0]["run-state"]')" = running
timeout 90 "$qlaunch" stop --now seen
exit_of 60 "$launcher"
equal "... and ends as ever" 0 "$code" || show_run
kill "$monitor"
finish
