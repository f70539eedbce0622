#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The power profile of a run, with the real power-profiles-daemon (its own made driver) and polkit, or the real tuned, whose profiles tune nothing
# here: on a bus and in namespaces of their own.

setup() {
	[ "$(id -u)" -eq 0 ] || skip "needs root: namespaces"
	cd "$BATS_TEST_DIRNAME/.." || return
	build=${BUILD:-build}
	tests/debian "$build" power-profiles-daemon libgudev-1.0-0
	export unpacked=$PWD/$build/debian/root qlaunch=$PWD/$build/qlaunch dir=$BATS_TEST_TMPDIR HOME=$BATS_TEST_TMPDIR LC_ALL=C.UTF-8
	export vm=profile-$$ conf=$BATS_TEST_TMPDIR/profile-$$.conf
	printf '[vm]\nname = %s\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\nhugepages = off\n[firmware]\ntype = bios\n[host]\nprofile = performance\n' \
		"$vm" >"$conf"
}
# SCRIPT: as root, where the daemon runs if `daemon` is called. It says "holds: N" and "profile: WORD" by `tell`.
inside() {
	cat >"$dir/system" <<-'SYSTEM'
		set -eu
		until_true() { for _ in $(seq 600); do "$@" && return; sleep 0.1; done; echo "never: $*"; return 1; }
		for folder in /usr/share/dbus-1 /usr/share/polkit-1; do
			cp -a "$folder" "$dir/copy"; cp -a "$unpacked$folder/." "$dir/copy"
			mount --bind "$dir/copy" "$folder"; mv "$dir/copy" "$dir/${folder##*/}"
		done
		mount -t tmpfs none /run; mount -t tmpfs none /var/lib
		mkdir -p /run/dbus
		[ ! -e "$unpacked/etc/dbus-1/system.d/com.redhat.tuned.conf" ] || cp "$unpacked/etc/dbus-1/system.d/com.redhat.tuned.conf" /usr/share/dbus-1/system.d
		dbus-daemon --system --fork --nopidfile 2>/dev/null
		daemon() {
			/usr/lib/polkit-1/polkitd --no-debug >"$dir/polkitd.log" 2>&1 &
			LD_LIBRARY_PATH=$(echo "$unpacked"/usr/lib/*-linux-gnu) POWER_PROFILE_DAEMON_FAKE_DRIVER=1 \
				"$unpacked/usr/libexec/power-profiles-daemon" >"$dir/daemon.log" 2>&1 & daemon=$!
			until_true get ActiveProfile >/dev/null
		}
		get() { busctl get-property net.hadess.PowerProfiles /net/hadess/PowerProfiles net.hadess.PowerProfiles "$1" 2>/dev/null; }
		tell() { echo "$1: $(get ActiveProfile) $(get ActiveProfileHolds | cut -d ' ' -f 2)"; }
		begin() { "$qlaunch" run "$conf" >"$dir/said" 2>&1 & run=$!; until_true grep -q 'running after' "$dir/said" || { cat "$dir/said"; return 1; }; }
	SYSTEM
	printf '%s\n' "$1" >>"$dir/system"
	run timeout 120 unshare -mpf --propagation private --mount-proc --kill-child bash "$dir/system" 3>&-
	echo "$output"; cat "$dir"/*.log || true
}

@test "power-profiles-daemon: the profile is held while the machine runs, and let go of; also when the launcher is killed" {
	inside '
		daemon; tell before
		begin; tell "it runs"
		"$qlaunch" stop --kill "$vm"; wait $run || true; tell over
		begin; tell again
		kill -KILL $run; wait $run || true; "$qlaunch" restore
		tell killed'
	[ "$status" -eq 0 ]
	[[ $output == *'before: s "balanced" 0'*'it runs: s "performance" 1'*'over: s "balanced" 0'*'again: s "performance" 1'*'killed: s "balanced" 0'* ]]
}

@test "power-profiles-daemon: who chose a profile before has it again; a daemon that ends is no failure of the way back" {
	inside '
		daemon
		busctl set-property net.hadess.PowerProfiles /net/hadess/PowerProfiles net.hadess.PowerProfiles ActiveProfile s power-saver; tell before
		begin; tell "it runs"; "$qlaunch" stop --kill "$vm"; wait $run || true; tell over
		begin; kill $daemon; "$qlaunch" stop --kill "$vm"; wait $run || true; tail -n 1 "$dir/said"'
	[ "$status" -eq 0 ]
	[[ $output == *'before: s "power-saver" 0'*'it runs: s "performance" 1'*'over: s "power-saver" 0'*'steps undone'* ]]
}

@test "tuned: its profile for throughput while the machine runs, then the one before; also when the launcher is killed" {
	tests/debian "$build" tuned python3-linux-procfs python3-pyudev python3-six
	inside '
		mkdir "$dir/tuned"
		for profile in balanced throughput-performance; do
			mkdir "$dir/tuned/$profile"; printf "[main]\nsummary=of this test\n" >"$dir/tuned/$profile/tuned.conf"
		done
		cp "$unpacked"/etc/tuned/{tuned-main.conf,bootcmdline} "$dir/tuned"
		echo balanced >"$dir/tuned/active_profile"; echo manual >"$dir/tuned/profile_mode"
		cp -a /etc "$dir/etc"; rm -rf "$dir/etc/tuned"; mv "$dir/tuned" "$dir/etc"; mount --bind "$dir/etc" /etc
		mount -t tmpfs none /var/log; mkdir -p /run/tuned
		PYTHONPATH=$unpacked/usr/lib/python3/dist-packages /usr/bin/python3 "$unpacked/usr/sbin/tuned" >"$dir/daemon.log" 2>&1 &
		active() { busctl call com.redhat.tuned /Tuned com.redhat.tuned.control active_profile 2>/dev/null; }
		is() { [ "$(active)" = "s \"$1\"" ]; }
		tell() { echo "$1: $(active)"; }
		until_true is balanced; tell before
		begin; tell "it runs"
		"$qlaunch" stop --kill "$vm"; wait $run || true; tell over
		begin; tell again
		kill -KILL $run; wait $run || true; "$qlaunch" restore
		tell killed'
	[ "$status" -eq 0 ]
	[[ $output == *'before: s "balanced"'*'it runs: s "throughput-performance"'*'over: s "balanced"'*'again: s "throughput-performance"'*'killed: s "balanced"'* ]]
}

@test "no daemon: said, and none is started" {
	inside '
		"$qlaunch" check "$conf" || true
		begin; "$qlaunch" stop --kill "$vm"; wait $run || true
		busctl list --acquired | grep -c PowerProfiles || true'
	[ "$status" -eq 0 ]
	[[ $output == *'neither power-profiles-daemon nor tuned runs here'* ]]; [[ $output == *$'\n0'* ]]
}
