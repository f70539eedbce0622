# SPDX-License-Identifier: GPL-2.0-or-later
"""Starts one machine by raw QEMU, by qlaunch and by libvirt, and times it. Times are ms."""
import contextlib, json, os, select, shutil, signal, socket, subprocess, tempfile, time

def now():
    return time.monotonic_ns() / 1e6

class Monitor:
    """A QMP client that does no more than it must."""
    def __init__(self, sock):
        self.file = sock.makefile("rw")
        json.loads(self.file.readline())
        self.call("qmp_capabilities")

    def call(self, command):
        self.file.write('{"execute": "%s"}\n' % command)
        self.file.flush()
        for line in self.file:
            answer = json.loads(line)
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise RuntimeError(answer)
        raise RuntimeError("QEMU closed its monitor")

def spawn(argv, given):
    """Starts argv with `given` sockets as descriptors 3, 4, ...: those of this program are all above 20."""
    numbers = range(3, 3 + len(given))
    for n, s in zip(numbers, given):
        os.dup2(s.fileno(), n, inheritable=True)
    try:
        return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, pass_fds=tuple(numbers))
    finally:
        for n in numbers:
            os.close(n)

def high(s):
    """The socket with a descriptor that `spawn` does not use."""
    fd = os.dup(s.fileno())
    while fd < 20:
        fd = os.dup(fd)
    family = s.family
    s.close()
    return socket.socket(family, socket.SOCK_STREAM, fileno=fd)

def pair():
    a, b = socket.socketpair()
    return high(a), high(b)

class Machine:
    """A configuration, run by qlaunch; and QEMU alone with the arguments that it would get."""
    def __init__(self, qlaunch, config, name, sets=()):
        self.qlaunch, self.config, self.name = qlaunch, config, name
        self.sets = [f"--set=vm.name={name}", *(f"--set={s}" for s in sets)]
        self.plan = json.loads(subprocess.run([qlaunch, "plan", "--json", *self.sets, config], check=True, capture_output=True).stdout)
        base = "/run/qlaunch" if os.geteuid() == 0 else os.environ["XDG_RUNTIME_DIR"] + "/qlaunch"
        self.dir = f"{base}/{name}"

    def raw(self):
        """exec of QEMU (of swtpm, where there is a TPM) to `running`."""
        ours, qmp = pair()
        control = socket.socket(socket.AF_UNIX)
        where = tempfile.mkdtemp()
        control.bind(where + "/monitor")
        control.listen(4)
        given, children = [qmp, high(control)], []
        began = now()
        if self.plan["swtpm"]:
            theirs, end = pair()
            given.append(end)
            children.append(spawn(self.plan["swtpm"], [theirs]))
            theirs.close()
        children.append(spawn(self.plan["qemu"], given))
        for s in given:
            s.close()
        monitor = Monitor(ours)
        monitor.call("cont")
        took = now() - began
        with contextlib.suppress(RuntimeError):
            monitor.call("quit")
        for c in children:
            c.wait()
        shutil.rmtree(where)
        return took

    @contextlib.contextmanager
    def running(self):
        """qlaunch's process, and when it was begun; killed hard if the caller left it alive."""
        began = now()
        child = subprocess.Popen([self.qlaunch, "run", *self.sets, self.config], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE)
        text = b""
        while b"running after" not in text:
            part = os.read(child.stderr.fileno(), 4096)
            if not part:
                raise RuntimeError(text.decode())
            text += part
        try:
            yield child, began
        finally:
            if child.poll() is None:
                self.stop()
            child.wait()

    def status(self):
        return json.load(open(self.dir + "/status.json"))

    def stop(self):
        subprocess.run([self.qlaunch, "stop", "--now", self.name], check=True, capture_output=True)

    def start(self):
        """One launch: ms to `running` (as in `raw`: until who said `cont` has QEMU's answer), then from QEMU's exit to the launcher's (the
        host is restored), how long `stop --now` takes, and {phase: ms}."""
        with self.running() as (child, began):
            status = self.status()
            took = status["running_since_us"] / 1e3 - began
            phases = {"exec to main": took - status["running_ms"], **status["phases_ms"]}
            qemu = os.pidfd_open(status["qemu"])
            began = now()
            stop = subprocess.Popen([self.qlaunch, "stop", "--now", self.name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            select.select([qemu], [], [])
            ended = now()
            child.wait()
            restored = now()
            stop.wait()
            stopped = now()
            os.close(qemu)
        return took, restored - ended, stopped - began, phases

def program(argv):
    began = now()
    subprocess.run(argv, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return now() - began

def cost(pids, seconds):
    """Memory (PSS, KiB), threads, and times a minute that any of the processes' threads ran."""
    def switches():
        n = 0
        for pid in pids:
            for task in os.listdir(f"/proc/{pid}/task"):
                for line in open(f"/proc/{pid}/task/{task}/status"):
                    if "ctxt_switches" in line:
                        n += int(line.split()[1])
        return n
    pss = sum(int(line.split()[1]) for pid in pids for line in open(f"/proc/{pid}/smaps_rollup") if line.startswith("Pss:"))
    threads = sum(len(os.listdir(f"/proc/{pid}/task")) for pid in pids)
    before = switches()
    time.sleep(seconds)
    return {"pss_kib": pss, "threads": threads, "wakeups_per_minute": (switches() - before) * 60 / seconds}
