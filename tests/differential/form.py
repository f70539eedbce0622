# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's command lines in one form, lines like "virtio-blk-pci /v/a.img: format=raw"; and two of them compared."""
import fnmatch, json, os, re, subprocess, sys

def split(text):
    """"q35,smm=on,x=a,,b" -> ["q35", "smm=on", "x=a,b"]"""
    return [w.replace("\0", ",") for w in text.replace(",,", "\0").split(",")]

def options(text, first=None):
    if text.startswith("{"):
        return {k: v for k, v in flat(json.loads(text)).items()}
    out = {}
    for i, w in enumerate(split(text)):
        k, eq, v = w.partition("=")
        if i == 0 and not eq and first:
            out[first] = w
        else:
            out[k] = v if eq else "on"
    return out

def flat(o, prefix=""):
    out = {}
    for k, v in o.items():
        if isinstance(v, dict):
            out.update(flat(v, prefix + k + "."))
        else:
            out[prefix + k] = {True: "on", False: "off"}.get(v, v) if isinstance(v, bool) else v if isinstance(v, list) else str(v)
    return out

WHERE = {"id", "cad", "bus", "addr", "port", "chassis", "slot", "multifunction", "driver", "drive", "netdev", "chardev", "audiodev", "memdev", "rng", "p2", "p3", "share-rw",
         "name", "nr", "scsi-id", "lun", "channel", "device_id", "vectors", "host_mtu", "index", "tpmdev", "qom-type", "unit"}

def disk_lines(props, nodes):
    node = nodes.get(props.get("drive"), {})
    below = node if "filename" in node else nodes.get(node.get("file"), node)
    path = below.get("filename") or below.get("file.filename") or node.get("file.filename") or "?"
    kind = {"ide-hd": "disk-sata", "ide-cd": "cdrom-sata", "scsi-hd": "disk-scsi", "scsi-cd": "cdrom-scsi", "virtio-blk-pci": "disk-virtio"}[props["driver"]]
    yield f"{kind} {path}"
    yield f"disk {path}: format={node.get('driver')}"
    yield f"disk {path}: readonly={node.get('read-only', 'off')}"
    chain = (node,) if below is node else (node, below)  # each node must let it pass
    yield f"disk {path}: discard={'unmap' if all(n.get('discard') == 'unmap' for n in chain) else 'ignore'}"
    yield f"disk {path}: cache={'direct' if 'on' in (below.get('cache.direct'), node.get('cache.direct'), node.get('file.cache.direct')) else 'host'}"
    if "iothread" in props:
        yield f"disk {path}: iothread"
    for k in sorted(set(props) & {"serial", "bootindex", "num-queues", "rotation_rate", "werror", "wwn", "write-cache"}):
        yield f"disk {path}: {k}={props[k]}"

def firmware(path):
    """One of the host's images is chosen by each program itself."""
    return "firmware " + ("UEFI" if path.startswith("/usr/") else path)

def drive(o, nodes, out):
    """-drive: the node and, where it is not if=none, the device of one option."""
    node = {"driver": o.get("format", "raw" if o.get("media") == "cdrom" else "?"), "filename": o["file"], "read-only": "on" if o.get("media") == "cdrom" else "off",
            "discard": o.get("discard", "ignore"), "cache.direct": "on" if o.get("cache") in ("none", "directsync") else "off"}
    nodes[o.get("id")] = node
    if o.get("if") == "pflash" and o.get("readonly") == "on":
        out.add(firmware(o["file"]))
    if o.get("if", "ide") == "ide":
        out |= set(disk_lines({"driver": "ide-cd" if o.get("media") == "cdrom" else "ide-hd", "drive": o.get("id")}, nodes))

def lines_of(argv):
    """The command line as a set of lines that say what the guest sees."""
    out, nodes, i = set(), {}, 1
    single = {"-no-reboot", "-S", "-no-user-config", "-nodefaults", "-no-acpi", "-no-hpet", "-no-shutdown", "-enable-kvm"}
    pairs = []
    while i < len(argv):
        name = argv[i]
        if name in single or i + 1 >= len(argv):
            pairs.append((name, ""))
            i += 1
        else:
            pairs.append((name, argv[i + 1]))
            i += 2
    for name, v in pairs:
        if name == "-blockdev":
            o = options(v)
            nodes[o.get("node-name")] = o
        elif name == "-drive":
            drive(options(v), nodes, out)
    for name, v in pairs:
        o = options(v, "driver")
        if name == "-machine":
            for k, x in options(v, "type").items():
                if k == "pflash0":
                    node = nodes[x]
                    out.add(firmware(node.get("file.filename") or nodes[node["file"]]["filename"]))
                if k not in ("accel", "memory-backend", "pflash0", "pflash1"):
                    out = {l for l in out if not l.startswith(f"machine {k}=")}
                    out.add(f"machine {k}={x}")
        elif name == "-no-acpi":
            out.add("machine acpi=off")
        elif name == "-no-hpet":
            out.add("machine hpet=off")
        elif name == "-accel":
            out.add(f"accel {v.split(',')[0]}")
        elif name == "-cpu":
            o = options(v, "model")
            for k, x in o.items():
                k = re.sub(r"^\+", "", k).replace("hv_", "hv-")
                if k.startswith("-"):
                    k, x = k[1:], "off"
                k = k.replace("-", "_") if k.startswith("hv") else k
                out.add(f"cpu {k.replace('_', '-') if k.startswith('hv') else k}={ {'yes': 'on', 'no': 'off'}.get(x, x)}")
        elif name == "-smp":
            o = options(v, "cpus")
            out.add(f"cpus {o.pop('cpus', int(o.get('sockets', 1)) * int(o.get('cores', 1)) * int(o.get('threads', 1)))}")
            out |= {f"smp {k}={x}" for k, x in o.items()}
        elif name == "-m":
            size = options(v, "size")["size"]
            n = int(re.match(r"\d+", size)[0])
            out.add(f"memory {n if size[-1] in 'M0123456789' else n >> 10 if size[-1] in 'kK' else n << 10}")
        elif name == "-rtc":
            out |= {f"rtc {k}={x}" for k, x in o.items() if k != "clock"}
        elif name == "-global":
            d = options(v)
            if "driver" in d:
                v = f"{d['driver']}.{d['property']}={d['value']}"
            v = re.sub(r"(size=)(\d+)K$", lambda m: m[1] + str(int(m[2]) << 10), v)
            out = {l for l in out if not l.startswith("global " + v.partition("=")[0] + "=")}
            out.add(f"global {v}")
        elif name == "-smbios":
            o = options(v)
            words = [w.partition("=")[::2] for w in split(v)]
            out |= {f"smbios type={o['type']} {k}={x}" for k, x in words if k != "type"}
        elif name == "-fw_cfg":
            o = options(v, "name")
            out.add(f"fwcfg {o['name']} {o.get('string', o.get('file'))}")
        elif name == "-netdev":
            o = options(v, "type")
            forwards = [f["str"] for f in o["hostfwd"]] if isinstance(o.get("hostfwd"), list) else re.findall(r"hostfwd=([^,]*)", v)
            out |= {"forward " + re.sub(r":[^:]*:(\d+)-:", r" \1 ", f) for f in forwards}
        elif name == "-nic":
            o = options(v, "type")
            out.add("net none" if o["type"] == "none" else f"net {o['type']} {o.get('br', '')} model={o.get('model')}")
            out |= {f"net mac={x}" for k, x in o.items() if k == "mac"}
        elif name == "-set":
            out.add("set " + v.split(".", 2)[2])
        elif name == "-acpitable":
            out.add("acpitable " + options(v)["file"])
        elif name == "-serial":
            out |= {"device isa-serial"} if v != "none" else set()
        elif name == "-display":
            out.add("display " + v.split(",")[0])
        elif name == "-device":
            d = o["driver"]
            if d in ("ide-hd", "ide-cd", "scsi-hd", "scsi-cd", "virtio-blk-pci"):
                out |= set(disk_lines(o, nodes))
            elif d == "vfio-pci" and "sysfsdev" in o:
                out.add(f"mediated {o['sysfsdev']}")
            elif d == "vfio-pci":
                addr = o["host"] if o["host"].count(":") == 2 else "0000:" + o["host"]
                out |= {f"pci {addr}"} | {f"pci {addr}: {k}={x}" for k, x in o.items() if k in ("romfile", "rombar", "bootindex", "x-vga")}
            elif "netdev" in o:
                out |= {f"net model={d}"} | {f"net {k}={x}" for k, x in o.items() if k in ("mac", "bootindex", "romfile", "disable-legacy")}
            elif d == "ivshmem-plain":
                out.add("ivshmem device")
            else:
                rest = " ".join(f"{k}={x}" for k, x in sorted(o.items()) if k not in WHERE)
                video = d.startswith(("qxl", "virtio-vga", "virtio-gpu", "VGA"))
                out.add(f"device {d}" + (" " + rest if rest and not video else ""))
                if "surfaces" in o:
                    out.add(f"set surfaces={o['surfaces']}")
                if video and "xres" in o:
                    out.add(f"resolution {o['xres']}x{o['yres']}")
        elif name == "-object":
            q = o.get("qom-type", o.get("driver"))
            if o.get("id") in ("shmmem-shmem0", "looking-glass"):
                out.add(f"shared memory {o['size']}")
            elif q == "input-linux":
                out.add(f"evdev {o['evdev']} {o.get('grab-toggle', '')}")
            elif q.startswith("rng"):
                out.add(f"random {q} {o.get('filename', '')}")
        elif name == "-audiodev":
            if any(re.search(r"hda-|usb-audio", w) for _, w in pairs):  # else nobody plays to it
                out.add("audio " + o["driver"])
        elif name == "-spice":
            out.add("spice")
        elif name == "-vnc":
            out.add("vnc")
        elif name in ("-boot", "-action"):
            out = {l for l in out if l.rpartition("=")[0] not in {f"{name[1:]} {k}" for k in o}}
            out |= {f"{name[1:]} {k}={x}" for k, x in o.items() if (k, x) != ("strict", "on")}
        elif name == "-watchdog-action":
            out.add(f"action watchdog={v}")
        elif name in ("-uuid", "-kernel", "-append", "-initrd"):
            out.add(f"{name[1:]} {v}")
        elif name == "-no-reboot":
            out.add("no-reboot")
    return out

# ---- compared ----

def applies(where, name, group):
    """Whether the machine is one of "disk-* !disk-sata @kvm"; `group`: those that "@kvm" means."""
    words = where.replace("!", " !").split()
    if any(w.startswith("!") and fnmatch.fnmatchcase(name, w[1:]) for w in words):
        return False
    return any(name in group if w == "@kvm" else fnmatch.fnmatchcase(name, w) for w in words)

class Comparison:
    """Of a program's command lines with qlaunch's, by a table of (machines, who has it, the line, why): see tests/differential/libvirt."""
    def __init__(self, other, differences, group=frozenset()):
        self.other, self.table, self.group, self.bad, self.used, self.done = other, differences, group, 0, set(), 0

    def machine(self, name, theirs, ours, notes):
        sides = {self.other: lines_of(theirs), "qlaunch": lines_of(ours)}
        if "--show" in sys.argv:
            print(f"== {name}\n-- {self.other}", *sorted(sides[self.other] - sides["qlaunch"]), "-- qlaunch", *sorted(sides["qlaunch"] - sides[self.other]),
                  "-- both", *sorted(sides["qlaunch"] & sides[self.other]), sep="\n  ")
        # a whole domain may differ as its parts do, and by what is said of it
        here = [(k, who if applies(where, name, self.group) else "?" + who, pattern, why) for k, (where, who, pattern, why) in enumerate(self.table)
                if applies(where, name, self.group) or (name.startswith("guide-") and not where.startswith("guide-"))]
        unseen = {k for k, who, _, _ in here if not who.startswith("?")}
        self.done += 1
        for side, other in ((self.other, "qlaunch"), ("qlaunch", self.other)):
            for line in sorted(sides[side] - sides[other]):
                fits = [k for k, who, pattern, why in here if who.lstrip("?") == side and re.fullmatch(pattern, line) and
                        (not why.endswith("(told)") or "was carried over" not in notes)]
                unseen -= set(fits)
                self.used |= set(fits)
                self.bad += not fits
                if not fits:
                    print(f"{name}: only {side} has: {line}")
        for k in sorted(unseen):
            self.bad += 1
            print(f"{name}: said to differ, and does not: {self.table[k][1]}: {self.table[k][2]}")

    def end(self):
        print(f"differential: {self.done} machines, {len(self.used)} of {len(self.table)} reasons used, {self.bad} differences without a reason")
        return self.bad > 0

def plan(build, work, name, source):
    """qlaunch's command line for what is imported from the file `source` in `work`, and the notes of the import."""
    env = dict(os.environ, LC_ALL="C", HOME=work, XDG_CONFIG_HOME=work, HWLOC_SYNTHETIC="pack:1 [numa] l3:1(size=33554432) core:4 pu:2")
    conf, q = os.path.join(work, name + ".conf" * (1 + source.endswith(".conf"))), os.path.join(build, "qlaunch")
    p = subprocess.run([q, "import", os.path.join(work, source), "--output", conf], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if p.returncode:
        sys.exit(f"differential: import of {name}: {p.stdout}")
    notes = re.sub(r"\s+", " ", p.stdout)
    p = subprocess.run([q, "plan", "--json", conf], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if p.returncode:
        sys.exit(f"differential: plan of {name}: {p.stderr}")
    return notes, json.loads(p.stdout)["qemu"]
