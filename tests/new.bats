#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# new: a configuration proposed from a host, captured or this one, that parses, plans, and is never written over another.

setup_file() {
	cd "$BATS_TEST_DIRNAME/.."
	for m in ryzen intel-off shared; do tests/captured/capture $m "$BATS_FILE_TMPDIR/$m"; done
}
setup() {
	cd "$BATS_TEST_DIRNAME/.."
	qlaunch=$PWD/${BUILD:-build}/qlaunch
	at=$BATS_FILE_TMPDIR
	export LC_ALL=C.UTF-8 HOME=$BATS_TEST_TMPDIR XDG_DATA_HOME=$BATS_TEST_TMPDIR/data XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR
	unset SUDO_UID PKEXEC_UID
}
value() { # SECTION KEY: of the configuration in $output
	awk -v s="[$1]" -v k="$2" '$0 == s { on = 1; next } /^\[/ { on = 0 } on && $1 == k { sub(/^[^=]*= */, ""); print }' <<<"$output"
}

@test "new: the card that is not the host's, one cache's CPUs, half of the memory, inputs; plan and check take it" {
	run "$qlaunch" new win11 --yes --root "$at/ryzen"
	[ "$status" -eq 0 ]; [[ $output == *"$HOME/.config/qlaunch/win11.conf"*"RTX 3090"*"sudo qlaunch win11"* ]]
	output=$(<"$HOME/.config/qlaunch/win11.conf")
	[ "$(value vm name) $(value vm accel) $(value cpu threads)" = "win11 kvm 16" ]
	[ "$(value memory size) $(value memory hugepages)" = "32G 1G" ]
	[ "$(value 'pci gpu' address) $(value 'pci gpu' functions)" = "0c:00.0 group" ]
	[ "$(value firmware secure-boot) $(value tpm version)" = "yes 2.0" ]
	[ "$(value 'input keyboard' device)" = /dev/input/by-id/usb-ZSA_Moonlander-event-kbd ]
	[ "$(value 'input mouse' device)" = /dev/input/by-id/usb-Logitech_USB_Receiver-if01-event-mouse ]
	[ "$(value 'disk main' path)" = "$XDG_DATA_HOME/qlaunch/win11/disk.qcow2" ]
	[ "$(value console agent)" = yes ]
	[ ! -e "$XDG_DATA_HOME" ] # another machine's: nothing is made here
	run "$qlaunch" plan --json --root "$at/ryzen" win11
	[ "$status" -eq 0 ]
	[ "$(jq -c '[.steps[] | select(.kind == "pci-driver") | .target]' <<<"$output")" = '["0000:0c:00.0","0000:0c:00.1"]' ]
	[ "$(jq -c '[.vcpus[].cpu] | sort | [first, last]' <<<"$output")" = '[8,31]' ]
	[ "$(jq '[.steps[] | select(.obstacle)] | length' <<<"$output")" -eq 0 ]
}

@test "new: without a card to give away a picture in a window; without firmware and TPM a word about it" {
	run "$qlaunch" new x --yes --output - --root "$at/shared"
	[ "$status" -eq 0 ]
	[ "$(grep -c '^\[pci' <<<"$output")" -eq 0 ]
	[ -n "$(value display mode)" ]; [ "$(value cpu isolate) $(value memory hugepages)" = "off transparent" ]
	[ "$(value cpu threads)" -eq 8 ]
	[[ $output == *"install swtpm"* ]]
	printf '%s\n' "$output" >"$HOME/x.conf"
	run "$qlaunch" plan --root "$at/shared" "$HOME/x.conf"
	[ "$status" -eq 0 ]
}

@test "new --yes on this host: a file and an empty image, of which check has nothing bad to say" {
	run "$qlaunch" new here --yes
	[ "$status" -eq 0 ]
	qemu-img info "$XDG_DATA_HOME/qlaunch/here/disk.qcow2" | grep -q 'virtual size: 100 GiB'
	run "$qlaunch" plan here
	[ "$status" -eq 0 ]; [[ $output == *"disk.qcow2"* ]]
	run "$qlaunch" check --json here
	[ "$(jq '[.findings[] | select(.topic == "disk" and .verdict == "bad")] | length' <<<"$output")" -eq 0 ]
}

@test "new never writes over a file, its own or another" {
	run "$qlaunch" new a --yes --root "$at/ryzen"; [ "$status" -eq 0 ]
	before=$(sha256sum "$HOME/.config/qlaunch/a.conf")
	run "$qlaunch" new a --yes --root "$at/ryzen"
	[ "$status" -eq 2 ]; [[ $output == *"a.conf is there already"* ]]
	echo mine >"$HOME/mine.conf"
	cd "$HOME"; run "$qlaunch" new a --yes --root "$at/ryzen" --output mine.conf
	[ "$status" -eq 2 ]; [ "$(cat mine.conf)" = mine ]
	ln -s /nowhere "$HOME/dangling.conf"
	run "$qlaunch" new a --yes --root "$at/ryzen" --output dangling.conf
	[ "$status" -ne 0 ]; [ -L "$HOME/dangling.conf" ]
	[ "$before" = "$(sha256sum "$HOME/.config/qlaunch/a.conf")" ]
}

@test "new --from: an example with this host's card, disk, inputs and memory; the other host's monitor is a comment" {
	run "$qlaunch" new mine --yes --from win11 --root "$at/ryzen" --output -
	[ "$status" -eq 0 ]
	[ "$(value vm name) $(value 'pci gpu' address) $(value memory size)" = "mine 0c:00.0 32G" ]
	[ "$(value 'disk windows' path) $(value 'disk windows' format)" = "$XDG_DATA_HOME/qlaunch/mine/disk.qcow2 qcow2" ]
	[ "$(value 'input keyboard' device)" = /dev/input/by-id/usb-ZSA_Moonlander-event-kbd ]
	[[ $output == *"#[monitor main]"* ]]
	run "$qlaunch" new mine --yes --from win11 --root "$at/shared" --output -
	[ "$status" -eq 0 ]; [[ $output == *"#[pci gpu]"* ]]; [ "$(value display mode)" != none ]
	run "$qlaunch" new mine --yes --from direct --root "$at/shared" --output -
	[ "$status" -eq 0 ]; [[ $(value boot kernel) == /*/guest/vmlinuz ]]
	run "$qlaunch" new mine --yes --from nosuch --output -
	[ "$status" -eq 2 ]; [[ $output == *nosuch* ]]
}

@test "new on a terminal: few questions, each with its default; a wrong answer is asked again" {
	disc 'Debian 12.5.0 amd64 n' "$HOME/my debian.iso"
	printf "1\n99\n6\n12G\nnone\n/iso/win.iso\n'$HOME/my debian.iso' \n" | script -qec "'$qlaunch' new asked --root '$at/ryzen'" /dev/null >"$HOME/said"
	grep -q 'Graphics card for the guest (or none) \[1\]' "$HOME/said"
	grep -q 'a number from 1 to 32' "$HOME/said"
	output=$(<"$HOME/.config/qlaunch/asked.conf")
	[ "$(value cpu threads) $(value memory size) $(value 'disk main' bus)" = "6 12G virtio" ]
	grep -q '/iso/win.iso: No such file' "$HOME/said"; grep -q "run --install '$HOME/my debian.iso' asked" "$HOME/said"
}

@test "new: the host's own card only where it is asked for, and then as a service that stops the desktop" {
	local own=02:00.0
	tests/captured/capture shared "$HOME/one"
	own=$("$qlaunch" groups --root "$HOME/one" | sed -n "s/.*own screen is on //p")
	run "$qlaunch" new solo --yes --gpu "$own" --root "$HOME/one"
	echo "$output"
	[ "$status" -eq 0 ]; [[ $output == *"sudo install -Dm644 $HOME/.config/qlaunch/solo.conf /etc/qlaunch/solo.conf"*"sudo systemctl start qlaunch@solo"* ]]
	output=$(<"$HOME/.config/qlaunch/solo.conf")
	[ "$(value 'pci gpu' address) $(value display mode) $(value host release-console)" = "$own none yes" ]
	run "$qlaunch" check --json --root "$HOME/one" solo
	[ "$(jq '[.findings[] | select(.topic == "console" and .verdict != "ok")] | length' <<<"$output")" -eq 0 ]
	run "$qlaunch" new solo --yes --gpu "$own" --from win11 --output - --root "$HOME/one"
	[ "$(value 'pci gpu' address) $(value host release-console)" = "$own yes" ]
	run "$qlaunch" new free --yes --gpu none --output - --root "$at/ryzen"
	[ "$(grep -c '^\[pci' <<<"$output") $(value host release-console)" = "0 " ]
	run "$qlaunch" new x --yes --gpu ff:00.0 --root "$at/ryzen"
	[ "$status" -eq 2 ]; [[ $output == *"no graphics card of this host"* ]]
	printf '\n\n\nnone\n\n' | script -qec "'$qlaunch' new asked --root '$HOME/one'" /dev/null >"$HOME/said"
	grep -q "$own .*: the host's own; the desktop ends" "$HOME/said"
	output=$(<"$HOME/.config/qlaunch/asked.conf"); [ "$(grep -c '^\[pci' <<<"$output")" -eq 0 ]
}

@test "new on a terminal: where the firmware's screen is on the card, the desktop ends, or the processor shows it" {
	tests/captured/capture boards/h470-2060 "$HOME/h470"
	printf '\n\n\n\nnone\n\n' | script -qec "'$qlaunch' new ends --root '$HOME/h470'" /dev/null >"$HOME/said"
	grep -q 'or none) \[2\]' "$HOME/said"; grep -q "graphics of its own (00:02.0)" "$HOME/said"
	output=$(<"$HOME/.config/qlaunch/ends.conf")
	[ "$(value 'pci gpu' address) $(value host release-console)" = "01:00.0 yes" ]
	printf '\n2\n\n\nnone\n\n' | script -qec "'$qlaunch' new stays --root '$HOME/h470'" /dev/null >"$HOME/said"
	output=$(<"$HOME/.config/qlaunch/stays.conf")
	[ "$(value 'pci gpu' address) $(value host release-console)" = "01:00.0 " ]; [[ $output == *"primary display in the firmware's setup"* ]]
}

@test "new on a terminal: where the image lies, a folder or a file; one that is not there is asked again" {
	mkdir "$HOME/nas"
	printf '1\n\n\n\n/nowhere/x.qcow2\n%s/nas\n\n' "$HOME" | script -qec "'$qlaunch' new there --root '$at/ryzen'" /dev/null >"$HOME/said"
	grep -q 'there is no folder /nowhere' "$HOME/said"
	output=$(<"$HOME/.config/qlaunch/there.conf"); [ "$(value 'disk main' path)" = "$HOME/nas/there.qcow2" ]
}

disc() { # LABEL FILE [OPTION...]
	mkdir -p "$BATS_TEST_TMPDIR/content"; echo >"$BATS_TEST_TMPDIR/content/x"
	xorriso -as mkisofs -quiet -V "$1" "${@:3}" -o "$2" "$BATS_TEST_TMPDIR/content" 2>/dev/null
}
made() { echo "$(value firmware type) $(value firmware secure-boot) $(value tpm version) $(value clock base) $(value 'disk main' bus) $(value 'network lan' model) $(value cpu hyperv)"; }

@test "new --iso: the machine is the one that the disc's system finds its way in, and what is printed leads to it installed" {
	disc CCCOMA_X64FRE_EN-US_DV9 "$HOME/Win 11.iso" -publisher 'MICROSOFT CORPORATION'
	run "$qlaunch" new w --yes --root "$at/ryzen" --iso "file://$HOME/Win%2011.iso"
	echo "$output"
	[ "$status" -eq 0 ]; [[ $output == *"To install Windows 11:"*"qlaunch fetch virtio-win"*"sudo qlaunch run --install '$HOME/Win 11.iso' --unattended w"* ]]
	output=$(<"$HOME/.config/qlaunch/w.conf")
	[ "$(made)" = "uefi yes 2.0  nvme e1000e auto" ]; [ -z "$(value host governor)" ] # that host has none
	cp -r "$at/ryzen" "$HOME/fast"; mkdir "$HOME/fast/sys/devices/system/cpu/cpu0/cpufreq"
	echo "performance powersave" >"$HOME/fast/sys/devices/system/cpu/cpu0/cpufreq/scaling_available_governors"
	run "$qlaunch" new w --yes --root "$HOME/fast" --output - --iso "$HOME/Win 11.iso"
	[ "$(value host governor)" = performance ]
	run "$qlaunch" plan --root "$at/ryzen" w
	[ "$status" -eq 0 ]
	disc 'Debian 12.5.0 amd64 n' "$HOME/deb.iso"
	cd "$HOME"; run "$qlaunch" new d --yes --root "$at/ryzen" --iso deb.iso
	[ "$status" -eq 0 ]; [[ $output == *"qlaunch disk create $XDG_DATA_HOME/qlaunch/d/disk.qcow2 100G"*"run --install $HOME/deb.iso d"* && $output != *virtio-win* ]]
	output=$(<"$HOME/.config/qlaunch/d.conf")
	[ "$(made)" = "uefi yes  utc virtio  off" ]
	run "$qlaunch" plan --root "$at/ryzen" d
	[ "$status" -eq 0 ]
	disc SOMETHING "$HOME/own.iso"
	run "$qlaunch" new o --yes --root "$at/ryzen" --output - --iso own.iso
	[ "$status" -eq 0 ]; [ "$(made)" = "uefi no  utc sata e1000e off" ]
}

@test "new --iso: libosinfo knows more of a disc than its label tells" {
	disc 'Debian 11.1.0 amd64 n' "$HOME/deb.iso" -b x -no-emul-boot
	run "$qlaunch" new b --yes --root "$at/ryzen" --iso "$HOME/deb.iso"
	echo "$output"
	[ "$status" -eq 0 ]; [[ $output == *"To install Debian 11:"* ]]
	disc 'alpine-xen 3.17.0 x86_64' "$HOME/alpine.iso" -b x -no-emul-boot
	run "$qlaunch" new a --yes --root "$at/ryzen" --iso "$HOME/alpine.iso"
	echo "$output"
	[ "$status" -eq 0 ]; [[ $output == *"To install Alpine Linux 3.17:"* ]]
}

@test "new --iso: no file, no disc, a folder: said, and nothing is written" {
	echo "<html>" >"$HOME/page.iso"; mkdir "$HOME/folder"
	for iso in "$HOME/none.iso" "$HOME/page.iso" "$HOME/folder" ""; do
		run "$qlaunch" new x --yes --root "$at/ryzen" --iso "$iso"
		echo "$iso: $output"; [ "$status" -eq 2 ]; [ ! -e "$HOME/.config" ]
	done
}

@test "new: a bad name is a usage error, and nothing is written" {
	run "$qlaunch" new ../x --yes
	[ "$status" -eq 2 ]
	run "$qlaunch" new --yes
	[ "$status" -eq 2 ]
	[ -z "$(ls -A "$HOME")" ]
}

@test "new after sudo: written as the user, not as root" {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	local dir; dir=$(mktemp -d); chmod 755 "$dir"; mkdir "$dir/theirs"; chown nobody "$dir/theirs"; chmod -R a+rX "$at"; chmod a+x "$BATS_RUN_TMPDIR" # nobody is to come through
	SUDO_UID=$(id -u nobody) run "$qlaunch" new x --yes --root "$at/ryzen" --output "$dir/theirs/x.conf"
	[ "$status" -eq 0 ]; [ "$(stat -c %U "$dir/theirs/x.conf")" = nobody ]
	SUDO_UID=$(id -u nobody) run "$qlaunch" new x --yes --root "$at/ryzen" --output "$dir/x.conf"
	[ "$status" -ne 0 ]; [ ! -e "$dir/x.conf" ]
	rm -r "$dir"
}
