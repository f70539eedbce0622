/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * quickemu: its .conf is a shell script, and is read as text, never run: lines NAME=VALUE and NAME=(VALUE …). A value
 * that only a shell could work out is a note. See import.h.
 */
#include <ctype.h>
#include <stdlib.h>
#include "launcher/base/num.h"
#include "launcher/config/keys.h"
#include "launcher/import/import.h"

struct quickemu {
	struct draft *d;
	const char *dir;
	unsigned line;
	struct strv forwards;
	unsigned forward_line;
	const struct os *os;
	bool ssh, shared;
	bool named_os, no_network;
	char *disk_dir; /* where quickemu keeps the machine's own files */
};

/* What quickemu's script does otherwise for a system: by the beginning of guest_os, the first that fits. */
static const struct os {
	const char *name;
	const char *clock, *bus, *card, *video; /* card: of the network; video: with a picture */
	bool windows;                           /* Hyper-V's interfaces, and no HPET */
} systems[] = {
	{ "windows-server", "local", "sata", "e1000", "qxl", true },
	{ "windows", "local", "virtio", "virtio", "qxl", true },
	{ "macos", "utc", "virtio", "virtio", "virtio", false },
	{ "reactos", "local", "sata", "e1000", "virtio", false },
	{ "kolibrios", "local", "sata", "rtl8139", "virtio", false },
	{ "freedos", "local", "sata", "rtl8139", "virtio", false },
	{ "haiku", "utc", "virtio", "e1000", "virtio", false },
	{ "linux", "utc", "virtio", "virtio", "virtio", false },
	{ "", "utc", "virtio", "virtio", "virtio", false },
};

static void set(struct quickemu *q, const char *section, const char *key, const char *value)
{
	draft_set(q->d, q->line, section, key, value);
}

static char *absolute(const struct quickemu *q, const char *path)
{
	return *path == '/' || str_starts(path, "~/") ? str_dup(path) : str_fmt("%s/%s", q->dir, path);
}

static bool is_on(const char *value)
{
	return streq(value, "on") || streq(value, "true") || streq(value, "yes");
}

static void read_os(struct quickemu *q, const char *value)
{
	q->named_os = true;
	for (q->os = systems; !str_starts(value, q->os->name);)
		q->os++;
	if (str_starts(value, "macos"))
		draft_note(q->d, NOTE_FATAL, q->line,
			   "guest_os=%.40s: it does not start without quickemu's OpenCore disk, Apple's SMC and a CPU of its own making",
			   value);
	else if (!*q->os->name)
		draft_note(q->d, NOTE_MACHINE, q->line, "guest_os=%.40s: quickemu sets more for it than is carried over", value);
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

static void read_cdrom(struct quickemu *q, const char *value)
{
	cleanup_free char *path = absolute(q, value), *title = draft_title(q->d, "cdrom", "iso");
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
	set(q, "firmware", "type", streq(value, "legacy") ? "bios" : "uefi");
}

static void read_secureboot(struct quickemu *q, const char *value)
{
	set(q, "firmware", "secure-boot", is_on(value) ? "yes" : "no");
}

static void read_tpm(struct quickemu *q, const char *value)
{
	set(q, "tpm", "version", is_on(value) ? "2.0" : "none");
}

static void read_display(struct quickemu *q, const char *value)
{
	bool spice = str_starts(value, "spice"), none = streq(value, "none");
	set(q, "display", "mode", spice ? "spice" : none ? "none" : "window");
}

static void read_gl(struct quickemu *q, const char *value)
{
	set(q, "display", "gl", is_on(value) ? "yes" : "no");
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
		set(q, "network lan", "mode", "isolated");
	} else if (!streq(value, "user")) {
		set(q, "network lan", "mode", "bridge");
		set(q, "network lan", "bridge", value);
	}
}

static void read_sound(struct quickemu *q, const char *value)
{
	set(q, "audio", "model", streq(value, "none") ? "none" : str_starts(value, "usb") ? "usb" : "hda");
}

static void read_args(struct quickemu *q, const char *value)
{
	set(q, "qemu", "args", value);
}

/* A disk that it starts from, raw: a stick's image. */
static void read_image(struct quickemu *q, const char *value)
{
	cleanup_free char *path = absolute(q, value), *title = draft_title(q->d, "disk", "image");
	set(q, title, "path", path);
	set(q, title, "format", "raw");
	set(q, title, "bus", "sata");
}

static void read_resolution(struct quickemu *q, const char *value)
{
	set(q, "display", "resolution", value);
}

/* read NULL: quickemu's own business, without meaning here. */
static const struct {
	const char *name;
	void (*read)(struct quickemu *q, const char *value);
} keys[] = {
	{ "guest_os", read_os }, { "disk_img", read_disk }, { "iso", read_cdrom }, { "fixed_iso", read_cdrom },
	{ "ram", read_ram }, { "cpu_cores", read_cores }, { "boot", read_boot }, { "secureboot", read_secureboot },
	{ "tpm", read_tpm }, { "display", read_display }, { "gl", read_gl }, { "port_forwards", read_forward },
	{ "ssh_port", read_ssh_port }, { "usb_devices", read_usb }, { "public_dir", read_share }, { "macaddr", read_mac },
	{ "network", read_network }, { "sound_card", read_sound }, { "extra_args", read_args }, { "disk_format", read_format },
	{ "keyboard", NULL }, { "mouse", NULL }, { "keyboard_layout", NULL }, { "usb_controller", NULL }, { "sound_duplex", NULL },
	{ "screen", NULL }, { "screenpct", NULL }, { "fullscreen", NULL }, { "vm_monitor", NULL }, { "monitor_telnet_port", NULL },
	{ "monitor_telnet_host", NULL }, { "monitor_cmd", NULL }, { "serial_telnet_host", NULL }, { "serial_telnet_port", NULL },
	{ "access", NULL }, { "accessible", NULL }, { "braille", NULL }, { "smartcard", NULL },
	{ "img", read_image }, { "resolution", read_resolution },
	{ "disk_size", NULL }, { "preallocation", NULL }, { "viewer", NULL }, { "monitor", NULL }, { "monitor_port", NULL },
	{ "serial", NULL }, { "serial_port", NULL }, { "spice_port", NULL },
};

static void take(struct quickemu *q, const char *name, const char *value)
{
	if (strpbrk(value, "$`")) {
		draft_note(q->d, NOTE_MACHINE, q->line, "%.40s=%.100s is worked out by the shell", name, value);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!streq(keys[i].name, name))
			continue;
		if (keys[i].read && *value)
			keys[i].read(q, value);
		return;
	}
	draft_note(q->d, NOTE_MACHINE, q->line, "%.40s=%.100s", name, value);
}

/* One word of a value: quoted, or up to a blank, a closing parenthesis or a comment. Moves *at behind it; NULL: there is
 * none. */
static char *next_word(const char **at)
{
	struct sb word = {};
	const char *p = *at + strspn(*at, " \t");
	char quote = 0;
	if (!*p || strchr(");#", *p)) {
		*at = p;
		return NULL;
	}
	for (; *p && (quote || !strchr(" \t);", *p)); p++) {
		if (quote ? *p == quote : *p == '"' || *p == '\'')
			quote = quote ? 0 : *p;
		else
			sb_addc(&word, *p);
	}
	*at = p;
	return sb_steal(&word);
}

/* NAME=VALUE, or NAME=( VALUE …, which `array` keeps open over lines. */
static void take_line(struct quickemu *q, const char *line, char **array)
{
	const char *at = line + strspn(line, " \t");
	if (!*array) {
		size_t n = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
		if (!*at || *at == '#')
			return;
		if (!n || at[n] != '=') {
			draft_note(q->d, NOTE_MACHINE, q->line, "%.100s", at);
			return;
		}
		cleanup_free char *name = str_ndup(at, n);
		at += n + 1;
		if (*at != '(') {
			cleanup_free char *value = next_word(&at);
			take(q, name, value ? value : "");
			at += strspn(at, " \t;");
			if (*at && *at != '#')
				draft_note(q->d, NOTE_MACHINE, q->line, "%.100s", at);
			return;
		}
		*array = steal(name);
		at++;
	}
	for (char *value; (value = next_word(&at)); free(value))
		take(q, *array, value);
	if (*at == ')') {
		free(*array);
		*array = NULL;
	}
}

static void fill(struct quickemu *q, const char *section, const char *key, const char *value)
{
	cleanup_free char *kind = str_ndup(section, strcspn(section, " "));
	if (!draft_get(q->d, section, key) && conf_key_takes(kind, key, value))
		draft_set(q->d, 1, section, key, value);
}

/* What quickemu does where the file says nothing. */
static void defaults(struct quickemu *q, const char *name)
{
	cleanup_free char *own = draft_name(name);
	const char *disk = draft_get(q->d, "disk main", "path");
	draft_set(q->d, 1, "vm", "name", own);
	fill(q, "cpu", "nested", "yes"); /* -cpu host, as it is */
	fill(q, "memory", "size", "8G");
	fill(q, "firmware", "type", "uefi");
	fill(q, "clock", "base", q->os->clock);
	fill(q, "clock", "pit", "discard");
	fill(q, "clock", "hpet", q->os->windows ? "no" : "yes");
	fill(q, "cpu", "hyperv", q->os->windows ? "on" : "off");
	fill(q, "console", "agent", "yes");
	fill(q, "display", "mode", "window");
	fill(q, "display", "video", q->os->video);
	fill(q, "display", "gl", "yes");
	fill(q, "audio", "model", "hda");
	if (disk) {
		fill(q, "disk main", "format", str_ends(disk, ".raw") || str_ends(disk, ".img") ? "raw" : "qcow2");
		fill(q, "disk main", "bus", q->os->bus);
	}
	if (!q->shared)
		draft_set(q->d, 1, "share public", "path", "~/Public");
	if (q->disk_dir) {
		strv_addf(&q->d->vars, "%s/OVMF_VARS.fd", q->disk_dir);
		strv_addf(&q->d->tpm, "%s/tpm2-00.permall", q->disk_dir);
	}
}

static void network(struct quickemu *q)
{
	const char *mode = draft_get(q->d, "network lan", "mode");
	if (q->no_network) {
		draft_drop(q->d, "network lan");
		return;
	}
	fill(q, "network lan", "mode", "user");
	fill(q, "network lan", "model", q->os->card);
	if (mode && !streq(mode, "user"))
		return;
	if (!q->ssh) /* its first choice where it is free */
		strv_add(&q->forwards, "tcp:22220:22");
	cleanup_free char *forwards = strv_join(&q->forwards, " ");
	draft_set(q->d, q->forward_line ? q->forward_line : 1, "network lan", "forward", forwards);
}

struct err *import_quickemu(const char *text, const char *name, const char *dir, struct draft *d)
{
	struct quickemu q = { .d = d, .dir = dir, .os = &systems[ARRAY_SIZE(systems) - 1] };
	cleanup_free char *array = NULL;
	while (*text) {
		size_t n = strcspn(text, "\r\n");
		cleanup_free char *line = str_ndup(text, n);
		q.line++;
		take_line(&q, line, &array);
		text += n;
		text += *text == '\r';
		text += *text == '\n';
	}
	if (!draft_get(d, "disk main", "path") && !q.named_os) {
		strv_free(&q.forwards);
		free(q.disk_dir);
		return err_exit(err_new("neither libvirt's domain XML nor a quickemu configuration"), EXIT_CONFIG);
	}
	defaults(&q, name);
	network(&q);
	strv_free(&q.forwards);
	free(q.disk_dir);
	return NULL;
}
