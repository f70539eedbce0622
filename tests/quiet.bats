#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# check: slow
# What is said to QEMU is nothing that it warns of: each of configs/ is started, with all that this machine has for it, by a QEMU that refuses
# what it would only deprecate. Cards, drives and input devices of the examples are not here; no KVM, so that it is the same everywhere.

load machine

setup() {
	cd "$BATS_TEST_DIRNAME/.."
	qlaunch=$PWD/${BUILD:-build}/qlaunch dir=$BATS_TEST_TMPDIR
	export HOME=$dir XDG_RUNTIME_DIR=$dir/run XDG_DATA_HOME=$dir/data
	mkdir -m 700 "$XDG_RUNTIME_DIR"
	unset DISPLAY WAYLAND_DISPLAY
	mkfifo "$dir/number"
	Xvfb -displayfd 5 -screen 0 1024x768x24 -nolisten tcp >"$dir/xvfb" 2>&1 5>"$dir/number" 3>&- & x=$!
	read -r -t 60 DISPLAY <"$dir/number"
	export DISPLAY=:$DISPLAY
	printf '#!/bin/sh\nexec qemu-system-x86_64 "$@" -compat deprecated-input=reject 2>>"%s/words"\n' "$dir" >"$dir/qemu"
	chmod 755 "$dir/qemu"
}
teardown() {
	[ -z "${pid:-}" ] || { kill -KILL "$pid"; wait "$pid"; } 2>/dev/null || true
	"$qlaunch" restore "$vm" >/dev/null 2>&1 || true
	kill "$x"
	wait "$x" || true
}

example() { # NAME: configs/NAME.conf as $conf, as the machine $vm, small and with what is here
	vm=quiet-$1-$$ conf=$dir/$1.conf
	local gone='pci|input|monitor|host|boot'
	! grep -q '^mode = nat' "configs/$1.conf" || gone+='|network' # that one wants a bridge
	awk -v gone_ones="^\\[($gone)" -v vm="$vm" -v dir="$dir" '
		/^\[/ { gone = $0 ~ gone_ones }
		gone || /^(forward|accel|isolate|hugepages|place|emulator|iothread) = / { next }
		/^name = / { $0 = "name = " vm }
		/^path = / { $0 = "path = " dir "/disk" ++n (/qcow2$/ ? ".qcow2" : ".raw") }
		/^size = / { $0 = "size = 256M" }
		/^threads = / { $0 = "threads = 2" }
		/^serial = / { $0 = "serial = none" }
		{ print }' "configs/$1.conf" >"$conf"
	grep -o "$dir/disk.*" "$conf" | while read -r disk; do qemu-img create -q -f "${disk##*.}" "$disk" 64M; done
}

@test "each of configs/ starts, and QEMU has nothing to say" {
	for example in configs/*.conf; do
		echo "$example:"
		: >"$dir/words"
		example "$(basename "$example" .conf)"
		start --set "qemu.binary=$dir/qemu" --set vm.accel=tcg --set cpu.isolate=off
		[ "$("$qlaunch" status --json "$vm" | jq -r '.[0]["run-state"]')" = running ]
		"$qlaunch" stop --now "$vm"
		wait "$pid"
		pid=
		# not what GTK and SPICE say themselves, that it is ended, that no CPU here is as the example's, the example's key, a list of modules that it is asked for
		run grep -P "^qemu(?!.*(terminating on signal|TCG doesn't support|AppleSMC with invalid key|: module .* not found|warning: Spice: ))" "$dir/words"
		[ "$status" -eq 1 ] || { echo "$output"; return 1; }
	done
}
