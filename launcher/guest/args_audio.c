/* SPDX-License-Identifier: GPL-2.0-or-later */
/* audio: see audio.h. */
#include <stdio.h>
#include "launcher/base/tr.h"
#include "launcher/guest/args_audio.h"
#include "launcher/guest/args_usb.h"
#include "launcher/guest/slots.h"

#define USB_RATE 48000u /* of usb-audio, by its descriptors */

/* In the order of preference. */
static const struct backend {
	enum audio_backend id;
	const char *driver, *has, *remedy;
	bool latency;  /* takes out.latency */
	bool surround; /* takes what is not stereo */
} backends[] = {
	{ AUDIO_PIPEWIRE, "pipewire", "audiodev:pipewire",
	  N_("QEMU 8.1 with PipeWire (apt-get install qemu-system-gui, pacman -S "
	  "qemu-audio-pipewire, dnf install qemu-audio-pipewire); or audio.backend = pa, which PipeWire answers too"),
	  true, true },
	{ AUDIO_PA, "pa", "audiodev:pa",
	  N_("apt-get install qemu-system-gui, pacman -S qemu-audio-pa or dnf install qemu-audio-pa"), true, true },
	{ AUDIO_SPICE, "spice", "audiodev:spice",
	  N_("apt-get install qemu-system-modules-spice, pacman -S qemu-audio-spice or dnf install "
	  "qemu-audio-spice"),
	  false, false },
	{ AUDIO_SILENT, "none", "audiodev:none", NULL, false, true },
};

static const struct backend *find(enum audio_backend id)
{
	for (size_t i = 0; i < ARRAY_SIZE(backends); i++)
		if (backends[i].id == id)
			return &backends[i];
	return &backends[ARRAY_SIZE(backends) - 1];
}

/* Somebody hears it: QEMU does not start without the server that it is to play to. */
static bool listens(enum audio_backend id, const struct desktop_facts *d)
{
	return id == AUDIO_PIPEWIRE ? d->pipewire : id == AUDIO_PA ? d->pulse : id == AUDIO_SPICE ? d->spice != NULL : true;
}

enum audio_backend audio_choose(const struct config *c, const struct desktop_facts *d, const struct qemu_facts *q)
{
	if (c->audio.backend != AUDIO_AUTO)
		return c->audio.backend;
	for (size_t i = 0; i < ARRAY_SIZE(backends); i++)
		if (qemu_has(q, backends[i].has) && listens(backends[i].id, d))
			return backends[i].id;
	return AUDIO_SILENT;
}

static void add_backend(struct args *out, const struct config *c, const struct backend *b, bool surround)
{
	cleanup_free char *rate = str_fmt("%u", c->audio.rate);
	cleanup_free char *latency = b->latency && c->audio.latency ? str_fmt("%u", c->audio.latency * 1000) : NULL;
	/* QEMU's mixer is for stereo; past it, 5.1 goes to the sound server as it is */
	args_opts(out, "-audiodev", "where its sound goes, at the rate that was asked for: no crackling from resampling", b->driver, "id",
		  "audio", "out.mixing-engine", surround ? "off" : NULL, "out.frequency", surround ? NULL : rate, "in.frequency", rate,
		  "out.latency", latency, "in.latency", latency, NULL);
}

void guest_audio(struct args *out, const struct config *c, const struct desktop_facts *d, const struct qemu_facts *q)
{
	if (c->audio.model == AUDIO_NONE)
		return;
	const struct backend *b = find(audio_choose(c, d, q));
	bool surround = c->audio.model == AUDIO_USB && b->surround;
	add_backend(out, c, b, surround);
	if (c->audio.model == AUDIO_USB) {
		json_t *o = json_pack("{s:s, s:s, s:s}", "driver", "usb-audio", "bus", USB_BUS, "audiodev", "audio");
		if (surround)
			json_object_set_new(o, "multi", json_true());
		args_json(out, "-device", o,
			  surround ? "a USB sound card, 5.1 out" : N_("a USB sound card, stereo: more is not taken there"));
		return;
	}
	json_t *o = json_pack("{s:s, s:s}", "driver", "ich9-intel-hda", "id", "sound");
	slot_put(o, SLOT_SOUND, 0, 1);
	args_json(out, "-device", o, "Intel HD Audio, stereo out and in: every system has its driver");
	args_json(out, "-device", json_pack("{s:s, s:s, s:s}", "driver", "hda-duplex", "bus", "sound.0", "audiodev", "audio"), NULL);
}

static void add(struct findings *out, enum verdict verdict, const char *remedy, char *text)
{
	findings_add(out, verdict, "audio", text, tr_dup(remedy));
}

void audio_findings(struct findings *out, const struct config *c, const struct desktop_facts *d, const struct qemu_facts *q)
{
	if (c->audio.model == AUDIO_NONE)
		return;
	const struct backend *b = find(audio_choose(c, d, q));
	if (c->audio.model == AUDIO_HDA && !(qemu_has(q, "device:ich9-intel-hda") && qemu_has(q, "device:hda-duplex")))
		add(out, FINDING_BAD, N_("audio.model = usb, or another QEMU: qemu.binary = PATH"),
		    tr_dup("this QEMU has no Intel HD Audio"));
	if (c->audio.model == AUDIO_USB && !qemu_has(q, "device:usb-audio"))
		add(out, FINDING_BAD, N_("audio.model = hda, or another QEMU: qemu.binary = PATH"),
		    tr_dup("this QEMU has no USB sound card"));
	if (!qemu_has(q, b->has))
		add(out, FINDING_BAD, b->remedy, tr_fmt("this QEMU cannot play through \"%s\"", b->driver));
	else if (!listens(b->id, d))
		add(out, FINDING_BAD,
		    b->id == AUDIO_SPICE ? N_("display.mode = spice") : N_("log in to a desktop session first, or audio.backend = auto"),
		    tr_fmt("no %s server of the user's to play to", b->driver));
	else if (b->id == AUDIO_SILENT && c->audio.backend == AUDIO_AUTO)
		add(out, FINDING_WARN, N_("log in to a desktop session; install PipeWire or PulseAudio"),
		    tr_dup("no sound: neither PipeWire nor PulseAudio listens for this user, or QEMU cannot play to "
			   "them"));
	if (c->audio.model == AUDIO_USB && c->audio.rate != USB_RATE)
		add(out, FINDING_WARN, N_("audio.rate = 48000"), tr_fmt("the USB sound card has 48000 Hz only, not %u", c->audio.rate));
}
