#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What keeps a start fast: no library that it does not need, and its time told by phases.

setup() {
	cd "$BATS_TEST_DIRNAME/.."
	qlaunch=$PWD/${BUILD:-build}/qlaunch
	export HOME=$BATS_TEST_TMPDIR XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/run XDG_DATA_HOME=$BATS_TEST_TMPDIR/data
	mkdir -p "$XDG_RUNTIME_DIR"
	vm=start$BATS_TEST_NUMBER-$$
	printf '[vm]\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n' >"$BATS_TEST_TMPDIR/$vm.conf"
}
teardown() { "$qlaunch" restore "$vm" >/dev/null 2>&1 || true; }

@test "every start loads the C library, jansson and libcap-ng; all others are loaded when they are used (launcher/base/late.h)" {
	run readelf -d "$qlaunch"
	[ "$status" -eq 0 ]
	others=$(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' <<<"$output" | grep -vE '^(libc|libm|ld-linux.*|libjansson|libcap-ng|libasan|libubsan)\.so' || true)
	[ -z "$others" ] || { echo "needed at every start: $others"; return 1; }
}

@test "a plan that names no device loads nothing more" {
	LD_DEBUG=files run "$qlaunch" plan --json "$BATS_TEST_TMPDIR/$vm.conf"
	loaded=$(sed -n 's/.*dynamically loaded by.*/&/p' <<<"$output")
	echo "$loaded"
	[[ $loaded != *libxml2* && $loaded != *libpci* && $loaded != *libevdev* ]]
}

@test "status.json says what the time to a running guest went to" {
	"$qlaunch" run "$BATS_TEST_TMPDIR/$vm.conf" >/dev/null 2>"$BATS_TEST_TMPDIR/err" 3>&- </dev/null & pid=$!
	for _ in $(seq 600); do
		[ "$("$qlaunch" status --json "$vm" | jq -r '.[0]["run-state"]')" = running ] && break
		kill -0 "$pid" || { cat "$BATS_TEST_TMPDIR/err"; return 1; }
		sleep 0.1
	done
	run "$qlaunch" status --json "$vm"
	"$qlaunch" stop --now "$vm"
	echo "$output"
	[ "$(jq -r '.[0].phases_ms | keys_unsorted | join(" ")' <<<"$output")" = "plan check journal user files fork steps exec greeting machine pinning cont" ]
	# each is a part of the whole
	jq -e '.[0] | ([.phases_ms[]] | add) as $sum | .running_ms >= $sum - 0.1' <<<"$output"
}
