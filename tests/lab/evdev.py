#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""evdev.py: virtual keyboards and mice (uinput; by uhid, as Bluetooth's are) that are plugged in, used and unplugged on command, and a listener.

    evdev.py FIFO           obeys lines from FIFO: plug NAME keyboard|mouse, plug NAME bluetooth UNIQ (a keyboard that the kernel lets repeat),
                            key NAME CODE VALUE, move NAME DX DY, unplug NAME, end
    evdev.py listen NODE    says each key, repetition and movement that an ordinary program gets from the device
    evdev.py latency NODE N  plugs a mouse "bench", and after a line on standard input moves it N times: what its twin NODE adds, in µs
"""
import fcntl, os, struct, sys, time

EVENT = struct.Struct("llHHi")
EV_SYN, EV_KEY, EV_REL = 0, 1, 2
UI_DEV_CREATE, UI_DEV_DESTROY, UI_SET_EVBIT, UI_SET_KEYBIT, UI_SET_RELBIT = 0x5501, 0x5502, 0x40045564, 0x40045565, 0x40045566
EVIOCSCLOCKID = 0x400445A0
SETUP = struct.Struct("80sHHHHi" + "64i" * 4)


def plug(name, kind):
    fd = os.open("/dev/uinput", os.O_RDWR)
    fcntl.ioctl(fd, UI_SET_EVBIT, EV_KEY)
    for code in range(1, 128) if kind == "keyboard" else (0x110, 0x111, 0x112):
        fcntl.ioctl(fd, UI_SET_KEYBIT, code)
    if kind == "mouse":
        fcntl.ioctl(fd, UI_SET_EVBIT, EV_REL)
        for code in (0, 1, 8):
            fcntl.ioctl(fd, UI_SET_RELBIT, code)
    os.write(fd, SETUP.pack(f"LAB {name}".encode(), 3, 0x1234, 1 if kind == "keyboard" else 2, 1, 0, *([0] * 256)))
    fcntl.ioctl(fd, UI_DEV_CREATE)
    return fd


# uhid: struct uhid_event of linux/uhid.h; a keyboard as HID 1.11, appendix B.1 has it, without its LEDs
UHID_CREATE2, UHID_INPUT2 = 11, 12
KEYBOARD = bytes.fromhex("05010906a101050719e029e71500250175019508810295017508810195067508150025650507190029658100c0")
USAGES = {30: 0x04, 31: 0x16, 32: 0x07, 33: 0x09}  # A, S, D, F
MODIFIERS = {29: 0x01, 97: 0x10}  # both Ctrl


class Bluetooth:
    def __init__(self, name, uniq):
        self.fd = os.open("/dev/uhid", os.O_RDWR)
        os.write(self.fd, struct.pack("<I128s64s64sHHIIII4096s", UHID_CREATE2, f"LAB {name}".encode(), b"00:1a:7d:da:71:13", uniq.encode(),
                                      len(KEYBOARD), 5, 0x1234, 3, 1, 0, KEYBOARD))

        self.down = set()

    def key(self, code, value):
        (self.down.add if value else self.down.discard)(code)
        keys = [USAGES[c] for c in self.down if c in USAGES]
        report = bytes([sum(MODIFIERS.get(c, 0) for c in self.down), 0, *keys])
        os.write(self.fd, struct.pack("<IH4096s", UHID_INPUT2, 8, report))

    def close(self):
        os.close(self.fd)


class Virtual:
    def __init__(self, name, kind):
        self.fd = plug(name, kind)

    def key(self, code, value):
        send(self.fd, (EV_KEY, code, value))

    def close(self):
        os.close(self.fd)


def send(fd, *events):
    os.write(fd, b"".join(EVENT.pack(0, 0, *e) for e in (*events, (EV_SYN, 0, 0))))


def obey(fifo):
    devices = {}
    while True:
        with open(fifo) as f:
            for line in f:
                verb, *words = line.split()
                if verb == "end":
                    return
                if verb == "plug":
                    devices[words[0]] = Bluetooth(words[0], words[2]) if words[1] == "bluetooth" else Virtual(*words)
                elif verb == "unplug":
                    devices.pop(words[0]).close()
                elif verb == "key":
                    devices[words[0]].key(int(words[1]), int(words[2]))
                elif verb == "move":
                    send(devices[words[0]].fd, (EV_REL, 0, int(words[1])), (EV_REL, 1, int(words[2])))
                print(line.strip(), flush=True)


def listen(node):
    fd = os.open(node, os.O_RDONLY)
    print("listening", flush=True)
    while data := os.read(fd, EVENT.size):
        _, _, kind, code, value = EVENT.unpack(data)
        if kind == EV_KEY:
            print(*("again", code) if value == 2 else ("key", code, value), flush=True)
        elif kind == EV_REL:
            print("move", code, value, flush=True)


def latency(node, n):
    """From before the write to a device until the kernel stamps the event: of a mouse without a twin and, by turns, of one with a twin."""
    plain = plug("plain", "mouse")
    own = next(d for d in os.listdir("/sys/class/input") if d.startswith("event") and open(f"/sys/class/input/{d}/device/name").read() == "LAB plain\n")
    mouse = plug("bench", "mouse")
    print("plugged", flush=True)
    sys.stdin.readline()
    pairs = [(plain, stamped("/dev/input/" + own)), (mouse, stamped(os.path.realpath(node)))]
    bare, twin = zip(*([once(*p, i) for p in pairs] for i in range(n)))
    at = lambda took, share: sorted(took)[int(n * share)]
    print("added: " + ", ".join(f"{name} {at(twin, q) - at(bare, q)} us ({at(bare, q)} without a twin, {at(twin, q)} with)"
                                for name, q in (("median", 0.5), ("p99", 0.99))), flush=True)


def stamped(node):
    fd = os.open(node, os.O_RDONLY)
    fcntl.ioctl(fd, EVIOCSCLOCKID, struct.pack("i", time.CLOCK_MONOTONIC))
    return fd


def once(mouse, fd, i):
    time.sleep(0.002)
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    send(mouse, (EV_REL, 0, 1 + i % 2))
    while True:
        s, us, kind, *_ = EVENT.unpack(os.read(fd, EVENT.size))
        if kind == EV_SYN:
            return s * 1_000_000 + us - before // 1000


{"listen": lambda: listen(sys.argv[2]), "latency": lambda: latency(sys.argv[2], int(sys.argv[3]))}.get(sys.argv[1], lambda: obey(sys.argv[1]))()
