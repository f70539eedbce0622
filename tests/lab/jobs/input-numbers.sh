# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# Keyboards without a link in /dev/input/by-id, as Bluetooth's are: how they are proposed, and that they are found again under another number
# while another device has theirs; that two machines do not get one, however each writes it; that a key held down repeats as on the device.
# check: no: `make lab` runs it
# seconds: 600
. "$(dirname "$0")/../lib.sh"
lab_host
hand_begin
modprobe uhid
listen() { # NODE FILE
	"$top/tests/lab/evdev.py" listen "$1" >"$2" 2>&1 &
	wait_for 20 grep -q listening "$2"
}
heard() { grep -qx "$2" "$1"; }
node_of() { # NAME: of the keyboard itself, not of its twin
	local d
	for d in /sys/class/input/event*; do
		[ "$(cat "$d/device/name")" != "LAB $1" ] || echo "/dev/input/${d##*/}"
	done
}
there() { [ -n "$(node_of "$1")" ] && udevadm settle; }
has_open() { find "/proc/$(qemu_pid)/fd" -lname "$1" | grep -q .; }

do_it plug desk bluetooth dc:2c:26:01:02:03
do_it plug plain bluetooth dc:2c:26:01:02:04
do_it plug spare bluetooth dc:2c:26:01:02:05
for k in desk plain spare; do check "$k is there" wait_for 20 there $k; done
desk=$(node_of desk) spare=$(node_of spare)
equal "qlaunch input proposes what the device says of itself" "uniq:dc:2c:26:01:02:03" \
	"$("$qlaunch" input --json | jq -r --arg n "$desk" '.[] | select(.node == $n).device')"

idle_config numbers
sed -i -e '/^\[pci/,/^functions/d' -e '/^place = /d' -e 's/^threads = .*/threads = 1/' -e 's/^isolate = .*/isolate = off/' "$work/numbers.conf"
cp "$work/numbers.conf" "$work/second.conf"
sed -i 's/^name = .*/name = second/; s/^serial = .*/serial = none/' "$work/second.conf"
cat >>"$work/numbers.conf" <<-CONF
	[input desk]
	device = $desk
	[input spare]
	device = name:LAB spare
	persistent = no
CONF
"$qlaunch" check "$work/numbers.conf" >"$work/check" 2>&1
check "check warns of a bare number and proposes the better word" grep -q 'device = uniq:dc:2c:26:01:02:03' "$work/check" || note <"$work/check"
launch "$work/numbers.conf"
check "it runs" wait_for 120 grep -q running "$log" || { show_run; finish; }
twin=$(readlink -f /run/qlaunch/numbers/input-desk)
check "QEMU has the one without a twin" has_open "$spare"
for way in "$desk" uniq:dc:2c:26:01:02:03 'name:LAB desk' 'uniq:dc:2c:26:01:02:05'; do
	{ cat "$work/second.conf"; printf '[input k]\ndevice = %s\n' "$way"; } >"$work/second-way.conf"
	"$qlaunch" check "$work/second-way.conf" >"$work/check" 2>&1
	check "a second machine does not get it as $way" grep -q 'belongs to numbers' "$work/check" || note <"$work/check"
done

ctrl_ctrl() { do_it key desk 29 1; do_it key desk 97 1; do_it key desk 97 0; do_it key desk 29 0; }
ctrl_ctrl # to the host: QEMU would keep the twin's events to itself
plain=$(node_of plain)
listen "$twin" "$work/twin"
listen "$plain" "$work/plain"
press desk 30
check "the twin speaks to the host" wait_for 20 heard "$work/twin" "key 30 0"
do_it key plain 31 1
do_it key desk 31 1
sleep 4
do_it key plain 31 0
do_it key desk 31 0
check "both keys are up" wait_for 20 heard "$work/twin" "key 31 0"
again() { grep -cx "again 31" "$1"; }
echo "# a key held for as long: repeated $(again "$work/plain") times by a keyboard, $(again "$work/twin") times by a twin"
check "a key that is held repeats" test "$(again "$work/plain")" -gt 10
check "under a twin as often as on the device" test "$(again "$work/twin")" -gt $(($(again "$work/plain") / 2)) -a "$(again "$work/twin")" -lt $(($(again "$work/plain") * 3 / 2))

# the number goes to a stranger, the device comes back under another one
do_it unplug desk
check "unplugged: the launcher says so" wait_for 20 grep -q 'input desk. is gone' "$log"
do_it plug stranger keyboard
check "a stranger has come" wait_for 20 there stranger
equal "under its number" "$desk" "$(node_of stranger)"
listen "$desk" "$work/stranger"
press stranger 32
check "it is the host's" wait_for 20 heard "$work/stranger" "key 32 0"
check "and not taken for the one that is gone" bash -c "! grep -q 'input desk. is back' '$log'"
do_it plug desk bluetooth dc:2c:26:01:02:03
check "plugged in again: it is back" wait_for 20 grep -q 'input desk. is back' "$log"
check "under another number" test "$(node_of desk)" != "$desk"
press desk 33
check "and speaks by its twin" wait_for 20 heard "$work/twin" "key 33 0"
check "the stranger was never heard there" bash -c "! grep -q 'key 32' '$work/twin'"

do_it unplug spare
do_it plug other keyboard
check "without a twin: unplugged, and another one there at once" wait_for 20 there other
equal "under its number" "$spare" "$(node_of other)"
check "the launcher says so" wait_for 20 grep -q 'input spare. is gone' "$log"
do_it plug spare bluetooth dc:2c:26:01:02:05
check "plugged in again: it is taken" wait_for 20 grep -q 'input spare. has come' "$log"
check "under another number" test "$(node_of spare)" != "$spare"
check "QEMU has it" wait_for 10 has_open "$(node_of spare)"
check "and its node is root's again" wait_for 10 test "$(stat -c %u "$(node_of spare)")" -eq 0
{ cat "$work/second.conf"; printf '[input k]\ndevice = %s\n' "$spare"; } >"$work/second-way.conf"
"$qlaunch" check "$work/second-way.conf" >"$work/check" 2>&1
check "a second machine may have what has its old number" bash -c "! grep -q 'belongs to numbers' '$work/check'" || note <"$work/check"

timeout 60 "$qlaunch" stop --now numbers
exit_of 60 "$launcher"
equal "exit status" 0 "$code" || note <"$log"
hand_end
finish
