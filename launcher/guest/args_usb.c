/* SPDX-License-Identifier: GPL-2.0-or-later */
/* usb: see usb.h. */
#include "launcher/guest/args_usb.h"

/* The pointer of a window and a sound card are plugged in, too. */
void guest_usb(struct args *out, const struct config *c)
{
	bool window = c->display.mode == DISPLAY_SPICE || c->display.mode == DISPLAY_WINDOW;
	if (c->n_usb || window || c->audio.model == AUDIO_USB)
		args_json(out, "-device",
			  json_pack("{s:s, s:s, s:s, s:s, s:i, s:i}", "driver", "qemu-xhci", "id", "usb", "bus",
				    "pcie.0", "addr", "03.0", "p2", 15, "p3", 15),
			  "a USB controller; devices are attached when they are plugged in");
}

json_t *guest_usb_device(const char *id, int fdset)
{
	return json_pack("{s:s, s:s, s:s, s:o}", "driver", "usb-host", "id", id, "bus", USB_BUS, "hostdevice",
			 json_sprintf("/dev/fdset/%d", fdset));
}
