#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# stress-ng 0.15.06 and PyYAML 6.0: in the YAML of `stress-ng --yaml` the day is written 2026:11:30, without quotes. YAML 1.1 takes that
# for a number in base 60, and PyYAML reads 7294290. The time of the day (time-hh-mm-ss) is a text before 10 o'clock, for its leading 0,
# and a number after it.
# Seen: date-yyyy-mm-dd: 2026:11:30 is read as the int 7294290.
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

get stress-ng=0.15.06-2 python3-yaml=6.0-3+b2
with stress-ng --quiet --cpu 1 --cpu-ops 10 --metrics --yaml "$dir/out.yaml" >/dev/null 2>&1
grep -E 'date-yyyy|time-hh' "$dir/out.yaml"
with /usr/bin/python3 - "$dir/out.yaml" <<'PY'
import sys, yaml
told = [line.split(": ", 1)[1].strip() for line in open(sys.argv[1]) if "date-yyyy-mm-dd" in line][0]
system = yaml.safe_load(open(sys.argv[1]))["system-info"]
day = system["date-yyyy-mm-dd"]
print("read as", type(day).__name__, day, "and", type(system["time-hh-mm-ss"]).__name__, system["time-hh-mm-ss"])
y, m, d = map(int, told.split(":"))
assert day == (y * 60 + m) * 60 + d
assert isinstance(yaml.safe_load("10:37:02"), int) and isinstance(yaml.safe_load("09:37:02"), str)
PY
