#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What the guest is told of its machine, with a real QEMU: that it takes every key, and that the board stays the same.

load machine

setup() {
	cd "$BATS_TEST_DIRNAME/.."
	qlaunch=$PWD/${BUILD:-build}/qlaunch
	export HOME=$BATS_TEST_TMPDIR XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/run XDG_DATA_HOME=$BATS_TEST_TMPDIR/data LC_ALL=C.UTF-8
	mkdir -p "$XDG_RUNTIME_DIR"
	vm=board$BATS_TEST_NUMBER-$$
	conf=$BATS_TEST_TMPDIR/$vm.conf
	printf '[vm]\naccel = tcg\n\n[cpu]\nthreads = 2\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n' >"$conf"
}
teardown() {
	[ -z "${pid:-}" ] || { kill -KILL "$pid"; wait "$pid"; } 2>/dev/null || true
	"$qlaunch" restore "$vm" >/dev/null 2>&1 || true
}

board() { "$qlaunch" plan --json "$@" "$conf" | jq -r '.qemu | .[index("-machine") + 1] | split(",")[0]'; }

in_memory() { # REGEX: what the BIOS has put into the guest's memory of QEMU's tables
	python3 - "/run/qlaunch/$vm/monitor" "$BATS_TEST_TMPDIR/ram" "$1" <<-'END'
		import json, re, socket, sys, time
		s = socket.socket(socket.AF_UNIX); s.settimeout(20); s.connect(sys.argv[1]); f = s.makefile("rw")
		def ask(command, **arguments):
		    f.write(json.dumps({"execute": command, "arguments": arguments}) + "\n"); f.flush()
		    while not {"return", "error"} & set(answer := json.loads(f.readline())): pass
		ask("qmp_capabilities")
		for _ in range(100):
		    ask("pmemsave", val=0, size=64 << 20, filename=sys.argv[2])
		    if re.search(sys.argv[3].encode(), open(sys.argv[2], "rb").read(), re.S): sys.exit()
		    time.sleep(0.3)
		sys.exit("the table is not in the guest's memory")
	END
}

@test "every key of clock, processor, board, disk and network: QEMU takes it and starts" {
	truncate -s 1M "$BATS_TEST_TMPDIR/a.img" "$BATS_TEST_TMPDIR/b.img" "$BATS_TEST_TMPDIR/c.img" "$BATS_TEST_TMPDIR/d.img"
	cat >>"$conf" <<-END
		[clock]
		base = utc
		rtc = discard
		hpet = yes
		[smbios]
		manufacturer = ACME, Inc.
		product = A "box"
		uuid = 12345678-1234-1234-1234-123456789abc
		board-manufacturer = ACME
		chassis-asset = 7
		bios-vendor = nobody
		bios-release = 5.17
		oem-strings = a text, with a comma
		[disk a]
		path = a.img
		serial = S4EWNX0M
		queues = 3
		[disk b]
		path = b.img
		bus = sata
		rotation = 7200
		[disk c]
		path = c.img
		bus = nvme
		queues = 2
		[network lan]
		model = e1000e
		[network old]
		model = rtl8139
		[disk d]
		path = d.img
		bus = scsi
		[qemu]
		set = disk-d.removable=on disk-a.write-cache=off disk-b.bootindex=9 nic-lan.romfile= machine.dump-guest-core=on qemu-xhci.p2=4
	END
	start --set 'cpu.flags=+x2apic -hypervisor' --set vm.pcihole64=64G
	tr '\0' '\n' <"/proc/$("$qlaunch" status --json "$vm" | jq '.[0].qemu')/cmdline" >"$BATS_TEST_TMPDIR/args"
	grep -q 'x2apic=on,hypervisor=off$' "$BATS_TEST_TMPDIR/args"
	grep -qx 'virtio-blk-pci,id=disk-a,drive=disk-a,serial=S4EWNX0M,.*,write-cache=off' "$BATS_TEST_TMPDIR/args"
}

@test "a USB device among QEMU's own arguments finds a controller, in either form; without one there is none" {
	start --set 'qemu.args=-device usb-kbd -device "{\"driver\":\"usb-mouse\",\"id\":\"mouse\"}"'
	"$qlaunch" stop --now "$vm"; wait "$pid"
	run "$qlaunch" plan --json "$conf"
	[ "$status" -eq 0 ]; [[ $output != *xhci* ]]
}

@test "a flag and a property that QEMU does not know: its own words, nothing is left" {
	run "$qlaunch" run --set qemu.set=machine.nonsense=1 "$conf"
	[ "$status" -ne 0 ]
	[[ $output == *nonsense* ]]
	[ "$("$qlaunch" status --json "$vm" | jq length)" -eq 0 ]
}

@test "a network card that this QEMU does not have is named by check, and nothing is started" {
	newer=$(qemu-system-x86_64 -device help | grep -c '"igb"' || true)
	printf '[network lan]\nmodel = igb\n' >>"$conf"
	run "$qlaunch" check "$conf"
	if [ "$newer" -eq 0 ]; then [ "$status" -eq 4 ]; [[ $output == *"no network card igb"* ]]; else [ "$status" -eq 0 ]; fi
	for model in e1000 vmxnet3; do
		start --set "network lan.model=$model"
		"$qlaunch" stop --now "$vm"; wait "$pid"
	done
}

@test "the board of the first start stays; another is the user's word; one that QEMU has not is refused" {
	newest=$(board)
	[[ $newest == pc-q35-* ]]
	kept=$XDG_DATA_HOME/qlaunch/$vm/machine
	[ ! -e "$kept" ]
	start
	"$qlaunch" stop --now "$vm"
	[ "$(cat "$kept")" = "$newest" ]
	echo pc-q35-6.2 >"$kept" # as if it had been made with an older QEMU
	[ "$(board)" = pc-q35-6.2 ]
	[ "$(board --set vm.machine=pc-q35-5.2)" = pc-q35-5.2 ]
	echo pc-q35-1.0 >"$kept"
	run "$qlaunch" check "$conf"
	[ "$status" -eq 4 ]
	[[ $output == *"has no pc-q35-1.0"* ]]
}

ask_qemu() { # COMMAND...: each one's answer, a line
	python3 - "/run/qlaunch/$vm/monitor" "$@" <<-'END'
		import json, socket, sys
		s = socket.socket(socket.AF_UNIX); s.settimeout(20); s.connect(sys.argv[1]); f = s.makefile("rw")
		for command in ["qmp_capabilities"] + sys.argv[2:]:
		    f.write(json.dumps({"execute": command}) + "\n"); f.flush()
		    while "return" not in (answer := json.loads(f.readline())): pass
		    if command != "qmp_capabilities": print(json.dumps(answer["return"]))
	END
}

@test "viewers by a port: off loopback only with a password, which others may not read; with certificates nothing in the clear" {
	port=$((20000 + $$ % 20000))
	run "$qlaunch" check --set display.mode=spice --set display.port=$port --set display.listen=0.0.0.0 "$conf"
	[ "$status" -eq 3 ]; [[ $output == *"set password ="* ]]
	run "$qlaunch" check --set display.port=$port "$conf"; [ "$status" -eq 3 ]; [[ $output == *"belongs to mode = spice"* ]]
	printf '[display]\nmode = spice\nport = %s\npassword = word\ntls = certificates\n' "$port" >>"$conf"
	echo -n secret-word >"$BATS_TEST_TMPDIR/word"; chmod 644 "$BATS_TEST_TMPDIR/word"
	run "$qlaunch" check --json "$conf"
	[ "$status" -eq 4 ]; [[ $output == *"others may read"*"chmod 600"* ]]; [[ $output == *"certificates/server-cert.pem: No such file"* ]]
	chmod 600 "$BATS_TEST_TMPDIR/word"
	start --set display.tls=
	said=$(ask_qemu query-spice)
	jq -e ".enabled and .auth == \"spice\" and .host == \"127.0.0.1\" and .port == $port and (has(\"tls-port\") | not)" <<<"$said"
	tr '\0' ' ' <"/proc/$("$qlaunch" status --json "$vm" | jq '.[0].qemu')/cmdline" >"$BATS_TEST_TMPDIR/line"; grep -q qemu "$BATS_TEST_TMPDIR/line"
	if grep secret-word "$BATS_TEST_TMPDIR/line"; then false; fi
	"$qlaunch" stop --now "$vm"; wait "$pid" || true
	mkdir "$BATS_TEST_TMPDIR/certificates"
	cd "$BATS_TEST_TMPDIR/certificates"
	openssl req -x509 -newkey rsa:2048 -nodes -keyout server-key.pem -out ca-cert.pem -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 2>made
	cp ca-cert.pem server-cert.pem
	start
	said=$(ask_qemu query-spice)
	jq -e ".[\"tls-port\"] == $port and (has(\"port\") | not)" <<<"$said"
	python3 -c 'import socket, ssl, sys; ssl.create_default_context(cafile="ca-cert.pem").wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1])), 20), server_hostname="127.0.0.1")' "$port"
	"$qlaunch" stop --now "$vm"
}

@test "the firmware's own table goes into the guest, by a descriptor; one that is not there is refused by check and run" {
	[ "$(id -u)" -eq 0 ]
	cat >"$BATS_TEST_TMPDIR/acpi" <<-'END'
		mount -t tmpfs none /sys/firmware && mkdir -p /sys/firmware/acpi/tables && cd /sys/firmware/acpi/tables || exit
		# a header of 36 bytes (ACPI 6.5, 5.2.6) and a body of 9: QEMU makes the checksum anew
		{ printf 'MSDM\x2d\0\0\0\1\0OEMID OEMTABLE\1\0\0\0ACPI\1\0\0\0'; printf 'A-LICENCE'; } >MSDM
		chmod 400 MSDM; exec "$@"
	END
	with_table() { unshare -m --propagation private bash "$BATS_TEST_TMPDIR/acpi" "$@"; }
	run with_table "$qlaunch" check --set 'acpi.host=SLIC' "$conf"; [ "$status" -eq 4 ]; [[ $output == *"no table SLIC"* ]]
	run with_table "$qlaunch" run --set 'acpi.host=SLIC' "$conf"; [ "$status" -eq 4 ]; [[ $output == *"no table SLIC"* ]]
	run "$qlaunch" check --set 'acpi.host=FACP' "$conf"; [ "$status" -eq 3 ]; [[ $output == *"neither MSDM nor SLIC"* ]]
	unshare -m --propagation private bash "$BATS_TEST_TMPDIR/acpi" "$qlaunch" run --set acpi.host=MSDM "$conf" >/dev/null 2>"$BATS_TEST_TMPDIR/err" 3>&- </dev/null & pid=$!
	for _ in $(seq 300); do grep -q 'running after' "$BATS_TEST_TMPDIR/err" && break; sleep 0.1; done
	grep -q 'running after' "$BATS_TEST_TMPDIR/err"
	in_memory 'ACPI....A-LICENCE'
}

@test "a battery: the table is what its source says, and goes into the guest" {
	iasl -p "$BATS_TEST_TMPDIR/b" launcher/host/dmi/battery.asl >/dev/null 2>&1
	# all but the checksum and the compiler's version in the header (ACPI 6.5, 5.2.6)
	python3 - "$BATS_TEST_TMPDIR/b.aml" <<-'END'
		import re, sys
		ours = bytes(int(x, 16) for x in re.findall(r"0x([0-9a-f]{2}),", open("launcher/host/dmi/battery.c").read()))
		theirs = open(sys.argv[1], "rb").read()
		cut = lambda t: t[:9] + t[10:32] + t[36:]
		sys.exit(0 if cut(ours) == cut(theirs) else "battery.c is not what iasl makes of battery.asl")
	END
	start --set acpi.battery=yes
	in_memory 'QLNCH.BATTERY.*PNP0|QLNCH.BATTERY.*_BST'
	"$qlaunch" stop --now "$vm"
}
