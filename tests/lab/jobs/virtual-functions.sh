# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# Virtual functions (SR-IOV) of an emulated NVMe drive, made by the real kernel for a guest and removed when it has ended, or by `restore`; one
# that another guest has keeps all of them.
# qemu: -device pcie-root-port,id=rp5,chassis=5,slot=5 -device nvme-subsys,id=vfs -device nvme,bus=rp5,subsys=vfs,serial=vfs,sriov_max_vfs=2,sriov_vq_flexible=4,sriov_vi_flexible=2
# seconds: 400
. "$(dirname "$0")/../lib.sh"
lab_host
modprobe nvme
parent() { basename "$(readlink -f "$(dirname "$(grep -lx 'vfs *' /sys/class/nvme/*/serial)")/device")"; }
wait_for 30 grep -qsx 'vfs *' /sys/class/nvme/*/serial
pf=$(parent) at=/sys/bus/pci/devices/$(parent)
echo "# $pf: $(cat "$at/sriov_totalvfs") virtual functions, offset $(cat "$at/sriov_offset"), stride $(cat "$at/sriov_stride")"
machine() { # NAME NUMBER
	printf '[vm]\nname = %s\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n[pci ssd]\naddress = %s\nvirtual-function = %s\nvfs = 2\n' "$1" "$pf" "$2" >"$work/$1.conf"
}
machine one 0
machine two 1
vfs() { echo "$(cat "$at/sriov_numvfs") $(cat "$at/sriov_drivers_autoprobe")"; }
vf() { basename "$(readlink "$at/virtfn$1")"; }
stopped() { timeout 60 "$qlaunch" stop --now "$1"; exit_of 90 "$2"; }

timeout 60 "$qlaunch" check "$work/one.conf" >"$work/check" 2>&1 && said=yes || said=no
equal "check says yes" yes "$said" || note <"$work/check"
check "and what will be made" grep -q "virtual function" "$work/check" || note <"$work/check"
host_snapshot "$work/before"
launch "$work/one.conf"
running
equal "made: two, without drivers of the host's" "2 0" "$(vfs)"
equal "made: the first is the guest's" vfio-pci "$(driver_of "$(vf 0)")"
equal "made: the second has no driver" none "$(driver_of "$(vf 1)")"
equal "made: the drive itself stays the host's" nvme "$(driver_of "$pf")"
equal "made: its group is the user's" player "$(stat -c %U "/dev/vfio/$(basename "$(readlink "$at/virtfn0/iommu_group")")")"
stopped one "$launcher"
equal "ended: exit status" 0 "$code" || show_run
equal "ended: none is left" "0 1" "$(vfs)"
same_host "ended: the host is as before"

launch "$work/one.conf"
running
kill -KILL "$launcher"
wait "$launcher" 2>/dev/null
timeout 90 "$qlaunch" restore >"$work/restore" 2>&1
equal "killed: restore: exit status" 0 $? || note <"$work/restore"
equal "killed: none is left" "0 1" "$(vfs)"
same_host "killed: the host is as before"

launch "$work/one.conf"
running
first=$launcher
mv "$log" "$work/first.log"
launch "$work/two.conf"
running
second=$launcher
stopped one "$first"
equal "another guest has one: exit status" 0 "$code"
equal "another guest has one: both stay" 2 "$(cat "$at/sriov_numvfs")"
equal "another guest has one: and its own stays with it" vfio-pci "$(driver_of "$(vf 1)")"
check "another guest has one: named" grep -q "stay: in use is $(vf 1) (vfio-pci)" "$work/first.log" || note <"$work/first.log"
launch "$work/one.conf"
running
equal "started again beside it: takes its own" vfio-pci "$(driver_of "$(vf 0)")"
stopped one "$launcher"
stopped two "$second"
equal "the last one to end removes them" "0 1" "$(vfs)"

echo 0 >"$at/sriov_drivers_autoprobe"
echo 2 >"$at/sriov_numvfs"
echo 1 >"$at/sriov_drivers_autoprobe"
launch "$work/one.conf"
running
stopped one "$launcher"
equal "those that somebody else has made stay as they were" "2 1 none none" "$(vfs) $(driver_of "$(vf 0)") $(driver_of "$(vf 1)")"
echo 0 >"$at/sriov_numvfs"
same_host "all of it: the host is as before"
finish
