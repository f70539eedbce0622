/* SPDX-License-Identifier: GPL-2.0-or-later */
/* input: see input.h. Facts from sysfs: capability bitmaps as linux/input-event-codes.h numbers them. */
#include <linux/input-event-codes.h>
#include <stdlib.h>
#include "launcher/base/tr.h"
#include "launcher/host/input/input.h"

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
	return str_printable(str_trim(text));
}

/* The links below by-id, then by-path, that lead to `event`. */
static void add_links(struct root *root, const char *event, struct strv *names)
{
	static const char *const dirs[] = { "/dev/input/by-id", N_("/dev/input/by-path") };
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		cleanup_strv struct strv links = {};
		err_free(root_list(root, dirs[i], &links));
		for (size_t k = 0; k < links.n; k++) {
			cleanup_free char *path = str_fmt("%s/%s", dirs[i], links.v[k]), *to = root_link_name(root, path);
			if (streq(to, event))
				strv_add(names, path);
		}
	}
}

static unsigned read_number(struct root *root, const char *dir)
{
	cleanup_free char *input = root_link_name(root, dir);
	return input && str_starts(input, "input") ? (unsigned)strtoul(input + strlen("input"), NULL, 10) : 0;
}

static void device_read(struct root *root, const char *event, struct input_device *d)
{
	cleanup_free char *dir = str_fmt(CLASS "/%s/device", event);
	struct bitmap key = read_bitmap(root, dir, "key"), rel = read_bitmap(root, dir, "rel"), abs = read_bitmap(root, dir, "abs"),
		      led = read_bitmap(root, dir, "led");
	struct stat st = {};
	*d = (struct input_device){
		.node = str_fmt("/dev/input/%s", event),
		.name = read_text(root, dir, "name"),
		.phys = read_text(root, dir, "phys"),
		.uniq = read_text(root, dir, "uniq"),
		.number = read_number(root, dir),
		.vendor = read_hex(root, dir, "id/vendor"),
		.product = read_hex(root, dir, "id/product"),
		.wheel = has(&rel, REL_WHEEL),
		.leds = led.w[0] != 0,
	};
	d->twin = str_starts(d->phys, TWIN_PHYS);
	add_links(root, event, &d->names);
	count_keys(&key, d);
	d->is = classify(&key, &rel, &abs, d);
	err_free(root_stat(root, d->node, &st));
	d->uid = st.st_uid;
	d->gid = st.st_gid;
	d->mode = st.st_mode;
}

static bool says(const struct conf_device *words, const struct input_device *d)
{
	return !d->twin && (!words->uniq || streq(words->uniq, d->uniq)) && (!words->phys || streq(words->phys, d->phys)) &&
	       (!words->name || streq(words->name, d->name));
}

/* The shortest first; a name is also what people know it by. Only what no other device says. */
static void add_words(const struct input_devices *all, struct input_device *d)
{
	cleanup_free char *uniq = str_fmt("uniq:%s", d->uniq), *phys = str_fmt("phys:%s", d->phys), *name = str_fmt("name:%s", d->name),
			  *uniq_name = str_fmt("%s %s", uniq, name), *phys_name = str_fmt("%s %s", phys, name);
	const char *const ways[] = { uniq, uniq_name, name, phys, phys_name };
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		cleanup_conf_device struct conf_device words = {};
		size_t n = 0;
		/* a uniq of two words would be read as something else */
		bool form = conf_device_parse(ways[i], &words) && says(&words, d);
		for (size_t k = 0; form && k < all->n; k++)
			n += says(&words, &all->v[k]);
		if (n == 1)
			strv_add(&d->names, ways[i]);
	}
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
	for (size_t i = 0; i < d.n; i++)
		add_words(&d, &d.v[i]);
	*ret_devices = d;
	return NULL;
}

static void device_clear(struct input_device *d)
{
	strv_free(&d->names);
	free(d->node);
	free(d->name);
	free(d->phys);
	free(d->uniq);
}

static struct input_device *device_copy(const struct input_device *d)
{
	struct input_device *copy = mem_new(sizeof(*copy));
	*copy = *d;
	copy->node = str_dup(d->node);
	copy->name = str_dup(d->name);
	copy->phys = str_dup(d->phys);
	copy->uniq = str_dup(d->uniq);
	copy->names = (struct strv){};
	for (size_t i = 0; i < d->names.n; i++)
		strv_add(&copy->names, d->names.v[i]);
	return copy;
}

static void device_free(struct input_device *d)
{
	if (d)
		device_clear(d);
	free(d);
}

unsigned input_number(struct root *root, const char *node)
{
	cleanup_free char *dir = str_fmt(CLASS "/%s/device", node + strlen("/dev/input/"));
	return read_number(root, dir);
}

void input_devices_free(struct input_devices *d)
{
	for (size_t i = 0; i < d->n; i++)
		device_clear(&d->v[i]);
	free(d->v);
	*d = (struct input_devices){};
}

const char *input_path(const struct input_device *d)
{
	return d->names.n ? d->names.v[0] : d->node;
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

/* ---- those that the configuration means ---- */

/* Of the words; `ret_rivals`, which may be NULL, gets all of them where it is not one. */
static const struct input_device *seek_words(const struct conf_device *words, const struct input_devices *all, struct strv *ret_rivals)
{
	const struct input_device *found = NULL;
	size_t n = 0;
	for (size_t i = 0; i < all->n; i++)
		if (says(words, &all->v[i])) {
			found = &all->v[i];
			n++;
		}
	for (size_t i = 0; n > 1 && ret_rivals && i < all->n; i++)
		if (says(words, &all->v[i]))
			strv_add(ret_rivals, input_path(&all->v[i]));
	return n == 1 ? found : NULL;
}

/* As the configuration writes it. */
static const struct input_device *seek_written(struct root *root, const char *device, const struct input_devices *all,
					       struct strv *ret_rivals)
{
	cleanup_conf_device struct conf_device words = {};
	if (conf_device_parse(device, &words))
		return seek_words(&words, all, ret_rivals);
	cleanup_free char *real = root_real(root, device);
	for (size_t i = 0; real && i < all->n; i++)
		if (streq(all->v[i].node, real))
			return &all->v[i];
	return NULL;
}

static bool is_alike(const struct input_device *a, const struct input_device *b)
{
	return streq(a->name, b->name) && streq(a->uniq, b->uniq) && a->vendor == b->vendor && a->product == b->product &&
	       a->twin == b->twin;
}

/* The very device again. Several nodes of one device may be alike: those have each a phys of their own. */
static const struct input_device *seek_known(const struct input_device *known, unsigned before, const struct input_devices *all)
{
	const struct input_device *found = NULL;
	for (size_t i = 0; i < all->n; i++) {
		const struct input_device *d = &all->v[i];
		if (!is_alike(d, known))
			continue;
		if (streq(d->phys, known->phys))
			return d;
		if (!found && (*d->uniq || d->number > before))
			found = d;
	}
	return found;
}

const struct input_device *input_seek(struct root *root, const struct input *in, const struct input_devices *all)
{
	return in->device ? seek_known(in->device, in->before, all) : seek_written(root, in->conf->device, all, NULL);
}

/* A link leads to it under any number; a number and words do not. */
static bool is_link(const struct input *in)
{
	return *in->conf->device == '/' && !str_starts(in->conf->device, "/dev/input/event");
}

void input_met(struct input *in, const struct input_device *d)
{
	struct input_device *copy = device_copy(d);
	device_free(in->device);
	in->device = copy;
	in->is = d->is;
	if (!in->conf->persistent)
		str_set(&in->evdev, is_link(in) ? in->conf->device : d->node);
}

void input_lost(struct input *in, const struct input_devices *all)
{
	in->before = 0;
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].number > in->before)
			in->before = all->v[i].number;
}

bool input_is_there(const struct input *in, const struct input_devices *all)
{
	for (size_t i = 0; in->device && i < all->n; i++)
		if (streq(all->v[i].node, in->device->node))
			return all->v[i].number == in->device->number;
	return false;
}

/* udev ends its links with what the device is. */
static unsigned guess(const char *path)
{
	return str_ends(path, "-event-mouse") ? INPUT_MOUSE : str_ends(path, "-event-joystick") ? INPUT_GAMEPAD : INPUT_KEYBOARD;
}

static void input_read(struct root *root, const struct conf_input *conf, const char *run_dir, const struct input_devices *all,
		       struct input *in)
{
	*in = (struct input){ .conf = conf, .is = guess(conf->device) };
	in->evdev = conf->persistent ? str_fmt("%s/input-%s", run_dir, conf->name) : str_dup(conf->device);
	const struct input_device *d = seek_written(root, conf->device, all, &in->rivals);
	if (d)
		input_met(in, d);
	else
		in->strange = *conf->device == '/' && root_exists(root, conf->device);
}

struct err *input_facts_read(struct root *root, const struct config *c, const char *run_dir, struct input_facts *ret_facts)
{
	struct input_facts f = { .n = c->n_inputs, .uinput = root_exists(root, "/dev/uinput") };
	cleanup_input_devices struct input_devices all = {};
	if (f.n)
		TRY(input_devices_read(root, &all));
	f.v = mem_new(f.n * sizeof(*f.v));
	for (size_t i = 0; i < f.n; i++)
		input_read(root, &c->inputs[i], run_dir, &all, &f.v[i]);
	*ret_facts = f;
	return NULL;
}

void input_facts_free(struct input_facts *f)
{
	for (size_t i = 0; i < f->n; i++) {
		device_free(f->v[i].device);
		strv_free(&f->v[i].rivals);
		free(f->v[i].evdev);
	}
	free(f->v);
	*f = (struct input_facts){};
}
