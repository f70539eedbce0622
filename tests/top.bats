#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# `qlaunch top` of a real QEMU, as text, as JSON and live in a pseudo-terminal; and the line that says what `run` waits for.

load machine

setup() {
	cd "$BATS_TEST_DIRNAME/.."
	qlaunch=$PWD/${BUILD:-build}/qlaunch
	export HOME=$BATS_TEST_TMPDIR XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/run XDG_DATA_HOME=$BATS_TEST_TMPDIR/data TERM=xterm
	unset NO_COLOR
	mkdir -p "$XDG_RUNTIME_DIR"
	vm=top$BATS_TEST_NUMBER-$$
	conf=$BATS_TEST_TMPDIR/$vm.conf
	truncate -s 1M "$BATS_TEST_TMPDIR/disk.img"
	printf '[vm]\naccel = tcg\n[cpu]\nthreads = 2\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n[disk main]\npath = %s\nformat = raw\n' \
		"$BATS_TEST_TMPDIR/disk.img" >"$conf"
	base=/run/qlaunch; [ "$(id -u)" -eq 0 ] || base=$XDG_RUNTIME_DIR/qlaunch
}
teardown() {
	[ -z "${pid:-}" ] || { kill -KILL "$pid"; wait "$pid"; } 2>/dev/null || true
	"$qlaunch" restore "$vm" >/dev/null 2>&1 || true
}

in_terminal() { # STEP... -- COMMAND...
	run tests/terminal.py "$@"
	[ "$status" -eq 0 ] || { echo "$output"; return 1; }
}

@test "--json: a figure or null for everything, and a reason for each null" {
	start
	"$qlaunch" top --json "$vm" >"$BATS_TEST_TMPDIR/top.json"
	jq -e --arg vm "$vm" '.vm == $vm and .accel == "tcg" and .seconds > 0 and (.vcpus | length) == 2' "$BATS_TEST_TMPDIR/top.json"
	jq -e 'all(.vcpus[]; .cpu >= 0 and .ran_on >= 0 and .usage >= 0 and .usage <= 1 and .others >= 0 and .steal >= 0)' "$BATS_TEST_TMPDIR/top.json"
	jq -e '.vcpus[0].irqs_per_s | .timer >= 0 and .ipi >= 0 and .device >= 0' "$BATS_TEST_TMPDIR/top.json"
	jq -e '(.disks | length) == 1 and (.disks[0] | .name == "main" and .read_bytes_per_s >= 0 and .written_bytes_per_s == 0 and .write_ms == null)' \
		"$BATS_TEST_TMPDIR/top.json"
	jq -e '.memory.guest == 67108864 and .exits_per_s.all == null and .vcpus[0].exits_per_s == null' "$BATS_TEST_TMPDIR/top.json"
	jq -e 'any(.missing[]; startswith("VM exits: only KVM"))' "$BATS_TEST_TMPDIR/top.json"
}

@test "--once, and what is no terminal: text of 79 columns at most, no escape sequence" {
	start
	"$qlaunch" top --once --interval 2 "$vm" >"$BATS_TEST_TMPDIR/once"
	"$qlaunch" top "$vm" >"$BATS_TEST_TMPDIR/pipe"
	for f in once pipe; do
		grep -q '^vCPU  CPU ran on' "$BATS_TEST_TMPDIR/$f"; grep -q '^main  ' "$BATS_TEST_TMPDIR/$f"
		[ "$(grep -c $'\033' "$BATS_TEST_TMPDIR/$f")" -eq 0 ]
		[ "$(LC_ALL=C.UTF-8 awk 'length > 79' "$BATS_TEST_TMPDIR/$f" | wc -l)" -eq 0 ]
	done
}

@test "a machine that does not run: those that do, exit 2; a bad interval" {
	start
	run "$qlaunch" top nonesuch
	[ "$status" -eq 2 ]; [[ $output == *"nonesuch does not run"*"running: "*"$vm"* ]]
	for bad in 0 -1 x 1.5 3601; do
		run "$qlaunch" top --interval "$bad" "$vm"
		[ "$status" -eq 2 ]; [[ $output == *"--interval"* ]]
	done
}

@test "live: drawn again at another size, scrolled, left by q, the terminal as it was" {
	start
	in_terminal wait:main size:40x8 'wait:arrows scroll' 'key:\x1b[B' 'wait:lines 2 to 8' key:q -- "$qlaunch" top "$vm"
	[[ $output == *$'\033[?1049h'* ]]
	[[ $output == *$'\033[?25h\033[?1049l'* ]]
	[[ $output == *"exit 0, terminal kept" ]]
}

@test "live: Ctrl-C, SIGTERM and a terminal that goes away end it" {
	start
	in_terminal wait:main 'key:\x03' -- "$qlaunch" top "$vm"
	[[ $output == *$'\033[?1049l'*"exit 0, terminal kept" ]]
	in_terminal wait:main kill:TERM -- "$qlaunch" top "$vm"
	[[ $output == *$'\033[?1049l'*"exit 0, terminal kept" ]]
	in_terminal wait:main close -- "$qlaunch" top "$vm"
	[[ $output == *"exit 0, terminal closed" ]]
	kill -0 "$pid" # the machine has not noticed
}

@test "a machine that ends meanwhile: said, exit 0" {
	start
	in_terminal wait:main "run:$qlaunch stop --now $vm" "wait:$vm has ended" -- "$qlaunch" top "$vm"
	[[ $output == *$'\033[?1049l'*"$vm has ended"*"exit 0, terminal kept" ]]
	wait "$pid"; start
	"$qlaunch" top --json --interval 600 "$vm" >"$BATS_TEST_TMPDIR/top.json" 2>"$BATS_TEST_TMPDIR/top.err" 3>&- & watcher=$!
	sleep 0.5
	"$qlaunch" stop --now "$vm"
	wait "$watcher" || [ ! -s "$BATS_TEST_TMPDIR/top.json" ] # it had not begun yet
	[ ! -s "$BATS_TEST_TMPDIR/top.json" ] || jq -e '.ended' "$BATS_TEST_TMPDIR/top.json"
}

@test "somebody else at the monitor: the rest is shown, and why not all" {
	start
	python3 -c 'import socket, sys, time
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.recv(1); print("here", flush=True); time.sleep(300)' "$base/$vm/monitor" \
		>"$BATS_TEST_TMPDIR/holder" 3>&- & holder=$!
	for _ in $(seq 100); do grep -q here "$BATS_TEST_TMPDIR/holder" && break; sleep 0.1; done
	run "$qlaunch" top --json "$vm"
	kill "$holder"
	[ "$status" -eq 0 ]
	jq -e '.disks == null and .vcpus[0].usage >= 0 and any(.missing[]; contains("somebody else is at"))' <<<"$output"
}

@test "a captured machine with KVM: exits from debugfs, --root" {
	start
	T=$BATS_TEST_TMPDIR/tree
	. tests/captured/lib.sh
	mkdir -p "$T$base/$vm"; cp "$base/$vm/journal" "$T$base/$vm/"
	jq '.accel = "kvm" | .qemu = 100 | .vcpus = [{vcpu: 0, thread: 101, cpu: 1}]' "$base/$vm/status.json" >"$T$base/$vm/status.json"
	put /proc/100/task/101/schedstat "5000000 1000 3"
	put /proc/100/task/101/stat "101 (CPU 0/KVM) R 1 1 1 0 -1 0 0 0 0 0 1 1 0 0 20 0 5 0 4 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 -1 3 0"
	put /proc/stat "cpu1 100 0 0 900 0 0 0 0"
	put /proc/interrupts "           CPU1
 LOC:       1000   Local timer interrupts"
	for kind in exits halt_exits io_exits mmio_exits irq_exits hypercalls; do put /sys/kernel/debug/kvm/100-14/$kind 5000; done
	run "$qlaunch" top --root "$T" --json "$vm"
	[ "$status" -eq 0 ]
	jq -e '.exits_per_s.all == 0 and .vcpus[0].ran_on == 3 and .vcpus[0].cpu == 1 and .vcpus[0].irqs_per_s.timer == 0' <<<"$output"
	jq -e 'all(.missing[]; contains("VM exits") | not)' <<<"$output"
}

# A QEMU that takes two seconds to begin.
slow_qemu() {
	printf '#!/bin/bash\nfor a; do [ "$a" != -S ] || sleep 2; done\nexec qemu-system-x86_64 "$@"\n' >"$BATS_TEST_TMPDIR/qemu"
	chmod +x "$BATS_TEST_TMPDIR/qemu"
}

@test "run in a terminal says what it waits for, and takes it away again" {
	slow_qemu
	in_terminal 'wait:waiting for QEMU' 'wait:running after' kill:INT 'wait:waiting for the guest to shut down' kill:INT \
		-- "$qlaunch" run --set "qemu.binary=$BATS_TEST_TMPDIR/qemu" "$conf"
	[[ $output == *$'\r\033[K'*"$vm: running after"* ]]
	[[ $output == *"steps undone"*"exit 0, terminal kept" ]]
}

@test "run in a pipe, with --quiet or in a dumb terminal: the lines as they are" {
	slow_qemu
	start --set "qemu.binary=$BATS_TEST_TMPDIR/qemu"
	"$qlaunch" stop --now "$vm"; wait "$pid"
	[ "$(grep -c $'\r\|\033\|waiting for' "$BATS_TEST_TMPDIR/err")" -eq 0 ]
	TERM=dumb in_terminal 'wait:running after' kill:INT wait:power kill:INT -- "$qlaunch" run --set "qemu.binary=$BATS_TEST_TMPDIR/qemu" "$conf"
	[[ $output != *"waiting for"* ]]; [[ $output != *$'\033'* ]]
}
