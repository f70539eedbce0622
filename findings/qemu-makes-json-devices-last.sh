#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# QEMU 7.2: devices are not made in the order of the command line: all that are written as "driver,key=value" first, then all that are written
# as JSON. A disk in the one form does not find the controller in the other that stands before it: who turns one -device of a working line into
# JSON can so end its start.
# Seen, a SCSI controller and then a disk on it: both in one form, it starts; the controller in JSON, "Bus 'scsi.0' not found".
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

get qemu-system-x86=1:7.2+dfsg-7+deb12u18+b3
start() { # CONTROLLER DISK: 0 when it started
	printf '%s\n' '{"execute":"qmp_capabilities"}' '{"execute":"quit"}' |
		with timeout 60 qemu-system-x86_64 -nodefaults -display none -S -machine q35,accel=tcg -qmp stdio \
			-blockdev null-co,node-name=disk,read-zeroes=on -device "$1" -device "$2" >/dev/null 2>"$dir/err"
}
controller=virtio-scsi-pci,id=scsi disk=scsi-hd,bus=scsi.0,drive=disk
controller_json='{"driver":"virtio-scsi-pci","id":"scsi"}' disk_json='{"driver":"scsi-hd","bus":"scsi.0","drive":"disk"}'
start "$controller" "$disk"; echo "both as key=value: starts"
start "$controller_json" "$disk_json"; echo "both as JSON: starts"
start "$controller" "$disk_json"; echo "the disk alone as JSON: starts"
status=0; start "$controller_json" "$disk" || status=$?
echo "the controller alone as JSON: exit status $status, $(tail -n 1 "$dir/err")"
[ $status -eq 1 ]; grep -q "Bus 'scsi.0' not found" "$dir/err"
