# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by the boards beside it: what does not matter of them. `intel` or `amd`, then the functions.
# `expect WORD…` is what boards.bats holds it against: gpu ADDRESS | none, sound ADDRESS, release and battery yes | no, passes ADDRESS…, keyboard, mouse and also DEVICE | none,
# verdict GROUP free | host, why GROUP TEXT, check VERDICT TOPIC TEXT (of the host), machine VERDICT TOPIC TEXT (of the proposed machine).
expect() {
	printf '%s\n' "$*" >>"$T.expect"
}
host() { # VENDOR FLAG TABLE MODEL
	cpus "$1" "$2 pdpe1gb" "$4" 4 2 1
	memory 32 24
	cgroup2
	ovmf
	put /proc/sys/kernel/osrelease 6.12.0-1-amd64; put /proc/cmdline "root=UUID=0f quiet"; put /etc/os-release "ID=debian"
	put "/sys/firmware/acpi/tables/$3" ""; put /dev/kvm ""; put /dev/uinput ""; put /dev/vfio/vfio ""
	put /usr/bin/swtpm ""; put /usr/bin/qemu-system-x86_64 ""
	mkdir -p "$T/sys/bus/pci/drivers/vfio-pci"
}
intel() { host GenuineIntel vmx DMAR "${1:-Intel(R) Core(TM) i7-12700}"; }
amd() { host AuthenticAMD svm IVRS "${1:-AMD Ryzen 7 7700X 8-Core Processor}"; }
# The graphics of a processor of AMD's, with the rest of their slot: apu BUS FIRST-GROUP SCREEN ID
apu() {
	pci "$1:00.0" "1002:$4" 030000 amdgpu "$2" boot_vga="$3"
	pci "$1:00.1" 1002:1640 040300 snd_hda_intel "$(($2 + 1))"
	pci "$1:00.2" 1022:1649 108000 ccp "$(($2 + 2))"
	pci "$1:00.3" 1022:15b6 0c0330 xhci_hcd "$(($2 + 3))"
	pci "$1:00.6" 1022:15e3 040300 snd_hda_intel "$(($2 + 4))"
}
# For sets of keyboards and mice: a card for the guest, and what every board has.
desk() {
	intel
	pci 00:02.0 8086:4680 030000 i915 0 boot_vga=1
	pci 01:00.0 10de:2684 030000 nouveau 15 boot_vga=0
	node 0 "Power Button" 0000:0001 LNXPWRBN/button/input0 - - few
	node 1 "Video Bus" 0000:0006 LNXVIDEO/video/input0 - - few
}
at() { printf 'usb-0000:00:14.0-%s/input%s' "$1" "${2:-0}"; } # PORT [INTERFACE]
