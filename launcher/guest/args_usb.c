/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usb: see usb.h. */
#include "launcher/base/tr.h"
#include "launcher/guest/args_usb.h"
#include "launcher/guest/slots.h"

/* Among the user's own arguments: "usb-kbd,…", or JSON with such a driver. */
static bool args_plug_in(const struct strv *args)
{
	for (size_t i = 0; i < args->n; i++)
		if (str_starts(args->v[i], "usb-") || (*args->v[i] == '{' && strstr(args->v[i], "\"usb-")))
			return true;
	return false;
}

/* The pointer of a window, a sound card and devices of the user's own are plugged in, too. */
void guest_usb(struct args *out, const struct config *c)
{
	bool window = c->display.mode == DISPLAY_SPICE || c->display.mode == DISPLAY_WINDOW;
	if (!c->n_usb && !window && c->audio.model != AUDIO_USB && !args_plug_in(&c->qemu.args))
		return;
	json_t *o = json_pack("{s:s, s:s, s:i, s:i}", "driver", "qemu-xhci", "id", "usb", "p2", 15, "p3", 15);
	slot_put(o, SLOT_USB, 0, 1);
	args_json(out, "-device", o, "a USB controller; devices are attached when they are plugged in");
}

json_t *guest_usb_device(const char *id, int fdset, int boot)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:o}", "driver", "usb-host", "id", id, "bus", USB_BUS, "hostdevice",
			      json_sprintf("/dev/fdset/%d", fdset));
	if (boot)
		json_object_set_new(o, "bootindex", json_integer(boot));
	return o;
}

void guest_usb_findings(struct findings *out, const struct config *c, const struct qemu_facts *q)
{
	if (c->n_usb && !qemu_has(q, "device:usb-host"))
		findings_add(out, FINDING_BAD, "usb", tr_dup("this QEMU cannot pass USB devices on"),
			     tr_dup("apt-get install qemu-system-x86, pacman -S qemu-hw-usb-host or dnf install qemu-device-usb-host"));
}
