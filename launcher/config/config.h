/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config: a machine's description. Text in, `struct config` out, every error at once. Pure: reads the one file that it is given, writes
 * nothing, knows nothing of this host (a device that is not there is no error here).
 *
 * One table of keys (keys.c: section, name, type, default, help) drives parsing, errors, the manual page and completion.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "launcher/base/err.h"
#include "launcher/base/user.h"
#include "launcher/base/num.h"
#include "launcher/base/str.h"

enum accel { ACCEL_AUTO, ACCEL_KVM, ACCEL_TCG };
enum isolate { ISOLATE_PARTITION, ISOLATE_SLICES, ISOLATE_OFF };
enum partition_type { PARTITION_ISOLATED, PARTITION_ROOT };
enum place { PLACE_AUTO, PLACE_L3, PLACE_CPUS };
enum hugepages { HUGEPAGES_OFF, HUGEPAGES_TRANSPARENT, HUGEPAGES_2M, HUGEPAGES_1G, HUGEPAGES_AUTO, HUGEPAGES_DEFAULT };
enum firmware_type { FIRMWARE_UEFI, FIRMWARE_BIOS };
enum tpm_version { TPM_NONE, TPM_2_0 };
enum tpm_model { TPM_TIS, TPM_CRB };
enum disk_bus { BUS_VIRTIO, BUS_NVME, BUS_SATA, BUS_SCSI };
enum disk_format { FORMAT_AUTO, FORMAT_RAW, FORMAT_QCOW2 };
enum disk_cache { CACHE_AUTO, CACHE_NONE, CACHE_WRITEBACK };
enum functions { FUNCTIONS_GROUP, FUNCTIONS_SLOT, FUNCTIONS_OWN };
enum grab_toggle { TOGGLE_CTRL_CTRL, TOGGLE_ALT_ALT, TOGGLE_SHIFT_SHIFT, TOGGLE_META_META, TOGGLE_SCROLLLOCK, TOGGLE_CTRL_SCROLLLOCK };
enum net_mode { NET_USER, NET_NAT, NET_BRIDGE, NET_MACVTAP, NET_ISOLATED };
enum display_mode { DISPLAY_NONE, DISPLAY_SPICE, DISPLAY_WINDOW, DISPLAY_LOOKING_GLASS };
enum video { VIDEO_NONE, VIDEO_VIRTIO, VIDEO_QXL };
enum audio_model { AUDIO_NONE, AUDIO_HDA, AUDIO_USB };
enum audio_backend { AUDIO_AUTO, AUDIO_PIPEWIRE, AUDIO_PA, AUDIO_SPICE, AUDIO_SILENT };
enum hyperv { HYPERV_AUTO, HYPERV_ON, HYPERV_OFF };
enum switch_when { SWITCH_GUEST_READY, SWITCH_START, SWITCH_AFTER };
enum notify { NOTIFY_AUTO, NOTIFY_YES, NOTIFY_NO };
enum sleep_mode { SLEEP_INHIBIT, SLEEP_PAUSE, SLEEP_ALLOW };
enum caches { CACHES_AUTO, CACHES_HOST, CACHES_SHAPE, CACHES_QEMU };
enum clock_base { CLOCK_LOCAL, CLOCK_UTC };
enum rtc_ticks { RTC_CATCHUP, RTC_DISCARD };
enum pit_ticks { PIT_DELAY, PIT_DISCARD };
enum net_model { MODEL_VIRTIO, MODEL_E1000E, MODEL_E1000, MODEL_RTL8139, MODEL_IGB, MODEL_VMXNET3 };
/* What the guest reads of its system, board and case (DMTF DSP0134): fields of its structures 0, 1, 2, 3 and 11. */
enum smbios_field {
	SMBIOS_BIOS_VENDOR,
	SMBIOS_BIOS_VERSION,
	SMBIOS_BIOS_DATE,
	SMBIOS_BIOS_RELEASE,
	SMBIOS_MANUFACTURER,
	SMBIOS_PRODUCT,
	SMBIOS_VERSION,
	SMBIOS_SERIAL,
	SMBIOS_UUID,
	SMBIOS_SKU,
	SMBIOS_FAMILY,
	SMBIOS_BOARD_MANUFACTURER,
	SMBIOS_BOARD_PRODUCT,
	SMBIOS_BOARD_VERSION,
	SMBIOS_BOARD_SERIAL,
	SMBIOS_BOARD_ASSET,
	SMBIOS_BOARD_LOCATION,
	SMBIOS_CHASSIS_MANUFACTURER,
	SMBIOS_CHASSIS_VERSION,
	SMBIOS_CHASSIS_SERIAL,
	SMBIOS_CHASSIS_ASSET,
	SMBIOS_CHASSIS_SKU,
	SMBIOS_OEM_STRINGS,
	SMBIOS_FIELDS
};
enum vfio_way { VFIO_AUTO, VFIO_GROUP, VFIO_IOMMUFD };
enum irqs { IRQS_AWAY, IRQS_KEEP };
enum profile { PROFILE_KEPT, PROFILE_PERFORMANCE, PROFILE_POWER_SAVER };
enum oomd { OOMD_OMIT, OOMD_AVOID, OOMD_NONE };
enum boost { BOOST_KEPT, BOOST_ON, BOOST_OFF };
enum smt { SMT_KEPT, SMT_OFF };
enum hook_failure { HOOK_ABORT, HOOK_WARN };

/* The text of a string that is not set is NULL; of a size or number, 0; of a section that is not there, no element. */
struct conf_disk {
	char *name, *path;
	enum disk_bus bus;
	enum disk_format format;
	enum disk_cache cache;
	bool discard, iothread, readonly;
	bool unmount;      /* of a block device: what the host has mounted of it is unmounted meanwhile */
	char *serial;      /* NULL: the name */
	unsigned rotation; /* 1: none, an SSD; else turns a minute */
	unsigned queues;   /* 0: one for each vCPU */
};
struct conf_pci {
	char *name;
	bool has_address;
	struct pci_addr address;
	char *id;       /* "10de:2204" */
	char *match;    /* part of its name */
	char *rom;      /* path, "host", "off", or NULL */
	bool rom_bar;   /* the guest sees a ROM at all */
	uint64_t rebar; /* bytes, 0 = as it is */
	enum functions functions;
	bool has_vf;        /* the guest gets a virtual function of it (SR-IOV) */
	unsigned vf;        /* which, counted from 0 as the kernel does */
	unsigned vfs;       /* how many are made where it has none; 0: as many as are wanted */
	struct strv accept; /* addresses of what may come along although the host uses it */
	struct strv unload; /* modules of its driver that go before it is taken, in this order */
	bool rescan;        /* taken off its bus and found anew, before the guest has it and after */
};
/* What an input device says of itself: "uniq:dc:2c:26:01:02:03 name:Keychron K2". What is not said is NULL. */
struct conf_device {
	char *uniq, *phys, *name;
};
/* Whether `text` is of this form (else it is a path): uniq and phys one word each, the name the rest of the line. `ret` is untouched where
 * not. */
bool conf_device_parse(const char *text, struct conf_device *ret);
void conf_device_free(struct conf_device *d);
#define cleanup_conf_device cleanup(conf_device_free)
struct conf_input {
	char *name, *device; /* device: a path, or what conf_device_parse takes */
	bool grab, persistent, wait;
	enum grab_toggle toggle;
};
struct conf_usb {
	char *name, *id, *port;
};
/* "tcp:2222:22", "udp:0.0.0.0:5353:53": protocol, address of the host, port of the host, port of the guest. */
struct conf_forward {
	const char *protocol; /* "tcp" or "udp"; static */
	char address[16];     /* 127.0.0.1 where none is written; 0.0.0.0 is each one */
	unsigned host, guest;
};
/* False where it is none. */
bool conf_forward_parse(const char *text, struct conf_forward *ret_forward);

struct conf_network {
	char *name;
	enum net_mode mode;
	char *bridge, *mac, *subnet;
	char *zone;          /* of firewalld's; "off": none; NULL: one made for guests */
	struct strv forward; /* "tcp:2222:22" */
	unsigned queues;
	enum net_model model;
};
struct conf_monitor {
	char *name, *match;
	unsigned guest_input, host_input; /* VCP 0x60 values; 0 = not set */
	enum switch_when when;
	unsigned after_seconds; /* with SWITCH_AFTER */
};
/* A part of a card that its driver shares out (mediated device). */
struct conf_mdev {
	char *name;
	bool has_parent;
	struct pci_addr parent;
	char *type; /* of those that the parent offers; NULL: `uuid` is there already */
	char *uuid; /* NULL: one made from the names */
	bool display;
};
struct conf_share {
	char *name, *path;
	char *tag; /* by which the guest mounts it; NULL: the name */
	bool readonly;
};

struct config {
	char *path; /* the file, as errors name it */
	dev_t dev;  /* and which one it was that was read: whoever owns a link on the way may lead it elsewhere since. 0: none */
	ino_t ino;
	struct {
		char *name, *description, *user;
		enum accel accel;
		char *machine;      /* QEMU's type with its version, or NULL */
		uint64_t pcihole64; /* bytes; 0: QEMU's own */
	} vm;
	struct {
		enum clock_base base;
		enum rtc_ticks rtc;
		enum pit_ticks pit;
		bool hpet, kvmclock;
	} clock;
	struct {
		bool host;
		char *fields[SMBIOS_FIELDS]; /* NULL: QEMU's, or the host's */
	} smbios;
	struct {
		struct strv tables; /* paths */
		struct strv host;   /* names of tables of the host's firmware: "MSDM" */
		bool battery;       /* one more, with a battery */
	} acpi;
	struct {
		unsigned threads;
		enum place place;
		unsigned place_l3;      /* with PLACE_L3 */
		struct cpus place_cpus; /* with PLACE_CPUS */
		bool emulator_auto;
		struct cpus emulator;
		enum isolate isolate;
		enum partition_type partition;
		char *model; /* "host", or a QEMU model, or NULL: host with KVM, max with TCG */
		bool hide_kvm, nested, fifo, cpu_pm;
		char *vendor_id;
		enum hyperv hyperv;
		struct strv flags; /* "+x2apic", "-hypervisor", "tsc-frequency=…" */
		enum caches caches;
	} cpu;
	struct {
		uint64_t size;
		enum hugepages hugepages;
	} memory;
	struct {
		enum firmware_type type;
		bool secure_boot;
		char *vars;
		char *code; /* path of an image of the user's choice, or NULL */
	} firmware;
	struct {
		enum tpm_version version;
		enum tpm_model model;
	} tpm;
	struct {
		struct strv order; /* names of [disk …], [cdrom …], [network …] */
		char *kernel, *initrd, *cmdline;
	} boot;
	struct {
		char *serial; /* stdio, pty, none, or a path */
		char *agent;  /* a socket that somebody listens on, or NULL */
	} console;
	struct conf_disk *disks, *cdroms; /* of a cdrom only name, path and bus count */
	size_t n_disks, n_cdroms;
	struct conf_pci *pci;
	size_t n_pci;
	struct conf_mdev *mdevs;
	size_t n_mdevs;
	struct conf_input *inputs;
	size_t n_inputs;
	struct conf_usb *usb;
	size_t n_usb;
	struct conf_network *networks;
	size_t n_networks;
	struct conf_monitor *monitors;
	size_t n_monitors;
	struct conf_share *shares;
	size_t n_shares;
	struct {
		enum display_mode mode;
		enum video video;
		char *resolution; /* "2560x1440" */
		bool gl;
		uint64_t hostmem; /* bytes; 0: no window of the host's memory */
		bool venus;
		unsigned port;  /* SPICE by TCP; 0: by a socket of the user's */
		char *listen;   /* an address; NULL: 127.0.0.1 */
		char *password; /* path of a file */
		char *tls;      /* path of a folder */
	} display;
	struct {
		enum audio_model model;
		enum audio_backend backend;
		unsigned rate, latency; /* Hz; milliseconds */
	} audio;
	struct {
		char *governor; /* or NULL: left as it is */
		char *energy;   /* energy_performance_preference */
		enum boost boost;
		enum profile profile;    /* of power-profiles-daemon or tuned */
		enum smt smt;            /* one thread of each core runs */
		unsigned weight;         /* CPUWeight of the machine's slice; 0: as systemd has it */
		enum oomd oomd;          /* ManagedOOMPreference of its scope */
		int oom_score;           /* oom_score_adj of QEMU */
		struct strv sysctl, kvm; /* "vm.stat_interval=120", "ignore_msrs=1" */
		struct strv stop;        /* units of systemd that do not run meanwhile */
		bool inhibit_sleep;
		enum notify notify;
		enum irqs irqs;
		enum vfio_way vfio;
		enum sleep_mode sleep;
		bool release_console; /* vtcon, framebuffer and display manager, for a single GPU */
		unsigned halt_poll_ns;
		bool has_halt_poll;
	} host;
	struct {
		char *before, *ready, *after;
		unsigned timeout; /* seconds */
		enum hook_failure failure;
	} hooks;
	struct {
		struct strv set;  /* "disk-main.PROPERTY=VALUE" */
		struct strv args; /* appended to QEMU's command line as they are */
		char *binary;     /* a path, or NULL: qemu-system-x86_64 in PATH */
	} qemu;
	struct conf_source *source; /* where each value stands; owned */
};

/* Lines of all that is wrong, in the order of the file: "win11.conf:14:9: unknown key …". */
struct conf_errors {
	struct strv lines;
};

/*
 * Parses text. `name` is how errors call the file; `sets` are "section.key=value" or "section name.key=value" of the command line (NULL for
 * none), which errors call `--set …`. Relative paths in the file are taken from `dir` (NULL: left as they are), those of `sets` from the
 * current directory, `~/` from HOME.
 * Returns NULL and adds to ret_errors when anything is wrong.
 */
struct config *config_parse(const char *text, const char *name, const char *dir, const struct strv *sets, struct conf_errors *ret_errors);
/*
 * Loads a file as the calling user: `arg` is a path (has a slash or ends in .conf), or a name found as NAME.conf in ~/.config/qlaunch, then
 * /etc/qlaunch. At most 1 MiB, a regular file. All errors of the file are in the text of the error, a line each, exit status EXIT_CONFIG.
 */
struct err *config_load(const char *arg, const struct strv *sets, struct config **ret_config);
/* The same with the rights of the one on whose behalf it is (base/behalf.h), who is *ret_caller then. */
struct err *config_load_as_caller(const char *arg, const struct strv *sets, struct user *ret_caller, struct config **ret_config);
/* A path has a slash or ends in .conf; anything else is a name, looked up where configurations are kept. Owned; NULL: nowhere. */
char *config_find(const char *arg);
/* "win11" of "/home/me/vm/win11.conf", for who cannot load it. Owned. */
char *config_name_of(const char *arg);
void config_free(struct config *c);
void config_freep(struct config **c);
#define cleanup_config cleanup(config_freep)

/* "win11.conf:14" of a key ("pci gpu", "address"); of the section where the key is not set; of the file where neither is. For errors that
 * only the host shows. Owned by the caller. */
char *config_where(const struct config *c, const char *section, const char *key);
