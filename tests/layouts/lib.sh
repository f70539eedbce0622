# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by `judge` before a layout: the words of the files beside it. A layout is what a distribution's installer leaves behind, in the
# shapes that its documentation and its programs show, and what `qlaunch setup` makes of it.
#
#   put PATH TEXT      a file before                      after PATH TEXT   that file after setup, to the last byte but the newline
#   program PATH [TEXT]  a program (its text counts where a tool tells by it what it reads)
#   loader NAME        what the firmware says of the loader that started this kernel
#   made PATH…         files that setup creates, besides those that it creates everywhere
#   stays PATH TEXT    a file that is left after --undo, though there was none before
#   then_runs COMMAND  one of its commands, in their order       says TEXT    somewhere in what it prints
#   by_hand            the kernel's parameters are left to the reader, and that is its last word
#   refuses            nothing is written and the status is 4    amd          the host's CPU is AMD's
#   meanwhile() { … }  what the distribution does to "$T" between setup and --undo; without one, hands_on
. "$(dirname "${BASH_SOURCE[0]}")/../captured/lib.sh"

made=() runs=() said=() left_over='' refused=no hand=no
program() { put "$1" "${2:-}"; }
after() { mkdir -p "$E/${1%/*}"; printf '%s\n' "$2" >"$E$1"; }
made() { made+=("$@"); }
stays() { left_over=$1 left_text=$2; }
then_runs() { runs+=("then: $1"); }
says() { said+=("$1"); }
refuses() { refused=yes; }
by_hand() { hand=yes; }
amd() { cpus AuthenticAMD svm "AMD Ryzen 9 5950X" 4 2 1; }
loader() {
	local f=$T/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f
	mkdir -p "${f%/*}"; { printf '\6\0\0\0'; printf '%s' "$1" | sed 's/./&\x00/g'; } >"$f"
}
# Debian's grub-mkconfig reads grub.d, Arch's did not before GRUB 2.14
GRUB_D='for x in ${sysconfdir}/default/grub.d/*.cfg ; do'
MKINITCPIO_D='_d_config="${_f_config}.d"'
meanwhile() { hands_on; }

# What updates and people do to every file that setup writes: lines in front, behind, words in a line. A file that is not there is not made.
hands_on() {
	local f
	for f in $( (cd "$E" && find . -type f | sed 's/^\.//'; printf '%s\n' "${made[@]}") | sort -u); do
		[ -s "$T$f" ] || continue
		case $f in
		*/entries/*) sed -i 's/^options \(.*\)root=/options loglevel=4 \1root=/; s/vmlinuz/vmlinuz-new/; $ a sort-key new' "$T$f" ;;
		/etc/kernel/cmdline) sed -i 's/^[^#].*/loglevel=4 & nowatchdog/' "$T$f" ;;
		/etc/kernelstub/*) ;;
		*) sed -i '1 i # in front' "$T$f"; echo '# behind' >>"$T$f" ;;
		esac
	done
}

# The hardware under every layout: an Intel host with the IOMMU not in use yet, its own card, one for a guest, a drive with the root.
hardware() {
	cpus GenuineIntel vmx "Intel Core i7" 4 2 1
	memory 32 24
	cgroup2
	put /proc/sys/kernel/osrelease 6.1.0
	put /proc/cmdline "BOOT_IMAGE=/vmlinuz root=UUID=0f ro quiet"
	put /sys/firmware/acpi/tables/DMAR ""
	mkdir -p "$T/sys/bus/pci/drivers/vfio-pci"
	pci 00:02.0 8086:3e92 030000 i915 - boot_vga=1
	pci 01:00.0 10de:1e87 030000 nouveau - boot_vga=0
	pci 01:00.1 10de:10f8 040300 snd_hda_intel -
	pci 04:00.0 144d:a808 010802 nvme -
	nvme 04:00.0 nvme0n1 259:0 /
}
