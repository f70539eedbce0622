#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""usb-pad.py: a USB gamepad (1209:0001, HID, eight buttons) that is plugged into the kernel's own vhci-hcd and unplugged when this ends.

The wire format is the kernel's Documentation/usb/usbip_protocol.rst. Nobody ever presses a button.
"""
import socket, struct, sys

REPORT = bytes.fromhex("0501 0905 a101 0509 1901 2908 1500 2501 7501 9508 8102 c0".replace(" ", ""))
DEVICE = struct.pack("<BBHBBBBHHHBBBB", 18, 1, 0x0200, 0, 0, 0, 64, 0x1209, 0x0001, 0x0100, 1, 2, 0, 1)
HID = struct.pack("<BBHBBBH", 9, 0x21, 0x0111, 0, 1, 0x22, len(REPORT))
CONFIG = (struct.pack("<BBHBBBBB", 9, 2, 34, 1, 1, 0, 0x80, 50) + struct.pack("<BBBBBBBBB", 9, 4, 0, 0, 1, 3, 0, 0, 0) + HID
          + struct.pack("<BBBBHB", 7, 5, 0x81, 3, 8, 10))
STRINGS = {0: b"\x04\x03\x09\x04"}
for i, text in ((1, "LAB"), (2, "pad")):
    raw = text.encode("utf-16-le")
    STRINGS[i] = bytes([len(raw) + 2, 3]) + raw


def control(kind, request, value, length):
    """The answer to a request on endpoint 0; None: the device has no such thing."""
    if request == 6:
        what, n = value >> 8, value & 0xFF
        data = {1: DEVICE, 2: CONFIG, 3: STRINGS.get(n), 0x21: HID, 0x22: REPORT}.get(what)
        return None if data is None else data[:length]
    if kind & 0x60 == 0x20:
        return b"\0"[:length]
    return {0: b"\0\0", 8: b"\1"}.get(request, b"")[:length]


def take(s, n):
    data = b""
    while len(data) < n:
        more = s.recv(n - len(data))
        if not more:
            sys.exit(0)
        data += more
    return data


ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
with open("/sys/devices/platform/vhci_hcd.0/attach", "w") as f:
    f.write(f"0 {theirs.fileno()} 1 2")  # port, socket, device id, full speed
theirs.close()
print("plugged", flush=True)
waiting = set()
while True:
    head = take(ours, 48)
    command, seq, _, direction, endpoint = struct.unpack(">IIIII", head[:20])
    if command == 2:  # unlink
        target = struct.unpack(">I", head[20:24])[0]
        status = -104 if target in waiting else 0
        waiting.discard(target)
        ours.sendall(struct.pack(">IIIIIi24x", 4, seq, 0, 0, 0, status))
        continue
    length = struct.unpack(">I", head[24:28])[0]
    kind, request, value, _, _ = struct.unpack("<BBHHH", head[40:48])
    out = take(ours, length) if direction == 0 and length else b""
    if endpoint:  # a report, when a button is pressed
        waiting.add(seq)
        continue
    data = control(kind, request, value, length)
    status, data = (-32, b"") if data is None else (0, data)
    ours.sendall(struct.pack(">IIIIIiIIII8x", 3, seq, 0, 0, 0, status, len(data) if direction else len(out), 0, 0, 0)
                 + (data if direction else b""))
