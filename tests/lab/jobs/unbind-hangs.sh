# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# A program holds the sound card open, so the kernel's unbinding of function 1 waits for ever: the launcher must not. It gives up,
# says who holds it, and puts back what can be; when the program has ended, restore finds the host whole.
# seconds: 150
. "$(dirname "$0")/../lib.sh"
lab_host
direct_config stuck
host_snapshot "$work/before"
cp "$(command -v sleep)" "$work/soundserver"
"$work/soundserver" 1000 3</dev/snd/controlC0 &
holder=$!
launch "$work/stuck.conf"
exit_of 90 "$launcher"
case $code in
4 | 5) ok "the launcher ends by itself, with status $code" ;;
*) not_ok "the launcher ends by itself"; note <<<"status: $code"; show_run ;;
esac
check "it names the program that holds the card" grep -q soundserver "$log" || show_run
equal "function 0 is on its driver" aty128fb "$(driver_of $gpu)"
kill "$holder"
wait "$holder" 2>/dev/null
timeout 60 "$qlaunch" restore >"$work/restore" 2>&1
equal "restore: exit status" 0 $? || note <"$work/restore"
equal "function 1 is back on its driver" snd_hda_intel "$(driver_of $sound)"
same_host "the host is as before"
finish
