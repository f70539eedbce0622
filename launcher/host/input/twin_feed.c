/* SPDX-License-Identifier: GPL-2.0-or-later */
/* twin: the flow of events, from the real device to its twin, and of LEDs back. See twin.h. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "launcher/host/input/twin_own.h"

/* One write a report: the kernel takes several events at once, and who reads the twin wakes up once. */
static void flush(struct twin *t)
{
	size_t size = t->n * sizeof(t->batch[0]);
	t->n = 0;
	if (size && write(t->ufd, t->batch, size) < 0)
		return; /* only a kernel without memory refuses; the next report says where the mouse is */
}

static void put(struct twin *t, unsigned type, unsigned code, int value)
{
	if (type == EV_KEY && code < KEY_CNT && value != 2)
		t->down[code] = value;
	/* without a time: the twin's events have their own */
	t->batch[t->n++] = (struct input_event){ .type = (uint16_t)type, .code = (uint16_t)code, .value = value };
	if (t->n == TWIN_BATCH || (type == EV_SYN && code == SYN_REPORT))
		flush(t);
}

/* Lets go of all that is held on the twin: nobody else will. */
static void release(struct twin *t)
{
	bool any = false;
	for (unsigned code = 0; code < KEY_CNT; code++)
		if (t->down[code]) {
			put(t, EV_KEY, code, 0);
			any = true;
		}
	if (any || t->n)
		put(t, EV_SYN, SYN_REPORT, 0);
}

/*
 * By the events that we have read, and then by the kernel's word, for those may be behind. In this order: the kernel,
 * asked for the keys, drops the key events that are still to be read, so libevdev would keep a key that it saw go down
 * and not up.
 */
static bool idle(const struct twin *t)
{
	unsigned char keys[KEY_CNT / 8] = {};
	for (unsigned code = 0; code < KEY_CNT; code++)
		if (evdev.libevdev_get_event_value(t->dev, EV_KEY, code))
			return false;
	if (ioctl(t->fd, EVIOCGKEY(sizeof(keys)), keys) < 0)
		return false;
	for (size_t i = 0; i < sizeof(keys); i++)
		if (keys[i])
			return false;
	return true;
}

static void ungrab(struct twin *t)
{
	if (t->grabbed && t->fd >= 0)
		evdev.libevdev_grab(t->dev, LIBEVDEV_UNGRAB);
	t->grabbed = false;
	release(t);
}

/* A key that went down between the look and the grab is seen by the second look: the host has it, so the host shall see
 * it go up. */
static int grab_if_idle(struct twin *t)
{
	if (t->grabbed || t->host || !idle(t))
		return 0;
	int r = evdev.libevdev_grab(t->dev, LIBEVDEV_GRAB);
	if (r < 0)
		return r;
	t->grabbed = idle(t);
	if (!t->grabbed)
		evdev.libevdev_grab(t->dev, LIBEVDEV_UNGRAB);
	return 0;
}

static bool holds(const struct twin *t, unsigned one, unsigned other)
{
	return evdev.libevdev_get_event_value(t->dev, EV_KEY, one) || evdev.libevdev_get_event_value(t->dev, EV_KEY, other);
}

/* Once a press. Looked at while the host has the device, too: it is the way back. */
static void check_chord(struct twin *t)
{
	bool now = holds(t, KEY_LEFTCTRL, KEY_RIGHTCTRL) && holds(t, KEY_LEFTALT, KEY_RIGHTALT) &&
		   holds(t, KEY_LEFTSHIFT, KEY_RIGHTSHIFT) && holds(t, KEY_ESC, KEY_ESC);
	bool pressed = now && !t->chord;
	t->chord = now;
	if (pressed && t->told.chord)
		t->told.chord(t->told.data);
}

static void take(struct twin *t, const struct input_event *ev)
{
	bool report = ev->type == EV_SYN && ev->code == SYN_REPORT;
	if (ev->type == EV_SYN && !report)
		return; /* SYN_DROPPED: libevdev makes it good */
	if (t->grabbed)
		put(t, ev->type, ev->code, ev->value);
	if (ev->type == EV_KEY && ev->value != 2)
		check_chord(t);
	if (report)
		grab_if_idle(t);
}

static void lose(struct twin *t)
{
	t->grabbed = false;
	release(t);
	t->from = sd_event_source_disable_unref(t->from);
	twin_close_source(t);
	t->chord = false;
	if (t->told.away)
		t->told.away(t->told.data, t->name);
}

static int on_source(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	struct twin *t = data;
	struct input_event ev;
	unsigned flags = LIBEVDEV_READ_FLAG_NORMAL;
	int r;
	(void)source, (void)fd, (void)revents;
	for (;;) {
		r = evdev.libevdev_next_event(t->dev, flags, &ev);
		if (r == -EAGAIN && flags == LIBEVDEV_READ_FLAG_SYNC) {
			flags = LIBEVDEV_READ_FLAG_NORMAL;
			continue;
		}
		if (r < 0)
			break;
		if (r == LIBEVDEV_READ_STATUS_SYNC)
			flags = LIBEVDEV_READ_FLAG_SYNC;
		take(t, &ev);
	}
	if (r != -EAGAIN && r != -EINTR)
		lose(t);
	return 0;
}

/* What host or guest wants of the twin's LEDs, the real device shows. */
static int on_leds(sd_event_source *source, int fd, uint32_t revents, void *data)
{
	struct twin *t = data;
	struct input_event ev;
	(void)source, (void)revents;
	while (read(fd, &ev, sizeof(ev)) == sizeof(ev))
		if (t->fd >= 0 && (ev.type == EV_LED || ev.type == EV_SYN) && write(t->fd, &ev, sizeof(ev)) < 0)
			break; /* opened for reading only, or gone in this moment */
	return 0;
}

static struct err *watch_source(struct twin *t)
{
	int r = sd_event_add_io(t->event, &t->from, t->fd, EPOLLIN, on_source, t);
	if (r >= 0) /* a key comes before everything else that wants the loop */
		r = sd_event_source_set_priority(t->from, SD_EVENT_PRIORITY_IMPORTANT);
	if (r < 0)
		return err_errno(-r, "%s", t->source);
	r = grab_if_idle(t);
	if (r < 0)
		return err_hint(err_errno(-r, "%s", t->source),
				"another program may have grabbed it: a remapper, another virtual machine");
	return NULL;
}

struct err *twin_watch(struct twin *t, sd_event *event, const struct twin_told *told)
{
	t->event = event;
	t->told = *told;
	int r = sd_event_add_io(event, &t->leds, t->ufd, EPOLLIN, on_leds, t);
	return r < 0 ? err_errno(-r, "%s", t->source) : watch_source(t);
}

bool twin_return(struct twin *t)
{
	if (t->fd >= 0 || !t->event)
		return false;
	struct err *e = twin_open_source(t);
	/* a path such as /dev/input/event5 may belong to something else by now */
	if (!e && (evdev.libevdev_get_id_vendor(t->dev) != t->vendor || evdev.libevdev_get_id_product(t->dev) != t->product))
		e = err_new("another device");
	if (!e)
		e = watch_source(t);
	if (!e)
		return true;
	err_free(e);
	t->from = sd_event_source_disable_unref(t->from);
	twin_close_source(t);
	return false;
}

void twin_let_go(struct twin *t, bool host)
{
	t->host = host;
	if (t->fd < 0)
		return;
	if (host)
		ungrab(t);
	else
		grab_if_idle(t);
}

void twin_feed_end(struct twin *t)
{
	ungrab(t);
	t->from = sd_event_source_disable_unref(t->from);
	t->leds = sd_event_source_disable_unref(t->leds);
	twin_close_source(t);
	t->event = NULL;
}
