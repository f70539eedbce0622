# SPDX-License-Identifier: GPL-2.0-or-later
"""The domains that tests/differential/libvirt compares: what each has besides an empty machine."""
import os, re

GUEST = "<disk type='file' device='disk'><driver name='qemu' type='raw' cache='none' discard='unmap'/><source file='/v/a.img'/><target dev='vda' bus='virtio'/></disk>"

def disk(driver="type='raw' discard='unmap'", target="dev='vda' bus='virtio'", more="", source="file='/v/b.img'", kind="file", device="disk"):
    return f"<disk type='{kind}' device='{device}'><driver name='qemu' {driver}/><source {source}/><target {target}/>{more}</disk>"

def host(fn, more="", bus="0x0c"):
    return f"<hostdev mode='subsystem' type='pci' managed='yes'><driver name='vfio'/><source><address domain='0' bus='{bus}' slot='0' function='{fn}'/></source>{more}</hostdev>"

def nic(model="virtio", more="", kind="user"):
    return f"<interface type='{kind}'><mac address='52:54:00:aa:bb:01'/><model type='{model}'/>{more}</interface>"

def qemu(*words):
    return "<qemu:commandline>" + "".join(f"<qemu:arg value='{w}'/>" for w in words) + "</qemu:commandline>"

def sysinfo(block):
    return dict(os="<smbios mode='sysinfo'/>", top=f"<sysinfo type='smbios'>{block}</sysinfo>")

SCSI = "<controller type='scsi' index='0' model='virtio-scsi'/>"
# name: what it has besides an empty machine: devices (a string), or the parts by name
CASES = {
    "empty": "", "disk": GUEST, "disk-sata": disk(target="dev='sda' bus='sata'"), "disk-qcow2": disk("type='qcow2' discard='unmap'"),
    "disk-scsi": SCSI + disk(target="dev='sda' bus='scsi'"), "disk-block": disk(kind="block", source="dev='/dev/sdz'"),
    "disk-writeback": disk("type='raw' cache='writeback' discard='unmap'"), "disk-none": disk("type='raw' cache='none' discard='unmap'"),
    "disk-directsync": disk("type='raw' cache='directsync' discard='unmap'"), "disk-unsafe": disk("type='raw' cache='unsafe' discard='unmap'"),
    "disk-nodiscard": disk("type='raw'"), "disk-readonly": disk(more="<readonly/>"), "disk-serial": disk(more="<serial>S3R1AL</serial>"),
    "disk-native": disk("type='raw' cache='none' io='native' discard='unmap'"), "disk-boot2": GUEST.replace("</disk>", "<boot order='2'/></disk>") +
        disk(target="dev='vdb' bus='virtio'", more="<boot order='1'/>"),
    "cdrom": disk("type='raw'", "dev='sdb' bus='sata'", "<readonly/>", device="cdrom"),
    "boot-cdrom": dict(os="<boot dev='cdrom'/><boot dev='hd'/>", devices=GUEST + disk("type='raw'", "dev='sdb' bus='sata'", "<readonly/>", device="cdrom")),
    "boot-default": dict(devices=GUEST + disk(target="dev='vdb' bus='virtio'")), "bootmenu": dict(os="<bootmenu enable='yes' timeout='3000'/>"),
    "reboot-timeout": dict(os="<bios rebootTimeout='5000'/>"),
    "nic": nic(), "nic-e1000e": nic("e1000e"), "nic-rtl8139": nic("rtl8139"), "nic-boot": nic(more="<boot order='1'/>"),
    "hostdev": host(0), "hostdev-card": host(0) + host(1), "hostdev-audio-first": host(1) + host(0),
    "hostdev-rom": host(0, "<rom file='/v/g.rom'/>"), "hostdev-rombar": host(0, "<rom bar='off'/>"), "hostdev-octal": host(0, bus="010"),
    "hostdev-decimal": host(0, bus="10"), "hostdev-boot": host(0, "<boot order='1'/>"),
    "audio-none": "<audio id='1' type='none'/>", "sound": "<sound model='ich9'/>", "sound-none": "<sound model='ich9'/><audio id='1' type='none'/>",
    "sound-pa": "<sound model='ich9'/><audio id='1' type='pulseaudio'/>", "sound-usb": "<sound model='usb'/><audio id='1' type='none'/>",
    "spice": "<graphics type='spice'/><video><model type='qxl'/></video>", "video-virtio": "<graphics type='spice'/><video><model type='virtio'/></video>",
    "resolution": "<graphics type='spice'/><video><model type='virtio'><resolution x='2560' y='1440'/></model></video>",
    "vnc": "<graphics type='vnc'/><video><model type='vga'/></video>",
    "looking-glass": "<shmem name='looking-glass'><model type='ivshmem-plain'/><size unit='M'>64</size></shmem>",
    "looking-glass-256": "<shmem name='looking-glass'><model type='ivshmem-plain'/><size unit='M'>256</size></shmem>",
    "rng": "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>",
    "rng-rate": "<rng model='virtio'><rate bytes='1024' period='2000'/><backend model='random'>/dev/urandom</backend></rng>",
    "rng-builtin": "<rng model='virtio'><backend model='builtin'/></rng>",
    "watchdog": "<watchdog model='i6300esb' action='poweroff'/>", "watchdog-ib700": "<watchdog model='ib700' action='reset'/>",
    "panic": "<panic model='isa'/>", "balloon": "<memballoon model='virtio' autodeflate='on'/>",
    "pcihole": "<controller type='pci' index='0' model='pcie-root'><pcihole64 unit='GiB'>256</pcihole64></controller>",
    "serial": "<serial type='pty'/>", "tablet": "<input type='tablet' bus='usb'/>",
    "evdev": "<input type='evdev'><source dev='/dev/input/by-id/kbd' grab='all' grabToggle='scrolllock' repeat='on'/></input>",
    "no-acpi": dict(acpi=False), "memory-gib": dict(memory="<memory unit='gib'>2</memory>"), "memory-kb": dict(memory="<memory unit='KB'>2097153</memory>"),
    "memory-m": dict(memory="<memory unit='m'>1025</memory>"), "vcpu-current": dict(vcpu="<vcpu current='2'>4</vcpu>"),
    "no-clock": dict(clock=""), "clock-utc": dict(clock="<clock offset='utc'/>"), "clock-local": dict(clock="<clock offset='localtime'/>"),
    "hpet-on": dict(clock="<clock offset='localtime'><timer name='hpet' present='yes'/></clock>"),
    "hpet-off": dict(clock="<clock offset='localtime'><timer name='hpet' present='no'/></clock>"),
    "rtc-catchup": dict(clock="<clock offset='localtime'><timer name='rtc' tickpolicy='catchup'/><timer name='pit' tickpolicy='delay'/></clock>"),
    "pit-discard": dict(clock="<clock offset='localtime'><timer name='pit' tickpolicy='discard'/></clock>"),
    "kvmclock-off": dict(clock="<clock offset='localtime'><timer name='kvmclock' present='no'/></clock>"),
    "reboot-destroy": dict(top="<on_reboot>destroy</on_reboot>"), "s3": dict(top="<pm><suspend-to-mem enabled='yes'/></pm>"),
    "uuid": dict(top="<uuid>5f6d5c1e-6d0d-4bb5-9c5a-1e7c0d3b2a10</uuid>"),
    "genid": dict(top="<genid>5f6d5c1e-6d0d-4bb5-9c5a-1e7c0d3b2a10</genid>"),
    "smbios": sysinfo("<system><entry name='manufacturer'>A, B</entry><entry name='product'>P</entry></system><bios><entry name='vendor'>V</entry></bios>"),
    "smbios-board": sysinfo("<baseBoard><entry name='product'>X570</entry></baseBoard><chassis><entry name='serial'>1</entry></chassis>"),
    "fwcfg": dict(top="<sysinfo type='fwcfg'><entry name='opt/com.example/a'>x</entry></sysinfo>"),
    "ioapic-qemu": dict(features="<ioapic driver='qemu'/>"), "smm": dict(features="<smm state='on'><tseg unit='MiB'>48</tseg></smm>"),
    "vmport": dict(features="<vmport state='on'/>"), "hyperv": dict(features="<hyperv mode='custom'><relaxed state='on'/><vapic state='on'/>"
        "<spinlocks state='on' retries='4096'/><vendor_id state='on' value='ok'/></hyperv>"),
    "hyperv-off": dict(features="<hyperv mode='custom'><relaxed state='on'/><vapic state='off'/></hyperv>"),
    "kvm-hidden": dict(features="<kvm><hidden state='on'/></kvm>"), "kvm-poll": dict(features="<kvm><poll-control state='on'/></kvm>"),
    "pmu-off": dict(features="<pmu state='off'/>"), "cpu-host": dict(cpu="<cpu mode='host-passthrough'/>"),
    "cpu-topoext": dict(cpu="<cpu mode='host-passthrough'><feature policy='require' name='topoext'/><feature policy='disable' name='hypervisor'/></cpu>"),
    "cpu-cache": dict(cpu="<cpu mode='host-passthrough'><cache mode='passthrough'/></cpu>"),
    "cpu-cache-emulate": dict(cpu="<cpu mode='host-passthrough'><cache level='3' mode='emulate'/></cpu>"),
    "cpu-cache-off": dict(cpu="<cpu mode='host-passthrough'><cache mode='disable'/></cpu>"),
    "cpu-model": dict(cpu="<cpu mode='custom' match='exact' check='none'><model fallback='allow'>kvm64</model></cpu>"),
    "cpu-bits": dict(cpu="<cpu mode='host-passthrough'><maxphysaddr mode='emulate' bits='42'/></cpu>"),
    "cpu-model-flags": dict(cpu="<cpu mode='custom' match='exact' check='none'><model fallback='forbid'>qemu64</model><feature policy='require' name='aes'/>"
        "<feature policy='require' name='sse4.2'/><feature policy='disable' name='svm'/><feature policy='force' name='pclmuldq'/></cpu>"),
    "cpu-flags": dict(cpu="<cpu mode='host-passthrough' migratable='off'><feature policy='require' name='invtsc'/><feature policy='disable' name='svm'/></cpu>"),
    "cpu-model-vendor": dict(cpu="<cpu mode='custom' match='exact' check='none'><model fallback='allow' vendor_id='AuthenticAMD'>qemu64</model></cpu>"),
    "cpu-model-topology": dict(cpu="<cpu mode='custom' match='exact' check='none'><model fallback='allow'>qemu64</model><topology sockets='1' dies='1' cores='2' threads='2'/></cpu>"),
    "gl": "<graphics type='spice'><listen type='none'/><gl enable='yes' rendernode='/dev/dri/renderD128'/></graphics><video><model type='virtio'><acceleration accel3d='yes'/></model></video>",
    "egl": "<graphics type='egl-headless'><gl rendernode='/dev/dri/renderD128'/></graphics><video><model type='virtio'><acceleration accel3d='yes'/></model></video>",
    "resolution-qxl": "<graphics type='spice'/><video><model type='qxl'><resolution x='1920' y='1200'/></model></video>",
    "iothread": dict(top="<iothreads>1</iothreads>", devices=disk("type='raw' cache='none' discard='unmap' iothread='1' queues='4'")),
    "smbios-uuid": dict(os="<smbios mode='sysinfo'/>", top="<uuid>5f6d5c1e-6d0d-4bb5-9c5a-1e7c0d3b2a10</uuid><sysinfo type='smbios'><system>"
        "<entry name='manufacturer'>LENOVO</entry><entry name='uuid'>5f6d5c1e-6d0d-4bb5-9c5a-1e7c0d3b2a10</entry></system></sysinfo>"),
    "oem-strings": sysinfo("<oemStrings><entry>io.systemd.credential:a=b</entry><entry>second, with a comma</entry></oemStrings>"),
    "acpi-table": dict(os="<acpi><table type='slic'>/v/slic.bin</table></acpi>"),
    "mdev": "<hostdev mode='subsystem' type='mdev' managed='no' model='vfio-pci' display='off'><source><address uuid='c2177883-f1bb-47f0-914d-32a22e3a8804'/></source></hostdev>",
    "usb-host": "<controller type='usb' model='qemu-xhci'/><hostdev mode='subsystem' type='usb'><source><vendor id='0x046d'/><product id='0xc52b'/><address bus='1' device='2'/></source></hostdev>",
    "clock-variable": dict(clock="<clock offset='variable' adjustment='0' basis='utc'/>"), "clock-berlin": dict(clock="<clock offset='timezone' timezone='Europe/Berlin'/>"),
    "nics": nic() + nic("e1000e").replace("bb:01", "bb:02"), "nic-multiqueue": nic(more="<driver name='vhost' queues='4'/>"),
    "channel": "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>", "tpm-crb": "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>",
    "nvme-wwn": disk("type='raw' cache='none' discard='unmap'", "dev='sda' bus='scsi'", "<serial>1</serial>") + SCSI,
    "set": dict(devices="<graphics type='spice'/><video><model type='qxl'/></video>", tail=qemu("-set", "device.video0.surfaces=512")),
    "args": dict(tail=qemu("-fw_cfg", "name=opt/x,string=1")),
    "kernel": dict(os="<kernel>/boot/vmlinuz</kernel><cmdline>quiet</cmdline>"),
}
# These need KVM, without which libvirt does not take them: its answer is kept in differential.kvm, and where there is KVM asked for anew and compared.
NEEDS_KVM = {n for n in CASES if re.match(r"cpu-(?!model)|hyperv|kvm|pmu|pit", n)}

# whole domains, in the shapes that guides to passing graphics cards publish
GUIDES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "guides")
for _name in sorted(os.listdir(GUIDES)):
    CASES["guide-" + _name.removesuffix(".xml")] = _name
NEEDS_KVM |= {n for n in CASES if n.startswith("guide-")}


def domain(name):
    if name.startswith("guide-"):
        with open(os.path.join(GUIDES, CASES[name]), encoding="utf-8") as f:
            return f.read()
    case, kind = CASES[name], "kvm" if name in NEEDS_KVM else "qemu"
    p = case if isinstance(case, dict) else {"devices": case}
    usb = "usb" in str(p.get("devices", ""))
    return f"""<domain type='{kind}' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
<name>t</name>{p.get('memory', "<memory unit='MiB'>1024</memory>")}{p.get('vcpu', '<vcpu>4</vcpu>')}
<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type>{p.get('os', '')}</os>
<features>{'<acpi/>' if p.get('acpi', True) else ''}<apic/>{p.get('features', '')}</features>{p.get('cpu', '')}
{p.get('clock', "<clock offset='localtime'/>")}{p.get('top', '')}
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
{"" if usb else "<controller type='usb' model='none'/>"}{p.get('devices', '')}{'' if 'memballoon' in p.get('devices', '') else "<memballoon model='none'/>"}</devices>{p.get('tail', '')}</domain>
"""
