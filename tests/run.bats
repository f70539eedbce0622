#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# There and back with a real QEMU and a machine that has nothing to boot: signals, failures, two at once, a launcher that is killed.

load machine

setup() {
	cd "$BATS_TEST_DIRNAME/.."
	qlaunch=$PWD/${BUILD:-build}/qlaunch
	export HOME=$BATS_TEST_TMPDIR XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/run XDG_DATA_HOME=$BATS_TEST_TMPDIR/data
	mkdir -p "$XDG_RUNTIME_DIR"
	vm=t$BATS_TEST_NUMBER-$$
	conf=$BATS_TEST_TMPDIR/$vm.conf
	printf '[vm]\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n' >"$conf"
}
teardown() {
	[ -z "${pid:-}" ] || { kill -KILL "$pid"; wait "$pid"; } 2>/dev/null || true # only a launcher that is gone can be restored
	"$qlaunch" restore "$vm" >/dev/null 2>&1 || true
}

qemu_pid() { "$qlaunch" status --json "$vm" | jq '.[0].qemu'; }
nothing_left() { [ "$("$qlaunch" status --json "$vm" | jq length)" -eq 0 ]; }

@test "status names the machine, its QEMU, and the CPU of each vCPU thread" {
	start
	run "$qlaunch" status --json "$vm"
	[ "$(jq -r '.[0].state' <<<"$output")" = running ]
	[ "$(jq -r '.[0]["run-state"]' <<<"$output")" = running ]
	thread=$(jq '.[0].vcpus[0].thread' <<<"$output") cpu=$(jq '.[0].vcpus[0].cpu' <<<"$output")
	grep -qx "Cpus_allowed_list:	$cpu" "/proc/$(qemu_pid)/task/$thread/status"
}

@test "SIGTERM presses the power button, a second one ends QEMU: exit 0, nothing left" {
	start
	kill -TERM "$pid"; sleep 0.5
	kill -TERM "$pid"
	wait "$pid"
	grep -q 'power button' "$BATS_TEST_TMPDIR/err"
	nothing_left
}

@test "a QEMU that hears nothing is killed by the third signal: exit 0, nothing left" {
	start
	q=$(qemu_pid)
	kill -STOP "$q"
	for words in 'pressing the guest' 'ending QEMU' 'killing QEMU'; do
		kill -TERM "$pid"
		for _ in $(seq 600); do grep -q "$words" "$BATS_TEST_TMPDIR/err" && break; sleep 0.1; done
		grep -q "$words" "$BATS_TEST_TMPDIR/err" || { kill -KILL "$q"; false; }
	done
	wait "$pid"
	gone "$q"
	nothing_left
}

@test "stop --now is heard beside a SIGTERM that waits" {
	start
	kill -STOP "$pid"; kill -TERM "$pid"
	"$qlaunch" stop --now "$vm" 3>&- & stopper=$!
	for _ in $(seq 100); do [ "$(awk '/^SigQ/ { split($2, q, "/"); print q[1] }' "/proc/$pid/status")" -ge 2 ] && break; sleep 0.1; done
	kill -CONT "$pid"
	wait "$stopper"
	wait "$pid"
	nothing_left
}

@test "stop --now returns when the host is back" {
	start
	q=$(qemu_pid)
	"$qlaunch" stop --now "$vm"
	gone "$q"
	nothing_left
}

@test "a second launch of the same machine is refused by name, exit 4" {
	start
	run "$qlaunch" run "$conf"
	[ "$status" -eq 4 ]; [[ $output == *"$vm runs already"* ]]
	kill -0 "$(qemu_pid)"
}

@test "a disk of a running machine is refused to a second one, by name" {
	truncate -s 1M "$BATS_TEST_TMPDIR/disk.img"
	start --set "disk d.path=$BATS_TEST_TMPDIR/disk.img"
	run "$qlaunch" run --set "vm.name=$vm-2" --set "disk d.path=$BATS_TEST_TMPDIR/disk.img" "$conf"
	[ "$status" -eq 4 ]; [[ $output == *"$vm"* ]]; [[ $output == *disk.img* ]]
}

@test "the launcher killed, QEMU alive: restore ends the guest, a second restore does nothing" {
	start
	q=$(qemu_pid)
	kill -KILL "$pid"; wait "$pid" || true
	kill -0 "$q"
	run "$qlaunch" status --json "$vm"
	[ "$(jq -r '.[0].state' <<<"$output")" = "left behind" ]
	run "$qlaunch" restore "$vm"
	[ "$status" -eq 0 ]; [[ $output == *"restored"* ]]
	gone "$q"
	run "$qlaunch" restore "$vm"
	[ "$status" -eq 0 ]; [[ $output == *"nothing to restore"* ]]
}

@test "the launcher killed: restore --wait leaves the guest alone, and gives all back once it has ended" {
	"$qlaunch" restore --wait "$vm" # nothing runs: at once
	start
	"$qlaunch" restore --wait "$vm" 2>"$BATS_TEST_TMPDIR/wait.err" 3>&- & waiter=$!
	q=$(qemu_pid)
	kill -KILL "$pid"; wait "$pid" || true
	sleep 0.5
	kill -0 "$q"; kill -0 "$waiter"
	[ "$("$qlaunch" status --json "$vm" | jq -r '.[0].state')" = "left behind" ]
	kill -KILL "$q"
	wait "$waiter"
	grep -q restored "$BATS_TEST_TMPDIR/wait.err"
	nothing_left
}

@test "the launcher killed: the next run of the machine undoes it first" {
	start
	q=$(qemu_pid)
	kill -KILL "$pid"; wait "$pid" || true
	start
	gone "$q"
	grep -q 'the last launcher died' "$BATS_TEST_TMPDIR/err"
}

@test "QEMU killed: exit 1, said how, nothing left" {
	start
	kill -KILL "$(qemu_pid)"
	status=0; wait "$pid" || status=$?
	[ "$status" -eq 1 ]
	grep -q 'signal 9' "$BATS_TEST_TMPDIR/err"
	nothing_left
}

@test "QEMU crashes in its last act: the guest was over, so exit 0, said how, nothing left; before that it is a failure" {
	cat >"$BATS_TEST_TMPDIR/crash.c" <<-'C'
		#include <stdio.h>
		static __attribute__((destructor)) void last_act(void)
		{
			fputs("its last words\n", stderr);
			*(volatile int *)0 = 0;
		}
	C
	gcc -shared -fPIC -o "$BATS_TEST_TMPDIR/crash.so" "$BATS_TEST_TMPDIR/crash.c"
	printf '#!/bin/sh\ncase "$*" in *guest=*) export LD_PRELOAD=%s/crash.so ;; esac\nexec qemu-system-x86_64 "$@"\n' "$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/qemu"
	chmod +x "$BATS_TEST_TMPDIR/qemu"
	crashed="the guest was over, then QEMU itself crashed: signal 11 (Segmentation fault)"
	start --set "qemu.binary=$BATS_TEST_TMPDIR/qemu"
	"$qlaunch" stop --now "$vm" # we asked it to quit
	wait "$pid"
	grep -q "$crashed: its last words" "$BATS_TEST_TMPDIR/err"; grep -q 'steps undone' "$BATS_TEST_TMPDIR/err"
	nothing_left
	start --set "qemu.binary=$BATS_TEST_TMPDIR/qemu"
	kill -TERM "$(qemu_pid)" # its SHUTDOWN alone says so
	wait "$pid"
	grep -q "$crashed: .*terminating on signal 15" "$BATS_TEST_TMPDIR/err"
	start --set "qemu.binary=$BATS_TEST_TMPDIR/qemu"
	kill -SEGV "$(qemu_pid)"
	status=0; wait "$pid" || status=$?
	[ "$status" -eq 1 ]; grep -q 'QEMU ended with signal 11' "$BATS_TEST_TMPDIR/err"
	nothing_left
}

@test "a guest whose kernel panics: said so, exit 1, nothing left" {
	# a boot sector that writes "panicked" to QEMU's pvpanic port (docs/specs/pvpanic): mov dx,0x505; mov al,1; out dx,al; hlt
	{ printf '\xba\x05\x05\xb0\x01\xee\xf4\xeb\xfd'; head -c 501 /dev/zero; printf '\x55\xaa'; } >"$BATS_TEST_TMPDIR/panic.img"
	truncate -s 4M "$BATS_TEST_TMPDIR/panic.img" # SeaBIOS does not read a disk that has no whole cylinder
	run timeout -k 1 60 "$qlaunch" run --set "disk d.path=$BATS_TEST_TMPDIR/panic.img" "$conf"
	[ "$status" -eq 1 ]; [[ $output == *"the guest's kernel panicked"* ]]
	nothing_left
}

@test "QEMU that refuses its arguments: its own words, exit 1 or 4, nothing left" {
	run "$qlaunch" run --set "qemu.args=-device no-such-device" "$conf"
	[ "$status" -eq 1 ] || [ "$status" -eq 4 ]
	[[ $output == *no-such-device* ]]
	nothing_left
}

@test "a QEMU that is not there: exit 4, what to do" {
	run "$qlaunch" run --set qemu.binary=/nonexistent/qemu "$conf"
	[ "$status" -eq 4 ]; [[ $output == */nonexistent/qemu* ]]
	nothing_left
}

@test "SIGHUP, SIGINT, SIGTERM, twice, at every phase of a launch: it ends by itself, nothing left" {
	signals=(HUP INT TERM) points=0
	for n in $(seq 1 4 400); do
		signal=${signals[n % 3]}
		: >"$BATS_TEST_TMPDIR/err"
		# one call after the other that looks at the host or changes it
		# (a shell ignores SIGINT for what it starts in the background)
		env --default-signal strace -qq -o /dev/null -e trace=openat2 -e inject=openat2:signal="SIG$signal:when=$n..$((n + 1))" "$qlaunch" run "$conf" \
			>/dev/null 2>"$BATS_TEST_TMPDIR/err" 3>&- & pid=$!
		for _ in $(seq 100); do
			kill -0 "$pid" 2>/dev/null || break
			if grep -q 'running after' "$BATS_TEST_TMPDIR/err"; then # two of one kind that come together are one: the power button
				hit=$(grep -c 'power button' "$BATS_TEST_TMPDIR/err" || true)
				"$qlaunch" stop --now "$vm" || true
			fi
			sleep 0.1
		done
		wait "$pid" || true
		pid=
		nothing_left
		if pgrep -f "process=qemu:$vm,"; then false; fi
		[ "${hit:-1}" -gt 0 ] || break # it ran before it was this call's turn
		points=$((points + 1))
	done
	[ "$points" -ge 10 ]
}

@test "SIGINT while QEMU does not answer yet: the launch ends, QEMU with it, exit 1" {
	printf '#!/bin/sh\ncase "$*" in *guest=*) echo $$ >"%s/mute"; exec sleep 1000 ;; esac\nexec qemu-system-x86_64 "$@"\n' "$BATS_TEST_TMPDIR" \
		>"$BATS_TEST_TMPDIR/qemu"
	chmod +x "$BATS_TEST_TMPDIR/qemu"
	env --default-signal "$qlaunch" run --set "qemu.binary=$BATS_TEST_TMPDIR/qemu" "$conf" 2>"$BATS_TEST_TMPDIR/err" 3>&- & pid=$!
	for _ in $(seq 100); do [ -s "$BATS_TEST_TMPDIR/mute" ] && break; sleep 0.1; done
	kill -INT "$pid"
	for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
	wait "$pid" && status=0 || status=$?
	[ "$status" -eq 1 ]; grep -q 'stopped before the guest began' "$BATS_TEST_TMPDIR/err"
	pid=
	nothing_left
	! kill -0 "$(<"$BATS_TEST_TMPDIR/mute")"
}

@test "SIGCHLD ignored by the parent, standard output closed: it still ends well" {
	(trap '' CHLD; exec "$qlaunch" run "$conf" >&- 2>"$BATS_TEST_TMPDIR/err" 3>&-) & pid=$!
	for _ in $(seq 100); do grep -q 'running after' "$BATS_TEST_TMPDIR/err" && break; sleep 0.1; done
	"$qlaunch" stop --now "$vm"
	wait "$pid"
	nothing_left
}

@test "hooks run as told, with facts about the machine; a failing one stops the launch" {
	printf '#!/bin/sh\nenv | grep ^QLAUNCH_ >"%s/$QLAUNCH_HOOK.env"\n' "$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/hook"
	chmod +x "$BATS_TEST_TMPDIR/hook"
	start --set "hooks.before=$BATS_TEST_TMPDIR/hook" --set "hooks.ready=$BATS_TEST_TMPDIR/hook" --set "hooks.after=$BATS_TEST_TMPDIR/hook"
	for _ in $(seq 50); do [ -s "$BATS_TEST_TMPDIR/ready.env" ] && break; sleep 0.1; done
	"$qlaunch" stop --now "$vm"; wait "$pid"
	grep -qx "QLAUNCH_VM=$vm" "$BATS_TEST_TMPDIR/before.env"
	for _ in $(seq 50); do [ -s "$BATS_TEST_TMPDIR/ready.env" ] && break; sleep 0.1; done
	grep -q '^QLAUNCH_QEMU_PID=[1-9]' "$BATS_TEST_TMPDIR/ready.env"
	[ -e "$BATS_TEST_TMPDIR/after.env" ]
	run "$qlaunch" run --set hooks.before=/bin/false "$conf"
	[ "$status" -ne 0 ]; [[ $output == *"hook before"* ]]
	nothing_left
}

@test "a launch that is refused runs no hook at all: of the machine itself, of what another one has, of a disk that is not there" {
	printf '#!/bin/sh\n: >>"%s/ran"\n' "$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/hook"; chmod +x "$BATS_TEST_TMPDIR/hook"
	hooks="--set hooks.before=$BATS_TEST_TMPDIR/hook --set hooks.after=$BATS_TEST_TMPDIR/hook"
	truncate -s 1M "$BATS_TEST_TMPDIR/d.img"
	printf '[disk d]\npath = %s/d.img\n' "$BATS_TEST_TMPDIR" >>"$conf"
	# shellcheck disable=SC2086 # words
	run "$qlaunch" run $hooks --set "disk d.path=$BATS_TEST_TMPDIR/absent.img" "$conf"
	[ "$status" -eq 4 ]; [ ! -e "$BATS_TEST_TMPDIR/ran" ]
	start
	# shellcheck disable=SC2086
	run "$qlaunch" run $hooks "$conf"
	[ "$status" -eq 4 ]; [[ $output == *"$vm runs already"*"qlaunch stop $vm"* ]]
	[[ $output != *unmount* && $output != *swapoff* && $output != *"in use"* ]] # its own disk is no reason
	# shellcheck disable=SC2086
	for more in "" readonly; do
		# shellcheck disable=SC2086
		run "$qlaunch" run $hooks --set "vm.name=$vm-2" ${more:+--set "disk d.readonly=yes"} "$conf"
		[ "$status" -eq 4 ]; [[ $output == *"belongs to $vm, which runs"*"qlaunch stop $vm"* ]]
		[[ $output != *unmount* ]] # who has it open is that machine
	done
	[ ! -e "$BATS_TEST_TMPDIR/ran" ]
}

@test "the group is looked at once more before QEMU: a driver that came meanwhile is named, exit 4, and the host given back" {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	# a captured machine's /sys over this one's, its functions on vfio-pci already: the lab has the real kernel (jobs/bind-refused.sh)
	dir=$BATS_TEST_TMPDIR sys=$BATS_TEST_TMPDIR/tree/sys
	devices=$sys/devices/pci0000:00
	tests/captured/capture shared "$dir/tree"
	mkdir -p "$sys"/{fs/cgroup,module/vfio_pci,module/vfio_iommu_type1/parameters,bus/pci/drivers/vfio-pci}
	echo Y >"$sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts"
	for f in "$devices"/0000:05:00.[01]; do ln -s /sys/bus/pci/drivers/vfio-pci "$f/driver"; echo on >"$f/power/control"; done
	rm "$devices/0000:06:00.0/driver" # nobody's: it stays with the host
	# not everybody may lock as much memory as vfio wants, and nothing is locked here
	cat >"$dir/memlock.c" <<-'C'
		#include <sys/syscall.h>
		#include <unistd.h>
		int prlimit(int pid, int what, const unsigned long *new, unsigned long *old)
		{
			static unsigned long set[2];
			if (what != 8)
				return syscall(SYS_prlimit64, pid, what, new, old);
			for (int i = 0; i < 2; i++) {
				if (old)
					old[i] = set[i];
				if (new)
					set[i] = new[i];
			}
			return 0;
		}
	C
	cc -shared -fPIC -o "$dir/memlock.so" "$dir/memlock.c"
	printf '[pci p]\naddress = 05:00.0\nfunctions = own\n' >>"$conf"
	printf '#!/bin/sh\nln -s /sys/bus/pci/drivers/ahci /sys/devices/pci0000:00/0000:06:00.0/driver\n' >"$dir/hook"; chmod +x "$dir/hook"
	launch_there() {
		run unshare -m --propagation private bash -c 'mount --rbind /sys/fs/cgroup "$1/fs/cgroup" && mount --rbind "$1" /sys && shift && exec env "$@"' - \
			"$sys" LD_PRELOAD="$dir/memlock.so" "$qlaunch" run "$@" "$conf"
		[ "$(cat "$devices"/0000:05:00.[01]/d3cold_allowed)" = $'1\n1' ]
	}
	launch_there
	[[ $output == *"QEMU: "*"/dev/vfio/6"* ]] # nothing else is in its way
	launch_there --set hooks.before="$dir/hook"
	[ "$status" -eq 4 ]; [[ $output == *"0000:06:00.0 in IOMMU group 6 has got the driver ahci"* && $output != *"QEMU: "* ]]
}

@test "logind: where none runs a launch starts none, nor user.slice with it" {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	dir=$BATS_TEST_TMPDIR
	mkdir "$dir/services"
	printf '[D-BUS Service]\nName=org.freedesktop.login1\nExec=/bin/touch %s/started\n' "$dir" >"$dir/services/login1.service"
	cat >"$dir/bus.conf" <<-CONF
		<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
		<busconfig><type>session</type><listen>unix:path=$dir/bus</listen><servicedir>$dir/services</servicedir>
		<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
	CONF
	dbus-daemon --config-file="$dir/bus.conf" --nofork --nopidfile >/dev/null 2>&1 3>&- & bus=$!
	for _ in $(seq 100); do [ ! -S "$dir/bus" ] || break; sleep 0.1; done
	export dir qlaunch conf
	# shellcheck disable=SC2016 # expanded inside
	in_its_place='mkdir -p /run/dbus && mount -t tmpfs none /run/dbus && : >/run/dbus/system_bus_socket &&
		mount --bind "$dir/bus" /run/dbus/system_bus_socket && exec "$@"'
	for sleep in inhibit pause; do
		unshare -m --propagation private bash -c "$in_its_place" - "$qlaunch" run --set host.sleep=$sleep "$conf" >"$dir/err" 2>&1 3>&- & pid=$!
		for _ in $(seq 300); do ! grep -q 'running after' "$dir/err" || break; sleep 0.1; done
		"$qlaunch" stop --now "$vm"
		wait $pid
		grep -q 'logind' "$dir/err" # it was asked
		[ ! -e "$dir/started" ]
	done
	# the bus would have: another's call does
	timeout 10 unshare -m --propagation private bash -c "$in_its_place" - \
		busctl --system call org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager ListSessions || true
	kill $bus
	[ -e "$dir/started" ]
}

@test "a folder of the user's whose name is no UTF-8 is refused by name, and ends nothing by a signal" {
	bad=$(printf '%s/d\377' "$BATS_TEST_TMPDIR"); mkdir -p "$bad"
	for verb in check plan run; do
		for folder in XDG_DATA_HOME XDG_RUNTIME_DIR; do
			run env $folder="$bad" timeout 60 "$qlaunch" $verb --set firmware.type=uefi --set firmware.secure-boot=no "$conf"
			[ "$status" -eq 4 ]; [[ $output == *"the name of the folder $folder is no UTF-8"*'\xff'* ]]
		done
	done
	run "$qlaunch" new --yes --gpu none --output "$bad/x.conf" "$vm"
	[ "$status" -eq 2 ]; [[ $output == *"is no UTF-8: $BATS_TEST_TMPDIR/d\\xff/x.conf"* ]]; [ ! -e "$bad/x.conf" ]
}

@test "a disk, a share, a hook of a name that is no UTF-8: refused by name; behind a link it is used, and what the hook says of it told" {
	cd "$BATS_TEST_TMPDIR"
	bad=$(printf 'b\377'); mkdir "$bad"; ln -s "$bad" fine
	truncate -s 1M "$bad/d.img"; qemu-img create -q -f qcow2 "$bad/q.qcow2" 1M
	printf '#!/bin/sh\nprintf "said \\376\\n" >&2\n' >"$bad/hook"; chmod 755 "$bad/hook"
	for set in "disk d.path=$PWD/$bad/d.img" "share s.path=$PWD/$bad" "hooks.before=$PWD/$bad/hook" "cdrom d.path=$PWD/$bad/d.img"; do
		for verb in check plan run; do
			run timeout 60 "$qlaunch" $verb --set "$set" "$conf"
			[ "$status" -eq 3 ]; [[ $output == *"not UTF-8: \"${set%%=*}=$PWD/b\\xff"* ]]
		done
	done
	{ cat "$conf"; printf '[disk d]\npath = %s/d.img\n' "$bad"; } >in.conf
	run "$qlaunch" check in.conf
	[ "$status" -eq 3 ]; [[ $output == *"in.conf:11:9: not UTF-8"* ]]
	run "$qlaunch" disk snapshot "$bad/q.qcow2" one
	[ "$status" -eq 2 ]; [[ $output == *'b\xff/q.qcow2 is no UTF-8'* ]]
	used=(--set "disk d.path=$PWD/fine/d.img" --set "disk q.path=$PWD/fine/q.qcow2" --set "hooks.before=$PWD/fine/hook")
	"$qlaunch" plan --json "${used[@]}" "$conf" | jq -e .qemu >plan.json
	start "${used[@]}"
	"$qlaunch" status --json "$vm" | jq -e '.[0].state == "running"'
	"$qlaunch" stop --kill "$vm"; wait "$pid"
	nothing_left
	echo 'exit 1' >>"$bad/hook"
	run "$qlaunch" run --set "hooks.before=$PWD/fine/hook" "$conf"
	[ "$status" -eq 1 ]; [[ $output == *'said \xfe'* ]]
}

@test "started with descriptors 0 to 2 closed: nothing is opened as one of them, and no file of ours gets what is said" {
	"$qlaunch" run "$conf" 3>&- <&- >&- 2>&- & pid=$!
	for _ in $(seq 300); do [ "$("$qlaunch" status --json "$vm" | jq -r '.[0]["run-state"]')" = running ] && break; sleep 0.1; done
	q=$(qemu_pid)
	for fd in 0 1 2; do
		has=$(readlink "/proc/$pid/fd/$fd" || true)
		[ -z "$has" ] || [ "$has" = /dev/null ]
		[[ $(readlink "/proc/$q/fd/$fd") == /dev/null || $(readlink "/proc/$q/fd/$fd") == pipe:* ]]
	done
	for dir in /run/qlaunch "$XDG_RUNTIME_DIR/qlaunch"; do
		[ ! -d "$dir" ] || [ -z "$(find "$dir" -type f -path "*$vm*" ! -name log -exec grep -lE 'running after|power button' {} +)" ]
		[ ! -d "$dir" ] || [ -z "$(find "$dir" -maxdepth 1 -name '.*' -type f -size +0)" ]
	done
	"$qlaunch" stop --now "$vm"; wait "$pid"
	nothing_left
}

@test "a hook that does not end is ended, and the launch with it" {
	printf '#!/bin/sh\nexec sleep 300\n' >"$BATS_TEST_TMPDIR/hook"; chmod +x "$BATS_TEST_TMPDIR/hook"
	run "$qlaunch" run --set "hooks.before=$BATS_TEST_TMPDIR/hook" --set hooks.timeout=1 "$conf"
	[ "$status" -ne 0 ]; [[ $output == *"did not end within 1 s"* ]]
	nothing_left
}

@test "what a child prints never stops it: a hook of each moment, and QEMU before its greeting, with more than a pipe holds" {
	printf '#!/bin/sh\nhead -c 300000 /dev/zero | tr "\\0" "\\n"\necho "end of $QLAUNCH_HOOK"; : >"%s/$QLAUNCH_HOOK.done"\n' "$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/hook"
	printf '#!/bin/sh\nhead -c 300000 /dev/zero | tr "\\0" "\\n" >&2\nexec qemu-system-x86_64 "$@"\n' >"$BATS_TEST_TMPDIR/qemu"
	chmod +x "$BATS_TEST_TMPDIR/hook" "$BATS_TEST_TMPDIR/qemu"
	start --set "hooks.before=$BATS_TEST_TMPDIR/hook" --set "hooks.ready=$BATS_TEST_TMPDIR/hook" --set "hooks.after=$BATS_TEST_TMPDIR/hook" \
		--set "qemu.binary=$BATS_TEST_TMPDIR/qemu"
	for _ in $(seq 600); do [ -e "$BATS_TEST_TMPDIR/ready.done" ] && break; sleep 0.1; done # longer than a busy machine takes
	"$qlaunch" stop --now "$vm"; wait "$pid"
	[ -e "$BATS_TEST_TMPDIR/before.done" ] && [ -e "$BATS_TEST_TMPDIR/ready.done" ] && [ -e "$BATS_TEST_TMPDIR/after.done" ]
	sed -i '$a exit 7' "$BATS_TEST_TMPDIR/hook"
	run "$qlaunch" run --set "hooks.before=$BATS_TEST_TMPDIR/hook" "$conf"
	[ "$status" -ne 0 ]; [[ $output == *"exit status 7: "*"end of before"* ]]
	nothing_left
}

@test "a ready hook that is late is ended while the guest runs on; one that is there at the guest's end is ended, too" {
	printf '#!/bin/sh\necho $$ >"%s/$QLAUNCH_HOOK.pid"; exec sleep 300\n' "$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/hook"; chmod +x "$BATS_TEST_TMPDIR/hook"
	start --set "hooks.ready=$BATS_TEST_TMPDIR/hook" --set hooks.timeout=1
	for _ in $(seq 100); do grep -q 'did not end within 1 s' "$BATS_TEST_TMPDIR/err" && break; sleep 0.1; done
	grep -q 'did not end within 1 s' "$BATS_TEST_TMPDIR/err"
	[ ! -e "/proc/$(cat "$BATS_TEST_TMPDIR/ready.pid")" ]
	[ "$("$qlaunch" status --json "$vm" | jq -r '.[0]["run-state"]')" = running ]
	"$qlaunch" stop --now "$vm"; wait "$pid"
	rm "$BATS_TEST_TMPDIR/ready.pid"
	start --set "hooks.ready=$BATS_TEST_TMPDIR/hook"
	for _ in $(seq 100); do [ -s "$BATS_TEST_TMPDIR/ready.pid" ] && break; sleep 0.1; done
	"$qlaunch" stop --now "$vm"; wait "$pid"
	[ ! -e "/proc/$(cat "$BATS_TEST_TMPDIR/ready.pid")" ]
	nothing_left
}

@test "a path with commas, quotes, blanks and percent reaches QEMU byte for byte" {
	disk="$BATS_TEST_TMPDIR/a, b\"c' %s=x.img"
	truncate -s 1M "$disk"
	printf '[disk odd]\npath = %s\nformat = raw\n' "$disk" >>"$conf"
	start
	monitor=$(ls /run/qlaunch/"$vm"/monitor "$XDG_RUNTIME_DIR/qlaunch/$vm/monitor" 2>/dev/null | head -n 1)
	got=$(python3 - "$monitor" <<'PY'
import json, socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); f = s.makefile("rw")
def call(c):
    f.write(json.dumps({"execute": c}) + "\n"); f.flush()
    while True:
        r = json.loads(f.readline())
        if "return" in r: return r["return"]
f.readline(); call("qmp_capabilities")
print(next(n["file"] for n in call("query-named-block-nodes") if n["drv"] == "file" and n["file"].endswith("x.img")))
PY
	)
	[ "$got" = "$disk" ]
}

@test "the supervisor has one thread and does not wake up while idle" {
	start
	[ "$(ls "/proc/$pid/task" | wc -l)" -eq 1 ]
	sleep 1
	before=$(awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$pid/status")
	sleep 5
	after=$(awk '/ctxt_switches/ { n += $2 } END { print n }' "/proc/$pid/status")
	[ "$before" -eq "$after" ]
}

@test "SPICE's socket is the user's alone, and gone with the guest; after a killed launcher, with restore" {
	start --set display.mode=spice
	socket=$XDG_RUNTIME_DIR/qlaunch-$vm.spice
	[ "$(stat -c '%F %a' "$socket")" = "socket 700" ]
	"$qlaunch" stop --now "$vm"
	[ ! -e "$socket" ]
	start --set display.mode=spice
	kill -KILL "$pid"; wait "$pid" || true
	[ -S "$socket" ]
	"$qlaunch" restore "$vm"
	[ ! -e "$socket" ]
}

@test "console: one at a time, until the guest's end; a machine without one says how it gets one" {
	start --set console.serial=pty
	"$qlaunch" console "$vm" </dev/null 3>&- & first=$!
	sleep 0.5
	run "$qlaunch" console "$vm" </dev/null
	[ "$status" -eq 2 ]; [[ $output == *"somebody else"* ]]
	"$qlaunch" stop --now "$vm"
	wait "$first"
	start
	run "$qlaunch" console "$vm"
	[ "$status" -eq 2 ]; [[ $output == *console.serial=pty* ]]
}

@test "run --install: both discs in SATA drives, booted first, a picture; what is no disc is refused" {
	disc=$BATS_TEST_TMPDIR/disc.iso
	truncate -s 64K "$disc"
	run "$qlaunch" run --install "$disc" "$conf"
	[ "$status" -eq 3 ]; [[ $output == *"no disc"* ]]
	printf '\001CD001' | dd of="$disc" bs=2048 seek=16 conv=notrunc status=none
	mkdir "$BATS_TEST_TMPDIR/bin" # the picture is another test's: here its window is one that shows nothing
	printf '#!/bin/sh\nexec sleep 300\n' >"$BATS_TEST_TMPDIR/bin/remote-viewer"
	chmod +x "$BATS_TEST_TMPDIR/bin/remote-viewer"
	programs=$BATS_TEST_TMPDIR/bin start --install "$disc" --drivers "$disc" --set console.serial=none
	line=$(tr '\0' ' ' <"/proc/$(qemu_pid)/cmdline")
	[[ $line == *'"ide-cd","id":"cdrom-install"'*'"bootindex":1'*'"ide-cd","id":"cdrom-drivers"'*virtio-vga* ]]
}
