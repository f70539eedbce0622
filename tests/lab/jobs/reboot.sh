# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# A guest that reboots: its drivers ask for their interrupts once more, and these go where its vCPUs are again.
# seconds: 400
# check: no: `make lab` runs it
. "$(dirname "$0")/../lib.sh"
lab_host
direct_config game
sed -i 's/guest.forever/guest.reboot=30/' "$work/game.conf"
echo 0000:02:00.0 >/sys/bus/pci/drivers/nvme/unbind # the host's driver would have other interrupts each time
printf '[pci disk]\naddress = 02:00.0\n' >>"$work/game.conf"
host_snapshot "$work/before"
launch "$work/game.conf"
check "the guest is up" guest_up 200 || { show_run; finish; }
check "its interrupts are where its vCPUs are" wait_for 60 interrupts_on 4-7 || its_interrupts | note
begun() { [ "$(grep -c '^guest: kernel' "$serial")" -gt 1 ]; }
check "it reboots" wait_for 200 begun || show_run
check "its new interrupts are where its vCPUs are" wait_for 120 interrupts_on 4-7 || its_interrupts | note
"$qlaunch" stop --now game
exit_of 60 "$launcher"
equal "the launcher's exit status" 0 "$code" || show_run
same_host "the host is as before"
finish
