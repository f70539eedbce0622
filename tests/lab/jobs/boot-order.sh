# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# A UEFI boots from the host's NVMe drive, which is really passed on: alone, without a bootindex anywhere; and by the saved entry that its
# setup made, behind a disk from which nothing boots. Under TCG: OVMF in the nested KVM trips an assertion of QEMU 7.2.
# check: no: `make lab` runs it
# seconds: 900
. "$(dirname "$0")/../lib.sh"
lab_host
modprobe nvme
tests=$(dirname "$0")/../..
check "the drive is there" wait_for 20 test -b /dev/nvme0n1
"$tests/guest/bootable" "$work/win.img" win 'EFI/BOOT/BOOTX64.EFI=setup EFI/Microsoft/Boot/bootmgfw.efi' EFI/Microsoft/Boot/bootmgfw.efi
dd if="$work/win.img" of=/dev/nvme0n1 bs=1M oflag=direct conv=fsync status=none
truncate -s 40M "$work/empty.img"
install -d -o player "$work/own"
chmod 666 "$work/empty.img"
cat >"$work/ssd.conf" <<-CONF
	[vm]
	name = ssd
	accel = tcg
	[cpu]
	threads = 1
	isolate = off
	[memory]
	size = 128M
	hugepages = off
	[firmware]
	vars = $work/own/vars.fd
	[console]
	serial = $work/serial
	[pci ssd]
	address = 02:00.0
CONF
{ printf '[disk empty]\npath = %s/empty.img\n' "$work"; cat "$work/ssd.conf"; } >"$work/behind.conf"
sed -i 's/^name = ssd/name = behind/' "$work/behind.conf"
chmod 644 "$work"/*.conf
booted() { tr -d '\r' <"$serial" | grep -qx "boots: $1\\."; }
came() { booted "$1" || ended "$launcher" || grep -qa 'Interactive Shell' "$serial"; }
host_snapshot "$work/before"
launch "$work/ssd.conf"
wait_for 400 came "win setup"
check "passed on alone: what is on it is booted, and saves an entry" booted "win setup" || show_run
exit_of 60 "$launcher"
equal "the launcher's exit status" 0 "$code" || show_run
launch "$work/behind.conf"
wait_for 400 came "win entry"
check "behind a disk from which nothing boots: by its saved entry" booted "win entry" || show_run
timeout 60 "$qlaunch" stop --now behind >/dev/null 2>&1
exit_of 60 "$launcher"
equal "the launcher's exit status once more" 0 "$code" || show_run
same_host "the host is as before"
finish
