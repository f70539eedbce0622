/* SPDX-License-Identifier: GPL-2.0-or-later */
/* input: see input.h. */
#include "launcher/base/tr.h"
#include "launcher/guest/args_input.h"
#include "launcher/guest/slots.h"

/* In the words of QEMU's GrabToggleKeys (qapi/common.json). */
static const char *const toggles[] = {
	[TOGGLE_CTRL_CTRL] = "ctrl-ctrl",     [TOGGLE_ALT_ALT] = "alt-alt",
	[TOGGLE_SHIFT_SHIFT] = "shift-shift", [TOGGLE_META_META] = "meta-meta",
	[TOGGLE_SCROLLLOCK] = "scrolllock",   [TOGGLE_CTRL_SCROLLLOCK] = "ctrl-scrolllock",
};

/*
 * Who moves all the others along: the first keyboard that may. QEMU moves no device that has grab_all itself, so a
 * second one would stay behind, and so would a mouse.
 */
static bool leads(const struct input_facts *f, size_t i)
{
	for (size_t k = 0; k <= i; k++)
		if (f->v[k].is & INPUT_KEYBOARD && f->v[k].conf->grab)
			return k == i;
	return false;
}

json_t *guest_input_object(const struct input_facts *f, size_t i)
{
	const struct input *in = &f->v[i];
	json_t *o =
		json_pack("{s:s, s:o, s:s}", "qom-type", "input-linux", "id", json_sprintf("input-%s", in->conf->name), "evdev", in->evdev);
	if (in->is & (INPUT_KEYBOARD | INPUT_KEYS)) {
		json_object_set_new(o, "grab_all", json_boolean(leads(f, i)));
		json_object_set_new(o, "repeat", json_true());
		json_object_set_new(o, "grab-toggle", json_string(toggles[in->conf->toggle]));
	}
	return o;
}

static void add_virtio(struct args *out, const char *what, unsigned nth, unsigned n, const char *why)
{
	json_t *o = json_pack("{s:o, s:s}", "driver", json_sprintf("virtio-%s-pci", what), "id", what);
	slot_put(o, SLOT_INPUT, nth, n);
	args_json(out, "-device", o, why);
}

void guest_inputs(struct args *out, const struct input_facts *f)
{
	bool position = false;
	for (size_t i = 0; i < f->n; i++) {
		const struct input *in = &f->v[i];
		position |= in->is & INPUT_POINTER;
		if (!in->device)
			continue;
		cleanup_free char *why =
			str_fmt("[input %s] %s%s", in->conf->name, in->device->name, in->conf->persistent ? _(", by its twin") : "");
		args_json(out, "-object", guest_input_object(f, i), why);
	}
	if (!f->n)
		return;
	const unsigned n = position ? 3 : 2;
	add_virtio(out, "keyboard", 0, n, "what the guest types on; before it has the driver, on a PS/2 keyboard");
	add_virtio(out, "mouse", 1, n, NULL);
	if (position)
		add_virtio(out, "tablet", 2, n, NULL);
}
