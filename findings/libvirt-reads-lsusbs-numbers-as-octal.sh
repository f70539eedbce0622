#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# libvirt 9.0: <address bus='010' device='011'/> of a USB host device is bus 8, device 9. lsusb prints both numbers with leading zeros
# ("Bus 010 Device 011"); copied as they stand, from 010 on they name another device, without a word, or none: '08', '09' are errors.
# Seen: define, then dumpxml: <address bus='8' device='9'/>; with device='09': "Invalid value for attribute 'device'".
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

get libvirt-clients=9.0.0-4+deb12u2 libvirt0=9.0.0-4+deb12u2
domain() { # BUS DEVICE
	cat >"$dir/d.xml" <<-XML
		<domain type='test'><name>d</name><memory>65536</memory><os><type>hvm</type></os><devices>
		<hostdev mode='subsystem' type='usb'><source><address bus='$1' device='$2'/></source></hostdev></devices></domain>
	XML
	with virsh -q -c test:///default "define $dir/d.xml; dumpxml d" 2>&1 || true
}
domain 010 011 | grep "<address bus" | tee "$dir/out"
grep -q "<address bus='8' device='9'/>" "$dir/out"
domain 001 009 | grep "Invalid value for attribute 'device'"
