/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * input: the host's keyboards, mice and the like (evdev, /dev/input/eventN), by the names that they keep, and what it
 * takes to share one with the guest. Facts come from sysfs and the links that udev made; no device is opened but by
 * input_listen.
 *
 * A device with a twin (kind "twin", twin.h) reaches QEMU through it; another one is opened by QEMU itself, as the
 * user, who is given its node for as long as that takes.
 */
#pragma once
#include "launcher/base/user.h"
#include "launcher/config/config.h"
#include "launcher/step/finding.h"
#include "launcher/step/step.h"

#define TWIN_PHYS "qlaunch" /* how a twin's phys begins; the real device follows as the configuration writes it */

/* What a device is: bits, for one may be several. */
enum input_is {
	INPUT_KEYBOARD = 1 << 0, /* has letters */
	INPUT_MOUSE = 1 << 1,    /* moves by steps and has a left button */
	INPUT_POINTER = 1 << 2,  /* has a position and a left button, as virtual tablets do */
	INPUT_TOUCH = 1 << 3,    /* is touched: touchpad, screen, tablet with a pen */
	INPUT_GAMEPAD = 1 << 4,
	INPUT_KEYS = 1 << 5, /* a few keys: power button, multimedia keys */
};

struct input_device {
	char *node; /* "/dev/input/event5" */
	struct strv
		names; /* what this one is called and no other, over reboots and replugs: links (by-id, by-path), then words (config.h) */
	char *name, *phys, *uniq; /* what it says of itself; never NULL */
	unsigned number;          /* N of its inputN: counted up with every device, never used again; 0: not known */
	unsigned vendor, product;
	unsigned is;            /* of enum input_is */
	unsigned keys, buttons; /* how many */
	bool wheel, leds, twin; /* twin: one of ours */
	uid_t uid;
	gid_t gid;
	mode_t mode;
};
struct input_devices {
	struct input_device *v; /* by number */
	size_t n;
};
/* Every event device of this host, by its number. Owned by the caller. */
struct err *input_devices_read(struct root *root, struct input_devices *ret_devices);
void input_devices_free(struct input_devices *d);
#define cleanup_input_devices cleanup(input_devices_free)
/* "keyboard, 112 keys, LEDs"; owned by the caller. */
char *input_describe(const struct input_device *d);
/* The best way to write it: its first name, or its node. Borrowed. */
const char *input_path(const struct input_device *d);
/* The keyboard (INPUT_KEYBOARD) or mouse (INPUT_MOUSE) that a person most likely means; NULL: there is none. Borrowed. */
const struct input_device *input_choose(const struct input_devices *all, enum input_is is);
/* How many there are of it that could be meant. */
size_t input_count(const struct input_devices *all, unsigned is);
/* Whether they are nodes of one thing on the desk: at one port, or one that is paired. */
bool input_one_thing(const struct input_device *a, const struct input_device *b);
/* Whether a guest that gets `chosen` wants this one, too: it is of the same thing and sends keys or motion (media keys, a wheel, macros). */
bool input_goes_with(const struct input_device *chosen, const struct input_device *d);
/* Who wants to know which device a person uses. Which key it was is nobody's business. */
struct input_listener {
	unsigned seconds;                                        /* how long; 0: for ever */
	int stop_fd;                                             /* it ends when this can be read; -1: none */
	void (*ready)(void *data);                               /* from now on nothing is missed: the moment to ask for it */
	bool (*heard)(void *data, const struct input_device *d); /* once for each; false ends it */
	void *data;
};
/* EXIT_HOST, with a remedy, where none may be listened to; `ready` was not called then. */
struct err *input_listen(struct root *root, const struct input_devices *all, const struct input_listener *l);

/* An [input NAME] of the configuration. */
struct input {
	const struct conf_input *conf; /* borrowed */
	struct input_device *device;   /* as it was when it was last there; NULL: it never was */
	unsigned before;               /* since it is gone: all numbers up to this one are other devices' */
	char *evdev;                   /* what QEMU opens: the device's path, or a link to its twin */
	unsigned is;                   /* of a device that is not there: what its name says */
	bool strange;                  /* there is something at that path, but no input device */
	struct strv rivals;            /* more than one is what the configuration says: how to write each */
};
struct input_facts {
	struct input *v; /* in the order of the configuration */
	size_t n;
	bool uinput; /* /dev/uinput is there */
};
/* `run_dir`: where the links to twins will be, /run/qlaunch/VM. */
struct err *input_facts_read(struct root *root, const struct config *c, const char *run_dir, struct input_facts *ret_facts);
void input_facts_free(struct input_facts *f);
#define cleanup_input_facts cleanup(input_facts_free)

/*
 * Which of `all` is meant, NULL: none. Before any was there, the one that the configuration says; from then on that very device, under
 * whatever number it comes back: by what it says of itself, and where that is nothing of its own (two alike), by its port, or because it
 * came since.
 */
const struct input_device *input_seek(struct root *root, const struct input *in, const struct input_devices *all);
/* N of the inputN that has this node ("/dev/input/event5") now; 0: not known. */
unsigned input_number(struct root *root, const char *node);
/* It is there: kept, copied, and what QEMU is to open. */
void input_met(struct input *in, const struct input_device *d);
/* It is gone: none of those that are there is it. */
void input_lost(struct input *in, const struct input_devices *all);
/* Whether it is still there, and not another one under its number. */
bool input_is_there(const struct input *in, const struct input_devices *all);

/* The words under which it is claimed: two machines that mean one device have one in common, however each writes it. */
void input_claims(const struct input *in, struct strv *ret);
/* Those of devices that are not there yet are `late`. */
void input_steps(struct steps *out, const struct input_facts *f, const struct user *u);
void input_findings(struct findings *out, const struct config *c, const struct input_facts *f);
