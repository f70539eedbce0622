/* SPDX-License-Identifier: GPL-2.0-or-later */
/* twin_own: what twin.c and twin_feed.c share. For them alone. */
#pragma once
#include <libevdev/libevdev-uinput.h>
#include <libevdev/libevdev.h>
#include "launcher/base/late.h"
#include "launcher/host/input/twin.h"

#define TWIN_BATCH 64

/* libevdev, there once twin_open_source has succeeded */
#define EVDEV_FUNCTIONS(X) \
	X(libevdev_new_from_fd) X(libevdev_free) X(libevdev_grab) X(libevdev_next_event) X(libevdev_get_event_value) X(libevdev_get_name) \
	X(libevdev_set_name) X(libevdev_get_id_vendor) X(libevdev_get_id_product) X(libevdev_disable_event_type) \
	X(libevdev_uinput_create_from_device) X(libevdev_uinput_get_devnode) X(libevdev_uinput_destroy)
extern struct evdev LATE_TABLE(EVDEV_FUNCTIONS) evdev;

struct twin {
	struct root *root;
	char *name, *source, *link;

	/* the twin; ufd -1 until it is made */
	int ufd;
	struct libevdev_uinput *uinput;
	char *node;
	bool down[KEY_CNT];  /* the keys that are down on it */
	int vendor, product; /* of the device that it was made from */

	/* the real device; fd -1 while it is away */
	int fd;
	struct libevdev *dev;
	bool grabbed;
	bool host;  /* let go by the escape chord */
	bool chord; /* is down */

	/* the events of one report, written at once */
	struct input_event batch[TWIN_BATCH];
	size_t n;

	sd_event *event;
	sd_event_source *from, *leds;
	struct twin_told told;
};

/* Opens the real device: t->fd and t->dev. */
struct err *twin_open_source(struct twin *t);
void twin_close_source(struct twin *t);
void twin_feed_end(struct twin *t);
