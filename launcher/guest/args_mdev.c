/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mdev: see args_mdev.h. */
#include "launcher/base/tr.h"
#include "launcher/guest/args_mdev.h"
#include "launcher/guest/args_pci.h"
#include "launcher/guest/slots.h"

void guest_mdevs(struct args *out, const struct mdev_facts *f, unsigned first, unsigned ports, int fd)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct mdev *m = &f->v[i];
		unsigned n = first + (unsigned)i;
		json_t *port = slot_port(n, ports);
		/* the firmware's own picture is in the display by ramfb, which a device that can be unplugged has not */
		json_t *o = json_pack("{s:s, s:o}", "driver", m->conf->display ? "vfio-pci-nohotplug" : "vfio-pci", "id",
				      json_sprintf("mdev-%s", m->conf->name));
		if (fd < 0)
			json_object_set_new(o, "sysfsdev", json_sprintf("/sys/bus/mdev/devices/%s", m->uuid));
		else
			args_vfio_fd(o, fd + (int)i);
		json_object_set_new(o, "bus", json_sprintf("port%u", n));
		cleanup_free char *why = tr_fmt("[mdev %s] a slot of PCI Express, as the drivers expect", m->conf->name);
		if (m->conf->display) {
			json_object_set_new(o, "display", json_string("on"));
			json_object_set_new(o, "ramfb", json_true());
		}
		args_json(out, "-device", port, why);
		args_json(out, "-device", o, "a part of a card of the host's");
	}
}
