#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# import: domains of many kinds and quickemu's text; what is not carried over is told with its line; hostile files end in
# a clear error, in bounded memory.

setup() {
	cd "$BATS_TEST_DIRNAME/.."
	qlaunch=$PWD/${BUILD:-build}/qlaunch
	export LC_ALL=C.UTF-8 HOME=$BATS_TEST_TMPDIR XDG_DATA_HOME=$BATS_TEST_TMPDIR/data XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR
	unset SUDO_UID PKEXEC_UID
}
value() { # SECTION KEY: of the configuration in $output
	awk -v s="[$1]" -v k="$2" '$0 == s { on = 1; next } /^\[/ { on = 0 } on && $1 == k { sub(/^[^=]*= */, ""); print }' <<<"$output"
}
import() { # FILE: its configuration in $output
	run "$qlaunch" import "tests/import/$1" --output -
	[ "$status" -eq 0 ]
}
refused() { # FILE WORD…: exit 3 and the words, in 512 MiB of address space
	local file=$1; shift
	run bash -c "ulimit -v 524288; timeout 20 '$qlaunch' import '$file' --output -"
	[ "$status" -eq 3 ]
	local word; for word; do [[ $output == *"$word"* ]]; done
}

@test "import: a gaming machine with every pin, its card, inputs, firmware, TPM and disk" {
	import gaming.xml
	[ "$(value vm name) $(value vm accel) $(value cpu threads)" = "win11-gpu kvm 16" ]
	[ "$(value cpu place) $(value cpu emulator) $(value cpu model)" = "8-15,24-31 7,23 host" ]
	[ "$(value cpu hide-kvm) $(value cpu vendor-id) $(value cpu hyperv)" = "yes notkvm on" ]
	[ "$(value memory size) $(value memory hugepages)" = "16G 2M" ]
	[ "$(value firmware type) $(value firmware secure-boot)" = "uefi yes" ]
	[ "$(value firmware vars)" = /var/lib/libvirt/qemu/nvram/win11-gpu_VARS.fd ]
	[ "$(value tpm version) $(value tpm model)" = "2.0 tis" ]
	[ "$(value 'disk vda' path)" = /dev/disk/by-id/nvme-Samsung_SSD_970_EVO_Plus_2TB_S59CNX0R000000A ]
	[ "$(value 'disk vda' bus) $(value 'disk vda' format) $(value 'disk vda' discard) $(value 'disk vda' iothread)" = "virtio raw yes yes" ]
	[ "$(value boot order)" = "vda sdb" ]
	[ "$(value 'pci gpu' address) $(value 'pci gpu' rom)" = "0000:01:00.0 /usr/share/vgabios/ga102.rom" ]
	[ "$(grep -c '^\[pci' <<<"$output")" -eq 1 ] # the card's sound goes with its group
	[ "$(value 'input keyboard' grab) $(value 'input keyboard' toggle) $(value 'input mouse' grab)" = "yes ctrl-ctrl no" ]
	[ "$(value 'network lan' mode) $(value 'network lan' mac)" = "nat 52:54:00:aa:bb:cc" ]
	[ "$(value audio model) $(value audio backend)" = "hda pa" ]
	[[ $(value qemu args) == "-uuid 5f6d5c1e-6d0d-4bb5-9c5a-1e7c0d3b2a10" ]]
	[ "$(grep -c '^# line' <<<"$output")" -eq 1 ] && [[ $output == *"# line 105: <tpm>"* ]]
	run "$qlaunch" import tests/import/gaming.xml
	[ "$status" -eq 0 ]
	HWLOC_SYNTHETIC='pack:1 [numa] l3:2(size=33554432) core:8 pu:2(indexes=2*16:1*2)' run "$qlaunch" plan --json win11-gpu
	[ "$status" -eq 0 ]
	[ "$(jq -c '[.vcpus[].cpu]' <<<"$output")" = '[8,24,9,25,10,26,11,27,12,28,13,29,14,30,15,31]' ]
	[ "$(jq -r .emulator_cpus <<<"$output")" = 7,23 ]
}

@test "import: blocks of a domain as people paste them, without a loss" {
	for f in desk-sharing desk-receiver; do
		import $f.xml
		[[ $output != *"Not carried over"* ]]
		[ "$(value 'input keyboard' device) $(value 'input keyboard' grab)" = "/dev/input/by-id/uinput-persist-keyboard0 yes" ]
	done
	[ "$(value 'input mouse' device)" = /dev/input/by-id/usb-Logitech_USB_Receiver-if01-event-mouse ]
	import fragment-nons.xml
	[ "$(value cpu place) $(value cpu emulator) $(value cpu threads) $(value qemu args)" = "2-3 0-1 2 -nodefaults" ]
}

@test "import: what cannot be carried over is told, each with its line" {
	run "$qlaunch" import tests/import/i440fx.xml
	[ "$status" -eq 0 ]
	for word in "line 12 *<type machine='pc-i440fx-2.9'>" "line 19 *<feature" "line 24 *<disk device='floppy'>" "line 33 *<watchdog" \
		"line 34 *<redirdev" "line 35 *<smartcard" "line 20 *<clock"; do grep -Eq "$word" <<<"$output"; done
	output=$(<"$HOME/.config/qlaunch/Old-Windows-7-office.conf")
	[ "$(value 'disk hda' bus) $(value 'network lan' mode) $(value 'network lan' bridge)" = "sata bridge br0" ]
	[ "$(value qemu binary) $(value console serial)" = "/opt/qemu/bin/qemu-system-x86_64 pty" ]
	import usb-mdev.xml
	[ "$(value 'usb device' id) $(value 'pci gpu' address) $(value 'network lan' bridge)" = "046d:c52b 0000:0a:00.3 enp5s0" ]
	[ "$(value 'network lan-2' queues) $(value boot kernel) $(value cpu nested)" = "4 /boot/vmlinuz yes" ]
	for n in 10 11 13 16 17 21 22; do grep -q "^# line $n: " <<<"$output"; done
}

@test "import: QEMU's own arguments, quoted; evdev among them becomes [input]" {
	import commandline.xml
	[ "$(value 'input keyboard' toggle) $(value 'input device' device)" = "scrolllock /dev/input/by-id/usb-Mouse-event-mouse" ]
	[ "$(value display mode) $(value display resolution)" = "looking-glass 2560x1440" ]
	printf '%s\n' "$output" >"$HOME/args.conf"
	run "$qlaunch" plan --json "$HOME/args.conf"
	[ "$status" -eq 0 ]
	jq -e '.qemu | index("name=opt/my note,string=a \"quoted\" \\ word")' <<<"$output"
}

@test "import: a Linux guest; boot order, Secure Boot by its feature, shares, 3D" {
	import linux-uefi.xml
	[ "$(value boot order) $(value firmware secure-boot) $(value 'disk vda' cache)" = "sda vda yes writeback" ]
	[ "$(value display mode) $(value display gl) $(value 'share shared' path)" = "spice yes /home/me/shared" ]
	[ "$(value console agent)" = yes ]
	import minimal.xml
	[ "$(value vm accel) $(value firmware type) $(value memory size)" = "tcg bios 256M" ]
	[[ $output != *"# line"* ]]
}

@test "import: values that qlaunch.conf does not take become comments, and the rest is a configuration" {
	import contradictions.xml
	[ "$(value vm name)" = etc-passwd ]
	grep -q '^#threads = many' <<<"$output"
	grep -q '^#device = /dev/input/event3' <<<"$output"
	printf '%s\n' "$output" >"$HOME/c.conf"
	run "$qlaunch" plan "$HOME/c.conf"
	[ "$status" -eq 0 ]
}

@test "import: quickemu's text is read, never run" {
	import windows.conf
	[ "$(value 'disk main' path)" = "$PWD/tests/import/windows-11/disk.qcow2" ]
	[ "$(value memory size) $(value cpu threads) $(value firmware secure-boot) $(value tpm version)" = "16G 8 yes 2.0" ]
	[ "$(value 'network lan' forward)" = "tcp:3389:3389 tcp:8080:80" ]
	[ "$(value 'usb device' id) $(value 'usb device-2' id) $(value display mode)" = "046d:c52b 054c:0ce6 spice" ]
	grep -q '^# line 16: public_dir=$HOME/Public is worked out by the shell' <<<"$output"
	grep -q '^# line 18: touch' <<<"$output"
	import legacy.conf
	[ "$(value firmware type) $(value 'network lan' bridge)" = "bios br0" ]
	[ ! -e /tmp/qlaunch-import-ran ]
}

@test "import: every sample comes to a configuration that plans, or to a clear error" {
	for f in tests/import/*; do
		run "$qlaunch" import "$f" --output "$HOME/$(basename "$f").conf"
		[ "$status" -eq 0 ] || [ "$status" -eq 3 ]
		[ "$status" -eq 3 ] || "$qlaunch" plan "$HOME/$(basename "$f").conf" >/dev/null
	done
}

@test "import: bombs, malformed and huge files: a clear error in bounded memory" {
	cd "$BATS_TEST_TMPDIR"
	refused "$BATS_TEST_DIRNAME/import/lol.xml" "document type"
	refused "$BATS_TEST_DIRNAME/import/xen.xml" "line 1" "xen"
	refused "$BATS_TEST_DIRNAME/import/network.xml" "<network>"
	truncate -s 100M huge.xml; refused huge.xml "4 MiB"
	printf '<domain><name>x</nam' >cut.xml; refused cut.xml "line 1"
	printf '<domain><name>x</memory></domain>' >crossed.xml; refused crossed.xml "line 1"
	: >empty.conf; refused empty.conf "neither"
	head -c 100000 /dev/urandom >noise.conf; refused noise.conf
	yes '<a>' | head -n 100000 >deep.xml; refused deep.xml
	{ echo '<domain>'; yes '<x/>' | head -n 500000; echo '</domain>'; } >many.xml; refused many.xml "elements"
	{ printf '<domain '; seq -f 'a%.0f="1"' 200000; echo '/>'; } >attributes.xml; refused attributes.xml "attributes"
	{ printf '<domain type="kvm"><name>'; head -c 4000000 /dev/zero | tr '\0' x; echo '</name></domain>'; } >name.xml
	run bash -c "ulimit -v 524288; timeout 20 '$qlaunch' import name.xml --output -"
	[ "$status" -eq 0 ]
	iconv -f UTF-8 -t UTF-16 "$BATS_TEST_DIRNAME/import/lol.xml" >lol16.xml; refused lol16.xml
	mkfifo fifo.xml
	run timeout 20 "$qlaunch" import fifo.xml; [ "$status" -eq 2 ]; [[ $output == *"not a regular file"* ]]
	run "$qlaunch" import nosuch.xml; [ "$status" -eq 2 ]; [[ $output == *"no such file"* ]]
}
