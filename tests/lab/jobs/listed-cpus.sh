# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# CPUs that a group of the host lists: a slice that somebody's hook has left limited is in the way of a partition, and so named by check and by
# run; the plan keeps off them where it can. A container's cpuset, below the top level, is no obstacle: it is said who has to move, and the
# container does, and comes back.
# seconds: 300
. "$(dirname "$0")/../lib.sh"
lab_host
cg=/sys/fs/cgroup
machine() { # NAME PLACE THREADS: one that starts within seconds and has no system to boot
	printf '[vm]\nname = %s\naccel = tcg\n[cpu]\nthreads = %s\nplace = %s\nisolate = partition\n[memory]\nsize = 64M\nhugepages = off\n[firmware]\ntype = bios\n' \
		"$1" "$3" "$2" >"$work/$1.conf"
}
machine there 4-6 3
machine free auto 2
checked() { # NAME: sets `said`
	timeout 60 "$qlaunch" check "$work/$1.conf" >"$work/check" 2>&1 && said=yes || said=no
	tr -s '\n ' ' ' <"$work/check" >"$work/said" # its lines are as wide as a terminal
}
over() { timeout 60 "$qlaunch" stop --now "$1"; exit_of 60 "$launcher"; equal "$2: exit status" 0 "$code" || show_run; }

host_snapshot "$work/before"
systemd-run -q --slice=games.slice --unit=games sleep 1000
systemctl set-property --runtime games.slice AllowedCPUs=3-5
wait_for 10 grep -qx 3-5 $cg/games.slice/cpuset.cpus
checked there
equal "a limited slice: check says no" no "$said"
check "a limited slice: and names it, and what takes the limit away" grep -q 'the group games.slice of the host lists CPU 4-5.*systemctl revert games.slice' "$work/said" || note <"$work/said"
launch "$work/there.conf"
exit_of 60 "$launcher"
equal "a limited slice: run ends with 4" 4 "$code" || show_run
check "a limited slice: run says the same" grep -q 'the group games.slice of the host lists CPU 4-5' "$log" || show_run

checked free
equal "elsewhere: check says yes" yes "$said" || note <"$work/said"
launch "$work/free.conf"
running
given=$(cat $cg/qlaunch_free.slice/cpuset.cpus)
check "elsewhere: a partition beside the slice's CPUs" disjoint 3-5 "$given" || note <<<"$given"
equal "elsewhere: isolated" isolated "$(cat $cg/qlaunch_free.slice/cpuset.cpus.partition)"
equal "elsewhere: the slice has its CPUs still" 3-5 "$(cat $cg/games.slice/cpuset.cpus.effective)"
over free elsewhere
systemctl revert games.slice
systemctl stop games.service games.slice
systemctl daemon-reload
same_host "a limited slice: the host is as before"

# what docker's --cpuset-cpus makes, by its cgroup driver "systemd"
systemd-run -q --unit=container -p AllowedCPUs=5-6 sleep 1000
wait_for 10 grep -qx 5-6 $cg/system.slice/container.service/cpuset.cpus
host_snapshot "$work/before"
container=$(systemctl show -P MainPID container)
checked there
equal "a container: check says yes" yes "$said" || note <"$work/said"
check "a container: and who has to move" grep -q 'the group system.slice/container.service of the host lists CPU 5-6' "$work/said" || note <"$work/said"
launch "$work/there.conf"
running
equal "a container: isolated" "isolated" "$(cat $cg/qlaunch_there.slice/cpuset.cpus.partition)"
check "a container: it runs on the host's CPUs" disjoint 4-7 "$(cat $cg/system.slice/container.service/cpuset.cpus.effective)" ||
	grep . $cg/system.slice/container.service/cpuset.cpus* | note
over there "a container"
equal "a container: it has its CPUs again" 5-6 "$(cat $cg/system.slice/container.service/cpuset.cpus.effective)"
check "a container: and runs there" grep -q '^Cpus_allowed_list:.5-6$' "/proc/$container/status"
same_host "a container: the host is as before"
finish
