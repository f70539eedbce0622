#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# libvirt 9.0: in a CPU list ^N takes away only what stands left of it. cpuset='0-3,^2' is 0-1,3, cpuset='^2,0-3' is 0-3: the CPU that
# was to be kept from the guest is given to it, without a word.
# Seen: define, then dumpxml: cpuset='0-1,3' and cpuset='0-3'.
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
kept() { # LIST
	echo "<domain type='test'><name>d</name><memory>65536</memory><vcpu cpuset='$1'>2</vcpu><os><type>hvm</type></os></domain>" >"$dir/d.xml"
	with virsh -q -c test:///default "define $dir/d.xml; dumpxml d" | sed -n "s/.*cpuset='\([^']*\)'.*/\1/p"
}
after=$(kept '0-3,^2') before=$(kept '^2,0-3')
echo "0-3,^2 is $after; ^2,0-3 is $before"
[ "$after" = 0-1,3 ] && [ "$before" = 0-3 ]
