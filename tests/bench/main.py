# SPDX-License-Identifier: GPL-2.0-or-later
"""Interleaved measurements, a table of medians and ratios, and BUILD/bench.json."""
import argparse, contextlib, json, math, os, platform, random, re, shutil, signal, statistics, subprocess, sys, tempfile, time
import beside, trees
from machines import Machine, cost, program
from virsh import Libvirt

CONFIG = "[vm]\naccel = tcg\n[cpu]\nthreads = 1\nisolate = off\n[memory]\nsize = 64M\n[firmware]\ntype = bios\n"

def progress(text):
    """On a terminal: what is done now, on a line of its own; "" takes it away."""
    if sys.stderr.isatty():
        print("\r\033[K" + text, end="", file=sys.stderr, flush=True)

def interleaved(rounds, runs):
    """Every run once a round, in an order that changes; the first round warms up and does not count. {name: [[value, ...], ...]}"""
    order, samples = list(runs), {name: [] for name in runs}
    dice = random.Random(1)
    for n in range(rounds + 1):
        progress(f"  round {n} of {rounds}" if n else "  warming up")
        dice.shuffle(order)
        for name in order:
            value = runs[name]()
            if n:
                samples[name].append(value if isinstance(value, tuple) else (value,))
    return samples

def column(samples, name, index=0):
    return [s[index] for s in samples[name]]

def abilities(qlaunch, config):
    """What qlaunch learned of this host's QEMU, for the made trees."""
    cache = tempfile.mkdtemp()
    subprocess.run([qlaunch, "plan", config], check=True, capture_output=True, env={**os.environ, "XDG_CACHE_HOME": cache})
    places = [cache + "/qlaunch", "/var/cache/qlaunch"]
    found = [f"{d}/{n}" for d in places if os.path.isdir(d) for n in os.listdir(d) if n.startswith("qemu")]
    text = open(max(found, key=os.path.getmtime)).read() if found else None
    shutil.rmtree(cache)
    return text

@contextlib.contextmanager
def devices_of(root):
    """A made tree's /sys is this host's: tests/bench/run has given root a mount namespace of its own."""
    subprocess.run(["mount", "--bind", root + "/sys", "/sys"], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "/sys"], check=True)

def growth(machine, work, qemu, config, base):
    """{what: {size: ms}}, medians of 5."""
    boot = open("/proc/sys/kernel/random/boot_id").read().strip()
    def of_5(once):
        return statistics.median(once() for _ in range(5))
    def plan(root):
        return of_5(lambda: program([machine.qlaunch, "plan", "--json", "--root", root, config]))
    def start(root):
        with devices_of(root):
            return of_5(lambda: machine.start()[0])
    def restore(n):
        def once():
            root = f"{work}/journal"
            trees.journal(root, base, "bench", n, "b")
            return program([machine.qlaunch, "restore", "--root", root, "bench"])
        return of_5(once)
    def start_after(n):
        root = trees.make(f"{work}/dead{n}", None)
        def once():
            trees.journal(root, base, machine.name, n, boot)
            shutil.move(f"{root}{base}/{machine.name}", base)
            return machine.start()[0]
        with devices_of(root):
            return of_5(once)
    devices = {n: trees.make(f"{work}/pci{n}", qemu, devices=n) for n in (10, 100, 1000)}
    cpus = {n: trees.make(f"{work}/cpu{n}", qemu, cpus=n) for n in (8, 64, 256, 1024)}
    records = (1, 10, 100, 500)
    found = {
        "plan by PCI devices": {n: plan(root) for n, root in devices.items()},
        "plan by CPUs": {n: plan(root) for n, root in cpus.items()},
        "restore by records": {n: restore(n) for n in records},
    }
    if os.geteuid() == 0:
        found |= {
            "start by PCI devices": {n: start(root) for n, root in devices.items()},
            "start by CPUs": {n: start(root) for n, root in cpus.items()},
            "start by records": {n: start_after(n) for n in records}, # of a dead launcher, undone first
        }
    return found

def steps(sizes):
    """How the time grows from each size to the next, as an exponent: 1 is as the size, 0 not at all."""
    pairs = list(sizes.items())
    return [math.log(b_ms / a_ms) / math.log(b / a) for (a, a_ms), (b, b_ms) in zip(pairs, pairs[1:])]

def twin_delay(build):
    """{"median": [µs], "p99": [µs]}: what a twin adds to an event; empty where it could not be measured."""
    ran = subprocess.run(["tests/bench/latency", build], stdout=subprocess.PIPE, text=True)
    return {share: [int(us)] for share, us in re.findall(r"(median|p99) (-?\d+) us", ran.stdout)}

def phase_medians(samples):
    """{phase: ms} of qlaunch's launches, in their order."""
    rounds = [s[3] for s in samples]
    return {name: statistics.median(r[name] for r in rounds) for name in rounds[0]}

def add_beside(table, build):
    """What bench-guest measures, beside cyclictest, mbw and sysbench: 1 is the same."""
    samples, about = beside.ratios(build)
    for what, values in samples.items():
        table.add(what, values, "x")
    table.lines[-1]["note"] = "; ".join(about)

def machine_words():
    model = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), "?")
    qemu = subprocess.run(["qemu-system-x86_64", "--version"], capture_output=True, text=True).stdout.split("\n")[0]
    return {"date": time.strftime("%Y-%m-%d"), "cpu": model, "cpus": os.cpu_count(), "kernel": platform.release(), "qemu": qemu}

def show(result):
    print(f"{result['machine']['cpu']}, {result['machine']['cpus']} CPUs, Linux {result['machine']['kernel']}, {result['machine']['qemu']}\n")
    for line in result["lines"]:
        value = "-" if line["value"] is None else f"{line['value']:.3g}" if line["unit"] == "x" else f"{line['value']:.1f}"
        bar = f"bar {line['bar']}" + ("" if line["met"] is None else "  met" if line["met"] else "  MISSED") if line["bar"] is not None else ""
        best = f"best {line['best']:.3g}" if line["best"] is not None else ""
        print(f"  {line['what']:42} {value:>8} {line['unit']:4} {best:12} {bar} {line['note']}".rstrip())
    for name, phases in result["phases"].items():
        print(f"\n  inside {name}, ms")
        for what, ms in phases.items():
            print(f"    {what:40} {ms:8.2f}")
    print("\n  growth: ms, and the exponent from each size to the next (bar 1: linear)")
    for what, sizes in result["growth"].items():
        grown = steps(sizes)
        print(f"    {what:20} " + "  ".join(f"{n}: {ms:.1f}" for n, ms in sizes.items()) + "   ^" + " ".join(f"{g:.2f}" for g in grown)
              + ("  met" if max(grown) <= LINEAR else "  MISSED"))

# a noise of a few per cent is not a growth
LINEAR = 1.1

class Table:
    def __init__(self):
        self.lines = []

    def add(self, what, values, unit, bar=None, least=False, note=""):
        """The median against the bar; the best of the rounds beside it tells how much of it is other load on the machine."""
        values = list(values)
        value = statistics.median(values) if values else None
        met = None if bar is None or value is None else value >= bar if least else value <= bar
        self.lines.append({"what": what, "value": value, "unit": unit, "bar": bar, "met": met, "note": note,
                           "best": (max if least else min)(values) if len(values) > 1 else None})

def tabulate(t, s, libvirt, costs, twin):
    def pairs(a, b, how):
        return [how(x, y) for x, y in zip(column(s, a), column(s, b))]
    t.add("raw QEMU: exec to running", column(s, "raw"), "ms")
    t.add("qlaunch: exec to running", column(s, "qlaunch"), "ms")
    t.add("qlaunch / raw QEMU, paired", pairs("qlaunch", "raw", lambda a, b: a / b), "x", 1.10)
    t.add("raw QEMU and swtpm: exec to running", column(s, "raw with TPM"), "ms")
    t.add("qlaunch less raw QEMU, both with TPM", pairs("qlaunch with TPM", "raw with TPM", lambda a, b: a - b), "ms", 12)
    if "virsh" in s:
        t.add("virsh start", column(s, "virsh"), "ms")
        t.add("virsh start / qlaunch, paired", pairs("virsh", "qlaunch", lambda a, b: a / b), "x", 6, least=True)
        t.add("virsh destroy", column(s, "virsh", 1), "ms")
    else:
        t.add("virsh start", [], "", note=f"skipped: {libvirt.why}")
    t.add("qlaunch: QEMU's exit to host restored", column(s, "qlaunch", 1), "ms", 30)
    t.add("qlaunch stop --now, whole", column(s, "qlaunch", 2), "ms")
    t.add("qlaunch plan win11.conf, made 5950X", column(s, "plan"), "ms", 10)
    t.add("qlaunch check win11.conf, made 5950X", column(s, "check"), "ms")
    for share in ("median", "p99"):
        t.add(f"evdev: what a twin adds, {share}", twin.get(share, []), "us", 200, note="" if twin else "`make latency` failed")
    for who, c in costs.items():
        ours = who == "supervisor"
        t.add(f"{who}: memory (PSS)", [c["pss_kib"] / 1024], "MiB", 2 if ours else None)
        t.add(f"{who}: threads", [c["threads"]], "", 1 if ours else None)
        t.add(f"{who}: wake-ups a minute", [c["wakeups_per_minute"]], "", 0 if ours else None)

def main(build, rounds):
    qlaunch, work = build + "/qlaunch", tempfile.mkdtemp(prefix="bench")
    os.environ.setdefault("XDG_RUNTIME_DIR", work)
    os.environ["HOME"] = work
    config = work + "/bench.conf"
    with open(config, "w") as f:
        f.write(CONFIG)
    qemu = abilities(qlaunch, config)
    made = trees.make(work + "/5950x", qemu)
    plain, tpm = Machine(qlaunch, config, "bench-a"), Machine(qlaunch, config, "bench-b", ["tpm.version=2.0"])
    costs, seconds = {}, 60 if rounds >= 20 else 10
    try:
        with Libvirt() as libvirt:
            runs = {"raw": plain.raw, "qlaunch": plain.start,
                    "plan": lambda: program([qlaunch, "plan", "--root", made, "configs/win11.conf"]),
                    "check": lambda: program([qlaunch, "check", "--root", made, "configs/win11.conf"])}
            with tpm.running():
                pass # makes the TPM's state, which later starts find
            runs |= {"raw with TPM": tpm.raw, "qlaunch with TPM": tpm.start}
            if not libvirt.why:
                runs["virsh"] = libvirt.start
            samples = interleaved(rounds, runs)
            progress("  what runs beside a guest")
            with plain.running() as (child, _):
                time.sleep(2)
                costs["supervisor"] = cost([child.pid], seconds)
            if not libvirt.why:
                libvirt.virsh("start", "bench").check_returncode()
                time.sleep(2)
                costs["libvirtd and virtlogd"] = cost(libvirt.children, seconds)
        table = Table()
        progress("  what a twin adds")
        tabulate(table, samples, libvirt, costs, twin_delay(build))
        progress("  bench-guest beside other tools")
        add_beside(table, build)
        progress("  how it grows")
        base = "/run/qlaunch" if os.geteuid() == 0 else os.environ["XDG_RUNTIME_DIR"] + "/qlaunch"
        result = {"machine": machine_words(), "lines": table.lines, "samples": samples, "costs": costs,
                  "phases": {name: phase_medians(samples[name]) for name in ("qlaunch", "qlaunch with TPM")},
                  "growth": growth(plain, work, qemu, "configs/win11.conf", base)}
    finally:
        progress("")
        shutil.rmtree(work)
    with open(build + "/bench.json", "w") as f:
        json.dump(result, f, indent=1)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL) # who reads no more, as head(1), has seen enough
    show(result)

if __name__ == "__main__":
    words = argparse.ArgumentParser(prog="tests/bench/run", description="What qlaunch itself costs, beside raw QEMU and libvirt.")
    words.add_argument("build", metavar="BUILD")
    words.add_argument("--rounds", type=int, default=20, metavar="N", help="of each, after one that warms up (default: 20)")
    args = words.parse_args()
    main(args.build, args.rounds)
