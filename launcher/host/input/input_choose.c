/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * input_choose: which keyboard and mouse a person means who says nothing. Pure.
 *
 * One thing on the desk is several nodes: a mouse has a keyboard for its macros, a keyboard a mouse for its wheel, both have nodes for media
 * keys. What a thing is, its first interface tells, the one that a firmware's boot screen uses too; what types by itself (security tokens,
 * scanners) or is no keyboard although it has letters (pedals, pads) is nobody's keyboard, whatever it can send.
 */
#include <stdlib.h>
#include <strings.h>
#include "launcher/host/input/input.h"

#define SENDS (INPUT_KEYBOARD | INPUT_MOUSE | INPUT_POINTER | INPUT_KEYS)

static bool says_any(const struct input_device *d, const char *const *words)
{
	for (; *words; words++)
		if (strcasestr(d->name, *words))
			return true;
	return false;
}

/* Where it is plugged in, or who it is: what all nodes of one thing have in common. 0: a program's, which is nowhere. */
static size_t place(const struct input_device *d, const char **ret_text)
{
	const char *interface = strstr(d->phys, "/input"), *paired = interface ? strchr(interface, ':') : NULL;
	bool usb = str_starts(d->phys, "usb-");
	if (*d->uniq &&
	    (!usb || paired)) { /* over the air: Bluetooth's, or one of several at a receiver; a USB serial number may be "0" everywhere */
		*ret_text = d->uniq;
		return strlen(d->uniq);
	}
	*ret_text = d->phys;
	return paired ? strlen(d->phys) : interface ? (size_t)(interface - d->phys) : strlen(d->phys);
}

bool input_one_thing(const struct input_device *a, const struct input_device *b)
{
	const char *x, *y;
	size_t n = place(a, &x), m = place(b, &y);
	return n && n == m && strncmp(x, y, n) == 0;
}

/* The thing's first interface: its phys ends so, and udev's link has no "-ifNN-". */
static bool is_first(const struct input_device *d)
{
	const char *interface = strstr(d->phys, "/input"), *path = input_path(d), *link = strstr(path, "-if");
	bool later = link && link[3] >= '0' && link[3] <= '9' && link[4] >= '0' && link[4] <= '9' && link[5] == '-';
	return !later && (!interface || interface[strlen("/input")] == '0' || !str_starts(d->phys, "usb-"));
}

static bool thing_has(const struct input_devices *all, const struct input_device *d, unsigned is, bool first)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->v[i].is & is && input_one_thing(d, &all->v[i]) && (!first || is_first(&all->v[i])))
			return true;
	return false;
}

/* A drawing tablet: one of its nodes is named so; another has its buttons, as a keyboard or a mouse. */
static bool is_tablet(const struct input_devices *all, const struct input_device *d)
{
	static const char *const words[] = { "wacom", " pen", "tablet", "stylus", NULL };
	for (size_t i = 0; i < all->n; i++)
		if (says_any(&all->v[i], words) && input_one_thing(d, &all->v[i]))
			return true;
	return false;
}

/* Over the air all nodes of a thing have one address, and which is the first nobody tells. */
static bool is_keyboards_own(const struct input_devices *all, const struct input_device *d)
{
	for (size_t i = 0; !str_starts(d->phys, "usb-") && i < all->n; i++)
		if (&all->v[i] != d && all->v[i].is & INPUT_KEYBOARD && all->v[i].leds && input_one_thing(d, &all->v[i]))
			return true;
	return false;
}

/* Never a person's keyboard or mouse. */
static bool is_other(const struct input_devices *all, const struct input_device *d)
{
	static const unsigned vendors[] = { 0x1050, 0x096e, 0x28de, 0x05e0, 0x0c2e }; /* Yubico, Feitian, Valve, Symbol, Honeywell */
	static const char *const words[] = { "yubikey", "fido", "security key", "nitrokey", "onlykey", "solokey", "ledger",     "token",
					     "pedal",   "foot", "scanner",      "barcode",  "rfid",    "reader", "gamepad",
					     "virtual", "flirc", "presenter", "remote control", "wireless controller", NULL };
	const char *text;
	if (d->twin || !place(d, &text) || thing_has(all, d, INPUT_GAMEPAD, false))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(vendors); i++)
		if (d->vendor == vendors[i])
			return true;
	return says_any(d, words);
}

static int keyboard_score(const struct input_devices *all, const struct input_device *d)
{
	static const char *const keyboard[] = { "keyboard", NULL }, *const mouse[] = { "mouse", "trackball", NULL }, *const part[] = { "keypad", "numpad", NULL };
	int score = 10;
	score += is_first(d) ? 8 : 0;
	score -= !is_first(d) && thing_has(all, d, INPUT_MOUSE, true) ? 16 : 0; /* a mouse's macros */
	score += d->leds ? 4 : 0;
	score += says_any(d, keyboard) ? 2 : says_any(d, mouse) ? -8 : 0;
	score -= says_any(d, part) ? 8 : 0;
	score -= is_tablet(all, d) ? 16 : 0;
	score -= str_starts(d->phys, "isa0060") ? 3 : 0; /* many boards tell of one that nobody has plugged in */
	return score;
}

static int mouse_score(const struct input_devices *all, const struct input_device *d)
{
	static const char *const keyboard[] = { "keyboard", NULL }, *const mouse[] = { "mouse", "trackball", "trackpoint", NULL };
	int score = 10;
	score += is_first(d) ? 8 : 0;
	score -= !is_first(d) && thing_has(all, d, INPUT_KEYBOARD, true) ? 12 : 0; /* a keyboard's own */
	score -= is_keyboards_own(all, d) ? 6 : 0;
	score += d->wheel ? 4 : 0;
	score += d->buttons >= 3 ? 2 : 0;
	score += says_any(d, mouse) ? 2 : says_any(d, keyboard) ? -4 : 0;
	score -= is_tablet(all, d) ? 16 : 0;
	score -= str_starts(d->phys, "isa0060") ? 3 : 0;
	return score;
}

size_t input_count(const struct input_devices *all, unsigned is)
{
	size_t n = 0;
	for (size_t i = 0; i < all->n; i++)
		n += all->v[i].is & is && !is_other(all, &all->v[i]);
	return n;
}

const struct input_device *input_choose(const struct input_devices *all, enum input_is is)
{
	const struct input_device *best = NULL;
	int best_score = 0;
	for (size_t i = 0; i < all->n; i++) {
		const struct input_device *d = &all->v[i];
		if (!(d->is & is) || is_other(all, d))
			continue;
		int score = is == INPUT_KEYBOARD ? keyboard_score(all, d) : mouse_score(all, d);
		if (score > best_score) {
			best = d;
			best_score = score;
		}
	}
	return best;
}

bool input_goes_with(const struct input_device *chosen, const struct input_device *d)
{
	return d != chosen && d->is & SENDS && !d->twin && input_one_thing(chosen, d);
}
