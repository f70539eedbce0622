# SPDX-License-Identifier: GPL-2.0-or-later
"""Made hosts for --root: a Ryzen 5950X, and machines of any number of PCI devices, CPUs and journal records."""
import json, os, pathlib, zlib

def put(root, path, text):
    p = pathlib.Path(root + path)
    p.parent.mkdir(parents=True, exist_ok=True)
    p.write_text(text)

def link(root, path, to):
    p = pathlib.Path(root + path)
    p.parent.mkdir(parents=True, exist_ok=True)
    if not p.is_symlink():
        p.symlink_to(to)

def add_cpus(root, cpus, per_l3, smt):
    """CPU n has its sibling at n + cores; an L3 cache for every `per_l3` cores."""
    base, cores = "/sys/devices/system/cpu", cpus // smt
    every = f"0-{cpus - 1}"
    for name in "online", "possible", "present":
        put(root, f"{base}/{name}", every + "\n")
    put(root, "/sys/devices/system/node/online", "0\n")
    put(root, "/sys/devices/system/node/node0/cpulist", every + "\n")
    put(root, "/sys/devices/system/node/node0/cpumap", mask(range(cpus)) + "\n")
    put(root, "/sys/devices/system/node/node0/meminfo", "Node 0 MemTotal: 65811000 kB\nNode 0 MemFree: 60000000 kB\n")
    info = []
    for n in range(cpus):
        core = n % cores
        siblings = [core + cores * t for t in range(smt)]
        first = core // per_l3 * per_l3
        shared = [c + cores * t for t in range(smt) for c in range(first, min(first + per_l3, cores))]
        d = f"{base}/cpu{n}"
        put(root, d + "/online", "1\n")
        for name, of in (("core_cpus", siblings), ("thread_siblings", siblings), ("package_cpus", range(cpus)), ("core_siblings", range(cpus))):
            put(root, f"{d}/topology/{name}", mask(of) + "\n")
        put(root, d + "/topology/core_id", f"{core}\n")
        put(root, d + "/topology/physical_package_id", "0\n")
        for i, (level, kind, size, of) in enumerate(((1, "Data", 32, siblings), (1, "Instruction", 32, siblings), (2, "Unified", 512, siblings),
                                                     (3, "Unified", 32768, shared))):
            for name, value in (("level", level), ("type", kind), ("size", f"{size}K"), ("shared_cpu_map", mask(of)),
                                ("coherency_line_size", 64), ("number_of_sets", 64), ("ways_of_associativity", 8), ("physical_line_partition", 1)):
                put(root, f"{d}/cache/index{i}/{name}", f"{value}\n")
        put(root, d + "/cpufreq/scaling_governor", "schedutil\n")
        put(root, d + "/cpufreq/scaling_available_governors", "performance schedutil\n")
        info.append(f"processor\t: {n}\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD Ryzen 9 5950X 16-Core Processor\n"
                    f"physical id\t: 0\ncore id\t\t: {core}\nflags\t\t: fpu svm topoext constant_tsc nonstop_tsc avic\n")
    put(root, "/proc/cpuinfo", "\n".join(info))

def mask(cpus):
    bits = sum(1 << c for c in cpus)
    words = []
    while bits or not words:
        words.insert(0, f"{bits & 0xffffffff:08x}")
        bits >>= 32
    return ",".join(words)

def add_pci(root, address, vendor, device, cls, group, driver):
    real = f"/sys/devices/pci0000:00/{address}"
    for name, value in (("vendor", vendor), ("device", device), ("subsystem_vendor", "0x1043"), ("subsystem_device", "0x87b5"), ("class", cls),
                        ("numa_node", "-1"), ("driver_override", "(null)"), ("d3cold_allowed", "1"), ("power/control", "auto"), ("reset_method", "bus"),
                        ("resource", "0x00000000fb000000 0x00000000fbffffff 0x0000000000040200"), ("config", "")):
        put(root, f"{real}/{name}", value + ("\n" if value else ""))
    link(root, f"/sys/bus/pci/devices/{address}", f"../../../devices/pci0000:00/{address}")
    link(root, f"{real}/driver", f"../../../bus/pci/drivers/{driver}")
    link(root, f"{real}/iommu_group", f"../../../kernel/iommu_groups/{group}")
    link(root, f"/sys/kernel/iommu_groups/{group}/devices/{address}", f"../../../../devices/pci0000:00/{address}")
    put(root, f"/sys/bus/pci/drivers/{driver}/bind", "")

def add_host(root, qemu):
    """What a machine with systemd, cgroup v2, KVM and OVMF has, as far as a plan looks; `qemu` is the abilities of this host's, as cached."""
    base = "/sys/fs/cgroup/"
    for name, text in (("cgroup.controllers", "cpuset cpu io memory pids"), ("cgroup.subtree_control", "cpuset cpu io memory pids"),
                       ("cpuset.cpus.effective", "")):
        put(root, base + name, text + "\n")
    for path in ("/run/systemd/system/x", "/sys/module/vfio_pci/x", "/sys/module/kvm/x", "/dev/kvm", "/usr/bin/qemu-system-x86_64",
                 "/dev/nvme0n1", "/sys/class/block/nvme0n1/x"):
        put(root, path, "")
    link(root, "/dev/disk/by-id/nvme-Samsung_SSD_970_EVO_Plus_2TB_S59CNX0R000000A", "../../nvme0n1")
    put(root, "/sys/class/block/nvme0n1/size", "3907029168\n")
    put(root, "/sys/class/block/nvme0n1/queue/logical_block_size", "512\n")
    put(root, "/proc/sys/kernel/osrelease", "6.1.0-18-amd64\n")
    put(root, "/proc/sys/kernel/seccomp/actions_avail", "kill_process trap errno allow\n")
    put(root, "/proc/cmdline", "root=/dev/nvme1n1p2 amd_iommu=on iommu=pt\n")
    put(root, "/proc/meminfo", "MemTotal: 65811000 kB\nMemFree: 60000000 kB\nMemAvailable: 61000000 kB\nHugepagesize: 2048 kB\n")
    put(root, "/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n")
    for size in 2048, 1048576:
        for where in "/sys/kernel/mm", "/sys/devices/system/node/node0":
            for name in "nr_hugepages", "free_hugepages":
                put(root, f"{where}/hugepages/hugepages-{size}kB/{name}", "0\n")
    lines = ["            CPU0"] + [f" {n:3}:   0  IR-PCI-MSI {n}-edge  nvme0q{n}" for n in range(24, 88)]
    put(root, "/proc/interrupts", "\n".join(lines) + "\n")
    for n in range(24, 88):
        put(root, f"/proc/irq/{n}/smp_affinity_list", f"{n - 24 & 31}\n")
    put(root, "/sys/devices/virtual/workqueue/cpumask", "ffffffff\n")
    if qemu:
        put(root, "/var/cache/qlaunch/qemu.json", qemu)
    copy_firmware(root)

def copy_firmware(root):
    descriptors = pathlib.Path("/usr/share/qemu/firmware")
    for d in sorted(descriptors.glob("*.json")) if descriptors.is_dir() else []:
        put(root, str(d), d.read_text())
        mapping = json.loads(d.read_text()).get("mapping", {})
        for part in mapping.values():
            if isinstance(part, dict) and os.path.exists(part.get("filename", "")):
                p = pathlib.Path(root + part["filename"])
                p.parent.mkdir(parents=True, exist_ok=True)
                if not p.exists():
                    with open(p, "wb") as f:
                        f.truncate(os.path.getsize(part["filename"]))

def make(root, qemu, devices=60, cpus=32, per_l3=8, smt=2):
    """A 5950X with an RTX 3090 at 01:00 in group 30, and `devices` PCI functions in all."""
    add_host(root, qemu)
    add_cpus(root, cpus, per_l3, smt)
    add_pci(root, "0000:01:00.0", "0x10de", "0x2204", "0x030000", 30, "nvidia")
    add_pci(root, "0000:01:00.1", "0x10de", "0x1aef", "0x040300", 30, "snd_hda_intel")
    for n in range(devices - 2):
        add_pci(root, f"{n >> 13:04x}:{2 + (n >> 5 & 255):02x}:{n & 31:02x}.0", "0x1022", "0x1480", "0x0c0330", 31 + n, "xhci_hcd")
    return root

def journal(root, base, vm, records, boot):
    """A dead launcher's journal of `records` attributes that still have the value it wrote."""
    def line(o):
        text = json.dumps(o, separators=(",", ":"))
        return f"{zlib.crc32(text.encode()):08x} {text}\n"
    text = line({"qlaunch": 1, "vm": vm, "boot": boot, "launcher": "1 1"})
    for n in range(records):
        path = f"/sys/attributes/{n}"
        put(root, path, "powersave") # as long as the prior value: these files are not cut, as those of sysfs are not
        text += line({"kind": "attr", "target": path, "prior": "schedutil", "want": "powersave"})
    put(root, "/proc/sys/kernel/random/boot_id", boot + "\n")
    put(root, f"{base}/{vm}/journal", text)
    os.chmod(f"{root}{base}/{vm}/journal", 0o600)
