#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# swtpm 0.7.1: a second swtpm that is started with the control socket and the state folder of one that runs starts without a word. It has
# the socket from then on, and takes the name away when it ends: the first lives and nobody reaches it any more. The state is locked at
# CMD_INIT alone, so that neither start tells.
# Seen: both started with status 0; after the second ended, the first was alive and its socket's name gone.
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

get swtpm=0.7.1-1.3 swtpm-tools=0.7.1-1.3
mkdir "$dir/state"
start() { # PIDFILE
	with swtpm socket --tpm2 --tpmstate "dir=$dir/state" --ctrl "type=unixio,path=$dir/ctrl" --daemon --pid "file=$dir/$1"
}
trap 'kill $(cat "$dir/first" "$dir/second" 2>/dev/null) 2>/dev/null || true; rm -rf "$dir"' EXIT
start first
first=$(stat -c %i "$dir/ctrl")
start second
echo "both started; the socket is another one: $first, $(stat -c %i "$dir/ctrl")"
[ "$first" != "$(stat -c %i "$dir/ctrl")" ]
with swtpm_ioctl --unix "$dir/ctrl" -i # the second has the state now
kill "$(cat "$dir/second")"
for _ in $(seq 50); do [ -e "$dir/ctrl" ] || break; sleep 0.1; done
kill -0 "$(cat "$dir/first")" && echo "the first is alive"
[ ! -e "$dir/ctrl" ] && echo "its socket has no name any more"
