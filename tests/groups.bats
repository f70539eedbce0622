#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The IOMMU groups of captured machines, with a verdict each.

setup_file() {
	cd "$BATS_TEST_DIRNAME/.."
	for m in ryzen intel-off shared; do tests/captured/capture $m "$BATS_FILE_TMPDIR/$m"; done
}
setup() {
	cd "$BATS_TEST_DIRNAME/.."
	qlaunch=$PWD/${BUILD:-build}/qlaunch
	export LC_ALL=C.UTF-8
	at=$BATS_FILE_TMPDIR
}
verdict() { # GROUP: of the JSON in $output
	jq -r --argjson g "$1" '.groups[] | select(.group == $g) | .verdict' <<<"$output"
}
why() {
	jq -r --argjson g "$1" '.groups[] | select(.group == $g) | .why | join("; ")' <<<"$output"
}

@test "groups: the card beside the host's is free, with its audio; names, drivers, 80 columns, no colours in a pipe" {
	COLUMNS=80 run "$qlaunch" groups --root "$at/ryzen"
	[ "$status" -eq 0 ]
	[[ $output == *"✓ Group 30  can be passed"*"0c:00.0 VGA"*"RTX 3090"*"nouveau"*"0c:00.1 audio"*"snd_hda_intel"* ]]
	[[ $output == *"✗ Group 28"*"the host's own screen is on 0a:00.0"* ]]
	[ "$(wc -L <<<"$output")" -le 80 ]
	[[ $output != *$'\033'* ]]
}

@test "groups --json: what the host uses is named: screen, mounted disk, network, keyboard" {
	run "$qlaunch" groups --json --root "$at/ryzen"
	[ "$status" -eq 0 ]
	[ "$(verdict 30) $(verdict 28) $(verdict 0)" = "free host none" ]
	[ "$(verdict 14) $(why 14)" = "host nvme0n1 is mounted on /" ]
	[ "$(verdict 20)" = free ] # the drive that nobody has mounted
	[[ $(why 21) == *"network goes over 05:00.0 (enp5s0)"* ]]
	[[ $(why 33) == *"ZSA Moonlander, Logitech USB Receiver Mouse"* ]]
	[ "$(jq '[.groups[].functions[] | select(.host_screen)] | length' <<<"$output")" -eq 1 ]
}

@test "groups: a card that shares its group with the host's network cannot be passed; a bridge with a driver keeps its group" {
	run "$qlaunch" groups --json --root "$at/shared"
	[ "$status" -eq 0 ]
	[ "$(verdict 1)" = host ]; [[ $(why 1) == *"enp3s0"* ]]
	[ "$(verdict 8)" = host ]; [[ $(why 8) == *"00:1f.0 stays with the host (driver lpc_ich)"* ]]
	[ "$(verdict 6)" = free ]; [[ $(why 6) == *"together"* ]]
}

@test "groups, check, new: a card that has fallen off the bus is named as such, and proposed to nobody" {
	tests/captured/capture ryzen "$BATS_TEST_TMPDIR/fallen"
	printf '\377%.0s' {1..256} >"$BATS_TEST_TMPDIR/fallen/sys/devices/pci0000:00/0000:0c:00.0/config"
	run "$qlaunch" groups --json --root "$BATS_TEST_TMPDIR/fallen"
	[ "$(verdict 30)" = dead ]; [[ $(why 30) == "0c:00.0 does not answer"* ]]
	run "$qlaunch" groups --root "$BATS_TEST_TMPDIR/fallen"
	[[ $output == *"✗ Group 30  does not answer"* ]]
	run "$qlaunch" check --root "$BATS_TEST_TMPDIR/fallen"
	[[ $output == *"! gpu        cannot be passed: 0c:00.0"*"switch the machine off"* ]]
	run "$qlaunch" setup --root "$BATS_TEST_TMPDIR/fallen" --gpu 0c:00.0
	[ "$status" -eq 4 ]; [[ $output == *"0c:00.0 does not answer"* ]]
	run "$qlaunch" new --root "$BATS_TEST_TMPDIR/fallen" --yes --output - fallen
	[ "$status" -eq 0 ]; [[ $output == *"[vm]"* && $output != *"0c:00.0"* ]]
}

@test "groups: without an IOMMU the devices are listed, exit 4, and where the remedy is" {
	run "$qlaunch" groups --root "$at/intel-off"
	[ "$status" -eq 4 ]
	[[ $output == *"No group"*"01:00.0"* ]]; [[ $output == *"IOMMU is off"*"qlaunch check"* ]]
}

@test "groups: this host, whatever it is; a word too many is named" {
	run "$qlaunch" groups --json
	[ "$status" -eq 0 ] || [ "$status" -eq 4 ]
	run "$qlaunch" groups extra
	[ "$status" -eq 2 ]; [[ $output == *'"extra"'* ]]
}
