/* SPDX-License-Identifier: GPL-2.0-or-later */
/* input: see input.h. Facts from sysfs: capability bitmaps as linux/input-event-codes.h numbers them. */
#include <linux/input-event-codes.h>
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/host/input/input.h"
#include "launcher/host/input/twin.h"

#define CLASS "/sys/class/input"
#define WORDS ((KEY_CNT + 63) / 64)

/* A capability bitmap: hexadecimal words of 64 bits (of 32 on a 32-bit kernel, which has no GPU to pass), the highest
 * first. */
struct bitmap {
	uint64_t w[WORDS];
};

static struct bitmap read_bitmap(struct root *root, const char *dir, const char *what)
{
	struct bitmap b = {};
	cleanup_free char *path = str_fmt("%s/capabilities/%s", dir, what), *text = root_read_or(root, path, "");
	cleanup_strv struct strv words = {};
	strv_split(&words, text, " ");
	for (size_t i = 0; i < words.n && i < WORDS; i++)
		b.w[i] = strtoull(words.v[words.n - 1 - i], NULL, 16);
	return b;
}

static bool has(const struct bitmap *b, unsigned bit)
{
	return b->w[bit / 64] >> bit % 64 & 1;
}

static bool is_button(unsigned code)
{
	return (code >= BTN_MISC && code < KEY_OK) || (code >= BTN_DPAD_UP && code < KEY_ALS_TOGGLE) || code >= BTN_TRIGGER_HAPPY;
}

static void count_keys(const struct bitmap *key, struct input_device *d)
{
	for (unsigned code = 1; code < KEY_CNT; code++)
		if (has(key, code))
			is_button(code) ? d->buttons++ : d->keys++;
}

static unsigned classify(const struct bitmap *key, const struct bitmap *rel, const struct bitmap *abs, const struct input_device *d)
{
	unsigned is = 0;
	bool position = has(abs, ABS_X) && has(abs, ABS_Y);
	if (has(key, KEY_A) && has(key, KEY_Z) && has(key, KEY_SPACE) && has(key, KEY_ENTER))
		is |= INPUT_KEYBOARD;
	if (has(rel, REL_X) && has(rel, REL_Y) && has(key, BTN_LEFT))
		is |= INPUT_MOUSE;
	if (has(key, BTN_GAMEPAD) || has(key, BTN_JOYSTICK))
		is |= INPUT_GAMEPAD;
	else if (position && (has(key, BTN_TOUCH) || has(key, BTN_TOOL_FINGER) || has(key, BTN_TOOL_PEN)))
		is |= INPUT_TOUCH;
	else if (position && has(key, BTN_LEFT))
		is |= INPUT_POINTER;
	return is ? is : d->keys ? INPUT_KEYS : 0;
}

static unsigned read_hex(struct root *root, const char *dir, const char *attr)
{
	cleanup_free char *path = str_fmt("%s/%s", dir, attr), *text = root_read_or(root, path, "0");
	return (unsigned)strtoul(text, NULL, 16);
}

static char *read_text(struct root *root, const char *dir, const char *attr)
{
	cleanup_free char *path = str_fmt("%s/%s", dir, attr), *text = root_read_or(root, path, "");
	return str_printable(text);
}

/* The name below by-id or by-path whose link leads to `event`. */
static char *stable_name(struct root *root, const char *event)
{
	static const char *const dirs[] = { "/dev/input/by-id", N_("/dev/input/by-path") };
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		cleanup_strv struct strv names = {};
		err_free(root_list(root, dirs[i], &names));
		for (size_t k = 0; k < names.n; k++) {
			cleanup_free char *path = str_fmt("%s/%s", dirs[i], names.v[k]), *to = root_link_name(root, path);
			if (streq(to, event))
				return steal(path);
		}
	}
	return NULL;
}

static void device_read(struct root *root, const char *event, struct input_device *d)
{
	cleanup_free char *dir = str_fmt(CLASS "/%s/device", event);
	struct bitmap key = read_bitmap(root, dir, "key"), rel = read_bitmap(root, dir, "rel"), abs = read_bitmap(root, dir, "abs"),
		      led = read_bitmap(root, dir, "led");
	struct stat st = {};
	*d = (struct input_device){
		.node = str_fmt("/dev/input/%s", event),
		.stable = stable_name(root, event),
		.name = read_text(root, dir, "name"),
		.phys = read_text(root, dir, "phys"),
		.vendor = read_hex(root, dir, "id/vendor"),
		.product = read_hex(root, dir, "id/product"),
		.wheel = has(&rel, REL_WHEEL),
		.leds = led.w[0] != 0,
	};
	d->twin = str_starts(d->phys, TWIN_PHYS "/");
	count_keys(&key, d);
	d->is = classify(&key, &rel, &abs, d);
	err_free(root_stat(root, d->node, &st));
	d->uid = st.st_uid;
	d->gid = st.st_gid;
	d->mode = st.st_mode;
}

static int by_number(const void *a, const void *b)
{
	const struct input_device *x = a, *y = b;
	size_t skip = strlen("/dev/input/event");
	return atoi(x->node + skip) - atoi(y->node + skip);
}

struct err *input_devices_read(struct root *root, struct input_devices *ret_devices)
{
	cleanup_strv struct strv names = {};
	struct input_devices d = {};
	if (root_exists(root, CLASS))
		TRY(root_list(root, CLASS, &names));
	for (size_t i = 0; i < names.n; i++) {
		if (!str_starts(names.v[i], "event"))
			continue;
		d.v = mem_grow(d.v, d.n, sizeof(*d.v));
		device_read(root, names.v[i], &d.v[d.n++]);
	}
	if (d.n)
		qsort(d.v, d.n, sizeof(*d.v), by_number);
	*ret_devices = d;
	return NULL;
}

void input_devices_free(struct input_devices *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->v[i].node);
		free(d->v[i].stable);
		free(d->v[i].name);
		free(d->v[i].phys);
	}
	free(d->v);
	*d = (struct input_devices){};
}

const char *input_path(const struct input_device *d)
{
	return d->stable ? d->stable : d->node;
}

char *input_describe(const struct input_device *d)
{
	static const struct {
		unsigned is;
		const char *word;
	} words[] = {
		{ INPUT_KEYBOARD, "keyboard" },
		{ INPUT_MOUSE, "mouse" },
		{ INPUT_POINTER, N_("pointer with a position") },
		{ INPUT_TOUCH, N_("touch") },
		{ INPUT_GAMEPAD, N_("gamepad") },
		{ INPUT_KEYS, N_("a few keys") },
	};
	cleanup_strv struct strv parts = {};
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (d->is & words[i].is)
			strv_add(&parts, tr(words[i].word));
	if (!parts.n)
		strv_add(&parts, _("neither keys nor pointer"));
	if (d->keys)
		strv_addf(&parts, tr_n("%u key", "%u keys", d->keys), d->keys);
	if (d->buttons)
		strv_addf(&parts, tr_n("%u button", "%u buttons", d->buttons), d->buttons);
	if (d->wheel)
		strv_add(&parts, _("wheel"));
	if (d->leds)
		strv_add(&parts, "LEDs");
	if (d->twin)
		strv_add(&parts, _("a twin made by qlaunch"));
	return strv_join(&parts, ", ");
}

/* udev ends its links with what the device is. */
static unsigned guess(const char *path)
{
	return str_ends(path, "-event-mouse") ? INPUT_MOUSE : str_ends(path, "-event-joystick") ? INPUT_GAMEPAD : INPUT_KEYBOARD;
}

static void input_read(struct root *root, const struct conf_input *conf, const char *run_dir, const struct input_devices *all,
		       struct input *in)
{
	cleanup_free char *real = root_real(root, conf->device);
	*in = (struct input){ .conf = conf, .is = guess(conf->device), .strange = real };
	for (size_t i = 0; real && i < all->n; i++)
		if (streq(all->v[i].node, real))
			in->device = &all->v[i];
	if (in->device) {
		in->is = in->device->is;
		in->strange = false;
	}
	in->evdev = conf->persistent ? str_fmt("%s/input-%s", run_dir, conf->name) : str_dup(conf->device);
}

struct err *input_facts_read(struct root *root, const struct config *c, const char *run_dir, struct input_facts *ret_facts)
{
	struct input_facts f = { .n = c->n_inputs, .uinput = root_exists(root, "/dev/uinput") };
	if (f.n)
		TRY(input_devices_read(root, &f.devices));
	f.v = mem_new(f.n * sizeof(*f.v));
	for (size_t i = 0; i < f.n; i++)
		input_read(root, &c->inputs[i], run_dir, &f.devices, &f.v[i]);
	*ret_facts = f;
	return NULL;
}

void input_facts_free(struct input_facts *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->v[i].evdev);
	free(f->v);
	input_devices_free(&f->devices);
	*f = (struct input_facts){};
}
