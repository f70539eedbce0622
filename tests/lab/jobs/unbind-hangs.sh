# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# A sound server that hangs holds the sound card open, so the kernel's unbinding of function 1 waits for ever: the launcher must not. It gives
# up, says who holds it, and puts back what can be; when the program has ended, restore finds the host whole. Any other program that has it
# open, who may never let go, is refused before.
# seconds: 180
. "$(dirname "$0")/../lib.sh"
lab_host
direct_config stuck
host_snapshot "$work/before"
hold() { # NAME: a program of that name has the card open
	cp "$(command -v sleep)" "$work/$1"
	"$work/$1" 1000 3</dev/snd/controlC0 &
	holder=$!
}
hold player
launch -v "$work/stuck.conf"
exit_of 90 "$launcher"
equal "any other program: exit status" 4 "$code" || show_run
check "any other program: named" grep -q "$sound is held open by player" "$log" || show_run
check "any other program: nothing was begun" bash -c "! grep -q 'vfio-pci: done' '$log'" || show_run
kill "$holder"
wait "$holder" 2>/dev/null
same_host "any other program: the host is as before"

hold pipewire
launch "$work/stuck.conf"
exit_of 90 "$launcher"
case $code in
4 | 5) ok "the launcher ends by itself, with status $code" ;;
*) not_ok "the launcher ends by itself"; note <<<"status: $code"; show_run ;;
esac
check "it names the program that holds the card" grep -q "held open by pipewire" "$log" || show_run
equal "function 0 is on its driver" aty128fb "$(driver_of $gpu)"
kill "$holder"
wait "$holder" 2>/dev/null
timeout 60 "$qlaunch" restore >"$work/restore" 2>&1
equal "restore: exit status" 0 $? || note <"$work/restore"
equal "function 1 is back on its driver" snd_hda_intel "$(driver_of $sound)"
same_host "the host is as before"
finish
