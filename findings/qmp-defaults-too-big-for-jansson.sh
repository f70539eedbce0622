#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# QEMU 7.2 and jansson 2.14: QMP tells some defaults as 64 bits without a sign (device-list-properties pcie-root-port: mem-reserve and three more,
# 2^64 - 1 for "not set"). JSON allows it; jansson's integers have a sign, and it refuses the whole answer: "too big integer". To a client that is
# built on jansson, a device that every q35 machine has ends the conversation; with JSON_DECODE_INT_AS_REAL it is read, all numbers as reals.
# Seen: the answer has 18446744073709551615 four times; json_loads fails, and with that flag succeeds.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT

# The packages, pinned, with what this system lacks for them: unpacked, and laid over /usr for one command in a mount namespace of its own.
get() {
	{ printf '%s\n' "$@"; apt-get -s install --no-install-recommends "$@" | sed -n 's/^Inst \([^ ]*\) .*(\([^ ]*\) .*/\1=\2/p'; } | sort -u >"$dir/list"
	(cd "$dir" && xargs apt-get -qq -o APT::Sandbox::User=root download <list && for deb in *.deb; do dpkg -x "$deb" root; done)
	if [ -d "$dir/root/lib" ]; then cp -a "$dir/root/lib/." "$dir/root/usr/lib/"; fi
}
with() { # COMMAND...
	unshare -m $([ "$(id -u)" -eq 0 ] || echo -r) sh -c 'mount -t overlay overlay -o "lowerdir=$1/usr:/usr" /usr && shift && exec "$@"' sh "$dir/root" "$@"
}

get qemu-system-x86=1:7.2+dfsg-7+deb12u18+b3 libjansson4=2.14-2
printf '%s\n' '{"execute":"qmp_capabilities"}' '{"execute":"device-list-properties","arguments":{"typename":"pcie-root-port"}}' '{"execute":"quit"}' |
	with timeout 60 qemu-system-x86_64 -nodefaults -display none -S -machine none -qmp stdio | grep mem-reserve >"$dir/answer"
[ "$(grep -o 18446744073709551615 "$dir/answer" | wc -l)" -eq 4 ]; echo "QEMU: 2^64 - 1 four times"
with timeout 60 python3 - "$dir/answer" <<'PY'
import ctypes, sys
class Error(ctypes.Structure): # json_error_t of jansson.h
    _fields_ = [("line", ctypes.c_int), ("column", ctypes.c_int), ("position", ctypes.c_int), ("source", ctypes.c_char * 80), ("text", ctypes.c_char * 160)]
jansson, answer, error = ctypes.CDLL("libjansson.so.4"), open(sys.argv[1], "rb").read(), Error()
jansson.json_loads.restype = ctypes.c_void_p
assert not jansson.json_loads(answer, ctypes.c_size_t(0), ctypes.byref(error))
print("jansson:", error.text.decode())
assert "too big integer" in error.text.decode()
assert jansson.json_loads(answer, ctypes.c_size_t(8), ctypes.byref(error)) # JSON_DECODE_INT_AS_REAL
print("jansson, integers as reals: read")
PY
