#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# check without a configuration: captured hosts judged as a whole, each finding with a remedy for that very host.

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
finding() { # TOPIC VERDICT: text and remedy of each such finding in $output
	jq -r --arg t "$1" --arg v "$2" '.findings[] | select(.topic == $t and .verdict == $v) | .text + " → " + (.remedy // "")' <<<"$output"
}

@test "check: a host that is ready, the host's card and the guest's told apart" {
	run "$qlaunch" check --json --root "$at/ryzen"
	[ "$status" -eq 0 ]
	[ "$(jq .can_run <<<"$output")" = true ]
	[[ $(finding gpu ok) == *"the host's: 0a:00.0"*"amdgpu"*"can be passed: 0c:00.0"*"RTX 3090"*"group 30 with 0c:00.1 audio"* ]]
	[[ $(finding cpu ok) == *"16 cores, 32 threads, 2 L3"* ]]
	[[ $(finding hugepages ok) == *"1 GiB and 2 MiB"* ]]
	for topic in kernel kvm iommu vfio firmware swtpm memory cgroup input ddc; do [ -n "$(finding $topic ok)" ]; done
}

@test "check and plan: a kernel without seccomp: QEMU does without its sandbox, and that is said" {
	cp -r "$at/ryzen" "$BATS_TEST_TMPDIR/bare"; rm -r "$BATS_TEST_TMPDIR/bare/proc/sys/kernel/seccomp"
	printf '[vm]\nname = s\n[cpu]\nthreads = 2\nisolate = off\n[memory]\nsize = 256M\nhugepages = off\n[firmware]\ntype = bios\n' >"$BATS_TEST_TMPDIR/s.conf"
	for root in "$at/ryzen" "$BATS_TEST_TMPDIR/bare"; do
		said=$("$qlaunch" plan --json --root "$root" "$BATS_TEST_TMPDIR/s.conf" | jq '.qemu | index("-sandbox") != null')
		run "$qlaunch" check --json --root "$root" "$BATS_TEST_TMPDIR/s.conf"
		warned=$(jq '[.findings[] | select(.topic == "sandbox" and .verdict == "warning")] | length' <<<"$output")
		if [ "$root" = "$at/ryzen" ]; then [ "$said $warned" = "true 0" ]; else [ "$said $warned" = "false 1" ]; fi
	done
	[[ $(finding sandbox warning) == *"no seccomp"*CONFIG_SECCOMP_FILTER* ]]
}

@test "plan: QEMU may lock the guest's memory and 1 GiB for itself where a device is passed, and no more than before where none is" {
	for size in 64M 16G; do
		printf '[vm]\nname = s\n[cpu]\nthreads = 2\nisolate = off\n[memory]\nsize = %s\nhugepages = off\n[firmware]\ntype = bios\n' $size >"$BATS_TEST_TMPDIR/s.conf"
		none=$("$qlaunch" plan --json --root "$at/ryzen" "$BATS_TEST_TMPDIR/s.conf" | jq '[.steps[] | select(.kind == "memlock")] | length')
		printf '[pci gpu]\naddress = 0c:00.0\nfunctions = group\n' >>"$BATS_TEST_TMPDIR/s.conf"
		want=$("$qlaunch" plan --json --root "$at/ryzen" "$BATS_TEST_TMPDIR/s.conf" | jq -r '.steps[] | select(.kind == "memlock") | .want')
		echo "$size: $none, $want"
		[ "$none" -eq 0 ]
		if [ $size = 64M ]; then [ "$want" = $(((64 << 20) + (1 << 30))) ]; else [ "$want" = $((17 << 30)) ]; fi
	done
}

@test "check: a card's ROM: the host's by the word, a file only where it is there" {
	cp -a "$at/ryzen" "$BATS_TEST_TMPDIR/rom"
	touch "$(find "$BATS_TEST_TMPDIR/rom/sys/devices" -type d -name 0000:0c:00.0)/rom"
	for rom in host off ./absent.rom; do
		printf '[vm]\nname = s\n[cpu]\nthreads = 2\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n[pci gpu]\naddress = 0c:00.0\nrom = %s\n' $rom >"$BATS_TEST_TMPDIR/s.conf"
		run "$qlaunch" check --json --root "$BATS_TEST_TMPDIR/rom" "$BATS_TEST_TMPDIR/s.conf"
		said=$(finding rom ok)
		if [ $rom = host ]; then [[ $said == *"read from the card at the start"* ]]; else [ -z "$said" ]; fi
		run "$qlaunch" check --json "$BATS_TEST_TMPDIR/s.conf" # files are this machine's own
		said=$(finding file bad)
		if [ $rom = ./absent.rom ]; then [[ $said == *"[pci gpu] rom: "*absent.rom* ]]; else [ -z "$said" ]; fi
	done
}

@test "check: an IOMMU that waits for its parameter: setup is the remedy, and does it" {
	run "$qlaunch" check --json --root "$at/intel-off"
	[ "$status" -eq 4 ]
	[[ $(finding iommu bad) == *"sudo qlaunch setup --gpu none # then reboot" ]]
	[[ $(finding gpu warning) == *"no second graphics card"*"release-console"* ]]
	cp -r "$at/intel-off" "$BATS_TEST_TMPDIR/host"
	"$qlaunch" setup --gpu none --yes --root "$BATS_TEST_TMPDIR/host"
	grep -qx 'options root=UUID=3c rw intel_iommu=on iommu=pt' "$BATS_TEST_TMPDIR/host/boot/loader/entries/arch.conf"
}

@test "check: where setup cannot add a parameter, the file and the word; a parameter that switches it off is named" {
	cp -r "$at/intel-off" "$BATS_TEST_TMPDIR/debian"; cp -r "$at/ryzen/etc/default" "$BATS_TEST_TMPDIR/debian/etc/"
	cp -r "$at/ryzen/usr/sbin" "$BATS_TEST_TMPDIR/debian/usr/"
	run "$qlaunch" check --json --root "$BATS_TEST_TMPDIR/debian"
	[[ $(finding iommu bad) == *"sudo qlaunch setup --gpu none"* ]]
	mkdir "$BATS_TEST_TMPDIR/nix"; cp -r "$at/intel-off/." "$BATS_TEST_TMPDIR/nix"; touch "$BATS_TEST_TMPDIR/nix/etc/NIXOS"
	run "$qlaunch" check --json --root "$BATS_TEST_TMPDIR/nix"
	[[ $(finding iommu bad) == *'boot.kernelParams'*'intel_iommu=on'* ]]
	echo "root=/dev/sda1 intel_iommu=off" >"$BATS_TEST_TMPDIR/debian/proc/cmdline"
	run "$qlaunch" check --json --root "$BATS_TEST_TMPDIR/debian"
	[[ $(finding iommu bad) == *"switches the IOMMU off: intel_iommu=off"*"take intel_iommu=off out of /etc/default/grub"* ]]
}

@test "check: a card that shares its group with the host's network is told so" {
	run "$qlaunch" check --json --root "$at/shared"
	[[ $(finding gpu warning) == *"02:00.0"*"IOMMU group 1"*"enp3s0"*"another slot"* ]]
}

@test "check: this host at a glance, within 80 columns but for commands; --html is well-formed and whole in itself" {
	COLUMNS=80 run "$qlaunch" check
	[ "$status" -eq 0 ] || [ "$status" -eq 4 ]
	[ "$(grep -v '→ sudo' <<<"$output" | wc -L)" -le 80 ]
	[[ $output != *$'\033'* ]]
	run "$qlaunch" check --html --root "$at/shared"
	xmllint --noout - <<<"$output"
	[[ $output == *"<td>gpu</td>"*"RTX 3070"* ]]
	! grep -Eiq '(src|href)=|@import|<script' <<<"$output"
}
