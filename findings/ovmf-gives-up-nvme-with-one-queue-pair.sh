#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# OVMF of edk2 2022.11 (Debian 12): an NVMe drive with one pair of I/O queues is no drive. Its driver makes two and gives the controller up
# without a word: no boot entry, the machine ends in the shell. QEMU's -device nvme takes max_ioqpairs=1 without a word, too.
# Seen: max_ioqpairs=1: no "UEFI QEMU NVMe Ctrl" among the boot entries; max_ioqpairs=2: it is the first one that is tried.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT

# The packages, pinned, with what this system lacks for them: unpacked, and laid over /usr for one command in a mount namespace of its own.
get() {
	{ printf '%s\n' "$@"; apt-get -s install --no-install-recommends "$@" | sed -n 's/^Inst \([^ ]*\) .*(\([^ ]*\) .*/\1=\2/p'; } | sort -u >"$dir/list"
	(cd "$dir" && xargs apt-get -qq -o APT::Sandbox::User=root download <list && for deb in *.deb; do dpkg -x "$deb" root; done)
	if [ -d "$dir/root/lib" ]; then cp -a "$dir/root/lib/." "$dir/root/usr/lib/"; fi
}
with() { # COMMAND...
	unshare -m $([ "$(id -u)" -eq 0 ] || echo -r) sh -c 'mount -t overlay overlay -o "lowerdir=$1/usr:/usr" /usr && shift && exec "$@"' sh "$dir/root" "$@"
}

get qemu-system-x86=1:7.2+dfsg-7+deb12u18+b3 ovmf=2022.11-6+deb12u2
truncate -s 8M "$dir/disk.img"
boots() { # PAIRS: what OVMF says on the serial port, up to its shell
	cp "$dir/root/usr/share/OVMF/OVMF_VARS_4M.fd" "$dir/vars.fd"
	: >"$dir/serial"
	with timeout 120 qemu-system-x86_64 -accel tcg -M q35 -m 256 -nodefaults -display none -serial "file:$dir/serial" \
		-drive "if=pflash,format=raw,readonly=on,file=$dir/root/usr/share/OVMF/OVMF_CODE_4M.fd" -drive "if=pflash,format=raw,file=$dir/vars.fd" \
		-drive "if=none,id=d,format=raw,file=$dir/disk.img" -device "nvme,drive=d,serial=x,max_ioqpairs=$1" & local qemu=$!
	until grep -aq 'starting Boot.*Shell' "$dir/serial" || ! kill -0 $qemu 2>/dev/null; do sleep 0.5; done
	pkill -P $qemu || true
	wait $qemu || true
	tr -d '\r' <"$dir/serial" | grep -a 'BdsDxe' >"$dir/said"
	echo "max_ioqpairs=$1:"; cat "$dir/said"
	grep -q Shell "$dir/said"
}
boots 1
if grep -q 'UEFI QEMU NVMe Ctrl' "$dir/said"; then exit 1; fi
boots 2
grep -q 'UEFI QEMU NVMe Ctrl' "$dir/said"
