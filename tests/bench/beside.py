# SPDX-License-Identifier: GPL-2.0-or-later
"""bench-guest's workloads beside the field's tools, natively and in turns: ratios, of which 1 is the same.

  python3 -B tests/bench/beside.py BUILD [ROUNDS]
"""
import json, os, re, statistics, subprocess, sys, tempfile

def said(*argv, **more):
    return subprocess.run(argv, check=True, capture_output=True, text=True, **more).stdout

def guest(build, workload, where):
    """{metric: [value, ...]}, and what it says of how it measured."""
    text = said(os.path.abspath(build) + "/bench-guest", workload, cwd=where)
    lines = [l.split() for l in text.splitlines() if l.startswith("bench: ")]
    about = [" ".join(l[2:]) for l in lines if l[1] == "about"]
    return {l[1]: [float(v) for v in l[4:]] for l in lines if l[1] not in ("about", "done")}, about

def early(late):
    """Of a sample of latencies what a tenth of them does not exceed: other load on the machine moves the median, hardly this."""
    return sorted(late)[len(late) // 10]

def cyclictest(where):
    """How late a timer of 1 ms is, the early tenth, in us; without priority, it has the
    kernel's default slack, too."""
    path = where + "/cyclictest.json"
    said("cyclictest", "-q", "-t1", "-i1000", "-l1000", "-h100000", "--latency=1000000", "--json=" + path)
    thread = json.load(open(path))["thread"]["0"]["histogram"]
    return early([int(us) for us, n in thread.items() for _ in range(n)])

def mbw(mib):
    """GB/s of memcpy, counted as STREAM does: what is read and what is written."""
    found = re.findall(r"^\d+\tMethod: MEMCPY.*Copy: ([\d.]+) MiB/s", said("mbw", "-q", "-n", "3", "-t", "0", str(mib)), re.M)
    return 2 * statistics.median(map(float, found)) * 2**20 / 1e9

def sysbench(threads):
    return float(re.search(r"events per second: *([\d.]+)", said("sysbench", "cpu", f"--threads={threads}", "--time=1", "run")).group(1))

def one_round(build, where):
    jitter, wakeup = guest(build, "jitter", where)
    bandwidth, arrays = guest(build, "bandwidth", where)
    throughput, _ = guest(build, "throughput", where)
    cpus = len(os.sched_getaffinity(0))
    one = max(statistics.median(v) for name, v in throughput.items() if name.startswith("throughput.cpu"))
    mib = int(re.search(r"arrays (\d+) MiB", arrays[0]).group(1))
    return {
        "timer: bench-guest / cyclictest": early(jitter["jitter.timer"]) / cyclictest(where),
        "timer: the default slack / 1 ns": early(jitter["jitter.timer"]) / early(jitter["jitter.timer-precise"]),
        "copy: bench-guest / mbw": statistics.median(bandwidth["bandwidth.stream-copy"]) / mbw(mib),
        "all CPUs to one: bench-guest / sysbench": statistics.median(throughput["throughput.all"]) / one / (sysbench(cpus) / sysbench(1)),
    }, wakeup + arrays

def ratios(build, rounds=5):
    """{what: [ratio of each round]}, and how it was measured."""
    samples, about = {}, []
    with tempfile.TemporaryDirectory() as where:
        for _ in range(rounds):
            found, about = one_round(build, where)
            for what, ratio in found.items():
                samples.setdefault(what, []).append(ratio)
    return samples, about

if __name__ == "__main__":
    samples, about = ratios(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 5)
    print("; ".join(about))
    for what, v in samples.items():
        print(f"  {what:44} {statistics.median(v):.2f}  ({min(v):.2f} to {max(v):.2f} of {len(v)})")
