#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# check: slow
# A machine that runs, by commands: pause, resume, reset, cdrom, screenshot, key, forward, ssh of a real QEMU; exec, reboot, stop --agent and the
# clock by a real agent in a real guest.

setup() {
	cd "$BATS_TEST_DIRNAME/.."
	load machine
	build=$(readlink -f "${BUILD:-build}")
	qlaunch=$build/qlaunch
	dir=$BATS_TEST_TMPDIR
	export HOME=$dir XDG_RUNTIME_DIR=$dir/run XDG_DATA_HOME=$dir/data TZ=UTC
	mkdir -p "$XDG_RUNTIME_DIR"
	vm=r$BATS_TEST_NUMBER-$$
	conf=$dir/$vm.conf
	printf '[vm]\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 192M\n[firmware]\ntype = bios\n' >"$conf"
	base=$XDG_RUNTIME_DIR/qlaunch; [ "$(id -u)" -ne 0 ] || base=/run/qlaunch
	cd "$dir"
}
teardown() {
	put_away
	cd /
}
disc() { # FILE BYTE: a disc, as far as a drive looks
	truncate -s 1M "$1"; printf '\001CD001' | dd of="$1" bs=2048 seek=16 conv=notrunc status=none
	printf '%s' "$2" | dd of="$1" bs=1 conv=notrunc status=none
}
state() { "$qlaunch" status --json "$vm" | jq -r '.[0]["run-state"]'; }
becomes() { for _ in $(seq 100); do [ "$(state)" = "$1" ] && return; sleep 0.1; done; echo "$(state), not $1"; return 1; }

@test "pause and resume: what it is already is said, and the launcher knows it" {
	start
	q pause "$vm"; says 0 paused "qlaunch resume $vm"; becomes paused
	q pause "$vm"; says 0 'stands still already: paused'
	q resume "$vm"; says 0 'goes on'; becomes running
	q resume "$vm"; says 0 already
	q reset "$vm"; says 0 reset; becomes running
	q reboot "$vm"; says 1 'no line to its guest' 'agent = yes' ctrl-alt-delete
	q stop --agent "$vm"; says 1 'agent = yes'
	q exec "$vm" -- ls; says 1 'agent = yes'
	kill -0 "$pid"
}

@test "every one of them: a machine that does not run, a word that is missing or too many" {
	disc a.iso a
	for line in "pause $vm" "resume $vm" "reset $vm" "reboot $vm" "cdrom $vm a.iso" "forward $vm tcp:1:1" "screenshot $vm a.png" "key $vm a" "exec $vm ls" "ssh $vm"; do
		q $line; says 2 "$vm does not run"
		q ${line%% *}; says 2 'VM is missing'
	done
	for line in pause resume reset reboot; do q $line a b; says 2 'one word too many'; done
	q cdrom "$vm" nothing.iso; says 3 nothing.iso
	echo text >text; q cdrom "$vm" text; says 3 text
	q screenshot "$vm" picture; says 2 '.png'
	q forward "$vm" nonsense; says 2 'no rule'
	q exec --timeout 0x "$vm" ls; says 2 timeout
	[ ! -e a.png ]
}

@test "cdrom: a disc changed, taken out, put in; a file that cannot be opened leaves an empty drive, and that is said" {
	disc one.iso 1; disc two.iso 2
	printf '[cdrom a]\npath = %s\n' "$dir/one.iso" >>"$conf"
	start
	q cdrom "$vm" two.iso; says 0 'drive a' two.iso
	qmp() { python3 - "$base/$vm/monitor" "$@" <<-'ASK'
		import json, socket, sys
		s = socket.socket(socket.AF_UNIX); s.settimeout(60); s.connect(sys.argv[1]); f = s.makefile("rwb", 0)
		f.readline(); f.write(b'{"execute":"qmp_capabilities"}\n'); f.readline()
		f.write(json.dumps({"execute": sys.argv[2]}).encode() + b"\n")
		while True:
		    o = json.loads(f.readline())
		    if "return" in o: print(json.dumps(o["return"])); break
	ASK
	}
	[ "$(qmp query-block | jq -r '.[] | select(.qdev == "cdrom-a") | .inserted.file')" = "$dir/two.iso" ]
	# the first one is let go
	[ "$(readlink /proc/"$(pgrep -P "$pid" -f qemu-system)"/fd/* | grep -c one.iso)" -eq 0 ]
	q cdrom "$vm" a one.iso; says 0 one.iso
	q cdrom "$vm" b one.iso; says 2 'no drive "b"' 'it has: a'
	q cdrom "$vm" eject; says 0 empty
	[ "$(qmp query-block | jq -r '.[] | select(.qdev == "cdrom-a") | .inserted')" = null ]
	q cdrom "$vm" eject; says 0 'is empty'
	q cdrom "$vm" one.iso; says 0
	"$qlaunch" cdrom "$vm" one.iso </dev/null & local a=$!
	"$qlaunch" cdrom "$vm" two.iso </dev/null & local b=$!
	wait $a || true; wait $b || true
	q cdrom "$vm" two.iso; says 0
}

@test "no drive, no display: said with the key that makes one" {
	start
	q cdrom "$vm" eject; says 2 'has no drive' '[cdrom NAME]'
	q screenshot "$vm" a.png; says 1 '[display]'
	[ -z "$(ls ./*.png* 2>/dev/null)" ]
	q forward "$vm" tcp:0:1; [ "$status" -ne 0 ]
	q forward "$vm" tcp:18080:80; says 4 'no network' 'forward ='
	q ssh "$vm"; says 1 'tcp:2222:22'
}

@test "screenshot and key: a picture that is one, whole, and over no other" {
	printf '[display]\nmode = spice\nvideo = virtio\n' >>"$conf"
	start
	q screenshot "$vm" a.png; says 0 a.png
	[ "$(head -c 4 a.png | tail -c 3)" = PNG ]
	q screenshot "$vm" a.png; says 2 'there already'
	q screenshot "$vm" a.ppm; says 0; [ "$(head -c 2 a.ppm)" = P6 ]
	q screenshot "$vm" nowhere/a.png; says 2 nowhere
	ln -s a.ppm link.png; q screenshot "$vm" link.png; says 2 'there already'
	[ -z "$(ls ./*.part 2>/dev/null)" ]
	q key "$vm" ctrl-alt-delete f8 a Ret; says 0 pressed
	q key "$vm" ctrl-nonsense; says 2 '"ctrl-nonsense" are no keys'
	q key "$vm" -- -; says 2
}

@test "forward: a port comes and goes; one that is taken is said; run names those of the configuration" {
	[ "$(id -u)" -eq 0 ] || skip "passt's network cannot change" # as root QEMU's own serves it
	local port=$((20000 + RANDOM % 10000))
	printf '[network lan]\nmode = user\nforward = tcp:%s:22\n' $((port + 1)) >>"$conf"
	start
	grep -q "127.0.0.1:$((port + 1)) is the guest's port 22 (tcp)" err
	q forward "$vm" tcp:$port:80; says 0 "127.0.0.1:$port is the guest's port 80"
	(exec 3<>"/dev/tcp/127.0.0.1/$port")
	q forward "$vm" tcp:$port:81; says 4 "ss -tulpn"
	q forward --remove "$vm" tcp:$port:80; says 0 nowhere
	if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then false; fi
	q forward --remove "$vm" tcp:$port:80; says 4 'not forwarded'
	# ssh: the port, and the machine's name for its key
	mkdir bin; printf '#!/bin/sh\necho "ssh $*"\n' >bin/ssh; chmod +x bin/ssh
	programs=$dir/bin
	run exec_with_programs "$dir/bin" "$qlaunch" ssh "$vm" -- -l me uptime
	says 0 "ssh -o HostKeyAlias=qlaunch-$vm -p $((port + 1)) 127.0.0.1 -l me uptime"
}

@test "exec, the clock, reboot, stop --agent: by the real agent" {
	"$BATS_TEST_DIRNAME/guest/agent" "$build"
	disc one.iso 1; disc two.iso 2
	printf '[console]\nserial = stdio\nagent = yes\n[boot]\nkernel = %s/guest/vmlinuz\ninitrd = %s/guest/agent.gz\ncmdline = console=ttyS0 quiet no_timer_check guest.forever\n[cdrom a]\npath = %s\n' \
		"$build" "$build" "$dir/one.iso" >>"$conf"
	"$qlaunch" run "$conf" >out 2>&1 3>&- </dev/null & pid=$!
	said() { for _ in $(seq 900); do [ "$(grep -c -- "$1" out)" -ge "${2:-1}" ] && return; kill -0 "$pid" || break; sleep 0.1; done; tail -n 20 out; return 1; }
	q exec "$vm" -- true; [[ $status -eq 2 || $status -eq 1 ]] # it has not begun, or no agent answers yet
	said 'guest: agent'
	q exec "$vm" -- /bin/echo hello there; says 0 'hello there'
	q exec "$vm" -- /bin/sh -c 'echo bad >&2; exit 7'; says 7 bad
	q exec "$vm" -- /no/such; says 1 such
	run bash -c '"$0" exec "$1" -- /bin/printf "a\\0b" | od -An -c' "$qlaunch" "$vm"; says 0 'a  \0   b'
	q exec --timeout 1 "$vm" -- /bin/sleep 30; says 1
	# a disc changed under a guest that reads it
	q exec "$vm" -- /bin/head -c 1 /dev/sr0; says 0 1
	q cdrom "$vm" two.iso; says 0 two.iso
	for _ in $(seq 20); do # the kernel looks at the drive again when it hears of the other disc
		q exec "$vm" -- /bin/head -c 1 /dev/sr0; [ "$output" != 2 ] || break
		sleep 0.2
	done
	says 0 2
	# it stood still, and knows the time again
	q exec "$vm" -- /bin/date -s @1000000000; says 0
	q pause "$vm"; says 0; q resume "$vm"; says 0
	q exec "$vm" -- /bin/date +%s; says 0; [ "$output" -gt 1700000000 ]
	q reboot "$vm"; says 0 reboots
	said 'guest: agent' 2
	q exec "$vm" -- /bin/true; says 0
	q stop --agent "$vm"; says 0 'asked to shut it down'
	wait "$pid"; pid=
}
