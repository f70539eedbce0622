#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# MangoHud 0.6.8: "Average FPS" of a log's summary is the mean of each frame's own 1/time, not frames over seconds: short frames count as
# much as long ones, and an uneven game is told faster than it ran. In the log itself frametime is in microseconds.
# Seen, glxgears for 5 s on a software renderer: 4281 frames in 4.17 s are 1026 a second; "Average FPS" says 1580.
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

get mangohud=0.6.8-2 mesa-utils=8.5.0-1 xvfb=2:21.1.7-3+deb12u13
mkdir "$dir/log"
cat >"$dir/run" <<'RUN'
Xvfb -displayfd 3 -screen 0 640x480x24 3>"$1/display" >/dev/null 2>&1 & x=$!
trap 'kill $x' EXIT
for _ in $(seq 50); do [ -s "$1/display" ] && break; sleep 0.1; done
export DISPLAY=:$(cat "$1/display") LIBGL_ALWAYS_SOFTWARE=1
export MANGOHUD_CONFIG="output_folder=$1/log,autostart_log=1,log_duration=5,log_interval=0,no_display"
timeout 15 mangohud --dlsym glxgears >/dev/null 2>&1 || true
RUN
with bash "$dir/run" "$dir"
python3 - "$dir/log" <<'PY'
import csv, glob, sys
files = glob.glob(sys.argv[1] + "/*.csv")
summary = [f for f in files if f.endswith("_summary.csv")][0]
rows = list(csv.reader(open([f for f in files if f != summary][0])))
frames = [dict(zip(rows[2], row)) for row in rows[3:]]
seconds = sum(float(f["frametime"]) for f in frames) / 1e6
lines = list(csv.reader(open(summary)))
told = float(dict(zip(lines[0], lines[1]))["Average FPS"])
mean = sum(float(f["fps"]) for f in frames) / len(frames)
print(f"{len(frames)} frames in {seconds:.2f} s are {len(frames) / seconds:.1f} a second; Average FPS says {told}; the mean of all fps is {mean:.1f}")
assert abs(told - mean) <= 0.02 * mean and mean > 1.02 * len(frames) / seconds
PY
