# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# A keyboard and a mouse shared by their twins: events are the guest's or the host's, never both; the keyboard vanishes with a key down and
# comes back; the escape chord works while QEMU is frozen; a device that was not there at the start; a launcher that is killed.
# check: no: `make lab` runs it
# seconds: 400
. "$(dirname "$0")/../lib.sh"
lab_host
hand_begin
listen() { # NODE FILE
	"$(dirname "$0")/../evdev.py" listen "$1" >"$2" 2>&1 &
	wait_for 20 grep -q listening "$2"
}
heard() { grep -qx "$2" "$1"; }
guest_key() { guest_said "key $1 $2\$"; }

do_it plug keyboard keyboard
do_it plug mouse mouse
check "udev names them" wait_for 20 test -e $by_id/lab-event-kbd -a -e $by_id/lab-event-mouse
check "qlaunch input names them" bash -c "'$qlaunch' input | grep -A 1 -x $by_id/lab-event-kbd | grep -q 'LAB keyboard.*keyboard, '"
"$qlaunch" input --seconds 5 >"$work/speaks" &
speaks=$!
wait_for 10 grep -q '^Press a key' "$work/speaks"
press keyboard 30
exit_of 20 $speaks
check "qlaunch input tells who speaks, as lines for the configuration" grep -qx "device = $by_id/lab-event-kbd" "$work/speaks" || note <"$work/speaks"
check "and that the mouse did not" bash -c "! grep -qx 'device = $by_id/lab-event-mouse' '$work/speaks'"

new_begin pressed
wait_for 30 grep -q "Keyboard for the guest" "$work/asked"
press keyboard 28
echo >&7
wait_for 30 grep -q "Mouse for the guest" "$work/asked"
do_it move mouse 1 2
exit_of 60 $newcomer
exec 7>&-
equal "qlaunch new: exit status" 0 "$code" || note <"$work/asked"
pressed=$(getent passwd player | cut -d: -f6)/.config/qlaunch/pressed.conf
equal "qlaunch new: the keyboard that was pressed, the mouse that was moved" "$by_id/lab-event-kbd $by_id/lab-event-mouse " \
	"$(sed -n 's/^device = //p' "$pressed" | tr '\n' ' ')" || note <"$work/asked"

direct_config desk
sed -i -e '/^\[pci/,/^functions/d' -e 's/^threads = .*/threads = 1/' -e 's/^isolate = .*/isolate = off/' -e 's/guest.forever/guest.input &/' "$work/desk.conf"
cat >>"$work/desk.conf" <<-CONF
	[input keyboard]
	device = $by_id/lab-event-kbd
	[input mouse]
	device = $by_id/lab-event-mouse
	[input late]
	device = $by_id/lab-late-event-mouse
	persistent = no
	wait = yes
CONF
source=$(readlink -f $by_id/lab-event-kbd)
listen "$source" "$work/source"
host_snapshot "$work/before"
do_it key keyboard 28 1 # as whoever presses Enter to start the machine
launch "$work/desk.conf"
check "the guest is up" guest_up 150 || { show_run; finish; }
twin=$(readlink -f /run/qlaunch/desk/input-keyboard)
check "the twin is another device" test -c "$twin" -a "$twin" != "$source"
equal "its node is root's again" 0 "$(stat -c %u "$twin")"
listen "$twin" "$work/twin"
do_it key keyboard 28 0
check "a key that was down before is the host's until it is up" wait_for 10 heard "$work/source" "key 28 0"

press keyboard 30
check "a key arrives in the guest" wait_for 20 guest_key 30 0
press mouse 272
do_it move mouse 3 -4
check "so does a button" wait_for 20 guest_key 272 0
check "so does a movement" wait_for 20 guest_said 'move 1 -4$'
check "the real device is silent on the host" bash -c "! grep -q 'key 30' '$work/source'"
check "so is the twin" bash -c "! grep -q 'key 30' '$work/twin'"
check "nobody told the guest of the key before" bash -c "! grep -q 'key 28' '$serial'"

toggle
press keyboard 31
check "after the toggle a key arrives on the host, by the twin" wait_for 20 heard "$work/twin" "key 31 0"
check "and not by the real device" bash -c "! grep -q 'key 31' '$work/source'"
toggle
press keyboard 32
check "after another toggle, in the guest" wait_for 20 guest_key 32 0
check "which heard nothing of the one between" bash -c "! tr -d '\r' <'$serial' | grep -q 'key 31 '"

do_it key keyboard 33 1
check "a key is down in the guest" wait_for 20 guest_key 33 1
do_it unplug keyboard
check "unplugged: the key goes up" wait_for 20 guest_key 33 0
check "the launcher says so" grep -q 'input keyboard. is gone' "$log"
check "the twin stays" test "$(readlink -f /run/qlaunch/desk/input-keyboard)" = "$twin" -a -c "$twin"
do_it plug keyboard keyboard
check "plugged in again: the launcher has it" wait_for 20 grep -q 'input keyboard. is back' "$log"
press keyboard 34
check "and so has the guest" wait_for 20 guest_key 34 0

source=$(readlink -f $by_id/lab-event-kbd)
listen "$source" "$work/source"
qemu=$(qemu_pid)
chord() { local k; for k in 29 56 42 1; do do_it key keyboard $k 1; done; for k in 1 42 56 29; do do_it key keyboard $k 0; done; }
kill -STOP "$qemu"
chord
press keyboard 35
check "the escape chord gives the keyboard to the host, QEMU frozen or not" wait_for 10 heard "$work/source" "key 35 0"
kill -CONT "$qemu"
chord
press keyboard 36
check "the same chord gives it back" wait_for 20 guest_key 36 0
check "the guest has not heard what was the host's" bash -c "! tr -d '\r' <'$serial' | grep -q 'key 35 '"
check "no key of the chord is left down in the guest" guest_key 29 0

do_it plug late mouse
check "a device without a twin that comes later is taken" wait_for 20 grep -q 'input late. has come' "$log"
do_it move late 7 0
check "the guest has it" wait_for 20 guest_said 'move 0 7$'

do_it unplug late
check "unplugged: the launcher says so" wait_for 20 grep -q 'input late. is gone' "$log"
do_it plug late mouse
again() { [ "$(grep -c 'input late. has come' "$log")" -eq 2 ]; }
check "plugged in again: it is taken again" wait_for 20 again
do_it move late 0 9
check "the guest has it again" wait_for 20 guest_said 'move 1 9$'

switches() { awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$launcher/status"; }
sleep 2
before=$(switches)
sleep 5
equal "nobody touches anything: the launcher does not wake up" "$before" "$(switches)"

kill -KILL "$launcher"
wait "$launcher" 2>/dev/null
check "the launcher killed: the twin ends" wait_for 10 test ! -e "$twin"
press keyboard 37
check "and the keyboard is the host's" wait_for 10 heard "$work/source" "key 37 0"
timeout 90 "$qlaunch" restore >"$work/restore" 2>&1
equal "restore: exit status" 0 $? || note <"$work/restore"
same_host "the host is as before"
hand_end
finish
