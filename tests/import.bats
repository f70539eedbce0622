#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# check: slow
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
	[ "$(value memory size) $(value memory hugepages)" = "16G default" ]
	[ "$(value firmware type) $(value firmware secure-boot)" = "uefi yes" ]
	[ "$(value firmware vars)" = /var/lib/libvirt/qemu/nvram/win11-gpu_VARS.fd ]
	[ "$(value tpm version) $(value tpm model)" = "2.0 tis" ]
	[ "$(value 'disk vda' path)" = /dev/disk/by-id/nvme-Samsung_SSD_970_EVO_Plus_2TB_S59CNX0R000000A ]
	[ "$(value 'disk vda' bus) $(value 'disk vda' format) $(value 'disk vda' discard) $(value 'disk vda' iothread)" = "virtio raw yes yes" ]
	[ "$(value boot order)" = "vda sdb" ]
	[ "$(value 'pci gpu' address) $(value 'pci gpu' rom)" = "0000:01:00.0 /usr/share/vgabios/ga102.rom" ]
	[ "$(value 'pci gpu-fn1' address)" = 0000:01:00.1 ] # each function by itself: their groups may differ
	[ "$(value 'input keyboard' grab) $(value 'input keyboard' toggle) $(value 'input mouse' grab)" = "yes ctrl-ctrl no" ]
	[ "$(value 'network lan' mode) $(value 'network lan' mac)" = "nat 52:54:00:aa:bb:cc" ]
	[ "$(value audio model) $(value audio backend)" = "hda pa" ]
	[[ $(value qemu args) == "-uuid 5f6d5c1e-6d0d-4bb5-9c5a-1e7c0d3b2a10 -machine smm=on" ]]
	[ "$(grep -m1 '^# line' <<<"$output" | cut -c1-17)" = "# line 105: <tpm>" ] # what costs data comes first
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
	for word in "line 12 *<type machine='pc-i440fx-2.9'>" "line 24 *<disk device='floppy'>" \
		"line 34 *<redirdev" "line 35 *<smartcard"; do grep -Eq "$word" <<<"$output"; done
	output=$(<"$HOME/.config/qlaunch/Old-Windows-7-office.conf")
	[ "$(value 'disk hda' bus) $(value 'network lan' mode) $(value 'network lan' bridge)" = "sata bridge br0" ]
	[ "$(value qemu binary) $(value console serial)" = "/opt/qemu/bin/qemu-system-x86_64 pty" ]
	import usb-mdev.xml
	[ "$(value 'usb device' id) $(value 'pci device-fn3' address) $(value 'network lan' bridge)" = "046d:c52b 0000:0a:00.3 enp5s0" ]
	[ "$(value 'mdev vgpu' uuid) $(value 'pci vda' address)" = "c2177883-f1bb-47f0-914d-32a22e3a8804 0000:02:00.0" ]
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
	[[ $(value qemu args) == *"-machine acpi=off"* ]] # libvirt's word for a domain without <acpi>
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
	[ "$(value 'network lan' forward)" = "tcp:3389:3389 udp:3389:3389 tcp:8080:80 udp:8080:80 tcp:22220:22" ]
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

@test "import: libvirt's own reading of units, CPU lists and numbers" {
	domain() { printf '<domain type="kvm"><name>t</name><os><type>hvm</type></os><features><acpi/></features>%s</domain>' "$1" >"$HOME/d.xml"
		run "$qlaunch" import "$HOME/d.xml" --output -; [ "$status" -eq 0 ]; }
	for pair in "4:gib:4G" "4194304:K:4G" "4:GB:3815M" "4194304000:bytes:4000M" "1048577:KiB:1025M" "1:t:1T"; do
		IFS=: read -r n unit want <<<"$pair"
		domain "<memory unit='$unit'>$n</memory>"
		[ "$(value memory size)" = "$want" ]
	done
	domain "<memory>1048576</memory><vcpu cpuset='4-7,^5'>3</vcpu>"; [ "$(value cpu place)" = 4,6-7 ]
	domain "<vcpu cpuset='^2,0-3'>4</vcpu>"; [ "$(value cpu place)" = 0-3 ]
	domain "<vcpu current='2'>4</vcpu><cputune><vcpupin vcpu='0' cpuset='8'/><vcpupin vcpu='1' cpuset='24'/><vcpupin vcpu='2' cpuset='9'/></cputune>"
	[ "$(value cpu threads) $(value cpu place)" = "2 8,24" ]
	hostdev="<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0' bus='%s' slot='0' function='0'/></source></hostdev>"
	for pair in 010:08 10:0a 0x10:10; do
		# shellcheck disable=SC2059
		domain "<devices>$(printf "$hostdev" "${pair%:*}")</devices>"
		[ "$(value 'pci device' address)" = "0000:${pair#*:}:00.0" ]
	done
	domain "<devices><hostdev type='usb'><source><vendor id='1133'/><product id='0xc52b'/></source></hostdev></devices>"
	[ "$(value 'usb device' id)" = 046d:c52b ]
}

@test "import: what nobody carries over is told with its line and meaning, sorted by weight, the same thing once" {
	{
		echo '<domain type="kvm"><name>t</name><os><type>hvm</type></os><features><acpi/></features><clock offset="localtime"/>'
		echo '<cpu mode="host-passthrough"/><cputune>'
		for i in {0..15}; do echo "<vcpusched vcpus='$i' scheduler='rr' priority='1'/>"; done
		echo '</cputune><devices>'
		echo '<parallel type="pty"/><future kind="x"/>'
		echo '<disk type="file" device="disk"><driver name="qemu" type="raw" novelty="1"/><source file="/v/a.img"/><target dev="vda" bus="virtio"/>'
		echo '<transient/></disk></devices></domain>'
	} >"$HOME/w.xml"
	run "$qlaunch" import "$HOME/w.xml" --output -
	[ "$status" -eq 0 ]
	[ "$(grep -c vcpusched <<<"$output")" -eq 1 ]
	grep -q '^# 16 times, lines 3 to 18: <vcpusched' <<<"$output"
	[ "$(grep '^# [0-9l]' <<<"$output" | sed -E 's/^[^<]*(<[a-z]+).*/\1/' | paste -sd' ')" = "<transient <future <vcpusched <parallel <driver" ]
	printf '<domain type="qemu"><name>t</name><os><type>hvm</type></os><features><acpi/></features><clock offset="localtime"/></domain>' >"$HOME/e.xml"
	run "$qlaunch" import "$HOME/e.xml"
	[[ $output == *"Everything in "*" was carried over"* ]]
}

@test "import: devices of one card, sound without a card, Looking Glass, libvirt's bridge, arguments that take a card" {
	domain() { printf '<domain type="kvm"><name>t</name><os><type>hvm</type></os><features><acpi/></features><devices>%s</devices>%s</domain>' "$1" "$2" >"$HOME/d.xml"
		run "$qlaunch" import "$HOME/d.xml" --output -; [ "$status" -eq 0 ]; }
	host() { echo "<hostdev mode='subsystem' type='pci' managed='yes'><source><address bus='0x0c' slot='0' function='$1'/></source></hostdev>"; }
	domain "$(host 1)$(host 0)"
	[ "$(value 'pci gpu' address) $(value 'pci gpu-fn1' address)" = "0000:0c:00.0 0000:0c:00.1" ]
	domain "<audio id='1' type='none'/>"; if grep -q '^\[audio' <<<"$output"; then false; fi
	domain "<sound model='ich9'/><audio id='1' type='spice'/>"; [ "$(value audio backend)" = none ]
	domain "<graphics type='spice'/><video><model type='none'/></video><shmem name='looking-glass'><model type='ivshmem-plain'/><size unit='M'>64</size></shmem>"
	[ "$(value display mode) $(value display resolution)" = "looking-glass 2560x1440" ]
	domain "<interface type='bridge'><source bridge='virbr0'/><model type='virtio'/></interface>"; [ "$(value 'network lan' mode)" = nat ]
	vfio() { printf '<qemu:arg value="-device"/><qemu:arg value="%s"/>' "$@"; }
	domain '' "<qemu:commandline>$(vfio ioh3420,bus=pcie.0,id=root.1 vfio-pci,host=0c:00.0,bus=root.1,romfile=/v/g.rom vfio-pci,host=0c:00.1,bus=root.1)</qemu:commandline>"
	[ "$(value 'pci gpu' rom) $(value 'pci gpu-fn1' address) $(value qemu args)" = "/v/g.rom 0000:0c:00.1 " ]
	domain '' "<qemu:commandline>$(vfio usb-kbd)</qemu:commandline>"
	[ "$(value qemu args)" = "-device qemu-xhci,id=usb-args -device usb-kbd" ]
	domain '' "<qemu:commandline>$(vfio virtio-net-pci,netdev=hostnet0,bus=pci.2)</qemu:commandline>"
	[ -z "$(value qemu args)" ]; [[ $output == *"libvirt's own buses"* ]]
}

@test "import: a device is called what this host says that it is, or its place tells; libvirt's alias of it is found by its address" {
	host() { printf "<hostdev mode='subsystem' type='pci' managed='yes'><source><address bus='0x%s' slot='0' function='%s'/></source>%s</hostdev>" "$1" "$2" "$3"; }
	domain() { printf '<domain type="kvm"><name>t</name><os><type>hvm</type></os><features><acpi/></features><devices>%s</devices><qemu:commandline>%s</qemu:commandline></domain>' "$1" "$2" >"$HOME/d.xml"
		run "$qlaunch" "${root[@]}" import "$HOME/d.xml" --output -; [ "$status" -eq 0 ]; }
	set_() { printf '<qemu:arg value="-set"/><qemu:arg value="%s"/>' "$@"; }
	root=(--root "$HOME/root")
	for device in 01:00.0=0x030000 01:00.1=0x040300 02:00.0=0x010802 03:00.0=0x020000 04:00.3=0x0c0330; do
		dir=$HOME/root/sys/bus/pci/devices/0000:${device%=*}; mkdir -p "$dir"
		echo "${device#*=}" >"$dir/class"; echo 0x10de >"$dir/vendor"; echo 0x0001 >"$dir/device"
	done
	passed="$(host 02 0 "<boot order='1'/>")$(host 01 1)$(host 01 0)$(host 04 3)$(host 03 0)$(host 7f 0)"
	sets=$(set_ device.hostdev2.x-vga=on device.hostdev0.x-no-mmap=on device.hostdev9.x=y device.net0.mac=1)
	domain "$passed" "$sets"
	[ "$(grep '^\[pci' <<<"$output" | paste -sd' ')" = "[pci nvme] [pci audio] [pci gpu] [pci usb] [pci nic] [pci device]" ]
	[ "$(value boot order) $(value qemu set)" = "nvme pci-gpu.x-vga=on pci-nvme.x-no-mmap=on" ]
	[[ $output == *"device.hostdev9.x=y is left out"*"device.net0.mac=1 is left out"* ]]
	root=()
	domain "<interface type='hostdev'><source><address type='pci' bus='0x7e' slot='0' function='0'/></source></interface>$(host 7f 0)$(host 7d 0 "<rom file='/g.rom'/>")$(host 7c 1)$(host 7c 0)" \
		"$(set_ device.hostdev0.a=b device.hostdev1.a=b)"
	[ "$(grep '^\[pci' <<<"$output" | paste -sd' ')" = "[pci nic] [pci device] [pci gpu] [pci gpu-fn1] [pci gpu-2]" ]
	[ "$(value qemu set)" = "pci-nic.a=b pci-device.a=b" ]
	domain "<interface type='user'/><interface type='user'/>" "$(set_ device.net1.rombar=0)"
	[ "$(value qemu set)" = nic-lan-2.rombar=0 ]
	printf '%s\n' "$output" >"$HOME/p.conf"
	"$qlaunch" plan --json "$HOME/p.conf" | jq -e '.qemu | any(test("id=nic-lan-2,.*,rombar=0"))'
}

@test "import --copy-state: quickemu's disk, UEFI variables and TPM state are copied, the originals untouched" {
	mkdir -p "$HOME/vm/win" && cd "$HOME/vm"
	printf 'guest_os="windows"\ndisk_img="win/disk.qcow2"\ntpm="on"\n' >win.conf
	echo disk >win/disk.qcow2; echo vars >win/OVMF_VARS.fd; echo state >win/tpm2-00.permall
	before=$(md5sum win/*)
	run "$qlaunch" import win.conf --output -
	[[ $output == *"OVMF_VARS.fd: the UEFI variables"* ]]
	run "$qlaunch" import --copy-state win.conf
	[ "$status" -eq 0 ]
	[ "$(md5sum win/*)" = "$before" ]
	cmp win/disk.qcow2 "$XDG_DATA_HOME/qlaunch/win/disk.qcow2"
	cmp win/OVMF_VARS.fd "$XDG_DATA_HOME/qlaunch/win/VARS.fd"
	cmp win/tpm2-00.permall "$XDG_DATA_HOME/qlaunch/win/tpm/tpm2-00.permall"
	output=$(<"$HOME/.config/qlaunch/win.conf")
	[ "$(value 'disk main' path) $(value firmware vars)" = "$XDG_DATA_HOME/qlaunch/win/disk.qcow2 $XDG_DATA_HOME/qlaunch/win/VARS.fd" ]
	run "$qlaunch" import --copy-state --output "$HOME/again.conf" win.conf # never over what is there
	[ "$status" -ne 0 ]; [ ! -e "$HOME/again.conf" ]
}

@test "import --copy-state: variables of 128 KiB come with the firmware of 2 MiB that they belong to; no medium beside a disk in use" {
	mkdir -p "$HOME/vm/m" && cd "$HOME/vm"
	printf 'disk_img="m/disk.qcow2"\niso="m/new.iso"\nfixed_iso="m/drivers.iso"\n' >m.conf
	truncate -s 128K m/OVMF_VARS.fd; truncate -s 2M m/disk.qcow2
	run "$qlaunch" import --copy-state m.conf
	[ "$status" -eq 0 ]; said=$output
	output=$(<"$HOME/.config/qlaunch/m.conf")
	[ "$(value 'cdrom fixed' path)" = "$PWD/m/drivers.iso" ]; if grep -q new.iso <<<"$output"; then false; fi
	if [ -e /usr/share/OVMF/OVMF_CODE.fd ]; then
		[ "$(value firmware code)" = /usr/share/OVMF/OVMF_CODE.fd ]
		cp /usr/share/OVMF/OVMF_VARS.fd "$XDG_DATA_HOME/qlaunch/m/VARS.fd"
		run "$qlaunch" check --set vm.accel=tcg m
		[[ $output != *"✗ firmware"* ]]
		sed -i /^code/d "$HOME/.config/qlaunch/m.conf" # by hand, with another image: nothing is damaged, and nothing is to be moved away
		run "$qlaunch" check --set vm.accel=tcg m
		[[ $output == *"✗ firmware"*"of another image"*"code in [firmware]"* ]]; [[ $output != *.damaged* ]]
	else
		[[ $(tr -s ' \n' ' ' <<<"$said") == *"a firmware of 2 MiB, which this host does not have"* ]]
	fi
	rm -rf "$XDG_DATA_HOME" "$HOME/.config/qlaunch"; truncate -s 196K m/disk.qcow2
	run "$qlaunch" import m.conf --output -; [ "$(value 'cdrom iso' path)" = "$PWD/m/new.iso" ]
}

@test "import --copy-state: libvirt's disk, UEFI variables and TPM state, where they may be read; what may not is told with its remedy" {
	home=$(mktemp -d); chmod 755 "$home" # which nobody can enter
	id=5f6d5c1e-6d0d-4bb5-9c5a-1e7c0d3b2a10 images=$home/.local/share/libvirt/images tpm=$home/.config/libvirt/qemu/swtpm/$id/tpm2
	export HOME=$home XDG_DATA_HOME=$home/data XDG_RUNTIME_DIR=$home
	mkdir -p "$images" "$tpm" "$home/nvram"
	echo disk >"$images/w.img"; echo other >"$home/own.img"; echo vars >"$home/nvram/w.fd"; echo state >"$tpm/tpm2-00.permall"
	disk() { echo "<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='$1'/><target dev='$2' bus='virtio'/></disk>"; }
	cat >"$home/w.xml" <<-XML
		<domain type='kvm'><name>w</name><uuid>$id</uuid><memory>4194304</memory><vcpu>2</vcpu>
		<os firmware='efi'><type>hvm</type><nvram>$home/nvram/w.fd</nvram></os><features><acpi/></features><clock offset='localtime'/>
		<devices>$(disk "$images/w.img" vda)$(disk "$home/own.img" vdb)<tpm model='tpm-tis'><backend type='emulator' version='2.0'/></tpm></devices></domain>
	XML
	run "$qlaunch" import --output "$home/stays.conf" "$home/w.xml"
	[ "$status" -eq 0 ]; [[ $(tr -s ' \n' ' ' <<<"$output") == *"import --copy-state takes it along"* ]]
	run "$qlaunch" import --copy-state "$home/w.xml"
	[ "$status" -eq 0 ]
	cmp "$images/w.img" "$home/data/qlaunch/w/w.img"
	cmp "$home/nvram/w.fd" "$home/data/qlaunch/w/VARS.fd"
	cmp "$tpm/tpm2-00.permall" "$home/data/qlaunch/w/tpm/tpm2-00.permall"
	output=$(<"$home/.config/qlaunch/w.conf")
	[ "$(value 'disk vda' path) $(value 'disk vdb' path) $(value firmware vars)" = "$home/data/qlaunch/w/w.img $home/own.img $home/data/qlaunch/w/VARS.fd" ]
	# as somebody who may read none of them
	rm -rf "$home/data" "$home/.config/qlaunch"; chmod 0 "$images/w.img" "$home/nvram/w.fd" "$tpm/tpm2-00.permall"; chmod 777 "$home"
	as=(); [ "$(id -u)" -ne 0 ] || as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	run "${as[@]}" "$qlaunch" import --copy-state --output "$home/none.conf" "$home/w.xml"
	[ "$status" -eq 0 ]
	text=$(tr -s ' \n' ' ' <<<"$output")
	[[ $text == *"w.img cannot be read by you, so it stays there"*"make it yours"* ]]
	[[ $text == *"w.fd cannot be read by you"* ]]
	[[ $text == *"its state stays with libvirt"* ]]
	[ ! -e "$home/data/qlaunch/w/w.img" ]
	chmod -R u+rw "$home"; rm -rf "$home"
}

@test "import: quickemu's own words: a server's disk, no TPM, no network, utc, format" {
	conf() { printf '%s\n' "$@" >"$HOME/q.conf"; run "$qlaunch" import "$HOME/q.conf" --output -; [ "$status" -eq 0 ]; }
	conf guest_os=windows-server disk_img=a.qcow2; [ "$(value 'disk main' bus) $(value tpm version)" = "sata " ]
	conf guest_os=windows disk_img=a.img disk_format=raw tpm=off network=none
	[ "$(value 'disk main' format) $(value tpm version)" = "raw none" ]; if grep -q '^\[network' <<<"$output"; then false; fi
	conf guest_os=linux disk_img=a.qcow2 'port_forwards=("8080:80")'
	[ "$(value 'network lan' forward) $(value display gl)" = "tcp:8080:80 udp:8080:80 tcp:22220:22 yes" ]
	if grep -q Public <<<"$output"; then false; fi; mkdir "$HOME/Public"
	[[ $output == *"other computers reach the guest"* ]]
	[ "$(value clock base) $(value clock hpet) $(value clock pit) $(value cpu hyperv) $(value console agent)" = "utc yes discard off yes" ]
	conf guest_os=windows disk_img=a.qcow2 'public_dir="none"'; [ "$(value clock base) $(value clock hpet) $(value cpu hyperv)" = "local no on" ]
	if grep -q '^\[share' <<<"$output"; then false; fi
	conf guest_os=linux disk_img=a.qcow2 'gl="off"' 'ssh_port="2200"'; [ "$(value display gl) $(value 'network lan' forward)" = "no tcp:2200:22" ]
	conf guest_os=linux disk_img=a.qcow2; [ "$(value 'share public' path)" = "~/Public" ]
}

@test "import --check: ends with what this host still lacks" {
	run "$qlaunch" import --check --output "$HOME/c.conf" tests/import/gaming.xml
	[ "$status" -eq 4 ]; [[ $output == *"is written"*"✗"*"cannot run it yet"* ]]
}

@test "import: passt's ports, a clock that the guest has set, sectors, a firmware without a word on Secure Boot" {
	domain() { printf '<domain type="kvm"><name>t</name><os%s><type>hvm</type></os><features><acpi/></features>%s<devices>%s</devices></domain>' "$1" "$2" "$3" >"$HOME/d.xml"
		run "$qlaunch" import "$HOME/d.xml" --output -; [ "$status" -eq 0 ]; }
	ports() { domain '' '' "<interface type='user'><backend type='passt'/><model type='virtio'/>$1</interface>"; }
	ports "<portForward proto='tcp' address='127.0.0.1'><range start='2222' to='22'/></portForward><portForward proto='udp'><range start='5000' end='5002'/></portForward>"
	[ "$(value 'network lan' forward)" = "tcp:127.0.0.1:2222:22 udp:0.0.0.0:5000:5000 udp:0.0.0.0:5001:5001 udp:0.0.0.0:5002:5002" ]
	[[ $output != *ange* ]]
	for left in "<range start='1' exclude='yes'/>" "<range start='1' end='60000'/>" "<range start='9' end='8'/>" ""; do
		ports "<portForward proto='tcp'>$left</portForward>"
		[ -z "$(value 'network lan' forward)" ]; [[ $output == *"say it by forward"* ]]
	done
	for want in "adjustment='0':utc" "adjustment='-3' basis='utc':utc" "basis='localtime':local" "adjustment='-10800' basis='utc':"; do
		domain '' "<clock offset='variable' ${want%:*}/>" ''
		[ "$(value clock base)" = "${want##*:}" ]
	done
	[[ $output == *"local time here"* ]]
	disk() { domain '' '' "<disk type='file' device='disk'><source file='/v/a.img'/><target dev='vda'/><blockio $1/></disk>"; }
	disk "logical_block_size='512' physical_block_size='4096'"; [[ $output != *"is not found"* ]]
	disk "logical_block_size='4096'"; [[ $output == *"sectors of 4096 bytes"*"is not found"* ]]
	sed "s,</type>,&<acpi><table type='raw'>/v/a</table><table type='rawset'>/v/b</table></acpi>," "$HOME/d.xml" >"$HOME/t.xml"
	run "$qlaunch" import "$HOME/t.xml" --output -; [ "$(value acpi tables)" = /v/a ]; [[ $output == *"<table type='rawset'>"* ]]
	domain " firmware='efi'" '' ''; [[ $output == *"says nothing of Secure Boot"* ]]
}

@test "import: libvirt's own arguments for each domain, and qlaunch's plans, differ only where there is a reason" {
	run tests/differential/libvirt "$(dirname "$qlaunch")"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *" 0 differences without a reason"* ]]
}

@test "import: list by list, quickemu's own arguments and qlaunch's plans differ only where there is a reason" {
	run tests/differential/quickemu "$(dirname "$qlaunch")"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *" 0 differences without a reason"* ]]
}

@test "export --libvirt: libvirt's schema takes it, and import of it plans the same arguments" {
	for f in configs/*.conf; do
		name=$(basename "$f" .conf)
		"$qlaunch" export --libvirt "$f" >"$HOME/$name.xml" 2>"$HOME/$name.left"
		run virt-xml-validate "$HOME/$name.xml" domain; [ "$status" -eq 0 ]
		"$qlaunch" import "$HOME/$name.xml" --output "$HOME/back-$name.conf" >/dev/null
		cmp <("$qlaunch" plan --json "$f" | jq .qemu) <("$qlaunch" plan --json "$HOME/back-$name.conf" | jq .qemu)
	done
	# what libvirt has a word for is said by that alone; the same of machines that were imported; and libvirt itself takes them all
	cp tests/import/export.conf "$HOME/full.conf"
	for f in tests/import/*.xml tests/import/*.conf; do
		"$qlaunch" import "$f" --output "$HOME/from-$(basename "$f").conf" >/dev/null 2>&1 || continue
	done
	for f in "$HOME"/full.conf "$HOME"/from-*.conf; do
		"$qlaunch" export --libvirt "$f" >"$f.xml" 2>/dev/null
		"$qlaunch" import "$f.xml" --output "$f.back.conf" >/dev/null
		cmp <("$qlaunch" plan --json "$f" | jq .qemu) <("$qlaunch" plan --json "$f.back.conf" | jq .qemu)
	done
	if grep -q qlaunch:set "$HOME/full.conf.xml"; then false; fi
	home=$(mktemp -d); cp "$HOME"/*.xml "$home"; chmod -R a+rwX "$home"; as=()
	[ "$(id -u)" -ne 0 ] || { chown -R 65534:65534 "$home"; as=(setpriv --reuid 65534 --regid 65534 --clear-groups); }
	for f in "$home"/*.xml; do
		sed -i "s/<domain type='kvm'/<domain type='qemu'/; s/mode='host-passthrough'/mode='maximum'/; /<cpu mode/s/<cache [^>]*>//; /<filesystem/d; s,<emulator>.*</emulator>,," "$f" # without KVM, too; a user's libvirt has no virtiofs
		run "${as[@]}" env HOME="$home" XDG_RUNTIME_DIR="$home" XDG_CACHE_HOME="$home" unshare --user --map-current-user --keep-caps --net \
			virsh -q -c "qemu:///embed?root=$home/root" "define --validate $f"
		[ "$status" -eq 0 ] || { echo "$f: $output"; false; }
	done
	rm -rf "$home"
	grep -q '\[host\] governor = performance' "$HOME/win11.left" # what libvirt has no word for is said
	printf '[vm]\nname = a<b\n' >"$HOME/bad.conf"; run "$qlaunch" export --libvirt "$HOME/bad.conf"; [ "$status" -eq 3 ]
	printf '[vm]\nname = esc\ndescription = <&>\n' >"$HOME/esc.conf"
	"$qlaunch" export --libvirt "$HOME/esc.conf" 2>/dev/null | grep -q '<description>&lt;&amp;&gt;</description>'
}

@test "export --sh: the script starts the same QEMU by hand, with a TPM, and it runs" {
	printf '[vm]\nname = hand\naccel = tcg\n[cpu]\nthreads = 1\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n[tpm]\nversion = 2.0\n' >"$HOME/hand.conf"
	printf '[network lan]\nmode = nat\n[disk d]\npath = %s/it'"'"'s.img\n' "$HOME" >>"$HOME/hand.conf"
	truncate -s 1M "$HOME/it's.img"
	"$qlaunch" export --sh "$HOME/hand.conf" >"$HOME/hand.sh"
	sh -n "$HOME/hand.sh"
	timeout 60 sh "$HOME/hand.sh" >"$HOME/out" 2>"$HOME/err" &
	local pid=$!
	python3 - "$HOME/out" <<-'PYTHON'
		import json, os, socket, sys, time
		for _ in range(300):
		    d = open(sys.argv[1]).read().strip()
		    if d and os.path.exists(d + "/chr-control"):
		        break
		    time.sleep(0.1)
		s = socket.socket(socket.AF_UNIX); s.connect(d + "/chr-control"); f = s.makefile("rw")
		f.readline()
		def ask(what):
		    f.write(json.dumps({"execute": what})); f.flush()
		    while True:
		        a = json.loads(f.readline())
		        if "event" not in a:
		            return a
		ask("qmp_capabilities")
		assert ask("query-status")["return"]["status"] == "running"
		assert ask("query-tpm")["return"]
		assert any(b.get("inserted", {}).get("file", "").endswith("it's.img") for b in ask("query-block")["return"])
		ask("quit")
	PYTHON
	wait "$pid"
}

@test "export --libvirt: the CPUs of a plan come back as they were: how many, which, where pinned, what they can" {
	export HWLOC_SYNTHETIC='pack:1 [numa] l3:2(size=33554432) core:8 pu:2(indexes=2*16:1*2)'
	while read -r keys; do
		printf '[vm]\nname = c\naccel = kvm\n[cpu]\n%s\n' "${keys//;/$'\n'}" >"$HOME/c.conf"
		"$qlaunch" export --libvirt "$HOME/c.conf" >"$HOME/c.xml" 2>"$HOME/c.left"
		run virt-xml-validate "$HOME/c.xml" domain; [ "$status" -eq 0 ]
		rm -f "$HOME/back.conf"; "$qlaunch" import "$HOME/c.xml" --output "$HOME/back.conf" >/dev/null
		cmp <("$qlaunch" plan --json "$HOME/c.conf" | jq '[.qemu, .vcpus, .emulator_cpus, .steps]') <("$qlaunch" plan --json "$HOME/back.conf" | jq '[.qemu, .vcpus, .emulator_cpus, .steps]') || { echo "$keys"; false; }
	done <<-'CPUS'
		threads=4
		threads=16;place=8-15,24-31;emulator=7,23
		threads=4;place=0-1,16-17;emulator=2;isolate=partition;fifo=yes
		threads=6;model=host;nested=yes;caches=host;hyperv=off
		threads=8;model=host;nested=no;caches=shape;hyperv=on;vendor-id=ok;hide-kvm=yes
		threads=2;model=qemu64;flags=+aes -svm hv-spinlocks=0x1fff;hyperv=on
		threads=4;model=EPYC-Milan;caches=qemu;hyperv=off;flags=-l3-cache +host-phys-bits host-phys-bits-limit=40
		threads=4;model=max;isolate=partition;partition=root
	CPUS
}

@test "export --sh: word for word the plan's command line, but for what is the launcher's own, whatever the user's words are" {
	cat >"$HOME/words.conf" <<-CONF
		[vm]
		name = words
		[qemu]
		args = -device "isa-applesmc,osk=a \$(touch $HOME/ran) it's" -fw_cfg 'name=opt/x,string={"c":"d"}'
	CONF
	mkdir "$HOME/bin"
	printf '#!/bin/sh\nprintf "%%s\\0" "$@"\n' >"$HOME/bin/qemu" # says its words; swtpm and virtiofsd only make their sockets
	for helper in swtpm virtiofsd; do
		# shellcheck disable=SC2016
		printf '#!/bin/sh\nfor w; do p=${w#*path=}; case $w in *path=*) exec python3 -c "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])" "${p%%%%,mode=*}";; esac; done\n' >"$HOME/bin/$helper"
	done
	chmod +x "$HOME"/bin/*
	for f in configs/*.conf "$HOME/words.conf"; do
		"$qlaunch" plan --json "$f" >"$HOME/plan.json"
		"$qlaunch" export --sh "$f" | sed "s,^exec '[^']*',exec qemu," >"$HOME/x.sh"
		PATH=$HOME/bin:$PATH timeout 60 sh "$HOME/x.sh" >"$HOME/words.out"
		python3 - "$HOME/plan.json" "$HOME/words.out" <<-'PYTHON'
			import json, re, sys
			plan = json.load(open(sys.argv[1]))["qemu"][1:]
			folder, _, words = open(sys.argv[2]).read().partition("\n")
			words, want, skip = words.split("\0")[:-1], [], False
			for option, value in zip(plan, plan[1:] + [""]):
			    if option == "-S" or skip or (option in ("-chardev", "-mon", "-object") and "chr-qmp" in value):
			        skip = option != "-S" and not skip  # its value, too
			    else:
			        want.append(option)
			def same(mine, his):  # descriptors are paths, and taps QEMU's own network
			    mine = re.sub(r"id=([a-z-]*)(.*),fd=\d+", rf"id=\1\2,path={folder}/\1", mine)
			    return mine == his or ('"tap"' in mine and '"user"' in his) or re.sub(r"[^,=\"]*/(share-|spice)", "/", mine) == re.sub(r"[^,=\"]*/(share-|spice)", "/", his)
			assert len(want) == len(words), (want, words)
			assert all(map(same, want, words)), [x for x in zip(want, words) if not same(*x)]
		PYTHON
	done
	[ ! -e "$HOME/ran" ]
}

@test "import: a folder of libvirt's hooks is told by the keys that do each line's work" {
	hooks=$BATS_TEST_TMPDIR/hooks begin=$BATS_TEST_TMPDIR/hooks/qemu.d/win10/prepare/begin
	mkdir -p "$begin"
	printf '#!/bin/bash\nGUEST_NAME="$1"\nif [ -x "$HOOK" ]; then\n\t"$HOOK"\nfi\n' >"$hooks/qemu"
	cat >"$begin/start.sh" <<-'SCRIPT'
		#!/bin/bash
		# a comment, and waiting
		sleep 5; echo "starting"
		systemctl stop display-manager.service
		modprobe -r nvidia_drm
		sudo umount /mnt/games
		echo 1 > "/sys/bus/pci/devices/0000:01:00.0/remove"
		[ -e /x ] && systemctl stop fancontrol.service
		sysctl vm.stat_interval=120
		touch "$BATS_TEST_TMPDIR/ran"
		openrgb -d 0 -c 000000
		for g in /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor; do echo performance > $g; done
		firewall-cmd --zone=trusted --add-interface=virbr0
		docker stop web
		if [ -x /usr/bin/sv ]; then service irqbalance stop; rmmod nouveau; fi # ; rmmod other
		while (( $(cat /proc/sys/vm/nr_hugepages) < 8 )); do sleep 1; done
		echo 1 > "/sys/bus/pci/devices/0000:01:00.0/rom"
		echo "a; umount b"
	SCRIPT
	ln -s . "$begin/circle"
	run "$qlaunch" import "$hooks"
	[ "$status" -eq 0 ]
	says() { grep -A1 -E "^ +$1  " <<<"$output" | tail -n 1 | sed 's/^ *→ //'; } # LINE of start.sh
	output=${output#*start.sh}
	[ "$(says 4)" = "[host] release-console = yes" ]
	[ "$(says 5)" = "[pci NAME] unload = MODULE …" ]
	[ "$(says 6)" = "[disk NAME] unmount = yes" ]
	[ "$(says 7)" = "[pci NAME] rescan = yes" ]
	[ "$(says 8)" = "[host] stop = UNIT.service" ]
	[ "$(says 9)" = "[host] sysctl = NAME=VALUE" ]
	[ "$(says 11)" = "no key does this: a program of yours, [hooks] before and after" ]
	[ "$(says 12)" = "[host] governor = performance" ] # what a line of several commands does, too
	[ "$(says 13)" = "[network NAME] mode = nat, forward = …" ]
	[ "$(says 14)" = "no key does this: a program of yours, [hooks] before and after" ]
	[ "$(grep -A1 -E '^ +15  ' <<<"$output" | head -n 4 | sed -n 's/^ *→ //p' | paste -sd,)" = "[host] irqs = away,[pci NAME] unload = MODULE …" ]
	[ "$(says 17)" = "[pci NAME] rom = host" ]
	[ -z "$(says 2)$(says 3)$(says 16)$(says 18)" ] # no work
	[ ! -e "$BATS_TEST_TMPDIR/ran" ] # nothing of it is run
	[[ $output == *"What no key does stays a script"* ]]
	for key in 'pci unload' 'pci rescan' 'pci rom' 'disk unmount' 'host stop' 'host sysctl' 'host profile' 'host smt' 'host oom-score' 'host weight'; do
		grep -qE "(KEY|ITEM)\(\"${key% *}\", \"${key#* }\"" launcher/config/keys.c # the table names keys that there are
	done
	mkdir "$BATS_TEST_TMPDIR/empty"
	run "$qlaunch" import "$BATS_TEST_TMPDIR/empty"
	[ "$status" -eq 3 ]
	[[ $output == *"no script is there"* ]]
}
