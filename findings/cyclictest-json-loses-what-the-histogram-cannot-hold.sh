#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# cyclictest 2.4 (rt-tests): with --histogram=N the JSON has the latencies below N microseconds only. How many were longer, which the
# plain report prints as "Histogram Overflows", is in no key: the worst cases are seen by no reader of the JSON but as cycles less the
# sum of the histogram. And two keys end in a colon: "cmdline:", "rt_test_version:".
# Seen: --histogram=2: plain text "Histogram Overflows: 00199"; JSON: cycles 199, histogram {}, no key with "over" in it.
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

get rt-tests=2.4-1
with cyclictest -q -l 200 -i 1000 -h 2 --json="$dir/out.json" >"$dir/out" 2>"$dir/err" || { cat "$dir/err"; exit 1; }
grep '^# Histogram Overflows' "$dir/out"
python3 - "$dir/out.json" <<'PY'
import json, sys
report = json.load(open(sys.argv[1]))
thread = report["thread"]["0"]
held = sum(thread["histogram"].values())
print("cycles", thread["cycles"], "in the histogram", held, "keys", sorted(thread), [k for k in report if k.endswith(":")])
assert thread["cycles"] > held
assert not any("over" in key.lower() for key in thread)
assert "cmdline:" in report and "rt_test_version:" in report
PY
