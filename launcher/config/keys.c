/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keys: the table. See keys.h. */
#include "launcher/config/keys.h"
#include "launcher/config/value.h"

#define OF_CONFIG(field) offsetof(struct config, field)
#define NAMED(section, array, kind, help) \
	{ section, true, OF_CONFIG(array), OF_CONFIG(n_##array), sizeof(struct kind), help }

const struct conf_section conf_sections[] = {
	{ "vm", .help = "The machine itself." },
	{ "clock", .help = "The guest's clock and timers." },
	{ "cpu", .help = "Virtual CPUs, and the host's CPUs they run on." },
	{ "memory", .help = "The guest's RAM." },
	{ "firmware", .help = "What starts first inside." },
	{ "smbios", .help = "What the guest reads of its system, board and case. What is not set is QEMU's." },
	{ "acpi", .help = "Tables of the firmware for the guest." },
	{ "tpm", .help = "An emulated TPM (swtpm). Its state is kept between runs and never deleted." },
	{ "boot", .help = "What the firmware starts. With *kernel* a Linux kernel is started directly." },
	{ "console", .help = "The serial console." },
	NAMED("disk", disks, conf_disk, "A disk: a block device of the host, or an image."),
	NAMED("cdrom", cdroms, conf_disk, "A CD-ROM drive with an ISO image in it."),
	NAMED("pci", pci, conf_pci,
	      "A PCI device of the host that the guest gets for itself. Exactly one of *address*, *id* and *match* "
	      "names it."),
	NAMED("mdev", mdevs, conf_mdev,
	      "A part of a card that the card's driver shares out (mediated device: Intel GVT-g, NVIDIA vGPU); the card stays with the host. *parent* "
	      "and *type* have one made at the start and removed at the end; *uuid* alone names one that is there already, which stays."),
	NAMED("input", inputs, conf_input,
	      "A keyboard, mouse or other input device of the host, shared by a key combination."),
	NAMED("usb", usb, conf_usb,
	      "A USB device of the host, attached whenever it is plugged in. Either *id* or *port* names it."),
	NAMED("network", networks, conf_network, "A network card. Without any such section the guest has none."),
	{ "display", .help = "The virtual display, for machines without a GPU of their own." },
	{ "audio", .help = "The sound card." },
	NAMED("monitor", monitors, conf_monitor,
	      "A monitor with cables from both graphics cards, whose input is switched over DDC/CI."),
	NAMED("share", shares, conf_share, "A folder of the host, by virtiofs. In a Linux guest: mount -t virtiofs NAME /mnt; Windows wants WinFsp and virtio-win's service."),
	{ "host", .help = "What is done to the host while the machine runs. All of it is put back at the end." },
	{ "hooks", .help = "Programs of yours, run as you, with facts about the machine in variables QLAUNCH_NAME "
	  "and so on." },
	{ "qemu", .help = "QEMU itself." },
	{},
};

static const struct conf_word accels[] = { { "auto", ACCEL_AUTO }, { "kvm", ACCEL_KVM }, { "tcg", ACCEL_TCG }, {} };
static const struct conf_word isolates[] = {
	{ "partition", ISOLATE_PARTITION }, { "slices", ISOLATE_SLICES }, { "off", ISOLATE_OFF }, {}
};
static const struct conf_word partitions[] = { { "isolated", PARTITION_ISOLATED }, { "root", PARTITION_ROOT }, {} };
static const struct conf_word hypervs[] = { { "auto", HYPERV_AUTO }, { "on", HYPERV_ON }, { "off", HYPERV_OFF }, {} };
static const struct conf_word hugepages[] = {
	{ "1G", HUGEPAGES_1G }, { "2M", HUGEPAGES_2M }, { "transparent", HUGEPAGES_TRANSPARENT },
	{ "off", HUGEPAGES_OFF },
	{ "auto", HUGEPAGES_AUTO }, { "default", HUGEPAGES_DEFAULT }, {}
};
static const struct conf_word firmwares[] = { { "uefi", FIRMWARE_UEFI }, { "bios", FIRMWARE_BIOS }, {} };
static const struct conf_word tpm_versions[] = { { "none", TPM_NONE }, { "2.0", TPM_2_0 }, {} };
static const struct conf_word tpm_models[] = { { "tis", TPM_TIS }, { "crb", TPM_CRB }, {} };
static const struct conf_word buses[] = {
	{ "virtio", BUS_VIRTIO }, { "nvme", BUS_NVME }, { "sata", BUS_SATA }, { "scsi", BUS_SCSI }, {}
};
static const struct conf_word cdrom_buses[] = { { "sata", BUS_SATA }, { "scsi", BUS_SCSI }, {} };
static const struct conf_word formats[] = {
	{ "auto", FORMAT_AUTO }, { "raw", FORMAT_RAW }, { "qcow2", FORMAT_QCOW2 }, {}
};
static const struct conf_word caches[] = { { "auto", CACHE_AUTO }, { "none", CACHE_NONE }, { "writeback", CACHE_WRITEBACK }, {} };
static const struct conf_word clock_bases[] = { { "local", CLOCK_LOCAL }, { "utc", CLOCK_UTC }, {} };
static const struct conf_word rtcs[] = { { "catchup", RTC_CATCHUP }, { "discard", RTC_DISCARD }, {} };
static const struct conf_word pits[] = { { "delay", PIT_DELAY }, { "discard", PIT_DISCARD }, {} };
static const struct conf_word guest_caches[] = {
	{ "auto", CACHES_AUTO }, { "host", CACHES_HOST }, { "shape", CACHES_SHAPE }, { "qemu", CACHES_QEMU }, {}
};
static const struct conf_word net_models[] = {
	{ "virtio", MODEL_VIRTIO }, { "e1000e", MODEL_E1000E }, { "e1000", MODEL_E1000 }, { "rtl8139", MODEL_RTL8139 },
	{ "igb", MODEL_IGB }, { "vmxnet3", MODEL_VMXNET3 }, {}
};
static const struct conf_word functions[] = { { "group", FUNCTIONS_GROUP }, { "slot", FUNCTIONS_SLOT }, { "own", FUNCTIONS_OWN }, {} };
static const struct conf_word toggles[] = { /* QEMU, qapi/common.json: GrabToggleKeys */
	{ "ctrl-ctrl", TOGGLE_CTRL_CTRL }, { "alt-alt", TOGGLE_ALT_ALT }, { "shift-shift", TOGGLE_SHIFT_SHIFT },
	{ "meta-meta", TOGGLE_META_META }, { "scrolllock", TOGGLE_SCROLLLOCK },
	{ "ctrl-scrolllock", TOGGLE_CTRL_SCROLLLOCK }, {}
};
static const struct conf_word net_modes[] = {
	{ "user", NET_USER }, { "nat", NET_NAT }, { "bridge", NET_BRIDGE }, { "macvtap", NET_MACVTAP },
	{ "isolated", NET_ISOLATED }, {}
};
static const struct conf_word display_modes[] = {
	{ "none", DISPLAY_NONE }, { "spice", DISPLAY_SPICE }, { "window", DISPLAY_WINDOW },
	{ "looking-glass", DISPLAY_LOOKING_GLASS }, {}
};
static const struct conf_word videos[] = {
	{ "none", VIDEO_NONE }, { "virtio", VIDEO_VIRTIO }, { "qxl", VIDEO_QXL }, {}
};
static const struct conf_word audio_models[] = {
	{ "none", AUDIO_NONE }, { "hda", AUDIO_HDA }, { "usb", AUDIO_USB }, {}
};
static const struct conf_word audio_backends[] = {
	{ "auto", AUDIO_AUTO }, { "pipewire", AUDIO_PIPEWIRE }, { "pa", AUDIO_PA }, { "spice", AUDIO_SPICE },
	{ "none", AUDIO_SILENT }, {}
};
static const struct conf_word irqs[] = { { "away", IRQS_AWAY }, { "keep", IRQS_KEEP }, {} };
static const struct conf_word vfio_ways[] = { { "auto", VFIO_AUTO }, { "group", VFIO_GROUP }, { "iommufd", VFIO_IOMMUFD }, {} };
static const struct conf_word boosts[] = { { "keep", BOOST_KEPT }, { "on", BOOST_ON }, { "off", BOOST_OFF }, {} };
static const struct conf_word profiles[] = {
	{ "keep", PROFILE_KEPT }, { "performance", PROFILE_PERFORMANCE }, { "power-saver", PROFILE_POWER_SAVER }, {}
};
static const struct conf_word smts[] = { { "keep", SMT_KEPT }, { "off", SMT_OFF }, {} };
static const struct conf_word oomds[] = { { "omit", OOMD_OMIT }, { "avoid", OOMD_AVOID }, { "none", OOMD_NONE }, {} };
static const struct conf_word sleeps[] = {
	{ "inhibit", SLEEP_INHIBIT }, { "pause", SLEEP_PAUSE }, { "allow", SLEEP_ALLOW }, {}
};
static const struct conf_word notifies[] = {
	{ "auto", NOTIFY_AUTO }, { "yes", NOTIFY_YES }, { "no", NOTIFY_NO }, {}
};
static const struct conf_word failures[] = { { "abort", HOOK_ABORT }, { "warn", HOOK_WARN }, {} };

/* KEY(section, name, type, field of struct config, …); the others are fields of the section's element. */
#define KEY(s, n, t, field, ...) { .section = s, .name = n, .type = &TYPE_##t, .offset = OF_CONFIG(field), __VA_ARGS__ }
#define ITEM(s, n, t, kind, field, ...) \
	{ .section = s, .name = n, .type = &TYPE_##t, .offset = offsetof(struct kind, field), __VA_ARGS__ }
#define IS .initial =
#define HELP .help =

const struct conf_key conf_keys[] = {
	KEY("vm", "name", NAME, vm.name, .unset = "the file's name without .conf",
	    HELP "Names the machine for status, stop and restore. Letters, digits, \"_\", \".\" and \"-\", at most "
		 "64."),
	KEY("vm", "description", TEXT, vm.description, HELP "What it is, for people."),
	KEY("vm", "accel", ENUM, vm.accel, IS "auto", .words = accels,
	    HELP "*auto* takes KVM where /dev/kvm opens and the CPU has it, else emulation (tcg), and says which."),
	KEY("vm", "user", WORD, vm.user, .unset = "who called sudo or pkexec",
	    HELP "The user (name or number) that QEMU, swtpm and the hooks run as when qlaunch is started as root."),

	KEY("vm", "machine", WORD, vm.machine, .unset = "the one of the first start, which is kept",
	    HELP "QEMU's machine with its version, *pc-q35-7.2*: the board that the guest finds. It stays when QEMU is replaced by a newer one; "
		 "Windows would find a new board, and want to be activated again."),
	KEY("vm", "pcihole64", SIZE, vm.pcihole64, .min = 1ULL << 30, .max = 1ULL << 46, .unset = "QEMU's own",
	    HELP "Room above 4 GiB for the memory windows of PCI devices."),

	KEY("clock", "base", ENUM, clock.base, IS "local", .words = clock_bases,
	    HELP "What the guest's hardware clock shows: Windows expects *local* time, most others *utc*."),
	KEY("clock", "rtc", ENUM, clock.rtc, IS "catchup", .words = rtcs, HELP "Ticks of it that were missed: made up for slowly, or dropped."),
	KEY("clock", "pit", ENUM, clock.pit, IS "delay", .words = pits, HELP "Ticks of the old timer that were missed, with KVM: late, or dropped."),
	KEY("clock", "hpet", BOOL, clock.hpet, IS "no", HELP "The high precision event timer. A guest that has it would poll it."),
	KEY("clock", "kvmclock", BOOL, clock.kvmclock, IS "yes", HELP "The clock that KVM offers to Linux guests."),

	KEY("cpu", "threads", NUMBER, cpu.threads, .min = 1, .max = 1024,
	    .unset = "all below the best L3 cache, less what the host and QEMU need",
	    HELP "Virtual CPUs, one for each thread of the host that the guest gets."),
	KEY("cpu", "place", PLACE, cpu.place, IS "auto",
	    HELP "The host's CPUs for the guest: chosen by caches, all below one L3 cache, and off those that a group of the host's (a container) lists; *l3 N* names the cache; "
		 "or a CPU list."),
	KEY("cpu", "emulator", EMULATOR, cpu.emulator_auto, IS "auto",
	    HELP "CPUs for QEMU's own threads and its disk threads. *auto* is a core of their own where there is one."),
	KEY("cpu", "isolate", ENUM, cpu.isolate, .words = isolates, .unset = "partition with a [pci] section, else off",
	    HELP "Keeps the host off the guest's CPUs: by a cpuset partition of the kernel; by narrowing systemd's "
		 "slices; or not at all."),
	KEY("cpu", "partition", ENUM, cpu.partition, IS "isolated", .words = partitions,
	    HELP "With *isolate = partition*: *isolated* also ends load balancing among the guest's CPUs, *root* "
		 "keeps it."),
	KEY("cpu", "model", WORD, cpu.model, .unset = "host with KVM, max without",
	    HELP "QEMU's name of the CPU that the guest sees."),
	KEY("cpu", "hide-kvm", BOOL, cpu.hide_kvm, IS "no",
	    HELP "Hides KVM's signature. Only NVIDIA drivers before 465 need it; it costs KVM's clock and more."),
	KEY("cpu", "vendor-id", VENDOR, cpu.vendor_id,
	    HELP "The Hyper-V vendor that the guest sees, at most 12 characters; for the same old drivers."),
	KEY("cpu", "hyperv", ENUM, cpu.hyperv, IS "auto", .words = hypervs,
	    HELP "The interfaces that make Windows run faster as a guest. *auto* offers them with KVM, where Linux "
		 "guests ignore them."),
	KEY("cpu", "flags", ARGS, cpu.flags,
	    HELP "Flags of QEMU's CPU, on or off, or properties with a value: *+x2apic -hypervisor tsc-frequency=3000000000*."),
	KEY("cpu", "caches", ENUM, cpu.caches, IS "auto", .words = guest_caches,
	    HELP "What the guest sees of caches. *host*: the host's own, in size and sharing; *shape*: QEMU's sizes, shared as the host's CPUs "
		 "below share theirs; *qemu*: nothing is said. *auto* is host where the guest has whole L3 caches, else shape."),
	KEY("cpu", "nested", BOOL, cpu.nested, IS "no",
	    HELP "Lets the guest run virtual machines of its own (WSL 2, Hyper-V)."),
	KEY("cpu", "fifo", BOOL, cpu.fifo, IS "no",
	    HELP "Real-time scheduling (SCHED_FIFO) for the virtual CPUs. Needs CPUs that are isolated."),
	KEY("cpu", "cpu-pm", BOOL, cpu.cpu_pm, IS "no",
	    HELP "Lets the guest put its CPUs to sleep itself: lower latency, but they look busy to the host. Needs "
		 "CPUs that are isolated."),

	KEY("memory", "size", SIZE, memory.size, IS "4G", .min = 16 << 20, .max = 1ULL << 44, HELP "RAM of the guest."),
	KEY("memory", "hugepages", ENUM, memory.hugepages, IS "transparent", .words = hugepages,
	    HELP "Pages of 1 GiB or 2 MiB, taken at start and given back; *transparent* lets the kernel find large "
		 "pages as it can. *default* is the size that this host's kernel takes where none is said; *auto* is 1G where as many are free, "
		 "else 2M where there is the memory for them, else transparent, and the plan says which."),

	KEY("firmware", "type", ENUM, firmware.type, IS "uefi", .words = firmwares,
	    HELP "UEFI (OVMF) or a legacy BIOS (SeaBIOS)."),
	KEY("firmware", "secure-boot", BOOL, firmware.secure_boot, IS "no",
	    HELP "UEFI that starts only what is signed, with Microsoft's keys enrolled. Windows 11 wants it."),
	KEY("firmware", "vars", PATH, firmware.vars, .unset = "a file of the machine's own, made at the first start",
	    HELP "The file that keeps the UEFI variables."),

	KEY("firmware", "code", PATH, firmware.code, .unset = "what this host's descriptors name",
	    HELP "An image of UEFI's code of your own choice, raw or, named .qcow2, qcow2. Its variables need *vars*, made from its own template."),

	KEY("smbios", "host", BOOL, smbios.host, IS "no",
	    HELP "The host's own fields, but for the UUID; those below go before them."),
	KEY("smbios", "bios-vendor", TEXT, smbios.fields[SMBIOS_BIOS_VENDOR],
	    HELP "Who made the firmware."),
	KEY("smbios", "bios-version", TEXT, smbios.fields[SMBIOS_BIOS_VERSION],
	    HELP "Its version."),
	KEY("smbios", "bios-date", TEXT, smbios.fields[SMBIOS_BIOS_DATE],
	    HELP "Its date: 10/31/2025."),
	KEY("smbios", "bios-release", TEXT, smbios.fields[SMBIOS_BIOS_RELEASE],
	    HELP "Its release: 5.17."),
	KEY("smbios", "manufacturer", TEXT, smbios.fields[SMBIOS_MANUFACTURER],
	    HELP "Who made the system."),
	KEY("smbios", "product", TEXT, smbios.fields[SMBIOS_PRODUCT],
	    HELP "Its name."),
	KEY("smbios", "version", TEXT, smbios.fields[SMBIOS_VERSION],
	    HELP "Its version."),
	KEY("smbios", "serial", TEXT, smbios.fields[SMBIOS_SERIAL],
	    HELP "Its serial number."),
	KEY("smbios", "uuid", TEXT, smbios.fields[SMBIOS_UUID],
	    HELP "Its UUID."),
	KEY("smbios", "sku", TEXT, smbios.fields[SMBIOS_SKU],
	    HELP "Its stock number."),
	KEY("smbios", "family", TEXT, smbios.fields[SMBIOS_FAMILY],
	    HELP "Its family."),
	KEY("smbios", "board-manufacturer", TEXT, smbios.fields[SMBIOS_BOARD_MANUFACTURER],
	    HELP "Who made the board."),
	KEY("smbios", "board-product", TEXT, smbios.fields[SMBIOS_BOARD_PRODUCT],
	    HELP "Its name."),
	KEY("smbios", "board-version", TEXT, smbios.fields[SMBIOS_BOARD_VERSION],
	    HELP "Its version."),
	KEY("smbios", "board-serial", TEXT, smbios.fields[SMBIOS_BOARD_SERIAL],
	    HELP "Its serial number."),
	KEY("smbios", "board-asset", TEXT, smbios.fields[SMBIOS_BOARD_ASSET],
	    HELP "Its asset tag."),
	KEY("smbios", "board-location", TEXT, smbios.fields[SMBIOS_BOARD_LOCATION],
	    HELP "Where it is in the case."),
	KEY("smbios", "chassis-manufacturer", TEXT, smbios.fields[SMBIOS_CHASSIS_MANUFACTURER],
	    HELP "Who made the case."),
	KEY("smbios", "chassis-version", TEXT, smbios.fields[SMBIOS_CHASSIS_VERSION],
	    HELP "Its version."),
	KEY("smbios", "chassis-serial", TEXT, smbios.fields[SMBIOS_CHASSIS_SERIAL],
	    HELP "Its serial number."),
	KEY("smbios", "chassis-asset", TEXT, smbios.fields[SMBIOS_CHASSIS_ASSET],
	    HELP "Its asset tag."),
	KEY("smbios", "chassis-sku", TEXT, smbios.fields[SMBIOS_CHASSIS_SKU],
	    HELP "Its stock number."),
	KEY("smbios", "oem-strings", TEXT, smbios.fields[SMBIOS_OEM_STRINGS],
	    HELP "A text for who looks for it."),

	KEY("acpi", "host", NAMES, acpi.host,
	    HELP "Tables of this host's firmware that the guest finds, too: *MSDM* and *SLIC*, where the licence of a Windows is that came with the "
		 "board. Only root can read them."),
	KEY("acpi", "battery", BOOL, acpi.battery, IS "no",
	    HELP "A battery, always full: NVIDIA's drivers for laptops refuse their card (code 43) where there is none."),
	KEY("acpi", "tables", ARGS, acpi.tables, HELP "Files with tables that the guest finds beside its own. Split as arguments are."),

	KEY("tpm", "version", ENUM, tpm.version, .words = tpm_versions, .unset = "2.0 where there is a [tpm] "
	"section, else none",
	    HELP "Windows 11 wants 2.0."),
	KEY("tpm", "model", ENUM, tpm.model, IS "tis", .words = tpm_models, HELP "The interface that the guest sees."),

	KEY("boot", "order", NAMES, boot.order, .unset = "disks and passed disk controllers in the order of the file, then CD-ROMs",
	    HELP "Names of disks, CD-ROMs, networks and passed devices ([pci], [usb]), the first one first."),
	KEY("boot", "kernel", PATH, boot.kernel, HELP "A Linux kernel that QEMU loads itself."),
	KEY("boot", "initrd", PATH, boot.initrd, HELP "Its initial RAM disk."),
	KEY("boot", "cmdline", TEXT, boot.cmdline, HELP "Its command line."),

	KEY("console", "serial", SERIAL, console.serial, IS "none",
	    HELP "Where the first serial port goes: this terminal, a pseudo-terminal for *qlaunch console*, "
		 "nowhere, or a file."),
	KEY("console", "agent", AGENT, console.agent, IS "no",
	    HELP "A line to the guest's agent (qemu-ga): with *yes*, *qlaunch disk snapshot* has the guest write everything out and hold still for "
		 "that moment. A path is a Unix socket that somebody else listens on (*qlaunch bench* does), which QEMU then connects to."),

	ITEM("disk", "path", PATH, conf_disk, path, .required = true,
	     HELP "A block device, best by /dev/disk/by-id, or an image file. What the host uses is refused. An NVMe drive by its PCI address is a "
		  "section [pci], which passes the whole drive."),
	ITEM("disk", "bus", ENUM, conf_disk, bus, IS "virtio", .words = buses,
	     HELP "virtio is fastest, and Windows needs a driver for it; nvme and sata need none."),
	ITEM("disk", "format", ENUM, conf_disk, format, IS "auto", .words = formats,
	     HELP "*auto* is qcow2 for a file whose name ends in .qcow2, else raw; the content is not asked: a guest may have written it."),
	ITEM("disk", "cache", ENUM, conf_disk, cache, IS "auto", .words = caches,
	     HELP "*none* goes past the host's page cache, *writeback* uses it; *auto* goes past it where the image's file "
		  "system lets it."),
	ITEM("disk", "discard", BOOL, conf_disk, discard, IS "yes",
	     HELP "Hands the guest's TRIM on to the device or image."),
	ITEM("disk", "iothread", BOOL, conf_disk, iothread, IS "yes",
	     HELP "A thread of its own for the disk, where the bus can."),
	ITEM("disk", "serial", TEXT, conf_disk, serial, .unset = "the section's name", HELP "The serial number that the guest sees."),
	ITEM("disk", "rotation", NUMBER, conf_disk, rotation, IS "1", .min = 1, .max = 65534,
	     HELP "With sata and scsi: 1 is a solid state drive, else turns a minute."),
	ITEM("disk", "queues", NUMBER, conf_disk, queues, .min = 1, .max = 1024, .unset = "one for each vCPU, at most 16",
	     HELP "Queues for requests, with virtio, nvme and scsi."),
	ITEM("disk", "readonly", BOOL, conf_disk, readonly, IS "no", HELP "The guest cannot write."),
	ITEM("disk", "unmount", BOOL, conf_disk, unmount, IS "no",
	     HELP "What the host has mounted of this device is unmounted while the guest runs, and mounted again as it was. Not what is in use, nor the "
		  "system's own. On behalf of a user what their desktop mounted, or by a file that root alone can write."),

	ITEM("cdrom", "path", PATH, conf_disk, path, .required = true, HELP "The ISO image."),
	ITEM("cdrom", "bus", ENUM, conf_disk, bus, IS "sata", .words = cdrom_buses, HELP "Windows installs from sata."),

	ITEM("pci", "address", ADDRESS, conf_pci, has_address, HELP "Where it is: 01:00.0, as lspci shows it."),
	ITEM("pci", "id", DEVICE_ID, conf_pci, id, HELP "What it is: vendor:device. Refused when it fits two devices."),
	ITEM("pci", "match", TEXT, conf_pci, match, HELP "A part of its name. Refused when it fits two devices."),
	ITEM("pci", "rom", ROM, conf_pci, rom, HELP "A video BIOS for the guest in place of the card's own. *host*: the one that this host has for it, in the firmware's table VFCT, as "
		 "its driver's copy, or on the card; a laptop's card has none itself. *off*: the card's is not read."),
	ITEM("pci", "rom-bar", BOOL, conf_pci, rom_bar, IS "yes", HELP "With *no* the guest finds no ROM on the card at all."),
	ITEM("pci", "rebar", SIZE, conf_pci, rebar, .min = 1 << 20, .max = 1ULL << 40, .unset = "as it is",
	     HELP "Size of its largest memory window (resizable BAR) while the guest has it; a power of two."),
	ITEM("pci", "functions", ENUM, conf_pci, functions, IS "group", .words = functions,
	     HELP "*group* passes every device of its IOMMU group; of a graphics card the whole card, and every device of the card's groups. "
		  "*slot* does so of any device with several functions, which one without a reset of its own needs. *own* passes the slot alone, "
		  "and is refused when the group has others."),
	ITEM("pci", "virtual-function", NUMBER, conf_pci, vf, .max = 65534, .unset = "the device itself",
	     HELP "The guest gets this virtual function of the device (SR-IOV), counted from 0; the device stays with the host. Where it has none "
		  "they are made at the start and removed at the end; where it has some, they stay as they are."),
	ITEM("pci", "vfs", NUMBER, conf_pci, vfs, .min = 1, .max = 65535, .unset = "as many as this machine has sections for",
	     HELP "With *virtual-function*: how many are made where the device has none. The number cannot be changed while one is in use: name as "
		  "many as all machines want that run at the same time."),
	ITEM("pci", "accept", ADDRESSES, conf_pci, accept,
	     HELP "What may come along although the host uses it (its network, its keyboard): addresses, as *check* names them."),
	ITEM("pci", "unload", MODULES, conf_pci, unload,
	     HELP "Modules of its driver that are unloaded before it is taken, in this order: *nvidia_drm nvidia_modeset nvidia_uvm nvidia*. Only what "
		  "nobody uses, and of these only what drives no other device; loaded again at the end, the last one first."),
	ITEM("pci", "rescan", BOOL, conf_pci, rescan, IS "no",
	     HELP "Takes it off its bus and lets the kernel find it anew, before the guest gets it and after: for a card that does not come up otherwise."),

	ITEM("mdev", "parent", ADDRESS, conf_mdev, has_parent, HELP "The card: 00:02.0, as lspci shows it."),
	ITEM("mdev", "type", WORD, conf_mdev, type,
	     HELP "What part of it: a name in its folder mdev_supported_types, *i915-GVTg_V5_4*; *check* lists them where it is none."),
	ITEM("mdev", "uuid", WORD, conf_mdev, uuid, .unset = "made from the names of the machine and the section, always the same",
	     HELP "Its UUID. Alone, one that somebody else has made, by mdevctl for one."),
	ITEM("mdev", "display", BOOL, conf_mdev, display, IS "no", HELP "Its picture is in [display], from the firmware on."),

	ITEM("input", "device", DEVICE, conf_input, device, .required = true,
	     HELP "Its link in /dev/input/by-id, or what it says of itself, *uniq:ID name:NAME* or one of the two; *qlaunch input* lists both. "
		  "An eventN is another device after the next start."),
	ITEM("input", "grab", BOOL, conf_input, grab, IS "yes",
	     HELP "The toggle keys of this device move all devices together."),
	ITEM("input", "toggle", ENUM, conf_input, toggle, IS "ctrl-ctrl", .words = toggles,
	     HELP "Keys that move it between host and guest."),
	ITEM("input", "persistent", BOOL, conf_input, persistent, IS "yes",
	     HELP "A twin stands in for it, so that unplugging it or a sleeping receiver loses nothing."),
	ITEM("input", "wait", BOOL, conf_input, wait, IS "no",
	     HELP "Starts although the device is absent and takes it when it comes."),

	ITEM("usb", "id", DEVICE_ID, conf_usb, id, HELP "vendor:product, as lsusb shows it."),
	ITEM("usb", "port", USB_PORT, conf_usb, port,
	     HELP "Where it is plugged in, 1-2.3; of a hub, all that is below it."),

	ITEM("network", "mode", ENUM, conf_network, mode, IS "user", .words = net_modes,
	     HELP "*user* needs no root; *nat* is a network behind the host; *bridge* joins one of the host's; "
	          "*macvtap* sits on a card of the "
		  "host; *isolated* reaches the host alone."),
	ITEM("network", "bridge", INTERFACE, conf_network, bridge,
	     HELP "The bridge to join, or the card that macvtap sits on."),
	ITEM("network", "mac", MAC, conf_network, mac, .unset = "made from the machine's name, always the same",
	     HELP "The card's address."),
	ITEM("network", "subnet", SUBNET, conf_network, subnet, .unset = "a free one",
	     HELP "Of nat and isolated: 192.168.77.0/24."),
	ITEM("network", "forward", FORWARDS, conf_network, forward,
	     HELP "Ports of the host that lead into the guest: tcp:2222:22, of 127.0.0.1 alone; tcp:0.0.0.0:2222:22, of every "
	          "address, for others too."),
	ITEM("network", "zone", WORD, conf_network, zone, .unset = "libvirt or nm-shared, whichever is there",
	     HELP "Of nat and isolated, where firewalld runs: the zone that the bridge is in while the machine runs; *off* leaves it where "
		  "firewalld has it."),
	ITEM("network", "model", ENUM, conf_network, model, IS "virtio", .words = net_models,
	     HELP "The card that the guest sees. virtio is fastest; Windows knows e1000e without a driver."),
	ITEM("network", "queues", NUMBER, conf_network, queues, IS "1", .min = 1, .max = 64,
	     HELP "Queue pairs, for many CPUs and fast networks."),

	KEY("display", "mode", ENUM, display.mode, IS "none", .words = display_modes,
	    HELP "How the picture reaches you. *none* with a passed GPU."),
	KEY("display", "video", ENUM, display.video, .words = videos, .unset = "virtio with spice and window, else "
	"none",
	    HELP "The emulated graphics card."),
	KEY("display", "resolution", RESOLUTION, display.resolution,
	    HELP "2560x1440. Looking Glass takes its memory by it."),
	KEY("display", "gl", BOOL, display.gl, IS "no", HELP "3D acceleration of the virtual card, where QEMU has it."),
	KEY("display", "hostmem", SIZE, display.hostmem, .min = 64 << 20, .max = 1ULL << 40, .unset = "none",
	    HELP "With *gl*: a window through which a Linux guest reaches memory of the host's GPU without copies (blob resources). 4G is usual."),
	KEY("display", "venus", BOOL, display.venus, IS "no", HELP "With *hostmem*: Vulkan for Linux guests (Venus), from QEMU 9.2 on."),
	KEY("display", "port", NUMBER, display.port, .min = 1, .max = 65535, .unset = "none: a socket that the user alone can open",
	    HELP "With *mode = spice*: a TCP port for viewers. It is TLS alone where *tls* is set."),
	KEY("display", "listen", LISTEN, display.listen, .unset = "127.0.0.1",
	    HELP "The host's address for *port*. Any other than loopback wants *password*: the picture, keyboard and mouse would be everybody's."),
	KEY("display", "password", PATH, display.password, HELP "A file with the password that viewers of *port* must know, readable by you alone."),
	KEY("display", "tls", PATH, display.tls, HELP "A folder with server-cert.pem, server-key.pem and ca-cert.pem: what goes over *port* is encrypted."),

	KEY("audio", "model", ENUM, audio.model, .words = audio_models, .unset = "hda where there is an [audio] "
	"section, else none",
	    HELP "*hda* has stereo in and out; *usb* has 5.1 out and no input."),
	KEY("audio", "backend", ENUM, audio.backend, IS "auto", .words = audio_backends,
	    HELP "*auto* is PipeWire where QEMU has it, else PulseAudio."),
	KEY("audio", "rate", NUMBER, audio.rate, IS "48000", .min = 8000, .max = 192000,
	    HELP "Samples a second. Take the host's rate."),
	KEY("audio", "latency", NUMBER, audio.latency, .max = 1000, .unset = "the backend's own",
	    HELP "Buffer, in milliseconds."),

	ITEM("monitor", "match", TEXT, conf_monitor, match, .required = true,
	     HELP "A part of its name or serial number; of two that are alike the connector (*DP-2*) or the bus (*i2c-5*); see *qlaunch monitors*."),
	ITEM("monitor", "guest-input", NUMBER, conf_monitor, guest_input, .min = 1, .max = 65535, .required = true,
	     HELP "The value of VCP 0x60 that shows the guest: 0x0f."),
	ITEM("monitor", "host-input", NUMBER, conf_monitor, host_input, .min = 1, .max = 65535, .unset = "the input "
	"that it reads at start, where that is 1 to 255",
	     HELP "The value that shows the host."),
	ITEM("monitor", "switch", SWITCH, conf_monitor, when, IS "guest-ready",
	     HELP "When: as soon as the guest drives the card, at the start, or after some time (30s)."),

	ITEM("share", "path", PATH, conf_share, path, .required = true, HELP "The folder. What the guest's root makes there is yours on the host."),
	ITEM("share", "tag", TEXT, conf_share, tag, .unset = "the section's name",
	     HELP "The name by which the guest mounts it, at most 36 bytes."),
	ITEM("share", "readonly", BOOL, conf_share, readonly, IS "no", HELP "The guest cannot write."),

	KEY("host", "governor", WORD, host.governor, .unset = "as it is",
	    HELP "CPU frequency governor of the guest's CPUs: performance."),
	KEY("host", "energy", WORD, host.energy, .unset = "as it is",
	    HELP "Their energy_performance_preference: performance."),
	KEY("host", "boost", ENUM, host.boost, IS "keep", .words = boosts,
	    HELP "Whether the processor may go beyond its base clock, all CPUs of it: *off* for an even clock."),
	KEY("host", "profile", ENUM, host.profile, IS "keep", .words = profiles,
	    HELP "The power profile that power-profiles-daemon, or tuned, holds meanwhile. None of them is started for it."),
	KEY("host", "smt", ENUM, host.smt, IS "keep", .words = smts,
	    HELP "*off*: one thread of each core runs, of the whole host; the plan counts on that. Not beside another machine."),
	KEY("host", "weight", NUMBER, host.weight, .min = 1, .max = 10000, .unset = "100, as of all others",
	    HELP "Share of CPUs that the guest has in common with the host, beside system.slice and user.slice (CPUWeight in systemd.resource-control(5))."),
	KEY("host", "oomd", ENUM, host.oomd, IS "omit", .words = oomds,
	    HELP "Whether systemd-oomd may end the guest when the host's memory is short (ManagedOOMPreference). It and *weight* are of the scope that "
		 "*cpu.isolate* makes."),
	KEY("host", "oom-score", OOM_SCORE, host.oom_score, IS "0",
	    HELP "The kernel's own measure for that, from -1000 (never) to 1000 (first). On behalf of a user below 0 only by a file that root alone can "
		 "write."),
	KEY("host", "sysctl", SYSCTLS, host.sysctl,
	    HELP "Settings of the kernel by sysctl's names: *vm.stat_interval=120 kernel.watchdog=0*. Of a short list; another name is told with it."),
	KEY("host", "kvm", KVM_SETTINGS, host.kvm,
	    HELP "Parameters of KVM: *ignore_msrs=1 report_ignored_msrs=0*, for games that ask for registers which a guest has not."),
	KEY("host", "stop", UNITS, host.stop,
	    HELP "Services that do not run meanwhile: *fancontrol.service docker.service*. Those that ran are started again. On behalf of a user only "
		 "where root alone can write the file."),
	KEY("host", "inhibit-sleep", BOOL, host.inhibit_sleep, IS "yes",
	    HELP "The host does not go to sleep by itself."),
	KEY("host", "irqs", ENUM, host.irqs, IS "away", .words = irqs,
	    HELP "*away* moves the host's interrupts off isolated CPUs and those of passed devices onto them; "
		 "*keep* leaves them."),
	KEY("host", "vfio", ENUM, host.vfio, IS "auto", .words = vfio_ways,
	    HELP "How QEMU gets passed devices: by the *group* (/dev/vfio/N), or by descriptors of *iommufd* and of the device, from Linux 6.6 and "
		 "QEMU 9.0 on. *auto* is group where the kernel has it; *check* says which it has."),
	KEY("host", "sleep", ENUM, host.sleep, .words = sleeps, .unset = "inhibit, or allow with inhibit-sleep = no",
	    HELP "*inhibit* keeps the host awake; *pause* pauses the guest while it sleeps; *allow* does nothing "
		 "about it."),
	KEY("host", "notify", ENUM, host.notify, IS "auto", .words = notifies,
	    HELP "Tells the desktop when the guest is ready, and how it ended. *auto* does so unless qlaunch was "
		 "started in a terminal."),
	KEY("host", "release-console", BOOL, host.release_console, IS "no",
	    HELP "For the host's only GPU: stops the display manager and lets the text console go, until the guest "
		 "ends."),
	KEY("host", "halt-poll", HALT_POLL, host.halt_poll_ns, .unset = "as it is", .max = 100000000,
	    HELP "Nanoseconds that KVM waits for work before a virtual CPU sleeps (halt_poll_ns)."),

	KEY("hooks", "before", PROGRAM, hooks.before, HELP "Run before the first change to the host."),
	KEY("hooks", "ready", PROGRAM, hooks.ready, HELP "Run when the guest is up."),
	KEY("hooks", "after", PROGRAM, hooks.after, HELP "Run when all is put back."),
	KEY("hooks", "timeout", NUMBER, hooks.timeout, IS "30", .min = 1, .max = 3600,
	    HELP "Seconds that a hook may take."),
	KEY("hooks", "failure", ENUM, hooks.failure, IS "abort", .words = failures,
	    HELP "What a failing hook does: end the run, or a warning."),

	KEY("qemu", "set", ARGS, qemu.set,
	    HELP "Properties of what qlaunch makes: *disk-main.write-cache=off*, by the device's id as *qlaunch plan* shows it; *machine.PROPERTY=VALUE* "
		 "of the board; any other name is a kind of device: *vfio-pci.x-no-kvm-intx=on*."),
	KEY("qemu", "args", ARGS, qemu.args,
	    HELP "More arguments for QEMU, as they are. Split at blanks; quotes and backslashes as in a shell. A USB device among them finds a controller."),
	KEY("qemu", "binary", PROGRAM, qemu.binary, .unset = "qemu-system-x86_64 in PATH", HELP "The QEMU to run."),
	{},
};

const struct conf_section *conf_section_find(const char *name)
{
	for (const struct conf_section *s = conf_sections; s->name; s++)
		if (streq(s->name, name))
			return s;
	return NULL;
}

const struct conf_key *conf_key_find(const char *section, const char *name)
{
	for (const struct conf_key *k = conf_keys; k->section; k++)
		if (streq(k->section, section) && streq(k->name, name))
			return k;
	return NULL;
}

bool conf_key_takes(const char *section, const char *name, const char *word)
{
	const struct conf_key *k = conf_key_find(section, name);
	for (const struct conf_word *w = k ? k->words : NULL; w && w->word; w++)
		if (streq(w->word, word))
			return true;
	return k && !k->words;
}
