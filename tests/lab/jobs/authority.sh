# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# Who may have what started: the installed units under a real systemd, for names with dashes, dots and @, and for a path; three machines of
# which one has lost its launcher: its guest plays on, and the others with it; the same by a user's own systemd. (A real polkit is asked in tests/desktop.bats.)
# check: no: `make lab` runs it
# seconds: 600
. "$(dirname "$0")/../lib.sh"
lab_host
unset SUDO_UID SUDO_GID SUDO_USER
cd "$top" && make -s install PREFIX=/usr BUILD="$build" >"$work/install" 2>&1 || note <"$work/install"
qlaunch=/usr/bin/qlaunch
mkdir -p /etc/qlaunch
systemctl daemon-reload

small() { # FILE NAME LINE: a machine that is only to be there, with this line in [vm]
	printf '[vm]\nname = %s\naccel = tcg\n%s\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n' "$2" "$3" >"$1"
}
qemu_of() { "$qlaunch" status --json | jq -r ".[] | select(.vm == \"$1\") | .qemu"; }
runs() { [ -n "$(qemu_of "$1")" ] && [ "$(qemu_of "$1")" != null ]; }
is() { [ "$(systemctl is-active "$1")" = "$2" ]; }

# --- names ---
for file in my-vm a.b x@y; do
	name=${file/@/-} # of the machine: @ is no part of one
	small "/etc/qlaunch/$file.conf" "$name" 'user = player'
	check "unit $file: starts" systemctl start "qlaunch@$file.service"
	check "unit $file: its guest runs" wait_for 60 runs "$name" || systemctl status --no-pager "qlaunch@$file.service" | note
	equal "unit $file: QEMU is the user" "$(id -u player)" "$(stat -c %u "/proc/$(qemu_of "$name")")"
done
printf '#!/bin/sh\ntouch %s/ran\n' "$work" >/home/player/hook; chmod 755 /home/player/hook
small /home/player/own.conf own ''; printf '[hooks]\nbefore = /home/player/hook\n' >>/home/player/own.conf
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
check "dead launcher: and the third one's" runs x-y
kill -KILL "$dead"
check "dead launcher: its unit ends when its guest has" wait_for 60 is qlaunch@my-vm.service failed
check "dead launcher: nothing is left of it" wait_for 30 test ! -d /run/qlaunch/my-vm
check "dead launcher: the third one runs on" runs x-y
"$qlaunch" stop --now x-y
check "the third one ends" wait_for 60 is qlaunch@x@y.service inactive
check "nothing is left of it" wait_for 30 test ! -d /run/qlaunch/x-y

# --- the user's own unit: the same, without root ---
run=/run/user/$(id -u player)
systemctl start "user@$(id -u player).service"
as_player() { runuser -u player -- env HOME=/home/player XDG_RUNTIME_DIR="$run" "$@"; }
user_is() { [ "$(as_player systemctl --user is-active "$1")" = "$2" ]; }
user_qemu() { as_player "$qlaunch" status --json | jq -r ".[] | select(.vm == \"$1\") | .qemu"; }
user_runs() { [ -n "$(user_qemu "$1")" ] && [ "$(user_qemu "$1")" != null ]; }
as_player mkdir -p /home/player/.config/qlaunch
for file in u-1 u@2; do
	small "/home/player/.config/qlaunch/$file.conf" "${file/@/-}" ''
	check "user's unit $file: starts" as_player systemctl --user start "qlaunch@$file.service"
	check "user's unit $file: its guest runs" wait_for 60 user_runs "${file/@/-}" || as_player systemctl --user status --no-pager "qlaunch@$file.service" | note
done
dead=$(user_qemu u-1)
kill -KILL "$(as_player systemctl --user show -p MainPID --value qlaunch@u-1.service)"
check "user's dead launcher: its unit waits" wait_for 30 user_is qlaunch@u-1.service deactivating
as_player "$qlaunch" stop --now u-2
check "user's dead launcher: the other one ends" wait_for 60 user_is qlaunch@u@2.service inactive
check "user's dead launcher: its guest plays on when the other one ends" kill -0 "$dead"
kill -KILL "$dead"
check "user's dead launcher: its unit ends when its guest has" wait_for 60 user_is qlaunch@u-1.service failed
check "user's dead launcher: nothing is left of it" wait_for 30 test ! -d "$run/qlaunch/u-1"

finish
