#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# check: slow
# Sound: a guest that really plays and listens, to a real PulseAudio whose only card is a null sink and its monitor. Heard is what is not silence.

setup() {
	cd "$BATS_TEST_DIRNAME/.."
	build=$PWD/${BUILD:-build} qlaunch=$PWD/${BUILD:-build}/qlaunch dir=$BATS_TEST_TMPDIR vm=sound-$$
	load machine
	conf=$dir/sound.conf
	printf '%s\n' '[vm]' "name = $vm" 'accel = tcg' '[cpu]' 'threads = 1' 'isolate = off' '[memory]' 'size = 256M' '[firmware]' 'type = bios' \
		'[boot]' "kernel = $build/guest/vmlinuz" "initrd = $build/guest/sound.gz" 'cmdline = console=ttyS0 guest.channels=2' \
		'[audio]' 'model = hda' '[console]' "serial = $dir/serial" >"$conf"
	export HOME=$dir XDG_RUNTIME_DIR=$dir/run XDG_DATA_HOME=$dir/data
	mkdir -m 700 "$XDG_RUNTIME_DIR"
	tests/guest/sound "$build"
	find_server
}

# To install it would take a desktop's PipeWire away: it is unpacked with all that it wants, where it is not there.
find_server() {
	pulse=(pulseaudio)
	! command -v pulseaudio >/dev/null || return 0
	command -v apt-get >/dev/null || skip "no pulseaudio"
	local root=$build/debian/root want
	want=$(apt-get -s -qq -o Debug::NoLocking=1 install --no-install-recommends pulseaudio | awk '$1 == "Inst" { print $2 }')
	# shellcheck disable=SC2086 # names are words
	tests/debian "$build" $want
	local libraries modules
	libraries=$(echo "$root"/usr/lib/*-linux-gnu) modules=$(echo "$root"/usr/lib/pulse-*/modules)
	pulse=(env LD_LIBRARY_PATH="$libraries:$libraries/pulseaudio:$modules" "$root/usr/bin/pulseaudio" --dl-search-path="$modules")
}

teardown() {
	"$qlaunch" stop --now "$vm" >/dev/null 2>&1 || true
	[ -z "${server:-}" ] || { kill "$server"; wait "$server" || true; }
}

serve() { # a sound server of the user's, with six channels; what is played is what is heard
	"${pulse[@]}" -n --exit-idle-time=-1 --daemonize=no --load=module-native-protocol-unix \
		--load='module-null-sink sink_name=null rate=48000 channels=6' >"$dir/pulse" 2>&1 3>&- & server=$!
	for _ in $(seq 100); do pactl set-default-source null.monitor 2>/dev/null && return; sleep 0.1; done
	cat "$dir/pulse"
	return 1
}
plays() { # SPECIFICATION: the guest's stream has it, and is no silence
	for _ in $(seq 300); do
		[ "$(grep -c 'guest: heard' "$dir/serial")" -lt 3 ] || break
		sleep 0.4
	done
	pactl list sink-inputs | tee "$dir/streams" | grep -q "Sample Specification: $1\$" || { cat "$dir/streams" "$dir/serial"; return 1; }
	grep -q "application.name = \"$vm\"" "$dir/streams"
	timeout 3 parec -d null.monitor --raw >"$dir/heard" || [ $? -eq 124 ]
	od -An -v -td2 -w2 "$dir/heard" | awk '$1 > 1000 { n++ } END { exit n < 1000 }'
}

@test "HD Audio by PulseAudio, found by itself: the guest is heard, and hears" {
	serve
	start
	plays 's16le 2ch 48000Hz'
	awk '/guest: heard/ { n = $3 + 0 } END { exit n < 1000 }' "$dir/serial"
}

@test "the rate and the latency that were asked for" {
	serve
	start --set audio.rate=44100 --set audio.latency=40
	plays 's16le 2ch 44100Hz'
	grep -q 'guest: plays 2 channels at 48000' "$dir/serial"
}

@test "a USB sound card: six channels arrive as six" {
	serve
	start --set audio.model=usb --set "boot.cmdline=console=ttyS0 guest.channels=6"
	plays 's16le 6ch 48000Hz'
	grep -q 'front-left,front-right,front-center,lfe,rear-left,rear-right' "$dir/streams"
}

@test "no server: the guest is silent and that is said; asked for, it is refused with what to do" {
	run "$qlaunch" check "$conf"
	[[ $output == *"no sound: neither PipeWire nor PulseAudio listens"* ]]
	run "$qlaunch" run --set audio.backend=pa "$conf"
	[ "$status" -eq 4 ]; [[ $output == *"no pa server"*"audio.backend = auto"* ]]
}

@test "sudo: the user's server, not root's" {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	uid=$(id -u nobody)
	open=$(mktemp -d) # bats' own folders are root's alone
	chmod 711 "$open"
	grep -v '^serial' "$conf" >"$open/sound.conf"
	chmod 644 "$open/sound.conf"
	# shellcheck disable=SC2016 # expanded inside
	run env uid="$uid" qlaunch="$qlaunch" conf="$open/sound.conf" vm="$vm" unshare -m bash -ec '
		mount -t tmpfs -o mode=755 none /run
		home=/run/user/$uid
		mkdir -p /run/user; install -d -m 700 -o nobody "$home"
		as_user() { runuser -u nobody -- env HOME="$home" XDG_RUNTIME_DIR="$home" "$@" 2>/dev/null; }
		as_user "$@" -n --exit-idle-time=-1 --daemonize=no --load=module-native-protocol-unix --load=module-null-sink & server=$!
		for _ in $(seq 100); do [ ! -S "$home/pulse/native" ] || break; sleep 0.1; done
		SUDO_UID=$uid SUDO_USER=nobody "$qlaunch" run "$conf" & pid=$!
		for _ in $(seq 300); do
			as_user pactl list sink-inputs | grep "application\.\(name\|process\.user\)" && break
			kill -0 $pid
			sleep 0.4
		done
		"$qlaunch" stop --now "$vm"
		wait $pid
		pkill -P $server' bash "${pulse[@]}" 3>&- </dev/null
	rm -r "$open"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"application.name = \"$vm\""* && $output == *'application.process.user = "nobody"'* ]]
}
