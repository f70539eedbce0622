#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# QEMU 7.2: query-hotpluggable-cpus lists a machine's CPUs from the last to the first, query-cpus-fast from the first to the last. Who
# pairs the two lists by position, or plugs "the first free one", takes the wrong CPU: of 2 of 4, core 3 is plugged before core 2.
# Seen, -smp 2,maxcpus=4: core-id 3, 2, 1, 0; query-cpus-fast: 0, 1.
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
printf '%s\n' '{"execute":"qmp_capabilities"}' '{"execute":"query-hotpluggable-cpus"}' '{"execute":"query-cpus-fast"}' '{"execute":"quit"}' |
	with timeout 60 qemu-system-x86_64 -nodefaults -display none -S -machine q35,accel=tcg -smp 2,maxcpus=4 -qmp stdio >"$dir/out"
python3 - "$dir/out" <<'PY'
import json, sys
answers = [json.loads(line).get("return") for line in open(sys.argv[1])]
pluggable, there = [[cpu["props"]["core-id"] for cpu in a] for a in answers if isinstance(a, list)]
print("query-hotpluggable-cpus", pluggable, "query-cpus-fast", there)
assert pluggable == [3, 2, 1, 0] and there == [0, 1]
PY
