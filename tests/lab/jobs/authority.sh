# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# Who may have what started: the installed units under a real systemd, for names with dashes, dots and @, and for a path; two machines of
# which one has lost its launcher; a real polkit, asked by pkexec with an agent that answers, one that refuses, and a rule for one action.
# check: no: `make lab` runs it
# seconds: 420
. "$(dirname "$0")/../lib.sh"
lab_host
unset SUDO_UID SUDO_GID SUDO_USER
cd "$top" && make -s install PREFIX=/usr BUILD="$build" >"$work/install" 2>&1 || note <"$work/install"
qlaunch=/usr/bin/qlaunch
mkdir -p /etc/qlaunch
systemctl daemon-reload

small() { # FILE NAME [LINE...]: a machine that is only to be there
	local file=$1 name=$2; shift 2
	printf '[vm]\nname = %s\naccel = tcg\n%s[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n' \
		"$name" "$(printf '%s\n' "$@" x | sed '$d' | sed '$a\')
" >"$file"
}
qemu_of() { "$qlaunch" status --json | jq -r ".[] | select(.vm == \"$1\") | .qemu"; }
runs() { [ -n "$(qemu_of "$1")" ] && [ "$(qemu_of "$1")" != null ]; }
is() { [ "$(systemctl is-active "$1")" = "$2" ]; }

# --- names ---
for name in my-vm a.b x@y; do
	small "/etc/qlaunch/$name.conf" "$name" 'user = player'
	check "unit $name: starts" systemctl start "qlaunch@$name.service"
	check "unit $name: its guest runs" wait_for 60 runs "$name" || systemctl status --no-pager "qlaunch@$name.service" | note
	equal "unit $name: QEMU is the user" "$(id -u player)" "$(stat -c %u "/proc/$(qemu_of "$name")")"
done
printf '#!/bin/sh\ntouch %s/ran\n' "$work" >/home/player/hook; chmod 755 /home/player/hook
small /home/player/own.conf own; printf '[hooks]\nbefore = /home/player/hook\n' >>/home/player/own.conf
systemctl start 'qlaunch@-home-player-own.conf.service'
wait_for 20 is 'qlaunch@-home-player-own.conf.service' failed
equal "unit with a path: it has failed" failed "$(systemctl is-active 'qlaunch@-home-player-own.conf.service')"
check "unit with a path: nothing was run" test ! -e "$work/ran"

# --- two machines, one dead launcher ---
dead=$(qemu_of my-vm)
kill -KILL "$(systemctl show -p MainPID --value qlaunch@my-vm.service)"
check "dead launcher: its unit waits" wait_for 30 is qlaunch@my-vm.service deactivating
"$qlaunch" stop --now a.b
check "dead launcher: the other one ends" wait_for 60 is qlaunch@a.b.service inactive
check "dead launcher: its guest plays on when the other one ends" kill -0 "$dead"
check "dead launcher: and the third one's" runs x@y
kill -KILL "$dead"
check "dead launcher: its unit ends when its guest has" wait_for 60 is qlaunch@my-vm.service failed
check "dead launcher: nothing is left of it" wait_for 30 test ! -d /run/qlaunch/my-vm
check "dead launcher: the third one runs on" runs x@y
"$qlaunch" stop --now x@y
check "the third one ends" wait_for 60 is qlaunch@x@y.service inactive
check "nothing is left of it" wait_for 30 test ! -d /run/qlaunch/x@y

# --- polkit ---
systemctl start polkit
echo root:opensesame | chpasswd
small "$work/pk.conf" pk '' ; chmod 644 "$work/pk.conf"
ask() { # ANSWER WORD...: pkexec, as the user, on a terminal of its own; what the agent there is told
	local answer=$1; shift
	{ sleep 4; echo "$answer"; sleep "${hold:-6}"; } | runuser -u player -- script -qefc "pkexec $qlaunch $*" /dev/null >"$work/asked" 2>&1
}
ask wrong run "$work/pk.conf"; code=$?
equal "agent that refuses: pkexec's status" 127 "$code" || note <"$work/asked"
check "agent that refuses: nothing runs" bash -c '[ -z "$(pidof qemu-system-x86_64)" ]'
hold=40 ask opensesame run "$work/pk.conf" &
check "agent that answers: the guest runs" wait_for 40 runs pk || note <"$work/asked"
equal "agent that answers: QEMU is the one who was asked for" "$(id -u player)" "$(stat -c %u "/proc/$(qemu_of pk)")"
check "the action's own words are shown" grep -q 'gets devices, processors or memory' "$work/asked" || note <"$work/asked"
# one action by a rule, without an agent; the others still ask, and there is nobody to answer
cat >/etc/polkit-1/rules.d/10-lab.rules <<-RULE
	polkit.addRule(function (action, subject) {
		if (action.id == "org.qlaunch.stop" && subject.user == "player")
			return polkit.Result.YES;
	});
RULE
sleep 2
runuser -u player -- setsid pkexec --disable-internal-agent "$qlaunch" run "$work/pk.conf" </dev/null >"$work/asked2" 2>&1; code=$?
equal "a rule for stop: run is not allowed by it" 127 "$code" || note <"$work/asked2"
runuser -u player -- setsid pkexec --disable-internal-agent "$qlaunch" stop --now pk </dev/null >"$work/asked2" 2>&1; code=$?
equal "a rule for stop: stop is" 0 "$code" || note <"$work/asked2"
check "a rule for stop: and has stopped it" bash -c '[ -z "$(pidof qemu-system-x86_64)" ]'
wait
finish
