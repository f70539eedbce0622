#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The guest's picture on a desktop: a real X server, a real remote-viewer, QEMU's own window. It is seen when the colours of the firmware's text
# are on the screen, and nobody's else: X draws its frame buffer into a file.

setup() {
	cd "$BATS_TEST_DIRNAME/.."
	qlaunch=$PWD/${BUILD:-build}/qlaunch dir=$BATS_TEST_TMPDIR vm=display-$$
	[ "$(id -u)" -ne 0 ] || as_a_person
	load machine
	conf=$dir/display.conf
	printf '[vm]\nname = %s\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 128M\n[firmware]\ntype = bios\n' "$vm" >"$conf"
	export HOME=$dir XDG_RUNTIME_DIR=$dir/run XDG_DATA_HOME=$dir/data
	mkdir -m 700 "$XDG_RUNTIME_DIR"
	[ "$(id -u)" -ne 0 ] || chown -R nobody: "$dir"
	unset WAYLAND_DISPLAY
	mkfifo "$dir/number"
	Xvfb -displayfd 5 -screen 0 1024x768x24 -fbdir "$dir" -ac -nolisten tcp >"$dir/xvfb" 2>&1 5>"$dir/number" 3>&- & x=$!
	read -r -t 60 DISPLAY <"$dir/number"
	export DISPLAY=:$DISPLAY
}

teardown() {
	"$qlaunch" stop --now "$vm" >/dev/null 2>&1 || true
	kill "$x"
	wait "$x" || true
	[ "$dir" = "$BATS_TEST_TMPDIR" ] || rm -rf "$dir"
}
# Nobody sits at a screen as root without capabilities; what GTK loads its icons with (glycin, in bubblewrap) does not even start so.
as_a_person() {
	dir=$(mktemp -d); chmod 755 "$dir" # bats' own directories are not another user's to enter
	cp "$qlaunch" "$dir/real"
	printf '#!/bin/sh\nexec setpriv --reuid=nobody --regid=nogroup --clear-groups %s "$@"\n' "$dir/real" >"$dir/qlaunch"
	chmod 755 "$dir/qlaunch"
	qlaunch=$dir/qlaunch
}

# RRGGBB: how many pixels of the screen have it. Xvfb's file is an XWD dump: sizes in its header, then 4 bytes a pixel.
pixels() {
	python3 - "$dir/Xvfb_screen0" "$1" <<-'PY'
		import struct, sys
		data = open(sys.argv[1], "rb").read()
		header = struct.unpack(">25I", data[:100])
		at = header[0] + 12 * header[19]
		red, green, blue = bytes.fromhex(sys.argv[2])
		picture = data[at:at + header[12] * header[5]]
		print(sum(picture[i:i + 3] == bytes((blue, green, red)) for i in range(0, len(picture), 4)))
	PY
}
picture() { # the firmware's grey text on black
	for _ in $(seq 150); do
		if [ "$(pixels a8a8a8)" -gt 500 ] && [ "$(pixels 000000)" -gt 100000 ]; then return; fi
		sleep 0.4
	done
	cat "$BATS_TEST_TMPDIR/err" "$dir/xvfb"; pixels a8a8a8; pixels 000000
	return 1
}
empty() { [ "$(pixels a8a8a8)" -eq 0 ]; }

ended() { # QEMU 11.1 with spice-server 0.16 falls over in its very last act: no failure of the guest's
	wait "$pid"
	grep -q 'steps undone' "$BATS_TEST_TMPDIR/err"
}

@test "SPICE: remote-viewer shows the guest, and is gone with it" {
	empty
	start --set display.mode=spice
	picture
	viewer=$(pgrep -f "remote-viewer --title=$vm ")
	"$qlaunch" stop --now "$vm"
	[ ! -e "/proc/$viewer" ]
	ended
}

@test "remote-viewer closed: the guest runs on unseen; another is shown by the line in the plan" {
	start --set display.mode=spice
	picture
	kill "$(pgrep -f "remote-viewer --title=$vm ")"
	sleep 1
	kill -0 "$pid"
	socket=$(find "$XDG_RUNTIME_DIR" -name '*.spice')
	remote-viewer "spice+unix://$socket" >/dev/null 2>&1 3>&- & viewer=$!
	picture
	"$qlaunch" stop --now "$vm"
	ended
	wait "$viewer" || true
}

@test "a window of QEMU's own, with virtio-gpu and with QXL" {
	for video in virtio qxl; do
		start --set display.mode=window --set display.video=$video
		picture
		"$qlaunch" stop --now "$vm"
		wait "$pid"
	done
}

@test "3D in a window: drawn by virtio-vga-gl" {
	start --set display.mode=window --set display.gl=yes
	[[ $(tr '\0' ' ' <"/proc/$(pgrep -P "$pid" qemu)/cmdline") == *virtio-vga-gl* ]]
	picture
	"$qlaunch" stop --now "$vm"
	wait "$pid"
}

@test "no screen: SPICE runs unseen and says how it is seen, a window is refused with what to do" {
	unset DISPLAY
	start --set display.mode=spice
	grep -q 'runs unseen' "$BATS_TEST_TMPDIR/err"
	"$qlaunch" stop --now "$vm"
	run "$qlaunch" run --set display.mode=window "$conf"
	[ "$status" -eq 4 ]; [[ $output == *"neither DISPLAY nor WAYLAND_DISPLAY"*"desktop session"* ]]
}

@test "Looking Glass: memory for its picture, by the resolution, its client started for it, both gone with the guest" {
	shared=/dev/shm/looking-glass
	[ ! -e $shared ] || skip "$shared is somebody's"
	mkdir "$dir/bin" # Debian has no client
	printf '#!/bin/sh\necho "$@" >%s/client\nexec sleep 314\n' "$dir" >"$dir/bin/looking-glass-client"
	chmod 755 "$dir/bin/looking-glass-client"
	programs=$dir/bin start --set display.mode=looking-glass --set display.resolution=2560x1440
	for _ in $(seq 50); do [ ! -s "$dir/client" ] || break; sleep 0.1; done
	[ "$(stat -c '%s %a' $shared)" = "$((64 << 20)) 600" ]
	[[ $(tr '\0' ' ' <"/proc/$(pgrep -P "$pid" qemu)/cmdline") == *ivshmem-plain* ]]
	[[ $(cat "$dir/client") == "app:shmFile=$shared win:title=$vm "* ]]
	"$qlaunch" stop --now "$vm"
	wait "$pid"
	[ ! -e $shared ]
	run pgrep -x -f "sleep 314"
	[ "$status" -eq 1 ]
}
