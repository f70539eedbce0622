#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# A disk with a Windows that also starts on the bare machine: what check says before a guest has it. The volumes are mkntfs's own.

setup() {
	cd "$BATS_TEST_DIRNAME/.."
	qlaunch=$PWD/${BUILD:-build}/qlaunch
	export LC_ALL=C.UTF-8
	cd "$BATS_TEST_TMPDIR"
	"$BATS_TEST_DIRNAME/captured/capture" ryzen host
	T=$PWD/host; . "$BATS_TEST_DIRNAME/captured/lib.sh"
	local d=/sys/devices/pci0000:00/windows/nvme7n1
	put $d/dev 259:70; put $d/size 3907029168; put $d/queue/logical_block_size 512; link /sys/class/block/nvme7n1 $d; put /dev/nvme7n1 x
	for p in 1 2; do
		put $d/nvme7n1p$p/dev 259:7$p; put $d/nvme7n1p$p/partition $p; link /sys/class/block/nvme7n1p$p $d/nvme7n1p$p
		put /dev/nvme7n1p$p ""
	done
	put /run/udev/data/b259:71 "E:ID_FS_TYPE=vfat
E:ID_FS_UUID=AB12-CD34
E:ID_PART_ENTRY_TYPE=c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
	printf '[vm]\nname = win\n[memory]\nsize = 2G\n[disk c]\npath = /dev/nvme7n1\n' >win.conf
}
ntfs() { # CONTENT-OF-HIBERFIL.SYS [MKNTFS-OPTION…]: "-" for none
	local content=$1; shift
	rm host/dev/nvme7n1p2; truncate -s 8M host/dev/nvme7n1p2
	mkntfs -q -F -Q "$@" host/dev/nvme7n1p2 >mkntfs.log 2>&1
	for i in {1..40}; do echo "$i" >"some longer name of file $i"; ntfscp -q -f host/dev/nvme7n1p2 "some longer name of file $i" "some longer name of file $i" >>mkntfs.log 2>&1; done
	[ "$content" = - ] || { { printf %b "$content"; head -c 9000 /dev/zero; } >hib; ntfscp -q -f host/dev/nvme7n1p2 hib hiberfil.sys >>mkntfs.log 2>&1; }
	put /run/udev/data/b259:72 "E:ID_FS_TYPE=ntfs"
}
says() { "$qlaunch" check --json --root host win.conf | jq -r '.findings[] | select(.topic == "windows") | .verdict + " " + .text + " → " + .remedy'; }

@test "Windows that sleeps (hibernated, fast startup) is refused, whatever the volume's clusters; one that woke, or never slept, is not" {
	for option in "-c 4096" "-c 512" "-c 65536" "-c 4096 -s 4096"; do
		ntfs hibr $option
		[[ $(says) == "bad [disk c]: the Windows on nvme7n1p2 sleeps"*"remove_hiberfile /dev/nvme7n1p2"* ]]
	done
	run "$qlaunch" check --root host win.conf
	[ "$status" -eq 4 ]
	ntfs wake; [ -z "$(says)" ]
	ntfs '\0\0\0\0'; [ -z "$(says)" ]
	ntfs -; [ -z "$(says)" ]
}

@test "a damaged volume: any byte of its structures may be wrong, and check ends, and says nothing that is not so" {
	ntfs - -c 512
	for at in 11 13 48 64 68 16384 16388 16404 16448 16476 16640 21504 21524 21600 21700; do
		cp host/dev/nvme7n1p2 whole
		printf '\xff\xff' | dd of=host/dev/nvme7n1p2 bs=1 seek=$at conv=notrunc status=none
		[[ $(says) != *sleeps* ]]
		mv whole host/dev/nvme7n1p2
	done
	truncate -s 20000 host/dev/nvme7n1p2
	[ -z "$(says)" ]
}

@test "BitLocker: the recovery key is told of before it is asked for" {
	printf '\xeb\x58\x90-FVE-FS-' >host/dev/nvme7n1p2; truncate -s 1M host/dev/nvme7n1p2
	[[ $(says) == "warning [disk c]: nvme7n1p2 is encrypted by BitLocker"*"recovery key"*"48 digits"* ]]
	put /run/udev/data/b259:72 "E:ID_FS_TYPE=ext4" # udev's word counts
	[ -z "$(says)" ]
}

@test "an EFI partition that is the host's own: mounted, or only in its fstab; another's is none of its business" {
	[ -z "$(says)" ]
	put /etc/fstab '# UUID=AB12-CD34 /x vfat
UUID="ab12-cd34"	/boot/efi	vfat	noauto 0 1'
	[[ $(says) == "warning [disk c]: its EFI partition nvme7n1p1 is the host's own (/boot/efi)"* ]]
	put /etc/fstab '/dev/nvme7n1p1 /efi vfat noauto 0 1'
	[[ $(says) == *"(/efi)"* ]]
	put /etc/fstab 'UUID=0000-1111 /boot/efi vfat defaults 0 1'
	[ -z "$(says)" ]
	put /proc/self/mountinfo "40 29 259:71 / /boot rw - vfat /dev/nvme7n1p1 rw"
	[[ $(says) == *"(/boot)"* ]]
	run "$qlaunch" check --root host win.conf
	[ "$status" -eq 4 ]
}
