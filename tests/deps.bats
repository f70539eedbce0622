#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What `make deps` asks a distribution's package manager for. There is one of the three on this machine: the others are played.

setup() {
	cd "$BATS_TEST_DIRNAME/.."
	bin=$BATS_TEST_TMPDIR/bin
	mkdir "$bin"
	for tool in bash awk cat fold id tr; do ln -s "$(command -v $tool)" "$bin/$tool"; done
}
play() { # NAME SCRIPT
	printf '#!/bin/bash\n%s\n' "$2" >"$bin/$1"
	chmod +x "$bin/$1"
}

@test "pacman: what is missing is named, and asked for in one call" {
	play pacman 'case $1 in -Qq) [ "$2" != swtpm ] && [ "$2" != jansson ] ;; -S) echo "asked: $*" >"$0.log" ;; esac'
	play sudo 'exec "$@"'
	run env PATH="$bin" bash tests/deps
	[ "$status" -eq 0 ]; [[ $output == "deps: installing jansson swtpm" ]]
	[[ $(<"$bin/pacman.log") == "asked: -S --noconfirm --needed jansson swtpm" ]]
}

@test "dnf: what is missing is named, and asked for in one call" {
	play rpm '[ "$2" != jansson-devel ]'
	play dnf 'echo "asked: $*" >"$0.log"'
	play sudo 'exec "$@"'
	run env PATH="$bin" bash tests/deps
	[ "$status" -eq 0 ]; [[ $output == "deps: installing jansson-devel" ]]
	[[ $(<"$bin/dnf.log") == "asked: install -y -q jansson-devel" ]]
}

@test "none of the three: the names to install by hand, exit 4" {
	run env PATH="$bin" bash tests/deps
	[ "$status" -eq 4 ]; [[ $output == *libhwloc-dev* ]]
}
