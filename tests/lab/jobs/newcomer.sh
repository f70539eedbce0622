# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# What a newcomer does on a host with two graphics cards: check, new, run. No file is edited by hand: what the test must say of its guest (there
# is nothing installed on its disk) is said for the run, by --set.
# check: no: `make lab` runs it
# seconds: 400
. "$(dirname "$0")/../lib.sh"
lab_host
cp "$build/guest/vmlinuz" "$build/guest/initrd.gz" "$work"
home=$(getent passwd player | cut -d: -f6)
as_player() { runuser -u player -- env -u SUDO_UID -u SUDO_GID -u SUDO_USER HOME="$home" "$@"; }
second=00:03.0 second_id=1234:1111 # the kernel's console is on 01:00.0: that is the host's card here, and the other one can be passed

COLUMNS=80 as_player timeout 120 "$qlaunch" check >"$work/check" 2>&1
check "check: names the card that can be passed" grep -q "$second" "$work/check" || note <"$work/check"
check "check: fits a terminal but for commands" bash -c "! grep -v '→' '$work/check' | grep -q '.\{81\}'"
# on the root's own bus it is taken for the processor's, which `new` proposes only where it is asked to
as_player timeout 120 "$qlaunch" new win11 --yes --gpu $second >"$work/new" 2>&1
equal "new --yes: exit status" 0 $? || note <"$work/new"
note <"$work/new"
conf=$home/.config/qlaunch/win11.conf
check "new: the file is there, the user's" test "$(stat -c %U "$conf")" = player || finish
check "new: it names the card that is not the host's" grep -q "^address = $second" "$conf" || note <"$conf"
# the proposed disk and TPM are for an installation; OVMF below the nested KVM is what this emulator cannot do
direct=(--set firmware.type=bios --set firmware.secure-boot=no --set tpm.version=none --set memory.size=512M --set memory.hugepages=off
	--set display.video=virtio --set "boot.kernel=$work/vmlinuz" --set "boot.initrd=$work/initrd.gz" --set "boot.cmdline=console=ttyS0 quiet"
	--set "console.serial=$work/serial")
timeout 120 "$qlaunch" check "${direct[@]}" win11 >"$work/check" 2>&1
equal "check of the new file: exit status" 0 $? || note <"$work/check"
host_snapshot "$work/before"
launch "${direct[@]}" win11
check "run: the guest is up" guest_up 200 || { show_run; finish; }
check "run: it sees the card" guest_said "pci .* $second_id "
exit_of 60 "$launcher"
equal "run: exit status" 0 "$code" || show_run
wait_for 10 test ! -d /sys/fs/cgroup/qlaunch_win11.slice
same_host "run: the host is as before"
finish
