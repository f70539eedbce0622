# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# UEFI with Secure Boot, a TPM and both functions of the GPU at once. Under TCG: OVMF in the nested KVM trips an assertion of QEMU 7.2.
# seconds: 800
. "$(dirname "$0")/../lib.sh"
lab_host
cp "$build/guest/demo.img" "$work"
chmod 666 "$work/demo.img"
cat >"$work/secure.conf" <<-CONF
	[vm]
	name = secure
	accel = tcg
	[cpu]
	threads = 1
	place = l3 1
	isolate = off
	[memory]
	size = 512M
	hugepages = off
	[firmware]
	type = uefi
	secure-boot = yes
	[tpm]
	version = 2.0
	model = tis
	[disk main]
	path = $work/demo.img
	format = raw
	bus = virtio
	[console]
	serial = $work/serial
	[pci gpu]
	address = 01:00.0
	functions = group
	[display]
	mode = none
CONF
chmod 644 "$work/secure.conf"
host_snapshot "$work/before"
launch "$work/secure.conf"
exit_of 760 "$launcher"
equal "the guest ends by itself; the launcher's exit status" 0 "$code" || show_run
check "guest: Secure Boot" guest_said 'secure-boot enabled'
check "guest: TPM" guest_said 'tpm 2.0'
check "guest: PCR 7" guest_said 'pcr7 [0-9A-F]\{64\}$'
check "guest: sees function 0" guest_said 'pci .* 1002:5046 '
check "guest: sees function 1" guest_said 'pci .* 8086:293e '
check "guest: came to its end" guest_said 'done'
same_host "the host is as before"
finish
