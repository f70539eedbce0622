#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""usb-monitor.py: a DDC/CI monitor behind an i2c-tiny-usb adapter, for the real kernel of the virtual host.

Plugs a USB device into vhci-hcd over a socket pair: the kernel's own i2c-tiny-usb driver binds it and offers a real /dev/i2c-N.
Behind it: an EDID at 0x50 and a DDC/CI display at 0x37 with VCP 0x10 (brightness) and 0x60 (input source: 0x0f now, 0x12 there too).
Needs the modules vhci-hcd, i2c-tiny-usb, i2c-dev. Prints each VCP write. Runs until killed.

  --only-on VALUE  answers over DDC only while it shows that input, as many monitors do; it listens all the same
  --deaf           and does not listen either
  --ignore VALUE   says that it took this input, and stays
  --hang           is found by its EDID, and keeps whoever asks it by DDC waiting
  --reads X=Y      tells that it shows Y while it shows X; *=Y: whatever it shows. More than once for more values

 The USB/IP wire format is the
kernel's Documentation/usb/usbip_protocol.rst; the adapter's commands are those of drivers/i2c/busses/i2c-tiny-usb.c.
"""
import argparse, socket, struct, sys, time

parser = argparse.ArgumentParser()
for option in ("--only-on", "--ignore"):
    parser.add_argument(option, type=lambda text: int(text, 0))
for option in ("--deaf", "--hang"):
    parser.add_argument(option, action="store_true")
parser.add_argument("--reads", action="append", default=[])
opt = parser.parse_args()
reads = {shown if shown == "*" else int(shown, 0): int(told, 0) for shown, told in (pair.split("=") for pair in opt.reads)}

FUNC_I2C = 0x1 | 0x0EFF0000                      # I2C_FUNC_I2C, and what can be emulated over it
vcp = {0x10: (100, 50), 0x60: (0x12, 0x0F), 0xDF: (0x0201, 0x0201)}      # code: (maximum, current); 0xDF: MCCS 2.1


def edid() -> bytes:
    e = bytearray(128)
    e[0:8] = bytes.fromhex("00ffffffffffff00")
    e[8:10] = struct.pack(">H", (ord("A") - 64) << 10 | (ord("U") - 64) << 5 | (ord("S") - 64))
    e[10:18] = struct.pack("<HIBB", 0x2765, 1, 1, 33)
    e[18:25] = bytes([1, 4, 0xB5, 70, 39, 0x78, 0x06])
    e[38:54] = b"\x01" * 16
    for at, tag, text in ((72, 0xFC, "LAB MONITOR"), (90, 0xFF, "LAB0001")):
        e[at:at + 18] = bytes([0, 0, 0, tag, 0]) + (text + "\n").ljust(13).encode()
    for at in (54, 108):
        e[at:at + 5] = bytes([0, 0, 0, 0x10, 0])
    e[127] = -sum(e[:127]) & 0xFF
    return bytes(e)


EDID = edid()
CAPS = b"(prot(monitor)type(LCD)model(LAB)cmds(01 02 03 0C E3 F3)vcp(10 60(0F 12))mccs_ver(2.1))"


class Bus:
    """The I2C side: what each address answers."""

    def __init__(self):
        self.offset, self.reply = 0, b"\x6e\x80\xbe"

    def write(self, addr: int, data: bytes) -> bool:
        if addr == 0x50:
            self.offset = data[0] if data else 0
            return True
        if addr != 0x37:
            return False
        if opt.hang:
            time.sleep(60)
        if opt.deaf and self.away():
            return False
        if len(data) >= 3 and data[0] == 0x51:
            self.ddc(data[2:2 + (data[1] & 0x7F)])
        return True

    def read(self, addr: int, n: int):
        if addr == 0x50:
            out = (EDID * 3)[self.offset:self.offset + n]
            self.offset += n
            return out
        return self.reply.ljust(n, b"\0")[:n] if addr == 0x37 and not self.away() else None

    def away(self):
        """It shows another cable, and does not answer on this one."""
        return opt.only_on is not None and vcp[0x60][1] != opt.only_on

    def ddc(self, msg: bytes):
        body = b""
        if msg[0] == 0x01 and len(msg) >= 2:                       # get VCP feature
            known = msg[1] in vcp
            high, now = vcp.get(msg[1], (0, 0))
            if msg[1] == 0x60:
                now = reads.get(now, reads.get("*", now))
            body = struct.pack(">BBBBHH", 0x02, 0 if known else 1, msg[1], 0, high, now)
        elif msg[0] == 0x03 and len(msg) >= 4:                     # set VCP feature
            value = msg[2] << 8 | msg[3]
            if msg[1] in vcp and (msg[1], value) != (0x60, opt.ignore):
                vcp[msg[1]] = (vcp[msg[1]][0], value)
            print(f"monitor: vcp {msg[1]:#04x} = {value:#04x}", flush=True)
            return
        elif msg[0] == 0xF3 and len(msg) >= 3:                     # capabilities request
            at = msg[1] << 8 | msg[2]
            body = b"\xe3" + msg[1:3] + CAPS[at:at + 32]
        packet = bytes([0x6E, 0x80 | len(body)]) + body
        check = 0x50
        for b in packet:
            check ^= b
        self.reply = packet + bytes([check])


DEVICE = struct.pack("<BBHBBBBHHHBBBB", 18, 1, 0x0110, 0xFF, 0, 0, 8, 0x0403, 0xC631, 0x0205, 1, 2, 0, 1)
CONFIG = struct.pack("<BBHBBBBB", 9, 2, 18, 1, 1, 0, 0x80, 5) + struct.pack("<BBBBBBBBB", 9, 4, 0, 0, 0, 0xFF, 0, 0, 0)
STRINGS = {0: b"\x04\x03\x09\x04"}
for i, text in ((1, "lab"), (2, "i2c-tiny-usb")):
    raw = text.encode("utf-16-le")
    STRINGS[i] = bytes([len(raw) + 2, 3]) + raw


class Adapter:
    """The USB side: control transfers of the device and of the adapter's vendor commands."""

    def __init__(self):
        self.bus, self.status = Bus(), 0

    def control(self, rt, req, value, index, length, out: bytes):
        if rt & 0x60 == 0x40:
            return self.vendor(rt, req, value, index, length, out)
        if req == 6:
            kind, n = value >> 8, value & 0xFF
            d = {1: DEVICE, 2: CONFIG, 3: STRINGS.get(n)}.get(kind)
            return None if d is None else d[:length]
        if req in (5, 9, 11, 1, 3):
            return b""
        return b"\0\0"[:length] if req == 0 else (b"\1"[:length] if req == 8 else b"\0"[:length])

    def vendor(self, rt, req, value, index, length, out):
        if req == 0:
            return struct.pack("<H", value)[:length]
        if req == 1:
            return struct.pack("<I", FUNC_I2C)[:length]
        if req == 2:
            return b""
        if req == 3:
            return bytes([self.status])[:length]
        if req & 4:
            if value & 1:
                data = self.bus.read(index, length)
                self.status = 2 if data is None else 1
                return b"\0" * length if data is None else data
            self.status = 1 if self.bus.write(index, out) else 2
            return b""
        return None


def take(s, n):
    b = b""
    while len(b) < n:
        more = s.recv(n - len(b))
        if not more:
            sys.exit(0)
        b += more
    return b


def main():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with open("/sys/devices/platform/vhci_hcd.0/attach", "w") as f:
        f.write(f"0 {theirs.fileno()} 1 2")                        # port, socket, device id, full speed
    theirs.close()
    print("monitor: plugged", flush=True)
    adapter = Adapter()
    while True:
        head = take(ours, 48)
        cmd, seq, devid, direction, ep = struct.unpack(">IIIII", head[:20])
        if cmd == 2:                                               # unlink: nothing is ever pending
            ours.sendall(struct.pack(">IIIIIi24x", 4, seq, 0, 0, 0, 0))
            continue
        flags, length = struct.unpack(">II", head[20:28])
        rt, req, value, index, want = struct.unpack("<BBHHH", head[40:48])
        out = take(ours, length) if direction == 0 and length else b""
        data = adapter.control(rt, req, value, index, want, out) if ep == 0 else None
        status, data = (0, data) if data is not None else (-32, b"")
        actual = len(data) if direction else len(out)
        ours.sendall(struct.pack(">IIIIIiIIII8x", 3, seq, 0, 0, 0, status, actual, 0, 0, 0) + (data if direction else b""))


main()
