#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# sysbench 1.0.20: the percentile of a latency can lie below the minimum or above the maximum that the same report prints. It is read
# from a histogram whose steps grow by about a hundredth; minimum and maximum are exact. With one event all three are one number.
# Seen: min 12.82, max 12.82, 95th percentile 12.75; min 38.60, max 38.60, 95th percentile 38.94.
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

get sysbench=1.0.20+ds-5
outside=0
for _ in $(seq 10); do
	with sysbench cpu --cpu-max-prime=100000 --events=1 --time=0 run >"$dir/out"
	read -r min max percentile <<<"$(sed -n 's/^ *\(min\|max\|95th percentile\): *//p' "$dir/out" | tr '\n' ' ')"
	echo "one event: min $min, max $max, 95th percentile $percentile"
	awk "BEGIN { exit !($percentile < $min || $percentile > $max) }" && outside=$((outside + 1))
done
echo "outside in $outside of 10"
[ "$outside" -gt 0 ]
