# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash source=tests/lab/lib.sh
# KVM gives up on a guest (run state internal-error): told in words, exit 1, the host as before.
# seconds: 120
. "$(dirname "$0")/../lib.sh"
lab_host
idle_config broken
# A boot sector that jumps to where neither memory nor a device is: KVM cannot fetch the next instruction. In protected mode, flat:
# cli; lgdt [7c20]; mov eax,cr0; or al,1; mov cr0,eax; jmp 8:7c18; 7c18: mov eax,0xf0000000; jmp eax
python3 - "$work/broken.img" <<'PY'
import struct, sys
code = b"\xfa\x0f\x01\x16\x20\x7c\x0f\x20\xc0\x0c\x01\x0f\x22\xc0\x66\xea\x18\x7c\x00\x00\x08\x00".ljust(0x18, b"\x90")
code += b"\xb8\x00\x00\x00\xf0\xff\xe0"
code = code.ljust(0x20, b"\x90") + struct.pack("<HI", 15, 0x7c28) + b"\0\0" + struct.pack("<QQ", 0, 0x00cf9a000000ffff)
open(sys.argv[1], "wb").write(code.ljust(510, b"\0") + b"\x55\xaa" + b"\0" * (4 << 20))
PY
chmod 666 "$work/broken.img"
printf '[disk boot]\npath = %s\n' "$work/broken.img" >>"$work/broken.conf"
host_snapshot "$work/before"
launch "$work/broken.conf"
exit_of 90 "$launcher"
equal "exit status" 1 "$code" || show_run
check "told in words" grep -q 'KVM or QEMU gave up on the guest' "$log" || show_run
wait_for 10 test ! -d /sys/fs/cgroup/qlaunch_broken.slice
same_host "the host is as before"
finish
