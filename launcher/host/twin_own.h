/* SPDX-License-Identifier: GPL-2.0-or-later */
/* twin_own: what twin.c and twin_feed.c share. For them alone. */
#pragma once
#include <libevdev/libevdev-uinput.h>
#include <libevdev/libevdev.h>
#include "launcher/host/twin.h"

#define TWIN_BATCH 64

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
void twin_feed_end(struct twin *t);
