# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# The main job with KVM: both functions of the GPU, four pinned vCPUs, the second L3 in an isolated partition; then the host as before.
# seconds: 420
. "$(dirname "$0")/../lib.sh"
lab_host
direct_config game
host_snapshot "$work/before"
# The load is older than the launch, so it has run on the machine's CPUs; it stands still while the guest boots, which is dear here.
stress-ng --cpu 8 --timeout 600 >/dev/null 2>&1 &
loaded() { [ "$(pgrep -c stress-ng)" -ge 9 ]; }
wait_for 20 loaded
pkill -STOP stress-ng
plan=$("$qlaunch" plan "$work/game.conf" --json 2>"$work/plan.err") || note <"$work/plan.err"
echo "# plan: $(jq -c '[.vcpus, .emulator_cpus, .host_cpus]' <<<"$plan")"
equal "plan: the vCPUs are on the second L3" "4 5 6 7" "$(jq -r '[.vcpus[].cpu] | join(" ")' <<<"$plan")"
guests=$(jq -r '[.vcpus[].cpu | tostring] + [.emulator_cpus, .iothread_cpus] | map(select(. != null and . != "")) | join(",")' <<<"$plan")

launch "$work/game.conf"
check "the guest is up" guest_up 150 || { show_run; finish; }
guest_lines=$(tr -d '\r' <"$serial" | grep '^guest:')
check "guest: sees function 0" grep -q '^guest: pci .* 1002:5046 ' <<<"$guest_lines"
check "guest: sees function 1" grep -q '^guest: pci .* 8086:293e ' <<<"$guest_lines"
check "guest: one socket with four CPUs" grep -q '^guest: cpus 4 sockets 1 ' <<<"$guest_lines"
check "the run used KVM" grep -qv TCG <<<"$(grep cpu-model <<<"$guest_lines")"

qemu=$(qemu_pid)
vcpu_cpu() { # N: the CPUs that the thread of vCPU N may use, by the kernel
	local t
	for t in /proc/"$qemu"/task/*; do
		[ "$(cat "$t/comm")" = "CPU $1/KVM" ] && sed -n 's/^Cpus_allowed_list:\t//p' "$t/status"
	done
}
for n in 0 1 2 3; do
	equal "vCPU $n: pinned where the plan says" "$(jq -r ".vcpus[$n].cpu" <<<"$plan")" "$(vcpu_cpu $n)"
done
threads_inside() { # every thread of QEMU, the emulator's and the workers too, on the machine's CPUs alone
	local t list
	for t in /proc/"$qemu"/task/*; do
		list=$(sed -n 's/^Cpus_allowed_list:\t//p' "$t/status")
		[ -z "$(comm -23 <(cpu_set "$list" | sort) <(cpu_set "$guests" | sort))" ] || { echo "$(cat "$t/comm"): $list"; return 1; }
	done
}
check "no thread of QEMU runs elsewhere" threads_inside
equal "QEMU is in its scope and slice" "0::/qlaunch_game.slice/qlaunch_game.scope" "$(cat "/proc/$qemu/cgroup")"
slice=/sys/fs/cgroup/qlaunch_game.slice
equal "the slice is an isolated partition" isolated "$(cat $slice/cpuset.cpus.partition)"
for group in system.slice init.scope; do
	check "$group: off the machine's CPUs" disjoint "$guests" "$(cat /sys/fs/cgroup/$group/cpuset.cpus.effective)"
done
equal "QEMU does not run as root" "$SUDO_UID" "$(stat -c %u "/proc/$qemu")"
equal "QEMU has no capability" 0000000000000000 "$(sed -n 's/^CapEff:\t//p' "/proc/$qemu/status")"

stress_elsewhere() { # field 39 of stat is the CPU a thread ran on last; few forks, because this host is slow and loaded
	local round pids may ran
	mapfile -t pids < <(pgrep stress-ng | sed 's|^|/proc/|')
	[ ${#pids[@]} -ge 9 ] || { echo "no load"; return 1; }
	for round in 1 2 3; do
		may=$(sed -sn 's/^Cpus_allowed_list:\t//p' "${pids[@]/%//status}" | sort -u | paste -sd,)
		ran=$(sed -s 's/.*) //' "${pids[@]/%//stat}" | cut -d' ' -f37 | sort -u | paste -sd,)
		disjoint "$guests" "$may" || { echo "it may run on $may"; return 1; }
		disjoint "$guests" "$ran" || { echo "round $round: it ran on $ran"; return 1; }
		sleep 1
	done
}
pkill -CONT stress-ng
check "the host has its load" test "$(pgrep -c stress-ng)" -ge 8
check "the host's load never runs on the machine's CPUs" stress_elsewhere
check "status names the machine" bash -c "'$qlaunch' status --json | jq -e 'tostring | test(\"game\")'"
check "a second launch of it is refused" bash -c "! timeout 30 '$qlaunch' run '$work/game.conf'"
sed 's/^name = .*/name = rival/' "$work/game.conf" >"$work/rival.conf"
refused() { out=$(timeout 60 "$qlaunch" run --set cpu.isolate=off "$work/rival.conf" 2>&1) && return 1; grep -q '01:00.*game\|game.*01:00' <<<"$out" || { echo "$out"; false; }; }
check "another machine with the same card is refused, by the name of who has it" refused
check "systemd's daemon-reload leaves the partition alone" \
	bash -c "systemctl daemon-reload && grep -qx isolated $slice/cpuset.cpus.partition"

pkill -KILL stress-ng
check "stop" timeout 60 "$qlaunch" stop game
exit_of 60 "$launcher"
equal "the launcher's exit status" 0 "$code" || show_run
check "guest: it was its power button" guest_said power-button
same_host "the host is as before"
finish
