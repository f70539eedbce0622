#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The machine in the desktop's menu: the entry as the desktop's own tools judge it, clicked by a pointer in a session of its own; what
# the session is told; and polkit, a real one, asking. Each session has a bus of its own; polkit's is in a namespace of mounts.

setup() {
	cd "$BATS_TEST_DIRNAME/.."
	qlaunch=$PWD/${BUILD:-build}/qlaunch
	unset DBUS_SESSION_BUS_ADDRESS DISPLAY WAYLAND_DISPLAY XDG_DATA_DIRS SUDO_UID PKEXEC_UID
	dir=$(mktemp -d); chmod 755 "$dir" # bats' own directories are not another user's to enter
	export HOME=$dir XDG_RUNTIME_DIR=$dir/run XDG_DATA_HOME=$dir/data XDG_CONFIG_HOME=$dir/.config LC_ALL=C.UTF-8
	mkdir -m 700 "$dir/run"
	vm=d$BATS_TEST_NUMBER-$$
	conf=$dir/$vm.conf entry=$dir/data/applications/qlaunch-$vm.desktop
	machine >"$conf"
}
teardown() {
	"$qlaunch" stop --kill "$vm" >/dev/null 2>&1 || true
	"$qlaunch" restore "$vm" >/dev/null 2>&1 || true
	rm -rf "$dir"
}
machine() { # boots nothing
	printf '[vm]\ndescription = Boots nothing\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n'
}
of() { sed -n "s/^$1=//p" "$entry" | head -n 1; } # KEY: its value in the entry
until_true() { # COMMAND...: up to a minute
	for _ in $(seq 300); do "$@" && return; sleep 0.2; done
	echo "never: $*"; return 1
}
runs() { [ "$("$qlaunch" status --json "$vm" | jq -r '.[0]["run-state"]')" = running ]; }
gone() { [ "$("$qlaunch" status --json "$vm" | jq length)" -eq 0 ]; }
export_all() { # for a script: begins with . "$dir/functions", for dash in between drops exported ones
	export qlaunch dir vm conf entry
	declare -f of until_true runs gone >"$dir/functions"
}
as_nobody() { runuser -u nobody -- env HOME="$dir" XDG_DATA_HOME="$XDG_DATA_HOME" "$@"; }

@test "an entry that the desktop's tools accept; renewed; removed, also when the configuration is gone" {
	printf '[monitor m]\nmatch = X\nguest-input = 0x0f\n' >>"$conf"
	run "$qlaunch" desktop "$conf"
	echo "$output"; [ "$status" -eq 0 ]; [[ $output == *"$entry"* ]]
	desktop-file-validate "$entry"
	[ "$(of Name)" = "$vm" ]; [ "$(of Comment)" = "Boots nothing" ]; [ "$(of Actions)" = "stop;switch;" ]
	[ -x "$(of TryExec)" ]; [ -s "$(of Icon)" ]
	run "$qlaunch" desktop "$conf"
	[ "$status" -eq 0 ]; [[ $output == *renewed* ]]
	rm "$conf"
	"$qlaunch" desktop --remove "$vm"
	[ ! -e "$entry" ]
	run "$qlaunch" desktop --remove "$vm"
	[ "$status" -eq 0 ]; [[ $output == *"not in the menu"* ]]
}

@test "somebody else's file stays, byte for byte; so does the entry of another machine of that name" {
	mkdir -p "${entry%/*}"
	printf '[Desktop Entry]\nName=mine\n' >"$entry"
	for words in "$conf" "--remove $conf"; do
		run "$qlaunch" desktop $words
		[ "$status" -eq 2 ]; [[ $output == *"none of qlaunch's"* ]]
	done
	[ "$(cat "$entry")" = "$(printf '[Desktop Entry]\nName=mine\n')" ]
	rm "$entry"
	"$qlaunch" desktop "$conf"
	mkdir "$dir/other"; cp "$conf" "$dir/other"
	run "$qlaunch" desktop "$dir/other/$vm.conf"
	[ "$status" -eq 2 ]; [[ $output == *"$conf"* ]]
	grep -qxF "X-Qlaunch-Config=$conf" "$entry"
}

@test "sudo is sent back: the menu is the user's" {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	SUDO_UID=65534 run "$qlaunch" desktop "$conf"
	[ "$status" -eq 2 ]; [[ $output == *"without sudo"* ]]
}

@test "odd paths reach qlaunch byte for byte through a real launcher" {
	for odd in "a b" 'it'\''s "x"' '$HOME `id`' 'back\slash\n' '100% %f %%' 'a;b&c|d<e>(f)*?#~' "máquina" $'new\nline\ttab'; do
		mkdir -p "$dir/$odd"
		cp "$conf" "$dir/$odd/$vm.conf"
		rm -f "$entry"
		"$qlaunch" desktop "$dir/$odd/$vm.conf"
		desktop-file-validate "$entry"
		# the launcher runs a program of ours that notes what it was given, in place of qlaunch
		printf '#!/bin/sh\nprintf "%%s\\0" "$@" >%s.part; mv %s.part %s\n' "$dir/given" "$dir/given" "$dir/given" >"$dir/note"; chmod +x "$dir/note"
		rm -f "$dir/given"
		sed -i "s|$qlaunch|$dir/note|" "$entry"
		timeout 60 gio launch "$entry" 3>&-
		until_true test -e "$dir/given"
		printf 'run\0%s\0' "$dir/$odd/$vm.conf" | cmp - "$dir/given"
	done
}

@test "pkexec only where a step needs root" {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	mkdir -m 777 "$dir/data"
	as_nobody "$qlaunch" desktop "$conf"
	[ "$(of Exec)" = "$qlaunch run $conf" ]
	printf '[network lan]\nmode = isolated\n[monitor m]\nmatch = X\nguest-input = 0x0f\n' >>"$conf"
	run as_nobody "$qlaunch" desktop "$conf"
	[ "$status" -eq 0 ]; [[ $output == *"for a password"* ]]; [[ $output == *"ln -s"* || $output == *"make install"* ]]
	[ "$(sed -n 's/^Exec=//p' "$entry")" = "/usr/bin/pkexec $qlaunch run $conf
/usr/bin/pkexec $qlaunch stop $vm
/usr/bin/pkexec $qlaunch switch $conf" ]
	desktop-file-validate "$entry"
}

@test "a machine that stops the desktop is a service; systemd asks" {
	printf '[host]\nrelease-console = yes\n' >>"$conf"
	run "$qlaunch" desktop "$conf"
	[ "$status" -eq 3 ]; [[ $output == *"sudo cp $conf /etc/qlaunch/"* ]]
	[ ! -e "$entry" ]
	[ "$(id -u)" -eq 0 ] || skip "not root"
	unshare -m --propagation private bash -c 'mount -t tmpfs none /etc/qlaunch 2>/dev/null || { mkdir /etc/qlaunch && mount -t tmpfs none /etc/qlaunch; }
		cp "$1" "/etc/qlaunch/my-vm.conf"; "$2" desktop my-vm' - "$conf" "$qlaunch"
	rmdir /etc/qlaunch 2>/dev/null || true
	entry=$dir/data/applications/qlaunch-my-vm.desktop
	[ "$(of Exec)" = 'systemctl start qlaunch@my-vm.service' ]
	desktop-file-validate "$entry"
}

@test "what is installed: policy and metainfo are valid, and name the binary; the icon is found by name" {
	prefix=$dir/usr
	make -s install PREFIX="$prefix" BUILD="${BUILD:-build}" 3>&-
	policy=$prefix/share/polkit-1/actions/org.qlaunch.policy
	xmllint --noout --nonet --dtdvalid /usr/share/polkit-1/policyconfig-1.dtd "$policy"
	[ "$(grep -o 'exec.path">[^<]*' "$policy" | sort -u)" = "exec.path\">$prefix/bin/qlaunch" ]
	run appstreamcli validate --no-net --pedantic "$prefix/share/metainfo/org.qlaunch.qlaunch.metainfo.xml"
	echo "$output"
	# a newer one wants a home page, which there is none of, and another form of the developer's name, which an older one does not know
	[[ $output == *Validation* ]]
	[ -z "$(grep '^[EWIP]: ' <<<"$output" | grep -v -e ' url-homepage-missing$' -e ' developer-name-tag-deprecated$' -e ' developer-info-missing$')" ]
	xmllint --noout "$prefix/share/icons/hicolor/scalable/apps/qlaunch.svg"
	XDG_DATA_DIRS=$prefix/share "$prefix/bin/qlaunch" desktop "$conf"
	[ "$(of Icon)" = qlaunch ]; [ "$(of TryExec)" = "$prefix/bin/qlaunch" ]
}

@test "clicked in a session: the machine runs, the session is told; its action presses the power button; told of the end" {
	cat >"$dir/session" <<-'SESSION'
		set -eu
		. "$dir/functions"
		printf 'panel_items = L\npanel_size = 200 48\nlauncher_item_app = %s\nlauncher_icon_size = 40\npanel_position = bottom left horizontal\n' "$entry" >"$dir/tint2rc"
		dbus-monitor --session "interface='org.freedesktop.Notifications'" >"$dir/notes" &
		dunst >"$dir/dunst" 2>&1 &
		openbox >/dev/null 2>&1 &
		tint2 -c "$dir/tint2rc" >"$dir/panel" 2>&1 &
		window=$(timeout 60 xdotool search --sync --onlyvisible --class tint2 | head -n 1)
		eval "$(xdotool getwindowgeometry --shell "$window")"
		for _ in $(seq 10); do # a panel that has only just come up may miss one
			xdotool mousemove $((X + 24)) $((Y + 24)) click 1
			for _ in $(seq 25); do runs && break 2; sleep 0.2; done
		done
		until_true grep -qF "string \"$vm is ready\"" "$dir/notes"
		[ -z "${SHOT:-}" ] || { sleep 1; import -window root "$SHOT"; }
		until_true test "$(dunstctl count displayed)" -ge 1
		{ printf '[Desktop Entry]\nType=Application\n'; sed -n '/^\[Desktop Action stop\]/,/^$/{/^\[/d;p}' "$entry"; } >"$dir/stop.desktop"
		desktop-file-validate "$dir/stop.desktop"
		gio launch "$dir/stop.desktop" >/dev/null 2>&1
		until_true grep -q "pressing the guest's power button" "$dir/panel"
		"$qlaunch" stop --now "$vm"
		gone
		until_true grep -qF "string \"$vm has ended\"" "$dir/notes"
		grep -qF 'string "The host is as it was before."' "$dir/notes"
	SESSION
	"$qlaunch" desktop "$conf"
	export_all
	status=0
	timeout 240 xvfb-run -a -s '-screen 0 640x480x24' dbus-run-session -- bash "$dir/session" >"$dir/said" 2>&1 3>&- || status=$?
	tail -n 40 "$dir/said" "$dir/panel" "$dir/notes" || true
	[ "$status" -eq 0 ]
}

told() { # SCRIPT: in a session whose notification service is watched; $dir/notes has what it was told
	cat >"$dir/session" <<-'SESSION'
		. "$dir/functions"
		dbus-monitor --session "interface='org.freedesktop.Notifications'" >"$dir/notes" 2>&1 & monitor=$!
		until_true grep -q NameLost "$dir/notes" # it listens
		dunst >"$dir/dunst" 2>&1 & dunst=$!
		until_true busctl --user status org.freedesktop.Notifications >/dev/null 2>&1
	SESSION
	printf '%s\nkill $dunst $monitor; wait\n' "$1" >>"$dir/session"
	export_all
	timeout 240 xvfb-run -a dbus-run-session -- bash "$dir/session" 3>&- 2>"$dir/err"
}

@test "a launch that fails is told with its reason and its remedy; mark-up in it is text" {
	echo 'hugpages = <b>&' >>"$conf"
	told '"$qlaunch" run "$conf"; echo $? >"$dir/status"'
	[ "$(cat "$dir/status")" -eq 3 ]
	cat "$dir/notes"
	grep -qF "string \"$vm was not started\"" "$dir/notes"
	grep -q 'unknown key "hugpages"' "$dir/notes"
	machine >"$conf"
	told '"$qlaunch" run --set "qemu.args=-device <no>&such" "$conf"; echo $? >"$dir/status"'
	[ "$(cat "$dir/status")" -eq 1 ]
	cat "$dir/notes"
	grep -qF "string \"$vm failed" "$dir/notes"
	grep -q '&lt;no&gt;&amp;such' "$dir/notes"
	grep -q 'The host is as it was before' "$dir/notes"
}

@test "told: not from a terminal, unless asked; not at all with notify = no" {
	fails="--set qemu.args=-no-such-option"
	told "script -qec \"'$qlaunch' run $fails '$conf'\" /dev/null >/dev/null"
	[ "$(grep -c 'member=Notify' "$dir/notes")" -eq 0 ]
	told "script -qec \"'$qlaunch' run --set host.notify=yes $fails '$conf'\" /dev/null >/dev/null"
	[ "$(grep -c 'member=Notify' "$dir/notes")" -eq 1 ]
	told "'$qlaunch' run --set host.notify=no $fails '$conf'"
	[ "$(grep -c 'member=Notify' "$dir/notes")" -eq 0 ]
}

@test "a bus that hangs, and none at all: the machine runs and ends as ever" {
	python3 -c 'import socket, sys, time
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(8); time.sleep(600)' "$dir/bus" 3>&- & hanging=$!
	until_true test -S "$dir/bus"
	for address in "unix:path=$dir/bus" "unix:path=$dir/nothing"; do
		DBUS_SESSION_BUS_ADDRESS=$address "$qlaunch" run --set host.notify=yes --set host.inhibit-sleep=no "$conf" >"$dir/out" 2>&1 3>&- & pid=$!
		until_true runs
		timeout 60 "$qlaunch" stop --now "$vm"
		wait $pid
		[ "$(grep -c -e error -e notification "$dir/out")" -eq 0 ]
		gone
	done
	kill $hanging
}

@test "switch: who has no monitor, no word for it, no bus to it" {
	run "$qlaunch" switch "$conf"
	[ "$status" -eq 3 ]; [[ $output == *"no monitor to switch"*"[monitor NAME]"* ]]
	printf '[monitor m]\nmatch = NO SUCH\nguest-input = 0x0f\n' >>"$conf"
	run "$qlaunch" switch "$conf" sideways
	[ "$status" -eq 2 ]; [[ $output == *sideways* ]]
	run "$qlaunch" switch "$conf" guest
	[ "$status" -eq 4 ]; [[ $output == *"monitor m"* ]]
}

# SCRIPT [RULE]: as root where polkit knows our policy, /run is empty, and /etc/polkit-1/rules.d has this rule or none
with_polkit() {
	prefix=$dir/usr rule=${2:-}
	make -s install PREFIX="$prefix" BUILD="${BUILD:-build}" 3>&-
	cat >"$dir/system" <<-'SYSTEM'
		set -eu
		. "$dir/functions"
		mkdir -p "$dir/actions" "$dir/rules"
		cp /usr/share/polkit-1/actions/*.policy "$prefix/share/polkit-1/actions/org.qlaunch.policy" "$dir/actions"
		mount -t sysfs none /sys # of this namespace's network
		mount -t tmpfs -o mode=755 none /run
		mkdir -p /run/dbus /run/user
		mount --bind "$dir/actions" /usr/share/polkit-1/actions
		[ -z "$rule" ] || printf '%s\n' "$rule" >"$dir/rules/50-test.rules"
		mount --bind "$dir/rules" /etc/polkit-1/rules.d
		dbus-daemon --system --nofork --nopidfile --nosyslog >"$dir/bus.log" 2>&1 &
		until_true test -S /run/dbus/system_bus_socket
		level=; if /usr/lib/polkit-1/polkitd --help | grep -q log-level; then level=--log-level=info; fi # 125 and later tell less by themselves
		/usr/lib/polkit-1/polkitd $level >"$dir/polkitd.log" 2>&1 &
		until_true pkaction --action-id org.qlaunch.run >/dev/null 2>&1
		qlaunch=$prefix/bin/qlaunch
	SYSTEM
	printf '%s\n' "$1" >>"$dir/system"
	export_all; export prefix rule
	timeout 240 unshare -mfpn --propagation private --mount-proc --kill-child bash "$dir/system" 3>&-
}

@test "polkit's prompt says why root is needed, and what is run" {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	# nobody knows the password: the prompt is all there is
	mkfifo "$dir/silence"
	run with_polkit 'exec 7<>"$dir/silence"
	for words in "run $conf" "stop $vm" "switch $conf"; do
		rm -f "$dir/prompt"
		script -qefc "runuser -u nobody -- pkexec $qlaunch $words" "$dir/prompt" <&7 >/dev/null 2>&1 & asking=$!
		until_true grep -qs Password: "$dir/prompt"
		cat "$dir/prompt"
		kill -KILL $asking
	done'
	echo "$output"
	[[ $output == *"AUTHENTICATING FOR org.qlaunch.run"*"devices, processors or memory"*"$prefix/bin/qlaunch run $conf"* ]]
	[[ $output == *"AUTHENTICATING FOR org.qlaunch.stop"*"power button"*"$prefix/bin/qlaunch stop $vm"* ]]
	[[ $output == *"AUTHENTICATING FOR org.qlaunch.switch"*"other input"*"$prefix/bin/qlaunch switch $conf"* ]]
}

@test "polkit: with nobody to ask, or a wrong password, each action is refused; a rule for one grants that one alone" {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	run with_polkit '
		ask() { # HEADING: each command as nobody, without a terminal
			for words in "run $conf" "stop $vm" "switch $conf"; do
				code=0
				setsid -w runuser -u nobody -- pkexec "$qlaunch" $words </dev/null >"$dir/out" 2>&1 || code=$?
				cat "$dir/out"
				echo "$1: ${words%% *}: $code"
			done
		}
		ask none
		for words in "run $conf" "stop $vm" "switch $conf"; do
			mkfifo "$dir/typed"; exec 7<>"$dir/typed"; rm -f "$dir/typed" "$dir/prompt"
			script -qefc "runuser -u nobody -- pkexec $qlaunch $words" "$dir/prompt" <&7 >/dev/null & asking=$!
			until_true grep -qs Password: "$dir/prompt"
			echo wrong >&7
			code=0; wait $asking || code=$?
			cat "$dir/prompt"
			echo "wrong: ${words%% *}: $code"
		done
		for action in stop switch; do
			loaded=$(grep -c "Finished loading, compiling and executing" "$dir/polkitd.log")
			printf "%s\n" "polkit.addRule(function(a, s) { if (a.id == \"org.qlaunch.$action\") return polkit.Result.YES; });" >"$dir/new.rules"
			mv "$dir/new.rules" "$dir/rules/50-test.rules" # polkitd reads what has come at once, whole or not
			until_true eval "[ \$(grep -c \"Finished loading, compiling and executing\" \"$dir/polkitd.log\") -gt $loaded ]"
			ask "$action"
		done'
	echo "$output"
	[ "$status" -eq 0 ]
	# pkexec's own 126 and 127 are no status of qlaunch's
	[ "$(grep -cE '^(none|wrong): (run|stop|switch): 12[67]$' <<<"$output")" -eq 6 ]
	[ "$(grep -cE '^stop: (run|switch): 12[67]$|^stop: stop: [0-9]$' <<<"$output")" -eq 3 ]
	[ "$(grep -cE '^switch: (run|stop): 12[67]$|^switch: switch: [0-9]$' <<<"$output")" -eq 3 ]
}

@test "by pkexec: root prepares, QEMU is the user; their desktop is found though pkexec drops the environment" {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	printf '[network lan]\nmode = isolated\n[hooks]\nready = %s\n' "$dir/hook" >>"$conf"
	printf '#!/bin/sh\nenv >%s/env.part; mv %s/env.part %s/env\n' "$dir/open" "$dir/open" "$dir/open" >"$dir/hook"; chmod 755 "$dir/hook"
	mkdir -m 777 "$dir/open" "$dir/data"
	run with_polkit '
		uid=$(id -u nobody)
		mkdir -m 700 "/run/user/$uid"; chown nobody: "/run/user/$uid"
		as() { runuser -u nobody -- env HOME="$dir" XDG_DATA_HOME="$XDG_DATA_HOME" XDG_RUNTIME_DIR="/run/user/$uid" "$@"; }
		as python3 -c "import socket; socket.socket(socket.AF_UNIX).bind(\"/run/user/$uid/wayland-0\")"
		as "$qlaunch" desktop "$conf"
		grep "^Exec=" "$entry"
		# pkexec wants a parent that lives: as below "systemd --user", orphans of the session are its own
		as python3 -c "import ctypes, os, subprocess, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) # PR_SET_CHILD_SUBREAPER
subprocess.run(sys.argv[1:])
while True:
    try: os.wait()
    except ChildProcessError: break" gio launch "$entry" >"$dir/out" 2>&1 &
		until_true runs || { cat "$dir/out" "$dir/polkitd.log"; false; }
		stat -c "QEMU is %U" "/proc/$("$qlaunch" status --json "$vm" | jq ".[0].qemu")"
		until_true test -e "$dir/open/env"
		as pkexec "$qlaunch" stop --now "$vm"
		until_true gone' 'polkit.addRule(function(a, s) { if (/^org.qlaunch.(run|stop)$/.test(a.id) && s.user == "nobody") return polkit.Result.YES; });'
	echo "$output"; cat "$dir/open/env" || true
	[ "$status" -eq 0 ]
	[[ $output == *"Exec=/usr/bin/pkexec $dir/usr/bin/qlaunch run $conf"* ]]
	[[ $output == *"QEMU is nobody"* ]]; [[ $output != *"polkit's prompt will not say"* ]]
	grep -qx WAYLAND_DISPLAY=wayland-0 "$dir/open/env"
	grep -qx "XDG_RUNTIME_DIR=/run/user/$(id -u nobody)" "$dir/open/env"
}

@test "told as root, by sudo and by pkexec: the user's own session, not root's; a failure before there is a plan, too" {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	mkdir -m 777 "$dir/data" "$dir/open"
	run with_polkit '
		uid=$(id -u nobody)
		mkdir -m 700 "/run/user/$uid"; chown nobody: "/run/user/$uid"
		as() { runuser -u nobody -- env -u DBUS_SESSION_BUS_ADDRESS HOME="$dir/open" XDG_RUNTIME_DIR="/run/user/$uid" "$@"; }
		# the session of root, with a service of its own, and that of nobody
		export DBUS_SESSION_BUS_ADDRESS=unix:path=$dir/root-bus
		dbus-daemon --session --nofork --address="$DBUS_SESSION_BUS_ADDRESS" >/dev/null 2>&1 &
		as dbus-daemon --session --nofork --address="unix:path=/run/user/$uid/bus" >/dev/null 2>&1 &
		until_true test -S "$dir/root-bus"; until_true test -S "/run/user/$uid/bus"
		mkdir -p /tmp/.X11-unix; mount -t tmpfs -o mode=1777 none /tmp/.X11-unix # it may be of root alone
		as env DBUS_SESSION_BUS_ADDRESS="unix:path=/run/user/$uid/bus" xvfb-run -a dunst >"$dir/dunst" 2>&1 &
		dbus-monitor --session >"$dir/root-notes" 2>&1 &
		until_true grep -q NameLost "$dir/root-notes"
		session() { as busctl --user "$@"; }
		history() { as env DBUS_SESSION_BUS_ADDRESS="unix:path=/run/user/$uid/bus" dunstctl history; }
		shown() { session call org.freedesktop.Notifications /org/freedesktop/Notifications org.dunstproject.cmd0 NotificationCloseAll >/dev/null
			history | jq -r ".data[][] | [.appname.data, .summary.data, .body.data] | join(\" | \") | gsub(\"\n\"; \" \")"; }
		said() { [ "$(shown | grep -cF "$1")" -eq $round ]; }
		served() { [ "$(session call org.freedesktop.DBus / org.freedesktop.DBus NameHasOwner s org.freedesktop.Notifications)" = "b true" ]; }
		until_true served
		round=0
		for by in SUDO_UID PKEXEC_UID; do
			round=$((round + 1))
			env "$by=$uid" "$qlaunch" run "$conf" >"$dir/out" 2>&1 & pid=$!
			until_true runs || cat "$dir/out"
			until_true said "qlaunch | $vm is ready | Boots nothing"
			"$qlaunch" stop --now "$vm" >/dev/null 2>&1
			wait $pid || true
			until_true said "qlaunch | $vm has ended | The host is as it was before."
			env "$by=$uid" "$qlaunch" run "$dir/nowhere.conf" >"$dir/out" 2>&1 || true
			until_true said "qlaunch | nowhere was not started"
		done
		echo "root was told: $(grep -c member=Notify "$dir/root-notes" || true)"
		# root that nobody called: its own
		"$qlaunch" run "$dir/nowhere.conf" >"$dir/out" 2>&1 || true
		until_true grep -q "string \"nowhere was not started\"" "$dir/root-notes"
		[ "$(shown | wc -l)" -eq 6 ]'
	echo "$output"; cat "$dir/root-notes" "$dir/dunst" | tail -n 40
	[ "$status" -eq 0 ]; [[ $output == *"root was told: 0"* ]]
}
