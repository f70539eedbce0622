# SPDX-License-Identifier: GPL-2.0-or-later
"""A libvirtd of our own in a mount namespace: its configuration, state and sockets are on file systems that go with it."""
import os, shutil, subprocess, tempfile, time
from machines import now

DOMAIN = """<domain type='qemu'><name>bench</name><memory unit='MiB'>64</memory><vcpu>1</vcpu><os><type arch='x86_64' machine='q35'>hvm</type></os>
<features><acpi/></features><cpu mode='maximum'/><on_poweroff>destroy</on_poweroff><devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
<controller type='usb' model='none'/><memballoon model='none'/><panic model='isa'/>
<rng model='virtio'><backend model='builtin'/></rng></devices></domain>"""

INSIDE = r"""
set -e
for d in /etc/libvirt /var/lib/libvirt /var/cache/libvirt /var/log/libvirt /run; do mkdir -p $d; mount -t tmpfs tmpfs $d; done
mkdir -p /etc/libvirt/qemu /run/lock /run/libvirt
for f in passwd group; do # without its package's set-up libvirt misses a user that it will not use
	id=x:0:0; [ $f = passwd ] || id=x:0
	{ cat /etc/$f; echo "libvirt-qemu:$id::/:/bin/false"; } >/run/$f; mount --bind /run/$f /etc/$f
done
printf 'auth_unix_rw = "none"\n' >/etc/libvirt/libvirtd.conf
printf 'security_driver = "none"\nuser = "root"\ngroup = "root"\nremember_owner = 0\ncgroup_controllers = []\nnamespaces = []\n' >/etc/libvirt/qemu.conf
touch /etc/libvirt/virtlogd.conf
virtlogd & echo $! >"$1/virtlogd"
libvirtd & echo $! >"$1/libvirtd"
exec sleep infinity
"""

class Libvirt:
    """A context; `why` says in a word why there is none."""
    def __init__(self):
        self.why = None
        if os.geteuid() != 0:
            self.why = "needs root"
        elif not all(shutil.which(p) for p in ("libvirtd", "virtlogd", "virsh", "nsenter", "unshare")):
            self.why = "libvirtd is not installed"

    def __enter__(self):
        self.dir, self.holder, self.children = tempfile.mkdtemp(), None, []
        if not self.why:
            self._begin()
        return self

    def _begin(self):
        self.holder = subprocess.Popen(["unshare", "--mount", "--propagation=private", "bash", "-c", INSIDE, "bash", self.dir],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        limit = time.monotonic() + 30
        while self.virsh("list").returncode != 0:
            if time.monotonic() > limit or self.holder.poll() is not None:
                self.why = "libvirtd did not come up"
                return
            time.sleep(0.1)
        self.children = [int(open(f"{self.dir}/{n}").read()) for n in ("libvirtd", "virtlogd")]
        with open(self.dir + "/bench.xml", "w") as f:
            f.write(DOMAIN)
        done = self.virsh("define", self.dir + "/bench.xml")
        if done.returncode == 0: # the first start asks QEMU what it can, for all later ones
            done = self.virsh("start", "bench")
            self.virsh("destroy", "bench")
        if done.returncode != 0:
            self.why = done.stderr.decode().strip().splitlines()[-1]

    def virsh(self, *words):
        return subprocess.run(["nsenter", f"--mount=/proc/{self.holder.pid}/ns/mnt", "virsh", "-q", "-c", "qemu:///system", *words], capture_output=True)

    def start(self):
        began = now()
        self.virsh("start", "bench").check_returncode()
        started = now()
        self.virsh("destroy", "bench").check_returncode()
        return started - began, now() - started

    def __exit__(self, *_):
        if self.holder:
            self.virsh("destroy", "bench")
            for pid in [*self.children, self.holder.pid]:
                try:
                    os.kill(pid, 15)
                except ProcessLookupError:
                    pass
            self.holder.wait()
        shutil.rmtree(self.dir)
