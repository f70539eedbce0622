#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# check: slow
# `make newest` on a day when it cannot: a mirror that is not reached says nothing of the source (exit 75, "not run"), a source that does not
# build does (not ok, exit 1).

bats_require_minimum_version 1.5.0
setup() {
	cd "$BATS_TEST_DIRNAME/.."
	for tool in debootstrap /usr/lib/apt/apt-helper; do command -v "$tool" >/dev/null || skip "$tool is not here"; done
	build=${BUILD:-build}/newest-$$
	mkdir -p "$build"
	bin=$BATS_TEST_TMPDIR/bin
	mkdir "$bin"
}
teardown() {
	rm -rf "${build:?}"
}
play() { # NAME SCRIPT
	printf '#!/bin/bash\n%s\n' "$2" >"$bin/$1"
	chmod +x "$bin/$1"
}

@test "newest: no mirror answers, or debootstrap fails: exit 75, nothing is told as passed or failed" {
	run --separate-stderr env MIRROR=http://127.0.0.1:1/debian tests/newest "$build"
	echo "$stderr"
	[ "$status" -eq 75 ]; [ "$output" = "" ]
	[[ ${stderr_lines[-1]} == "newer: sid is not reached: no answer from http://127.0.0.1:1/debian" ]]
	mkdir -p "$BATS_TEST_TMPDIR/mirror/dists/sid"; : >"$BATS_TEST_TMPDIR/mirror/dists/sid/InRelease"
	play debootstrap 'echo "E: Release signed by unknown key"; exit 1'
	run --separate-stderr env PATH="$bin:$PATH" MIRROR="file://$BATS_TEST_TMPDIR/mirror" tests/newest "$build"
	[ "$status" -eq 75 ]; [ "$output" = "" ]; [[ $stderr == *"unknown key"*"sid is not reached"* ]]
	[ ! -e "$build/newer/sid.made" ]
}

@test "newest: a source that does not build, a test that fails: not ok, with the compiler's words, exit 1" {
	for tool in gcc clang swtpm; do play "$tool" 'echo "'"$tool"' 1"'; done
	play qemu-system-x86_64 'echo "bind device fd=4 to iommufd=3: no device"'
	play bats 'echo 1..1; echo "ok 1 stays"'
	play make 'case $* in *CC=clang*) echo "node.c:192: error: incompatible pointer"; exit 2 ;; *unit*) mkdir -p "'"$build"'/logs"; echo "ok 1" >"'"$build"'/logs/unit-x.tap" ;; esac'
	run env PATH="$bin:$PATH" BUILD="$build" tests/newest "$build" inside
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"ok 1 - builds with gcc"*"not ok 2 - builds with clang"*"# node.c:192: error"*"ok 3 - unit: 1 tests"* ]]
	play make ':'; play bats 'echo 1..1; echo "not ok 1 starts"; exit 1'
	run env PATH="$bin:$PATH" BUILD="$build" tests/newest "$build" inside
	[ "$status" -eq 1 ]; [[ $output == *"not ok "*" - starts"* ]]
	play bats 'echo 1..1; echo "ok 1 starts"'
	run env PATH="$bin:$PATH" BUILD="$build" tests/newest "$build" inside
	[ "$status" -eq 0 ]
}
