# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# A launch with everything switched on, and SIGKILL at every write of its journal, then at points of its way back: after `restore` the host is
# as it was, each time. strace sends the signal: at the Nth fdatasync forwards, at the Nth openat2 backwards.
# LAB_PART=1/2 and 2/2 have half of them each, for two hosts at a time.
# check: no: `make lab` runs it
# seconds: 5400
. "$(dirname "$0")/../lib.sh"
lab_host
printf '[Service]\nExecStart=/bin/sleep infinity\n' >/etc/systemd/system/desktop.service
ln -s desktop.service /etc/systemd/system/display-manager.service
systemctl daemon-reload
systemctl start desktop.service user.slice
idle_config full
cat >>"$work/full.conf" <<-CONF
	[tpm]
	version = 2.0
	[network lan]
	mode = nat
	[host]
	release-console = yes
	irqs = away
CONF
sed -i 's/^hugepages = .*/hugepages = 2M/' "$work/full.conf"
settled() { host_snapshot "$work/after"; diff -U0 "$work/before" "$work/after" >"$work/diff"; }
back() { # POINT: restore, and the host is as before
	timeout $((100 * ${LAB_PATIENCE:-1})) "$qlaunch" restore >"$work/restore" 2>&1
	local status=$?
	[ $status -eq 0 ] || { not_ok "$1: restore ended with $status"; note <"$work/restore"; return 1; }
	wait_for 15 settled || { not_ok "$1: the host is as before"; note <"$work/diff"; return 1; }
	ok "$1: killed, restored, the host is as before"
}

# Once undisturbed: what is made once is there, and the number of points known.
launch "$work/full.conf"
check "it runs" wait_for 90 grep -q 'running after' "$log" || { show_run; finish; }
"$qlaunch" status | note
"$qlaunch" stop --now full
exit_of 90 "$launcher"
equal "undisturbed: exit status" 0 "$code" || { show_run; finish; }
wait_for 10 test ! -d /sys/fs/cgroup/qlaunch_full.slice
host_snapshot "$work/before"

part=${LAB_PART:-1/1} points=0
parts=${part#*/} first=${part%/*}
for n in $(seq "$first" "$parts" 60); do
	log=$work/qlaunch.log
	strace -qq -e trace=fdatasync -e inject=fdatasync:signal=KILL:when="$n" -o /dev/null "$qlaunch" run "$work/full.conf" >"$log" 2>&1 &
	launcher=$!
	over() { ended "$launcher" || grep -q 'running after' "$log"; }
	wait_for 100 over
	if grep -q 'running after' "$log"; then # past the last record
		kill -KILL "$(pidof -s qlaunch)" 2>/dev/null
		wait "$launcher" 2>/dev/null
		back "while the guest runs" && points=$((points + 1))
		break
	fi
	wait "$launcher" 2>/dev/null
	back "journal write $n" && points=$((points + 1))
done
ways=(1 10 25 45 70 100 140)
for ((i = first - 1; i < ${#ways[@]}; i += parts)); do
	n=${ways[i]}
	launch "$work/full.conf"
	wait_for 90 grep -q 'running after' "$log" || { not_ok "way back $n: it runs"; show_run; continue; }
	strace -qq -e trace=openat2 -e inject=openat2:signal=KILL:when="$n" -o /dev/null -p "$launcher" 2>"$work/strace" &
	tracer=$!
	wait_for 10 grep -q "^TracerPid:.[1-9]" "/proc/$launcher/status"
	kill -KILL "$(qemu_pid)"
	wait_for 60 ended "$launcher" || kill -KILL "$launcher"
	wait "$launcher" 2>/dev/null && code=0 || code=$?
	wait "$tracer" 2>/dev/null
	[ "$code" = 137 ] || echo "# way back $n: not reached, it ended with $code"
	back "file $n of the way back" && points=$((points + 1))
done
echo "# kill points: $points"
check "at least $((25 / parts)) points" test "$points" -ge $((25 / parts))
finish
