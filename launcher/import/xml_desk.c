/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xml: the person's side of the machine: picture, sound, serial lines. See xml.h. */
#include <stdio.h>
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/import/xml.h"

#define MIB (UINT64_C(1) << 20)

/* A sibling of the kind, the first; NULL. */
static struct node *device(struct xml_import *im, const char *name)
{
	return node_child(im->whole ? node_child(im->root, "devices") : im->root, name);
}

static bool is_first(const struct node *n)
{
	for (size_t i = 0; i < n->parent->n_children; i++)
		if (streq(n->parent->children[i]->name, n->name))
			return n->parent->children[i] == n;
	return true;
}

/* ---- picture ---- */

static bool has_looking_glass(struct xml_import *im)
{
	struct node *shmem = device(im, "shmem");
	const char *name = shmem ? node_attr(shmem, "name") : NULL;
	return name && streq(name, "looking-glass");
}

static void read_listener(struct xml_import *im, struct node *n, const char *type)
{
	static const char *const attrs[] = { "port", "tlsPort", "listen", "passwd", "websocket" };
	struct node *listen = node_child(n, "listen");
	const char *address = node_attr(listen, "address"), *kind = node_attr(listen, "type");
	bool secret = false, remote = kind && streq(kind, "network");
	cleanup_sb struct sb what = {};
	for (size_t i = 0; i < ARRAY_SIZE(attrs); i++) {
		const char *value = node_attr(n, attrs[i]);
		if (!value || streq(value, "-1"))
			continue;
		bool password = streq(attrs[i], "passwd");
		secret |= password;
		remote |= streq(attrs[i], "listen") && !str_starts(value, "127.") && !streq(value, "localhost") && !streq(value, "::1");
		sb_addf(&what, " %s%s%.60s", attrs[i], password ? "" : "=", password ? "" : value);
	}
	remote |= address && !str_starts(address, "127.") && !streq(address, "localhost") && !streq(address, "::1");
	if (what.s || remote)
		draft_note(im->d, remote ? NOTE_MACHINE : NOTE_MINOR, n->line,
			   "<graphics type='%.20s'%s>: the picture is at a socket of the user's alone here, not on the network%s", type,
			   what.s ? what.s : "", secret ? tr(", and needs no password") : "");
}

static void read_graphics(struct xml_import *im, struct node *n)
{
	const char *type = node_attr(n, "type");
	struct node *gl = node_child(n, "gl");
	if (!type || !is_first(n)) {
		node_take(n);
		draft_note(im->d, NOTE_MINOR, n->line, "<graphics type='%.20s'>: one way to the picture there is, the first",
			   type ? type : "");
		return;
	}
	bool window = streq(type, "sdl") || streq(type, "gtk"), headless = streq(type, "egl-headless");
	if (!window && !streq(type, "spice"))
		draft_note(im->d, NOTE_MACHINE, n->line, "<graphics type='%.20s'> is spice here", type);
	if (!window && !headless)
		read_listener(im, n, type);
	draft_set(im->d, n->line, "display", "mode", has_looking_glass(im) ? "looking-glass" : window ? "window" : "spice");
	if (headless || (gl && node_is(gl, "enable", "yes")))
		draft_set(im->d, gl ? gl->line : n->line, "display", "gl", "yes");
}

static void read_video(struct xml_import *im, struct node *n)
{
	struct node *model = node_child(n, "model"), *accel = node_child(model, "acceleration"),
		    *resolution = node_child(model, "resolution");
	const char *type = node_attr(model, "type"), *heads = node_attr(model, "heads");
	if (!is_first(n)) {
		node_take(n);
		draft_note(im->d, NOTE_MACHINE, n->line, "a second <video>: one virtual graphics card there is, the first");
		return;
	}
	bool kept = type && (streq(type, "virtio") || streq(type, "qxl") || streq(type, "none"));
	if (!kept)
		draft_note(im->d, NOTE_MACHINE, n->line,
			   "<video> of type %.20s is virtio here: a guest without its driver has one fixed resolution", type ? type : "");
	draft_set(im->d, n->line, "display", "video", kept ? type : "virtio");
	if (accel && node_is(accel, "accel3d", "yes"))
		draft_set(im->d, accel->line, "display", "gl", "yes");
	const char *x = node_attr(resolution, "x"), *y = node_attr(resolution, "y");
	if (x && y)
		draft_setf(im->d, resolution->line, "display", "resolution", "%.5sx%.5s", x, y);
	if (heads && !streq(heads, "1"))
		draft_note(im->d, NOTE_MINOR, model->line, "<video> with %.10s heads: one monitor there is here", heads);
}

/* Looking Glass: its memory is sized by the picture, so that the size tells a picture that makes it as large. */
static void read_shmem(struct xml_import *im, struct node *n)
{
	static const struct {
		uint64_t bytes;
		const char *resolution;
	} sizes[] = { { 16 * MIB, "1024x768" },	   { 32 * MIB, "1920x1080" },  { 64 * MIB, "2560x1440" },
		      { 128 * MIB, "3840x2160" }, { 256 * MIB, "6016x3384" }, { 512 * MIB, "7680x4320" } };
	const char *name = node_attr(n, "name");
	struct node *size = node_child(n, "size"), *model = node_child(n, "model");
	uint64_t bytes = size ? xml_size(im, size, "MiB") : 4 * MIB;
	bool plain = !model || node_is(model, "type", "ivshmem-plain");
	for (size_t i = 0; plain && name && streq(name, "looking-glass") && i < ARRAY_SIZE(sizes); i++) {
		if (bytes != sizes[i].bytes)
			continue;
		if (!draft_get(im->d, "display", "resolution"))
			draft_set(im->d, n->line, "display", "resolution", sizes[i].resolution);
		draft_set(im->d, n->line, "display", "mode", "looking-glass");
		return;
	}
	draft_note(im->d, NOTE_MACHINE, n->line, "<shmem name='%.40s'> of %llu MiB: only Looking Glass's memory can be carried over", name ? name : "",
		   (unsigned long long)(bytes / MIB));
}

/* ---- sound ---- */

/* The <audio> that the card plays to: by its id, else the first. */
static struct node *audio_of(struct xml_import *im, struct node *sound)
{
	const char *id = node_attr(node_child(sound, "audio"), "id");
	struct node *devices = im->whole ? node_child(im->root, "devices") : im->root;
	for (size_t i = 0; i < devices->n_children; i++) {
		struct node *a = devices->children[i];
		if (streq(a->name, "audio") && (!id || node_is(a, "id", id)))
			return a;
	}
	return NULL;
}

static void read_audio_side(struct xml_import *im, struct node *side)
{
	const char *latency = node_attr(side, "latency"), *frequency = node_attr(node_child(side, "settings"), "frequency");
	unsigned long us = 0;
	if (latency && xml_decimal(latency, 1000000, &us))
		draft_setf(im->d, side->line, "audio", "latency", "%lu", us < 1000 ? 1 : us / 1000);
	else if (latency)
		draft_set(im->d, side->line, "audio", "latency", latency);
	if (frequency)
		draft_set(im->d, side->line, "audio", "rate", frequency);
}

/* libvirt's own where there is none: spice with spice, else nobody hears it. */
static void read_backend(struct xml_import *im, struct node *sound, struct node *audio)
{
	static const struct {
		const char *type, *backend;
	} backends[] = { { "pipewire", "pipewire" }, { "pulseaudio", "pa" }, { "spice", "spice" }, { "none", "none" } };
	struct node *graphics = device(im, "graphics");
	bool spice = graphics && node_is(graphics, "type", "spice");
	const char *type = audio ? node_attr(audio, "type") : spice ? "spice" : "none";
	unsigned line = audio ? audio->line : sound->line;
	if (!audio && !im->whole)
		return;
	if (type && streq(type, "spice") && !spice) {
		draft_note(im->d, NOTE_MINOR, line,
			   "<audio type='spice'> without spice: nobody hears it; backend = auto in [audio] plays to this desktop");
		type = "none";
	}
	for (size_t i = 0; type && i < ARRAY_SIZE(backends); i++)
		if (streq(type, backends[i].type)) {
			draft_set(im->d, line, "audio", "backend", backends[i].backend);
			return;
		}
	draft_note(im->d, NOTE_MINOR, line, "<audio type='%.20s'>: qlaunch plays to PipeWire or PulseAudio", type ? type : "");
}

static void read_sound(struct xml_import *im, struct node *n)
{
	const char *model = node_attr(n, "model");
	if (!is_first(n)) {
		node_take(n);
		draft_note(im->d, NOTE_MACHINE, n->line, "<sound model='%.20s'>: one sound card there is, the first", model ? model : "");
		return;
	}
	bool usb = model && streq(model, "usb");
	if (model && !usb && !str_starts(model, "ich"))
		draft_note(im->d, NOTE_MACHINE, n->line, "<sound model='%.20s'> is hda here", model);
	else if (model && !usb && !streq(model, "ich9"))
		draft_note(im->d, NOTE_MINOR, n->line, "<sound model='%.20s'> is ich9 here, which wants no other driver", model);
	draft_set(im->d, n->line, "audio", "model", usb ? "usb" : "hda");
	struct node *audio = audio_of(im, n), *input = node_child(audio, "input"), *output = node_child(audio, "output");
	read_backend(im, n, audio);
	if (output)
		read_audio_side(im, output);
	if (input)
		read_audio_side(im, input);
}

/* Without a card it sounds to nobody: the card's reader has read what counts of it. */
static void read_audio(struct xml_import *im, struct node *n)
{
	if (!device(im, "sound"))
		node_take(n);
	node_attr(n, "id");
}

/* ---- lines ---- */

static void read_serial(struct xml_import *im, struct node *n)
{
	const char *type = node_attr(n, "type"), *path = node_attr(node_child(n, "source"), "path");
	if (draft_get(im->d, "console", "serial")) {
		node_take(n);
		if (!streq(n->name, "console")) /* that is the same line again, as libvirt writes it */
			draft_note(im->d, NOTE_MINOR, n->line, "a second <serial>: one there is, the first");
	} else if (type && streq(type, "pty")) {
		draft_set(im->d, n->line, "console", "serial", "pty");
	} else if (type && streq(type, "file") && path && *path == '/') {
		draft_set(im->d, n->line, "console", "serial", path);
	} else {
		draft_note(im->d, NOTE_MINOR, n->line, "<%s type='%.20s'>: the serial port leads to a terminal or a file", n->name,
			   type ? type : "");
	}
}

/* Spice's line comes with spice. */
static void read_channel(struct xml_import *im, struct node *n)
{
	struct node *target = node_child(n, "target");
	const char *name = node_attr(target, "name"), *type = node_attr(n, "type");
	if (name && str_starts(name, "org.qemu.guest_agent"))
		draft_set(im->d, n->line, "console", "agent", "yes");
	else if (!type || !streq(type, "spicevmc"))
		draft_note(im->d, NOTE_MINOR, n->line, "<channel> %.60s: the guest does not have this line",
			   name   ? name
			   : type ? type
				  : "");
}

const struct xml_rule xml_desk_rules[] = {
	{ "devices/graphics", read_graphics },
	{ "devices/video", read_video },
	{ "devices/shmem", read_shmem },
	{ "devices/sound", read_sound },
	{ "devices/audio", read_audio },
	{ "devices/serial", read_serial },
	{ "devices/console", read_serial },
	{ "devices/channel", read_channel },
	{},
};
