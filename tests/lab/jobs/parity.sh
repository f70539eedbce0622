# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh disable=SC2034,SC2086,SC2317
# A yes of `check` is a promise, with a real kernel and a real systemd: for each pair of tests/parity/lab, what `check` says is what `run` does.
# check: no: `make lab` runs it
# seconds: 900
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tests/parity/lib.bash
. "$top/tests/parity/lib.bash"
lab_host
modprobe -a nvme ext4 uhid
monitor_begin
hand_begin
vm=pair dir=$work disk=/dev/nvme0n1
cd "$work" || exit 1
mkdir mnt
wait_for 20 test -b $disk
timeout 60 mkfs.ext4 -q -F $disk

host_mounted() { mount $disk mnt; }
host_mounted_over() { umount mnt; }
host_lazy() {
	mount $disk mnt
	exec 7>mnt/save
	umount -l mnt
}
host_lazy_over() { exec 7>&-; wait_for 10 claimable; }
host_elsewhere() {
	unshare -m --propagation private sh -c "mount $disk '$dir/mnt' && exec sleep 1000" & elsewhere=$!
	wait_for 20 grep -q nvme0n1 "/proc/$elsewhere/mounts"
}
host_elsewhere_over() { kill "$elsewhere"; wait "$elsewhere" 2>/dev/null; wait_for 10 claimable; }
host_swap() { timeout 60 mkswap -q $disk; swapon $disk; }
host_swap_over() { swapoff $disk; timeout 60 mkfs.ext4 -q -F $disk; }
host_slice() {
	systemd-run -q --slice=games.slice --unit=games sleep 1000
	systemctl set-property --runtime games.slice AllowedCPUs=3-5
	wait_for 10 grep -qx 3-5 /sys/fs/cgroup/games.slice/cpuset.cpus
}
host_slice_over() { systemctl revert games.slice; systemctl stop games.service games.slice; systemctl daemon-reload; }
host_container() {
	systemd-run -q --unit=container -p AllowedCPUs=5-6 sleep 1000
	wait_for 10 grep -qx 5-6 /sys/fs/cgroup/system.slice/container.service/cpuset.cpus
}
host_container_over() { systemctl stop container.service; systemctl daemon-reload; }
host_monitor_zero() { plug --reads '*=0'; }
host_monitor_zero_over() { unplug; }
host_monitor_other() { plug --reads '*=0x0f'; }
host_monitor_other_over() { unplug; }
host_monitor_maker() { plug --reads 0x0f=0x0305; }
host_monitor_maker_over() { unplug; }
keyboard_there() { grep -qx 'LAB spare' /sys/class/input/event*/device/name && udevadm settle; }
host_keyboard() { do_it plug spare bluetooth dc:2c:26:01:02:05; wait_for 20 keyboard_there; }
host_keyboard_over() { do_it unplug spare; }
host_renumbered() { # another device has the number that it had
	host_keyboard
	do_it unplug spare
	do_it plug other keyboard
	host_keyboard
}
host_renumbered_over() { do_it unplug spare; do_it unplug other; }
claimable() { python3 -c "import os; os.open('$disk', os.O_RDWR | os.O_EXCL)"; }

while IFS='|' read -r verdict name lines host; do
	case $verdict in '#'* | '') continue ;; esac
	wait_for 20 test -b $disk # behind the controller that was away
	if pair "$verdict" "$name" "$lines" "$host" >said 2>&1; then ok "$name: $verdict"; else not_ok "$name: $verdict"; note <said; fi
done <"$top/tests/parity/lab"
hand_end
finish
