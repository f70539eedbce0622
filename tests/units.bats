#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What is installed: systemd understands the units, the paths in them exist, and `make uninstall` leaves nothing.

setup() {
	cd "$BATS_TEST_DIRNAME/.."
	export XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR
	prefix=$BATS_TEST_TMPDIR/usr
	make -s install PREFIX="$prefix" BUILD="${BUILD:-build}" 3>&-
}

@test "systemd-analyze verify has nothing to say of the units" {
	for unit in qlaunch@game.service qlaunch-restore@my\\x2dvm.path qlaunch-restore@game.service qlaunch-restore.service; do
		template=${unit/@*./@.}
		cp "$prefix/lib/systemd/system/$template" "$BATS_TEST_TMPDIR/$unit"
		run systemd-analyze verify --man=no --recursive-errors=no "$BATS_TEST_TMPDIR/$unit"
		echo "$unit: $output"
		[ "$status" -eq 0 ]; [ -z "$output" ]
	done
	cp "$prefix/lib/systemd/user/qlaunch@.service" "$BATS_TEST_TMPDIR/qlaunch@mine.service"
	run systemd-analyze verify --user --man=no --recursive-errors=no "$BATS_TEST_TMPDIR/qlaunch@mine.service"
	echo "$output"
	[ "$status" -eq 0 ]; [ -z "$output" ]
}

@test "a unit that systemd does not understand would be seen" {
	sed 's/^PathChanged=/PathChangd=/' "$prefix/lib/systemd/system/qlaunch-restore@.path" >"$BATS_TEST_TMPDIR/qlaunch-restore@x.path"
	run systemd-analyze verify --man=no --recursive-errors=no "$BATS_TEST_TMPDIR/qlaunch-restore@x.path"
	[ "$status" -ne 0 ] || [ -n "$output" ]
}

@test "the units name the binary that was installed, and uninstall leaves no file" {
	[ "$(grep -rhoE '^Exec[A-Za-z]*=[^ ]*' "$prefix/lib/systemd" | cut -d= -f2 | sort -u)" = "$prefix/bin/qlaunch" ]
	[ -x "$prefix/bin/qlaunch" ]
	make -s uninstall PREFIX="$prefix" BUILD="${BUILD:-build}" 3>&-
	[ -z "$(find "$prefix" -type f)" ]
}
