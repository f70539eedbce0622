# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# What the host's steps do to a real kernel and a real systemd, and how all of it comes back: isolation in its three ways, huge pages,
# interrupts, sleep. A process that waits stands in QEMU's place (tests/lab/steps.c), so that each case takes seconds.
# check: no: `make lab` runs it
# seconds: 600
. "$(dirname "$0")/../lib.sh"
steps=$build/lab/steps
cg=/sys/fs/cgroup
alone=(host.irqs=keep memory.hugepages=off) # isolation and nothing else
mkdir -p /run/qlaunch /run/systemd/transient /run/systemd/system.control # systemd makes them once and leaves them empty
systemctl start user.slice
busctl list >/dev/null # the bus is started by who first asks

begin() { # NAME GUEST HOST SETTING...: steps in the background; $steps_pid, $held and $log of the last one
	log=$work/$1.log
	"$steps" run "$2" "$3" "vm.name=$1" "${@:4}" >"$log" 2>&1 &
	steps_pid=$!
	wait_for 60 grep -qE '^(applied|failed)' "$log" || note <"$log"
	held=$(sed -n 's/^held //p' "$log")
}
applied() { grep -q '^applied' "$log" || { cat "$log"; false; }; }
over() { # NAME STATUS: the steps end with this exit status
	wait_for 90 ended "$steps_pid" || kill -KILL "$steps_pid"
	wait "$steps_pid"
	equal "$1: exit status" "$2" $? || note <"$log"
}
end() { # NAME: as the process in QEMU's place ends
	kill -KILL "$held"
	over "$1" 0
}
effective() { cat "$cg/$1/cpuset.cpus.effective"; }
partition() { cat "$1"/cpuset.cpus.{partition,effective} | xargs; } # DIRECTORY: "isolated 4-7"
slice_of() { echo "$cg/qlaunch_$1.slice"; }
gone() { [ ! -e "$1" ]; }

# --- a partition of systemd's -------------------------------------------------------------------------------------------------------------
host_snapshot "$work/before"
begin my-vm.1 4-7 0-3 cpu.isolate=partition "${alone[@]}"
slice=$(slice_of 'my\x2dvm.1')
check "partition: applied" applied
equal "partition: the process is in its scope, at the top level" \
	'0::/qlaunch_my\x2dvm.1.slice/qlaunch_my\x2dvm.1.scope' "$(cat "/proc/$held/cgroup")"
equal "partition: isolated" "isolated 4-7" "$(partition "$slice")"
want= # systemd 261 and later has a word for it
[ "$(systemctl --version | awk 'NR == 1 { print int($2) }')" -lt 261 ] || want=isolated
equal "partition: what systemd says of it" "$want" "$(systemctl show -p CPUSetPartition --value "$(basename "$slice")")"
equal "partition: system.slice has the rest" 0-3 "$(effective system.slice)"
equal "partition: init.scope has the rest" 0-3 "$(effective init.scope)"
systemctl daemon-reload
equal "partition: survives daemon-reload" isolated "$(cat "$slice/cpuset.cpus.partition")"
systemctl set-property --runtime user.slice CPUWeight=50
equal "partition: survives set-property elsewhere" isolated "$(cat "$slice/cpuset.cpus.partition")"
systemctl revert user.slice
echo 0 >/sys/devices/system/cpu/cpu7/online
equal "partition: a CPU goes offline" "isolated 4-6" "$(partition "$slice")"
echo 1 >/sys/devices/system/cpu/cpu7/online
check "partition: and comes back" wait_for 5 grep -qx 4-7 "$slice/cpuset.cpus.effective"
end partition
same_host "partition: the host is as before"

# --- the host sleeps ----------------------------------------------------------------------------------------------------------------------
# The part of a suspend that this host survives: every task frozen, and thawed (basic-pm-debugging.rst). Its root comes over virtio-9p, a device
# that does not come back from sleep.
host_snapshot "$work/before"
begin sleeper 4-7 0-3 cpu.isolate=partition "${alone[@]}"
affinity=$(taskset -pc "$held")
echo freezer >/sys/power/pm_test
check "suspend: all tasks frozen and back" bash -c 'echo mem >/sys/power/state'
echo none >/sys/power/pm_test
check "suspend: the partition is what it was" wait_for 10 eval '[ "$(partition "$(slice_of sleeper)")" = "isolated 4-7" ]'
equal "suspend: the host has the rest" 0-3 "$(effective system.slice)"
equal "suspend: the process may run where it might" "$affinity" "$(taskset -pc "$held")"
end suspend
same_host "suspend: the host is as before"

# --- nobody lives who would give it back --------------------------------------------------------------------------------------------------
begin orphan 4-7 0-3 cpu.isolate=partition "${alone[@]}"
kill -KILL "$steps_pid"
wait "$steps_pid" 2>/dev/null
equal "orphan: isolated without its launcher" isolated "$(cat "$(slice_of orphan)/cpuset.cpus.partition")"
kill -KILL "$held"
check "orphan: systemd stops the slice by itself" wait_for 10 gone "$(slice_of orphan)"
equal "orphan: the host has every CPU" 0-7 "$(cat $cg/cpuset.cpus.effective)"
check "orphan: restore finds nothing left to undo" "$steps" restore orphan
same_host "orphan: the host is as before"
begin orphan 4-7 0-3 cpu.isolate=partition "${alone[@]}"
kill -KILL "$steps_pid"
wait "$steps_pid" 2>/dev/null
check "orphan: restore under a living process" "$steps" restore orphan
check "orphan: which has ended" ended "$held"
same_host "orphan: the host is as before again"

# --- two at once --------------------------------------------------------------------------------------------------------------------------
begin one 4-5 0-3,6-7 cpu.isolate=partition "${alone[@]}"
log_one=$log pid_one=$steps_pid held_one=$held
begin two 6-7 0-5 cpu.isolate=partition "${alone[@]}"
equal "two: both isolated" "isolated 4-5, isolated 6-7" "$(partition "$(slice_of one)"), $(partition "$(slice_of two)")"
log_two=$log pid_two=$steps_pid held_two=$held
begin three 5-6 0-4,7 cpu.isolate=partition "${alone[@]}"
check "two: a third with CPUs of theirs is refused by name" grep -q 'the machine "one" has' "$log"
over "two: the third" 4
log=$log_one steps_pid=$pid_one held=$held_one
end "two: the first"
equal "two: the second stays" "isolated 6-7, host 0-5" "$(partition "$(slice_of two)"), host $(effective system.slice)"
log=$log_two steps_pid=$pid_two held=$held_two
end "two: the second"
same_host "two: the host is as before"

# --- refused by the kernel ----------------------------------------------------------------------------------------------------------------
systemd-run -q --slice=other.slice -p AllowedCPUs=3-4 --unit=other sleep 300
systemctl set-property --runtime other.slice AllowedCPUs=3-4
# from Linux 6.7 on a list that another group shares is no reason any more, one that is the other's alone is
[ ! -e $cg/other.slice/cpuset.cpus.exclusive ] || echo 3-4 >$cg/other.slice/cpuset.cpus.exclusive
begin refused 4-7 0-3 cpu.isolate=partition "${alone[@]}"
# Linux 7.2 makes a valid partition of the rest, and its CPUs are read back
check "invalid: the kernel's own reason, or what it gave" grep -qE 'isolated invalid \(.*not exclusive\)|is "isolated 5-7" after "isolated 4-7"' "$log" ||
	note <"$log"
over invalid 4
check "invalid: nothing is left" gone "$(slice_of refused)"
systemctl stop other.service other.slice
systemctl revert other.slice
systemctl daemon-reload

# --- a bus that does not answer -----------------------------------------------------------------------------------------------------------
begin bus 4-7 0-3 cpu.isolate=partition "${alone[@]}"
kill -STOP "$(pidof dbus-daemon)"
end "D-Bus hangs: all comes back"
begin nobus 4-7 0-3 cpu.isolate=partition "${alone[@]}"
over "D-Bus hangs: a start fails" 4
check "D-Bus hangs: and says why" grep -q "D-Bus" "$log" || note <"$log"
kill -CONT "$(pidof dbus-daemon)"

# --- the host's slices limited ------------------------------------------------------------------------------------------------------------
host_snapshot "$work/before"
begin slices 4-7 0-3 cpu.isolate=slices "${alone[@]}"
check "slices: applied" applied
equal "slices: the host's three" "0-3 0-3 0-3" "$(effective system.slice) $(effective user.slice) $(effective init.scope)"
end slices
equal "slices: every CPU for the host's programs" "0-7 0-7" "$(taskset -pc 1 | sed 's/.* //') $(taskset -pc $$ | sed 's/.* //')"
equal "slices: no property is left" "" "$(systemctl show -P AllowedCPUs system.slice user.slice init.scope | grep .)"
same_host "slices: the host is as before"

# --- without systemd ----------------------------------------------------------------------------------------------------------------------
STEPS_BY_HAND=1 begin hand 4-7 0-3 cpu.isolate=partition "${alone[@]}"
check "by hand: applied" applied
equal "by hand: the process is in its group" 0::/qlaunch_hand "$(cat "/proc/$held/cgroup")"
equal "by hand: isolated" "isolated 4-7" "$(partition $cg/qlaunch_hand)"
end "by hand"
same_host "by hand: the host is as before"

# --- huge pages ---------------------------------------------------------------------------------------------------------------------------
pages=/sys/devices/system/node/node0/hugepages/hugepages-2048kB
echo 3 >$pages/nr_hugepages
host_snapshot "$work/before"
begin pages 4-7 0-3 cpu.isolate=off memory.size=64M memory.hugepages=2M host.irqs=keep
check "huge pages: applied" applied
equal "huge pages: those that were free are used first" 32 "$(cat $pages/nr_hugepages)"
echo 36 >$pages/nr_hugepages
end "huge pages"
equal "huge pages: somebody else's four stay" 7 "$(cat $pages/nr_hugepages)"
echo 3 >$pages/nr_hugepages
begin much 4-7 0-3 cpu.isolate=off memory.size=6G memory.hugepages=1G host.irqs=keep # of 6 GiB in all
check "huge pages: a short grant is said" grep -qE 'granted [0-9]+ of 6' "$log" || note <"$log"
over "huge pages: short" 4
same_host "huge pages: short: released"
echo 0 >$pages/nr_hugepages

# --- interrupts ---------------------------------------------------------------------------------------------------------------------------
# unpacked below the build folder, not installed: a test is not to leave a daemon on anybody's machine
systemd-run -q --unit=balancer -p RuntimeDirectory=irqbalance "$build/debian/root/usr/sbin/irqbalance" --foreground
wait_for 20 test -S /run/irqbalance/irqbalance*.sock
host_snapshot "$work/before"
begin irqs 4-7 0-3 cpu.isolate=off memory.hugepages=off host.irqs=away
check "interrupts: applied" applied
check "interrupts: irqbalance is told" grep -q '^plan irqbalance .* 4-7$' "$log" || note <"$log"
equal "interrupts: new ones begin on the host's CPUs" 0f "$(cat /proc/irq/default_smp_affinity)"
equal "interrupts: kernel workers on the host's CPUs" 0f "$(cat /sys/devices/virtual/workqueue/cpumask)"
off_them() { # all that can be moved: the timer cannot, and the kernel refuses it for the managed ones of the NVMe
	local irq
	for irq in /proc/irq/[0-9]*; do
		[ "${irq##*/}" != 0 ] && grep -q "^ *${irq##*/}:" /proc/interrupts || continue
		disjoint 4-7 "$(cat "$irq/smp_affinity_list")" || ! echo 0-3 2>/dev/null >"$irq/smp_affinity_list" ||
			{ grep -H . "$irq/smp_affinity_list"; return 1; }
	done
}
check "interrupts: none on the guest's CPUs" off_them
sleep 12 # irqbalance takes its setting over at its next round
check "interrupts: nor after irqbalance's next round" off_them
end interrupts
check "interrupts: none is left as somebody else's" grep -q '^undone .* left 0, residue 0' "$log" || note <"$log"
equal "interrupts: the default is as before" ff "$(cat /proc/irq/default_smp_affinity)"
equal "interrupts: the workers are as before" ff "$(cat /sys/devices/virtual/workqueue/cpumask)"
sleep 12
begin asked 4-7 0-3 cpu.isolate=off memory.hugepages=off host.irqs=away
check "interrupts: irqbalance has its CPUs back" grep -q '^plan irqbalance [^ ]*:  -> 4-7$' "$log" ||
	{ note <"$log"; systemctl status balancer | note; }
end "interrupts: once more"
systemctl stop balancer
# where it put them they stay
for irq in /proc/irq/*/smp_affinity_list; do echo 0-7 2>/dev/null >"$irq"; done

# --- sleep --------------------------------------------------------------------------------------------------------------------------------
systemctl start systemd-logind
"$steps" inhibit vm.name=awake host.inhibit-sleep=yes >"$work/inhibit.log" 2>&1 &
inhibitor=$!
wait_for 30 grep -q '^applied' "$work/inhibit.log" || note <"$work/inhibit.log"
check "sleep: inhibited, by name" bash -c "systemd-inhibit --list --no-pager | grep -q 'qlaunch.*sleep:idle'"
kill -KILL "$inhibitor"
wait "$inhibitor" 2>/dev/null
check "sleep: free again when killed" wait_for 10 bash -c "! systemd-inhibit --list --no-pager | grep -q qlaunch"
finish
