# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# Monitors that tell another input than they show, asked by the real libddcutil: always 0, always the host's, a maker's value of two bytes. What
# was written counts: each is switched to the guest and back, and what it reads is worth a warning.
# check: no: `make lab` runs it
# seconds: 420
. "$(dirname "$0")/../lib.sh"
lab_host
monitor_begin
try() { timeout 90 "$qlaunch" monitors --try "$@" >"$work/try" 2>&1; }
over() { # EXIT-STATUS: the machine ends
	timeout 90 "$qlaunch" stop --now seen
	exit_of 60 "$launcher"
	equal "... exit status" "$1" "$code" || show_run
}
there_and_back() { # RUN-OPTION...: the guest is shown, the mismatch told, the host shown again
	machine "$@"
	check "... the guest is shown" wait_for 60 shows 0x12 || show_run
	check "... what it reads is a warning" wait_for 60 grep -q 'does not take that value, or does not tell it' "$log" || show_run
	over 0
	equal "... and back, each by one command" "0x12 0x0f " "$(inputs_set)"
}

plug --reads '*=0'
echo "# always 0"
timeout 60 "$qlaunch" monitors >"$work/list" 2>&1
check "monitors proposes no input that the configuration refuses" bash -c "! grep -q 'host-input = 0x' '$work/list'" || note <"$work/list"
check "... and says how it is found" grep -q -- '--try VALUE --back VALUE' "$work/list" || note <"$work/list"
try 0x12
equal "monitors --try: nobody knows the way back" 4 $? || note <"$work/try"
check "... the remedy has it" grep -q -- '--try 0x12 --back VALUE' "$work/try" || note <"$work/try"
try 0x12 --back 0x0f
equal "monitors --try --back: exit status" 0 $? || note <"$work/try"
check "... the mismatch is told" grep -q 'reads input 0x00 after 0x12 was set' "$work/try" || note <"$work/try"
equal "... there and back" "0x12 0x0f " "$(inputs_set)"
plug --reads '*=0'
machine
check "without host-input: it is not switched, which is said" wait_for 60 grep -q 'does not tell which input to come back to' "$log" || show_run
over 0
equal "... and it is not" "" "$(inputs_set)"
there_and_back --set 'monitor main.host-input=0x0f'
timeout 60 "$qlaunch" switch "$work/seen.conf" >"$work/switch" 2>&1
equal "switch without a word: nobody knows the other one" 4 $? || note <"$work/switch"
timeout 60 "$qlaunch" switch "$work/seen.conf" guest >"$work/switch" 2>&1
equal "switch guest: exit status" 0 $? || note <"$work/switch"
check "... the guest is shown" shows 0x12
timeout 60 "$qlaunch" switch "$work/seen.conf" host --set 'monitor main.host-input=0x0f' >"$work/switch" 2>&1
equal "switch host: exit status" 0 $? || note <"$work/switch"
check "... the host is shown" shows 0x0f

plug --reads '*=0x0f'
echo "# always the host's, also while it shows the guest"
try 0x12 LAB
equal "monitors --try: exit status" 0 $? || note <"$work/try"
check "... the mismatch is told" grep -q 'reads input 0x0f after 0x12 was set' "$work/try" || note <"$work/try"
equal "... there and back" "0x12 0x0f " "$(inputs_set)"
plug --reads '*=0x0f'
there_and_back

plug --reads 0x0f=0x0305
echo "# a maker's value for the host's"
timeout 60 "$qlaunch" monitors >"$work/list" 2>&1
check "monitors does not propose it" bash -c "! grep -q 'host-input = 0x' '$work/list'" || note <"$work/list"
machine --set 'monitor main.host-input=0x0f'
check "... the guest is shown" wait_for 60 shows 0x12 || show_run
over 0
equal "... and back" "0x12 0x0f " "$(inputs_set)"
check "... what it reads is a warning" grep -q 'reads input 0x305 after 0x0f was set' "$log" || show_run

plug
echo "# one that wants two bytes"
machine --set 'monitor main.guest-input=0x0305' --set 'monitor main.host-input=0x0f'
check "... gets both" wait_for 60 shows 0x305 || show_run
over 0
equal "... and back" "0x305 0x0f " "$(inputs_set)"
kill "$monitor"
finish
