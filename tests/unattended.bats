#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# run --install --unattended: the disc of answers, with a real QEMU and firmware. Windows's own disc is nobody's to have here: what is on ours is
# its label, and a file.

setup_file() {
	export at=$BATS_FILE_TMPDIR
	mkdir "$at/disc"; echo >"$at/disc/x"
	xorriso -as mkisofs -quiet -V CCCOMA_X64FRE_EN-US_DV9 -publisher 'MICROSOFT CORPORATION' -o "$at/Win11.iso" "$at/disc" 2>/dev/null
	xorriso -as mkisofs -quiet -V 'Debian 12.5.0 amd64 n' -o "$at/debian.iso" "$at/disc" 2>/dev/null
	xorriso -as mkisofs -quiet -V virtio-win-0.1.999 -o "$at/virtio.iso" "$at/disc" 2>/dev/null
}
setup() {
	cd "$BATS_TEST_DIRNAME/.."
	qlaunch=$PWD/${BUILD:-build}/qlaunch
	export LC_ALL=C.UTF-8 HOME=$BATS_TEST_TMPDIR XDG_DATA_HOME=$BATS_TEST_TMPDIR/data XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR
	unset SUDO_UID PKEXEC_UID
	vm=quiet$BATS_TEST_NUMBER-$$ conf=$HOME/$vm.conf
	qemu-img create -q -f qcow2 "$HOME/disk.qcow2" 1G
	printf '[vm]\nname = %s\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 256M\n[firmware]\ntype = uefi\n[disk main]\npath = %s\nbus = nvme\n[display]\nmode = spice\n' \
		"$vm" "$HOME/disk.qcow2" >"$conf"
	printf 'a<b>&c\nmore\n' >"$HOME/secret"
	answers=$XDG_DATA_HOME/qlaunch/$vm/answers.iso
}
teardown() { "$qlaunch" stop --kill "$vm" >/dev/null 2>&1 || true; [ -z "${pid:-}" ] || wait "$pid" || true; }
unattended() { run "$qlaunch" run --install "$at/Win11.iso" --drivers "$at/virtio.iso" --unattended "$@" "$conf" </dev/null; echo "$output"; }

@test "unattended: a third disc with the answers, which only its owner may read, and which goes with the run; Enter for the disc that wants a key" {
	printf '[qemu]\nargs = -trace input_event_key_qcode -D %s/keys\n' "$HOME" >>"$conf"
	"$qlaunch" run --install "$at/Win11.iso" --drivers "$at/virtio.iso" --unattended --account Ana --edition home --password-file "$HOME/secret" "$conf" \
		>"$HOME/said" 2>&1 3>&- </dev/null & pid=$!
	for _ in $(seq 600); do [ "$("$qlaunch" status --json "$vm" 2>/dev/null | jq -r '.[0]["run-state"]')" != running ] || break; kill -0 "$pid" || { cat "$HOME/said"; false; }; sleep 0.1; done
	[ "$(stat -c %a "$answers")" = 600 ]; [ "$(find "${answers%/*}" -name 'answers*' | wc -l)" -eq 1 ]
	xorriso -osirrox on -indev "$answers" -extract /autounattend.xml "$HOME/autounattend.xml" 2>/dev/null
	chmod 644 "$HOME/autounattend.xml"
	xmllint --noout "$HOME/autounattend.xml"
	ask() { xmllint --xpath "string(//*[local-name()='$1'])" "$HOME/autounattend.xml"; }
	[ "$(ask Value) $(ask Username) $(ask Key)" = "a<b>&c Ana YTMG3-N6DKC-DKB77-7M9GH-8HVX7" ]
	args=$(tr '\0' '\n' <"/proc/$("$qlaunch" status --json "$vm" | jq '.[0].qemu')/cmdline" || true)
	for _ in $(seq 600); do ! grep -q ret "$HOME/keys" 2>/dev/null || break; sleep 0.1; done
	grep -q 'ret' "$HOME/keys"
	run "$qlaunch" run --install "$at/Win11.iso" --drivers "$at/virtio.iso" --unattended --password-file "$HOME/secret" "$conf" </dev/null
	echo "$output"; [ "$status" -eq 4 ]; [[ $output == *"runs already"* ]]; [ -e "$answers" ]
	"$qlaunch" stop --kill "$vm"
	wait "$pid" || true; pid=
	[ ! -e "$answers" ]; [ -z "$(find "$XDG_DATA_HOME" -name 'answers*')" ]
	if grep -rq 'a<b>&c' "$XDG_DATA_HOME"; then false; fi # nor does the log of the run have it
	# a launcher that was killed leaves it: the next run takes it away
	install -m 600 /dev/null "$answers"
	"$qlaunch" run "$conf" >"$HOME/said" 2>&1 3>&- </dev/null & pid=$!
	for _ in $(seq 600); do [ "$("$qlaunch" status --json "$vm" 2>/dev/null | jq -r '.[0]["run-state"]')" != running ] || break; kill -0 "$pid" || { cat "$HOME/said"; false; }; sleep 0.1; done
	[ ! -e "$answers" ]
}

@test "unattended: what it would wipe, has no answers for, or is not told, is refused before anything is made" {
	unattended </dev/null; [ "$status" -eq 2 ]; [[ $output == *"nobody is there to say the password"*"--password-file"* ]]
	unattended --password-file "$HOME/none"; [ "$status" -eq 2 ]
	unattended --password-file "$HOME/secret" --edition ultimate; [ "$status" -eq 2 ]; [[ $output == *"home, pro"* ]]
	unattended --password-file "$HOME/secret" --account 'a/b'; [ "$status" -eq 2 ]; [[ $output == *"--account NAME"* ]]
	qemu-io -c 'write 0 8M' "$HOME/disk.qcow2" >/dev/null
	unattended --password-file "$HOME/secret"; [ "$status" -eq 2 ]; [[ $output == *"not empty"*"--yes"* ]]
	qemu-img create -q -f qcow2 "$HOME/two.qcow2" 1G; printf '[disk two]\npath = %s\n' "$HOME/two.qcow2" >>"$conf"
	unattended --password-file "$HOME/secret"; [ "$status" -eq 3 ]; [[ $output == *"2 disks"* ]]
	sed -i '/^\[disk two/,$d' "$conf"; printf '[pci drive]\naddress = 01:00.0\n' >>"$conf"
	a_controller='mount -t tmpfs none /sys; mkdir -p /sys/bus/pci/devices/0000:01:00.0; echo 0x010802 >/sys/bus/pci/devices/0000:01:00.0/class; exec "$@"'
	run unshare -m sh -c "$a_controller" - "$qlaunch" run --install "$at/Win11.iso" --drivers "$at/virtio.iso" --unattended --password-file "$HOME/secret" --yes "$conf"
	echo "$output"; [ "$status" -eq 3 ]; [[ $output == *"[pci drive]"*"disks of its own"* ]]
	sed -i '/^\[pci drive/,$d' "$conf"
	run "$qlaunch" run --install "$at/debian.iso" --drivers "$at/virtio.iso" --unattended --password-file "$HOME/secret" "$conf"
	echo "$output"; [ "$status" -eq 2 ]; [[ $output == *"answers for Windows 10 and 11"*"Debian"* ]]
	run "$qlaunch" run --install "$at/Win11.iso" --unattended --password-file "$HOME/secret" "$conf"
	echo "$output"; [ "$status" -eq 4 ]; [[ $output == *"qlaunch fetch virtio-win"* ]]
	run "$qlaunch" run --edition home "$conf"
	[ "$status" -eq 2 ]; [[ $output == *"--edition belongs to"* ]]
	[ -z "$(find "$XDG_DATA_HOME" -name 'answers*' 2>/dev/null)" ]
}

@test "unattended in a terminal: the password is asked twice and not shown" {
	tests/terminal.py 'wait:Enter): ' 'key:hush\n' 'wait:Once more: ' 'key:other\n' 'wait:are two' -- "$qlaunch" run --install "$at/Win11.iso" \
		--drivers "$at/virtio.iso" --unattended "$conf" >"$HOME/said" || true
	cat "$HOME/said"
	grep -q 'Password for .* in the guest' "$HOME/said"; grep -q 'these are two' "$HOME/said"
	if grep -qE 'hush|other' "$HOME/said"; then false; fi
}
