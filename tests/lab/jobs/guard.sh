# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# A single GPU on a host with a desktop, and a launcher that is killed: the display manager, the text console and the frame buffer are let go
# and come back; systemd itself sees the death, leaves the guest alone, and gives the host back once the guest has ended.
# check: no: `make lab` runs it
# seconds: 300
. "$(dirname "$0")/../lib.sh"
lab_host
units=/etc/systemd/system
for unit in "$top"/share/units/qlaunch*; do sed "s|@BINDIR@|$build|" "$unit" >"$units/$(basename "$unit")"; done
printf '[Service]\nExecStart=/bin/sleep infinity\n' >$units/desktop.service
ln -s desktop.service $units/display-manager.service
systemctl daemon-reload
systemctl start desktop.service
idle_config only
printf '[host]\nrelease-console = yes\n' >>"$work/only.conf"
frame_buffers() { grep -l 'frame buffer' /sys/class/vtconsole/*/name | xargs -rn 1 dirname; }
bound() { for vt in $(frame_buffers); do cat "$vt/bind"; done; }
check "there is a text console on a frame buffer" test -n "$(frame_buffers)"
systemctl start systemd-logind polkit 2>/dev/null # brought up by whoever asks first

running() { # a launch, until its guest runs
	launch "$work/only.conf"
	check "$1: the guest runs" wait_for 60 grep -q 'running after' "$log" || { show_run; finish; }
	qemu=$(qemu_pid)
	equal "$1: the desktop is stopped" inactive "$(systemctl is-active desktop.service)"
	# the only console there is, as here once the card's driver has sent the VGA one away, is not let go by the kernel
	check "$1: no text console draws, or it is said which" bash -c "! grep -qx 1 <<<'$(bound)' || grep -q '^warning: .*vtconsole' '$log'"
	equal "$1: the guard is there" active "$(systemctl is-active qlaunch-restore@only.path)"
}
over() {
	check "$1: the desktop is back" wait_for 60 systemctl -q is-active desktop.service
	check "$1: nothing is left of it" wait_for 30 test ! -d /run/qlaunch/only
	wait_for 20 bash -c "! systemctl -q is-active qlaunch-restore@only.service && [ ! -d /sys/fs/cgroup/qlaunch_only.slice ]"
	same_host "$1: the host is as before"
}

running "first"
"$qlaunch" stop --now only
exit_of 60 "$launcher"
host_snapshot "$work/before" # the kernel has the interrupt of the first use now

running "a normal end"
"$qlaunch" stop --now only
exit_of 60 "$launcher"
equal "a normal end: exit status" 0 "$code" || show_run
over "a normal end"

running "killed under its guest"
kill -KILL "$launcher"
wait "$launcher" 2>/dev/null
waits() { [ "$(systemctl is-active qlaunch-restore@only.service)" = activating ]; }
check "killed under its guest: systemd has seen it" wait_for 20 waits
check "killed under its guest: the guest is left alone" kill -0 "$qemu"
equal "killed under its guest: and has its GPU" vfio-pci "$(driver_of $gpu)"
kill -KILL "$qemu"
over "killed under its guest"

# logind asks polkit about a user without a session, and there is none: so it refuses
printf '[vm]\nname = awake\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n' >"$work/awake.conf"
install -d -m 700 -o player "$work/runtime" # no session has made one
as_player() { runuser -u player -- env -u SUDO_UID XDG_RUNTIME_DIR="$work/runtime" "$qlaunch" "$@"; }
as_player run --set host.inhibit-sleep=yes "$work/awake.conf" >"$work/awake.log" 2>&1 &
awake=$!
check "logind refuses: the guest runs" wait_for 60 grep -q 'running after' "$work/awake.log" || note <"$work/awake.log"
check "logind refuses: and it is said" wait_for 20 grep -q 'the host may go to sleep under the guest' "$work/awake.log" || note <"$work/awake.log"
as_player stop --now awake
exit_of 30 "$awake"
equal "logind refuses: exit status" 0 "$code"

running "killed with its guest"
kill -KILL "$launcher" "$qemu"
wait "$launcher" 2>/dev/null
over "killed with its guest"
finish
