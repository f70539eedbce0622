#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What the firmware boots, and by which of its ways, with a disk controller passed on: a UEFI forgets the saved entry of every disk that has
# no bootindex as soon as any device has one. QEMU is given what is planned for a captured host, with an NVMe drive of its own in the passed
# one's place. (jobs/boot-order.sh in the lab has a drive that is really passed on.)

bats_require_minimum_version 1.5.0
setup_file() {
	cd "$BATS_TEST_DIRNAME/.."
	qlaunch=$PWD/${BUILD:-build}/qlaunch at=$BATS_FILE_TMPDIR vm=boot-$$ said=
	export HOME=$at XDG_RUNTIME_DIR=$at/run XDG_DATA_HOME=$at/data LC_ALL=C.UTF-8 qlaunch at
	mkdir -p "$XDG_RUNTIME_DIR"
	tests/captured/capture ryzen "$at/host"
	truncate -s 40M "$at/empty.img"
	tests/guest/bootable "$at/data.img" data EFI/BOOT/BOOTX64.EFI
	tests/guest/bootable "$at/win.img" win 'EFI/BOOT/BOOTX64.EFI=setup EFI/Microsoft/Boot/bootmgfw.efi' EFI/Microsoft/Boot/bootmgfw.efi
	# the system's own setup, started as a real machine: it leaves a boot entry in the variables
	cat >"$at/setup.conf" <<-END
		[vm]
		name = $vm
		accel = tcg
		[cpu]
		threads = 1
		isolate = off
		[memory]
		size = 128M
		hugepages = off
		[firmware]
		vars = $at/vars.fd
		[disk win]
		path = $at/win.img
		bus = nvme
		[console]
		serial = $at/serial
	END
	"$qlaunch" run "$at/setup.conf" >"$at/setup.log" 2>&1 3>&- </dev/null & local run=$!
	first_words "$at/serial" $run
	"$qlaunch" stop --now "$vm" >&2 || true
	wait $run || true
	[ "$said" = "boots: win setup." ] || { cat "$at/setup.log"; strings "$at/serial"; return 1; }
	code=$("$qlaunch" plan --json "$at/setup.conf" | jq -r '.qemu[] | select(startswith("{")) | fromjson | select(.["node-name"] == "flash-code").file.filename')
	export code
}

first_words() { # SERIAL PID: sets `said` to what comes up first, of a machine that is gone at last after some minutes
	local until=$((SECONDS + 240))
	while [ $SECONDS -lt $until ]; do
		said=$(strings "$1" 2>&- | grep -m 1 '^boots: .*\.$\|Interactive Shell') && break
		kill -0 "$2" 2>&- || break
		sleep 0.2
	done
}

boots() { # WANTED, the configuration's devices on standard input: what comes up first
	local wanted=$1 dir=$BATS_TEST_TMPDIR said=
	{ sed -e "/^\[disk/,\$d" -e "/^\[firmware/a code = $code" "$at/setup.conf"; cat; printf '[console]\nserial = %s/serial\n' "$dir"; } >"$dir/vm.conf"
	cp "$at/vars.fd" "$dir/vars.fd"
	"$qlaunch" export --sh --root "$at/host" --set "firmware.vars=$dir/vars.fd" "$dir/vm.conf" >"$dir/planned" 2>"$dir/said" || true
	sed -e 's|"driver":"vfio-pci",\(.*\)"host":"0000:04:00.0"|"driver":"nvme",\1"drive":"ssd","serial":"ssd"|' \
		-e "s|^exec '[^']*'|& -drive 'if=none,id=ssd,file=$at/win.img,format=raw,snapshot=on'|" "$dir/planned" >"$dir/vm"
	grep -q '"driver":"nvme"' "$dir/vm" || { cat "$dir/said" "$dir/vm"; return 1; }
	rm -f "$dir/serial"
	sh "$dir/vm" >"$dir/log" 2>&1 3>&- </dev/null & local qemu=$!
	first_words "$dir/serial" $qemu
	kill $qemu 2>&- || true
	wait $qemu || true
	[ "$said" = "$wanted" ] || { grep -h bootindex "$dir/vm"; cat "$dir/log"; strings "$dir/serial" | grep 'Bds\|^boots'; echo "wanted \"$wanted\", came \"$said\""; return 1; }
}
ssd() { printf '[pci ssd]\naddress = 04:00.0\n'; }
disk() { printf '[disk data]\npath = %s\n' "$at/$1.img"; }

@test "a passed disk alone, with no index anywhere: its own entry" {
	ssd | boots "boots: win entry."
}

@test "before a disk in the file: its own entry; behind it: the disk" {
	{ ssd; disk data; } | boots "boots: win entry."
	{ disk data; ssd; } | boots "boots: data fallback."
}

@test "beside a CD-ROM, and behind a disk from which nothing boots: its own entry still, and no shell" {
	{ ssd; printf '[cdrom drivers]\npath = %s/empty.img\n' "$at"; } | boots "boots: win entry."
	{ disk empty; ssd; } | boots "boots: win entry."
}

@test "boot.order's word goes before the file's, and who is not in it is not booted" {
	{ ssd; disk data; printf '[boot]\norder = data ssd\n'; } | boots "boots: data fallback."
	{ disk data; ssd; printf '[boot]\norder = ssd\n'; } | boots "boots: win entry."
}
