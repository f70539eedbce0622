/* SPDX-License-Identifier: GPL-2.0-or-later */
/* quickemu: its words, and what each becomes. See quickemu.h. */
#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include "launcher/base/num.h"
#include "launcher/import/quickemu.h"

/* The first that fits. */
static const struct quickemu_os systems[] = {
	{ "windows-server", "local", "sata", "e1000", "qxl", NULL, true, false, NULL },
	{ "windows", "local", "virtio", "virtio", "qxl", NULL, true, false, NULL },
	{ "macos", "utc", "virtio", "virtio", "virtio", "vmware-svga", false, false, NULL },
	{ "reactos", "local", "sata", "e1000", "qxl", NULL, false, true, "qemu32" },
	{ "kolibrios", "utc", "sata", "rtl8139", "qxl", NULL, false, true, "qemu32" },
	{ "freedos", "local", "virtio", "rtl8139", "qxl", NULL, false, true, NULL },
	{ "haiku", "utc", "virtio", "rtl8139", "qxl", NULL, false, true, NULL },
	{ "solaris", "utc", "virtio", "virtio", "virtio", "vmware-svga", false, true, NULL },
	{ "batocera", "utc", "virtio", "rtl8139", "qxl", NULL, false, true, NULL },
	{ "linux_old", "utc", "virtio", "virtio", "virtio", "vmware-svga", false, false, NULL },
	{ "linux*", "utc", "virtio", "virtio", "virtio", NULL, false, false, NULL },
	{ "*bsd", "utc", "virtio", "virtio", "virtio", "VGA", false, false, NULL },
	{ "*", "utc", "virtio", "rtl8139", "qxl", NULL, false, false, NULL },
};
const struct quickemu_os *const quickemu_default_os = &systems[ARRAY_SIZE(systems) - 3];

static void set(struct quickemu *q, const char *section, const char *key, const char *value)
{
	draft_set(q->d, q->line, section, key, value);
}

static char *absolute(const struct quickemu *q, const char *path)
{
	return *path == '/' || str_starts(path, "~/") ? str_dup(path) : str_fmt("%s/%s", q->dir, path);
}

/* As quickemu asks: "yes" and "true" are off. */
static bool is_on(const char *value)
{
	return streq(value, "on");
}

static char *lower(const char *text)
{
	char *out = str_dup(text);
	for (char *p = out; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return out;
}

static void read_os(struct quickemu *q, const char *value)
{
	cleanup_free char *name = lower(value);
	q->named_os = true;
	for (q->os = systems; fnmatch(q->os->name, name, 0) != 0;)
		q->os++;
	if (streq(q->os->name, "macos"))
		draft_note(q->d, NOTE_FATAL, q->line,
			   "guest_os=%.40s: it does not start without quickemu's OpenCore disk, Apple's SMC and a CPU of its own making",
			   value);
	else if (streq(q->os->name, "*"))
		draft_note(q->d, NOTE_MACHINE, q->line, "guest_os=%.40s: quickemu may set more for it than is carried over", value);
	if (q->os->old_board)
		draft_note(q->d, NOTE_MACHINE, q->line,
			   "guest_os=%.40s: quickemu gives it a PC's board of the nineties (i440FX); it is q35 here", value);
	if (streq(q->os->name, "freedos"))
		draft_note(q->d, NOTE_MACHINE, q->line,
			   "guest_os=%.40s: its network card (pcnet) is rtl8139 here, its sound card (sb16) hda", value);
	if (streq(q->os->name, "solaris"))
		draft_note(q->d, NOTE_MACHINE, q->line, "guest_os=%.40s: its sound card (ac97) is hda here", value);
	if (q->os->other_video)
		draft_note(q->d, NOTE_MACHINE, q->line,
			   "guest_os=%.40s: its graphics card (%s) is virtio here: a guest without the driver has one fixed resolution",
			   value, q->os->other_video);
}

static void read_arch(struct quickemu *q, const char *value)
{
	if (!streq(value, "x86_64"))
		draft_note(q->d, NOTE_FATAL, q->line, "arch=%.40s: it will be x86_64 here, on which this guest does not run", value);
}

static void read_disk(struct quickemu *q, const char *value)
{
	cleanup_free char *path = absolute(q, value);
	char *slash = strrchr(path, '/');
	set(q, "disk main", "path", path);
	free(q->disk_dir);
	q->disk_dir = str_ndup(path, (size_t)(slash - path));
}

static void read_format(struct quickemu *q, const char *value)
{
	if (streq(value, "raw") || streq(value, "qcow2"))
		set(q, "disk main", "format", value);
	else
		draft_note(q->d, NOTE_FATAL, q->line, "disk_format=%.20s: convert it: qemu-img convert -O qcow2", value);
}

/* The medium of an installation: import_state leaves it out once the disk is in use, as quickemu does. KolibriOS runs from it. */
static void read_cdrom(struct quickemu *q, const char *value)
{
	cleanup_free char *path = absolute(q, value), *title = draft_title(q->d, "cdrom", streq(q->os->name, "kolibrios") ? "live" : "iso");
	set(q, title, "path", path);
}

static void read_fixed(struct quickemu *q, const char *value)
{
	cleanup_free char *path = absolute(q, value), *title = draft_title(q->d, "cdrom", "fixed");
	set(q, title, "path", path);
}

static void read_ram(struct quickemu *q, const char *value)
{
	uint64_t bytes = 0;
	cleanup_err struct err *e = size_parse(value, &bytes);
	cleanup_free char *size = e ? NULL : size_format(bytes);
	if (size)
		set(q, "memory", "size", size);
	else
		draft_note(q->d, NOTE_MACHINE, q->line, "ram=%.40s", value);
}

static void read_boot(struct quickemu *q, const char *value)
{
	cleanup_free char *how = lower(value);
	bool uefi = strstr(how, "efi") != NULL;
	set(q, "firmware", "type", uefi ? "uefi" : "bios");
	if (!uefi && !q->os->old_board)
		draft_note(
			q->d, NOTE_FATAL, q->line,
			"boot=%.20s: its board is an old one (i440FX), and q35 here: Windows may stop at its first start for want of its disk's driver "
			"(boot it in safe mode once)",
			value);
}

static void read_secureboot(struct quickemu *q, const char *value)
{
	set(q, "firmware", "secure-boot", is_on(value) ? "yes" : "no");
}

static void read_tpm(struct quickemu *q, const char *value)
{
	set(q, "tpm", "version", is_on(value) ? "2.0" : "none");
}

/* "none" is a picture that nobody looks at, but may, by SPICE. */
static void read_display(struct quickemu *q, const char *value)
{
	bool none = streq(value, "none");
	q->no_picture = none;
	q->spice = none || str_starts(value, "spice");
	set(q, "display", "mode", q->spice ? "spice" : "window");
	if (none)
		draft_note(
			q->d, NOTE_MINOR, q->line,
			"display=none: the picture is at a socket of SPICE's here, too, and is shown where there is a desktop; mode = none in [display] has none");
}

static void read_gl(struct quickemu *q, const char *value)
{
	set(q, "display", "gl", streq(value, "off") ? "no" : "yes");
}

static void read_width(struct quickemu *q, const char *value)
{
	str_set(&q->width, value);
}

static void read_height(struct quickemu *q, const char *value)
{
	str_set(&q->height, value);
}

static void read_outputs(struct quickemu *q, const char *value)
{
	if (!streq(value, "1"))
		draft_note(q->d, NOTE_MINOR, q->line, "max_outputs=%.10s: one monitor there is here", value);
}

/* "22:2200": of the host, then of the guest. */
static void read_forward(struct quickemu *q, const char *value)
{
	q->forward_line = q->line;
	draft_note(
		q->d, NOTE_MINOR, q->line,
		"port_forwards: other computers reach the guest by them with quickemu; here this host alone, unless the forward says 0.0.0.0");
	strv_addf(&q->forwards, "tcp:%s", value);
	strv_addf(&q->forwards, "udp:%s", value);
}

static void read_ssh_port(struct quickemu *q, const char *value)
{
	q->forward_line = q->line;
	q->ssh = true;
	strv_addf(&q->forwards, "tcp:%s:22", value);
}

static void read_usb(struct quickemu *q, const char *value)
{
	cleanup_free char *title = draft_title(q->d, "usb", "device");
	set(q, title, "id", value);
}

static void read_cores(struct quickemu *q, const char *value)
{
	set(q, "cpu", "threads", value);
}

static void read_share(struct quickemu *q, const char *value)
{
	cleanup_free char *path = absolute(q, value);
	q->shared = true;
	if (!streq(value, "none"))
		set(q, "share public", "path", path);
}

static void read_mac(struct quickemu *q, const char *value)
{
	set(q, "network lan", "mac", value);
}

static void read_network(struct quickemu *q, const char *value)
{
	if (streq(value, "none")) {
		q->no_network = true;
	} else if (streq(value, "restrict")) {
		q->restricted = true;
		set(q, "network lan", "mode", "isolated");
	} else if (!streq(value, "user")) {
		set(q, "network lan", "mode", "bridge");
		set(q, "network lan", "bridge", value);
	}
}

static void read_sound(struct quickemu *q, const char *value)
{
	bool usb = str_starts(value, "usb"), none = streq(value, "none");
	set(q, "audio", "model", none ? "none" : usb ? "usb" : "hda");
	if (!none && !usb && !strstr(value, "intel-hda"))
		draft_note(q->d, NOTE_MACHINE, q->line, "sound_card=%.20s is hda here", value);
}

/* A line that "telnet" has listen on the network. */
static void read_serial(struct quickemu *q, const char *value)
{
	set(q, "console", "serial", streq(value, "none") ? "none" : "pty");
}

static void read_floppy(struct quickemu *q, const char *value)
{
	draft_note(q->d, NOTE_MACHINE, q->line, "floppy=%.100s: there is no floppy drive", value);
}

static void read_args(struct quickemu *q, const char *value)
{
	set(q, "qemu", "args", value);
}

/* quickemu gives it to two systems only. */
static void read_image(struct quickemu *q, const char *value)
{
	bool batocera = streq(q->os->name, "batocera");
	cleanup_free char *path = absolute(q, value), *title = draft_title(q->d, "disk", "image");
	if (!batocera && !streq(q->os->name, "macos"))
		return;
	set(q, title, "path", path);
	set(q, title, "format", "raw");
	set(q, title, "bus", batocera ? "virtio" : "sata");
}

/* read NULL: quickemu's own business, without meaning here. guest_os is read before all others. */
static const struct {
	const char *name;
	void (*read)(struct quickemu *q, const char *value);
} keys[] = {
	{ "guest_os", read_os }, { "arch", read_arch }, { "disk_img", read_disk }, { "iso", read_cdrom }, { "fixed_iso", read_fixed },
	{ "ram", read_ram }, { "cpu_cores", read_cores }, { "boot", read_boot }, { "secureboot", read_secureboot },
	{ "tpm", read_tpm }, { "display", read_display }, { "gl", read_gl }, { "width", read_width }, { "height", read_height },
	{ "max_outputs", read_outputs }, { "port_forwards", read_forward }, { "ssh_port", read_ssh_port }, { "usb_devices", read_usb },
	{ "public_dir", read_share }, { "macaddr", read_mac }, { "network", read_network }, { "bridge", read_network },
	{ "sound_card", read_sound }, { "extra_args", read_args }, { "disk_format", read_format }, { "serial", read_serial },
	{ "floppy", read_floppy }, { "img", read_image },
	{ "keyboard", NULL }, { "mouse", NULL }, { "keyboard_layout", NULL }, { "usb_controller", NULL }, { "sound_duplex", NULL },
	{ "screen", NULL }, { "screenpct", NULL }, { "fullscreen", NULL }, { "vm_monitor", NULL }, { "monitor_telnet_port", NULL },
	{ "monitor_telnet_host", NULL }, { "monitor_cmd", NULL }, { "serial_telnet_host", NULL }, { "serial_telnet_port", NULL },
	{ "access", NULL }, { "accessible", NULL }, { "braille", NULL }, { "smartcard", NULL }, { "disk_size", NULL },
	{ "preallocation", NULL }, { "viewer", NULL }, { "monitor", NULL }, { "monitor_port", NULL }, { "serial_port", NULL },
	{ "spice_port", NULL },
};

void quickemu_take(struct quickemu *q, const char *name, const char *value)
{
	if (strpbrk(value, "$`")) {
		draft_note(q->d, NOTE_MACHINE, q->line, "%.40s=%.100s is worked out by the shell", name, value);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!streq(keys[i].name, name))
			continue;
		if (keys[i].read && *value && (keys[i].read == read_os) == q->reads_os)
			keys[i].read(q, value);
		return;
	}
	draft_note(q->d, NOTE_MACHINE, q->line, "%.40s=%.100s", name, value);
}
