#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What SECURITY.md promises: as root on behalf of a user, qlaunch opens, runs, writes, and even looks at, no file that the configuration
# names. Each key names a file in a directory of root's that the user cannot enter. Every system call of every process is watched: one that
# succeeds with such a path was root's.

setup() {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	cd "$BATS_TEST_DIRNAME/.."
	qlaunch=$PWD/${BUILD:-build}/qlaunch
	open=$(mktemp -d) # bats' own directories are not the user's to enter
	chmod 755 "$open"
	vault=$open/vault
	mkdir -m 700 "$vault"
	touch "$open/ran"; chmod 666 "$open/ran"
	truncate -s 1M "$vault/disk"
	printf 'BIG SECRET\n' | tee "$vault/plain" >"$vault/other"
	printf '#!/bin/sh\necho "$0" >>%s/ran\n' "$open" >"$vault/program"
	chmod 700 "$vault/program"
	before=$(state)
	export SUDO_UID SUDO_USER=nobody
	SUDO_UID=$(id -u nobody)
}
teardown() {
	[ -z "${open:-}" ] || rm -rf "$open"
}
state() { find "$vault" -printf '%p %m %u:%g %s %T@ %C@\n' | sort; sha256sum "$vault"/*; }

# KEY=VALUE...: one launch with them, watched, ended as soon as its guest runs; its exit status in `status`
launch() {
	local vm=p$BATS_TEST_NUMBER-$$ sets=() s
	for s; do sets+=(--set "$s"); done
	printf '[vm]\nname = %s\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n' $vm >"$open/p.conf"
	: >"$open/said" # not what an earlier one said: the shell makes it anew in the background only
	timeout 60 strace -f -qq -s 300 -e trace=%file,%process,fchown,fchmod -o "$open/trace" \
		"$qlaunch" run "$open/p.conf" "${sets[@]}" >"$open/said" 2>&1 3>&- </dev/null & local pid=$!
	for _ in $(seq 300); do
		kill -0 $pid 2>/dev/null || break
		if grep -q 'running after' "$open/said"; then "$qlaunch" stop --now $vm >/dev/null 2>&1; break; fi
		sleep 0.1
	done
	status=0; wait $pid || status=$?
	cat "$open/said"
}
# no call with a path in the vault has succeeded, the user has been refused $1 times at least, and nothing there has changed or run
untouched() {
	# (an argument of a program of the system is no path that was opened)
	output=$(grep 'vault/' "$open/trace" | grep -vE 'execve\("/[^"]*/(qlaunch|qemu-system-x86_64)",' | grep -E '= [0-9]+(<|$| )|unfinished') || true
	echo "$output"; [ -z "$output" ]
	[ "$(grep 'vault/' "$open/trace" | grep -c EACCES)" -ge "${1:-1}" ]
	[ ! -s "$open/ran" ]
	[ "$(state)" = "$before" ]
	[ "$(grep -c SECRET "$open/said")" -eq 0 ]
}

@test "disks, of whatever kind" {
	launch "disk d.path=$vault/disk"; [ "$status" -ne 0 ]; untouched
	launch "disk d.path=$vault/disk" "disk d.format=raw" "disk d.bus=nvme"; [ "$status" -ne 0 ]; untouched
	launch "cdrom d.path=$vault/disk"; [ "$status" -ne 0 ]; untouched
}

@test "firmware variables" {
	launch firmware.type=uefi "firmware.vars=$vault/plain"; [ "$status" -eq 4 ]; untouched
}

@test "kernel and initrd" {
	launch "boot.kernel=$vault/plain" "boot.initrd=$vault/other"; [ "$status" -ne 0 ]; untouched
}

@test "the serial console's file" {
	launch "console.serial=$vault/plain"; [ "$status" -ne 0 ]; untouched
	launch "console.serial=$vault/new"; [ "$status" -ne 0 ]; untouched
}

@test "hooks" {
	launch "hooks.before=$vault/program"; [ "$status" -ne 0 ]; untouched
	launch "hooks.ready=$vault/program"; untouched
	launch "hooks.after=$vault/program"; untouched
}

@test "QEMU itself" {
	launch "qemu.binary=$vault/program"; [ "$status" -eq 4 ]; untouched
}

@test "what QEMU's own arguments name" {
	launch "qemu.args=-fw_cfg name=opt/x,file=$vault/plain"; [ "$status" -ne 0 ]; untouched
}

@test "an input device that is none" {
	launch "input k.device=$vault/plain"; [ "$status" -ne 0 ]; untouched
	launch "input k.device=$vault/plain" "input k.persistent=yes"; [ "$status" -ne 0 ]; untouched
}

@test "the configuration itself" {
	cp configs/direct.conf "$vault/c.conf"; before=$(state)
	run timeout 60 strace -f -qq -s 300 -e trace=%file -o "$open/trace" "$qlaunch" run "$vault/c.conf"
	echo "$output" >"$open/said"
	[ "$status" -eq 3 ]
	untouched
}

@test "a program of the user's runs as the user, without a capability, and cannot become root" {
	cat >"$open/hook" <<-HOOK
		#!/bin/sh
		{ id -u; grep -E '^(Cap(Eff|Prm|Inh|Amb)|NoNewPrivs)' /proc/self/status; } >>$open/ran
	HOOK
	chmod 755 "$open/hook"
	launch "hooks.before=$open/hook"
	[ "$status" -eq 0 ]
	[ "$(head -n 1 "$open/ran")" = "$SUDO_UID" ]
	[ "$(grep -c '^Cap.*0000000000000000$' "$open/ran")" -eq 4 ]
	grep -qx 'NoNewPrivs:	1' "$open/ran"
}

@test "SECURITY.md has every kind of step, with the capabilities that it keeps" {
	for kind in $(grep -hoE '^	\.name = "[a-z-]+"' launcher/host/*.c | cut -d'"' -f2); do
		row=$(grep -E "^\\|[^|]*\`$kind\`" SECURITY.md) || { echo "$kind is not there"; return 1; }
		keeps=$(cut -d'|' -f4 <<<"$row" | xargs -n 1 | sort | xargs)
		needs=$(grep -E "^	\{ \"$kind\"," launcher/host/kind/caps.c | grep -oE 'CAP\([A-Z_]+' | cut -c 5- | sort | xargs)
		[ "$keeps" = "${needs:-none}" ] || { echo "$kind: $keeps, but ${needs:-none}"; return 1; }
	done
}

@test "the monitor's socket is its owner's alone, whatever the umask" {
	unset SUDO_UID SUDO_USER
	printf '[vm]\nname = m-%s\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n' $$ >"$open/m.conf"
	umask 000 # not sooner: root runs no file of its own that others may write to
	"$qlaunch" run "$open/m.conf" >"$open/said" 2>&1 3>&- </dev/null & local pid=$!
	until grep -q 'running after' "$open/said"; do kill -0 $pid || { cat "$open/said"; return 1; }; sleep 0.1; done
	mode=$(stat -c %a "/run/qlaunch/m-$$/monitor")
	"$qlaunch" stop --now "m-$$"
	wait $pid
	[ "$mode" = 600 ]
}
