#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# check: slow
# 200 launches and stops in a row of the smallest machine: nothing stays behind, and the last launcher is no larger than the first.

setup() {
	cd "$BATS_TEST_DIRNAME/.."
	qlaunch=$PWD/${BUILD:-build}/qlaunch
	export HOME=$BATS_TEST_TMPDIR/home XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/run XDG_DATA_HOME=$BATS_TEST_TMPDIR/data TMPDIR=$BATS_TEST_TMPDIR/tmp
	unset XDG_CACHE_HOME
	mkdir -p "$HOME" "$TMPDIR" "$XDG_RUNTIME_DIR"
	conf=$HOME/soak.conf
	printf '[vm]\nname = soak-%s\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 32M\n[firmware]\ntype = bios\n' $$ >"$conf"
}

once() { # sets fds and rss of the launcher while its guest runs
	: >"$BATS_TEST_TMPDIR/out"
	"$qlaunch" run "$conf" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- </dev/null & local pid=$!
	until grep -q 'running after' "$BATS_TEST_TMPDIR/out"; do kill -0 $pid || { cat "$BATS_TEST_TMPDIR/out"; return 1; }; sleep 0.02; done
	# in its event loop (epoll_wait, epoll_pwait2), everything is open that will be
	until grep -qE '^(232|441) ' /proc/$pid/syscall; do kill -0 $pid || return 1; sleep 0.01; done
	fds=$(find /proc/$pid/fd -mindepth 1 | wc -l)
	rss=$(awk '/^VmRSS/ { print $2 }' /proc/$pid/status)
	kill -TERM $pid; kill -TERM $pid # one of the two may find the other still pending: then stop does the rest
	"$qlaunch" stop --now "soak-$$" >/dev/null 2>&1 || true
	wait $pid
}
ours() { # what a launch could leave: processes, groups, units, nodes, files, networks, memory
	grep -lsz "soak-$$" /proc/[0-9]*/cmdline || true
	find /sys/fs/cgroup -type d -name '*qlaunch*' 2>/dev/null | grep "soak" || true
	find /run/systemd/transient -name '*soak*' 2>/dev/null || true
	find /run/qlaunch "$XDG_RUNTIME_DIR" -name '*soak*' 2>/dev/null || true
	find /dev/shm /dev/mqueue /tmp -maxdepth 2 -name "*soak-$$*" 2>/dev/null || true
	find "$HOME" "$XDG_RUNTIME_DIR" "$XDG_DATA_HOME" "$TMPDIR" -type f -not -path '*/log/*' -printf '%p %s\n' | sort
}

@test "200 launches and stops in a row leave nothing, and nothing grows" {
	once # what is made once: the cache of QEMU's abilities
	first_fds=$fds first_rss=$rss before=$(ours)
	for i in $(seq 200); do
		once || { echo "launch $i"; return 1; }
		[ "$fds" -eq "$first_fds" ] || { echo "launch $i: $fds descriptors, $first_fds at first"; return 1; }
	done
	after=$(ours)
	diff <(echo "$before") <(echo "$after")
	[ "$(ls "$XDG_DATA_HOME/qlaunch/soak-$$/log" | wc -l)" -eq 10 ]
	[ "$rss" -le $((first_rss + 512)) ] # kB: what the kernel has mapped differs by some pages
}
