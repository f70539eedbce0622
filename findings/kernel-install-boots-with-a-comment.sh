#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# kernel-install of systemd 252: a comment in /etc/kernel/cmdline is no comment. Its line goes into the boot entry, "#" and all, and so
# do the words in it: who notes down there what he tried boots with it.
# Seen: "options    # iommu=off was tried root=/dev/sda1 quiet".
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

get systemd=252.39-1~deb12u2
mkdir -p "$dir/etc" "$dir/boot/token/6.1"
printf '# iommu=off was tried\nroot=/dev/sda1 quiet\n' >"$dir/etc/cmdline"
: >"$dir/vmlinuz"
with env KERNEL_INSTALL_CONF_ROOT="$dir/etc" KERNEL_INSTALL_LAYOUT=bls KERNEL_INSTALL_BOOT_ROOT="$dir/boot" KERNEL_INSTALL_ENTRY_TOKEN=token \
	KERNEL_INSTALL_MACHINE_ID=0123456789abcdef0123456789abcdef KERNEL_INSTALL_STAGING_AREA="$dir" KERNEL_INSTALL_VERBOSE=0 \
	/bin/sh /usr/lib/kernel/install.d/90-loaderentry.install add 6.1 "$dir/boot/token/6.1" "$dir/vmlinuz"
grep '^options' "$dir/boot/loader/entries/token-6.1.conf"
grep -q '^options *# iommu=off was tried root=/dev/sda1 quiet' "$dir/boot/loader/entries/token-6.1.conf"
